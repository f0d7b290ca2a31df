"""Looking back: which items there are to ask about, in order, each looked up once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syndicate.model import Wanted
from syndicate.store.searching import ItemFilter
from syndicate.store.sql_items import conditions
from syndicate.store.sql_search import HELD_SQL, SEARCHED_SQL, candidates_sql
from syndicate.store.sqlite import SqliteStore
from syndicate.store.sqlite_connections import Fts5Words
from tests.contract.conftest import of_sqlite
from tests.contract.making import EU, HOUR, START, Watch, entry, read, source

WATER = Watch(rule="water", word="water")
EVERYTHING = ItemFilter()


@pytest.fixture
def archive(store, clock):
    """Three items of the wire and one of the ledger, at one to four hours."""
    clock.forward(24 * HOUR)
    store.configure([source("wire"), source("ledger")], [EU.state, WATER.state])
    for hour, title in ((2, "EU two"), (1, "EU one"), (3, "Ice three")):
        read(store, entry(title, title, published=START + hour * HOUR), watches=[EU, WATER])
    read(store, entry("four", "EU four", published=START + 4 * HOUR), name="ledger", watches=[EU, WATER])
    return store


def titles(store, which=EVERYTHING):
    return [item.title for item in store.search.searched(store.search.candidates(which))]


def test_all_items_are_candidates_newest_first(archive):
    assert titles(archive) == ["EU four", "Ice three", "EU two", "EU one"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"source": "wire"}, ["Ice three", "EU two", "EU one"]),
        ({"since": START + 2 * HOUR}, ["EU four", "Ice three", "EU two"]),
        ({"any_of": [Wanted(column="words", words=("ice",))]}, ["Ice three"]),
        ({"any_of": [Wanted(column="words", words=("eu",))]}, ["EU four", "EU two", "EU one"]),
        (
            {"any_of": [Wanted(column="words", words=("ice",))], "or_rule": "eu", "source": "wire"},
            ["Ice three", "EU two", "EU one"],
        ),
        ({"any_of": []}, []),
        ({"rule": "eu"}, ["EU four", "EU two", "EU one"]),
        ({"id": 3}, ["Ice three"]),
        ({"limit": 1, "before": (START, 1)}, ["EU four", "Ice three", "EU two", "EU one"]),
    ],
)
def test_candidates_are_those_that_the_filter_holds_for(archive, fields, expected):
    assert titles(archive, ItemFilter(**fields)) == (
        expected or ["Ice three", "EU two", "EU one"][: 3 if expected is None else 0]
    )


@pytest.mark.parametrize("fields", [{}, {"source": "wire"}, {"since": START + 2 * HOUR}, {"rule": "eu"}])
@pytest.mark.parametrize("word", ["eu", "ice", "none", None])
def test_candidates_are_what_a_listing_has(archive, fields, word):
    any_of = None if word is None else [Wanted(column="words", words=(word,))]
    which = ItemFilter(**fields, any_of=any_of)
    assert list(archive.search.candidates(which)) == [found.item.id for found in archive.items(which)]


def test_an_item_is_read_as_a_listing_has_it(archive):
    (item,) = archive.search.searched([2])
    stored = next(found.item for found in archive.items(EVERYTHING) if found.item.id == 2)
    for name in ("id", "source", "revision", "story", "link", "title", "body", "author", "categories"):
        assert getattr(item, name) == getattr(stored, name), name
    for name in ("language", "published", "changed_at", "order"):
        assert getattr(item, name) == getattr(stored, name), name


def test_items_are_read_in_the_order_asked_for_without_those_that_are_gone(archive):
    assert [item.id for item in archive.search.searched([3, 99, 1])] == [3, 1]
    assert archive.search.searched([]) == []


def test_the_items_that_a_rule_holds_for_are_told(archive):
    assert set(archive.search.held_items("eu", None)) == {1, 2, 4}
    assert set(archive.search.held_items("eu", START + 2 * HOUR)) == {1, 4}
    assert not archive.search.held_items("water", None)
    assert not archive.search.held_items("none", None)


def test_a_rule_that_is_configured_no_longer_holds_for_nothing(archive):
    archive.configure([source("wire"), source("ledger")], [WATER.state])
    assert not archive.search.held_items("eu", None)


def test_a_match_that_has_ended_is_not_told(archive):
    read(archive, entry("EU two", "Nothing", published=START + 2 * HOUR), watches=[EU, WATER])
    assert set(archive.search.held_items("eu", None)) == {2, 4}


# --------------------------------------------------------------------------- however much there is


def plan(store: SqliteStore, sql: str, values: Any) -> str:
    with store.search.read() as db:
        rows = db.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    return "\n".join(row["detail"] for row in rows)


@of_sqlite
def test_items_are_looked_up_by_their_ids_and_matches_by_their_rule(archive):
    assert "SCAN i" not in plan(archive, SEARCHED_SQL, ["[1]"])
    held = plan(archive, HELD_SQL, {"rule": "eu", "since": ""})
    assert "matches_of_rule_in_order" in held
    assert "SCAN" not in held


@of_sqlite
def test_common_words_are_walked_in_order_and_rare_ones_sorted(archive):
    which = ItemFilter(any_of=[Wanted(column="words", words=("eu",))])
    ((where, words),) = conditions(which, Fts5Words())
    walked = plan(archive, candidates_sql(f"{where} AND i.sort_at >= ''", in_order=True), words)
    assert "items_by_time" in walked
    assert "TEMP B-TREE" not in walked.replace("CREATE BLOOM FILTER", "")
    found = plan(archive, candidates_sql(where, in_order=False), words)
    assert "SEARCH i USING INTEGER PRIMARY KEY" in found


def test_what_many_have_is_found_as_what_few_have(store, clock):
    clock.forward(24 * HOUR)
    store.configure([source("wire")], [EU.state])
    names = [f"{'common' if n % 2 else 'common rare' if n == 40 else 'seldom'} {n}" for n in range(60)]
    moments = [START + timedelta(minutes=n * 37 % 60) for n in range(60)]
    found = [entry(name, name, published=moment) for name, moment in zip(names, moments, strict=True)]
    read(store, *found)
    for word in ("common", "rare"):
        which = replace(EVERYTHING, any_of=[Wanted(column="words", words=(word,))])
        listed = [each.item.id for each in store.items(replace(which, limit=1000))]
        assert list(store.search.candidates(which)) == listed
        assert listed
