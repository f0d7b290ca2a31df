"""What a tree holds for, with evidence."""

import re
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from syndicate.errors import QueryError
from syndicate.model import Hit, Score
from syndicate.rules.evaluate import Evidence, evaluate
from syndicate.rules.grammar import keyword, parse
from syndicate.rules.refusal import refusal
from syndicate.rules.text import ItemText, Subject
from syndicate.rules.tree import (
    FIELDS,
    All,
    Any,
    AtLeast,
    Exact,
    Folded,
    InField,
    Near,
    Not,
    Phrase,
    Prefix,
    RuleRef,
    Weighted,
    Word,
    unparse,
)
from syndicate.rules.words import fold, words

A, B, C = Word("a"), Word("b"), Word("c")


def stem(word, language):
    """Return a word without the endings that these tests use."""
    endings = {"ru": "(ая|ой|ия|ии)$", "kk": "(дағы|ның)$"}.get(language or "", "(s|es)$")
    return re.sub(endings, "", word)


def item(body="", title="", language="en", source="uza", **fields):
    return ItemText(Subject(title=title, body=body, language=language, source=source, **fields), stem)


def found(query, *texts, **fields):
    """Return what is found of a query, as the texts themselves; None if it does not hold."""
    text = item(*texts, **fields)
    evidence = evaluate(parse(query) if isinstance(query, str) else query, text)
    if evidence is None:
        return None
    return [(hit.term, text.texts[hit.field][hit.start : hit.end]) for hit in evidence.hits]


def holds(query, *texts, **fields):
    return found(query, *texts, **fields) is not None


# --------------------------------------------------------------------------- terms


@pytest.mark.parametrize(
    ("query", "body", "hits"),
    [
        (
            "sanction",
            "new sanctions, SANCTION's end",
            [("sanction", "sanctions"), ("sanction", "SANCTION's")],
        ),
        ("sanctions", "a sanction", [("sanctions", "sanction")]),
        ("strateg*", "Strategy and strategic", [("strateg*", "Strategy"), ("strateg*", "strategic")]),
        ("=EU", "the eu, EU and EU's, Eu", [("=EU", "EU"), ("=EU", "EU's")]),
        ("=strategy", "strategies", None),
        ('="EU Strategy"', "EU strategy, EU   Strategy", [("=EU Strategy", "EU   Strategy")]),
        ('"central asia"', "Central Asia's", [("central asia", "Central Asia's")]),
        ('"a sanction"', "a sanctions a x sanction", [("a sanction", "a sanctions")]),
        ('"eu strat*"', "EU strategies; EU strike", [("eu strat*", "EU strategies")]),
        ("EU-CA", "EU-CA, EU CA, EU and CA", [("EU-CA", "EU-CA"), ("EU-CA", "EU CA")]),
        ("EU-C*", "EU-CA", [("EU-C*", "EU-CA")]),
        ("AT&T", "at&t", [("AT&T", "at&t")]),
        ("中亚", "在中亚的", [("中亚", "中亚")]),
        ('"中亚 战略"', "中亚战略", [("中亚 战略", "中亚战略")]),
        ("O'zbekiston", "O‘zbekiston", [("O'zbekiston", "O‘zbekiston")]),
        ("ёлка", "Елка", [("ёлка", "Елка")]),
        ("=ё", "е Ё", [("=ё", "е")]),
        ("a b", "b a", [("b", "b"), ("a", "a")]),
        ("a b", "a", None),
        ("a OR b", "b", [("b", "b")]),
        ("a OR b c", "a b", [("a", "a")]),
        ("a NOT b", "a", [("a", "a")]),
        ("a NOT b", "a b", None),
        ("a NOT (b c)", "a b", [("a", "a")]),
        ("2 OF (a, b, c)", "c a", [("c", "c"), ("a", "a")]),
        ("2 OF (a, b, c)", "c c", None),
        ("2 OF (a, b, NOT c)", "a", [("a", "a")]),
        ("a NOT (NOT b NOT c)", "a", None),
        ("a NOT (NOT b NOT c)", "a c", [("a", "a")]),
        ("a NEAR/1 b", "a b", [("a", "a"), ("b", "b")]),
        ("a NEAR/1 b", "b a", [("b", "b"), ("a", "a")]),
        ("a NEAR/2 b", "a x b x x b", [("a", "a"), ("b", "b")]),
        ("a NEAR/2 b", "a x x b", None),
        ("a BEFORE/2 b", "b a", None),
        ("a BEFORE/2 b", "a x b", [("a", "a"), ("b", "b")]),
        ("a NEAR/5 a", "a", None),
        ("a NEAR/5 a", "a a", [("a", "a"), ("a", "a")]),
        ('"a b" NEAR/1 "b c"', "a b c", None),
        ('"a b" NEAR/2 (c OR x*)', "c, a b x xx xy", [("c", "c"), ("a b", "a b"), ("x*", "x"), ("x*", "xx")]),
    ],
)
def test_a_query_finds_these_places(query, body, hits):
    assert found(query, body) == hits


