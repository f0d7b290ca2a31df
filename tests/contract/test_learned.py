"""What polls teach of their sources comes back with the next claim; what is wrong with them is told once."""

from dataclasses import replace

import pytest

from syndicate.model import (
    DeliveryState,
    Gap,
    Habit,
    Hints,
    Learned,
    Notice,
    PollState,
    SourceAlert,
    Spent,
    Trouble,
    TroubleKind,
    Trust,
)
from syndicate.store.protocol import RuleState
from tests.contract.making import (
    HOUR,
    MINUTE,
    SECOND,
    START,
    UNWRITABLE,
    attempt,
    claim_alerts,
    claimed,
    entry,
    failed,
    gone,
    poll,
    read,
    reading,
    recorded,
    source,
)

DAY = 24 * HOUR
HABIT = Habit(
    since=START - DAY,
    depth=20,
    arrivals=(START, START - MINUTE, START - HOUR),
    silences=((2950, 3 * HOUR), (2951, HOUR)),
    delays=(MINUTE, 5 * MINUTE, 2 * SECOND),
    hurry=15 * MINUTE,
    hurry_until=START + DAY,
)
HINTS = Hints(
    ttl_seconds=3600,
    update_seconds=7200,
    update_phase_seconds=60,
    skip_hours=(0, 23),
    skip_days=(5,),
    older="https://wire.example/2",
)
TROUBLES = (
    Trouble(kind=TroubleKind.SILENT, since=START, text="silent", polls=3, is_told=True),
    Trouble(kind=TroubleKind.EMPTY, since=START, text="empty"),
)
LEARNED = Learned(habit=HABIT, hints=HINTS, troubles=TROUBLES)
NOTICE = Notice(kind=TroubleKind.SILENT, since=START, text="it has published nothing for 3 days")
OVER = replace(NOTICE, text="it publishes again", is_over=True)


@pytest.fixture
def store(store):
    store.configure([source()], [RuleState(id="eu", version="1", feed=True)])
    return store


def looked_at(store, name="wire"):
    """Return what a claim of a source holds, and give it back."""
    claim = claimed(store, name)
    store.release_sources([claim])
    return claim


def status(store, name="wire"):
    return next(each for each in store.sources() if each.id == name)


def told(store, *notices, notify=("desk",), name="wire"):
    return recorded(store, poll(claimed(store, name), store, notices=notices, notify=notify)).alerts


# -- what was learned


def test_what_was_learned_comes_back_with_the_next_claim(store):
    claim = claimed(store)
    assert claim.learned == Learned()
    recorded(store, poll(claim, store, learned=LEARNED))
    assert looked_at(store).learned == LEARNED


def test_a_poll_that_teaches_nothing_leaves_it_as_it_was(store):
    recorded(store, poll(claimed(store), store, learned=LEARNED))
    recorded(store, poll(claimed(store), store))
    recorded(store, failed(claimed(store), store))
    assert looked_at(store).learned == LEARNED
    later = replace(LEARNED, habit=replace(HABIT, hurry=None, hurry_until=None), hints=Hints())
    recorded(store, poll(claimed(store), store, learned=later))
    assert looked_at(store).learned == later


def test_what_is_learned_is_of_one_source(store):
    store.configure([source(), source("post")], [])
    recorded(store, poll(claimed(store), store, learned=LEARNED))
    assert looked_at(store, "post").learned == Learned()


def test_a_poll_that_cannot_be_written_teaches_nothing(store):
    claim = claimed(store)
    bad = reading(store, claim, entry(title=UNWRITABLE), learned=LEARNED, gap=gap(), notices=(NOTICE,))
    (result,) = store.record_polls([replace(bad, notify=("desk",), listed=())])
    assert result.error
    assert looked_at(store).learned == Learned()
    assert (status(store).gaps, store.deliveries()) == (0, [])
    assert status(store).next_poll_why == "as you asked"


# -- which items a document lists


def items_listed(store, *names, listed):
    """Read entries, of which the document lists some; return those as the next claim has them."""
    recorded(store, reading(store, claimed(store), *map(entry, names), listed=listed))
    return looked_at(store).learned.listed


def test_a_document_is_known_by_its_items_also_by_those_that_were_new(store):
    first = items_listed(store, *"abc", listed=("guid:guid-a", "guid:guid-b"))
    assert len(set(first)) == 2
    assert all(isinstance(item, int) for item in first)
    known, new = items_listed(store, *"abcd", listed=(first[1], "guid:guid-d"))
    assert known == first[1]
    assert new > max(first)


def test_a_document_without_items_leaves_what_was_listed(store):
    first = items_listed(store, *"abc", listed=("guid:guid-a",))
    assert items_listed(store, listed=None) == first


# -- gaps


def gap(**fields):
    return Gap(**{"begins": START - HOUR, "ends": START - MINUTE, "found_at": START, **fields})


def test_gaps_are_counted_and_the_last_is_shown(store):
    assert (status(store).gaps, status(store).last_gap) == (0, None)
    recorded(store, poll(claimed(store), store, gap=gap()))
    last = gap(found_at=START + DAY, filled=7, is_closed=True)
    recorded(store, poll(claimed(store), store, gap=last))
    assert (status(store).gaps, status(store).last_gap) == (2, last)
    store.configure([source(), source("post")], [])
    assert status(store, "post").gaps == 0


# -- whom to believe


def test_trust_is_kept_for_each_address(store):
    store.configure([source("wire", "a.example", "b.example")], [])
    doubted = Trust(
        unchanged_since=START,
        checked_at=START - DAY,
        strikes=1,
        without_etag=True,
        without_last_modified=True,
    )
    claim = claimed(store)
    assert claim.trust == Trust()
    recorded(store, failed(claim, store, trust=doubted))
    other = claimed(store)
    assert other.trust == Trust()
    recorded(store, poll(other, store))
    assert looked_at(store).trust == doubted


