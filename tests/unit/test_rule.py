"""What a rule looks at, and what of its evidence is kept."""

from datetime import timedelta

import pytest
from hypothesis import given, settings

from syndicate.model import Hit
from syndicate.rules.evaluate import Evidence
from syndicate.rules.grammar import parse
from syndicate.rules.rule import HITS_KEPT, Rule, Scope, is_about, kept, match_of, match_rule
from syndicate.rules.text import ItemText, Subject
from tests.rule_strategies import CASES, NOW, cases

HOUR = timedelta(hours=1)


def matched(query, **fields):
    rule = Rule(id="r", title="R", version="v", query=parse(query))
    match = match_rule(rule, ItemText(Subject(**fields)), NOW)
    assert match is not None
    return match


@pytest.mark.parametrize(
    ("scope", "is_looked_at"),
    [
        (Scope(), True),
        (Scope(sources=frozenset({"wire", "post"})), True),
        (Scope(sources=frozenset({"post"})), False),
        (Scope(sources=frozenset()), False),
        (Scope(languages=("kk", "ru")), True),
        (Scope(languages=("RU",)), True),
        (Scope(languages=("ru-KZ",)), True),
        (Scope(languages=("kk", "ru-RU")), False),
        (Scope(since=2 * HOUR), True),
        (Scope(since=HOUR), True),
        (Scope(since=HOUR - timedelta(microseconds=1)), False),
        (Scope(frozenset({"wire"}), ("ru",), 2 * HOUR), True),
        (Scope(frozenset({"post"}), ("ru",), 2 * HOUR), False),
        (Scope(frozenset({"wire"}), ("kk",), 2 * HOUR), False),
        (Scope(frozenset({"wire"}), ("ru",), HOUR / 2), False),
    ],
)
def test_a_scope_is_sources_languages_and_age_at_once(scope, is_looked_at):
    subject = Subject(source="wire", language="ru-KZ", published=NOW - HOUR)
    assert is_about(scope, subject, NOW) is is_looked_at


def test_what_has_no_date_is_new_and_what_has_no_language_is_in_none():
    assert is_about(Scope(since=HOUR), Subject(published=None), NOW)
    assert is_about(Scope(since=HOUR), Subject(published=NOW + HOUR), NOW)
    assert not is_about(Scope(languages=("en",)), Subject(language=None), NOW)


def test_a_match_names_its_rule_and_its_version_and_shows_a_passage():
    match = matched("EU", title="EU", body="the EU")
    assert (match.rule, match.rule_version, match.score) == ("r", "v", None)
    assert [(hit.field, hit.start) for hit in match.hits] == [("title", 0), ("body", 4)]
    assert (match.snippet.text, match.snippet.marks) == ("the EU", ((4, 6),))


def test_evidence_is_bounded_and_shows_every_term():
    match = matched("EU OR rare", body="EU " * 5_000 + "rare")
    assert len(match.hits) == HITS_KEPT
    assert {hit.term for hit in match.hits} == {"EU", "rare"}
    assert [hit.start for hit in match.hits if hit.term == "EU"] == [3 * n for n in range(HITS_KEPT - 1)]
    assert len(match.snippet.text) <= 240


def test_of_more_terms_than_are_kept_each_is_shown_once_at_most():
    hits = [Hit(term=f"t{n % 150}", field="body", start=n, end=n + 1) for n in range(600)]
    assert [hit.term for hit in kept(hits)] == [f"t{n}" for n in range(HITS_KEPT)]


def test_hits_come_field_by_field_and_in_order():
    one, two = Hit(term="b", field="category", start=0, end=1), Hit(term="a", field="body", start=5, end=6)
    three = Hit(term="a", field="body", start=1, end=2)
    assert kept([one, two, three]) == (three, two, one)


@settings(max_examples=40, deadline=None)
@given(CASES)
def test_marks_point_at_hits_of_their_field(case):
    rules, subjects = case
    for subject in subjects:
        for rule in rules:
            match = match_rule(rule, ItemText(subject), NOW)
            if match:
                assert_points(match, ItemText(subject))


def test_so_they_do_in_what_is_tried_each_time(slow):
    count = 0
    for rules, subjects in cases(5_000 if slow else 100, seed=5):
        for subject in subjects:
            text = ItemText(subject)
            for match in (found for rule in rules if (found := match_rule(rule, text, NOW))):
                assert_points(match, text)
                count += bool(match.snippet.marks)
    assert count > 50


def assert_points(match, text):
    assert len(match.snippet.text) <= 240
    shown = {text.texts[hit.field][hit.start : hit.end] for hit in match.hits}
    for start, end in match.snippet.marks:
        marked = match.snippet.text[start:end]  # one term, or several that touch
        assert any(one.replace("\n", " ")[: len(marked)] in marked for one in shown)
    assert all(0 <= hit.start < hit.end <= len(text.texts[hit.field]) for hit in match.hits)
    worded = [hit for hit in match.hits if hit.field not in ("source", "lang")]
    assert bool(match.snippet.marks) is bool(worded)


def test_evidence_makes_the_match_of_whoever_it_is_about():
    evidence = Evidence(hits=(Hit(term="wire", field="source", start=0, end=4),))
    rule = Rule(id="r", title="R", version="v", query=parse("source:wire"))
    match = match_of(rule, ItemText(Subject(title="T", body="B", source="wire")), evidence)
    assert match.hits == evidence.hits
    assert (match.snippet.text, match.snippet.field, match.snippet.marks) == ("B", "body", ())
