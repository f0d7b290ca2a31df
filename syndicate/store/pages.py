"""The units of work of the pages, which only look. See `syndicate.store.protocol`.

Each is fast however much is stored: it reads what it returns, and little else.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from syndicate.model import ItemHead, ListedItem, RuleVersion, Sought, StoredMatch, ToldStory, Wanted

SOUGHT_AT_ONCE = 20_000  # items with the words looked for that a filter may leave out, in one go


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Which stories or items to show; what is None does not restrict."""

    rule: str | None = None
    source: str | None = None
    language: str | None = None
    since: datetime | None = None  # by Item.order
    before: tuple[datetime, int] | None = None  # (order, id) of the last one of the page before
    after: int | None = None  # the id of an item: only what came later
    limit: int = 30


class PageStore(Protocol):
    """What a database must do for the pages."""

    def stories(self, which: Shown) -> list[ToldStory]:
        """Return stories that a configured rule holds for, newest first.

        A story stands where its first item stands, of those for which the filter holds and a rule: so it
        stays in its place when others report it as well.
        """

    def newest_item(self) -> int:
        """Return the id of the item that came last, 0 if there is none."""

    def listed_items(self, which: Shown) -> list[ListedItem]:
        """Return items, newest first."""

    def sought_items(self, any_of: Sequence[Wanted] | None, before: int | None, which: Shown) -> Sought:
        """Return items in which some of these words occur, those kept last first.

        As many as the filter's limit; fewer if it leaves out most of SOUGHT_AT_ONCE that have them. Its
        `before` and `after` do not count.

        Args:
            any_of: None: whatever occurs.
            before: where the search before this one ended; None: it begins.
        """

    def matches_by_day(self, since: datetime, rules: Collection[str]) -> Mapping[str, Mapping[date, int]]:
        """Return how many items each of these rules holds for, by the day of their Item.order in UTC."""

    def busiest_rules(self, since: datetime, limit: int) -> list[str]:
        """Return the rules that hold for most items since then, the first of them first."""

    def last_matches(self, rules: Collection[str]) -> Mapping[str, datetime]:
        """Return the Item.order of the newest item that each rule holds for; none where it holds for none."""

    def matches_by_source(self, rule: str, since: datetime) -> Mapping[str, int]:
        """Return for how many items of each source a rule holds since then, most first."""

    def items_of_story(self, story: int) -> list[ItemHead]:
        """Return the items of a story, in the order in which they came."""

    def rule_versions(self, rule: str, limit: int) -> list[RuleVersion]:
        """Return what a rule asked for, the last of it first."""

    def matches_of_item(self, item: int) -> list[StoredMatch]:
        """Return all matches of an item, also those that have ended, by their rules' ids."""
