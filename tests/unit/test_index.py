"""Many rules at once find what each finds alone, and the property that says so has teeth."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import NamedTuple, Protocol

import pytest
from hypothesis import given, settings

from syndicate.model import Match
from syndicate.rules import compiled
from syndicate.rules.anchors import Anchors
from syndicate.rules.evaluate import Evidence
from syndicate.rules.grammar import parse
from syndicate.rules.index import LANGUAGES_REMEMBERED, Asked, RuleIndex, anchors_by_rule
from syndicate.rules.patterns import regex_spans
from syndicate.rules.rule import Rule, Scope, evidence_of, match_rule
from syndicate.rules.stems import canonical_language, stem
from syndicate.rules.text import ItemText, Subject
from syndicate.rules.tree import (
    FIELDS,
    INDEXED_FIELDS,
    All,
    Any,
    AtLeast,
    Folded,
    InField,
    Node,
    Not,
    RuleRef,
    Weighted,
    walk,
)
from syndicate.rules.words import Form, Run
from tests.rule_strategies import CASES, NOW, cases
from tests.support import unavailable

ENGINES = [pytest.param(False, id="plain"), pytest.param(True, id="native")]


@pytest.fixture(autouse=True)
def _core(request: pytest.FixtureRequest) -> None:
    """Say so loudly where the native engine cannot be tested; in CI it has to be."""
    callspec = getattr(request.node, "callspec", None)
    if callspec and "native" in callspec.id and not compiled.is_there():
        unavailable("the compiled core", "install a C compiler and Python's headers, then remove .venv")


class Index(Protocol):
    """What is tested: the real ones, and those below that are made wrongly."""

    def match(self, subject: Subject, now: datetime) -> tuple[Match, ...]: ...


def alone(rules: Sequence[Rule], subject: Subject, now: datetime) -> tuple[Match, ...]:
    """Return what each rule gives by itself, as plainly as can be."""
    by_id = {rule.id: rule for rule in rules}
    text = ItemText(subject)

    def refer(rule: str) -> Evidence | None:
        return evidence_of(by_id[rule], text, now, refer) if rule in by_id else None

    found = (match_rule(by_id[rule], text, now, refer) for rule in sorted(by_id))
    return tuple(match for match in found if match)


class Told(NamedTuple):
    """A case, and what its rules give alone for each of its items."""

    rules: Sequence[Rule]
    subjects: Sequence[Subject]
    matches: Sequence[tuple[Match, ...]]


@pytest.fixture(scope="module")
def told(slow):
    return [
        Told(rules, subjects, [alone(rules, subject, NOW) for subject in subjects])
        for rules, subjects in cases(20_000 if slow else 600)
    ]


def is_right(index: Index, case: Told) -> bool:
    """Say whether an index gives for each item, one after another, what the rules give alone."""
    return [index.match(subject, NOW) for subject in case.subjects] == case.matches


@pytest.mark.parametrize("native", ENGINES)
def test_the_index_matches_as_each_rule_alone(native, told):
    assert [case for case in told if not is_right(RuleIndex(case.rules, native=native), case)] == []


@pytest.mark.parametrize("native", ENGINES)
@settings(max_examples=40, deadline=None)
@given(case=CASES)
def test_so_it_does_with_what_nobody_has_tried(native, case):
    rules, subjects = case
    index = RuleIndex(rules, native=native)
    for subject in subjects:
        assert index.match(subject, NOW) == alone(rules, subject, NOW)


# --------------------------------------------------------------------------- is enough tried, would it tell

KINDS = {
    "Word", "Prefix", "Exact", "Phrase", "Near", "All", "Any", "Not", "AtLeast", "InField", "Pattern",
    "RuleRef", "Weighted", "Folded",
}  # fmt: skip
FIELDS_HIT = {f"in {field}" for field in FIELDS}
SPOKEN = {f"speaks {name}" for name in ("en", "ru", "kk", "uz", "fr", "tr", "de", "zh", "ja", "th", "None")}
SCOPED = set(Scope._fields)


def test_a_good_share_of_what_is_tried_matches_whatever_is_asked_and_of_whom(told):
    asked, held = Counter[str](), Counter[str]()
    for rules, subjects, matches in told:
        for subject, found in zip(subjects, matches, strict=True):
            ids = {match.rule for match in found}
            held.update(f"in {field}" for match in found for field in {hit.field for hit in match.hits})
            for rule in rules:
                facts = {"any", *facts_of(rule, subject)}
                asked.update(facts)
                held.update(facts if rule.id in ids else ())
    assert held["any"] >= asked["any"] / 5
    assert {kind: count for kind in KINDS if (count := held[kind]) < max(40, asked[kind] / 7)} == {}
    assert {fact: count for fact in FIELDS_HIT | SPOKEN if (count := held[fact]) < 10} == {}
    assert {name: count for name in SCOPED if not 10 <= (count := held[name]) <= asked[name] / 2} == {}


def facts_of(rule: Rule, subject: Subject) -> Iterator[str]:
    yield f"speaks {str(subject.language).partition('-')[0]}"
    yield from (type(node).__name__ for node in walk(rule.query))
    yield from (name for name in Scope._fields if getattr(rule.scope, name) not in (None, ()))


class Sound:
    """An index in a few lines: it asks the rules of which some anchor stands in the text."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = {rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)}
        self.registered = self.anchors(self.rules)

    def match(self, subject: Subject, now: datetime) -> tuple[Match, ...]:
        text = self.verified(subject)
        asked = Asked(self.rules, text, now)
        seen = self.seen(subject)
        found = [asked.match(rule) for rule in self.rules if self.is_candidate(self.registered[rule], seen)]
        return tuple(match for match in found if match)

    def anchors(self, rules: Mapping[str, Rule]) -> Mapping[str, Anchors]:
        return anchors_by_rule(rules)

    def verified(self, subject: Subject) -> ItemText:
        return ItemText(subject)

    def seen(self, subject: Subject) -> ItemText:
        return ItemText(subject)

    def is_candidate(self, registered: Anchors, text: ItemText) -> bool:
        return registered is None or any(self.has(run, text) for run in registered)

    def has(self, run: Run, text: ItemText) -> bool:
        return text.has(run)


