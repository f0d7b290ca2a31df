"""Alerts that are held back: nothing of them is lost, and no id that was ever told changes."""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from syndicate.alerts.pace import route
from syndicate.model import (
    Alert,
    Delivery,
    DeliveryState,
    Grouping,
    HeldAlert,
    Labels,
    Pace,
    Past,
    Route,
    Routed,
    SilenceDraft,
    Suppressed,
)
from syndicate.store.protocol import Floods, Store
from tests.contract.making import (
    EU,
    HOUR,
    MINUTE,
    SECOND,
    Watch,
    attempt,
    claim_alerts,
    entry,
    read,
    retried,
    source,
)

WIRE = source(tags=("agency", "kz"))
GROUPED = Pace(grouping=Grouping())


@pytest.fixture
def desk(store: Store) -> Store:
    """A store that holds back what goes to the desk."""
    configure(store, "desk")
    return store


def configure(store: Store, *paced: str) -> None:
    store.configure([WIRE, source("other")], [EU.state, Watch(rule="asia").state], "", paced)


def looked_at(
    store: Store, endpoint: str = "desk", interval: timedelta = HOUR, urgent: Collection[str] = ()
) -> tuple[Sequence[HeldAlert], Past]:
    """Return what a look at an endpoint finds, and leave all of it as it is."""
    found: list[tuple[Sequence[HeldAlert], Past]] = []

    def stay(held: Sequence[HeldAlert], past: Past, now: datetime) -> Route:
        found.append((held, past))
        return Route(look_at=now)

    store.route_held(endpoint, stay, interval=interval, urgent=urgent)
    return found[0]


def numbers(store: Store, endpoint: str = "desk") -> list[int]:
    return [each.alert for each in looked_at(store, endpoint)[0]]


def states(store: Store) -> list[DeliveryState]:
    return [each.state for each in reversed(store.deliveries())]


def items_of(delivery: Delivery) -> list[int]:
    """Return the items that a delivery tells of."""
    return [alert.stored.item.id for alert in delivery.alerts if isinstance(alert, Alert)]


def let_go(store: Store, pace: Pace = GROUPED, endpoint: str = "desk") -> Routed:
    """Route what is held as the service does."""
    interval = pace.grouping.interval if pace.grouping else timedelta()
    return store.route_held(endpoint, lambda held, past, now: route(held, pace, past, now), interval=interval)


def test_what_goes_to_an_endpoint_with_a_pace_is_held_and_nothing_else(desk):
    read(desk, entry("one"), watches=[Watch(notify=("desk", "chat"))])
    assert numbers(desk) == [1]
    assert desk.endpoints_to_route() == ["desk"]
    assert claim_alerts(desk, "desk") == []
    (delivery,) = claim_alerts(desk, "chat")
    assert delivery.endpoint == "chat"


def test_what_is_held_says_by_what_it_is_grouped(desk):
    read(desk, entry("one"))
    ((held,), past) = looked_at(desk)
    assert held.labels == Labels(rule="eu", source="wire", story=1)
    assert held.since == desk.now()
    assert past.told == ()


def test_what_is_let_go_together_is_one_delivery_with_all_alerts_in_order(desk, clock):
    read(desk, entry("one"), entry("two"), entry("three"))
    ids = [each.id for each in reversed(desk.deliveries())]
    clock.forward(30 * SECOND)
    let_go(desk)
    (delivery,) = claim_alerts(desk)
    assert delivery.id == ids[0]
    assert delivery.created_at == desk.now()
    assert items_of(delivery) == [1, 2, 3]
    assert [each.id for each in desk.deliveries()] == [delivery.id]
    assert [each.delivery for each in desk.alerts_about("eu", [1, 2, 3])] == [delivery.id] * 3


def test_each_by_itself_keeps_its_order(desk):
    read(desk, entry("one"), entry("two"), entry("three"))
    let_go(desk, Pace())
    assert [items_of(delivery) for delivery in claim_alerts(desk)] == [[1], [2], [3]]


def test_what_stays_is_looked_at_when_the_route_says_so(desk, clock):
    read(desk, entry("one"))
    assert let_go(desk) == Routed(silenced=0, made=0, held=1)
    assert desk.endpoints_to_route() == []
    assert desk.deliveries()[0].next_attempt_at == desk.now() + 30 * SECOND
    clock.forward(30 * SECOND)
    assert desk.endpoints_to_route() == ["desk"]


