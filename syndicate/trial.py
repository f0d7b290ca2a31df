"""Rules tried on what is stored: what one would match, what an edit changes, why an item matches or not.

Nothing is written here; `backfill` applies rules.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from syndicate.backfill import Known, OneRule, asked_at, candidates, subject_of
from syndicate.config import Names, read_rule_text, read_rules, suggestion
from syndicate.errors import ConfigError, Problem
from syndicate.model import (
    AlertStatus,
    Config,
    Hit,
    Item,
    Match,
    RuleText,
    Score,
    Snippet,
    StoredMatch,
    StoryStatus,
    Written,
)
from syndicate.rules.compile import compile_rules, trial_rule
from syndicate.rules.index import Asked
from syndicate.rules.lexer import query_error
from syndicate.rules.rule import Rule, is_about
from syndicate.rules.snippet import snippet
from syndicate.rules.text import ItemText
from syndicate.rules.tree import NOWHERE, Place, RuleRef, walk
from syndicate.rules.why_not import Failure, Reason, why_not, why_not_about
from syndicate.store.protocol import ItemFilter, Store

NO_ID = "--query"  # of a query that is no rule; nothing can refer to it
OUT_OF_SCOPE = "out of scope"  # why a rule does not hold that looks at other items

# --------------------------------------------------------------------------- what is tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A rule to be tried."""

    rule: Rule
    known: Known  # with the rule itself, and those that it may refer to
    query: str | None = None  # as its author wrote it; None for one that asks by keywords or [score]


def trial_of_query(query: str, known: Known) -> Trial:
    """Return a query alone, to be tried.

    Raises:
        QueryError: it is none, or refers to a rule that is not there.
    """
    rule = replace(trial_rule(query), id=NO_ID)
    for node in walk(rule.query):
        if isinstance(node, RuleRef) and node.id not in known.rules:
            problem = f"there is no rule {node.id}{suggestion(node.id, known.rules)}"
            raise query_error(query, node.place[0], problem)
    return Trial(rule=rule, known=_with({rule.id: rule}, known), query=query)


def trial_of_rule(rule: str, config: Config, known: Known) -> Trial:
    """Return a configured rule, to be tried."""
    return _trial(next(text for text in config.rules if text.id == rule), known)


def trials_of_file(path: Path, config: Config, known: Known, environ: Mapping[str, str]) -> tuple[Trial, ...]:
    """Return the rules of a file, each to be tried instead of a configured one with its id.

    Raises:
        ConfigError: with every problem that `check` would have with the file in the rules' folder.
    """
    configured = [text for text in config.rules if Path(text.file).resolve() == path.resolve()]
    if configured:
        return tuple(_trial(text, known) for text in configured)
    return _trials(read_rules([path], environ, _names(config)), config, known)


def trials_of_text(stem: str, text: str, config: Config, known: Known) -> tuple[Trial, ...]:
    """Return the rules of what a file might hold, each to be tried instead of a configured one with its id.

    Args:
        stem: what the file would be called, without `.toml`.

    Raises:
        ConfigError: with every problem that `check` would have with such a file; variables are none of its.
    """
    return _trials(read_rule_text(stem, text, _names(config)), config, known)


def trial_of_edit(rule: str, query: str, config: Config, known: Known) -> Trial:
    """Return a configured rule that asks by another query, to be tried; without its examples.

    Raises:
        ConfigError: it is no query, or leads back to the rule. The file of its problems is `query`.
    """
    text = next(text for text in config.rules if text.id == rule)
    places = tuple((line + 1, 0) for line in range(query.count("\n") + 1))
    edited = replace(
        text,
        file="query",
        line=1,
        query=Written(text=query, places=places),
        keywords=(),
        keyword_lines=(),
        score=None,
        match=(),
        no_match=(),
    )
    (trial,) = _trials(((edited,), []), config, known)
    return trial


def _names(config: Config) -> Names:
    return Names(
        tags_by_source={source.id: source.tags for source in config.sources},
        endpoints=tuple(endpoint.id for endpoint in config.endpoints),
    )


def _trials(
    read: tuple[tuple[RuleText, ...], list[Problem]], config: Config, known: Known
) -> tuple[Trial, ...]:
    texts, problems = read
    if problems:
        raise ConfigError(sorted(problems))
    replaced = {text.id for text in texts}
    others = [text for text in config.rules if text.id not in replaced]
    rules, wrong = compile_rules([*others, *texts], config.sources)
    if wrong:
        raise ConfigError(sorted(wrong))
    known = replace(known, rules={rule.id: rule for rule in rules})
    return tuple(_trial(text, known) for text in texts)


