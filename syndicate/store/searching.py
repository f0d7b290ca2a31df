"""The units of work of looking back: asking rules about what is stored. See `syndicate.store.protocol`.

First which items there are to ask about, then those, some at a time: so each is looked up once, and whoever
has seen enough can stop.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syndicate.model import SearchedItem, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFilter:
    """Which items to list, newest first; what is None does not restrict."""

    any_of: Sequence[Wanted] | None = None  # at least one of these must occur
    or_rule: str | None = None  # or, whatever occurs, this rule must be known to hold
    id: int | None = None
    rule: str | None = None
    source: str | None = None
    since: datetime | None = None  # by Item.order
    before: tuple[datetime, int] | None = None  # (order, id) of the last item of the page before
    limit: int = 100


class SearchStore(Protocol):
    """What a database must do for looking back."""

    def candidates(self, which: ItemFilter) -> Sequence[int]:
        """Return the ids of items, newest first, however many; `limit` and `before` do not count."""

    def searched(self, items: Sequence[int]) -> list[SearchedItem]:
        """Return what rules ask about these items, in this order, without those that are gone."""

    def held_items(self, rule: str, since: datetime | None) -> Collection[int]:
        """Return the items since then (by Item.order; None: all) for which a configured rule holds."""
