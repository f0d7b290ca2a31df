"""What the pages show of what is stored."""

from dataclasses import dataclass
from datetime import datetime

from syndicate.model.keep import FoundItem
from syndicate.model.match import Hit, Match


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemHead:
    """An item as a list shows it, without its texts."""

    item: int
    source: str
    title: str  # empty if it has none
    link: str | None
    language: str | None
    order: datetime  # as Item.order
    first_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRule:
    """A rule that holds for an item."""

    match: Match
    title_hits: tuple[Hit, ...]  # in the title as it is now


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldStory:
    """A story that some rule holds for: the item that came first, and the others."""

    story: int
    first: ItemHead
    rules: tuple[HeldRule, ...]  # that hold for the first, by their ids
    others: tuple[ItemHead, ...]  # in the order in which they came


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedItem:
    """An item in a list, with the beginning of its text and the ids of the rules that hold for it."""

    head: ItemHead
    excerpt: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVersion:
    """What a rule asked for, and since when."""

    version: str  # as Rule.version
    since: datetime  # when it was taken over
    terms: tuple[str, ...]  # as its author wrote them


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Stored items in which words were looked for, and how far that went."""

    found: tuple[FoundItem, ...]  # the one kept last first
    places: tuple[int, ...]  # of each in the index
    before: int | None  # the place in the index to go on from; None: there is no more