def test_what_comes_after_a_look_is_looked_at_at_once(desk):
    read(desk, entry("one"))
    let_go(desk)
    read(desk, entry("one"), entry("two"))
    assert desk.endpoints_to_route() == ["desk"]
    assert numbers(desk) == [1, 2]


def test_what_is_let_go_is_no_longer_held_for_another_process(desk):
    read(desk, entry("one"), entry("two"))
    assert let_go(desk, Pace()) == Routed(silenced=0, made=2, held=0)
    assert let_go(desk, Pace()) == Routed(silenced=0, made=0, held=0)
    taken = [attempt(delivery, desk) for delivery in claim_alerts(desk)]
    desk.record_attempts(taken)
    assert let_go(desk, Pace()) == Routed(silenced=0, made=0, held=0)
    assert states(desk) == [DeliveryState.DELIVERED, DeliveryState.DELIVERED]


def test_nobody_else_can_write_while_it_is_decided_what_is_let_go(desk):
    """Else an hour would get more than it has room for, and what is silenced meanwhile would be told."""
    read(desk, entry("one"))
    events: list[str] = []

    def also() -> None:
        silence(desk, rule="eu")
        events.append("silenced")

    thread = threading.Thread(target=also)

    def decide(held: Sequence[HeldAlert], past: Past, now: datetime) -> Route:
        thread.start()
        thread.join(0.2)  # it cannot end by then
        events.append("decided")
        return route(held, Pace(), past, now)

    desk.route_held("desk", decide, interval=timedelta())
    thread.join()
    assert events == ["decided", "silenced"]
    assert len(claim_alerts(desk)) == 1


def test_what_is_held_from_a_disabled_endpoint_goes_by_its_pace_when_that_is_enabled(desk):
    read(desk, entry("one"))
    let_go(desk, Pace())
    (first,) = claim_alerts(desk)
    desk.record_attempts([replace(retried(first, desk, timedelta()), is_last=True)])
    read(desk, entry("one"), *[entry(str(number)) for number in range(4)])
    assert desk.endpoints_to_route() == []
    assert desk.enable_endpoint("desk") == 1
    assert desk.endpoints_to_route() == ["desk"]
    assert let_go(desk, Pace(max_per_hour=3)) == Routed(silenced=0, made=2, held=0)
    assert [len(delivery.alerts) for delivery in claim_alerts(desk)] == [1, 1, 3]


def test_what_was_told_is_the_past_of_the_next(desk, clock):
    read(desk, entry("one"))
    let_go(desk, Pace())
    told_at = desk.now()
    clock.forward(10 * MINUTE)
    read(desk, entry("one"), entry("two"))
    held, past = looked_at(desk, interval=20 * MINUTE)
    assert [each.alert for each in held] == [2]
    assert [(each.alert, each.at) for each in past.told] == [(1, told_at)]
    assert past.deliveries == (told_at,)
    _, past = looked_at(desk, interval=10 * MINUTE)
    assert past.told == ()
    clock.forward(50 * MINUTE)
    assert looked_at(desk)[1].deliveries == ()


def test_what_is_urgent_is_no_past_of_others(desk, clock):
    read(desk, entry("one"), entry("two", title="Asia"), watches=[EU, Watch(rule="asia", word="Asia")])
    let_go(desk, Pace())
    clock.forward(MINUTE)
    _, past = looked_at(desk, urgent={"asia"})
    assert [each.labels.rule for each in past.told] == ["eu"]
    assert len(past.deliveries) == 1


def test_a_new_configuration_has_everything_looked_at_anew(desk):
    read(desk, entry("one"))
    let_go(desk)
    assert desk.endpoints_to_route() == []
    configure(desk)
    assert desk.endpoints_to_route() == ["desk"]
    let_go(desk, Pace())
    read(desk, entry("one"), entry("two"))
    assert len(claim_alerts(desk)) == 2


def test_what_is_held_is_counted_for_endpoints_that_are_gone_as_well(desk):
    read(desk, entry("one"), entry("two"))
    (gone,) = desk.endpoints([])
    assert (gone.id, gone.held, gone.waiting, gone.dead) == ("desk", 2, 0, 0)
    let_go(desk, Pace())
    (again,) = desk.endpoints(["desk"])
    assert (again.held, again.waiting) == (0, 2)


