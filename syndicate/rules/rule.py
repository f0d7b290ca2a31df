"""A compiled rule, and whether it holds for one item: the plain way, one rule at a time."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from syndicate.model import Hit, Match
from syndicate.rules.evaluate import Evidence, Refer, evaluate, no_rule, place
from syndicate.rules.language import is_language
from syndicate.rules.snippet import snippet
from syndicate.rules.text import ItemText, Subject
from syndicate.rules.tree import Node

HITS_KEPT = 100


class Scope(NamedTuple):
    """Which items a rule looks at."""

    sources: frozenset[str] | None = None  # ids; None: all
    languages: tuple[str, ...] = ()  # BCP 47; empty: all
    since: timedelta | None = None  # published within so long before they are matched; None: whenever


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A compiled rule."""

    id: str
    title: str
    version: str  # hash of what decides about a match, so not of its title or of where matches go
    query: Node
    scope: Scope = EVERYTHING
    notify: tuple[str, ...] = ()
    urgent: bool = False  # its alerts never wait
    escalate: int | None = None  # sources that must carry a story to alert again; None: never
    renamed_from: tuple[str, ...] = ()  # ids that it had before
    feed: bool = True
    terms: tuple[str, ...] = ()  # as its author wrote them, for people


def is_about(scope: Scope, subject: Subject, now: datetime) -> bool:
    """Say whether a rule of this scope looks at an item at all: at its source, its language, its age."""
    if scope.sources is not None and subject.source not in scope.sources:
        return False
    if scope.languages and not any(is_language(subject.language, wanted) for wanted in scope.languages):
        return False
    return scope.since is None or subject.published is None or subject.published >= now - scope.since


def evidence_of(rule: Rule, text: ItemText, now: datetime, refer: Refer = no_rule) -> Evidence | None:
    """Return why a rule holds for an item, None if it does not."""
    return evaluate(rule.query, text, refer) if is_about(rule.scope, text.subject, now) else None


def match_rule(rule: Rule, text: ItemText, now: datetime, refer: Refer = no_rule) -> Match | None:
    """Return a rule's match for an item, None if it does not hold."""
    evidence = evidence_of(rule, text, now, refer)
    return None if evidence is None else match_of(rule, text, evidence)


def match_of(rule: Rule, text: ItemText, evidence: Evidence) -> Match:
    """Return the match that evidence makes."""
    hits = kept(evidence.hits)
    return Match(
        rule=rule.id,
        rule_version=rule.version,
        hits=hits,
        snippet=snippet(text.texts, hits),
        score=evidence.score,
    )


def kept(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """Return as many hits as anybody wants to see, the first of each term before the second of any."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, Hit]] = []
    for hit in hits:
        seen[hit.term] += 1
        ranked.append((seen[hit.term], hit))
    ranked.sort(key=lambda pair: pair[0])
    return tuple(sorted((hit for _, hit in ranked[:HITS_KEPT]), key=place))
