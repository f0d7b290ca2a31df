"""Deliveries: claimed by lease, tried until done, always with the same body."""

import pytest

from syndicate.model import DeliveryState
from tests.contract.making import (
    DESK_AND_CHAT,
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
    made,
    read,
    retried,
    source,
)


@pytest.fixture
def store(store):
    store.configure([source()], [EU.state])
    return store


def items(deliveries):
    return [delivery.alerts[0].stored.item.guid.removeprefix("guid-") for delivery in deliveries]


def status(store, delivery):
    return {status.id: status for status in store.deliveries()}[delivery.id]


def test_deliveries_are_claimed_oldest_first(store, clock):
    for name in "cab":
        made(store, name)
        clock.forward(SECOND)
    assert items(claim_alerts(store, limit=2)) == ["c", "a"]
    assert items(claim_alerts(store)) == ["b"]


def test_deliveries_of_one_moment_are_claimed_in_the_order_they_were_made(store):
    names = [f"n{number}" for number in range(20)]
    made(store, *names)
    assert items(claim_alerts(store)) == names


def test_every_delivery_has_an_id_of_its_own_that_it_keeps(store, clock):
    made(store, "a", "b")
    first = claim_alerts(store)
    assert len({delivery.id for delivery in first}) == 2
    clock.forward(LEASE)
    second = claim_alerts(store)
    assert [delivery.id for delivery in second] == [delivery.id for delivery in first]
    assert {delivery.token for delivery in second}.isdisjoint({delivery.token for delivery in first})


def test_only_deliveries_to_the_named_endpoints_are_claimed(store):
    made(store, "a", watch=DESK_AND_CHAT)
    assert [delivery.endpoint for delivery in claim_alerts(store, "chat")] == ["chat"]
    assert claim_alerts(store, "nobody") == []
    assert store.claim_deliveries(limit=10, room={}, lease=LEASE) == []


def test_an_endpoint_has_at_most_so_many_in_flight(store):
    made(store, "a", "b", "c")
    two = claim_alerts(store, per_endpoint=2)
    assert items(two) == ["a", "b"]
    assert claim_alerts(store, per_endpoint=2) == []
    store.record_attempts([attempt(two[0], store)])
    assert items(claim_alerts(store, per_endpoint=2)) == ["c"]


def test_a_slow_endpoint_holds_up_no_other(store):
    made(store, *"abc", watch=DESK_AND_CHAT)
    claimed = claim_alerts(store, "desk", "chat", per_endpoint=1)
    assert sorted(delivery.endpoint for delivery in claimed) == ["chat", "desk"]
    (chat,) = [delivery for delivery in claimed if delivery.endpoint == "chat"]
    store.record_attempts([attempt(chat, store)])
    assert [one.endpoint for one in claim_alerts(store, "desk", "chat", per_endpoint=1)] == ["chat"]


def test_if_not_all_can_be_claimed_each_endpoint_gets_a_share_and_what_others_leave(store):
    made(store, *"abcdefgh")
    made(store, "x", watch=Watch(notify=("chat",)))
    assert items(claim_alerts(store, "desk", "chat", limit=6)) == [*"abcde", "x"]
    made(store, *"yz", watch=DESK_AND_CHAT)
    claimed = claim_alerts(store, "desk", "chat", limit=3)
    assert [(one.endpoint, *items([one])) for one in claimed] == [("desk", "f"), ("desk", "g"), ("chat", "y")]


def test_all_endpoints_are_told_of_the_same_match_in_deliveries_of_their_own(store):
    made(store, "a", "b", watch=DESK_AND_CHAT)
    claimed = claim_alerts(store, "desk", "chat")
    assert [(one.endpoint, *items([one])) for one in claimed] == [
        *(("desk", "a"), ("chat", "a")),
        *(("desk", "b"), ("chat", "b")),
    ]
    assert len({one.id for one in claimed}) == 4
    assert claimed[0].alerts == claimed[1].alerts != claimed[2].alerts == claimed[3].alerts


def test_a_lease_excludes_others_until_it_expires(store, clock):
    made(store, "a")
    (first,) = claim_alerts(store)
    clock.forward(LEASE - SECOND)
    assert claim_alerts(store) == []
    clock.forward(SECOND)
    (second,) = claim_alerts(store, per_endpoint=1)
    assert second.id == first.id


def test_released_deliveries_are_due_again(store):
    made(store, "a")
    (first,) = claim_alerts(store)
    store.release_deliveries([first])
    (second,) = claim_alerts(store)
    assert (second.id, second.attempts) == (first.id, 0)
    store.release_deliveries([first])  # a stale token frees nothing
    assert claim_alerts(store) == []


