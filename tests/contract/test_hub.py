"""Our hub: who asked, who is told, and of which document; nothing that is new is lost to anybody."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syndicate.model.hub import HubAnswer, HubMode, HubRequest, Limits, Room, SubscriberKind, Told
from syndicate.store.protocol import Store
from tests.contract.making import HOUR, LEASE, MINUTE, SECOND, START, Clock

TOPIC, OTHER = "https://desk.example/feeds/eu.atom", "https://desk.example/feeds/kz.atom"
CALLBACK = "https://reader.example/hub?of=eu"
HUB = "https://hub.example/"
LIMITS = Limits()
REQUEST = HubRequest(
    mode=HubMode.SUBSCRIBE,
    topic=TOPIC,
    callback=CALLBACK,
    host="reader.example:443",
    secret="s3cret",
    lease=10 * HOUR,
    digest="one",
)
GOODBYE = replace(REQUEST, mode=HubMode.UNSUBSCRIBE)


def another(number: int, host: str = "reader.example:443", topic: str = TOPIC) -> HubRequest:
    return replace(REQUEST, callback=f"https://{host}/{number}", host=host, topic=topic)


def take(store: Store, request: HubRequest = REQUEST, limits: Limits = LIMITS) -> Room:
    return store.hub.take_request(request, limits)


def asked(store: Store) -> list[HubRequest]:
    return store.hub.claim_requests(limit=100, lease=LEASE)


def answer(store: Store, request: HubRequest, *, is_confirmed: bool = True) -> None:
    store.hub.record_answers([HubAnswer(request=request, is_confirmed=is_confirmed, next_try_at=None)])


def subscribe(store: Store, request: HubRequest = REQUEST) -> None:
    """Have a callback subscribe, whenever it is its turn."""
    assert take(store, request) is Room.TAKEN
    (claimed,) = asked(store)
    answer(store, claimed)


def claim(store: Store, *, limit: int = 100, doubtful: int = 100, per_host: int = 100):
    return store.hub.claim_subscribers(limit=limit, doubtful=doubtful, per_host=per_host, lease=LEASE)


def told(store: Store, subscriber, digest="two", **fields) -> Told:
    taken = {"digest": digest, "at": store.now(), "status": 200, "error": None, "next_try_at": None}
    return Told(**{"subscriber": subscriber, **taken, **fields})


def failed(store: Store, subscriber, wait=MINUTE, **fields) -> Told:
    bad = {"status": 500, "error": "500", "next_try_at": store.now() + wait}
    return told(store, subscriber, None, **{**bad, **fields})


def callbacks(store: Store) -> list[str]:
    return [each.callback for each in claim(store)]


def test_who_is_not_confirmed_is_not_told(store):
    assert take(store) is Room.TAKEN
    assert store.hub.topics_told() == {TOPIC}
    assert store.hub.note_documents({TOPIC: "two"}) == 0
    (claimed,) = asked(store)
    assert (claimed.mode, claimed.topic, claimed.callback) == (HubMode.SUBSCRIBE, TOPIC, CALLBACK)
    assert (claimed.secret, claimed.lease, claimed.tries) == ("s3cret", 10 * HOUR, 0)
    assert asked(store) == []
    answer(store, claimed, is_confirmed=False)
    assert claim(store) == []
    assert store.hub.subscribers() == []
    assert store.hub.topics_told() == set()


def test_who_is_confirmed_is_told_of_the_next_document_and_only_once(store):
    subscribe(store)
    assert claim(store) == []
    assert store.hub.note_documents({TOPIC: "two", OTHER: "two"}) == 1
    assert store.hub.note_documents({TOPIC: "two"}) == 0
    (subscriber,) = claim(store)
    assert (subscriber.kind, subscriber.secret) == (SubscriberKind.CALLBACK, "s3cret")
    assert claim(store) == []
    store.hub.record_told([told(store, subscriber)])
    assert claim(store) == []
    assert store.hub.note_documents({TOPIC: "two"}) == 0
    (status,) = store.hub.subscribers()
    assert (status.topic, status.host, status.told, status.failures) == (TOPIC, "reader.example:443", 1, 0)
    assert (status.expires_at, status.last_told_at) == (START + 10 * HOUR, START)
    assert (status.is_signed, status.lacks_newest, status.error) == (True, False, None)


def test_what_came_between_asking_and_confirming_is_told_at_once(store):
    take(store)
    (claimed,) = asked(store)
    store.hub.note_documents({TOPIC: "two"})
    answer(store, claimed)
    assert callbacks(store) == [CALLBACK]


def test_what_is_newer_than_what_was_being_told_is_told_next(store):
    subscribe(store)
    store.hub.note_documents({TOPIC: "two"})
    (subscriber,) = claim(store)
    store.hub.note_documents({TOPIC: "three"})
    assert claim(store) == []
    store.hub.record_told([told(store, subscriber, "two")])
    (again,) = claim(store)
    store.hub.record_told([told(store, again, "three")])
    assert claim(store) == []


def test_changes_while_a_subscriber_is_down_become_one(store, clock):
    subscribe(store)
    store.hub.note_documents({TOPIC: "two"})
    (subscriber,) = claim(store)
    store.hub.record_told([failed(store, subscriber)])
    for digest in ("three", "four"):
        store.hub.note_documents({TOPIC: digest})
        assert claim(store) == []  # not before its wait is over
    clock.forward(MINUTE)
    (again,) = claim(store)
    assert again.failures == 1
    (status,) = store.hub.subscribers()
    assert (status.failures, status.error, status.lacks_newest) == (1, "500", True)
    store.hub.record_told([told(store, again, "four")])
    assert claim(store) == []
    assert store.hub.subscribers()[0].failures == 0


def test_a_document_that_is_as_it_was_again_is_told_to_who_has_another(store):
    subscribe(store)
    store.hub.note_documents({TOPIC: "two"})
    (subscriber,) = claim(store)
    store.hub.note_documents({TOPIC: "one"})
    store.hub.record_told([told(store, subscriber, "two")])
    assert callbacks(store) == [CALLBACK]


def test_who_wants_nothing_any_more_is_dropped(store):
    subscribe(store)
    store.hub.note_documents({TOPIC: "two"})
    (subscriber,) = claim(store)
    store.hub.record_told([failed(store, subscriber, is_over=True)])
    assert store.hub.subscribers() == []
    assert store.hub.topics_told() == set()


def test_what_comes_late_changes_nothing(store, clock):
    subscribe(store)
    store.hub.note_documents({TOPIC: "two"})
    (subscriber,) = claim(store)
    clock.forward(HOUR)
    (again,) = claim(store)  # whoever had it is gone
    store.hub.record_told([told(store, subscriber), failed(store, subscriber, is_over=True)])
    assert store.hub.subscribers()[0].lacks_newest
    store.hub.record_told([told(store, again)])
    assert not store.hub.subscribers()[0].lacks_newest
    take(store, GOODBYE)
    (late,) = asked(store)
    clock.forward(HOUR)
    (goodbye,) = asked(store)
    answer(store, late)
    assert len(store.hub.subscribers()) == 1
    answer(store, goodbye)
    assert store.hub.subscribers() == []


def test_a_later_request_replaces_an_earlier_one(store, clock):
    take(store)
    (first,) = asked(store)
    clock.forward(SECOND)
    take(store, replace(REQUEST, secret="other"))
    answer(store, first)  # nothing: it was overridden
    assert store.hub.subscribers() == []
    (second,) = asked(store)
    assert second.secret == "other"


def test_who_renews_keeps_what_he_has_and_gets_a_new_lease_and_secret(store, clock):
    subscribe(store)
    store.hub.note_documents({TOPIC: "two"})
    (subscriber,) = claim(store)
    store.hub.record_told([failed(store, subscriber, HOUR)])
    clock.forward(MINUTE)
    subscribe(store, replace(REQUEST, secret=None, lease=20 * HOUR))
    (status,) = store.hub.subscribers()
    assert status.expires_at == store.now() + 20 * HOUR
    (again,) = claim(store)  # who renews is there again
    assert (again.secret, again.failures) == (None, 0)
    store.hub.record_told([told(store, again)])
    clock.forward(MINUTE)
    subscribe(store)
    assert claim(store) == []


def test_who_renews_while_he_is_told_is_not_dropped_by_what_comes_of_that(store, clock):
    subscribe(store)
    store.hub.note_documents({TOPIC: "two"})
    (subscriber,) = claim(store)
    clock.forward(SECOND)
    subscribe(store)
    store.hub.record_told([failed(store, subscriber, is_over=True)])
    assert callbacks(store) == [CALLBACK]


def test_a_lease_that_ends_ends_the_subscription(store, clock):
    subscribe(store)
    store.hub.note_documents({TOPIC: "two"})
    clock.forward(10 * HOUR)
    assert claim(store) == []
    assert store.hub.subscribers() == []


def test_who_unsubscribes_is_told_nothing(store, clock):
    subscribe(store)
    store.hub.note_documents({TOPIC: "two"})
    clock.forward(SECOND)
    subscribe(store, GOODBYE)
    assert claim(store) == []
    assert store.hub.subscribers() == []


def test_a_request_is_tried_again_when_it_is_time(store, clock):
    take(store)
    (request,) = asked(store)
    later = HubAnswer(request=request, is_confirmed=False, next_try_at=START + MINUTE)
    store.hub.record_answers([later])
    assert asked(store) == []
    clock.forward(MINUTE)
    assert [each.tries for each in asked(store)] == [1]


def test_one_host_is_asked_once_a_second(store, clock):
    for number in range(3):
        take(store, another(number))
    take(store, another(3, "other.example:443"))
    assert [each.host for each in asked(store)] == ["reader.example:443", "other.example:443"]
    clock.forward(SECOND)
    assert len(asked(store)) == 1
    clock.forward(SECOND)
    assert len(asked(store)) == 1


@pytest.mark.parametrize(
    ("limits", "room"),
    [
        (Limits(per_topic=2), Room.TOPIC_FULL),
        (Limits(per_host=2), Room.HOST_FULL),
        (Limits(in_all=2), Room.FULL),
        (Limits(asked_per_host=1), Room.BUSY),
        (Limits(asked_in_all=1), Room.BUSY),
    ],
)
def test_there_is_only_so_much_room(store, clock, limits, room):
    subscribe(store, another(1))
    clock.forward(SECOND)
    assert take(store, another(2), limits) is Room.TAKEN
    assert take(store, another(3), limits) is room
    assert take(store, another(2), limits) is Room.TAKEN  # again
    if room is not Room.BUSY:
        assert take(store, another(1), limits) is Room.TAKEN  # who is in already renews
        assert take(store, replace(another(4), mode=HubMode.UNSUBSCRIBE), limits) is Room.TAKEN


def test_another_topic_or_host_has_its_own_room(store):
    take(store, another(1), Limits(per_topic=1, per_host=1))
    assert take(store, another(2, topic=OTHER), Limits(per_topic=1)) is Room.TAKEN
    assert take(store, another(2, "other.example:443", OTHER), Limits(per_host=1)) is Room.TAKEN


def many(store: Store, clock: Clock, hosts: int, each: int = 1) -> None:
    for host in range(hosts):
        for number in range(each):
            subscribe(store, another(number, f"h{host}.example:443"))
            clock.forward(SECOND)
    store.hub.note_documents({TOPIC: "two"})


def test_hosts_have_only_so_many_at_once(store, clock):
    many(store, clock, hosts=2, each=3)
    assert len(claim(store, per_host=2)) == 4
    assert claim(store, per_host=2) == []
    assert len(claim(store, per_host=3)) == 2


@pytest.mark.parametrize("how", ["failed", "slow"])
def test_those_that_fail_or_are_slow_do_not_take_the_room_of_others(store, clock, how):
    many(store, clock, hosts=6)
    for subscriber in claim(store, limit=4):
        bad = failed(store, subscriber) if how == "failed" else told(store, subscriber, was_slow=True)
        store.hub.record_told([bad])
    for subscriber in claim(store):
        store.hub.record_told([told(store, subscriber)])
    store.hub.note_documents({TOPIC: "three"})
    clock.forward(MINUTE)
    claimed = claim(store, limit=10, doubtful=1)
    doubtful = [each.failures > 0 or each.was_slow for each in claimed]
    assert doubtful == [False, False, True]


def test_what_is_given_back_is_due_as_before(store, clock):
    subscribe(store)
    store.hub.note_documents({TOPIC: "two"})
    clock.forward(SECOND)
    take(store, another(1))
    store.hub.release_claimed(asked(store), claim(store))
    assert [each.failures for each in claim(store)] == [0]
    assert [each.tries for each in asked(store)] == [0]


def test_what_is_pushed_no_longer_is_denied_and_its_subscribers_dropped(store, clock):
    subscribe(store)
    clock.forward(SECOND)
    take(store, another(1))
    take(store, another(2, topic=OTHER))
    assert store.hub.settle([OTHER], None, "it is not published any more") == 1
    assert store.hub.subscribers() == []
    clock.forward(MINUTE)
    modes = {(each.topic, each.mode): each.reason for each in asked(store)}
    assert modes == {
        (TOPIC, HubMode.DENIED): "it is not published any more",
        (OTHER, HubMode.SUBSCRIBE): "",
    }
    assert store.hub.settle([OTHER], None, "") == 0


def test_many_denials_to_a_host_are_told_one_after_the_other(store, clock):
    many(store, clock, hosts=2, each=3)
    assert store.hub.settle([], None, "over") == 6
    for _ in range(3):
        assert [each.host for each in asked(store)] == ["h0.example:443", "h1.example:443"]
        clock.forward(SECOND)
    assert asked(store) == []


def test_a_hub_of_others_is_told_of_every_topic_and_stays_when_it_fails(store, clock):
    assert store.hub.settle([TOPIC, OTHER], HUB, "") == 2
    assert store.hub.settle([TOPIC, OTHER], HUB, "") == 0
    assert claim(store) == []
    store.hub.note_documents({TOPIC: "one", OTHER: "one"})
    first, second = sorted(claim(store), key=lambda each: each.topic)
    assert (first.kind, first.topic, first.callback) == (SubscriberKind.HUB, TOPIC, HUB)
    store.hub.record_told([told(store, first, "one"), failed(store, second, next_try_at=None)])
    assert claim(store) == []
    clock.forward(timedelta(days=365))
    store.hub.note_documents({TOPIC: "two", OTHER: "two"})
    assert [(each.topic, each.failures) for each in claim(store)] == [(TOPIC, 0), (OTHER, 0)]
    assert store.hub.settle([TOPIC], "https://new-hub.example/", "") == 3
    assert [each.host for each in store.hub.subscribers()] == ["new-hub.example:443"]
    assert store.hub.settle([TOPIC], None, "") == 1
    assert store.hub.subscribers() == []


def test_with_a_hub_of_others_ours_ends(store, clock):
    subscribe(store)
    clock.forward(SECOND)
    assert store.hub.settle([TOPIC], HUB, "ask the hub") == 2
    assert [(each.mode, each.reason) for each in asked(store)] == [(HubMode.DENIED, "ask the hub")]
    assert [each.kind for each in store.hub.subscribers()] == [SubscriberKind.HUB]


def test_what_was_claimed_by_who_is_gone_comes_free(store):
    subscribe(store)
    store.hub.note_documents({TOPIC: "two"})
    assert len(claim(store)) == 1
    assert store.release_abandoned_leases() == 1
    assert len(claim(store)) == 1
