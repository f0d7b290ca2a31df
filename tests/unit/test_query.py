"""What a rule asks, as a tree."""

import pytest

from syndicate.model import Hit
from syndicate.rules.language import TokenText
from syndicate.rules.query import AllOf, AnyOf, Phrase, anchors, find, keywords, phrase, search_terms

EU, ASIA = Phrase("EU", ("eu",)), Phrase("Central Asia", ("central", "asia"))


def text(body, title=""):
    return TokenText({"title": title, "body": body})


def found(node, *texts):
    hits = find(node, text(*texts))
    return None if hits is None else [(hit.term, hit.field, hit.start, hit.end) for hit in hits]


@pytest.mark.parametrize(
    ("keyword", "body", "hits"),
    [
        ("EU", "the eu, the EU's and Eu-wide", [(4, 6), (12, 16), (21, 23)]),
        ("EU", "Europe and museums", []),
        ("Central Asia", "CENTRAL   ASIA, central\nasia; Asia Central", [(0, 14), (16, 28)]),
        ("Central Asia", "Central Asian", []),
        ("Қазақстан", "ҚАЗАҚСТАН мен Қазақстанның", [(0, 9)]),
        ("ёлка", "Елка и ёлка", [(0, 4), (7, 11)]),
        ("中亚", "在中亚的中亚", [(1, 3), (4, 6)]),
        ("O'zbekiston", "O‘zbekiston", [(0, 11)]),
        ("a a", "a a a", [(0, 3), (2, 5)]),
        ("C++", "vitamin C", [(8, 9)]),
    ],
)
def test_a_keyword_is_whole_words_in_any_case(keyword, body, hits):
    expected = [(keyword, "body", start, end) for start, end in hits]
    assert (found(keywords([keyword]), body) or []) == expected


def test_every_field_is_looked_at():
    assert find(EU, text("the EU", "EU")) == [
        Hit(term="EU", field="title", start=0, end=2),
        Hit(term="EU", field="body", start=4, end=6),
    ]


def test_a_phrase_does_not_span_fields():
    assert found(ASIA, "Asia", "Central") is None


def test_any_of_holds_with_one_and_tells_all():
    assert found(AnyOf((EU, ASIA)), "Central Asia") == [("Central Asia", "body", 0, 12)]
    assert len(found(AnyOf((EU, ASIA)), "EU in Central Asia")) == 2
    assert found(AnyOf((EU, ASIA)), "neither") is None
    assert found(AnyOf(()), "anything") is None


def test_all_of_holds_with_all():
    assert found(AllOf((EU, ASIA)), "Central Asia") is None
    assert len(found(AllOf((EU, ASIA)), "EU in Central Asia")) == 2


@pytest.mark.parametrize("term", ["", "  ", "!?", "—", "😀"])
def test_a_term_without_a_word_is_no_phrase(term):
    assert phrase(term) is None
    assert keywords([term, "EU"]) == AnyOf((EU,))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("EU", AllOf((EU,))),
        ('EU "Central Asia"', AllOf((EU, ASIA))),
        ('EU"Central Asia"', AllOf((EU, ASIA))),
        ('EU "Central Asia', AllOf((EU, ASIA))),
        ('EU "" - "', AllOf((EU,))),
        ("  ", AllOf(())),
    ],
)
def test_a_search_is_every_word_and_quoted_phrase(query, expected):
    assert search_terms(query) == expected


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (ASIA, {("central", "asia")}),
        (AnyOf((EU, ASIA)), {("eu",), ("central", "asia")}),
        (AnyOf((EU, EU)), {("eu",)}),
        (AllOf((EU, ASIA)), {("central", "asia")}),
        (AllOf((AnyOf((EU, ASIA)), EU)), {("eu",)}),
        (AllOf((EU, AnyOf(()))), set()),
    ],
)
def test_anchors_are_runs_of_which_any_match_has_one(node, expected):
    assert set(anchors(node)) == expected