def test_a_frozen_body_never_changes(store, clock):
    made(store, "a")
    (first,) = claim_alerts(store)
    assert first.body is None
    assert first.alerts
    body = b'{"bytes": "\xff\x00"}'
    store.freeze_bodies([(first.id, first.token, body)])
    store.freeze_bodies([(first.id, first.token, b"another")])
    store.record_attempts([retried(first, store, MINUTE)])
    read(store, entry("a", "EU a, edited"))
    clock.forward(MINUTE)
    (second,) = claim_alerts(store)
    assert second.body == body
    store.freeze_bodies([(second.id, second.token, b"another")])
    clock.forward(LEASE)
    assert claim_alerts(store)[0].body == body


def test_a_stale_token_freezes_nothing(store, clock):
    made(store, "a")
    (first,) = claim_alerts(store)
    clock.forward(LEASE)
    claim_alerts(store)
    store.freeze_bodies([(first.id, first.token, b"late")])
    clock.forward(LEASE)
    assert claim_alerts(store)[0].body is None


def test_a_delivered_delivery_is_done(store, clock):
    made(store, "a")
    (delivery,) = claim_alerts(store)
    store.record_attempts([attempt(delivery, store)])
    clock.forward(1000 * HOUR)
    assert claim_alerts(store) == []
    found = status(store, delivery)
    assert (found.state, found.attempts, found.last_status, found.last_error, found.next_attempt_at) == (
        DeliveryState.DELIVERED,
        1,
        204,
        None,
        None,
    )


def test_a_failed_delivery_is_due_when_its_attempt_says(store, clock):
    made(store, "a")
    (delivery,) = claim_alerts(store)
    store.record_attempts([retried(delivery, store, MINUTE)])
    found = status(store, delivery)
    assert (found.state, found.next_attempt_at) == (DeliveryState.WAITING, START + MINUTE)
    assert (found.last_status, found.last_error) == (500, "the receiver answered 500")
    clock.forward(MINUTE - SECOND)
    assert claim_alerts(store) == []
    clock.forward(SECOND)
    (again,) = claim_alerts(store)
    assert (again.id, again.attempts) == (delivery.id, 1)


def test_a_dead_delivery_is_tried_no_more(store, clock):
    made(store, "a")
    (delivery,) = claim_alerts(store)
    store.record_attempts([attempt(delivery, store, state=DeliveryState.DEAD, status=410, error="gone")])
    clock.forward(1000 * HOUR)
    assert claim_alerts(store) == []
    assert status(store, delivery).state is DeliveryState.DEAD


def test_an_attempt_under_a_stale_token_is_appended_and_changes_nothing_else(store, clock):
    made(store, "a")
    (first,) = claim_alerts(store)
    clock.forward(LEASE)
    (second,) = claim_alerts(store)
    store.record_attempts([attempt(first, store)])
    found = status(store, second)
    assert (found.state, found.attempts) == (DeliveryState.WAITING, 1)
    assert claim_alerts(store) == []  # still the second one's
    store.record_attempts([retried(second, store, MINUTE)])
    found = status(store, second)
    assert (found.state, found.attempts) == (DeliveryState.WAITING, 2)


def test_attempts_are_recorded_together(store):
    made(store, *"abc")
    one, two, three = claim_alerts(store)
    store.record_attempts(
        [
            attempt(one, store),
            retried(two, store, MINUTE),
            attempt(three, store, state=DeliveryState.DEAD, error="x"),
        ]
    )
    assert [status(store, one).state for one in (one, two, three)] == ["delivered", "waiting", "dead"]


def test_a_retry_does_not_wait_behind_what_came_later(store, clock):
    made(store, "a")
    (delivery,) = claim_alerts(store)
    store.record_attempts([retried(delivery, store, SECOND)])
    clock.forward(MINUTE)
    made(store, "b")
    assert items(claim_alerts(store)) == ["a", "b"]


def test_deliveries_are_listed_newest_first(store, clock):
    for name in "abc":
        made(store, name)
        clock.forward(SECOND)
    guids = [item_guid(store, found) for found in store.deliveries()]
    assert guids == ["c", "b", "a"]
    assert [item_guid(store, found) for found in store.deliveries(limit=1)] == ["c"]


def test_deliveries_can_be_filtered(store):
    made(store, "a", watch=DESK_AND_CHAT)
    (chat,) = claim_alerts(store, "chat")
    store.record_attempts([attempt(chat, store)])
    assert [found.endpoint for found in store.deliveries(endpoint="desk")] == ["desk"]
    assert [found.endpoint for found in store.deliveries(state=DeliveryState.DELIVERED)] == ["chat"]
    assert store.deliveries(endpoint="desk", state=DeliveryState.DELIVERED) == []


def test_a_listed_delivery_tells_its_alerts_and_times(store):
    made(store, "a")
    (found,) = store.deliveries()
    ((rule, _),) = found.alerts
    assert (rule, item_guid(store, found)) == ("eu", "a")
    assert (found.created_at, found.next_attempt_at, found.attempts) == (START, START, 0)


def item_guid(store, found):
    from syndicate.store.searching import ItemFilter

    guids = {one.item.id: one.item.guid for one in store.items(ItemFilter())}
    ((_, item),) = found.alerts
    return guids[item].removeprefix("guid-")
