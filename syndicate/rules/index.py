"""Many rules over one item at once: the cost follows its words and matches, not the number of rules.

Each rule registers words of which an item must have at least one for it to hold; an item's words find the
candidates, and only these are verified. Regular expressions find theirs through one RE2 set. What has no
such words is looked at for every item, and is counted in `unanchored`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from syndicate.model import Match
from syndicate.rules.anchors import Anchors, anchors
from syndicate.rules.evaluate import Evidence
from syndicate.rules.lexicon import Atoms, Lexicon
from syndicate.rules.patterns import PatternSet
from syndicate.rules.rule import Rule, evidence_of, match_of
from syndicate.rules.stems import canonical_language
from syndicate.rules.text import ItemText, Subject
from syndicate.rules.tree import INDEXED_FIELDS, references
from syndicate.rules.words import Form

WORDS_REMEMBERED = 1 << 17  # of each language
LANGUAGES_REMEMBERED = 32


class RuleIndex:
    """All rules, ready to match."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)}
        registered = anchors_by_rule(self.rules)
        self.unanchored = tuple(rule for rule, found in registered.items() if found is None)
        self._candidates = Candidates(registered)

    def match(self, subject: Subject, now: datetime) -> tuple[Match, ...]:
        """Return the rules that hold for an item, in order of their ids."""
        text = ItemText(subject)
        asked = Asked(self.rules, text, now)
        candidates = sorted({*self._candidates.of(text), *self.unanchored})
        return tuple(match for rule in candidates if (match := asked.match(rule)))


class Asked:
    """The rules about one item, each asked once, however many refer to it."""

    def __init__(self, rules: Mapping[str, Rule], text: ItemText, now: datetime) -> None:
        self._rules, self._text, self._now = rules, text, now
        self._evidence: dict[str, Evidence | None] = {}

    def match(self, rule: str) -> Match | None:
        """Return why a rule holds, as it is kept; None if it does not."""
        evidence = self(rule)
        return None if evidence is None else match_of(self._rules[rule], self._text, evidence)

    def __call__(self, rule: str) -> Evidence | None:
        """Return why a rule holds, None if it does not or is not there."""
        if rule not in self._rules:
            return None
        if rule not in self._evidence:
            self._evidence[rule] = evidence_of(self._rules[rule], self._text, self._now, self)
        return self._evidence[rule]


class Candidates:
    """Which rules might hold for an item, by the words that they have registered."""

    def __init__(self, registered: Mapping[str, Anchors]) -> None:
        self._atoms = Atoms()
        self._rules_by_atom: defaultdict[int, list[str]] = defaultdict(list)
        self._rules_by_regex: defaultdict[str, list[str]] = defaultdict(list)
        for rule, runs in registered.items():
            for run in runs or ():
                if run[0].form is Form.PATTERN:
                    self._rules_by_regex[run[0].text].append(rule)
                else:
                    # The longest word stands in for the rarest.
                    rarest = max(run, key=lambda piece: (piece.form is not Form.PREFIX, len(piece.text)))
                    self._rules_by_atom[self._atoms.number(rarest)].append(rule)
        self._patterns = PatternSet(tuple(self._rules_by_regex))
        self._tongues: dict[str | None, _Tongue] = {}

    def of(self, text: ItemText) -> Iterable[str]:
        """Return every rule that holds because of words or regular expressions, and others besides."""
        tongue = self._tongue(text.subject.language)
        fields = [text.fields[field] for field in INDEXED_FIELDS]
        surfaces = {field.text[word.start : word.end] for field in fields for word in field.words}
        atoms = {atom for surface in surfaces for atom in tongue.atoms(surface)}
        regexes = self._patterns.found_in(field.text for field in text.fields.values())
        by_word = (rule for atom in atoms for rule in self._rules_by_atom[atom])
        return {*by_word, *(rule for regex in regexes for rule in self._rules_by_regex[regex])}

    def _tongue(self, language: str | None) -> "_Tongue":
        name = canonical_language(language)
        tongue = self._tongues.pop(name, None) or _Tongue(self._atoms, name)
        self._tongues[name] = tongue  # the one used last stands last
        if len(self._tongues) > LANGUAGES_REMEMBERED:
            del self._tongues[next(iter(self._tongues))]
        return tongue


class _Tongue:
    """The registered words that a word of a text stands for in one language, remembered."""

    def __init__(self, atoms: Atoms, language: str | None) -> None:
        self._lexicon = Lexicon(atoms, language)
        self._atoms_by_key: defaultdict[int, list[int]] = defaultdict(list)
        for atom, key in enumerate(self._lexicon.key_by_atom):
            self._atoms_by_key[key].append(atom)
        self._remembered: dict[str, tuple[int, ...]] = {}

    def atoms(self, surface: str) -> tuple[int, ...]:
        found = self._remembered.get(surface)
        if found is None:
            _, *keys = self._lexicon.resolve(surface)
            found = tuple(atom for key in keys for atom in self._atoms_by_key.get(key, ()))
            if len(self._remembered) >= WORDS_REMEMBERED:
                self._remembered.clear()
            self._remembered[surface] = found
        return found


def anchors_by_rule(rules: Mapping[str, Rule]) -> dict[str, Anchors]:
    """Return the anchors of each rule; those that a rule refers to come before it."""
    known: dict[str, Anchors] = {}

    def visit(rule: str) -> None:
        if rule in rules and rule not in known:
            known[rule] = None  # circles are refused when rules are compiled; here they end
            for other in references(rules[rule].query):
                visit(other)
            known[rule] = anchors(rules[rule].query, known)

    for rule in rules:
        visit(rule)
    return known
