"""Rules tried on a real database: what they find, what an edit changes, and why."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syndicate.backfill import Backfill, Known, OneRule, backfill, reach, search, state_of
from syndicate.errors import ConfigError, QueryError
from syndicate.lookback import difference, findings
from syndicate.model import (
    Config,
    Endpoint,
    NetworkSettings,
    RuleText,
    Score,
    ScoreText,
    ServiceSettings,
    Suppressed,
    WeightedTerm,
    Written,
)
from syndicate.rules.compile import compile_rules
from syndicate.store.protocol import STORY_WINDOW
from syndicate.store.searching import ItemFilter
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from syndicate.trial import NO_ID, OUT_OF_SCOPE, explanation, trial_of_query, trial_of_rule, trials_of_file
from tests.contract.making import HOUR, MINUTE, START, Clock, Watch, entry, read, source

DAY = 24 * HOUR
SOURCES = (source("wire", tags=("agency",)), source("post"))
WATER = "water"


def rule_text(rule, query, **fields):
    lines = query.count("\n") + 1
    return RuleText(
        **{
            "id": rule,
            "title": rule.title(),
            "file": f"rules/{rule}.toml",
            "line": 1,
            "query": Written(text=query, places=((1, 9),) * lines),
            **fields,
        }
    )


def config(*texts, folder=Path("/nowhere")):
    return Config(
        path=folder / "config.toml",
        service=ServiceSettings(database=folder / "db", rules=folder / "rules", feeds=folder / "feeds"),
        network=NetworkSettings(),
        sources=SOURCES,
        endpoints=(
            Endpoint(id="desk", url="https://desk.example/"),
            Endpoint(id="chat", url="https://c.example/"),
        ),
        rules=texts,
    )


def known(settings):
    rules, problems = compile_rules(settings.rules, settings.sources)
    assert problems == ()
    return Known(
        rules={rule.id: rule for rule in rules}, tags={each.id: each.tags for each in settings.sources}
    )


def rule_trial(query, rule=WATER, others=(), **fields):
    settings = config(rule_text(rule, query, **fields), *others)
    return trial_of_rule(rule, settings, known(settings))


def query_trial(query, *texts):
    return trial_of_query(query, known(config(*texts)))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    opened = SqliteStore(tmp_path / "syndicate.db", clock)
    opened.configure(SOURCES, [Watch(rule=WATER, word="water").state])
    yield opened
    opened.close()


def the_item(store, name="one"):
    return next(found.item for found in store.items(ItemFilter()) if found.item.guid == f"guid-{name}")


def why_not(store, trial, name="a"):
    why = explanation(store, the_item(store, name), trial).why_not
    assert why is not None
    return why


def titles(items):
    return [item.title for item in items]


# -- what it finds


def test_all_are_counted_and_the_newest_shown(store, clock):
    for day in range(3):
        read(store, *(entry(f"{day}-{n}", f"Water {day}-{n}") for n in range(day + 1)), watches=[])
        clock.forward(DAY)
    read(store, entry("p", "Water in the post"), entry("q", "Rail"), name="post", watches=[])
    found = findings(store, query_trial("water"), ItemFilter(), 2)
    assert found.total == 7
    assert titles(found.items) == ["Water in the post", "Water 2-2"]
    assert list(found.per_source.items()) == [("wire", 6), ("post", 1)]
    assert [(day.isoformat(), count) for day, count in found.per_day.items()] == [
        ("2026-11-27", 1),
        ("2026-11-26", 3),
        ("2026-11-25", 2),
        ("2026-11-24", 1),
    ]
    assert len(findings(store, query_trial("water"), ItemFilter(), None).items) == 7


def test_a_finding_quotes_what_it_rests_on(store):
    read(store, entry(title="No water", categories=("Waters", "Rail")), watches=[])
    (finding,) = findings(store, query_trial("water OR category:waters"), ItemFilter(), None).items
    quotes = [(quote.hit.field, quote.hit.start, quote.text) for quote in finding.quotes]
    assert quotes == [("title", 3, "water"), ("category", 0, "Waters")]
    assert finding.snippet.text == "No water"


def test_more_items_than_a_page_are_found_once_each(store):
    read(store, *(entry(str(number), f"Water {number}") for number in range(1203)), watches=[])
    found = findings(store, query_trial("water"), ItemFilter(), None)
    assert found.total == len({item.id for item in found.items}) == 1203


def test_only_items_of_a_source_and_since_a_time_are_found(store, clock):
    read(store, entry("a", "Water old"), watches=[])
    clock.forward(2 * DAY)
    read(store, entry("b", "Water new"), watches=[])
    read(store, entry("c", "Water post"), name="post", watches=[])
    trial = query_trial("water")
    assert titles(findings(store, trial, ItemFilter(since=START + DAY), None).items) == [
        "Water post",
        "Water new",
    ]
    assert findings(store, trial, ItemFilter(source="post"), None).total == 1


def test_a_rule_with_since_is_asked_as_of_when_an_item_came_in(store, clock):
    old = START - 10 * DAY
    read(
        store,
        entry("old", "Old water", published=old),
        entry("new", "New water", published=START),
        watches=[],
    )
    clock.forward(20 * DAY)
    trial = rule_trial("water", since=timedelta(days=3))
    assert titles(findings(store, trial, ItemFilter(), None).items) == ["New water"]
    assert OneRule(trial.rule, trial.known).match(the_item(store, "new"))
    why = why_not(store, trial, "old")
    assert why.reason == OUT_OF_SCOPE
    assert "too long ago" in why.sentence


def test_a_query_refers_to_the_configured_rules_and_never_to_itself(store):
    read(store, entry("a", "Water and rail"), entry("b", "Rail"), watches=[])
    trial = query_trial("rail NOT rule:query", rule_text("query", "water"))
    assert titles(findings(store, trial, ItemFilter(), None).items) == ["Rail"]
    with pytest.raises(QueryError, match="expected another rule's id right after rule:"):
        query_trial(f"rule:{NO_ID}")
    with pytest.raises(QueryError, match='there is no rule watr; did you mean "water"') as caught:
        query_trial("rail AND\nrule:watr", rule_text("water", "water"))
    assert (caught.value.line, caught.value.column) == (2, 1)


def test_searching_finds_what_a_query_alone_finds(store):
    read(store, entry("a", "Water"), entry("b", "Rail"), watches=[])
    trial = query_trial("water OR rule:rail", rule_text("rail", "rail"))
    found = [found.item.title for found, _ in search(store, trial.rule, ItemFilter(), trial.known)]
    assert sorted(found) == ["Rail", "Water"]


# -- rule files


def test_a_file_anywhere_takes_the_place_of_the_rule_with_its_id(tmp_path):
    settings = config(rule_text(WATER, "water"), rule_text("rail", "rail"), folder=tmp_path)
    (tmp_path / "water.toml").write_text('query = "river AND rule:rail"\nsources = ["tag:agency"]\n')
    (trial,) = trials_of_file(tmp_path / "water.toml", settings, known(settings), {})
    assert (trial.rule.id, trial.query) == (WATER, "river AND rule:rail")
    assert trial.rule.version != known(settings).rules[WATER].version
    assert trial.known.rules.keys() == {WATER, "rail"}
    assert trial.known.rules[WATER] is trial.rule


def test_a_configured_file_is_not_read_again(tmp_path):
    path = tmp_path / "water.toml"
    settings = config(rule_text(WATER, "water", file=str(path)), rule_text("rail", "rail"), folder=tmp_path)
    same = tmp_path / "here/../water.toml"
    (tmp_path / "here").mkdir()
    path.touch()
    (trial,) = trials_of_file(same, settings, known(settings), {})
    assert trial.rule.version == known(settings).rules[WATER].version


def test_a_file_with_several_rules_is_several_trials(tmp_path):
    settings = config(rule_text(WATER, "water"), folder=tmp_path)
    path = tmp_path / "two.toml"
    path.write_text('[[rule]]\nid = "a"\nquery = "rule:b"\n[[rule]]\nid = "b"\nkeywords = ["rail"]\n')
    first, second = trials_of_file(path, settings, known(settings), {})
    assert [first.rule.id, second.rule.id, first.query, second.query] == ["a", "b", "rule:b", None]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('query = "rule:watr"', r'draft\.toml:1:10: there is no rule watr; did you mean "water"'),
        ('query = "water AND"', r"draft\.toml:1:19: expected"),
        ('query = "water"\nsources = ["wir"]', r'draft\.toml:2: .*did you mean "wire"'),
        ('query = "water"\nnotify = ["dask"]', r'draft\.toml:2: .*did you mean "desk"'),
        ('query = "water"\n[examples]\nmatch = ["Rail."]', r"draft\.toml:3: example should match"),
        ('query = "${QUERY}"', r"draft\.toml:1: .*QUERY is not set"),
        ("query = ", r"draft\.toml:1: is not TOML"),
    ],
)
def test_a_file_has_the_problems_that_check_would_have_with_it(text, problem, tmp_path):
    settings = config(rule_text(WATER, "water"), folder=tmp_path)
    (tmp_path / "draft.toml").write_text(text)
    with pytest.raises(ConfigError, match=problem):
        trials_of_file(tmp_path / "draft.toml", settings, known(settings), {})


def test_an_edit_that_breaks_another_rule_is_a_problem(tmp_path):
    settings = config(rule_text(WATER, "water"), rule_text("both", "rule:water AND rail"), folder=tmp_path)
    (tmp_path / "water.toml").write_text('query = "water OR rule:both"')
    with pytest.raises(ConfigError, match="circle"):
        trials_of_file(tmp_path / "water.toml", settings, known(settings), {})


def test_a_file_that_is_not_there_is_a_problem(tmp_path):
    with pytest.raises(ConfigError, match="there is no such file"):
        trials_of_file(tmp_path / "draft.toml", config(), known(config()), {})


# -- what an edit changes


def live(store, *entries, name="wire", notify=("desk",), suppressed=None):
    """Record entries with a rule that holds for titles with `water` in them."""
    watch = Watch(rule=WATER, word="water", notify=notify)
    return read(store, *entries, name=name, watches=[watch], suppressed=suppressed)


def test_what_an_edit_adds_keeps_and_removes(store):
    live(store, entry("a", "water"), entry("b", "water and rail"), entry("c", "rail"), entry("d", "bread"))
    found = difference(store, rule_trial("rail"), START - DAY, None)
    assert (found.kept, titles(found.added.items)) == (1, ["rail"])
    assert (found.removed_total, [each.finding.title for each in found.removed]) == (1, ["water"])
    (removal,) = found.removed
    assert removal.why_not == "rail does not occur in title or body"
    assert [(quote.hit.term, quote.text) for quote in removal.finding.quotes] == [("water", "water")]


def test_an_unedited_rule_changes_nothing(store, clock):
    live(store, entry("a", "water"), entry("b", "rail"))
    clock.forward(DAY)
    found = difference(store, rule_trial("water", since=timedelta(hours=1)), START - DAY, None)
    assert (found.kept, found.added.total, found.removed_total) == (1, 0, 0)


def test_everything_that_a_new_rule_matches_is_added(store):
    live(store, entry("a", "water"))
    found = difference(store, rule_trial("water", rule="new"), START - DAY, None)
    assert (found.kept, found.added.total, found.removed_total) == (0, 1, 0)


def test_counts_are_of_all_when_few_are_shown(store):
    live(
        store,
        *(entry(f"a{n}", f"water {n}") for n in range(5)),
        *(entry(f"b{n}", f"rail {n}") for n in range(4)),
    )
    found = difference(store, rule_trial("rail"), START - DAY, 2)
    assert (found.added.total, len(found.added.items)) == (4, 2)
    assert (found.removed_total, len(found.removed)) == (5, 2)


def test_what_is_older_is_left_out(store, clock):
    live(store, entry("a", "water"), entry("b", "rail"))
    clock.forward(2 * DAY)
    found = difference(store, rule_trial("rail"), clock.now - DAY, None)
    assert (found.added.total, found.removed_total) == (0, 0)


def test_alerts_are_those_that_the_ledger_lacks(store):
    live(store, entry("a", "water"), suppressed=Suppressed.BASELINE)
    live(store, entry("a", "A rail"), name="post")  # the same story
    live(store, entry("b", "B rail"), entry("c", "C rail"))
    live(store, entry("b", "B rail, too"), name="post")
    found = difference(store, rule_trial("rail", notify=("desk", "chat")), START - DAY, None)
    assert found.added.total == 4
    assert found.alerts == {"desk": 2, "chat": 3}


def test_a_rule_without_endpoints_would_alert_nobody(store):
    live(store, entry("a", "rail"))
    assert difference(store, rule_trial("rail"), START - DAY, None).alerts == {}


# -- why


def test_a_match_is_explained_with_what_came_of_it(store):
    live(store, entry("a", "water"))
    item = the_item(store, "a")
    found = explanation(store, item, rule_trial("water", notify=("desk",)))
    assert found.finding
    assert found.stored
    assert [quote.text for quote in found.finding.quotes] == ["water"]
    assert (found.why_not, found.stored.revision) == (None, 1)
    assert [(alert.endpoint, alert.state) for alert in found.alerts] == [("desk", "alerted")]


def test_a_failure_names_its_clause_and_what_was_nearest(store):
    read(store, entry("a", "Water, and after it much else, rail"), watches=[])
    query = "water NEAR/2 rail AND guid*"
    why = why_not(store, query_trial(query), "a")
    assert [query[slice(*part.place)] for part in why.parts] == ["water NEAR/2 rail", "guid*"]
    near, absent = why.parts
    assert [quote.text for quote in near.nearest] == ["Water", "rail"]
    assert near.passage
    assert near.passage.text == "Water, and after it much else, rail"
    assert (near.distance, absent.passage) == (6, None)


def test_keywords_have_no_places_in_a_query(store):
    read(store, entry("a", "Rail"), watches=[])
    settings = config(replace(rule_text(WATER, ""), query=None, keywords=("water", "river")))
    why = why_not(store, trial_of_rule(WATER, settings, known(settings)), "a")
    assert [part.place for part in why.parts] == [None, None]


def test_a_rule_that_does_not_hold_because_of_another_says_why_that_does_not(store):
    read(store, entry("a", "Rail"), watches=[])
    others = [rule_text("rivers", "river AND rail", sources=("post",))]
    why = why_not(store, rule_trial("rail AND rule:rivers", others=others), "a")
    assert why.reason == "rule"
    (scope,) = why.parts
    assert (scope.reason, scope.sentence) == (OUT_OF_SCOPE, "it looks at other sources than wire")
    (absent,) = scope.parts
    assert (absent.clause, absent.place) == ("river", None)


def test_a_rule_that_looks_elsewhere_says_so_and_whether_its_query_would_hold(store):
    read(store, entry("a", "Water"), watches=[])
    why = why_not(store, rule_trial("water", sources=("post",)), "a")
    assert (why.reason, why.parts) == (OUT_OF_SCOPE, ())


def test_a_score_that_is_too_low_says_what_it_has(store):
    read(store, entry("a", "Rail"), watches=[])
    terms = tuple(
        WeightedTerm(query=Written(text=text, places=((1, 1),)), weight=weight)
        for text, weight in (("rail", 2.0), ("water", 3.0))
    )
    text = replace(rule_text(WATER, ""), query=None, score=ScoreText(threshold=4, terms=terms))
    settings = config(text)
    why = why_not(store, trial_of_rule(WATER, settings, known(settings)), "a")
    assert (why.reason, why.score) == ("score", Score(threshold=4, total=2, parts=(("rail", 2),)))
    assert [part.clause for part in why.parts] == ["water"]


# -- applying it


def run_backfill(store, trial, since, alerts_since=None):
    todo = Backfill(rule=trial.rule, since=since, alerts_since=alerts_since)
    call = StoreThread()

    async def run():
        return await backfill(store, call, todo, trial.known, asyncio.Event())

    try:
        return asyncio.run(run())
    finally:
        call.close()


def test_alerts_go_no_further_back_than_asked_for_and_the_oldest_is_told_first(store, clock):
    for name in ("a", "b", "c"):
        read(store, entry(name, f"Rail {name}"), watches=[])
        clock.forward(DAY)
    trial = rule_trial("rail", notify=("desk",))
    store.configure(SOURCES, [state_of(trial.rule)])
    done = run_backfill(store, trial, START - DAY, alerts_since=START + HOUR)
    assert (done.matched, done.new, done.alerts, done.suppressed) == (3, 3, 2, 1)
    told = [item for status in reversed(store.deliveries()) for _, item in status.alerts]
    assert told == [the_item(store, "b").id, the_item(store, "c").id]


def test_only_what_was_published_lately_is_compared_with(store, clock, tmp_path):
    body = "A sentence of some words about how trains are and will be. " * 5
    clock.forward(STORY_WINDOW)
    published = {"a": None, "b": START, "c": START - MINUTE}
    read(
        store,
        *(entry(name, f"Rail {name}", body=body, published=at) for name, at in published.items()),
        watches=[],
    )
    trial = rule_trial("rail")
    store.configure(SOURCES, [state_of(trial.rule)])
    assert run_backfill(store, trial, START - DAY).matched == 3
    with closing(sqlite3.connect(tmp_path / "syndicate.db")) as db:
        found = db.execute("SELECT item FROM fingerprints ORDER BY item").fetchall()
    assert found == [(the_item(store, "a").id,), (the_item(store, "b").id,)]


def test_a_rule_that_is_new_goes_over_the_whole_window():
    assert reach(START - DAY, START, is_new=True) == START - 30 * DAY
    assert reach(START - 90 * DAY, START, is_new=True) == START - 90 * DAY
    assert reach(START - DAY, START, is_new=False) == START - DAY


def test_after_a_backfill_nothing_is_different(store):
    live(store, entry("a", "water"), entry("b", "rail"))
    trial = rule_trial("rail", notify=("desk",))
    store.configure(SOURCES, [state_of(trial.rule)])
    run_backfill(store, trial, START - DAY)
    found = difference(store, trial, START - DAY, None)
    assert (found.kept, found.added.total, found.removed_total) == (1, 0, 0)
    assert store.configure(SOURCES, [state_of(trial.rule)]) == ()
