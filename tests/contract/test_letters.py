"""Deliveries that are looked at, sent again, or kept for an endpoint that is disabled."""

import pytest

from syndicate.model import DeliveryState, EndpointState
from tests.contract.making import (
    EU,
    HOUR,
    LEASE,
    MINUTE,
    SECOND,
    START,
    Watch,
    attempt,
    claim_alerts,
    entry,
    read,
    retried,
    source,
)

DESK_AND_CHAT = Watch(notify=("desk", "chat"))


@pytest.fixture
def store(store):
    store.configure([source()], [EU.state])
    return store


def made(store, *names, watch=EU):
    for name in names:
        read(store, entry(name, f"EU {name}"), watches=[watch])


def end(store, delivery, state, **fields):
    store.record_attempts([attempt(delivery, store, state=state, **fields)])


def refuse(store, delivery, notify=()):
    """Record that an endpoint wants nothing any more; return what is told."""
    refused = attempt(
        delivery,
        store,
        status=410,
        error="gone",
        state=DeliveryState.WAITING,
        next_attempt_at=store.now(),
        is_last=True,
    )
    return store.record_attempts([refused], notify)


# --------------------------------------------------------------------------- looking


def test_a_delivery_shows_its_attempts_in_order(store, clock):
    made(store, "a")
    (first,) = claim_alerts(store)
    store.record_attempts([retried(first, store, MINUTE)])
    clock.forward(MINUTE)
    (second,) = claim_alerts(store)
    store.record_attempts([attempt(second, store, answer="thanks", duration=2 * SECOND)])
    status, attempts = store.delivery(first.id)
    assert (status.id, status.state, status.attempts) == (first.id, DeliveryState.DELIVERED, 2)
    assert [(one.started_at, one.duration, one.status, one.error, one.answer) for one in attempts] == [
        (START, SECOND, 500, "the receiver answered 500", ""),
        (START + MINUTE, 2 * SECOND, 204, None, "thanks"),
    ]


def test_a_delivery_that_is_not_there_is_none(store):
    made(store, "a")
    assert store.delivery("msg_nobody") is None


def test_deliveries_are_listed_from_a_time_on(store, clock):
    made(store, "a")
    clock.forward(HOUR)
    made(store, "b")
    (new,) = store.deliveries(since=START + HOUR)
    assert new.created_at == START + HOUR
    assert len(store.deliveries(since=START)) == 2


# --------------------------------------------------------------------------- sending again


@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.DEAD])
def test_what_is_replayed_is_due_now_under_its_id_with_its_body_and_all_tries(store, clock, state):
    made(store, "a")
    (first,) = claim_alerts(store)
    store.freeze_bodies([(first.id, first.token, b"{}")])
    end(store, first, state, error=None if state is DeliveryState.DELIVERED else "no")
    assert claim_alerts(store) == []
    clock.forward(HOUR)
    assert store.replay_deliveries([first.id]) == 1
    (again,) = claim_alerts(store)
    assert (again.id, again.body, again.attempts, again.tries) == (first.id, b"{}", 1, 0)
    store.record_attempts([retried(again, store, MINUTE)])
    clock.forward(MINUTE)
    (third,) = claim_alerts(store)
    assert (third.attempts, third.tries) == (2, 1)


def test_what_waits_for_its_next_try_is_due_at_once_when_it_is_replayed(store):
    made(store, "a")
    (first,) = claim_alerts(store)
    store.record_attempts([retried(first, store, HOUR)])
    assert store.replay_deliveries([first.id]) == 1
    assert [one.id for one in claim_alerts(store)] == [first.id]


def test_what_is_under_way_is_not_sent_twice_at_once(store, clock):
    made(store, "a")
    (first,) = claim_alerts(store)
    assert store.replay_deliveries([first.id]) == 0
    assert claim_alerts(store) == []
    clock.forward(LEASE)
    assert store.replay_deliveries([first.id]) == 1


def test_many_are_replayed_and_no_others(store):
    names = [f"n{number}" for number in range(1200)]
    read(store, *(entry(name, f"EU {name}") for name in names), watches=[EU])
    claimed = claim_alerts(store, limit=2000, per_endpoint=2000)
    store.record_attempts([attempt(one, store) for one in claimed])
    ids = [one.id for one in claimed]
    assert store.replay_deliveries(ids[:1100]) == 1100
    assert {one.id for one in claim_alerts(store, limit=2000, per_endpoint=2000)} == set(ids[:1100])


# --------------------------------------------------------------------------- how endpoints are


