"""Which items a feed shows, in which order: one entry for an item or for a story, however many rules hold.

A feed may collect the matches of several rules, of all, or of the sources with a tag.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syndicate.model import Item, Source, StoredMatch


class Dedupe(StrEnum):
    """What has an entry of its own."""

    ITEM = "item"
    STORY = "story"  # all outlets that report the same thing share one


class Order(StrEnum):
    """What comes first in a feed."""

    PUBLISHED = "published"  # what was published last, or first seen, whichever is earlier
    MATCHED = "matched"  # what matched last


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Whose matches a feed collects."""

    rules: frozenset[str] | None = None  # ids; None: of all
    sources: frozenset[str] | None = None  # ids; None: of all

    def has(self, match: StoredMatch) -> bool:
        """Whether the match holds and is one of these."""
        is_wanted = self.rules is None or match.match.rule in self.rules
        is_wanted = is_wanted and (self.sources is None or match.item.source in self.sources)
        return is_wanted and match.ended_at is None


EVERYTHING = Choice()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """An item that a feed shows, and what is said of it."""

    item: Item
    matches: tuple[StoredMatch, ...]  # one for each rule that holds for it, by the rules' ids
    others: tuple[Item, ...] = ()  # of the same story and other outlets, one each, as they were seen

    @property
    def matched_at(self) -> datetime:
        """When it came into the feed."""
        return min(match.matched_at for match in self.matches)


@dataclass(slots=True)
class _Group:
    item: Item
    matches: list[StoredMatch] = field(default_factory=list)


def select(
    matches: Iterable[StoredMatch], choice: Choice = EVERYTHING, dedupe: Dedupe = Dedupe.ITEM
) -> list[Selected]:
    """Return what a feed shows of these matches, in the order the items were first seen.

    The entry of a story is the item that was seen first among those that match: so its id stays while others
    join the story. Where that one matches no longer, the next takes its place, under an id of its own.
    """
    groups: dict[int, _Group] = {}
    for match in filter(choice.has, matches):
        groups.setdefault(match.item.id, _Group(match.item)).matches.append(match)
    seen = sorted(groups.values(), key=lambda group: (group.item.first_seen, group.item.id))
    return [_selected(group) for group in seen] if dedupe is Dedupe.ITEM else _stories(seen)


def _stories(seen: Sequence[_Group]) -> list[Selected]:
    stories: dict[int, list[_Group]] = {}
    for group in seen:
        stories.setdefault(group.item.story, []).append(group)
    return [_selected(first, _others(first.item, rest)) for first, *rest in stories.values()]


def _others(first: Item, rest: Sequence[_Group]) -> tuple[Item, ...]:
    """Return the first report of each other outlet."""
    by_source: dict[str, Item] = {}
    for group in rest:
        by_source.setdefault(group.item.source, group.item)
    by_source.pop(first.source, None)
    return tuple(by_source.values())


def _selected(group: _Group, others: tuple[Item, ...] = ()) -> Selected:
    matches = sorted(group.matches, key=lambda match: match.match.rule)
    return Selected(item=group.item, matches=tuple(matches), others=others)


def newest_first(selected: Iterable[Selected], order: Order) -> list[Selected]:
    """Return them in a feed's order. Of two at one instant, the one that was stored later comes first."""
    return sorted(selected, key=lambda each: (_instant(each, order), each.item.id), reverse=True)


def _instant(selected: Selected, order: Order) -> datetime:
    return selected.matched_at if order is Order.MATCHED else selected.item.order


def choices_by_tag(sources: Iterable[Source]) -> Mapping[str, Choice]:
    """Return for each tag of sources what its feed collects: what any rule finds there."""
    ids_by_tag: dict[str, set[str]] = {}
    for source in sources:
        for tag in source.tags:
            ids_by_tag.setdefault(tag, set()).add(source.id)
    return {tag: Choice(sources=frozenset(ids)) for tag, ids in sorted(ids_by_tag.items())}
