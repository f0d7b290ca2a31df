"""What is known of the pages of articles: read, awaited, come late."""

from dataclasses import dataclass
from datetime import datetime

from syndicate.model.match import Suppressed
from syndicate.model.parse import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A line of a page as it is compared with those of other pages."""

    hash: str  # of its words, in lower case
    length: int  # characters
    is_link: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page of an article as it was read; without lines it is too old to be used again."""

    key: str  # the same for all spellings of its address
    reading: str  # the same for all that leave out the same parts of it
    host: str
    fetched_at: datetime
    lines: tuple[str, ...] = ()  # of its article, as it was found
    links: tuple[int, ...] = ()  # which of them are links, by their place
    blocks: tuple[Block, ...] = ()  # each once
    canonical: str | None = None  # what it says that its address is (rel=canonical), absolute


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptArticle:
    """What is known of the article of a stored item."""

    told: str  # hash of what its publisher said when the page was asked for
    has_text: bool  # the item's body is the article
    body: str  # of the item
    content_html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedArticle:
    """A stored item whose article is to be asked for again."""

    item: int
    content_hash: str
    entry: Entry  # as stored, but for the language
    language: str | None  # of the item
    told: str
    has_text: bool  # of an earlier version
    tries: int
    since: datetime
    suppressed: Suppressed | None  # as for what its poll found


FULL_TEXT = "full text of "  # how a problem of a poll begins that is one with articles


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleNote:
    """What became of the page of an item."""

    item: int | str  # a new one by its first key
    told: str
    has_text: bool
    tries: int
    since: datetime  # when it was first wanted
    next_try_at: datetime | None  # None: it is not asked for again
    suppressed: Suppressed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateArticle:
    """A stored item whose article came later, and the item with it."""

    awaited: AwaitedArticle
    entry: Entry
