"""Queries become trees, or errors that show the place."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syndicate.errors import QueryError
from syndicate.rules.grammar import MAX_DEPTH, MAX_LENGTH, hints, keyword, parse
from syndicate.rules.refusal import refusal
from syndicate.rules.tree import (
    All,
    Any,
    AtLeast,
    Exact,
    InField,
    Near,
    Not,
    Pattern,
    Phrase,
    Prefix,
    RuleRef,
    Weighted,
    Word,
    references,
    unparse,
    walk,
)
from tests.support import ROOT

QUERIES = ROOT / "tests" / "data" / "queries"
A, B, C, EU = Word("a"), Word("b"), Word("c"), Word("EU")


def problem(query):
    with pytest.raises(QueryError) as caught:
        parse(query)
    return caught.value


# --------------------------------------------------------------------------- trees


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("EU", EU),
        ("EU-CA", Word("EU-CA")),
        ("strateg*", Prefix("strateg")),
        ("=EU", Exact("EU")),
        ('="EU  Strategy"', Exact("EU Strategy")),
        ('"Central Asia"', Phrase((Word("Central"), Word("Asia")))),
        ('"EU strateg*"', Phrase((EU, Prefix("strateg")))),
        ('"Johnson & Johnson"', Phrase((Word("Johnson &"), Word("Johnson")))),
        ('"a AND (b)"', Phrase((A, Word("AND"), Word("(b)")))),
        ("“a b”", Phrase((A, B))),
        ("„a b“", Phrase((A, B))),
        ("« a b »", Phrase((A, B))),
        ("a b", All((A, B))),
        ("a AND b", All((A, B))),
        ("a\n\tb\u00a0c", All((A, B, C))),
        ("a OR b", Any((A, B))),
        ("a OR b c", Any((A, All((B, C))))),
        ("a AND\u200b b", All((A, B))),
        ("(a OR b) c", All((Any((A, B)), C))),
        ("a OR (b OR c)", Any((A, Any((B, C))))),
        ("（a OR b）c", All((Any((A, B)), C))),
        ("a -b", All((A, Not(B)))),
        ("a NOT b", All((A, Not(B)))),
        ("a AND NOT b OR c", Any((All((A, Not(B))), C))),
        ("a NOT (b OR c)", All((A, Not(Any((B, C)))))),
        ('a -"b c"', All((A, Not(Phrase((B, C)))))),
        ("a -title:b", All((A, Not(InField("title", B))))),
        ("NOT b a", All((Not(B), A))),
        ("a NEAR/5 b", Near(A, B, 5)),
        ("a BEFORE/1 b", Near(A, B, 1, is_ordered=True)),
        ("a NEAR/5 b c", All((Near(A, B, 5), C))),
        ("c a NEAR/5 b", All((C, Near(A, B, 5)))),
        ("(a OR b) NEAR/5 =EU", Near(Any((A, B)), Exact("EU"), 5)),
        ("a NEAR/5 b AND b NEAR/5 c", All((Near(A, B, 5), Near(B, C, 5)))),
        ("NOT (a NEAR/5 b) c", All((Not(Near(A, B, 5)), C))),
        ("2 OF (a, b OR c, EU)", AtLeast(2, (A, Any((B, C)), EU))),
        ("2", Word("2")),
        ("title:EU", InField("title", EU)),
        ("title: EU", InField("title", EU)),
        ("title:(a b)", InField("title", All((A, B)))),
        ('title:"a b" c', All((InField("title", Phrase((A, B))), C))),
        ("source:kazinform-*", InField("source", Word("kazinform-*"))),
        ("source:(tag:official OR uza)", InField("source", Any((Word("tag:official"), Word("uza"))))),
        ("lang:zh-Hant", InField("lang", Word("zh-Hant"))),
        ("link:https://kun.uz/news?id=1", InField("link", Word("https://kun.uz/news?id=1"))),
        ("rule:eu-strategy", RuleRef("eu-strategy")),
        ("AT&T", Word("AT&T")),
        ("C++", Word("C++")),
        ("C#", Word("C#")),
        ("U.S.", Word("U.S.")),
        ("Who?", Word("Who?")),
        ("12:30", Word("12:30")),
        ("中亚 OR Азия", Any((Word("中亚"), Word("Азия")))),
        ("a # not b\nc", All((A, C))),
        ("# a\nb #", B),
        ("=x-y", Exact("x-y")),
    ],
)
def test_a_query_becomes_a_tree(query, tree):
    assert parse(query) == tree
    assert parse(unparse(tree)) == tree


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        (r"/EU\b/", Pattern(r"EU\b")),
        (r"/en\/news/", Pattern("en/news")),
        (r"/a\\/ b", All((Pattern(r"a\\"), B))),
        ("/a (b|c)/", Pattern("a (b|c)")),
        ("link:/^https/", InField("link", Pattern("^https"))),
        ("-/a/ b", All((Not(Pattern("a")), B))),
    ],
)
def test_a_regular_expression_ends_at_a_slash(query, tree):
    assert parse(query) == tree
    assert parse(unparse(tree)) == tree


def test_the_example_of_the_design_parses():
    assert unparse(
        parse("""
  ("Central Asia" OR "Центральная Азия" OR =CA)
  AND ("EU strategy" OR =EU NEAR/5 strategy*)
  NOT title:football
