"""Many rules at once find what each finds alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.model import Match
from syndicate.rules.index import HITS_KEPT, Rule, RuleIndex, match_rule
from syndicate.rules.language import TokenText
from syndicate.rules.query import AllOf, AnyOf, Node, Phrase, keywords, phrase


def term(words: str) -> Phrase:
    found = phrase(words)
    assert found
    return found


WORDS = (
    "EU",
    "ЕС",
    "strategy",
    "Central",
    "Asia",
    "стратегия",
    "Ёлка",
    "Қазақстан",
    "ҮКІМЕТ",
    "中亚",
    "欧",
    "o‘z",
    "a",
)
GLUE = st.sampled_from((" ", ", ", "-", "", "\n", "'s "))
TERMS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
NODES = st.recursive(
    TERMS.map(term),
    lambda children: (
        st.lists(children, min_size=1, max_size=3).map(lambda nodes: AnyOf(tuple(nodes)))
        | st.lists(children, min_size=1, max_size=3).map(lambda nodes: AllOf(tuple(nodes)))
    ),
    max_leaves=5,
)
TEXTS = st.lists(st.tuples(st.sampled_from((*WORDS, "eu", "other", "ЁЛКИ")), GLUE), max_size=12).map(
    lambda pairs: "".join(word + glue for word, glue in pairs)
)
SOURCES = st.sampled_from((None, frozenset({"wire"}), frozenset({"post"}), frozenset()))


def matched(query: Node, item: TokenText) -> Match:
    match = match_rule(rule(query=query), "wire", item)
    assert match
    return match


def rule(name="eu", query=None, sources=None):
    return Rule(
        id=name,
        title=name,
        version="1",
        query=query or keywords(["EU"]),
        sources=sources,
        notify=(),
        feed=True,
        terms=(),
    )


def text(body, title=""):
    return TokenText({"title": title, "body": body})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NODES, SOURCES), max_size=6), TEXTS, TEXTS)
def test_the_index_matches_as_each_rule_alone(queries, title, body):
    rules = [rule(f"r{number}", query, sources) for number, (query, sources) in enumerate(queries)]
    item = text(body, title)
    alone = tuple(match for one in rules if (match := match_rule(one, "wire", item)))
    assert RuleIndex(rules).match("wire", item) == alone


@settings(max_examples=40, deadline=None)
@given(NODES, TEXTS, TEXTS)
def test_hits_and_marks_point_at_the_words_of_their_term(query, title, body):
    item = text(body, title)
    match = match_rule(rule(query=query), "wire", item)
    if match:
        for hit in match.hits:
            whole = item.texts[hit.field]
            assert [t.text for t in text(whole[hit.start : hit.end]).fields["body"]] == list(
                term(hit.term).tokens
            )
        assert match.snippet.marks


@pytest.mark.parametrize(
    ("sources", "source", "holds"),
    [
        (None, "wire", True),
        (frozenset({"wire"}), "wire", True),
        (frozenset({"post"}), "wire", False),
        (frozenset(), "wire", False),
    ],
)
def test_a_rule_holds_for_its_sources_only(sources, source, holds):
    assert bool(match_rule(rule(sources=sources), source, text("EU"))) is holds


def test_matches_come_in_the_order_of_rule_ids():
    index = RuleIndex([rule("b"), rule("a"), rule("c", keywords(["nothing"]))])
    assert [match.rule for match in index.match("wire", text("EU"))] == ["a", "b"]


def test_hits_are_told_once_those_of_the_title_first():
    match = matched(AnyOf((term("EU"), term("EU"))), text("b EU", "EU"))
    assert [(hit.field, hit.start) for hit in match.hits] == [("title", 0), ("body", 2)]


def test_evidence_is_bounded_and_shows_every_term():
    match = matched(AnyOf((term("EU"), term("rare"))), text("EU " * 5_000 + "rare"))
    assert len(match.hits) == HITS_KEPT
    assert {hit.term for hit in match.hits} == {"EU", "rare"}
    assert len(match.snippet.text) <= 240


class Unasked(frozenset[str]):
    """The sources of a rule that must not be looked at."""

    def __contains__(self, source: object) -> bool:
        raise AssertionError("a rule was looked at whose words are not there")


def test_a_rule_whose_words_are_not_there_is_not_looked_at():
    absent = [rule(f"r{number}", keywords([f"word{number} EU"]), Unasked()) for number in range(1000)]
    assert [match.rule for match in RuleIndex([*absent, rule()]).match("wire", text("the EU"))] == ["eu"]