class ForgetsBeginnings(Sound):
    def has(self, run: Run, text: ItemText) -> bool:
        return text.has(run) and all(piece.form is not Form.PREFIX for piece in run)


class ForgetsLetterCase(Sound):
    """Looks for exact words by their stems as if they were others, so not for those in capitals alone."""

    def has(self, run: Run, text: ItemText) -> bool:
        return text.has(tuple(piece._replace(cased=piece.cased.lower()) for piece in run))


class IgnoresFolding(Sound):
    def has(self, run: Run, text: ItemText) -> bool:
        return text.has(tuple(piece._replace(is_folded=False) for piece in run))


class ForgetsRegexes(Sound):
    def has(self, run: Run, text: ItemText) -> bool:
        return run[0].form is not Form.PATTERN and text.has(run)


class LooksForRegexesInWordsOnly(Sound):
    """Forgets the link, in which there are no words to look for but in which regular expressions match."""

    def has(self, run: Run, text: ItemText) -> bool:
        if run[0].form is not Form.PATTERN:
            return text.has(run)
        return any(any(regex_spans(run[0].text, text.fields[field].text)) for field in INDEXED_FIELDS)


class ForgetsCategories(Sound):
    def seen(self, subject: Subject) -> ItemText:
        return ItemText(replace(subject, categories=()))


class ForgetsUnanchored(Sound):
    def is_candidate(self, registered: Anchors, text: ItemText) -> bool:
        return registered is not None and super().is_candidate(registered, text)


class StemsWithoutLanguage(Sound):
    def seen(self, subject: Subject) -> ItemText:
        return ItemText(replace(subject, language=None))


class RemembersWordsOfAnotherLanguage(Sound):
    """Stems the words of every item in the language of the first."""

    first: Subject | None = None

    def seen(self, subject: Subject) -> ItemText:
        self.first = self.first or subject
        return ItemText(replace(subject, language=self.first.language))


class KeepsEndings(Sound):
    """Stems in the item's language, but takes the endings behind hyphens for words."""

    def seen(self, subject: Subject) -> ItemText:
        return ItemText(replace(subject, language=None), lambda word, _: stem(word, subject.language))


class JoinsValues(Sound):
    """Leaves no gap in the positions between two categories."""

    def verified(self, subject: Subject) -> ItemText:
        text = ItemText(subject)
        positions = text.fields["category"].positions
        positions[:] = range(len(positions))
        return text