def _trial(text: RuleText, known: Known) -> Trial:
    return Trial(rule=known.rules[text.id], known=known, query=text.query.text if text.query else None)


def _with(rules: Mapping[str, Rule], known: Known) -> Known:
    return replace(known, rules={**known.rules, **rules})


# --------------------------------------------------------------------------- what it finds


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A hit, and what stands there."""

    hit: Hit
    text: str | None  # None when the item has moved on from the revision that it was found in


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An item that a rule holds for, and why. Without the item's texts, as there may be many."""

    id: int
    source: str
    title: str
    link: str | None
    published: datetime | None
    order: datetime  # as Item.order
    quotes: tuple[Quote, ...]
    snippet: Snippet
    score: Score | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a rule holds for; the counts are of all, the items at most as many as were asked for."""

    total: int
    items: tuple[Finding, ...]  # newest first
    per_source: Mapping[str, int]  # most first
    per_day: Mapping[date, int]  # in UTC, newest first
    reached: datetime | None = None  # the Item.order down to which was looked; None: at all


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


IsOver = Callable[[], bool]


def _never() -> bool:
    return False


def findings(
    store: Store, trial: Trial, which: ItemFilter, limit: int | None, is_over: IsOver = _never
) -> Findings:
    """Return what a rule holds for among stored items.

    Args:
        limit: how many items are told of; None for all.
        is_over: says when to look no further.
    """
    tally, asked = _Tally(trial.known, limit), OneRule(trial.rule, trial.known)
    for found in candidates(store, trial.rule, which, trial.known):
        match = asked.match(found.item)
        if match:
            tally.add(found.item, match)
        if is_over():
            return tally.findings(found.item.order)
    return tally.findings()


def difference(
    store: Store, trial: Trial, since: datetime, limit: int | None, is_over: IsOver = _never
) -> Difference:
    """Return what changes among the items since then if a rule takes the place of the one that is live.

    Args:
        limit: how many items are told of, of those added and of those removed; None for all.
        is_over: says when to look no further.
    """
    rule = trial.rule.id
    which = ItemFilter(since=since, or_rule=rule)
    asked = OneRule(trial.rule, trial.known)
    added, removed, removed_total, kept = _Tally(trial.known, limit), list[Removal](), 0, 0
    reached: datetime | None = None
    for found in candidates(store, trial.rule, which, trial.known):
        match, is_live = asked.match(found.item), rule in found.rules
        if match and is_live:
            kept += 1
        elif match:
            added.add(found.item, match)
        elif is_live:
            removed_total += 1
            if limit is None or len(removed) < limit:
                removed.append(_removal(store, found.item, trial))
        if is_over():
            reached = found.item.order
            break
    return Difference(
        kept=kept,
        added=added.findings(reached),
        removed_total=removed_total,
        removed=tuple(removed),
        alerts=_missing_alerts(store, trial.rule, added.stories),
    )


class _Tally:
    """Findings as they are counted."""

    def __init__(self, known: Known, limit: int | None) -> None:
        self.stories: set[int] = set()
        self._known, self._limit = known, limit
        self._items: list[Finding] = []
        self._per_source: Counter[str] = Counter()
        self._per_day: Counter[date] = Counter()

    def add(self, item: Item, match: Match) -> None:
        self.stories.add(item.story)
        self._per_source[item.source] += 1
        self._per_day[item.order.astimezone(UTC).date()] += 1
        if self._limit is None or len(self._items) < self._limit:
            self._items.append(_finding(item, match, ItemText(subject_of(item, self._known))))

    def findings(self, reached: datetime | None = None) -> Findings:
        return Findings(
            reached=reached,
            total=self._per_source.total(),
            items=tuple(self._items),
            per_source=dict(self._per_source.most_common()),
            per_day=dict(sorted(self._per_day.items(), reverse=True)),
        )


def _finding(item: Item, match: Match, text: ItemText | None) -> Finding:
    """Return a finding; without a text, one whose hits are of another revision."""
    return Finding(
        id=item.id,
        source=item.source,
        title=item.title or item.summary[:80],
        link=item.link,
        published=item.published,
        order=item.order,
        quotes=tuple(
            Quote(hit=hit, text=text.texts[hit.field][hit.start : hit.end] if text else None)
            for hit in match.hits
        ),
        snippet=match.snippet,
        score=match.score,
    )


def _removal(store: Store, item: Item, trial: Trial) -> Removal:
    stored = store.stored_match(trial.rule.id, item.id)
    text, asked = _asked(item, trial)
    why = why_not_about(trial.rule, text, asked_at(item), asked) or ""
    if stored is None:  # the match and all that was kept of it are gone meanwhile
        nothing = Match(rule=trial.rule.id, rule_version="", hits=(), snippet=snippet(text.texts, ()))
        return Removal(finding=_finding(item, nothing, None), why_not=why)
    known_text = text if stored.revision == item.revision else None
    return Removal(finding=_finding(item, stored.match, known_text), why_not=why)


def _missing_alerts(store: Store, rule: Rule, stories: set[int]) -> Mapping[str, int]:
    told = Counter(alert.endpoint for alert in store.alerts_about(rule.id, stories) if alert.kind == "match")
    return {endpoint: len(stories) - told[endpoint] for endpoint in rule.notify}


# --------------------------------------------------------------------------- why


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """Why a clause does not hold for an item, and what came nearest."""

    sentence: str
    reason: str  # a Reason, or OUT_OF_SCOPE
    clause: str = ""
    place: Place | None = None  # of the clause in the rule's query; None where it is not of that
    nearest: tuple[Quote, ...] = ()
    passage: Snippet | None = None  # around the nearest; None where nothing was near
    distance: int | None = None  # as Failure.distance
    score: Score | None = None  # what the terms add up to that hold, of a weighted rule
    parts: tuple["WhyNot", ...] = ()  # the clauses below


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Whether a rule holds for an item, why, and what came of that."""

    item: Item
    trial: Trial
    finding: Finding | None  # None when it does not hold
    why_not: WhyNot | None  # None when it holds
    stored: StoredMatch | None  # None when it never held, or nobody has asked yet
    alerts: tuple[AlertStatus, ...]  # about the rule and the item's story
    story: StoryStatus | None  # None when the item is gone meanwhile