def test_endpoints_tell_how_they_are(store, clock):
    made(store, *"abcd", watch=DESK_AND_CHAT)
    one, two, three, _ = claim_alerts(store, "desk")
    store.record_attempts([attempt(one, store), attempt(two, store, duration=9 * SECOND)])
    clock.forward(MINUTE)
    store.record_attempts([attempt(three, store, state=DeliveryState.DEAD, error="no")])
    desk, new, chat = store.endpoints(["desk", "new"])
    assert (desk.id, desk.state, desk.since) == ("desk", EndpointState.FAILING, START + MINUTE)
    assert (desk.last_error, new.last_error) == ("no", None)
    assert (desk.attempts, desk.taken, desk.median, desk.p95) == (3, 2, SECOND, 9 * SECOND)
    assert (desk.waiting, desk.due, desk.oldest_waiting_at, desk.dead) == (1, 0, START, 1)
    assert (new.id, new.state, new.median, new.oldest_waiting_at) == ("new", EndpointState.NEW, None, None)
    assert (chat.id, chat.waiting, chat.due) == ("chat", 4, 4)  # no longer named, but awaited


def test_an_endpoint_that_takes_something_again_is_ok(store):
    made(store, "a", "b")
    one, two = claim_alerts(store)
    store.record_attempts([retried(one, store, MINUTE)])
    store.record_attempts([attempt(two, store)])
    desk, *_ = store.endpoints(["desk"])
    assert (desk.state, desk.since, desk.last_error) == (EndpointState.OK, None, None)


def test_nothing_is_claimed_for_a_disabled_endpoint_and_nothing_of_it_is_lost(store, clock):
    made(store, "a", "b", "c", watch=DESK_AND_CHAT)
    one, *_ = claimed = claim_alerts(store)
    refuse(store, one)
    store.release_deliveries(claimed[1:])
    made(store, "d")
    clock.forward(1000 * HOUR)
    assert claim_alerts(store) == []
    assert len(claim_alerts(store, "chat")) == 3
    desk, *_ = store.endpoints(["desk"])
    assert (desk.state, desk.since, desk.reason) == (EndpointState.DISABLED, START + SECOND, "gone")
    assert desk.waiting == desk.due == 4
    assert store.enable_endpoint("desk") == 4
    assert [one.created_at for one in claim_alerts(store)] == [START] * 4
    assert store.endpoints(["desk"])[0].state is EndpointState.OK


def test_an_endpoint_that_is_not_disabled_cannot_be_enabled(store):
    made(store, "a")
    assert store.enable_endpoint("desk") is None
    (one,) = claim_alerts(store)
    store.record_attempts([retried(one, store, HOUR)])
    assert store.enable_endpoint("desk") is None
    assert store.endpoints(["desk"])[0].due == 0  # what it waits for is left as it was


def test_what_waited_for_a_disabled_endpoint_is_due_in_the_order_it_was_made(store, clock):
    made(store, "a")
    clock.forward(SECOND)
    made(store, "b")
    one, two = claim_alerts(store)
    store.record_attempts([retried(one, store, 5 * HOUR)])
    refuse(store, two)
    clock.forward(MINUTE)
    assert store.enable_endpoint("desk") == 2
    assert [each.id for each in claim_alerts(store)] == [one.id, two.id]


def test_others_are_told_when_an_endpoint_is_disabled_and_when_it_is_over(store, clock):
    made(store, "a", "b")
    one, two = claim_alerts(store)
    (begun,) = refuse(store, one, ("desk", "chat", "phone"))
    assert (begun.endpoint, begun.is_over, begun.since) == ("desk", False, START + SECOND)
    told = claim_alerts(store, "chat", "phone")
    assert sorted(delivery.endpoint for delivery in told) == ["chat", "phone"]
    assert {notice_of(delivery) for delivery in told} == {begun}
    assert store.deliveries(endpoint="phone")[0].endpoints == ("desk",)
    assert store.record_attempts([attempt(each, store) for each in told], ("desk", "chat", "phone")) == []
    clock.forward(HOUR)
    store.enable_endpoint("desk")
    (over,) = store.record_attempts([attempt(two, store)], ("chat",))
    assert (over.is_over, over.since) == (True, begun.since)
    (again,) = claim_alerts(store, "chat", "phone")
    assert notice_of(again) == over


def notice_of(delivery):
    (alert,) = delivery.alerts
    return alert.notice


def test_five_days_of_failures_disable_an_endpoint(store, clock):
    made(store, "a")
    for day in range(6):
        (one,) = claim_alerts(store)
        notices = store.record_attempts([retried(one, store, 24 * HOUR)], ("chat",))
        assert len(notices) == (day == 5)
        clock.forward(24 * HOUR)
    assert claim_alerts(store) == []
    assert store.endpoints(["desk"])[0].state is EndpointState.DISABLED


def test_if_more_is_due_than_may_be_claimed_each_endpoint_gets_some(store, clock):
    made(store, *"abcdef")
    clock.forward(SECOND)
    made(store, "g", watch=DESK_AND_CHAT)
    claimed = claim_alerts(store, "desk", "chat", limit=3)
    assert [one.endpoint for one in claimed] == ["desk", "desk", "chat"]
