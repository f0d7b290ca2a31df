"""What the pages show: stories where they began, each once, by any filter, newest first."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from syndicate.model import Wanted
from syndicate.store.pages import Shown
from syndicate.store.protocol import RuleState
from syndicate.store.sql_pages import (
    BUSIEST_SQL,
    DAYS_SQL,
    LAST_SQL,
    SHARES_SQL,
    items_sql,
    places_sql,
    stories_sql,
)
from syndicate.store.sqlite import SqliteStore
from syndicate.store.sqlite_connections import Fts5Words
from tests.contract.conftest import of_sqlite
from tests.contract.making import EU, HOUR, MINUTE, START, Watch, entry, read, source

WATER = Watch(rule="water", word="water")
BOTH = (EU, WATER)
ALIKE = "European leaders adopt the EU strategy for the five states of Central Asia in Samarkand on Friday"
FILTERS = [
    Shown(),
    Shown(rule="eu"),
    Shown(source="wire"),
    Shown(language="ru"),
    Shown(since=START),
    Shown(rule="eu", source="wire", language="ru", since=START),
    Shown(before=(START, 7)),
    Shown(rule="eu", before=(START, 7)),
    Shown(source="wire", before=(START, 7)),
]


@pytest.fixture
def desk(store, clock):
    """A store of two sources and two rules, a day after what they report was published."""
    clock.forward(24 * HOUR)
    store.configure([source("wire"), source("ledger")], [watch.state for watch in BOTH])
    return store


def titles(stories):
    return [told.first.title for told in stories]


def at(hours: int):
    return START + hours * HOUR


def test_stories_are_shown_by_when_they_were_published_whenever_they_came(desk, clock):
    read(desk, entry("b", "EU two", published=at(2)), entry("a", "EU three", published=at(3)), watches=BOTH)
    clock.forward(MINUTE)
    read(desk, entry("c", "EU one", published=at(1)), entry("d", "Other", published=at(9)), watches=BOTH)
    assert titles(desk.pages.stories(Shown())) == ["EU three", "EU two", "EU one"]
    assert desk.pages.newest_item() == 4


def test_a_story_shows_why_and_marks_its_title(desk):
    read(desk, entry("a", "The EU and water", published=at(1)), watches=BOTH)
    (told,) = desk.pages.stories(Shown())
    assert [(held.match.rule, held.match.snippet.marks) for held in told.rules] == [
        ("eu", ((4, 6),)),
        ("water", ((11, 16),)),
    ]
    assert [[(hit.start, hit.end) for hit in held.title_hits] for held in told.rules] == [
        [(4, 6)],
        [(11, 16)],
    ]


def test_a_story_that_others_report_stays_where_it_began(desk, clock):
    read(desk, entry("a", f"{ALIKE}.", body=ALIKE, published=at(1)), watches=BOTH)
    read(desk, entry("x", "EU later", published=at(2)), watches=BOTH)
    clock.forward(MINUTE)
    read(desk, entry("b", ALIKE, body=ALIKE, published=at(5)), name="ledger", watches=BOTH)
    later, first = desk.pages.stories(Shown())
    assert later.first.title == "EU later"
    assert [(other.source, other.title) for other in first.others] == [("ledger", ALIKE)]
    (of_ledger,) = desk.pages.stories(Shown(source="ledger"))
    assert (of_ledger.first.source, of_ledger.others[0].source) == ("ledger", "wire")


def test_filters_restrict_and_can_be_combined(desk):
    read(
        desk,
        entry("a", "EU one", language="en", published=at(1)),
        entry("b", "EU two", language="ru", published=at(2)),
        entry("c", "water three", language="ru", published=at(3)),
        watches=BOTH,
    )
    read(desk, entry("d", "EU four", language="ru", published=at(4)), name="ledger", watches=BOTH)
    shown = desk.pages.stories
    assert titles(shown(Shown(rule="water"))) == ["water three"]
    assert titles(shown(Shown(source="ledger"))) == ["EU four"]
    assert titles(shown(Shown(language="en"))) == ["EU one"]
    assert titles(shown(Shown(since=at(3)))) == ["EU four", "water three"]
    assert titles(shown(Shown(rule="eu", language="ru", source="wire", since=at(1)))) == ["EU two"]
    assert titles(shown(Shown(rule="none"))) == []
    assert titles(shown(Shown(after=3))) == ["EU four"]


@pytest.mark.parametrize("which", [Shown(), Shown(rule="eu"), Shown(source="wire"), Shown(language="en")])
def test_pages_follow_one_another_without_gap_or_repetition(desk, which):
    entries = [entry(f"{n}", f"EU {n}", language="en", published=at(n // 3)) for n in range(20)]
    read(desk, *entries, watches=BOTH)
    found, before = [], None
    while page := desk.pages.stories(replace(which, before=before, limit=7)):
        found += titles(page)
        before = (page[-1].first.order, page[-1].first.item)
    assert sorted(found) == sorted(f"EU {n}" for n in range(20))
    assert found == titles(desk.pages.stories(replace(which, limit=100)))


def test_what_has_ended_or_is_no_rule_any_more_is_not_shown(desk):
    read(desk, entry("a", "EU one", published=at(1)), entry("b", "water", published=at(2)), watches=BOTH)
    read(desk, entry("a", "Nothing of that", published=at(1)), watches=BOTH)
    assert titles(desk.pages.stories(Shown())) == ["water"]
    desk.configure([source("wire"), source("ledger")], [EU.state])
    assert desk.pages.stories(Shown()) == []


def test_an_edit_that_moves_an_item_moves_its_story(desk, clock):
    read(desk, entry("a", "EU one", published=at(1)), entry("b", "EU two", published=at(2)), watches=BOTH)
    clock.forward(HOUR)
    read(desk, entry("a", "EU one, updated", published=at(5)), watches=BOTH)
    assert titles(desk.pages.stories(Shown())) == ["EU one, updated", "EU two"]
    assert titles(desk.pages.stories(Shown(rule="eu"))) == ["EU one, updated", "EU two"]
    assert desk.pages.last_matches(["eu", "water"]) == {"eu": at(5)}


def test_matches_are_counted_by_day_source_and_rule(desk):
    read(desk, *(entry(f"{n}", f"EU {n}", published=at(n)) for n in range(-3, 3)), watches=BOTH)
    read(desk, entry("w", "EU water", published=at(1)), name="ledger", watches=BOTH)
    pages = desk.pages
    yesterday, today = date(2026, 11, 23), date(2026, 11, 24)
    assert pages.matches_by_day(START - 30 * 24 * HOUR, ["eu", "water", "none"]) == {
        "eu": {yesterday: 1, today: 6},
        "water": {today: 1},
    }
    assert pages.matches_by_day(START, ["eu"]) == {"eu": {today: 4}}
    assert pages.busiest_rules(START, 5) == ["eu", "water"]
    assert pages.busiest_rules(START, 1) == ["eu"]
    assert pages.matches_by_source("eu", START) == {"wire": 3, "ledger": 1}


def test_items_are_listed_with_their_rules_whether_or_not_any_holds(desk):
    read(
        desk,
        entry("a", "EU water", body="x" * 500, published=at(1)),
        entry("b", "", summary="A summary", published=at(2)),
        watches=BOTH,
    )
    second, first = desk.pages.listed_items(Shown())
    assert (second.head.title, second.rules) == ("A summary", ())
    assert (first.head.title, first.rules, len(first.excerpt)) == ("EU water", ("eu", "water"), 240)
    assert [each.head.title for each in desk.pages.listed_items(Shown(rule="water"))] == ["EU water"]
    assert [each.head.item for each in desk.pages.listed_items(Shown(source="wire", limit=1))] == [2]
    assert desk.pages.listed_items(Shown(source="ledger")) == []


def test_words_are_sought_from_what_was_kept_last_on(desk):
    pages = replace(desk.pages, sought_at_once=4)
    read(desk, *(entry(f"{n}", f"EU water {n}", language="en", published=at(1)) for n in range(10)))
    water = [Wanted(column="words", words=("water",))]
    sought, found = pages.sought_items(water, None, Shown(limit=3)), []
    while sought.before is not None:
        found += [each.item.id for each in sought.found]
        sought = pages.sought_items(water, sought.before, Shown(limit=3))
    found += [each.item.id for each in sought.found]
    assert found == list(range(10, 0, -1))
    assert pages.sought_items([], None, Shown()).found == ()
    assert len(pages.sought_items(None, None, Shown()).found) == 10


def test_what_a_filter_leaves_out_is_passed_over_so_far_at_once(desk):
    pages = replace(desk.pages, sought_at_once=4)
    read(desk, entry("first", "EU water"), name="ledger")
    read(desk, *(entry(f"{n}", f"EU water {n}", language="en") for n in range(9)))
    water, of_ledger = [Wanted(column="words", words=("water",))], Shown(source="ledger")
    sought, passed = pages.sought_items(water, None, of_ledger), 0
    while not sought.found:
        assert sought.before is not None
        sought, passed = pages.sought_items(water, sought.before, of_ledger), passed + 1
    assert ([each.item.id for each in sought.found], sought.before, passed) == ([1], None, 2)


def test_versions_of_a_rule_are_kept_as_they_were_in_force(desk, clock):
    def configure(version, rule="eu", terms=("EU",), **fields):
        clock.forward(HOUR)
        state = RuleState(id=rule, version=version, feed=True, terms=terms, **fields)
        desk.configure([source("wire")], [state])
        return clock.now

    first = desk.pages.rule_versions("eu", 9)[0].since
    again = configure("1", terms=("EU", "another spelling of the same"))
    second = configure("2", terms=("EU", "Union"))
    third = configure("1")
    found = desk.pages.rule_versions("eu", 9)
    assert [(each.version, each.since, each.terms) for each in found] == [
        ("1", third, ("EU",)),
        ("2", second, ("EU", "Union")),
        ("1", first, ()),
    ]
    assert again not in [each.since for each in found]
    configure("1", "union", renamed_from=("eu",))
    assert [each.version for each in desk.pages.rule_versions("union", 2)] == ["1", "2"]
    assert desk.pages.rule_versions("eu", 9) == []


def test_matches_of_an_item_are_told_with_those_that_have_ended(desk):
    read(desk, entry("a", "EU water", published=at(1)), watches=BOTH)
    read(desk, entry("a", "EU alone", published=at(1)), watches=BOTH)
    eu, water = desk.pages.matches_of_item(1)
    assert (eu.match.rule, eu.ended_at) == ("eu", None)
    assert (water.match.rule, water.ended_at is None) == ("water", False)
    assert desk.pages.matches_of_item(2) == []


# --------------------------------------------------------------------------- however much is stored


@of_sqlite
@pytest.mark.parametrize("which", FILTERS, ids=repr)
@pytest.mark.parametrize("made", [stories_sql, items_sql])
def test_a_page_of_stories_or_items_is_read_off_an_index(desk, which, made):
    steps = plan(desk, made(which))
    assert [step for step in steps if "TEMP B-TREE" in step] == []
    assert {step for step in steps if step.startswith("SCAN") and "INDEX" not in step} <= {"SCAN rules"}


@of_sqlite
def test_what_came_lately_is_found_by_its_ids(desk):
    steps = plan(desk, stories_sql(Shown(after=7)))
    assert any(step == "SEARCH i USING INTEGER PRIMARY KEY (rowid>?)" for step in steps)


@of_sqlite
@pytest.mark.parametrize("sql", [DAYS_SQL, BUSIEST_SQL, LAST_SQL, SHARES_SQL])
def test_counts_read_only_the_days_that_they_are_of(desk, sql):
    steps = plan(desk, sql)
    scanned = {step for step in steps if step.startswith("SCAN")}
    assert scanned <= {"SCAN rules", "SCAN counted", "SCAN r VIRTUAL TABLE INDEX 1:"}


@of_sqlite
@pytest.mark.parametrize("found_by", [None, Fts5Words().condition(":words")])
def test_words_are_sought_without_sorting_what_has_them(desk, found_by):
    assert [step for step in plan(desk, places_sql(found_by)) if "TEMP B-TREE" in step] == []


def plan(store: SqliteStore, sql: str) -> list[str]:
    names = ["rule", "source", "language", "since", "order", "before", "after", "limit"]
    values = dict.fromkeys([*names, "rules", "words", "most"], 1)
    with store.pages.read() as db:
        rows = db.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    return [row["detail"] for row in rows]


def test_nothing_is_shown_of_nothing(store):
    pages = store.pages
    assert pages.stories(Shown(since=START - timedelta(days=1))) == []
    assert (pages.newest_item(), pages.busiest_rules(START, 5), pages.last_matches([])) == (0, [], {})
