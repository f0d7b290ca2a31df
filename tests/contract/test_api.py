"""What the JSON API lists: each thing once, in an order that is kept, however late it came."""

import re
from dataclasses import replace

import pytest

from syndicate.model import DeliveryState
from syndicate.store.api import DeliveryFilter, MatchFilter
from syndicate.store.pages import Shown
from syndicate.store.protocol import RuleState
from syndicate.store.sql_api import REACH_SQL, arrivals_sql, deliveries_sql, matches_sql
from syndicate.store.sqlite import SqliteStore
from tests.contract.conftest import of_sqlite
from tests.contract.making import EU, HOUR, MINUTE, START, Watch, entry, made, read, source

WATER = Watch(rule="water", word="water", notify=())
BOTH = (EU, WATER)


@pytest.fixture
def desk(store, clock):
    """A store of two sources and two rules, a day after what they report was published."""
    clock.forward(24 * HOUR)
    store.configure([source("wire"), source("ledger")], [watch.state for watch in BOTH])
    return store


def at(hours: int):
    return START + hours * HOUR


def told(matches):
    return [(stored.match.rule, stored.item.title) for stored in matches]


def followed(desk, after=0, rule=None, limit=50):
    return told(desk.api.arrivals(after, rule, limit).matches)


def test_items_are_listed_whole_newest_first(desk):
    read(desk, entry("a", "EU water", published=at(1)), entry("b", "b", published=at(2)), watches=BOTH)
    second, first = desk.api.items(Shown())
    assert (second.item.title, second.rules) == ("b", ())
    assert (first.item.body, first.item.guid, first.rules) == ("The text of a.", "guid-a", ("eu", "water"))
    assert [found.item.id for found in desk.api.items(Shown(rule="water"))] == [1]


def test_matches_are_listed_by_when_their_items_were_published(desk, clock):
    read(desk, entry("a", "EU two", published=at(2)), entry("b", "EU water", published=at(3)), watches=BOTH)
    clock.forward(MINUTE)
    read(desk, entry("c", "EU one", published=at(1)), watches=BOTH)
    listed = desk.api.matches
    assert told(listed(MatchFilter())) == [
        ("water", "EU water"),
        ("eu", "EU water"),
        ("eu", "EU two"),
        ("eu", "EU one"),
    ]
    assert told(listed(MatchFilter(rule="water"))) == [("water", "EU water")]
    assert told(listed(MatchFilter(since=at(3)))) == [("water", "EU water"), ("eu", "EU water")]
    assert told(listed(MatchFilter(rule="none"))) == []


