"""Many rules over one item at once: the cost follows its words and matches, not the number of rules.

Each rule registers words of which an item must have at least one for it to hold; an item's words find the
candidates, and only these are verified. Regular expressions find theirs through one RE2 set. What has no
such words is looked at for every item, and is counted in `unanchored`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from syndicate.model import Match
from syndicate.rules import collecting, compiled
from syndicate.rules.anchors import Anchors, Commonness, anchors, by_length, rarest
from syndicate.rules.archive import kept_words
from syndicate.rules.evaluate import Evidence
from syndicate.rules.lexicon import Atoms, Lexicon
from syndicate.rules.patterns import PatternSet
from syndicate.rules.rule import Rule, evidence_of, match_of
from syndicate.rules.stems import canonical_language
from syndicate.rules.text import ItemText, Subject
from syndicate.rules.tree import (
    INDEXED_FIELDS,
    Exact,
    Node,
    Phrase,
    Prefix,
    Word,
    references,
    referred_first,
    walk,
)
from syndicate.rules.words import Form, Piece, stretches

WORDS_REMEMBERED = 1 << 17  # of each language
LANGUAGES_REMEMBERED = 96  # more than there are ways to stem
_DEEPEST = 20  # rules that refer to one another in a row before they are asked from the other end
_LONGEST_REMEMBERED = 64  # letters
_OF_PARTS = 20  # how much more common beginnings are than words

Found = tuple[list[Match], Iterable[str]]  # matches, and other rules that might hold


class Engine(Protocol):
    """Finds the rules whose words an item has, and verifies as many of them as it can."""

    def look(self, subject: Subject, text: Callable[[], ItemText], now: datetime) -> Found:
        """Return the matches of an item in order of their rules' ids, and other rules that might hold."""

    def look_and_keep(
        self, subject: Subject, text: Callable[[], ItemText], now: datetime
    ) -> tuple[list[Match], Iterable[str], Mapping[str, str]]:
        """Return the same, and the words by which the item is kept, as `kept_words` does."""


class RuleIndex:
    """All rules, ready to match.

    Args:
        rules: in any order.
        native: whether to use the compiled core; None: if there is one.
    """

    def __init__(self, rules: Sequence[Rule], *, native: bool | None = None) -> None:
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)}
        self.is_native = compiled.is_there() if native is None else native
        with collecting.paused():
            commonness = _commonness(rules)
            registered = anchors_by_rule(self.rules, commonness)
            self.unanchored = tuple(rule for rule, found in registered.items() if found is None)
            make = compiled.CompiledEngine if self.is_native else PlainEngine
            self._engine: Engine = make(self.rules, registered, commonness)
            self._by_regex = _RulesByRegex(registered)

    def match(self, subject: Subject, now: datetime) -> tuple[Match, ...]:
        """Return the rules that hold for an item, in order of their ids."""
        text = _Text(subject)
        return self._matches(subject, text, now, self._engine.look(subject, text, now))

    def match_and_keep(self, subject: Subject, now: datetime) -> tuple[tuple[Match, ...], Mapping[str, str]]:
        """Return the rules that hold for an item, and the words by which it is kept (see `archive`)."""
        text = _Text(subject)
        matches, others, kept = self._engine.look_and_keep(subject, text, now)
        return self._matches(subject, text, now, (matches, others)), kept

    def _matches(
        self, subject: Subject, text: Callable[[], ItemText], now: datetime, found: Found
    ) -> tuple[Match, ...]:
        """Return the matches that were found, and those of the other rules that hold."""
        matches, others = found
        if candidates := {*others, *self.unanchored, *self._by_regex.of(subject)}:
            asked = Asked(self.rules, text(), now)
            matches += (match for rule in candidates if (match := asked.match(rule)))
            matches.sort(key=lambda match: match.rule)
        return tuple(matches)


class _Text:
    """An item's words, found when first asked for, which the compiled core seldom does."""

    __slots__ = ("_found", "_subject")

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._found: ItemText | None = None

    def __call__(self) -> ItemText:
        if self._found is None:
            self._found = ItemText(self._subject)
        return self._found


class Asked:
    """The rules about one item, each asked once, however many refer to it."""

    def __init__(self, rules: Mapping[str, Rule], text: ItemText, now: datetime) -> None:
        self._rules, self._text, self._now = rules, text, now
        self._evidence: dict[str, Evidence | None] = {}
        self._depth = 0  # of rules that wait for the answer of another

    def match(self, rule: str) -> Match | None:
        """Return why a rule holds, as it is kept; None if it does not."""
        evidence = self(rule)
        return None if evidence is None else match_of(self._rules[rule], self._text, evidence)

    def __call__(self, rule: str) -> Evidence | None:
        """Return why a rule holds, None if it does not or is not there."""
        if rule not in self._rules:
            return None
        if rule not in self._evidence:
            first = self._unasked(rule) if self._depth == _DEEPEST else ()
            for each in (*first, rule):
                self._ask(each)
        return self._evidence[rule]

    def _ask(self, rule: str) -> None:
        self._depth += 1
        self._evidence[rule] = evidence_of(self._rules[rule], self._text, self._now, self)
        self._depth -= 1

    def _unasked(self, rule: str) -> list[str]:
        """Return what has to be asked before a rule, in order."""
        trees: dict[str, Node] = {}
        waiting = [rule]
        while waiting:
            name = waiting.pop()
            if name in self._rules and name not in self._evidence and name not in trees:
                trees[name] = self._rules[name].query
                waiting += references(trees[name])
        return [name for name in referred_first(trees) if name != rule]


