"""What the pages show of what goes out and of the machine: each once, by any filter, counted by an index."""

from datetime import timedelta

import pytest

from syndicate.model import (
    DeliveryState,
    Notice,
    PollState,
    Route,
    Spike,
    SpikeStep,
    TroubleKind,
    Window,
)
from syndicate.store.overview import HOURS_KEPT, Sent
from syndicate.store.sql_overview import (
    ALL_SQL,
    COUNT_SQL,
    ENDPOINTS_SQL,
    LATENCY_SQL,
    MADE_SQL,
    NUMBERS_SQL,
    SUBJECTS_SQL,
)
from syndicate.store.sqlite import SqliteStore
from tests.contract.conftest import of_sqlite
from tests.contract.making import (
    DESK_AND_CHAT,
    EU,
    HOUR,
    LEASE,
    MINUTE,
    NO_PACE,
    SECOND,
    START,
    Watch,
    attempt,
    claim_alerts,
    claimed,
    entry,
    failed,
    made,
    poll,
    read,
    recorded,
    retried,
    source,
)

DAY = 24 * HOUR
NOTICE = Notice(kind=TroubleKind.SILENT, since=START, text="it has published nothing for 3 days")


@pytest.fixture
def store(store):
    store.configure([source()], [EU.state])
    return store


def ended(store, delivery, state=DeliveryState.DELIVERED, **fields):
    store.record_attempts([attempt(delivery, store, state=state, **fields)])


def given_up(store, delivery):
    ended(store, delivery, DeliveryState.DEAD, status=500, error="the receiver answered 500")


def titles(deliveries):
    return [subject.text for each in deliveries for subject in each.subjects]


# --------------------------------------------------------------------------- deliveries


def test_deliveries_are_listed_newest_first_with_what_they_tell(store):
    made(store, "a", "b")
    second, first = store.overview.listed_deliveries(Sent())
    assert (first.endpoint, first.state, first.attempts, first.alerts) == (
        "desk",
        DeliveryState.WAITING,
        0,
        1,
    )
    (subject,) = second.subjects
    assert (subject.kind, subject.text, subject.rule, subject.source, subject.item) == (
        "match",
        "EU b",
        "eu",
        "wire",
        2,
    )
    assert second.number > first.number


def test_they_are_listed_by_endpoint_and_state(store):
    made(store, "a", "b", "c", watch=DESK_AND_CHAT)
    for delivery in claim_alerts(store, "desk")[:2]:
        given_up(store, delivery)
    (sent, *_) = claim_alerts(store, "chat")
    ended(store, sent)
    listed = store.overview.listed_deliveries
    assert titles(listed(Sent(endpoint="desk"))) == ["EU c", "EU b", "EU a"]
    assert titles(listed(Sent(state=DeliveryState.DEAD))) == ["EU b", "EU a"]
    assert [each.endpoint for each in listed(Sent(state=DeliveryState.WAITING))] == ["chat", "desk", "chat"]
    assert titles(listed(Sent(endpoint="chat", state=DeliveryState.DELIVERED))) == ["EU a"]
    assert listed(Sent(endpoint="none")) == []
    assert listed(Sent(endpoint="chat", state=DeliveryState.HELD)) == []


@pytest.mark.parametrize(
    "which", [{}, {"endpoint": "desk"}, {"state": DeliveryState.WAITING}, {"state": DeliveryState.DEAD}]
)
def test_pages_follow_one_another_without_gap_or_repetition(store, which):
    made(store, *(f"{n}" for n in range(11)), watch=DESK_AND_CHAT)
    for delivery in claim_alerts(store, "desk", "chat")[::3]:
        given_up(store, delivery)
    listed, found, before = store.overview.listed_deliveries, [], None
    while page := listed(Sent(**which, before=before, limit=4)):
        assert len(page) <= 4
        found += [each.number for each in page]
        before = page[-1].number
    assert found == [each.number for each in listed(Sent(**which, limit=100))]
    assert found == sorted(set(found), reverse=True)
    assert len(found) >= 7


def test_one_that_is_being_sent_is_said_to_be(store, clock):
    made(store, "a")
    (delivery,) = claim_alerts(store)
    overview = store.overview
    assert [each.is_under_way for each in overview.listed_deliveries(Sent())] == [True]
    assert overview.shown_delivery(delivery.id).listed.is_under_way
    clock.forward(LEASE)
    assert [each.is_under_way for each in overview.listed_deliveries(Sent())] == [False]


def test_one_is_shown_with_what_it_says_and_its_attempts_the_last_one_first(store, clock):
    made(store, "a")
    (first,) = claim_alerts(store)
    assert store.overview.shown_delivery(first.id).body is None
    store.freeze_bodies([(first.id, first.token, b"the body")])
    store.record_attempts([retried(first, store, MINUTE)])
    clock.forward(MINUTE)
    (second,) = claim_alerts(store)
    ended(store, second, answer="thanks")
    shown = store.overview.shown_delivery(first.id)
    assert (shown.body, shown.listed.attempts, titles([shown.listed])) == (b"the body", 2, ["EU a"])
    assert [(each.status, each.answer) for each in shown.tries] == [(204, "thanks"), (500, "")]
    assert store.overview.shown_delivery("msg_none") is None


