"""Subscriptions at hubs: there are those that should be; and what hubs send is not lost once taken."""

from dataclasses import replace

import pytest

from syndicate.model import (
    Asked,
    Confirmed,
    Hints,
    Kept,
    Learned,
    PollState,
    Pushing,
    SubscriptionState,
    Validators,
)
from tests.contract.making import (
    EU,
    HOUR,
    MINUTE,
    SECOND,
    START,
    UNWRITABLE,
    Clock,
    claim_all,
    claimed,
    entry,
    poll,
    reading,
    recorded,
    source,
)

BASE = "https://desk.example.org/websub/"
HUB, TOPIC = "https://hub.example/", "https://wire.example/wire.xml"
HINTS = Hints(hubs=(HUB, "http://other-hub.example/"), topic=TOPIC)
BODY, FEED = b"<rss/>", "application/rss+xml"


@pytest.fixture
def store(store):
    store.configure([source(), source("post")], [EU.state])
    return store


def named(store, hints=HINTS, name="wire"):
    """Poll a source whose document has these hints."""
    recorded(store, poll(claimed(store, name), store, learned=Learned(hints=hints)))


def ask(store, limit=10):
    return store.claim_subscriptions(limit=limit, lease=MINUTE)


def asked_for(store):
    """Return the subscription of a source whose hub was just asked, and has said yes."""
    named(store)
    assert store.subscribe(BASE) == 1
    (subscription,) = ask(store)
    store.record_asked([Asked(subscription=subscription, error=None, next_ask_at=store.now() + HOUR)])
    return token_of(store, subscription)


def token_of(store, subscription):
    return store.subscription(subscription.callback.removeprefix(BASE))


def confirmed(store, subscription, state=SubscriptionState.ACTIVE, **fields):
    is_active = state is SubscriptionState.ACTIVE
    return store.record_confirmed(
        Confirmed(
            **{
                "subscription": subscription,
                "state": state,
                "next_ask_at": store.now() + 8 * HOUR,
                "expires_at": store.now() + 10 * HOUR if is_active else None,
                "since": store.now() if is_active else None,
                **fields,
            }
        )
    )


def active(store):
    subscription = asked_for(store)
    assert confirmed(store, subscription)
    return token_of(store, subscription)


def status(store, name="wire"):
    return next(each for each in store.sources() if each.id == name)


def looked_at(store, name="wire"):
    claim = claimed(store, name)
    store.release_sources([claim])
    return claim


def of_wire(store):
    """Return what there is to poll, or to read, of this source."""
    return [claim for claim in claim_all(store) if claim.source.id == "wire"]


# -- which there should be


def test_hubs_that_cannot_reach_us_are_not_asked(store):
    named(store)
    assert store.subscribe(BASE, lambda hub: hub != HUB) == 0
    assert ask(store) == []
    assert store.subscribe(BASE, lambda hub: hub == HUB) == 1


def test_each_source_whose_document_names_a_hub_has_one_of_its_own(store):
    assert store.subscribe(BASE) == 0
    named(store)
    named(store, replace(HINTS, topic="https://post.example/post.xml"), "post")
    assert store.subscribe(BASE) == 2
    assert store.subscribe(BASE) == 0
    one, other = ask(store)
    assert (one.source, one.hub, one.topic) == ("wire", HUB, TOPIC)
    assert one.callback.startswith(BASE)
    assert len(one.callback) - len(BASE) >= 22  # 128 bits in base64
    assert 22 <= len(one.secret) < 200
    assert one.callback != other.callback
    assert one.secret != other.secret
    assert one.callback not in repr(one)
    assert one.secret not in repr(one)


@pytest.mark.parametrize(
    "change",
    [
        lambda store: named(store, replace(HINTS, topic=f"{TOPIC}?x")),
        lambda store: named(store, replace(HINTS, hubs=("https://new-hub.example/",))),
        lambda store: named(store, Hints()),
        lambda store: store.configure([source("post")], []),
        lambda store: store.configure([source(enabled=False), source("post")], []),
        lambda store: store.configure([source(websub=False), source("post")], []),
    ],
    ids=["other topic", "other hub", "no hub", "removed", "disabled", "not wanted"],
)
def test_what_is_not_as_it_should_be_is_given_up(store, change):
    subscription = active(store)
    change(store)
    assert store.subscribe(BASE) >= 1
    given_up = token_of(store, subscription)
    assert given_up.state is SubscriptionState.ENDING
    assert any(each.id == subscription.id for each in ask(store))


def test_under_another_address_there_is_another_callback(store):
    subscription = active(store)
    assert store.subscribe("https://new.example.org/websub/") == 2
    assert token_of(store, subscription).state is SubscriptionState.ENDING
    new = [each for each in ask(store) if each.id != subscription.id]
    assert [each.callback.startswith("https://new.example.org/websub/") for each in new] == [True]


