"""Regular expressions: where each matches, what is wrong with it, and many in one pass."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syndicate.rules.patterns import PatternSet, compiled, regex_problem, regex_spans

REGEXES = (
    *("EU", r"E[UO]\b", "(?i)eu", "^EU", "EU$", "(?m)^a$", r"\d+", r"\d{2,3}", "中.", "[а-я]+"),
    *(r"\p{Lu}\p{Ll}*", "a|b|中", "(a+)+b", r"\bx*", "(?s)a.*b", "a.*b", r"\x{1f600}", "�"),
    *(r"\Qa.b\E", r"[^\x00-\x7f]", r"\n", "/"),
)
PIECES = (
    *("EU", "eu", "E", "O", "a", "b", "a.b", "中亚", "аз", "Az", "12", "1234", "😀", "\ud800"),
    *("\x00", "x", "\n", " ", "/"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(REGEXES), unique=True, max_size=8), st.lists(TEXTS, max_size=4))
@example(list(REGEXES), ["", "\ud800"])
def test_a_set_finds_what_each_finds_alone(regexes, texts):
    alone = {regex for regex in regexes for text in texts if text and compiled(regex).search(whole(text))}
    assert PatternSet(regexes).found_in(texts) == alone


def whole(text):
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(REGEXES), TEXTS)
def test_spans_are_code_points_of_the_text_and_never_empty(regex, text):
    spans = list(regex_spans(regex, text))
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)
    for start, end in spans:
        assert compiled(regex).search(whole(text), start, end)
    if spans:
        assert PatternSet([regex]).found_in([text]) == {regex}


@pytest.mark.parametrize(
    ("regex", "text", "expected"),
    [
        ("EU", "中 EU", [(2, 4)]),
        ("😀", "中😀😀", [(1, 2), (2, 3)]),
        ("b", "\ud800b", [(1, 2)]),
        (r"\bx*", "a xx", [(2, 4)]),
        ("a*", "baac", [(1, 3)]),
        ("x", "", []),
    ],
)
def test_places(regex, text, expected):
    assert list(regex_spans(regex, text)) == expected


def test_no_regexes_find_nothing():
    assert not PatternSet([])
    assert PatternSet([]).found_in(["EU"]) == set()
    assert PatternSet(["EU"])
    assert PatternSet(["EU"]).found_in([]) == set()


def test_what_needs_too_much_memory_is_looked_for_in_another_way():
    """None is missed: who asks must look for each that is said to be found, by itself."""
    regexes = [rf"\p{{L}}{{20}}{number}" for number in range(20)]
    assert PatternSet(regexes).found_in(["EU"]) == set()
    assert PatternSet(regexes, most_bytes=1 << 16).found_in(["EU"]) == set(regexes)
    assert PatternSet(regexes, most_bytes=1 << 16).found_in([""]) == set()


class Exhausted:
    """What RE2 does when a text takes more memory than it may: it says that it has found nothing."""

    def Match(self, text: str) -> list[int]:  # noqa: N802
        return [] if "long" in text else [0, 2]


def test_what_runs_out_of_memory_on_a_text_is_looked_for_in_another_way():
    patterns = PatternSet(["EU", "x"])
    patterns._set = Exhausted()
    assert patterns.found_in(["EU", "EU"]) == {"EU"}
    assert patterns.found_in(["EU", "a long text"]) == {"EU", "x"}


@pytest.mark.parametrize(
    ("regex", "place", "text"),
    [
        ("EU", None, None),
        ("a(b", 1, "this ( is never closed"),
        ("[(](b", 3, "this ( is never closed"),
        (r"\((b", 2, "this ( is never closed"),
        (r"(?=a)b", 0, "RE2, which never takes long, has no (?="),
        (r"(a)\1", 3, r"RE2, which never takes long, has no back-references like \1"),
        ("中*", 0, "this regular expression matches the empty text too, so it would hold everywhere"),
        ("中(a**)", 3, "bad repetition operator: **"),
        (r"\xEU", 0, r"invalid escape sequence: \xEU"),
        ("[b-a]", 1, "invalid character class range: b-a"),
        ("a{1001}", 1, "invalid repetition size: {1001}"),
        (r"(\p{L}\p{L}){1000}", 0, "pattern too large - compile failed"),
    ],
)
def test_a_problem_is_said_where_it_is(regex, place, text):
    expected = None if place is None else (place, text)
    assert regex_problem(regex) == expected


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([*"abc中()[]{}*+?|^$\\.", "\\1", "(?", "{2}", "\ud800"]), max_size=8).map(
        "".join
    )
)
def test_any_text_is_a_regular_expression_or_has_a_problem_with_a_place(regex):
    problem = regex_problem(regex)
    if problem is None:
        assert list(regex_spans(regex, "")) == []
    else:
        place, text = problem
        assert 0 <= place <= len(regex)
        assert text
