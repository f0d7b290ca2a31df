"""What a feed shows, in which order: one entry for an item or for a story, however many rules hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from syndicate.model import Item, NumberedMatches, StoredMatch
from syndicate.model.feeds import Order


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


def newest_first(selected: Iterable[Selected], order: Order) -> list[Selected]:
    """Return them in a feed's order. Of two at one instant, the one that was stored later comes first."""
    return sorted(selected, key=lambda each: (_instant(each, order), each.item.id), reverse=True)


def _instant(selected: Selected, order: Order) -> datetime:
    return selected.matched_at if order is Order.MATCHED else selected.item.order
