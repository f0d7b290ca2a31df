"""From a rule's text to a rule, or every reason why not."""

from dataclasses import replace

import pytest

from syndicate.model import Example, RuleText, Source
from syndicate.rules.compile import compile_rules, selected_sources

SOURCES = (
    Source(id="kazinform-en", title="", urls=("https://a.example/",), tags=("official", "en")),
    Source(id="kazinform-ru", title="", urls=("https://b.example/",), tags=("official", "ru")),
    Source(id="wire", title="", urls=("https://c.example/",)),
)


def rule_text(*keywords, **fields):
    return RuleText(
        **{
            "id": "eu",
            "title": "EU",
            "file": "rules/eu.toml",
            "line": 1,
            "keywords": keywords,
            "keyword_lines": tuple(range(3, 3 + len(keywords))),
            **fields,
        }
    )


def compiled(*texts):
    rules, problems = compile_rules(texts, SOURCES)
    return rules, [str(problem) for problem in problems]


def version(text):
    ((rule,), _) = compile_rules([text], SOURCES)
    return rule.version


def test_a_rule_is_compiled():
    (rule,), problems = compiled(rule_text("EU", "Central Asia", notify=("desk",), feed=False))
    assert problems == []
    assert (rule.id, rule.title, rule.notify, rule.feed) == ("eu", "EU", ("desk",), False)
    assert rule.terms == ("EU", "Central Asia")
    assert rule.sources is None


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ((), None),
        (("wire",), {"wire"}),
        (("kazinform-*",), {"kazinform-en", "kazinform-ru"}),
        (("tag:official",), {"kazinform-en", "kazinform-ru"}),
        (("tag:ru", "wire"), {"kazinform-ru", "wire"}),
        (("nobody",), set()),
    ],
)
def test_sources_are_selected_by_id_pattern_and_tag(patterns, expected):
    assert selected_sources(patterns, SOURCES) == expected


def test_keywords_without_a_word_are_problems_at_their_lines():
    rules, problems = compiled(rule_text("EU", "!?", "—"))
    assert rules == ()
    assert problems == [
        'rules/eu.toml:4: keyword "!?" has no letter or digit in it, so it could never match',
        'rules/eu.toml:5: keyword "—" has no letter or digit in it, so it could never match',
    ]


def test_one_wrong_rule_hides_no_problem_of_another():
    _, problems = compiled(rule_text("!"), rule_text("?", id="other", file="rules/other.toml"))
    assert [problem.partition(":")[0] for problem in problems] == ["rules/eu.toml", "rules/other.toml"]


def test_examples_that_turn_out_as_said_are_no_problems():
    text = rule_text(
        "EU",
        match=(Example(body="The EU."), Example(title="EU", body="")),
        no_match=(Example(body="Europe."),),
    )
    assert compiled(text)[1] == []


def test_examples_that_turn_out_otherwise_are_problems_at_their_lines():
    text = rule_text(
        "EU",
        "Asia",
        match=(Example(body="Europe.", line=7),),
        no_match=(Example(title="Asia", body="EU and EU", line=9), Example(body="Asia")),
    )
    assert compiled(text)[1] == [
        'rules/eu.toml:7: example should match rule "eu", but no keyword is in it: "Europe."',
        'rules/eu.toml:9: example should not match rule "eu", but "Asia", "EU" is in it: "Asia EU and EU"',
        'rules/eu.toml:1: example should not match rule "eu", but "Asia" is in it: "Asia"',
    ]


def test_an_example_is_of_a_source_that_the_rule_is_about():
    text = rule_text("EU", sources=("wire",), match=(Example(body="EU"),))
    assert compiled(text)[1] == []
    text = replace(text, match=(Example(body="EU", source="kazinform-en"),))
    assert len(compiled(text)[1]) == 1


def test_a_long_example_is_shown_in_part():
    _, (problem,) = compiled(rule_text("EU", match=(Example(body="long " * 100),)))
    assert len(problem) < 200
    assert problem.endswith('…"')


@pytest.mark.parametrize(
    "change",
    [{"title": "Other"}, {"notify": ("chat",)}, {"feed": False}, {"file": "rules/x.toml"}, {"line": 9}],
    ids=lambda change: next(iter(change)),
)
def test_what_decides_nothing_about_a_match_keeps_the_version(change):
    assert version(replace(rule_text("EU"), **change)) == version(rule_text("EU"))


@pytest.mark.parametrize("text", [rule_text("eu"), rule_text("EU", "x"), rule_text("EU", sources=("wire",))])
def test_what_decides_about_a_match_changes_the_version(text):
    assert version(text) != version(rule_text("EU"))
