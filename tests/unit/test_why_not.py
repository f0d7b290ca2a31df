"""Why a tree does not hold: the clause that failed, and what came nearest."""

from datetime import timedelta

import pytest
from hypothesis import given, settings

from syndicate.model import Hit, Score
from syndicate.rules.evaluate import evaluate
from syndicate.rules.grammar import parse
from syndicate.rules.rule import Rule, Scope, match_rule
from syndicate.rules.text import ItemText, Subject
from syndicate.rules.tree import Folded, Weighted, Word
from syndicate.rules.why_not import Reason, why_not, why_not_about
from tests.rule_strategies import CASES, NOW, cases

SCORED = Weighted(5, ((parse('"Central Asia"'), 3), (Word("EU"), 2), (Word("football"), -4)))


def item(body="", **fields):
    return ItemText(Subject(**{"body": body, "language": "en", "source": "uza", **fields}))


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
        ("/x+/", "y", Reason.PATTERN, "/x+/ matches nothing in title or body"),
        ("title:/x+/", "x", Reason.PATTERN, "/x+/ matches nothing in title"),
        ("x NOT lang:en", "x", Reason.EXCLUDED, "excluded by NOT lang:en: the language is en"),
        ("x NOT source:u*", "x", Reason.EXCLUDED, "excluded by NOT source:u*: the source is uza"),
        ("x -(a OR b)", "x b", Reason.EXCLUDED, 'excluded by NOT (a OR b): "b" is in the body'),
        ("x -(NOT a NOT b)", "x", Reason.EXCLUDED, "excluded by NOT (NOT a AND NOT b), which holds"),
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


def test_diacritics_make_no_difference_where_a_rule_folds_them():
    tree = parse("cafe NEAR/2 Łódź")
    text = item("café x x x x lodz")
    plain, folded = why_not(tree, text), why_not(Folded(tree), text)
    assert plain is not None
    assert folded is not None
    assert (plain.reason, folded.reason, folded.distance) == (Reason.ABSENT, Reason.TOO_FAR, 5)


@pytest.mark.parametrize(
    ("scope", "fields", "why"),
    [
        (Scope(sources=frozenset({"post"})), {}, "it looks at other sources than uza"),
        (Scope(sources=frozenset({"post"})), {"source": ""}, "it looks at other sources than this"),
        (Scope(languages=("ru", "kk")), {}, "the language is en, not ru or kk"),
        (Scope(languages=("ru",)), {"language": None}, "the language is unknown, not ru"),
        (Scope(languages=("en-GB",)), {"language": "en"}, "the language is en, not en-GB"),
        (
            Scope(since=timedelta(hours=1)),
            {"published": NOW - timedelta(hours=1, microseconds=1)},
            "it was published on 2026-11-24 00:59, which is too long ago for `since`",
        ),
        (Scope(), {}, "x does not occur in title or body"),
        (Scope(frozenset({"uza"}), ("en",), timedelta(1)), {}, "x does not occur in title or body"),
        (Scope(), {"body": "x"}, None),
        (Scope(frozenset({"uza"}), ("en",), timedelta(1)), {"title": "X", "published": NOW}, None),
    ],
)
def test_a_rule_says_what_it_does_not_look_at_before_what_it_does_not_find(scope, fields, why):
    rule = Rule(id="r", title="", version="", query=Word("x"), scope=scope)
    text = item(**fields)
    assert why_not_about(rule, text, NOW) == why
    assert (match_rule(rule, text, NOW) is None) is (why is not None)


def holding(tree, text):
    return evaluate(tree, text) is not None


def reasoned(rule, text):
    """Hold that there is a reason exactly where a rule does not hold, and that it is one."""
    failure = why_not(rule.query, text)
    assert (failure is None) is holding(rule.query, text)
    assert (why_not_about(rule, text, NOW) is None) is (match_rule(rule, text, NOW) is not None)
    if failure:
        assert failure.sentence
        assert failure.clause
        assert all(0 <= hit.start < hit.end <= len(text.texts[hit.field]) for hit in failure.nearest)
        assert failure.distance is None or failure.distance > 0


def test_there_is_a_reason_exactly_where_a_rule_does_not_hold(slow):
    for rules, subjects in cases(5_000 if slow else 150, seed=2):
        for subject in subjects:
            for rule in rules:
                reasoned(rule, ItemText(subject))


@settings(max_examples=30, deadline=None)
@given(CASES)
def test_so_there_is_for_what_nobody_has_tried(case):
    rules, subjects = case
    for subject in subjects:
        for rule in rules:
            reasoned(rule, ItemText(subject))