def test_an_edit_of_an_item_that_is_held_makes_no_second_alert(desk, clock):
    read(desk, entry("one"))
    read(desk, entry("one", title="EU news, corrected"))
    assert numbers(desk) == [1]
    clock.forward(MINUTE)
    let_go(desk)
    ((alert,),) = [delivery.alerts for delivery in claim_alerts(desk)]
    assert isinstance(alert, Alert)
    assert alert.stored.item.title == "EU news, corrected"


# --------------------------------------------------------------------------- floods


def collapse(store: Store, **flood_after: int) -> Mapping[str, int]:
    return store.collapse_floods(Floods(flood_after=flood_after))


def collapse_read(store: Store, flood_after: int) -> Mapping[str, int]:
    return store.collapse_floods(Floods(flood_after={"desk": flood_after}, read={"desk"}))


def test_more_than_may_be_due_at_once_becomes_one(store):
    configure(store)
    read(store, *[entry(str(number)) for number in range(5)])
    first = store.deliveries()[-1].id
    assert collapse(store, desk=5) == {}
    assert collapse(store, chat=1) == {}
    assert collapse(store, desk=4) == {"desk": 5}
    (delivery,) = claim_alerts(store)
    assert delivery.id == first
    assert items_of(delivery) == [1, 2, 3, 4, 5]


def test_no_delivery_that_was_begun_becomes_part_of_another(store, clock):
    configure(store)
    read(store, *[entry(str(number)) for number in range(6)])
    tried, released, leased = claim_alerts(store, limit=3)
    store.freeze_bodies([(each.id, each.token, b"said") for each in (tried, released)])
    store.record_attempts([retried(tried, store, timedelta())])
    store.release_deliveries([released])
    assert collapse(store, desk=2) == {"desk": 3}
    kept = {each.id for each in store.deliveries()}
    assert {tried.id, released.id, leased.id} < kept
    assert len(kept) == 4


def test_what_is_urgent_stays_by_itself(store):
    configure(store)
    watches = [EU, Watch(rule="asia", word="Asia")]
    read(store, *[entry(str(number)) for number in range(3)], entry("a", title="Asia"), watches=watches)
    assert store.collapse_floods(Floods(flood_after={"desk": 2}, urgent={"asia"})) == {"desk": 3}
    assert [len(delivery.alerts) for delivery in claim_alerts(store)] == [3, 1]


def test_a_summary_takes_part_in_a_flood_with_all_it_tells(desk, clock):
    read(desk, entry("one"), entry("two"))
    clock.forward(MINUTE)
    let_go(desk)
    read(desk, entry("one"), entry("two"), entry("three"))
    let_go(desk, Pace())
    assert collapse(desk, desk=1) == {"desk": 2}
    assert [len(delivery.alerts) for delivery in claim_alerts(desk)] == [3]


def test_where_people_read_what_was_tried_in_vain_is_part_of_a_flood_with_its_attempts(store, clock):
    configure(store)
    read(store, *[entry(str(number)) for number in range(4)])
    tried = claim_alerts(store, limit=3)
    store.freeze_bodies([(each.id, each.token, b"said") for each in tried])
    store.record_attempts([retried(each, store, MINUTE) for each in tried])
    assert collapse_read(store, 1) == {}  # none of these is due
    clock.forward(MINUTE)
    assert collapse(store, desk=1) == {}
    assert collapse_read(store, 4) == {}
    fresh = store.deliveries()[0].id
    assert collapse_read(store, 3) == {"desk": 4}
    (delivery,) = claim_alerts(store)
    assert (delivery.id, delivery.body, delivery.attempts, delivery.tries) == (fresh, None, 3, 0)
    assert items_of(delivery) == [1, 2, 3, 4]
    assert [each.id for each in store.deliveries()] == [fresh]
    found = store.delivery(fresh)
    assert found
    assert [each.status for each in found[1]] == [500, 500, 500]


def test_a_flood_of_nothing_but_what_was_tried_has_an_id_of_its_own(store):
    configure(store)
    read(store, *[entry(str(number)) for number in range(3)])
    tried = claim_alerts(store)
    store.freeze_bodies([(each.id, each.token, b"said") for each in tried])
    store.record_attempts([retried(each, store, timedelta()) for each in tried])
    assert collapse_read(store, 2) == {"desk": 3}
    (delivery,) = claim_alerts(store)
    assert delivery.id not in {each.id for each in tried}
    assert (delivery.body, delivery.attempts, delivery.tries) == (None, 3, 0)
    assert items_of(delivery) == [1, 2, 3]