@pytest.mark.parametrize(
    ("query", "body", "language", "text"),
    [
        ('"Центральная Азия"', "в Центральной Азии", "ru", "Центральной Азии"),
        ('"Орталық Азия"', "Орталық Азиядағы", "kk", "Орталық Азиядағы"),
        ('"ЕО стратегиясы"', "ЕО-ның стратегиясы", "kk", "ЕО-ның стратегиясы"),
        ('"ЕО-ның стратегиясы"', "ЕО стратегиясы", "kk", "ЕО стратегиясы"),
        ("ЕО", "ЕО‑ның", "kk-Cyrl", "ЕО"),
        ('"YeI strategiyasi"', "YeI-ning strategiyasi", "uz", "YeI-ning strategiyasi"),
        ('"ЕИ стратегияси"', "ЕИ-нинг стратегияси", "uz", "ЕИ-нинг стратегияси"),
        ('"ЕО стратегиясы"', "ЕО-ларының стратегиясы", "kk", "ЕО-ларының стратегиясы"),
        ('"TMD Markaziy"', "TMD-larining Markaziy", "uz", "TMD-larining Markaziy"),
        ('"ЕО стратегиясы"', "ЕО-ның стратегиясы", "ru", None),
        ('"EU da x"', "EU-da x", "en", "EU-da x"),
        ('"EU x"', "EU-da x", "en", None),
        ("EU NEAR/1 x", "EU-da x", "uz", "EU"),
        ("-ЕО Азия", "ЕО-ның Азия", "kk", None),
    ],
)
def test_words_are_found_as_their_language_writes_them(query, body, language, text):
    result = found(query, body, language=language)
    assert (result and result[0][1]) == text


@pytest.mark.parametrize(
    ("text", "body", "hits"),
    [
        ("EU", "the eu, the EU's and Eu-wide", ["eu", "EU's", "Eu"]),
        ("EU", "Europe and museums", None),
        ("Central Asia", "CENTRAL   ASIA, central\nasia; Asia Central", ["CENTRAL   ASIA", "central\nasia"]),
        ("Central Asia", "Central Asian", None),
        ("C++", "vitamin C", ["C"]),
        ("strateg*", "a strategic partner", ["strategic"]),
        ("Central Asia*", "Central Asians", ["Central Asians"]),
        ("AND OR (NOT)", "and/or not", ["and/or not"]),
        ("a a", "a a a", ["a a", "a a"]),
    ],
)
def test_a_keyword_is_whole_words_in_any_case(text, body, hits):
    result = found(keyword(text), body)
    assert (result and [shown for _, shown in result]) == hits


def test_words_are_looked_for_in_title_and_body_and_phrases_within_one():
    assert found("a b", "b", "a") == [("a", "a"), ("b", "b")]
    assert not holds('"a b"', "b", "a")
    assert not holds("a NEAR/9 b", "b", "a")
    assert not holds("a", "", author="a")


