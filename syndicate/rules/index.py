"""Many rules over one item at once: the cost follows its words and matches, not the number of rules."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syndicate.model import Match
from syndicate.rules.explain import snippet
from syndicate.rules.language import TokenText
from syndicate.rules.query import Node, anchors, find


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
    unique = tuple(dict.fromkeys(sorted(hits, key=lambda hit: (hit.field != "title", hit.start, hit.end))))
    return Match(rule=rule.id, rule_version=rule.version, hits=unique, snippet=snippet(text.texts, unique))
