"""How sources have fared: day by day, the last failure with its answer, and sources that are paused."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from syndicate.model import BadAnswer, PollState
from syndicate.store.sql_watching import DAYS_SQL, OVERVIEW_SQL
from syndicate.store.sqlite import SqliteStore
from tests.contract.conftest import of_sqlite
from tests.contract.making import (
    EU,
    HOUR,
    SECOND,
    START,
    claim_all,
    claimed,
    entry,
    failed,
    gone,
    poll,
    read,
    recorded,
    source,
)

TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)
ANSWER = BadAnswer(
    url="https://elsewhere.example/",
    status=404,
    headers=(("content-type", "text/html"), ("x-say", "Ã¨\xe9")),
    body="<h1>Not \x01found</h1>",
    length_bytes=2_000_000,
)


@pytest.fixture
def desk(store):
    store.configure([source("wire"), source("ledger"), source("third", enabled=False)], [EU.state])
    return store


def unchanged(store, name="wire"):
    recorded(store, poll(claimed(store, name), store, state=PollState.UNCHANGED, status=304))


def days(store, name="wire", since=TODAY - 60 * DAY):
    return [
        (each.day, each.good, each.failed, each.items) for each in store.watch.poll_days([name], since)[name]
    ]


def states(store):
    return {head.id: (head.state, head.needs_somebody) for head in store.watch.overview()}


# --------------------------------------------------------------------------- days


def test_polls_are_counted_by_day_with_what_they_brought(desk, clock):
    read(desk, entry("a"), entry("b"))
    unchanged(desk)
    recorded(desk, failed(claimed(desk), desk))
    clock.forward(DAY)
    unchanged(desk)
    assert days(desk) == [(TODAY, 2, 1, 2), (TODAY + DAY, 1, 0, 0)]
    assert days(desk, since=TODAY + DAY) == [(TODAY + DAY, 1, 0, 0)]
    assert days(desk, "ledger") == []


def test_several_polls_that_end_together_are_each_counted(desk):
    claims = claim_all(desk)
    desk.record_polls([poll(claim, desk, state=PollState.UNCHANGED, status=304) for claim in claims])
    assert days(desk) == days(desk, "ledger") == [(TODAY, 1, 0, 0)]


def test_the_days_of_several_sources_come_together(desk):
    unchanged(desk)
    unchanged(desk, "ledger")
    found = desk.watch.poll_days(["ledger", "wire", "none"], TODAY)
    assert {name: len(each) for name, each in found.items()} == {"ledger": 1, "wire": 1, "none": 0}


def test_days_of_long_ago_are_let_go(desk, clock):
    unchanged(desk)
    unchanged(desk, "ledger")
    clock.forward(41 * DAY)
    unchanged(desk)
    assert [day for day, *_ in days(desk)] == [TODAY + 41 * DAY]
    assert [day for day, *_ in days(desk, "ledger")] == [TODAY]  # until it is polled again


def test_a_poll_under_a_stale_claim_counts_for_nothing(desk, clock):
    claim = claimed(desk)
    clock.forward(HOUR)
    unchanged(desk)
    (late,) = desk.record_polls([poll(claim, desk, state=PollState.UNCHANGED, status=304)])
    assert late.was_stale
    assert days(desk) == [(TODAY, 1, 0, 0)]


# --------------------------------------------------------------------------- failures


def test_the_last_failure_is_kept_with_its_answer_as_it_came_also_once_it_is_over(desk, clock):
    assert desk.watch.last_failure("wire") is None
    recorded(desk, failed(claimed(desk), desk))
    clock.forward(SECOND)
    recorded(desk, failed(claimed(desk), desk, error="the server answered 404", bad_answer=ANSWER))
    unchanged(desk)
    last = desk.watch.last_failure("wire")
    assert (last.at, last.url, last.error) == (
        START + SECOND,
        "https://wire.example/wire.xml",
        "the server answered 404",
    )
    assert last.answer == ANSWER


def test_without_an_answer_there_is_none(desk):
    recorded(desk, failed(claimed(desk), desk))
    assert desk.watch.last_failure("wire").answer is None


def test_what_is_gone_has_failed(desk):
    recorded(desk, replace(gone(claimed(desk), desk), bad_answer=replace(ANSWER, status=410)))
    assert desk.watch.last_failure("wire").answer.status == 410
    assert states(desk)["wire"] == ("gone", True)


# --------------------------------------------------------------------------- pausing


def test_a_paused_source_is_not_polled_until_it_is_resumed(desk, clock):
    assert desk.watch.pause(["wire", "none"]) == 1
    assert desk.watch.pause(["wire"]) == 0
    assert [claim.source.id for claim in claim_all(desk)] == ["ledger"]
    status = desk.watch.statuses(["wire"])["wire"]
    assert (status.state, status.next_poll_at) == ("paused", None)
    desk.poll_now(["wire"])
    assert claim_all(desk) == []
    clock.forward(HOUR)
    assert desk.watch.resume(["wire"]) == 1
    assert desk.watch.resume(["wire"]) == 0
    assert "wire" in [claim.source.id for claim in claim_all(desk)]
    assert desk.watch.statuses(["wire"])["wire"].next_poll_at == clock.now


def test_a_pause_outlasts_a_restart_and_an_edit(desk):
    desk.watch.pause(["wire"])
    moved = source("wire", "elsewhere.example")
    desk.configure([moved, source("ledger")], [])
    assert states(desk)["wire"] == ("paused", False)
    assert [claim.source.id for claim in claim_all(desk)] == ["ledger"]
    desk.watch.resume(["wire"])
    assert [claim.url for claim in claim_all(desk)] == ["https://elsewhere.example/wire.xml"]


def test_what_is_switched_off_stays_so_when_it_is_resumed(desk):
    desk.watch.pause(["third"])
    desk.watch.resume(["third"])
    assert states(desk)["third"] == ("disabled", False)
    assert "third" not in [claim.source.id for claim in claim_all(desk)]


def test_a_poll_under_way_is_kept_when_its_source_is_paused(desk):
    claim = claimed(desk)
    desk.watch.pause(["wire"])
    recorded(desk, poll(claim, desk, state=PollState.UNCHANGED, status=304))
    assert days(desk) == [(TODAY, 1, 0, 0)]
    assert states(desk)["wire"] == ("paused", False)


# --------------------------------------------------------------------------- all of them


def test_all_configured_sources_are_in_the_overview_in_their_order(desk):
    recorded(desk, failed(claimed(desk, "ledger"), desk))
    assert states(desk) == {"wire": ("new", False), "ledger": ("failing", True), "third": ("disabled", False)}
    desk.configure([source("third"), source("ledger")], [])
    assert list(states(desk)) == ["third", "ledger"]


def test_the_status_of_some_is_as_that_of_all(desk):
    read(desk, entry("a"))
    recorded(desk, failed(claimed(desk, "ledger"), desk))
    every = {status.id: status for status in desk.sources()}
    assert every["wire"].items == 1
    assert desk.watch.statuses(["ledger"]) == {"ledger": every["ledger"]}
    assert desk.watch.statuses(["wire", "none"]) == {"wire": every["wire"]}


def test_items_are_counted_as_they_come(desk):
    read(desk, entry("a"), entry("b"))
    read(desk, entry("a", "Edited"), entry("c"))
    assert desk.watch.statuses(["wire"])["wire"].items == 3


def plan(store: SqliteStore, sql: str) -> str:
    with store.watch.read() as db:
        rows = db.execute(f"EXPLAIN QUERY PLAN {sql}", {"sources": "[]", "since": ""}).fetchall()
    return "\n".join(row["detail"] for row in rows)


@of_sqlite
def test_days_are_looked_up_and_not_walked(desk):
    found = plan(desk, DAYS_SQL)
    assert "SEARCH d USING PRIMARY KEY (source=? AND day>?)" in found
    assert "SCAN d" not in found
    assert "SEARCH l" in plan(desk, OVERVIEW_SQL)