@pytest.mark.parametrize(
    ("query", "is_held"),
    [
        ("title:sanction", True),
        ("body:sanction", False),
        ("body:x -title:x", True),
        ("title:(sanctions NOT x)", True),
        ("author:Smith", True),
        ('category:"foreign policy"', True),
        ('category:"policy news"', False),
        ("category:(policy NEAR/1000 news)", False),
        ("category:(policy news)", True),
        ("link:kun.uz", True),
        ("link:kun", True),
        ("link:ku*", True),
        ('link:"https://kun.uz/new/"', False),
        ("link:news", True),
        ("link:new", False),
        ("source:kun-uz", True),
        ("source:kun-*", True),
        ("source:(uza OR kun-uz)", True),
        ("source:tag:official", True),
        ("source:tag:media", False),
        ("source:kun", False),
        ("lang:en", True),
        ("lang:EN-gb", True),
        ("lang:en-US", False),
        ("lang:ru", False),
        ("lang:en-g", False),
        ("x NOT lang:ru", True),
        ("lang:(ru OR en)", True),
    ],
)
def test_a_field_is_looked_at_alone(query, is_held):
    fields = {
        "title": "Sanctions",
        "author": "J. Smith",
        "categories": ("Foreign Policy", "News"),
        "link": "https://kun.uz/news/1",
        "language": "en-GB",
        "source": "kun-uz",
        "tags": ("official",),
    }
    assert holds(query, "x", **fields) is is_held


def test_evidence_names_fields_and_offsets():
    text = item("in the EU", "EU", categories=("a", "EU"), language="en", source="uza")
    evidence = evaluate(parse("category:EU EU lang:en source:u*"), text)
    assert evidence == Evidence(
        hits=(
            Hit(term="EU", field="title", start=0, end=2),
            Hit(term="EU", field="body", start=7, end=9),
            Hit(term="EU", field="category", start=2, end=4),
            Hit(term="u*", field="source", start=0, end=3),
            Hit(term="en", field="lang", start=0, end=2),
        )
    )
    assert text.texts["category"] == "a\nEU"


def test_an_unknown_language_is_none_that_is_asked_for():
    assert not holds("lang:en", "x", language=None)
    assert holds("x NOT lang:en", "x", language=None)


@pytest.mark.parametrize(
    ("query", "body", "hits"),
    [
        (r"/E[UO]\b/", "EU, EO, EUR", ["EU", "EO"]),
        (r"/(?i)каз(ах)?стан\p{L}*/", "в Казахстане", ["Казахстане"]),
        (r"/\d+ km\/h/", "ünï 50 km/h", ["50 km/h"]),
        (r"/\x{1f600}/", "中 \ud800 😀", ["😀"]),
        (r"/x/", "", None),
        (r"a NOT /b/", "a b", None),
        (r"/^a/ ", "b\na", None),
    ],
)
def test_a_regular_expression_sees_the_text_as_it_is(query, body, hits):
    result = found(query, body)
    assert (result and [text for _, text in result]) == hits


def test_a_regular_expression_takes_no_longer_than_the_text():
    assert not holds("/(a+)+$/", "a" * 60_000 + "b")


@pytest.mark.parametrize(
    ("query", "body", "plain", "folded"),
    [
        ("Munchen", "in München", False, True),
        ("München", "in Munchen", False, True),
        ("Mün*", "Munich", False, True),
        ("=Łódź", "Lodz", False, True),
        ("=Łódź", "lodz", False, False),
        ("мой", "мои", False, False),
        ("Áine NOT cafe", "aine café", False, False),
    ],
)
def test_diacritics_may_make_no_difference(query, body, plain, folded):
    assert holds(query, body, language="de") is plain
    assert holds(Folded(parse(query)), body, language="de") is folded


def test_folding_leaves_other_letters_alone():
    assert list(map(fold, ["élan", "ńǵ", "ø", "й", "ї", "қ", "が", "각", "ά"])) == [
        "elan", "ng", "o", "й", "ї", "қ", "が", "각", "α",
    ]  # fmt: skip


# --------------------------------------------------------------------------- other rules, weights

SCORED = Weighted(5, ((parse('"Central Asia"'), 3), (Word("EU"), 2), (Word("football"), -4), (A, 0.5)))