class Rewriting(Sound):
    """Registers the words of other queries than are asked."""

    def anchors(self, rules: Mapping[str, Rule]) -> Mapping[str, Anchors]:
        others = {rule.id: replace(rule, query=self.rewritten(rule.query)) for rule in rules.values()}
        return anchors_by_rule(others)

    def rewritten(self, node: Node) -> Node:
        match node:
            case All() | Any() | AtLeast():
                return replace(node, children=tuple(map(self.rewritten, node.children)))
            case Not() | InField() | Folded():
                return replace(node, child=self.rewritten(node.child))
            case Weighted():
                return replace(
                    node, terms=tuple((self.rewritten(term), weight) for term, weight in node.terms)
                )
            case _:
                return node


class ForgetsTheSecondAlternative(Rewriting):
    def rewritten(self, node: Node) -> Node:
        rewritten = super().rewritten(node)
        return rewritten.children[0] if isinstance(rewritten, Any) else rewritten


class TakesOneOfSeveralForAll(Rewriting):
    """Registers the rarest of `n OF` and of scores alone, as if all were needed."""

    def rewritten(self, node: Node) -> Node:
        match super().rewritten(node):
            case AtLeast() as several:
                return All(several.children)
            case Weighted() as several:
                return All(tuple(term for term, weight in several.terms if weight > 0))
            case other:
                return other


class TakesOtherRulesForNever(Rewriting):
    def rewritten(self, node: Node) -> Node:
        return Any(()) if isinstance(node, RuleRef) else super().rewritten(node)


class IgnoresScopes(Sound):
    def __init__(self, rules: Sequence[Rule]) -> None:
        super().__init__([replace(rule, scope=Scope()) for rule in rules])


class AsksReferredOnlyIfTheyHoldBefore(Sound):
    """Takes what a rule refers to from the matches so far, so from rules before it in order."""

    def match(self, subject: Subject, now: datetime) -> tuple[Match, ...]:
        text = ItemText(subject)
        found: dict[str, Evidence] = {}
        matches = []
        for rule in self.rules.values():
            evidence = evidence_of(rule, text, now, found.get)
            if evidence and (match := match_rule(rule, text, now, found.get)):
                found[rule.id] = evidence
                matches.append(match)
        return tuple(matches)


class Telling(Sound):
    """Finds the right rules and tells something wrong of them."""

    def match(self, subject: Subject, now: datetime) -> tuple[Match, ...]:
        return tuple(map(self.told, super().match(subject, now)))

    def told(self, match: Match) -> Match:
        raise NotImplementedError


class TellsTheFirstHitOnly(Telling):
    def told(self, match: Match) -> Match:
        return replace(match, hits=match.hits[:1])


class TellsNoScore(Telling):
    def told(self, match: Match) -> Match:
        return replace(match, score=None)


class TellsTermsInLowerCase(Telling):
    def told(self, match: Match) -> Match:
        return replace(match, hits=tuple(replace(hit, term=hit.term.casefold()) for hit in match.hits))


class GivesThemAsTheyCome(Sound):
    def match(self, subject: Subject, now: datetime) -> tuple[Match, ...]:
        return super().match(subject, now)[::-1]


def broken(kind: type[Sound] = Sound) -> Iterator[type[Sound]]:
    """Yield every index that is made wrongly: the classes below that have none below them."""
    for below in kind.__subclasses__():
        yield from broken(below)
        if not below.__subclasses__():
            yield below


@pytest.mark.parametrize("index", list(broken()), ids=lambda index: index.__name__)
def test_an_index_that_is_made_wrongly_is_caught(index, told):
    assert not all(is_right(index(case.rules), case) for case in told)


def test_an_index_that_is_made_soundly_is_not(told):
    assert [case for case in told if not is_right(Sound(case.rules), case)] == []


# --------------------------------------------------------------------------- one by one


def rule(name: str = "eu", query: str = "EU", scope: Scope = Scope()) -> Rule:  # noqa: B008
    return Rule(id=name, title=name, version="1", query=parse(query), scope=scope)


def held(index: RuleIndex, **fields: object) -> list[str]:
    subject = Subject(**{"language": "en", "source": "wire", **fields})  # type: ignore[arg-type]
    return [match.rule for match in index.match(subject, NOW)]


@pytest.fixture(params=ENGINES)
def indexed(request):
    return lambda *rules: RuleIndex(rules, native=request.param)


def test_matches_come_in_the_order_of_rule_ids(indexed):
    index = indexed(rule("b", "EU OR rule:a"), rule("a"), rule("c", "nothing"), rule("A", "/EU/"))
    assert held(index, body="EU") == ["A", "a", "b"]