def explanation(store: Store, item: Item, trial: Trial) -> Explanation:
    """Return whether a rule holds for a stored item, and all there is to know about that."""
    text, asked = _asked(item, trial)
    match = asked.match(trial.rule.id)
    return Explanation(
        item=item,
        trial=trial,
        finding=_finding(item, match, text) if match else None,
        why_not=None if match else _Why(item, trial, text, asked).of_rule(trial.rule),
        stored=store.stored_match(trial.rule.id, item.id),
        alerts=tuple(store.alerts_about(trial.rule.id, [item.story])),
        story=store.story_of(item.id),
    )


def _asked(item: Item, trial: Trial) -> tuple[ItemText, Asked]:
    text = ItemText(subject_of(item, trial.known))
    return text, Asked(trial.known.rules, text, asked_at(item))


_MOST_TOLD = 30  # rules that others refer to, which one explanation goes into


class _Why:
    """Why rules do not hold for one item."""

    def __init__(self, item: Item, trial: Trial, text: ItemText, asked: Asked) -> None:
        self._item, self._trial, self._text, self._asked = item, trial, text, asked
        self._told: set[str] = set()  # rules, each of which is explained where it first comes up

    def of_rule(self, rule: Rule) -> WhyNot | None:
        """Return why a rule does not hold, None if it does."""
        failure = why_not(rule.query, self._text, self._asked)
        parts = (self._of_failure(failure, rule),) if failure else ()
        if is_about(rule.scope, self._text.subject, asked_at(self._item)):
            return parts[0] if parts else None
        sentence = why_not_about(rule, self._text, asked_at(self._item), self._asked) or ""
        return WhyNot(sentence=sentence, reason=OUT_OF_SCOPE, parts=parts)

    def _of_failure(self, failure: Failure, rule: Rule) -> WhyNot:
        is_of_query = rule is self._trial.rule and self._trial.query and failure.place != NOWHERE
        return WhyNot(
            sentence=failure.sentence,
            reason=failure.reason.value,
            clause=failure.clause,
            place=failure.place if is_of_query else None,
            nearest=tuple(
                Quote(hit=hit, text=self._text.texts[hit.field][hit.start : hit.end])
                for hit in failure.nearest
            ),
            passage=snippet(self._text.texts, failure.nearest) if failure.nearest else None,
            distance=failure.distance,
            score=failure.score,
            parts=tuple(self._parts(failure, rule)),
        )

    def _parts(self, failure: Failure, rule: Rule) -> Iterator[WhyNot]:
        if failure.reason is Reason.RULE:  # then its clause is rule:id
            other = self._trial.known.rules.get(failure.clause.removeprefix("rule:"))
            if other and other.id not in self._told and len(self._told) < _MOST_TOLD:
                self._told.add(other.id)
                why = self.of_rule(other)
                if why:
                    yield why
        for part in failure.parts:
            yield self._of_failure(part, rule)