def test_a_hub_that_never_heard_of_one_is_not_told_that_it_is_over(store):
    named(store)
    store.subscribe(BASE)
    assert store.subscribe(None) == 1
    assert ask(store) == []
    assert status(store).subscription is None


def test_who_gives_up_an_active_one_asks_the_source_itself(store):
    active(store)
    assert status(store).next_poll_at == START + HOUR
    store.subscribe(None)
    assert status(store).next_poll_at == START


# -- asking


def test_a_hub_is_asked_by_one_at_a_time_and_as_asked_from_then_on(store, clock):
    named(store)
    store.subscribe(BASE)
    (subscription,) = ask(store)
    assert subscription.asked_at == START
    assert token_of(store, subscription).asked_at == START
    assert ask(store) == []
    clock.forward(MINUTE)
    (again,) = ask(store)  # whoever asked before is gone
    store.record_asked([Asked(subscription=subscription, error="late", next_ask_at=START + 9 * HOUR)])
    assert status(store).subscription.error is None
    store.record_asked([Asked(subscription=again, error="no", next_ask_at=store.now() + HOUR)])
    assert (status(store).subscription.error, token_of(store, again).failures) == ("no", 1)
    assert ask(store) == []
    clock.forward(HOUR)
    assert [each.failures for each in ask(store)] == [1]


def test_what_is_over_is_dropped(store):
    subscription = active(store)
    store.subscribe(None)
    (ending,) = ask(store)
    store.record_asked([Asked(subscription=ending, error=None, next_ask_at=store.now(), is_over=True)])
    assert token_of(store, subscription) is None


def test_a_hub_may_be_quicker_than_its_answer(store):
    named(store)
    store.subscribe(BASE)
    (subscription,) = ask(store)
    assert confirmed(store, token_of(store, subscription))
    store.record_asked([Asked(subscription=subscription, error=None, next_ask_at=store.now() + SECOND)])
    after = token_of(store, subscription)
    assert (after.state, after.failures) == (SubscriptionState.ACTIVE, 0)
    assert after.next_ask_at == START + 8 * HOUR


# -- what is agreed upon


def test_what_was_agreed_upon_comes_back_also_with_the_next_claim(store):
    subscription = active(store)
    assert subscription.expires_at == START + 10 * HOUR
    pushing = looked_at(store).pushing
    assert (pushing.since, pushing.until, pushing.doubts) == (START, START + 10 * HOUR, 1)
    assert pushing.last_poll_at == START
    assert looked_at(store, "post").pushing == Pushing(last_poll_at=None)


def test_what_has_changed_meanwhile_is_not_agreed_upon(store):
    subscription = asked_for(store)
    store.subscribe(None)
    assert not confirmed(store, subscription)
    assert token_of(store, subscription).state is SubscriptionState.ENDING


def test_who_was_denied_is_asked_anew_when_it_is_time(store, clock):
    subscription = active(store)
    assert confirmed(store, subscription, SubscriptionState.DENIED, reason="no room")
    assert (status(store).subscription.state, status(store).subscription.error) == ("denied", "no room")
    assert status(store).next_poll_at == START  # nobody tells what is new any more
    assert looked_at(store).pushing.since is None
    assert ask(store) == []
    clock.forward(8 * HOUR)
    assert [each.state for each in ask(store)] == [SubscriptionState.ASKED]


def test_what_has_ended_is_forgotten_later(store, clock):
    subscription = active(store)
    store.subscribe(None)
    assert confirmed(store, token_of(store, subscription), SubscriptionState.ENDED)
    assert token_of(store, subscription).state is SubscriptionState.ENDED
    clock.forward(8 * HOUR)
    assert ask(store) == []
    assert token_of(store, subscription) is None


# -- what hubs send


def keep(store, subscription, body=BODY, *, is_signed=True):
    return store.keep_push(subscription, FEED, body, is_signed=is_signed)


def test_what_is_kept_comes_with_the_next_claim_in_the_order_it_came(store):
    subscription = active(store)
    assert keep(store, subscription) is Kept.KEPT
    assert keep(store, subscription, b"<rss></rss>") is Kept.KEPT
    assert keep(store, subscription) is Kept.KEPT  # once more, since our answer was lost
    bodies = []
    while claims := of_wire(store):
        (claim,) = claims
        bodies.append(claim.push.body)
        assert (claim.push.topic, claim.push.content_type) == (TOPIC, FEED)
        assert (claim.push.received_at, claim.source.id) == (START, "wire")
        recorded(store, poll(claim, store, state=PollState.PUSHED, next_poll_at=claim.due_at))
    assert bodies == [BODY, b"<rss></rss>"]
    assert status(store).subscription.pushes == 3