def test_without_rules_nothing_matches(indexed):
    assert held(indexed(), body="EU") == []


def test_an_index_serves_one_item_after_another_whatever_their_languages(indexed):
    index = indexed(rule("azia", '"Центральная Азия"'), rule("sanctions", "sanction"), rule("eo", '"ЕО x"'))
    for _ in range(2):
        assert held(index, body="в Центральной Азии", language="ru") == ["azia"]
        assert held(index, body="в Центральной Азии", language="tlh") == []
        assert held(index, body="sanctions", language="en") == ["sanctions"]
        assert held(index, body="sanctions", language="cs") == []
        assert held(index, body="ЕО-ның x", language="kk") == ["eo"]
        assert held(index, body="ЕО-ның x", language="ru") == []


def test_as_many_languages_are_remembered_as_there_are_ways_to_stem(indexed):
    names = {canonical_language(f"{one}{two}{tail}") for one, two, tail in product(LETTERS, LETTERS, TAILS)}
    assert 40 < len(names) <= LANGUAGES_REMEMBERED
    index = indexed(rule("sanctions", "sanction"))
    for language in sorted(map(str, names)) * 2:
        assert held(index, body="sanction", language=language) == ["sanctions"]
    assert held(index, body="sanctions", language="en") == ["sanctions"]


LETTERS = "abcdefghijklmnopqrstuvwxyz"
TAILS = ("", "-Latn", "-Cyrl", "-Arab", "-Latn-Cyrl", "-Latn-Arab", "-Cyrl-Arab", "-Latn-Cyrl-Arab")


def test_a_rule_is_found_by_what_another_one_asks(indexed):
    index = indexed(rule("a", "rule:b x"), rule("b", "rule:c OR rule:d"), rule("c"), rule("d", "link:un.org"))
    assert held(index, title="EU", body="x") == ["a", "b", "c"]
    assert held(index, body="x", link="https://un.org/") == ["a", "b", "d"]
    assert held(index, title="EU") == ["b", "c"]
    assert held(index, body="x") == []


def test_a_rule_that_refers_to_nobody_waits(indexed):
    index = indexed(rule("a", "rule:nobody"), rule("b", "EU NOT rule:nobody"))
    assert held(index, body="EU") == ["b"]


def test_a_rule_holds_for_its_scope_alone_and_so_for_those_that_refer_to_it(indexed):
    scope = Scope(sources=frozenset({"wire"}), languages=("en",))
    index = indexed(rule("a", "EU", scope), rule("b", "rule:a"), rule("c", "EU NOT rule:a"))
    assert held(index, body="EU") == ["a", "b"]
    assert held(index, body="EU", source="post") == ["c"]
    assert held(index, body="EU", language="fr") == ["c"]


def test_what_has_no_words_to_be_found_by_is_counted():
    rules = [
        rule("words", "EU"),
        rule("regex", "/EU/"),
        rule("link", "link:EU"),
        rule("lang", "lang:en"),
        rule("refers", "rule:lang"),
        rule("both", "EU rule:lang"),
    ]
    assert set(RuleIndex(rules, native=False).unanchored) == {"link", "lang", "refers"}


class Unasked(frozenset[str]):
    """The sources of a rule that must not be looked at."""

    def __contains__(self, source: object) -> bool:
        raise AssertionError("a rule was looked at whose words are not there")


def test_a_rule_whose_words_are_not_there_is_not_looked_at():
    absent = [rule(f"r{number}", f'"word{number} EU"', Scope(sources=Unasked())) for number in range(1000)]
    assert held(RuleIndex([*absent, rule()], native=False), body="the EU") == ["eu"]


def test_any_number_of_rules_may_refer_to_one_another_in_a_row(indexed):
    row = [rule("r0"), *(rule(f"r{n}", f"rule:r{n - 1} OR x") for n in range(1, 1_500))]
    assert len(held(indexed(*row), body="EU")) == 1_500


def test_a_rule_is_asked_once_however_many_refer_to_it():
    count = 25  # asked each time anew, the last would take 2 ** 25 steps
    rules = [rule("r0")] + [rule(f"r{n}", f"rule:r{n - 1} AND (x OR rule:r{n - 1})") for n in range(1, count)]
    assert len(held(RuleIndex(rules, native=False), body="EU")) == count
