"""What a feed shows, in which order: one entry for an item or for a story, however many rules hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from syndicate.model import Item, NumberedMatches, StoredMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """An item that a feed shows, and what is said of it."""

    item: Item
    matches: tuple[StoredMatch, ...]  # one for each rule that holds for it, by the rules' ids
    others: tuple[Item, ...] = ()  # of the same story and other outlets, one each, as they were seen


def selected(entry: NumberedMatches) -> Selected:
    """Return what an entry shows."""
    item = entry.matches[0].item
    return Selected(item=item, matches=entry.matches, others=_others(item, entry.others))


def _others(first: Item, rest: Sequence[StoredMatch]) -> tuple[Item, ...]:
    """Return the first report of each other outlet."""
    by_source: dict[str, Item] = {}
    for match in rest:
        by_source.setdefault(match.item.source, match.item)
    by_source.pop(first.source, None)
    return tuple(by_source.values())