@pytest.mark.parametrize(
    ("body", "score"),
    [
        ("EU in Central Asia", 5),
        ("EU in Central Asia: a summit", 5.5),
        ("EU football in Central Asia", None),
        ("Central Asia, Central Asia", None),
    ],
)
def test_weights_of_what_holds_add_up(body, score):
    evidence = evaluate(SCORED, item(body))
    assert (evidence and evidence.score and evidence.score.total) == score


def test_the_arithmetic_is_kept_and_what_counts_against_is_no_evidence():
    evidence = evaluate(Weighted(1, ((A, 3), (B, -1), (C, 2))), item("a b"))
    assert evidence is not None
    assert evidence.score == Score(threshold=1, total=2, parts=(("a", 3), ("b", -1)))
    assert [hit.term for hit in evidence.hits] == ["a"]


def test_the_arithmetic_of_folded_terms_is_theirs():
    evidence = evaluate(
        Folded(Weighted(3, ((Word("cafe"), 2), (Word("Ängste"), 1), (B, 1)))), item("café angste")
    )
    assert evidence is not None
    assert evidence.score == Score(threshold=3, total=3, parts=(("cafe", 2), ("Ängste", 1)))
    assert [hit.term for hit in evidence.hits] == ["cafe", "Ängste"]


def test_decimals_add_up_as_a_person_adds_them():
    tree = Weighted(1, ((A, 0.7), (B, 0.2), (C, 0.1)))
    assert evaluate(tree, item("a b c")) is not None


def test_another_rule_brings_its_evidence():
    text = item("a b")
    known = {"one": evaluate(A, text), "two": evaluate(C, text)}
    assert evaluate(parse("b rule:one"), text, known.get) == evaluate(parse("b a"), text)
    assert evaluate(parse("b rule:two"), text, known.get) is None
    assert evaluate(parse("b NOT rule:two"), text, known.get) == evaluate(B, text)


# --------------------------------------------------------------------------- properties

# Few words, so that they meet; in Latin, Cyrillic and Han, some with endings, hyphens and letter case.
WORDS = [
    "a",
    "as",
    "B",
    "EU",
    "eu",
    "EU-da",
    "ЕО-ның",
    "ЕО",
    "азия",
    "Азиядағы",
    "中亚",
    "中",
    "é",
    "E",
    "É's",
    "a-b",
]
LANGUAGES = ["en", "kk", "uz", None]
word_texts = st.sampled_from(WORDS)
texts = st.lists(word_texts, max_size=12).map(" ".join)
items = st.builds(
    item,
    texts,
    texts,
    language=st.sampled_from(LANGUAGES),
    author=st.sampled_from(["", "a", "EU"]),
    categories=st.lists(word_texts, max_size=3).map(tuple),
)
prefixes = st.sampled_from(["a", "E", "ЕО", "аз", "中", "a-b"]).map(Prefix)
phrases = st.lists(word_texts.map(Word) | prefixes, min_size=1, max_size=3).map(
    lambda parts: Phrase(tuple(parts))
)
terms = word_texts.map(Word) | prefixes | word_texts.map(Exact) | phrases
operands = terms | st.lists(terms, min_size=2, max_size=3).map(lambda parts: Any(tuple(parts)))
nears = st.builds(Near, operands, operands, st.integers(1, 3), st.booleans())
labels = st.builds(InField, st.just("lang"), st.sampled_from(["en", "kk"]).map(Word))
fields = st.builds(InField, st.sampled_from(["title", "body", "author", "category"]), terms)


def several(children):
    return st.lists(children, min_size=2, max_size=4).map(tuple)


def negated(node):
    return node.child if isinstance(node, Not) else Not(node)


def branches(below):
    members = st.one_of(below, below, below, below.map(negated))
    counts = several(members).flatmap(
        lambda parts: st.builds(AtLeast, st.integers(1, len(parts)), st.just(parts))
    )
    return several(members).map(All) | several(below).map(Any) | counts


leaves = terms | nears | labels | fields
trees = leaves | st.recursive(leaves, branches, max_leaves=6)
weighted = st.builds(
    Weighted,
    st.integers(1, 5),
    st.lists(st.tuples(trees, st.integers(-3, 4)), min_size=1, max_size=4).map(tuple),
)
rules = trees | weighted | trees.map(Folded)


