"""From a rule's text to a rule, or every reason why not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syndicate.errors import QueryError
from syndicate.model import Example, RuleText, ScoreText, Source, WeightedTerm, Written
from syndicate.rules.compile import compile_rules, rule_hints, selected_sources, trial_rule
from syndicate.rules.grammar import parse
from syndicate.rules.rule import Scope
from syndicate.rules.tree import Any, Folded, Phrase, Weighted, Word

SOURCES = (
    Source(id="kazinform-en", title="", urls=("https://a.example/",), tags=("official", "en")),
    Source(id="kazinform-ru", title="", urls=("https://b.example/",), tags=("official", "ru"), language="ru"),
    Source(id="wire", title="", urls=("https://c.example/",)),
)
DAY = timedelta(days=1)


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


def written(text, line=3, before=9):
    """Return a text that begins behind `query = '`, or where it is said to, and goes on at the margin."""
    return Written(
        text=text,
        places=tuple((line + n, 0 if n else before) for n in range(text.count("\n") + 1)),
    )


def asking(query, **fields):
    return rule_text(query=written(query), **fields)


def scoring(threshold, *terms, **fields):
    found = tuple(
        WeightedTerm(query=written(query, line=6 + n, before=1), weight=weight)
        for n, (query, weight) in enumerate(terms)
    )
    return rule_text(score=ScoreText(threshold=threshold, terms=found, line=4), **fields)


def compiled(*texts):
    rules, problems = compile_rules(texts, SOURCES)
    return rules, [str(problem) for problem in problems]


def problems(*texts):
    return compiled(*texts)[1]


def versions(*texts, sources=SOURCES):
    rules, wrong = compile_rules(texts, sources)
    assert wrong == ()
    return {rule.id: rule.version for rule in rules}


# --------------------------------------------------------------------------- what a rule becomes


def test_a_rule_is_compiled():
    text = asking(
        "EU AND\n  strategy",
        sources=("wire",),
        languages=("en", "ru"),
        since=DAY,
        notify=("desk",),
        feed=None,
    )
    (rule,), wrong = compiled(text)
    assert wrong == []
    assert (rule.id, rule.title, rule.notify, rule.feed) == ("eu", "EU", ("desk",), False)
    assert rule.query == parse("EU strategy")
    assert rule.scope == Scope(sources=frozenset({"wire"}), languages=("en", "ru"), since=DAY)
    assert rule.terms == ("EU AND strategy",)


def test_keywords_are_alternatives_and_phrases():
    (rule,), _ = compiled(rule_text("EU", "Central Asia"))
    assert rule.query == Any((Phrase((Word("EU"),)), Phrase((Word("Central"), Word("Asia")))))
    assert rule.terms == ("EU", "Central Asia")
    assert rule.scope == Scope()


def test_a_score_is_compiled():
    (rule,), wrong = compiled(scoring(3, ("EU", 2), ('"Central Asia" OR =CA', 1.5), ("football", -4)))
    assert wrong == []
    terms = ((parse("EU"), 2), (parse('"Central Asia" OR =CA'), 1.5), (parse("football"), -4))
    assert rule.query == Weighted(3, terms)
    assert rule.terms == ("EU (+2)", '"Central Asia" OR =CA (+1.5)', "football (-4)")


@pytest.mark.parametrize("text", [asking("EU"), rule_text("EU"), scoring(1, ("EU", 1))])
def test_a_rule_may_fold_diacritics(text):
    (plain,), _ = compiled(text)
    (folded,), _ = compiled(replace(text, fold=True))
    assert folded.query == Folded(plain.query)
    assert (folded.terms, folded.scope) == (plain.terms, plain.scope)


def test_rules_come_in_the_order_of_their_texts():
    rules, _ = compiled(asking("rule:a", id="b"), asking("rule:c", id="a"), asking("EU", id="c"))
    assert [rule.id for rule in rules] == ["b", "a", "c"]


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


def test_a_query_can_be_tried_as_a_rule():
    assert trial_rule("EU  strategy").query == parse("EU strategy")
    with pytest.raises(QueryError, match="never closed"):
        trial_rule("(EU")


def test_a_query_that_is_tried_takes_no_rules_place():
    """It may refer to any rule, so it must not be named like one: it would refer to itself."""
    with pytest.raises(QueryError):
        parse(f"rule:{trial_rule('EU').id}")


# --------------------------------------------------------------------------- what is wrong


def test_keywords_without_a_word_are_problems_at_their_lines():
    rules, wrong = compiled(rule_text("EU", "!?", "—", "a*b", "strateg*", "C++ & (D)"))
    assert rules == ()
    assert wrong == [
        'rules/eu.toml:4: keyword "!?" has no letter or digit in it, so it could never match',
        'rules/eu.toml:5: keyword "—" has no letter or digit in it, so it could never match',
        'rules/eu.toml:6: keyword "a*b" cannot be looked for: a * stands only at the end of a word, once',
    ]


def test_a_source_that_nobody_answers_to_is_a_mistake():
    assert problems(asking("EU source:(wire OR kazinfrom-en)")) == [
        (
            'rules/eu.toml:3:29: kazinfrom-en selects no source; did you mean "kazinform-en"?\n'
            "    EU source:(wire OR kazinfrom-en)\n                       ^"
        )
    ]


def test_an_example_is_of_a_source_that_the_query_asks_for():
    text = asking("EU source:wire", match=(Example(body="The EU."),))
    assert problems(text) == []


@pytest.mark.parametrize("keyword", ["EU OR Asia", "=EU", '"EU"', "title:EU", "EU NEAR/3 Asia"])
def test_a_keyword_that_looks_like_a_query_gets_a_hint(keyword):
    (hint,) = rule_hints([rule_text("EU", keyword)])
    assert str(hint).startswith(f'rules/eu.toml:4: keyword "{keyword}" is looked for as it stands')


def test_a_keyword_of_two_alphabets_gets_a_hint():
    (hint,) = rule_hints([rule_text("ЕU")])
    assert "letters of two alphabets" in str(hint)


def test_hints_say_where_a_valid_rule_may_mean_otherwise():
    (hint,) = rule_hints([asking("EU and Asia")])
    assert str(hint).startswith("rules/eu.toml:3:13: and is searched for as a word; the operator is AND")


def test_a_mistake_in_a_query_is_shown_where_it_stands_in_the_file():
    assert problems(asking("EU (Asia")) == [
        "rules/eu.toml:3:13: this ( is never closed\n    EU (Asia\n       ^"
    ]
    assert problems(asking("EU\nAND\n Asia OR")) == [
        "rules/eu.toml:5:9: expected a word, a phrase or '(' after OR\n     Asia OR\n            ^"
    ]


def test_a_query_that_only_excludes_is_refused():
    (problem,) = problems(asking("NOT EU"))
    assert problem.startswith("rules/eu.toml:3:10: this only excludes")


def test_each_wrong_term_of_a_score_is_shown():
    wrong = problems(scoring(1, ("EU (", 1), ("Asia", 1), ("OR", 2)))
    assert [problem.partition(" ")[0] for problem in wrong] == ["rules/eu.toml:6:5:", "rules/eu.toml:8:2:"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            scoring(5, ("EU", 2), ("Asia", 2)),
            "rules/eu.toml:4: all terms together weigh 4, so the threshold 5 is never reached",
        ),
        (
            scoring(1, ("EU", 2), ("x OR y", -2), ("lang:en", 1)),
            None,
        ),
        (scoring(0.3, ("EU", 0.1), ("Asia", 0.2)), None),
    ],
)
def test_a_score_must_be_reachable(text, problem):
    assert problems(text) == ([problem] if problem else [])


def test_one_wrong_rule_hides_no_problem_of_another():
    wrong = problems(
        rule_text("!"),
        asking("(", id="other", file="rules/other.toml"),
        asking("rule:nobody", id="third", file="rules/third.toml"),
        asking("EU", id="fourth", file="rules/fourth.toml", match=(Example(body="Asia"),)),
    )
    names = ["eu", "other", "third", "fourth"]
    assert [problem.partition(":")[0] for problem in wrong] == [f"rules/{name}.toml" for name in names]


def test_a_right_rule_is_compiled_beside_wrong_ones():
    rules, wrong = compiled(asking("(", id="wrong"), asking("EU"), asking("rule:x OR Asia", id="refers"))
    assert [rule.id for rule in rules] == ["eu"]
    assert len(wrong) == 2


# --------------------------------------------------------------------------- rules that refer to others


def test_a_reference_to_nobody_is_shown_with_the_nearest_name():
    texts = [asking("EU", id="eu-strategy"), asking("Asia AND\nrule:eu-stratgy", file="rules/b.toml")]
    (problem,) = problems(*texts)
    assert problem.splitlines() == [
        'rules/b.toml:4:1: there is no rule eu-stratgy; did you mean "eu-strategy"?',
        "    rule:eu-stratgy",
        "    ^",
    ]
    assert problems(asking("Asia rule:zzz")) == [
        "rules/eu.toml:3:15: there is no rule zzz\n    Asia rule:zzz\n         ^"
    ]


def test_each_reference_to_nobody_is_shown():
    wrong = problems(asking("rule:a OR rule:b"), asking("rule:c", id="other"))
    assert [problem.partition("\n")[0].rpartition("rule ")[2] for problem in wrong] == [
        "a; known: other",
        "b; known: other",
        "c; known: eu",  # never itself, which would be a circle
    ]


def test_a_reference_of_a_score_is_shown_where_it_stands():
    text = scoring(1, ("EU", 1), ("Asia rule:zzz", 1), ("rule:eu", -1), fold=True)
    assert [problem.splitlines()[0] for problem in problems(text)] == [
        "rules/eu.toml:7:7: there is no rule zzz",
        "rules/eu.toml:8:2: rules refer to each other in a circle: eu -> eu",
    ]


@pytest.mark.parametrize(
    ("queries", "circles"),
    [
        ({"a": "rule:a"}, {"a": "a -> a"}),
        ({"a": "x OR rule:b", "b": "y NOT rule:a"}, {"a": "a -> b -> a", "b": "b -> a -> b"}),
        (
            {"a": "rule:b", "b": "rule:c", "c": "rule:a", "d": "rule:a"},
            {"a": "a -> b -> c -> a", "b": "b -> c -> a -> b", "c": "c -> a -> b -> c"},
        ),
        ({"a": "rule:b", "b": "rule:c rule:d", "c": "rule:d", "d": "x"}, {}),
    ],
)
def test_rules_that_refer_to_each_other_in_a_circle_are_shown(queries, circles):
    texts = [asking(query, id=name, file=f"{name}.toml") for name, query in queries.items()]
    rules, wrong = compiled(*texts)
    assert [problem.partition("\n")[0] for problem in wrong] == [
        f"{name}.toml:3:{10 + queries[name].index('rule')}: rules refer to each other in a circle: {circle}"
        for name, circle in circles.items()
    ]
    assert len(rules) == (0 if circles else len(queries))


def test_any_number_of_rules_may_refer_to_one_another_in_a_row():
    texts = [asking("EU", id="r0"), *(asking(f"rule:r{n - 1} OR x", id=f"r{n}") for n in range(1, 1_500))]
    for ordered in (texts, texts[::-1]):
        rules, wrong = compile_rules(ordered, SOURCES)
        assert (len(rules), wrong) == (1_500, ())


def test_a_rule_that_refers_to_a_wrong_one_is_no_problem_of_its_own():
    rules, wrong = compiled(asking("(", id="wrong"), asking("rule:wrong OR EU"))
    assert rules == ()
    assert len(wrong) == 1


# --------------------------------------------------------------------------- examples


def test_examples_that_turn_out_as_said_are_no_problems():
    text = rule_text(
        "EU",
        match=(Example(body="The EU."), Example(title="EU", body="")),
        no_match=(Example(body="Europe."),),
    )
    assert problems(text) == []


def test_examples_that_turn_out_otherwise_are_problems_at_their_lines():
    text = rule_text(
        "EU",
        "Asia",
        match=(Example(body="Europe.", line=7),),
        no_match=(Example(title="Asia", body="EU and EU", line=9), Example(body="Asia")),
    )
    none_of = "none of 2 alternatives holds: "
    none_of += '"EU" does not occur in title or body; "Asia" does not occur in title or body'
    assert problems(text) == [
        f'rules/eu.toml:7: example should match rule "eu", but {none_of}: "Europe."',
        'rules/eu.toml:9: example should not match rule "eu", but "Asia", "EU" are in it: "Asia EU and EU"',
        'rules/eu.toml:1: example should not match rule "eu", but "Asia" is in it: "Asia"',
    ]


def test_an_example_that_matches_without_any_word_is_said_so():
    text = asking("lang:ru", no_match=(Example(body="Азия", line=7),))
    assert problems(text) == [
        'rules/eu.toml:7: example should not match rule "eu", but "ru" is in it: "Азия"'
    ]


def test_an_example_is_of_a_source_that_the_rule_is_about():
    text = rule_text("EU", sources=("wire",), match=(Example(body="EU"),))
    assert problems(text) == []
    (problem,) = problems(replace(text, match=(Example(body="EU", source="kazinform-en"),)))
    assert problem.endswith('rule "eu", but it looks at other sources than kazinform-en: "EU"')


def test_an_example_has_the_tags_of_its_source():
    text = asking("EU source:tag:official", match=(Example(body="EU", source="kazinform-en"),))
    assert problems(text) == []
    assert problems(replace(text, no_match=(Example(body="EU", source="wire"),))) == []


@pytest.mark.parametrize(
    ("example", "language"),
    [
        (Example(body="санкциями"), "ru"),
        (Example(body="санкциями", language="kk"), "kk"),
        (Example(body="sanctions", source="kazinform-ru"), "ru"),
        (Example(body="Қазақстанға"), "kk"),
        (Example(body="sanctions"), "en"),
    ],
)
def test_an_example_is_in_the_language_that_it_or_its_source_or_its_text_says(example, language):
    wrong = problems(asking(f"lang:{language}", match=(example,), languages=(language,)))
    assert wrong == []


def test_an_example_is_matched_as_an_item_of_its_language():
    text = asking("санкция", match=(Example(body="санкциями"),), no_match=(Example(body="санкт"),))
    assert problems(text) == []
    assert len(problems(replace(text, match=(Example(body="санкциями", language="tlh"),)))) == 1


def test_an_example_has_just_been_published():
    assert problems(asking("EU", since=timedelta(minutes=1), match=(Example(body="EU"),))) == []


def test_examples_may_hold_by_another_rule():
    texts = [asking("rule:asia EU", match=(Example(body="EU in Asia"),)), asking("Asia", id="asia")]
    assert problems(*texts) == []
    failing = replace(texts[0], match=(Example(body="EU in Africa"),))
    assert problems(failing, texts[1]) == [
        'rules/eu.toml:1: example should match rule "eu", but the rule asia does not hold: "EU in Africa"'
    ]


def test_a_score_that_fails_an_example_shows_its_sum():
    text = scoring(3, ("EU", 2), ("Asia", 2), match=(Example(body="EU", line=9),))
    (problem,) = problems(text)
    assert problem.startswith(
        'rules/eu.toml:9: example should match rule "eu", but the score is 2, below 3: EU +2; Asia does not'
    )


def test_a_rule_without_sources_is_not_held_to_its_examples():
    assert problems(rule_text("EU", sources=("nobody",), match=(Example(body="Asia"),))) == []


def test_a_long_example_is_shown_in_part():
    (problem,) = problems(rule_text("EU", match=(Example(body="long " * 100),)))
    assert len(problem) < 200
    assert problem.endswith('…"')


# --------------------------------------------------------------------------- versions

EU = asking("EU AND strategy")


@pytest.mark.parametrize(
    "same",
    [
        replace(EU, title="Other"),
        replace(EU, notify=("chat",)),
        replace(EU, feed=None),
        replace(EU, file="rules/x.toml", line=9),
        replace(EU, match=(Example(body="EU strategy"),)),
        asking("EU strategy"),
        asking("# what we do\nEU\n  strategy # and why"),
        asking("EU (strategy)"),
        replace(EU, query=written("EU AND strategy", line=8, before=20)),
    ],
)
def test_what_decides_nothing_about_a_match_keeps_the_version(same):
    assert [*versions(same).values()] == [*versions(EU).values()]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"languages": ("en", "ru")}, {"languages": ("ru", "en")}),
        ({"sources": ("wire", "kazinform-en")}, {"sources": ("kazinform-e*", "wire")}),
        ({"sources": ("tag:official",)}, {"sources": ("kazinform-*",)}),
        ({"since": DAY}, {"since": timedelta(hours=24)}),
    ],
)
def test_another_way_to_say_the_same_keeps_the_version(one, other):
    assert versions(replace(EU, **one)) == versions(replace(EU, **other))


DIFFERENT = [
    EU,
    asking("EU OR strategy"),
    asking("EU AND strategies"),
    asking("eu AND strategy"),
    asking("=EU AND strategy"),
    asking('"EU strategy"'),
    asking("EU NEAR/4 strategy"),
    asking("EU NEAR/5 strategy"),
    asking("EU BEFORE/5 strategy"),
    asking("title:(EU AND strategy)"),
    asking("EU AND strategy*"),
    asking("/EU/ AND strategy"),
    replace(EU, fold=True),
    replace(EU, sources=("wire",)),
    replace(EU, sources=("nobody",)),
    replace(EU, languages=("en",)),
    replace(EU, languages=("en", "ru")),
    replace(EU, since=DAY),
    replace(EU, since=2 * DAY),
    rule_text("EU"),
    rule_text("EU", "strategy"),
    scoring(1, ("EU", 1), ("strategy", 1)),
    scoring(2, ("EU", 1), ("strategy", 1)),
    scoring(1, ("EU", 1), ("strategy", 2)),
    scoring(1, ("EU", 1)),
    scoring(1, ("EU", 1), ("strategy", -1)),
]


def test_what_decides_about_a_match_changes_the_version():
    found = [version for text in DIFFERENT for version in versions(text).values()]
    assert len(set(found)) == len(DIFFERENT) == len(found)


def test_a_rule_has_another_version_when_one_that_it_refers_to_changes():
    texts = [asking("rule:b OR x", id="a"), asking("rule:c OR y", id="b"), asking("z", id="c")]
    before = versions(*texts)
    after = versions(*texts[:2], asking("zz", id="c"))
    assert {name for name in before if before[name] != after[name]} == {"a", "b", "c"}
    after = versions(*texts[:2], asking("z # as before", id="c"))
    assert before == after


def test_a_rule_keeps_its_version_when_one_changes_that_it_does_not_refer_to():
    texts = [asking("rule:b OR x", id="a"), asking("y", id="b"), asking("z", id="c")]
    before, after = versions(*texts), versions(*texts[:2], asking("rule:a", id="c"))
    assert {name for name in before if before[name] != after[name]} == {"c"}


def test_two_references_that_change_places_change_the_version():
    one = [asking("rule:a NOT rule:b", id="x"), asking("y", id="a"), asking("z", id="b")]
    other = [one[0], asking("z", id="a"), asking("y", id="b")]
    assert versions(*one)["x"] != versions(*other)["x"]


def test_a_rule_has_another_version_when_its_sources_are_others():
    text = replace(EU, sources=("tag:official",))
    fewer = (SOURCES[0], replace(SOURCES[1], tags=("ru",)), SOURCES[2])
    assert versions(text) != versions(text, sources=fewer)
    assert versions(text) == versions(text, sources=(*SOURCES, Source(id="new", title="", urls=())))


@pytest.mark.parametrize("query", ["EU source:tag:official", "EU NOT source:(wire OR tag:official)"])
def test_so_it_has_when_a_tag_in_its_query_is_that_of_other_sources(query):
    text, referring = asking(query), asking("rule:eu y", id="referring")
    fewer = (SOURCES[0], replace(SOURCES[1], tags=("ru",)), SOURCES[2])
    before, after = versions(text, referring), versions(text, referring, sources=fewer)
    assert {name for name in before if before[name] != after[name]} == {"eu", "referring"}
    assert versions(text) == versions(text, sources=(*SOURCES, Source(id="new", title="", urls=())))


def test_so_it_has_not_when_its_query_names_sources_by_id():
    """Whether an item is of such a source never changes."""
    text = asking("EU source:(wire OR kaz*)")
    more = (*SOURCES, Source(id="kazinform-kk", title="", urls=()))
    assert versions(text) == versions(text, sources=more)
