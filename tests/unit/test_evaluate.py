"""What a tree holds for, with evidence, and why it does not."""

import importlib.util
import re
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from syndicate.errors import QueryError
from syndicate.model import Hit
from syndicate.rules.evaluate import Evidence, ItemText, Reason, Score, evaluate, why_not
from syndicate.rules.grammar import keyword, parse, refusal
from syndicate.rules.tree import (
    FIELDS,
    All,
    Any,
    AtLeast,
    Exact,
    Folded,
    Form,
    InField,
    Near,
    Not,
    Phrase,
    Prefix,
    RuleRef,
    Weighted,
    Word,
    anchors,
    fold,
    unparse,
    words,
)

needs_re2 = pytest.mark.skipif(
    importlib.util.find_spec("re2") is None, reason="regular expressions need google-re2"
)
A, B, C = Word("a"), Word("b"), Word("c")


def stem(word, language):
    """Return a word without the endings that these tests use."""
    endings = {"ru": "(ая|ой|ия|ии)$", "kk": "(дағы|ның)$"}.get(language or "", "(s|es)$")
    return re.sub(endings, "", word)


def item(body="", title="", language="en", source="uza", tags=(), **fields):
    return ItemText(
        {"title": title, "body": body, **fields}, stem, language=language, source=source, tags=tags
    )


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
        "category": ["Foreign Policy", "News"],
        "link": "https://kun.uz/news/1",
        "language": "en-GB",
        "source": "kun-uz",
        "tags": ["official"],
    }
    assert holds(query, "x", **fields) is is_held


def test_evidence_names_fields_and_offsets():
    text = item("in the EU", "EU", category=["a", "EU"], language="en", source="uza")
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


@needs_re2
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


@needs_re2
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


def test_decimals_add_up_as_a_person_adds_them():
    tree = Weighted(1, ((A, 0.7), (B, 0.2), (C, 0.1)))
    assert evaluate(tree, item("a b c")) is not None
    assert anchors(tree) is not None


def test_another_rule_brings_its_evidence():
    text = item("a b")
    known = {"one": evaluate(A, text), "two": evaluate(C, text)}
    assert evaluate(parse("b rule:one"), text, known.get) == evaluate(parse("b a"), text)
    assert evaluate(parse("b rule:two"), text, known.get) is None
    assert evaluate(parse("b NOT rule:two"), text, known.get) == evaluate(B, text)


# --------------------------------------------------------------------------- why not


@pytest.mark.parametrize(
    ("query", "body", "reason", "sentence"),
    [
        ("Kazinform", "x", Reason.ABSENT, "Kazinform does not occur in title or body"),
        (
            "Kazinform",
            "by Qazinform",
            Reason.ABSENT,
            'Kazinform does not occur in title or body; the closest word is "Qazinform"',
        ),
        ("title:EU", "an EU", Reason.ELSEWHERE, "EU is in the body, not in title"),
        ("=EU", "the eu", Reason.CASE, '=EU stands in title or body only as "eu"'),
        ('"Central Asia"', "Asia", Reason.ABSENT, '"Central Asia": central does not occur in title or body'),
        ('"a b c"', "c", Reason.ABSENT, '"a b c": a and b do not occur in title or body'),
        (
            '"Central Asia"',
            "Central and South Asia, central x x x Asia",
            Reason.APART,
            'the words of "Central Asia" are not next to each other: "Central and South Asia" in the body',
        ),
        (
            '"Central Asia"',
            "Asia Central",
            Reason.APART,
            'the words of "Central Asia" occur in title or body, but not together in this order',
        ),
        (
            "EU NEAR/5 strategy",
            "EU " + "x " * 8 + "strategy",
            Reason.TOO_FAR,
            "EU and strategy are 9 words apart at the nearest, in the body; at most 5 are asked for",
        ),
        (
            "EU BEFORE/5 strategy",
            "strategy EU",
            Reason.ORDER,
            "EU stands behind strategy in the body, not before it",
        ),
        ("EU NEAR/5 strategy", "EU", Reason.ABSENT, "strategy does not occur in title or body"),
        ("EU NEAR/5 EU", "EU", Reason.TOO_FAR, "no field has both EU and EU, apart from each other"),
        ("x NOT EU", "x EU", Reason.EXCLUDED, 'excluded by NOT EU: "EU" is in the body'),
        (
            "a AND (b OR title:c)",
            "a",
            Reason.TOO_FEW,
            "none of 2 alternatives holds: b does not occur in title or body; c does not occur in title",
        ),
        (
            "2 OF (a, title:b, title:c)",
            "a",
            Reason.TOO_FEW,
            "1 of the 2 that are needed: b does not occur in title; c does not occur in title",
        ),
        (
            "title:(a b c d e)",
            "",
            Reason.TOO_FEW,
            "; ".join([*(f"{word} does not occur in title" for word in "abc"), "and 2 more"]),
        ),
        ("lang:ru", "x", Reason.LABEL, "the language is en, not ru"),
        ("source:(a OR b)", "x", Reason.LABEL, "the source is uza, not a or b"),
        ("rule:other", "x", Reason.RULE, "the rule other does not hold"),
    ],
)
def test_a_failure_names_the_clause_and_what_was_nearest(query, body, reason, sentence):
    failure = why_not(parse(query), item(body))
    assert failure is not None
    assert (failure.reason, failure.sentence) == (reason, sentence)