def test_it_waits_until_a_poll_under_way_is_recorded(store):
    subscription = active(store)
    claim = claimed(store)
    keep(store, subscription)
    assert of_wire(store) == []
    recorded(store, reading(store, claim, entry()))
    (pushed,) = of_wire(store)
    assert pushed.push.body == BODY
    done = recorded(store, reading(store, pushed, entry(), state=PollState.PUSHED))
    assert (done.new, done.changed) == (0, 0)


def test_what_was_not_recorded_is_claimed_again(store, clock):
    keep(store, active(store))
    (claim,) = of_wire(store)
    store.release_sources([claim])
    (claim,) = of_wire(store)
    clock.forward(HOUR)  # whoever had it is gone
    assert [each.push.body for each in of_wire(store)] == [BODY]
    (late,) = store.record_polls([poll(claim, store, state=PollState.PUSHED)])
    assert late.was_stale


def test_items_and_their_push_are_recorded_together(store):
    keep(store, active(store))
    before = status(store)
    (claim,) = of_wire(store)
    one = reading(store, claim, entry(), state=PollState.PUSHED, doubts=0, status=None)
    done = recorded(store, replace(one, next_poll_at=START + 4 * HOUR, next_poll_why="pushes arrive"))
    assert done.new == 1
    after = status(store)
    assert (after.items, after.next_poll_at, after.next_poll_why) == (1, START + 4 * HOUR, "pushes arrive")
    assert after.subscription.is_relied_upon
    unchanged = ("state", "last_polled_at", "last_success_at", "last_status", "failures", "spent")
    assert [getattr(after, name) for name in unchanged] == [getattr(before, name) for name in unchanged]
    assert of_wire(store) == []


def test_who_was_made_due_meanwhile_stays_so(store):
    keep(store, active(store))
    (claim,) = of_wire(store)
    store.poll_now(["wire"])
    recorded(store, poll(claim, store, state=PollState.PUSHED, next_poll_why="pushes arrive"))
    assert (status(store).next_poll_at, status(store).next_poll_why) == (START, "as you asked")


def test_an_edit_by_a_push_has_the_source_asked_without_conditions_next_time(store):
    subscription = active(store)
    given = Validators(etag=b'"1"', last_modified=b"x")
    one = reading(store, claimed(store), entry())
    recorded(store, replace(one, validators=given, body_hash="hash"))
    keep(store, subscription)
    (claim,) = of_wire(store)
    recorded(store, reading(store, claim, entry("other"), state=PollState.PUSHED))
    assert looked_at(store).validators.etag == b'"1"'
    keep(store, subscription)
    (claim,) = [each for each in of_wire(store) if each.push]
    assert recorded(store, reading(store, claim, entry(title="Edited"), state=PollState.PUSHED)).changed == 1
    after = looked_at(store)
    assert (after.validators.etag, after.validators.last_modified, after.body_hash) == (None, None, None)


@pytest.mark.parametrize("is_written", [True, False])
def test_what_cannot_be_read_or_written_makes_the_source_due_and_is_not_tried_again(store, is_written):
    keep(store, active(store))
    (claim,) = of_wire(store)
    if is_written:
        bad = poll(claim, store, state=PollState.UNREADABLE_PUSH, error="broken", next_poll_at=START)
        recorded(store, bad)
    else:
        (done,) = store.record_polls([reading(store, claim, entry(title=UNWRITABLE), state=PollState.PUSHED)])
        assert done.error
    after = status(store)
    assert (after.next_poll_at, after.items, after.failures, after.state) == (START, 0, 0, "ok")
    assert after.subscription.error
    (claim,) = of_wire(store)
    assert claim.push is None


def test_what_is_not_signed_makes_the_source_due_but_not_again_and_again(store, clock):
    subscription = active(store)
    clock.forward(10 * SECOND)
    assert keep(store, subscription, is_signed=False) is Kept.POLLED
    assert status(store).next_poll_at == START + MINUTE
    assert status(store).next_poll_why == "its hub says that there is news"
    assert [claim.push for claim in of_wire(store)] == []


@pytest.mark.parametrize("state", [PollState.OK, PollState.FAILED])
def test_what_is_not_signed_and_comes_during_a_poll_has_the_source_polled_once_more(store, clock, state):
    subscription = active(store)
    clock.forward(HOUR)
    claim = claimed(store)
    keep(store, subscription, is_signed=False)  # the answer under way may be older
    clock.forward(10 * SECOND)
    recorded(store, poll(claim, store, state=state, next_poll_at=store.now() + 4 * HOUR))
    soon = START + HOUR + MINUTE
    assert status(store).next_poll_at == (soon if state is PollState.OK else store.now() + 4 * HOUR)
    clock.forward(HOUR)
    recorded(store, poll(claimed(store), store, next_poll_at=store.now() + 4 * HOUR))
    assert status(store).next_poll_at == store.now() + 4 * HOUR