def test_what_is_about_no_item_says_what_is_the_matter(store, clock):
    recorded(store, poll(claimed(store), store, notices=(NOTICE,), notify=("chat",)))
    made(store, "a", watch=Watch(notify=("desk",)))
    spike = Spike(
        rule="eu", hour=Window(begins=START, ends=START + HOUR), count=40, usual=2.5, score=9, weeks=4
    )
    store.record_spikes([SpikeStep(rule="eu", began=spike, endpoints=("chat",))])
    (delivery,) = claim_alerts(store)
    gone = attempt(
        delivery,
        store,
        status=410,
        error="gone",
        state=DeliveryState.WAITING,
        next_attempt_at=store.now(),
        is_last=True,
    )
    store.record_attempts([gone], ["chat"])
    about = [each.subjects[0] for each in store.overview.listed_deliveries(Sent(endpoint="chat"))]
    assert [(each.kind, each.rule, each.source, each.endpoint) for each in about] == [
        ("endpoint", None, None, "desk"),
        ("spike", "eu", None, None),
        ("source", None, "wire", None),
    ]
    assert about[0].text.startswith("it is sent nothing any more: gone.")
    assert about[1].text == "40 stories in an hour, where 2.5 are usual"
    assert about[2].text == NOTICE.text


def test_of_many_alerts_the_first_are_listed_and_all_are_counted(store):
    store.configure([source()], [EU.state], paced=["desk"])
    made(store, *(f"{n}" for n in range(9)))

    def together(held, past, now):
        return Route(deliveries=(tuple(each.alert for each in held),))

    store.route_held("desk", together, interval=timedelta())
    (summary,) = store.overview.listed_deliveries(Sent())
    assert (summary.alerts, titles([summary])) == (9, ["EU 0", "EU 1", "EU 2"])
    assert len(store.overview.shown_delivery(summary.id).listed.subjects) == 9


def test_those_to_be_replayed_are_found_by_endpoint_time_and_state(store, clock):
    made(store, "a", "b", watch=DESK_AND_CHAT)
    (old, _) = (each.id for each in claim_alerts(store))
    clock.forward(HOUR)
    made(store, "c", watch=DESK_AND_CHAT)
    overview = store.overview
    assert len(overview.deliveries_made("desk", None, START)) == 3
    assert overview.deliveries_made("desk", None, START)[0] == old
    assert len(overview.deliveries_made("chat", DeliveryState.WAITING, START + HOUR)) == 1
    assert overview.deliveries_made("chat", DeliveryState.DEAD, START) == []


def test_those_given_up_lately_are_counted_as_far_as_asked(store, clock):
    made(store, "a", "b")
    for delivery in claim_alerts(store):
        given_up(store, delivery)
    clock.forward(DAY)
    made(store, "c")
    given_up(store, claim_alerts(store)[0])
    dead = store.overview.dead_since
    assert [dead(START, 10), dead(START, 2), dead(START + DAY, 10)] == [3, 2, 1]


def test_endpoints_are_known_by_what_was_made_for_them(store):
    made(store, "a", watch=Watch(notify=("old", "desk", "chat")))
    for delivery in claim_alerts(store, "old"):
        ended(store, delivery)
    assert store.overview.endpoints_sent_to() == ["chat", "desk", "old"]


# --------------------------------------------------------------------------- the machine


def test_what_is_still_to_be_done_is_counted(store, clock):
    store.configure([source("wire"), source("ledger"), source("times")], [EU.state])
    made(store, "a", "b", "c", "d")
    first, _ = claim_alerts(store, limit=2)
    given_up(store, first)
    store.poll_now(None)
    store.claim_sources(limit=1, due_by=store.now(), lease=LEASE, pace=NO_PACE)
    depths = store.overview.depths()
    assert (depths.sources_due, depths.polls) == (2, 1)
    assert (depths.waiting, depths.under_way, depths.held, depths.dead) == (3, 1, 0, 1)
    assert depths.stale_feeds == 1


def test_rules_are_applied_when_they_are_over_what_is_stored(store):
    assert store.overview.applied_rules() == {"eu": None}
    store.record_backfill(EU.state, START, [])
    assert store.overview.applied_rules() == {"eu": "1"}
    store.configure([source()], [])
    assert store.overview.applied_rules() == {}


