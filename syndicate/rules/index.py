"""Many rules over one item at once: the cost follows its words and matches, not the number of rules."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from syndicate.model import Hit, Match
from syndicate.rules.explain import snippet
from syndicate.rules.language import TokenText
from syndicate.rules.query import Node, anchors, find

HITS_KEPT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A compiled rule."""

    id: str
    title: str
    version: str  # hash of what decides about a match, so not of its title or of where matches go
    query: Node
    sources: frozenset[str] | None  # ids of the sources it is about; None: all
    notify: tuple[str, ...]
    feed: bool
    terms: tuple[str, ...]  # as its author wrote them


class RuleIndex:
    """All rules, ready to match."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in rules}
        by_token: defaultdict[str, dict[str, Rule]] = defaultdict(dict)
        for rule in rules:
            for run in anchors(rule.query):
                # The longest word stands in for the rarest.
                by_token[max(run, key=len)][rule.id] = rule
        self._by_token = dict(by_token)

    def match(self, source: str, text: TokenText) -> tuple[Match, ...]:
        """Return the rules that hold for an item of this source, in order of their ids."""
        candidates: dict[str, Rule] = {}
        for token in self._by_token.keys() & text.vocabulary():
            candidates |= self._by_token[token]
        found = (match_rule(candidates[rule], source, text) for rule in sorted(candidates))
        return tuple(match for match in found if match)


def match_rule(rule: Rule, source: str, text: TokenText) -> Match | None:
    """Return why a rule holds for an item of this source, None if it does not."""
    if rule.sources is not None and source not in rule.sources:
        return None
    hits = find(rule.query, text)
    if hits is None:
        return None
    kept = _kept(dict.fromkeys(sorted(hits, key=_place)))
    return Match(rule=rule.id, rule_version=rule.version, hits=kept, snippet=snippet(text.texts, kept))


def _place(hit: Hit) -> tuple[bool, int, int]:
    return hit.field != "title", hit.start, hit.end


def _kept(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """Return as many hits as anybody wants to see, the first of each term before the second of any."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, Hit]] = []
    for hit in hits:
        seen[hit.term] += 1
        ranked.append((seen[hit.term], hit))
    ranked.sort(key=lambda pair: pair[0])
    return tuple(sorted((hit for _, hit in ranked[:HITS_KEPT]), key=_place))