def test_only_so_much_waits(store):
    subscription = active(store)
    kept = [keep(store, subscription, b"%d" % number) for number in range(60)]
    assert kept == [Kept.KEPT] * 50 + [Kept.FULL] * 10
    assert status(store).subscription.pushes == 50


def test_what_waits_is_bounded_in_bytes(store):
    subscription = active(store)
    kept = [keep(store, subscription, bytes([number]) * 15 * 1024 * 1024) for number in range(5)]
    assert kept == [Kept.KEPT] * 4 + [Kept.FULL]


def test_what_was_given_up_takes_nothing(store):
    subscription = active(store)
    store.subscribe(None)
    assert keep(store, subscription) is Kept.UNWANTED
    store.configure([source("post")], [])
    assert of_wire(store) == []


def test_nothing_is_taken_for_a_source_that_is_not_polled(store):
    subscription = active(store)
    recorded(store, poll(claimed(store), store, state=PollState.GONE))
    assert keep(store, subscription) is Kept.UNWANTED
    assert store.subscribe(BASE) == 1
    assert status(store).subscription.state is SubscriptionState.ENDING


@pytest.mark.parametrize("is_signed", [True, False])
def test_whoever_asked_for_time_has_it_whatever_a_hub_sends(store, clock, is_signed):
    subscription = active(store)
    until = store.now() + 3 * HOUR
    failed = poll(claimed(store), store, state=PollState.FAILED, held_until=until, next_poll_at=until + HOUR)
    recorded(store, failed)
    clock.forward(HOUR)
    keep(store, subscription, is_signed=is_signed)
    if is_signed:
        (claim,) = of_wire(store)
        broken = poll(claim, store, state=PollState.UNREADABLE_PUSH, error="x", next_poll_at=store.now())
        recorded(store, broken)
    assert status(store).next_poll_at == until


def test_another_first_address_has_no_hub_until_it_names_one(store):
    active(store)
    store.configure([source("wire", "wire.example", "spare.example"), source("post")], [])
    assert store.subscribe(BASE) == 0
    store.configure([source("wire", "other.example", "spare.example"), source("post")], [])
    assert store.subscribe(BASE) == 1
    assert status(store).subscription.state is SubscriptionState.ENDING


def test_what_waits_for_a_source_that_is_removed_is_dropped(store):
    keep(store, active(store))
    store.configure([source("post")], [])
    store.subscribe(BASE)
    store.configure([source(), source("post")], [])
    assert [claim.push for claim in of_wire(store)] == [None]


def test_no_hub_is_relied_upon_until_it_pushes_again(store, clock):
    keep(store, active(store))
    (claim,) = of_wire(store)
    pushed = reading(store, claim, entry(), state=PollState.PUSHED, doubts=0, status=None)
    recorded(store, replace(pushed, next_poll_at=START + 20 * HOUR, next_poll_why="pushes arrive"))
    assert store.doubt_hubs() == 1
    after = status(store)
    assert not after.subscription.is_relied_upon
    assert after.next_poll_at == after.last_polled_at + source().interval  # as if there was no hub
    assert "while nobody was here" in after.next_poll_why
    assert store.doubt_hubs() == 0
    assert status(store).next_poll_at == after.next_poll_at


def test_what_was_rejected_is_counted(store):
    subscription = active(store)
    store.note_rejected(subscription)
    store.note_rejected(subscription)
    shown = status(store).subscription
    assert (shown.rejected, shown.last_rejected_at, shown.pushes) == (2, START, 0)


def test_a_subscription_is_told_as_it_is(store, clock: Clock):
    subscription = asked_for(store)
    shown = status(store).subscription
    assert (shown.hub, shown.topic, shown.state) == (HUB, TOPIC, SubscriptionState.ASKED)
    assert (shown.asked_at, shown.expires_at, shown.is_relied_upon) == (START, None, False)
    confirmed(store, subscription)
    recorded(store, poll(claimed(store), store, doubts=0))
    assert status(store).subscription.is_relied_upon
    clock.forward(10 * HOUR)
    assert not status(store).subscription.is_relied_upon


def test_the_hub_of_a_source_that_was_paused_is_asked_anew_and_not_relied_upon(store, clock):
    keep(store, active(store))
    (claim,) = of_wire(store)
    recorded(store, reading(store, claim, entry(), state=PollState.PUSHED, doubts=0, status=None))
    assert status(store).subscription.is_relied_upon
    assert ask(store) == []
    store.watch.pause(["wire"])
    clock.forward(MINUTE)
    store.watch.resume(["wire"])
    assert not status(store).subscription.is_relied_upon
    assert len(ask(store)) == 1