def test_a_failure_is_data_too():
    query = 'x AND "EU sanction"'
    failure = why_not(parse(query), item("x EU's new sanctions"))
    assert failure is not None
    assert query[failure.place[0] : failure.place[1]] == failure.clause == '"EU sanction"'
    assert failure.distance == 2
    assert failure.nearest == (
        Hit(term="eu", field="body", start=2, end=6),
        Hit(term="sanction", field="body", start=11, end=20),
    )


def test_a_score_below_the_threshold_shows_its_sum():
    failure = why_not(SCORED, item("EU football"))
    assert failure is not None
    assert failure.sentence.startswith("the score is -2, below 5: EU +2, football -4; ")
    assert failure.score == Score(threshold=5, total=-2, parts=(("EU", 2), ("football", -4)))


@needs_re2
def test_a_regular_expression_that_matches_nothing_says_so():
    failure = why_not(parse("/x+/"), item("y"))
    assert failure is not None
    assert failure.sentence == "/x+/ matches nothing in title or body"


# --------------------------------------------------------------------------- anchors


def shown(tree, **known):
    runs = anchors(tree, known)
    return runs and {
        " ".join(piece.text + "*" * (piece.form is Form.PREFIX) for piece in run) for run in runs
    }


@pytest.mark.parametrize(
    ("query", "runs"),
    [
        ("EU", ["eu"]),
        ("strateg*", ["strateg*"]),
        ('"Central Asia"', ["central asia"]),
        ("EU strategy", ["strategy"]),
        ("EU strateg*", ["eu"]),
        ("EU OR strategy", ["eu", "strategy"]),
        ("EU NOT strategy", ["eu"]),
        ("(aaaa OR bbbb) cc", ["cc"]),
        ("aaaa NEAR/5 bb", ["aaaa"]),
        ("2 OF (aaaa, bb, ccc)", ["aaaa", "ccc"]),
        ("2 OF (lang:en, bb, ccc)", ["bb", "ccc"]),
        ("title:EU", ["eu"]),
        ("link:EU", None),
        ("lang:en", None),
        ("EU lang:en", ["eu"]),
        ("EU OR lang:en", None),
        ("EU rule:x", ["eu"]),
        ("rule:x", None),
        ("ЕО-ның", ["ео"]),
        ("ЕО-ны*", ["ео ны*"]),
        ('"ЕО-ның стратегиясы"', ["стратегиясы"]),
    ],
)
def test_anchors_are_the_rarest_that_do(query, runs):
    assert shown(parse(query)) == (runs and set(runs))


def test_what_holds_without_any_word_has_no_anchors():
    assert shown(AtLeast(2, (Not(A), Not(B), C))) is None
    assert shown(Not(A)) is None


def test_anchors_of_another_rule_are_its_own():
    assert shown(parse("rule:x OR EU"), x=anchors(parse("a OR b"))) == {"a", "b", "eu"}
    assert shown(parse("rule:x OR EU"), x=None) is None


@pytest.mark.parametrize(
    ("threshold", "weights", "runs"),
    [
        (5, (3, 2, 4), ["aaaa", "ccc"]),
        (1, (3, 2, 4), ["bb", "ccc", "aaaa"]),
        (9, (3, 2, 4), ["aaaa"]),
        (5, (3, 2, -4), ["aaaa"]),
        (0, (3, 2, 4), None),
    ],
)
def test_a_score_is_anchored_by_what_it_cannot_do_without(threshold, weights, runs):
    terms = zip([Word("aaaa"), Word("bb"), Word("ccc")], weights, strict=True)
    assert shown(Weighted(threshold, tuple(terms))) == (runs and set(runs))


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
    category=st.lists(word_texts, max_size=3),
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
def test_whatever_holds_has_an_anchor_in_the_text(tree, text):
    runs = anchors(tree)
    if runs is not None and evaluate(tree, text) is not None:
        assert any(map(text.has, runs))


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
def test_there_is_a_reason_exactly_where_it_does_not_hold(tree, text):
    failure = why_not(tree, text)
    assert (failure is None) is (evaluate(tree, text) is not None)
    if failure:
        assert failure.sentence
        assert failure.clause
        assert all(0 <= hit.start < hit.end <= len(text.texts[hit.field]) for hit in failure.nearest)


@given(rules, items)
def test_hits_are_places_of_the_text_in_order_and_once(tree, text):
    evidence = evaluate(tree, text)
    if evidence:
        places = [(FIELDS.index(hit.field), hit.start, hit.end, hit.term) for hit in evidence.hits]
        assert places == sorted(set(places))
        assert all(0 <= start < end <= len(text.texts[FIELDS[field]]) for field, start, end, _ in places)


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
    assert why_not(tree, text) is None
    assert why_not(tree, item("z")) is not None
    assert anchors(tree) is not None


def test_a_reference_needs_somebody_to_ask():
    assert evaluate(RuleRef("x"), item("x")) is None
