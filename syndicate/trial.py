"""Rules that are tried, and why one holds for a stored item or not.

Nothing is written here; `backfill` applies rules.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from syndicate.backfill import Known, asked_at, subject_of
from syndicate.config import Names, read_rules, suggestion
from syndicate.config.toml_file import shown
from syndicate.errors import ConfigError
from syndicate.model import (
    AlertStatus,
    Config,
    Hit,
    Item,
    Match,
    RuleText,
    Score,
    SearchedItem,
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
from syndicate.store.protocol import Store

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
    return trials_of_draft(path, None, config, known, environ)


def trials_of_draft(
    path: Path, draft: str | None, config: Config, known: Known, environ: Mapping[str, str]
) -> tuple[Trial, ...]:
    """Return the rules that a file would have, each to be tried instead of a configured one with its id.

    Args:
        draft: what the file is to hold; None: what it holds.

    Raises:
        ConfigError: with every problem that is in the file.
    """
    names = Names(
        tags_by_source={source.id: source.tags for source in config.sources},
        endpoints=tuple(endpoint.id for endpoint in config.endpoints),
    )
    texts, problems = read_rules([path], environ, names, {} if draft is None else {path: draft})
    if problems:
        raise ConfigError(sorted(problems))
    replaced = {text.id for text in texts}
    others = [text for text in config.rules if text.id not in replaced and text.file != shown(path)]
    return _compiled(others, texts, config, known)


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
    others = [text for text in config.rules if text.id != rule]
    (trial,) = _compiled(others, [edited], config, known)
    return trial


def _compiled(
    others: Sequence[RuleText], texts: Sequence[RuleText], config: Config, known: Known
) -> tuple[Trial, ...]:
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
    language: str | None
    published: datetime | None
    order: datetime  # as Item.order
    quotes: tuple[Quote, ...]
    snippet: Snippet
    score: Score | None


def finding(item: Item | SearchedItem, match: Match, texts: Mapping[str, str] | None) -> Finding:
    """Return what a rule found in an item.

    Args:
        texts: of the item, by field; None: the hits are of another revision.
    """
    return Finding(
        id=item.id,
        source=item.source,
        title=item.title or item.summary[:80],
        link=item.link,
        language=item.language,
        published=item.published,
        order=item.order,
        quotes=tuple(
            Quote(hit=hit, text=texts[hit.field][hit.start : hit.end] if texts else None)
            for hit in match.hits
        ),
        snippet=match.snippet,
        score=match.score,
    )


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
    text, asked = asked_about(item, trial)
    match = asked.match(trial.rule.id)
    return Explanation(
        item=item,
        trial=trial,
        finding=finding(item, match, text.texts) if match else None,
        why_not=None if match else _Why(item, trial, text, asked).of_rule(trial.rule),
        stored=store.stored_match(trial.rule.id, item.id),
        alerts=tuple(store.alerts_about(trial.rule.id, [item.story])),
        story=store.story_of(item.id),
    )


def asked_about(item: Item | SearchedItem, trial: Trial) -> tuple[ItemText, Asked]:
    """Return an item as rules see it, and the rules of a trial, ready to be asked about it."""
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
