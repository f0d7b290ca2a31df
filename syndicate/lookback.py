"""What a rule would find among stored items, and what an edit of it would change."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from syndicate.backfill import Known, OneRule, asked_at, subject_of, wanted_words
from syndicate.model import Match, SearchedItem
from syndicate.rules.rule import Rule
from syndicate.rules.snippet import snippet
from syndicate.rules.text import field_texts
from syndicate.rules.why_not import why_not_about
from syndicate.store.protocol import Store
from syndicate.store.searching import ItemFilter
from syndicate.trial import Finding, Trial, asked_about, finding

AT_ONCE = 100  # items that are read together

# --------------------------------------------------------------------------- records


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a rule holds for; the counts are of all, the items at most as many as were asked for."""

    total: int
    items: tuple[Finding, ...]  # newest first
    per_source: Mapping[str, int]  # most first
    per_day: Mapping[date, int]  # in UTC, newest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """An item that a rule is stored to hold for, as it was found, and why an edit would end that."""

    finding: Finding
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a rule would match that it does not match now, and the other way round."""

    kept: int  # matches that stay
    added: Findings
    removed_total: int
    removed: tuple[Removal, ...]  # newest first, at most as many as were asked for
    alerts: Mapping[str, int]  # by endpoint: those that it would have made beyond those in the ledger


# --------------------------------------------------------------------------- looking back


def findings(store: Store, trial: Trial, which: ItemFilter, limit: int | None) -> Findings:
    """Return what a rule holds for among stored items.

    Args:
        limit: how many items are told of; None for all.
    """
    look = LookBack(store, trial, which, limit=limit)
    look.go_on()
    return look.findings()


def difference(store: Store, trial: Trial, since: datetime, limit: int | None) -> Difference:
    """Return what changes among the items since then if a rule takes the place of the one that is live.

    Args:
        limit: how many items are told of, of those added and of those removed; None for all.
    """
    look = LookBack(store, trial, ItemFilter(since=since), limit=limit, live=trial.rule.id)
    look.go_on()
    return look.difference()


class LookBack:
    """A rule that is asked about stored items, newest first, as far as there is time.

    Args:
        which: among which items; its `limit` and what it says of words do not count.
        limit: how many items are told of, of those found, added and removed each; None for all.
        live: the rule whose stored matches it is compared with; None: with none.
    """

    def __init__(
        self, store: Store, trial: Trial, which: ItemFilter, *, limit: int | None, live: str | None = None
    ) -> None:
        self._trial, self.is_compared = trial, live is not None
        self._store, self._live = store, live
        self._asked = OneRule(trial.rule, trial.known)
        any_of = wanted_words(store, trial.rule, trial.known)
        self._ids = store.search.candidates(replace(which, any_of=any_of, or_rule=live))
        self._held = store.search.held_items(live, which.since) if live else frozenset()
        self._found, self._added = _Tally(trial.known, limit), _Tally(trial.known, limit)
        self._kept = 0
        self._removed_total = 0
        self._removed: list[Removal] = []
        self._limit = limit
        self.looked_at = 0
        self.oldest: datetime | None = None  # Item.order of the last item that was looked at

    def go_on(self, is_enough: Callable[[], bool] = lambda: False) -> None:
        """Look at more items, until all were looked at or it is enough: at least at some."""
        while not self.is_done:
            items = self._store.search.searched(self._ids[self.looked_at : self.looked_at + AT_ONCE])
            for item in items:
                self._look_at(item)
                self.oldest = item.order
            self.looked_at = min(self.looked_at + AT_ONCE, len(self._ids))
            if is_enough():
                return

    @property
    def candidates(self) -> int:
        """How many items there are to look at."""
        return len(self._ids)

    @property
    def is_done(self) -> bool:
        """Whether all were looked at."""
        return self.looked_at == len(self._ids)

    def findings(self) -> Findings:
        """Return what it holds for, among the items that were looked at."""
        return self._found.findings()

    def difference(self) -> Difference:
        """Return what it changes, among the items that were looked at."""
        return Difference(
            kept=self._kept,
            added=self._added.findings(),
            removed_total=self._removed_total,
            removed=tuple(self._removed),
            alerts=_missing_alerts(self._store, self._trial.rule, self._added.stories),
        )

    def _look_at(self, item: SearchedItem) -> None:
        match, is_live = self._asked.match(item), item.id in self._held
        if match:
            self._found.add(item, match)
        if match and is_live:
            self._kept += 1
        elif match:
            self._added.add(item, match)
        elif is_live:
            self._removed_total += 1
            if self._limit is None or len(self._removed) < self._limit:
                self._removed.append(_removal(self._store, item, self._trial, self._live))


class _Tally:
    """Findings as they are counted."""

    def __init__(self, known: Known, limit: int | None) -> None:
        self.stories: set[int] = set()
        self._known, self._limit = known, limit
        self._items: list[Finding] = []
        self._per_source: Counter[str] = Counter()
        self._per_day: Counter[date] = Counter()

    def add(self, item: SearchedItem, match: Match) -> None:
        self.stories.add(item.story)
        self._per_source[item.source] += 1
        self._per_day[item.order.astimezone(UTC).date()] += 1
        if self._limit is None or len(self._items) < self._limit:
            self._items.append(finding(item, match, field_texts(subject_of(item, self._known))))

    def findings(self) -> Findings:
        return Findings(
            total=self._per_source.total(),
            items=tuple(self._items),
            per_source=dict(self._per_source.most_common()),
            per_day=dict(sorted(self._per_day.items(), reverse=True)),
        )


def _removal(store: Store, item: SearchedItem, trial: Trial, live: str | None) -> Removal:
    stored = store.stored_match(live or "", item.id)
    text, asked = asked_about(item, trial)
    why = why_not_about(trial.rule, text, asked_at(item), asked) or ""
    if stored is None:  # the match and all that was kept of it are gone meanwhile
        nothing = Match(rule=trial.rule.id, rule_version="", hits=(), snippet=snippet(text.texts, ()))
        return Removal(finding=finding(item, nothing, None), why_not=why)
    known_texts = text.texts if stored.revision == item.revision else None
    return Removal(finding=finding(item, stored.match, known_texts), why_not=why)


def _missing_alerts(store: Store, rule: Rule, stories: set[int]) -> Mapping[str, int]:
    told = Counter(alert.endpoint for alert in store.alerts_about(rule.id, stories) if alert.kind == "match")
    return {endpoint: len(stories) - told[endpoint] for endpoint in rule.notify}