# -- when, why, and at what cost


def test_why_a_source_is_polled_next_is_kept(store, clock):
    recorded(store, poll(claimed(store), store, next_poll_why="every hour"))
    assert status(store).next_poll_why == "every hour"
    store.poll_now(["wire"])
    assert status(store).next_poll_why == "as you asked"
    recorded(store, poll(claimed(store), store, next_poll_at=START, next_poll_why="every hour"))
    clock.forward(MINUTE)
    store.poll_now(None)  # it is due already
    assert status(store).next_poll_why == "every hour"


def test_a_change_of_the_configuration_says_so(store):
    recorded(store, poll(claimed(store), store, next_poll_at=START + DAY))
    store.configure([source(interval=MINUTE)], [])
    assert status(store).next_poll_why == "its interval is shorter now"
    store.configure([source("wire", "elsewhere.example")], [])
    assert status(store).next_poll_why == "it was configured anew"
    recorded(store, failed(claimed(store), store))
    store.configure([source("wire", "elsewhere.example")], [], network="other")
    assert status(store).next_poll_why == "how we may reach others has changed"


def test_a_host_that_asks_for_less_is_the_reason_as_long_as_it_is(store):
    busy = failed(claimed(store), store, next_poll_at=START + HOUR, next_poll_why="it has failed")
    recorded(store, replace(busy, host_backoff_until=START + 2 * HOUR))
    assert (status(store).next_poll_at, status(store).next_poll_why) == (
        START + 2 * HOUR,
        "its host asks for less",
    )


def test_requests_and_bytes_add_up_also_of_failures(store):
    recorded(store, poll(claimed(store), store, spent=Spent(requests=2, received_bytes=500)))
    recorded(store, failed(claimed(store), store, spent=Spent(requests=1)))
    recorded(store, poll(claimed(store), store, spent=Spent(requests=1, received_bytes=3)))
    assert status(store).spent == Spent(requests=4, received_bytes=503)


def test_the_pace_of_items_and_their_delay_are_shown(store, clock):
    assert (status(store).items_per_day, status(store).median_delay) == (None, None)
    dated = (entry(str(day), published=START - day * DAY) for day in range(20))
    recorded(store, reading(store, claimed(store), *dated, learned=LEARNED))
    assert status(store).items_per_day == pytest.approx(8 / 7)
    assert status(store).median_delay == MINUTE
    clock.forward(30 * DAY)
    assert status(store).items_per_day == 0


def test_a_first_day_counts_as_a_day(store):
    read(store, *map(entry, "abc"))
    assert status(store).items_per_day == 3


def test_when_anybody_answered_last_is_known_to_all(store, clock):
    store.configure([source(), source("post")], [])
    assert looked_at(store).others_answered_at is None
    recorded(store, failed(claimed(store, "post"), store))
    assert looked_at(store).others_answered_at is None
    clock.forward(MINUTE)
    recorded(store, poll(claimed(store, "post"), store, state=PollState.UNCHANGED))
    assert looked_at(store).others_answered_at == START + MINUTE


def test_an_address_that_is_left_alone_knows_it(store):
    assert looked_at(store).is_only_address
    store.configure([source("wire", "a.example", "b.example")], [])
    claim = claimed(store)
    assert not claim.is_only_address
    recorded(store, gone(claim, store))
    assert looked_at(store).is_only_address


# -- what is told


def test_only_troubles_that_were_told_are_shown(store):
    recorded(store, poll(claimed(store), store, learned=LEARNED))
    assert status(store).troubles == TROUBLES[:1]


def test_a_notice_is_delivered_to_each_endpoint(store):
    assert told(store, NOTICE, notify=("desk", "chat")) == 2
    (desk,) = claim_alerts(store)
    assert desk.alerts == (SourceAlert(kind="source", source="wire", created_at=START, notice=NOTICE),)
    assert sorted(each.endpoint for each in store.deliveries()) == ["chat", "desk"]
    assert {(each.alerts, each.sources) for each in store.deliveries()} == {((), ("wire",))}
    store.record_attempts([attempt(desk, store)])
    assert len(store.deliveries(state=DeliveryState.DELIVERED)) == 1


def test_where_nobody_wants_to_hear_nothing_is_told(store):
    assert told(store, NOTICE, notify=()) == 0
    assert store.deliveries() == []


def test_the_same_notice_is_told_once(store):
    assert [told(store, NOTICE), told(store, NOTICE), told(store, OVER), told(store, OVER)] == [1, 0, 1, 0]
    again = replace(NOTICE, since=START + DAY)
    assert told(store, again) == 1
    assert told(store, replace(NOTICE, kind=TroubleKind.EMPTY)) == 1


def test_notices_of_two_sources_are_two(store):
    store.configure([source(), source("post")], [])
    assert told(store, NOTICE) == told(store, NOTICE, name="post") == 1


def test_a_failing_poll_tells_as_well(store):
    notice = replace(NOTICE, kind=TroubleKind.GONE)
    result = recorded(store, replace(gone(claimed(store), store), notices=(notice,), notify=("desk",)))
    assert (result.alerts, status(store).state) == (1, "gone")


def test_notices_and_matches_are_told_apart(store):
    recorded(
        store,
        replace(reading(store, claimed(store), entry()), notices=(NOTICE,), notify=("desk",)),
    )
    first, second = claim_alerts(store)
    assert {type(delivery.alerts[0]).__name__ for delivery in (first, second)} == {"Alert", "SourceAlert"}
    assert store.alerts_about("eu", [1])
