"""Matching also gives the words by which an item is kept: the same as `kept_words`, from either engine."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.rules import compiled
from syndicate.rules.archive import kept_words
from syndicate.rules.index import RuleIndex
from syndicate.rules.text import ItemText, Subject
from tests.rule_strategies import CASES, LANGUAGES, NOW, cases
from tests.support import unavailable

ENGINES = [pytest.param(False, id="plain"), pytest.param(True, id="native")]
TEXTS = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from("aAsS'’ʻ-‑ \n\u00ad\u200d中国ตัアーёЁҚқß\ufb01\U0001f600\ue000\ud800\x00й\u0306"),
    ),
    max_size=60,
)


@pytest.fixture(autouse=True)
def _core(request: pytest.FixtureRequest) -> None:
    callspec = getattr(request.node, "callspec", None)
    if callspec and "native" in callspec.id and not compiled.is_there():
        unavailable("the compiled core", "install a C compiler and Python's headers, then remove .venv")


def assert_kept(index: RuleIndex, subject: Subject) -> None:
    matches, kept = index.match_and_keep(subject, NOW)
    assert kept == kept_words(ItemText(subject))
    assert matches == index.match(subject, NOW)


@pytest.mark.parametrize("native", ENGINES)
def test_words_are_kept_as_they_are_found(native):
    for rules, subjects in cases(300):
        index = RuleIndex(rules, native=native)
        for subject in subjects:
            assert_kept(index, subject)


@settings(max_examples=60, deadline=None)
@given(CASES)
def test_words_are_kept_whatever_the_rules(case):
    rules, subjects = case
    index = RuleIndex(rules)
    for subject in subjects:
        assert_kept(index, subject)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS, TEXTS, st.lists(TEXTS, max_size=4).map(tuple), st.sampled_from([*LANGUAGES, None]))
def test_words_are_kept_whatever_the_text(title, body, author, categories, language):
    subject = Subject(title=title, body=body, author=author, categories=categories, language=language)
    assert_kept(INDEX, subject)


INDEX = RuleIndex([])


def test_endless_words_are_kept():
    assert_kept(INDEX, Subject(title="ẞ" * 5000, body=f"{'ß' * 5000} {'x' * 65} {'y' * 64}", language="en"))


@pytest.mark.slow
def test_words_are_kept_also_when_earlier_ones_are_forgotten():
    rounds = 2 * compiled.WORDS_REMEMBERED // 2000
    for number in range(rounds):
        words = " ".join(f"Word{number % (rounds // 2 + 3)}x{each}s" for each in range(2000))
        assert_kept(INDEX, Subject(body=words, language="en"))


def test_nothing_is_kept_of_nothing():
    assert_kept(INDEX, Subject(published=datetime(2026, 1, 1, tzinfo=UTC)))