""")
    ) == (
        '("Central Asia" OR "Центральная Азия" OR =CA)'
        ' AND ("EU strategy" OR =EU NEAR/5 strategy*) AND NOT title:football'
    )


def test_every_node_knows_its_place():
    query = 'NOT a -"b c*"\n("Δ" OR 2 OF (x, =y)) title:z NEAR5*'.replace(" NEAR5*", "")
    shown = {query[node.place[0] : node.place[1]] for node in walk(parse(query))}
    assert {
        "NOT a",
        "a",
        '-"b c*"',
        '"b c*"',
        '"Δ" OR 2 OF (x, =y)',
        "2 OF (x, =y)",
        "=y",
        "title:z",
        "z",
    } <= shown


def test_the_rules_that_a_query_refers_to_are_known():
    assert references(parse("a rule:one OR NOT (b rule:two) c")) == {"one", "two"}


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("Central  Asia", Phrase((Word("Central"), Word("Asia")))),
        ("a OR b*", Phrase((A, Word("OR"), Prefix("b")))),
        ("— EU", Phrase((Word("— EU"),))),
        ("EU —", Phrase((Word("EU —"),))),
        ("—", None),
        ("", None),
    ],
)
def test_a_keyword_is_a_phrase_whatever_signs_are_in_it(text, tree):
    assert keyword(text) == tree


# --------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize("case", sorted((QUERIES / "errors").glob("*.query")), ids=lambda path: path.stem)
def test_a_mistake_is_shown_where_it_is(case):
    expected = case.with_suffix(".txt").read_text(encoding="utf-8").rstrip("\n")
    assert str(problem(case.read_text(encoding="utf-8").removesuffix("\n"))) == expected


def test_an_error_is_counted_in_lines_and_columns():
    error = problem("EU\n  Asia OR OR x")
    assert (error.line, error.column, error.problem) == (2, 11, "expected a word, a phrase or '(' after OR")
    assert error.excerpt == "      Asia OR OR x\n              ^"


def test_the_caret_stands_below_wide_letters():
    assert problem("中亚 OR OR x").excerpt.splitlines()[1] == "    " + " " * 8 + "^"


def test_a_long_line_is_cut_around_the_place():
    error = problem("word " * 100 + "OR OR " + "word " * 100)
    shown, caret = error.excerpt.splitlines()
    assert len(shown) < 80
    assert shown[4] == shown[-1] == "…"
    assert shown[caret.index("^") :].startswith("OR word")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH, None),
        ("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), "parentheses go at most 64 deep"),
        ("(a) " * 1_000, None),
        ("(" * 30_000, "parentheses go at most 64 deep"),
        ("1 OF (" * 10_000, "parentheses go at most 64 deep"),
        ("NOT (a (b OR 1 OF (" * MAX_DEPTH, "parentheses go at most 64 deep"),
        ("-" * 60_000, "one - is enough"),
        ("NOT " * 15_000 + "a", "twice NOT is the term itself: leave both out"),
        ("a" * MAX_LENGTH, None),
        ("a" * (MAX_LENGTH + 1), "a query has at most 65,536 characters"),
    ],
)
def test_depth_and_length_are_bounded(query, text):
    if text:
        assert problem(query).problem == text
    else:
        parse(query)


def test_the_deepest_tree_can_be_used():
    deep = "z"
    for letter in range(21):
        deep = f"x{letter} OR y{letter} NOT (w{letter} v{letter} NOT 1 OF (u{letter}, {deep}))"
    tree = parse(deep)
    assert parse(unparse(tree)) == tree
    assert hash(tree) == hash(parse(deep))


# --------------------------------------------------------------------------- everything or nothing


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("NOT a", 1),
        ("NOT a NOT b", 1),
        ("a OR NOT b", 6),
        ("(NOT a OR NOT b) NOT c", 2),
        ("1 OF (a, NOT b)", 10),
        ("title:(NOT a)", 8),
        ("a NOT a", 3),
        ("EU NOT eu", 4),
        ("a (b NOT a)", 6),
        ("a AND NOT (b OR a)", 7),
        ("(a OR b) NOT b NOT a", 2),
        ("(a OR b) NOT (c OR b OR a)", 2),
        ("a b NOT (b a)", 5),
        ('"a b" NOT b', 7),
        ("=EU -EU", 5),
        ("EU-CA -CA", 7),
        ('EU-CA -"EU CA"', 7),
        ("a NEAR/5 b NOT a", 12),
        ("title:a NOT a", 9),
        ("title:a NOT title:a", 9),
        ("title:(a b) NOT title:b", 13),
        ("lang:en lang:ru", 1),
        ("x OR (a NOT a)", 9),
        ("2 OF (a, b, A)", 13),
    ],
)
def test_what_matches_everything_or_nothing_is_refused(query, place):
    error = problem(query)
    assert error.column == place
    assert error.problem


@pytest.mark.parametrize(
    "query",
    [
        "a NOT =a",
        "=EU -=eu",
        "a NOT title:a",
        "body:a NOT title:a",
        "a b NOT (a c)",
        'a b NOT "a b"',
        "a NOT (a NEAR/5 b)",
        "(a OR b) NOT a",
        "x AND (a OR NOT b)",
        "2 OF (a, b, NOT c)",
        "lang:en",
        "lang:en lang:en-GB",
        "source:a source:tag:b",
        "author:a NOT a",
        "ЕО-ның -ның",  # in Kazakh the ending is no word
        "ЕО -ЕО-ның",  # elsewhere it is
        '"ЕО x" -"ЕО-ның x"',
        "(a OR c) -(a b) -c",
    ],
)
def test_what_may_match_is_not_refused(query):
    parse(query)


@pytest.mark.parametrize(
    ("threshold", "terms", "is_refused"),
    [
        (3, ((A, 2), (B, 1)), False),
        (1, ((A, 0.7), (B, 0.2), (C, 0.1)), False),
        (4, ((A, 2), (B, 1)), True),
        (4, ((A, 2), (B, 1), (C, -5)), True),
        (0, ((A, 2),), True),
        (1, ((A, 2), (Not(B), 1)), True),
        (2, ((A, 2), (Not(B), 1)), False),
    ],
)
def test_a_threshold_must_be_reachable_and_not_for_nothing(threshold, terms, is_refused):
    assert bool(refusal(Weighted(threshold, terms))) is is_refused


# --------------------------------------------------------------------------- hints


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("EU AND Asia", []),
        ("EU and Asia", [4]),
        ("EU or Asia Not x", [4, 12]),
        ('"EU and Asia"', []),
        ("EU ИЛИ UN", [4]),
        ("EU near/5 Asia", [4]),
        ("a OR b c", [1]),
        ("a OR (b c)", []),
        ("x (a OR b -c)", [4]),
        ("a*", [1]),
        ("lang:or x", []),
        ("a OR OR", []),
        ("sanctions NOT sanctioned", [11]),
        ("sanctions NOT =sanctioned", []),
        (r"/\bEU\b/", []),
        ("EU w/3 Asia", [4]),
        ("Кazakhstan", [1]),
        (r"/\bЕС\b/", [1]),
    ],
)
def test_hints_point_at_what_may_be_meant_otherwise(query, columns):
    found = hints(query)
    assert [hint.column for hint in found] == columns
    assert all(hint.line == 1 and hint.problem and hint.excerpt for hint in found)


# --------------------------------------------------------------------------- any text

PIECES = [
    "a", "b", "EU", "strategy*", "=CA", '="b c"', '"a b"', '"c*"', "“d e”", "EU-CA", "Азия", "中亚", "ё’s",
    "1", "AND", "OR", "NOT", "NEAR/2", "BEFORE/3", "(", ")", "（", "）", ",", "2 OF (", "2", "OF", "-a", "-(",
    "title:", "body:a", "source:x", "lang:en", "link:a.b/c", "rule:x", "/a/", "/b\\/c/",
]  # fmt: skip
BROKEN = [
    "-", "#", "*", "**", "w*x", '"', "=", "/a(", "a:b", "!", "|", "&", "[", "'", "~", "?", "NEAR", "/",
    "\u200b", "\ud800", "\x00", "\n",
]  # fmt: skip
queries = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(PIECES), max_size=15).map(" ".join),
    st.lists(st.sampled_from(PIECES + BROKEN), max_size=12).map(" ".join),
    st.lists(st.sampled_from(PIECES + BROKEN), max_size=12).map("".join),
    st.text(alphabet='ab "(),-=*/#:ANDORNT2F\n', max_size=30),
)


def outcome(query):
    """Return the tree of a query, or the error."""
    try:
        return parse(query)
    except QueryError as error:
        return error


@given(queries)
@example("/\ud800(/")
@example("NEAR/\u0665 a")
@example("٢ OF (a, b)")
def test_any_text_parses_or_is_an_error_with_a_place(query):
    found = outcome(query)
    if isinstance(found, QueryError):
        lines = query.split("\n")
        assert 1 <= found.line <= len(lines)
        assert 1 <= found.column <= len(lines[found.line - 1]) + 1
        assert found.problem
    else:
        assert parse(unparse(found)) == found
        assert all(0 <= node.place[0] < node.place[1] <= len(query) for node in walk(found))
    assert hints(query) == () or not isinstance(found, QueryError)