def test_what_is_replayed_or_may_be_under_way_is_no_part_of_a_flood(store, clock):
    configure(store)
    read(store, *[entry(str(number)) for number in range(8)])
    replayed, under_way, *tried = claim_alerts(store, limit=4)
    store.freeze_bodies([(each.id, each.token, b"said") for each in (replayed, *tried)])
    store.record_attempts([retried(each, store, timedelta()) for each in (replayed, *tried)])
    store.replay_deliveries([replayed.id])
    clock.forward(HOUR)  # the lease of what is under way has ended
    assert collapse_read(store, 1) == {"desk": 6}
    assert {replayed.id, under_way.id} < {each.id for each in store.deliveries()}
    store.record_attempts([attempt(under_way, store)])
    assert len(claim_alerts(store)) == 2


# --------------------------------------------------------------------------- silences


def silence(store: Store, **fields: str | None) -> int:
    """Silence something for an hour; return the silence's id."""
    draft = SilenceDraft(author="ann", reason="summit", expires_at=store.now() + HOUR, **fields)
    return store.add_silence(draft).id


def alert_states(store: Store) -> list[tuple[str, Suppressed | None, int | None]]:
    return [(each.state, each.reason, each.silence) for each in store.alerts_about("eu", range(1, 9))]


@pytest.mark.parametrize(
    ("fields", "is_silent"),
    [
        ({}, True),
        ({"rule": "eu"}, True),
        ({"rule": "e*"}, True),
        ({"rule": "asia"}, False),
        ({"source": "wire"}, True),
        ({"source": "other"}, False),
        ({"tag": "kz"}, True),
        ({"tag": "uz"}, False),
        ({"endpoint": "desk"}, True),
        ({"endpoint": "chat"}, False),
        ({"text": "eu  NEWS"}, True),
        ({"text": "the text of"}, True),
        ({"text": "nothing"}, False),
        ({"rule": "eu", "source": "other"}, False),
        ({"rule": "eu", "tag": "agency", "text": "news"}, True),
    ],
)
def test_an_alert_is_silenced_by_all_that_a_silence_asks_for(store, fields, is_silent):
    configure(store)
    number = silence(store, **fields)
    read(store, entry("one"))
    assert store.endpoints_to_route() == ["desk"]
    assert let_go(store, Pace()).silenced == (1 if is_silent else 0)
    if is_silent:
        assert alert_states(store) == [("suppressed", Suppressed.SILENCED, number)]
        assert store.deliveries() == []
        assert [each.silenced for each in store.silences()] == [1]
    else:
        assert alert_states(store) == [("alerted", None, None)]
        assert len(claim_alerts(store)) == 1


def test_what_is_held_already_is_silenced_as_well(desk):
    read(desk, entry("one"))
    silence(desk, rule="eu")
    assert let_go(desk, endpoint="chat") == Routed(silenced=0, made=0, held=0)
    assert let_go(desk, Pace()) == Routed(silenced=1, made=0, held=0)
    assert numbers(desk) == []


def test_a_silence_ends_by_itself_and_what_it_silenced_stays_untold(store, clock):
    configure(store)
    number = silence(store)
    read(store, entry("one"))
    assert let_go(store).silenced == 1
    clock.forward(HOUR)
    read(store, entry("one"), entry("two"))
    (delivery,) = claim_alerts(store)
    assert items_of(delivery) == [2]
    # Nor does another item of that story tell it.
    read(store, entry("one"), name="other")
    assert claim_alerts(store) == []
    assert alert_states(store)[0] == ("suppressed", Suppressed.SILENCED, number)


def test_a_silence_can_be_ended_once(store, clock):
    configure(store)
    first, second = silence(store, rule="eu"), silence(store, rule="asia")
    clock.forward(MINUTE)
    assert store.expire_silences([first, 99]) == [first]
    assert store.expire_silences([first]) == []
    assert [each.ends_at for each in store.silences()] == [store.now(), store.now() - MINUTE + HOUR]
    assert [each.draft.expires_at - each.created_at for each in store.silences()] == [HOUR, HOUR]
    read(store, entry("one"))
    assert let_go(store).silenced == 0
    assert second == 2


def test_without_a_silence_and_a_pace_nothing_is_held(store):
    configure(store)
    read(store, entry("one"))
    assert store.endpoints_to_route() == []
    assert states(store) == [DeliveryState.WAITING]