class PlainEngine:
    """Finds rules by the words that they have registered, and verifies none: all in Python."""

    def __init__(
        self, _rules: Mapping[str, Rule], registered: Mapping[str, Anchors], commonness: Commonness
    ) -> None:
        self._atoms = Atoms()
        self._rules_by_atom: defaultdict[int, list[str]] = defaultdict(list)
        for rule, runs in registered.items():
            for run in runs or ():
                if run[0].form is not Form.PATTERN:
                    atom = self._atoms.number(run[rarest(run, commonness)])
                    self._rules_by_atom[atom].append(rule)
        self._tongue = lru_cache(maxsize=LANGUAGES_REMEMBERED)(self._made_tongue)

    def look(self, subject: Subject, text: Callable[[], ItemText], _now: datetime) -> Found:
        """Return no matches yet, but every rule that might hold because of its words."""
        tongue = self._tongue(canonical_language(subject.language))
        fields = [text().fields[field] for field in INDEXED_FIELDS]
        surfaces = {field.text[word.start : word.end] for field in fields for word in field.words}
        atoms = {atom for surface in surfaces for atom in tongue.atoms(surface)}
        return [], (rule for atom in atoms for rule in self._rules_by_atom[atom])

    def look_and_keep(
        self, subject: Subject, text: Callable[[], ItemText], now: datetime
    ) -> tuple[list[Match], Iterable[str], Mapping[str, str]]:
        """Return the same, and the item's words."""
        return *self.look(subject, text, now), kept_words(text())

    def _made_tongue(self, language: str | None) -> "_Tongue":
        return _Tongue(Lexicon(self._atoms, language))


class _Tongue:
    """The registered words that a word of a text stands for in one language, remembered."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._atoms_by_key: defaultdict[int, list[int]] = defaultdict(list)
        for atom, key in enumerate(lexicon.key_by_atom):
            self._atoms_by_key[key].append(atom)
        self._remembered: dict[str, tuple[int, ...]] = {}

    def atoms(self, surface: str) -> tuple[int, ...]:
        found = self._remembered.get(surface)
        if found is None:
            _, *keys = self._lexicon.resolve(surface)
            found = tuple(atom for key in keys for atom in self._atoms_by_key.get(key, ()))
            if len(self._remembered) >= WORDS_REMEMBERED:
                self._remembered.clear()
            if len(surface) <= _LONGEST_REMEMBERED:
                self._remembered[surface] = found
        return found


class _RulesByRegex:
    """The rules that can only hold where some regular expression matches."""

    def __init__(self, registered: Mapping[str, Anchors]) -> None:
        self._rules: defaultdict[str, list[str]] = defaultdict(list)
        for rule, runs in registered.items():
            for run in runs or ():
                if run[0].form is Form.PATTERN:
                    self._rules[run[0].text].append(rule)
        self._patterns = PatternSet(tuple(self._rules))

    def of(self, subject: Subject) -> Iterable[str]:
        if not self._patterns:
            return ()
        texts = (subject.title, subject.body, subject.author, "\n".join(subject.categories), subject.link)
        return (rule for regex in self._patterns.found_in(texts) for rule in self._rules[regex])


def _commonness(rules: Sequence[Rule]) -> Commonness:
    """Return how common words are likely to be: what many rules ask for is, and short words are rather."""
    uses = Counter(
        piece
        for rule in rules
        for node in walk(rule.query)
        if isinstance(node, Word | Prefix | Exact | Phrase)
        for stretch in stretches(node)
        for piece in stretch
    )

    @lru_cache(maxsize=1 << 18)
    def commonness(piece: Piece) -> float:
        is_whole = piece.form in (Form.STEM, Form.EXACT)
        return max(uses[piece], 1) * 0.9 ** len(piece.text) * (1 if is_whole else _OF_PARTS)

    return commonness


def anchors_by_rule(rules: Mapping[str, Rule], commonness: Commonness = by_length) -> dict[str, Anchors]:
    """Return the anchors of each rule; those that a rule refers to come before it."""
    known: dict[str, Anchors] = {}
    for rule in referred_first({rule.id: rule.query for rule in rules.values()}):
        known[rule] = anchors(rules[rule].query, known, commonness=commonness)
    return known