@given(rules, items)
def test_whatever_is_not_refused_needs_a_word_and_shows_it(tree, text):
    if refusal(tree) is None:
        evidence = evaluate(tree, text)
        assert evidence is None or evidence.hits
        assert evaluate(tree, item(language=None)) is None


joined = terms | fields | labels | nears | several(terms | fields).map(All) | several(terms | fields).map(Any)


@given(st.lists(joined | joined.map(Not), min_size=2, max_size=4).map(tuple).map(All), items)
def test_whatever_contradicts_itself_never_holds(tree, text):
    refused = refusal(tree)
    if refused and "nothing could match" in refused.reason:
        assert evaluate(tree, text) is None


@given(rules, items)
def test_hits_are_places_of_the_text_in_order_and_once(tree, text):
    evidence = evaluate(tree, text)
    if evidence:
        places = [(FIELDS.index(hit.field), hit.start, hit.end, hit.term) for hit in evidence.hits]
        assert places == sorted(set(places))
        assert all(0 <= start < end <= len(text.texts[FIELDS[field]]) for field, start, end, _ in places)


@given(weighted, st.booleans(), items)
def test_a_score_is_what_its_terms_give_alone(tree, is_folded, text):
    def alone(node):
        return evaluate(Folded(node) if is_folded else node, text)

    held = [(term, weight, found) for term, weight in tree.terms if (found := alone(term)) is not None]
    total = sum(weight for _, weight, _ in held)
    evidence = alone(tree)
    if total < tree.threshold:
        assert evidence is None
        return
    assert evidence is not None
    assert set(evidence.hits) == {hit for _, weight, found in held if weight > 0 for hit in found.hits}
    parts = tuple((unparse(term), weight) for term, weight, _ in held)
    assert evidence.score == Score(threshold=tree.threshold, total=total, parts=parts)


@given(trees)
def test_a_tree_unparses_to_a_query_of_the_same_tree(tree):
    try:
        again = parse(unparse(tree))
    except QueryError:
        assert refusal(tree)
    else:
        assert again == tree


@given(trees, trees, items)
def test_operators_are_those_of_logic(one, other, text):
    left, right = evaluate(one, text) is not None, evaluate(other, text) is not None
    assert (evaluate(All((one, other)), text) is not None) is (left and right)
    assert (evaluate(Any((one, other)), text) is not None) is (left or right)
    assert (evaluate(Not(one), text) is not None) is (not left)
    assert (evaluate(AtLeast(2, (one, other)), text) is not None) is (left and right)
    assert (evaluate(Weighted(2, ((one, 2), (other, 1))), text) is not None) is left


@given(st.lists(st.sampled_from("abx"), max_size=12), st.integers(1, 4), st.booleans())
def test_near_is_what_trying_every_pair_gives(letters, distance, is_ordered):
    text = item(" ".join(letters))
    pairs = [
        (one, other)
        for one, other in product(range(len(letters)), repeat=2)
        if letters[one] == "a" and letters[other] == "b"
        if 1 <= (other - one if is_ordered else abs(other - one)) <= distance
    ]
    evidence = evaluate(Near(A, B, distance, is_ordered), text)
    places = sorted({place for pair in pairs for place in pair})
    assert [hit.start // 2 for hit in evidence.hits] == places if evidence else not places


@given(texts, st.sampled_from(LANGUAGES), texts)
def test_a_text_holds_as_a_phrase_for_itself(text, language, before):
    phrase = keyword(text)
    assume(phrase)
    assert phrase is not None
    assert evaluate(phrase, item(f"{before} {text}", language=language)) is not None
    assert len(words(text, language)) <= len(words(text, None))


def test_the_deepest_tree_is_evaluated():
    deep = "z"
    for level in range(21):
        deep = f"x{level} OR y{level} NOT (w{level} v{level} NOT 1 OF (u{level}, {deep}))"
    tree, text = parse(deep), item("y20")
    assert evaluate(tree, text) is not None
    assert evaluate(tree, item("z")) is None


def test_a_reference_needs_somebody_to_ask():
    assert evaluate(RuleRef("x"), item("x")) is None
