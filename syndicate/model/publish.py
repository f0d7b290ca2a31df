"""What is to be published."""

from dataclasses import dataclass
from datetime import datetime

from syndicate.model.keep import StoredMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDocument:
    """What the documents of a source said of themselves the last time."""

    title: str = ""
    link: str | None = None  # a page for people
    id: str | None = None  # an absolute IRI; None: they have none


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleFeed:
    """A published feed whose files lack what is stored; `generation` closes the race with new matches."""

    id: str
    feed_id: str  # absolute IRI, minted once
    created_at: datetime
    generation: int
    written_as: str  # how the pages of its archive were written last; empty: none were


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """The numbers of a feed's entries (`syndicate.feeds.archive`)."""

    last: int  # the highest that was ever given; 0: none was
    written_up_to: int  # the highest when its files were written last
    changed: tuple[int, ...]  # those given up to then whose entry has changed since, or is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEntry:
    """An entry of a feed without what it shows."""

    number: int
    item: int
    instant: datetime  # by which its feed is ordered
    state: str  # another one as soon as the entry shows anything else that is stored
    rules: tuple[str, ...]  # that hold for it
    sources: tuple[str, ...]  # of its item, and of the others of its story


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedMatches:
    """An entry of a feed: an item, why it is there, and who else reports the same."""

    number: int
    matches: tuple[
        StoredMatch, ...
    ]  # of the item, one for each rule of the feed that holds, by the rules' ids
    others: tuple[StoredMatch, ...] = ()  # of other items of its story in the feed, as they were first seen
    state: str = ""  # see `ListedEntry`


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFeed:
    """What of a feed was written."""

    id: str
    generation: int
    written_as: str
    numbering: Numbering