def test_what_is_done_is_counted_by_the_hour(store, clock):
    made(store, "a", "b")
    (delivery, other) = claim_alerts(store)
    ended(store, delivery)
    store.record_attempts([retried(other, store, HOUR)])
    clock.forward(HOUR)
    recorded(store, failed(claimed(store), store))
    first, second = store.overview.hours(START)
    assert (first.begins, first.polls, first.failed, first.items, first.matches) == (START, 2, 0, 2, 2)
    assert (first.attempts, first.taken, first.database_bytes > 100_000) == (2, 1, True)
    assert (second.begins, second.polls, second.failed, second.items) == (START + HOUR, 1, 1, 0)
    assert store.overview.hours(START + HOUR) == [second]


def test_what_a_hub_sends_is_no_poll_and_what_came_too_late_is_not_counted(store, clock):
    claim = claimed(store)
    recorded(store, poll(claim, store, state=PollState.PUSHED))
    late = claimed(store)
    clock.forward(LEASE)
    claimed(store)
    (result,) = store.record_polls([poll(late, store)])
    assert result.was_stale
    assert [hour.polls for hour in store.overview.hours(START)] == [0]


def test_hours_are_kept_for_a_month(store, clock):
    for _ in range(3):
        recorded(store, poll(claimed(store), store))
        clock.forward(HOUR)
    clock.forward((HOURS_KEPT - 3) * HOUR)
    recorded(store, poll(claimed(store), store))
    assert [hour.begins - START for hour in store.overview.hours(START)] == [
        timedelta(),
        HOUR,
        2 * HOUR,
        HOURS_KEPT * HOUR,
    ]
    clock.forward(HOUR)
    recorded(store, poll(claimed(store), store))
    assert store.overview.hours(START)[0].begins == START + HOUR


def test_how_long_news_takes_is_measured_from_publication_to_the_answer(store, clock):
    clock.forward(DAY)
    now = clock.now
    read(
        store,
        entry("a", "EU a", published=now - 10 * MINUTE),
        entry("b", "EU b", published=now + HOUR),
        entry("c", "EU c"),
        watches=[EU],
    )
    clock.forward(MINUTE)
    for delivery in claim_alerts(store):
        ended(store, delivery, duration=2 * SECOND)
    latency = store.overview.latency(now - DAY)
    assert latency.published_to_seen.median == 10 * MINUTE
    assert (latency.seen_to_delivered.cases, latency.seen_to_delivered.p95) == (3, MINUTE + 2 * SECOND)
    assert latency.published_to_delivered.median == 11 * MINUTE + 2 * SECOND
    assert store.overview.latency(clock.now).seen_to_delivered is None


def test_what_waits_by_choice_or_is_sent_once_more_is_not_measured(store, clock):
    made(store, "a")
    (delivery,) = claim_alerts(store)
    ended(store, delivery)
    clock.forward(HOUR)
    store.replay_deliveries([delivery.id])
    (again,) = claim_alerts(store)
    ended(store, again)
    assert store.overview.latency(START).seen_to_delivered is None
    made(store, "b")
    ended(store, claim_alerts(store)[0])
    assert store.overview.latency(START).seen_to_delivered.cases == 1
    store.configure([source()], [EU.state], paced=["desk"])
    assert store.overview.latency(START).seen_to_delivered is None


def test_the_database_takes_room(store):
    size = store.overview.size()
    assert size.database_bytes > 100_000
    assert size.disk_free_bytes is None or size.disk_free_bytes > 0


# --------------------------------------------------------------------------- however much is stored


@of_sqlite
@pytest.mark.parametrize(
    "sql", [ALL_SQL, NUMBERS_SQL, ENDPOINTS_SQL, SUBJECTS_SQL, MADE_SQL, COUNT_SQL, LATENCY_SQL]
)
def test_nothing_is_read_but_what_is_shown(store, sql):
    steps = plan(store, sql)
    tables = ("deliveries", "alerts", "attempts", "items", "a ", "i ", "t ", "s ")
    scans = [step for step in steps if step.startswith(tuple(f"SCAN {table}" for table in tables))]
    # Backwards by number, as far as its limit goes.
    assert scans == (["SCAN deliveries"] if sql == LATENCY_SQL else [])


@of_sqlite
@pytest.mark.parametrize("sql", [ALL_SQL, NUMBERS_SQL])
def test_lists_are_read_in_their_order(store, sql):
    assert [step for step in plan(store, sql) if "TEMP B-TREE" in step] == []


@of_sqlite
def test_states_are_counted_without_reading_deliveries(store):
    (step,) = plan(store, COUNT_SQL)
    assert "USING COVERING INDEX deliveries_by_state" in step


def plan(store: SqliteStore, sql: str) -> list[str]:
    names = ["now", "before", "limit", "state", "endpoint", "deliveries", "most", "since"]
    with store.overview.read() as db:
        rows = db.execute(f"EXPLAIN QUERY PLAN {sql}", dict.fromkeys(names, 1)).fetchall()
    return [row["detail"] for row in rows]