@pytest.mark.parametrize("which", [MatchFilter(limit=3), MatchFilter(limit=3, rule="eu")])
def test_pages_of_matches_follow_one_another_without_gap_or_repetition(desk, which):
    entries = [entry(f"{n}", f"EU water {n}", published=at(n // 4)) for n in range(10)]
    read(desk, *entries, watches=BOTH)
    found, before = [], None
    while page := desk.api.matches(replace(which, before=before)):
        found += told(page)
        last = page[-1]
        before = (last.item.order, last.item.id, last.match.rule)
    assert len(found) == len(set(found)) == (10 if which.rule else 20)
    assert found == told(desk.api.matches(replace(which, limit=100)))


def test_who_follows_misses_nothing_that_came_late_or_is_dated_back(desk, clock):
    read(desk, entry("a", "EU one", published=at(9)), watches=BOTH)
    seen = desk.api.last_arrival()
    clock.forward(-HOUR)  # the clock of the machine was set back
    read(desk, entry("b", "EU old", published=at(1)), watches=BOTH)
    clock.forward(2 * HOUR)
    read(desk, entry("c", "EU undated", published=None), watches=BOTH)
    arrived = desk.api.arrivals(seen, None, 50)
    assert told(arrived.matches) == [("eu", "EU old"), ("eu", "EU undated")]
    assert (arrived.last, arrived.is_more) == (desk.api.last_arrival(), False)
    assert desk.api.arrivals(arrived.last, None, 50).matches == ()


def test_a_match_that_ended_is_told_again_when_it_begins_anew_and_not_when_it_goes_on(desk, clock):
    for title in ("EU one", "EU edited", "nothing", "EU again"):
        clock.forward(MINUTE)
        read(desk, entry("a", title, published=at(1)), watches=BOTH)
        if title == "EU edited":
            assert desk.api.last_arrival() == 1
        if title == "nothing":
            assert followed(desk) == []
    assert followed(desk, after=1) == [("eu", "EU again")]


def test_who_follows_gets_some_at_once_and_is_told_of_more(desk):
    read(desk, *(entry(f"{n}", f"EU {n}") for n in range(7)), watches=BOTH)
    found: list[object] = []
    after, is_more = 0, True
    while is_more:
        arrived = desk.api.arrivals(after, None, 3)
        found, after, is_more = [*found, *told(arrived.matches)], arrived.last, arrived.is_more
    assert found == [("eu", f"EU {n}") for n in range(7)]


def test_what_a_rule_leaves_out_is_passed_over_so_far_at_once(desk):
    api = replace(desk.api, arrivals_at_once=4)
    read(desk, *(entry(f"{n}", f"EU {n}") for n in range(9)), entry("w", "water"), watches=BOTH)
    found: list[object] = []
    after, is_more = 0, True
    while is_more:
        arrived = api.arrivals(after, "water", 3)
        found.append(told(arrived.matches))
        after, is_more = arrived.last, arrived.is_more
    assert found == [[], [], [("water", "water")]]


def test_a_rule_that_is_renamed_takes_along_how_its_matches_came_and_no_number_comes_back(desk):
    read(desk, entry("a", "EU one"), watches=BOTH)
    last = desk.api.last_arrival()
    desk.configure(
        [source("wire")],
        [RuleState(id="union", version="1", feed=True, renamed_from=("eu",)), WATER.state],
    )
    assert followed(desk) == [("union", "EU one")]
    union = Watch(rule="union", renamed_from=("eu",))
    read(desk, entry("b", "EU two"), watches=[union])
    assert followed(desk, after=last) == [("union", "EU two")]
    assert desk.api.last_arrival() > last


def test_matches_of_no_configured_rule_are_not_listed_and_yet_told_to_who_follows(desk):
    read(desk, entry("a", "EU water"), watches=BOTH)
    desk.configure([source("wire")], [WATER.state])
    assert told(desk.api.matches(MatchFilter())) == [("water", "EU water")]
    assert sorted(followed(desk)) == [("eu", "EU water"), ("water", "EU water")]  # or it would never be


def test_deliveries_are_listed_page_by_page(desk, clock):
    made(desk, *"abc")
    clock.forward(HOUR)
    made(desk, *"de")
    listed = desk.api.deliveries
    whole = [each.id for each in listed(DeliveryFilter())]
    assert len(whole) == 5
    assert whole[:2] == [each.id for each in listed(DeliveryFilter(since=clock.now))]
    assert whole[2:] == [each.id for each in listed(DeliveryFilter(before=whole[1]))]
    assert whole[2:4] == [each.id for each in listed(DeliveryFilter(before=whole[1], limit=2))]
    assert whole == [each.id for each in listed(DeliveryFilter(endpoint="desk"))]
    assert whole == [each.id for each in listed(DeliveryFilter(state=DeliveryState.WAITING))]
    assert listed(DeliveryFilter(endpoint="none")) == listed(DeliveryFilter(state=DeliveryState.DEAD)) == []
    assert listed(DeliveryFilter(before="none")) == []


# --------------------------------------------------------------------------- however much is stored

PLACE = (START, 7, "eu")
STATEMENTS = [
    *(
        matches_sql(which)
        for which in (
            MatchFilter(),
            MatchFilter(rule="eu"),
            MatchFilter(since=START),
            MatchFilter(rule="eu", since=START, before=PLACE),
            MatchFilter(before=PLACE),
        )
    ),
    REACH_SQL,
    arrivals_sql(of_rule=True),
    arrivals_sql(of_rule=False),
    *(
        deliveries_sql(which)
        for which in (
            DeliveryFilter(),
            DeliveryFilter(endpoint="desk"),
            DeliveryFilter(state=DeliveryState.DELIVERED),
            DeliveryFilter(since=START, before="a"),
            DeliveryFilter(endpoint="desk", state=DeliveryState.DELIVERED, since=START, before="a"),
        )
    ),
]


@of_sqlite
@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_list_is_read_off_an_index(desk, sql):
    steps = plan(desk, sql)
    assert [step for step in steps if "TEMP B-TREE" in step] == []
    assert {step for step in steps if step.startswith("SCAN") and "INDEX" not in step} <= {
        "SCAN rules",
        "SCAN reached",
    }


@of_sqlite
@pytest.mark.parametrize("state", [DeliveryState.DEAD, DeliveryState.HELD, DeliveryState.WAITING])
@pytest.mark.parametrize("endpoint", [None, "desk"])
def test_deliveries_in_a_state_of_few_are_found_by_that(desk, state, endpoint):
    for more in ({}, {"since": START}, {"since": START, "before": "a"}):
        steps = plan(desk, deliveries_sql(DeliveryFilter(state=state, endpoint=endpoint, **more)))
        (found,) = (step for step in steps if re.match(r"(SEARCH|SCAN) d\b", step))
        assert re.search(r"USING INDEX deliveries_(dead|held|due|waiting|by_state)\b", found), steps


def plan(store: SqliteStore, sql: str) -> list[str]:
    names = [
        "rule",
        "since",
        "order",
        "item",
        "last_rule",
        "limit",
        "after",
        "last",
        "most",
        "endpoint",
        "before",
    ]
    with store.api.read() as db:
        rows = db.execute(f"EXPLAIN QUERY PLAN {sql}", dict.fromkeys([*names, "before"], 1)).fetchall()
    return [row["detail"] for row in rows]
