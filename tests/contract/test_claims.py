"""Which sources are polled, when, and by whom."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syndicate.model import PollState, Validators
from syndicate.store.protocol import HostPace, RuleState
from tests.contract.making import (
    HOUR,
    LEASE,
    MINUTE,
    NO_PACE,
    SECOND,
    START,
    UNWRITABLE,
    claim_all,
    claimed,
    entry,
    failed,
    gone,
    poll,
    read,
    reading,
    recorded,
    source,
    with_validators,
)

DAY = 24 * HOUR


def ids(claims):
    return [claim.source.id for claim in claims]


def statuses(store):
    return {status.id: status for status in store.sources()}


# -- being due


def test_a_new_source_is_due_at_once(store):
    wire = source(tags=("official",), language="ru", interval=timedelta(minutes=7, microseconds=5))
    store.configure([wire], [])
    (claim,) = claim_all(store)
    assert claim.source == wire
    assert claim.url == claim.address == wire.urls[0]
    assert claim.is_last_address
    assert claim.validators == Validators()
    assert claim.due_at == START
    assert not claim.has_baseline
    assert (claim.last_success_at, claim.last_success_url, claim.body_hash) == (None, None, None)


def test_sources_are_claimed_longest_due_first(store, clock):
    names = ["one", "two", "three"]
    store.configure([source(name) for name in names], [])
    for wait, name in zip((30, 10, 20), names, strict=True):
        recorded(store, poll(claimed(store, name), store, next_poll_at=START + wait * MINUTE))
    clock.forward(HOUR)
    assert ids(claim_all(store, limit=2)) == ["two", "three"]
    assert ids(claim_all(store)) == ["one"]


def test_what_is_not_due_is_not_claimed(store, clock):
    store.configure([source()], [])
    recorded(store, poll(claimed(store), store, next_poll_at=START + HOUR))
    clock.forward(HOUR - timedelta(microseconds=1))
    assert claim_all(store) == []
    clock.forward(timedelta(microseconds=1))
    assert ids(claim_all(store)) == ["wire"]


def test_disabled_and_removed_sources_are_not_claimed(store):
    store.configure([source("one"), source("two", enabled=False), source("three")], [])
    store.configure([source("one"), source("two", enabled=False)], [])
    assert ids(claim_all(store)) == ["one"]


def test_a_restart_polls_nothing_early(store, clock):
    store.configure([source()], [])
    recorded(store, poll(claimed(store), store, next_poll_at=START + HOUR))
    clock.forward(MINUTE)
    store.configure([source(title="Renamed")], [])
    assert claim_all(store) == []
    assert statuses(store)["wire"].title == "Renamed"


def test_a_shorter_interval_holds_from_now_on(store, clock):
    store.configure([source(interval=24 * HOUR)], [])
    recorded(store, poll(claimed(store), store, next_poll_at=START + 24 * HOUR))
    store.configure([source(interval=HOUR)], [])
    clock.forward(HOUR)
    assert ids(claim_all(store)) == ["wire"]


def test_poll_now_makes_the_named_sources_due(store):
    store.configure([source("one"), source("two")], [])
    for name in ("one", "two"):
        recorded(store, poll(claimed(store, name), store))
    assert claim_all(store) == []
    store.poll_now(["two"])
    assert ids(claim_all(store)) == ["two"]


def test_poll_now_of_all_makes_all_due_but_nothing_later(store, clock):
    store.configure([source("one"), source("two")], [])
    recorded(store, poll(claimed(store, "one"), store))
    clock.forward(MINUTE)
    store.poll_now(None)
    claims = claim_all(store)
    assert ids(claims) == ["two", "one"]
    assert claims[0].due_at == START


def test_poll_now_of_none_does_nothing(store):
    store.configure([source()], [])
    recorded(store, poll(claimed(store), store))
    store.poll_now([])
    assert claim_all(store) == []


# -- leases


def test_a_lease_excludes_others_until_it_expires(store, clock):
    store.configure([source()], [])
    (first,) = claim_all(store)
    clock.forward(LEASE - SECOND)
    assert claim_all(store) == []
    clock.forward(SECOND)
    (second,) = claim_all(store)
    assert second.token != first.token


def test_a_stale_token_records_nothing(store, clock):
    store.configure([source()], [RuleState(id="eu", version="1", feed=True)])
    (first,) = claim_all(store)
    clock.forward(LEASE)
    (second,) = claim_all(store)
    late = with_validators(reading(store, first, entry()), b'"late"')
    (result,) = store.record_polls([late])
    assert result.was_stale
    assert (result.new, result.matched, result.alerts) == (0, 0, 0)
    status = statuses(store)["wire"]
    assert (status.items, status.state, status.last_polled_at) == (0, "new", None)
    assert claim_all(store) == []  # still the second one's
    assert recorded(store, reading(store, second, entry())).new == 1


def test_a_poll_is_recorded_once(store):
    store.configure([source()], [])
    one = poll(claimed(store), store)
    recorded(store, one)
    (again,) = store.record_polls([one])
    assert again.was_stale


def test_released_claims_are_due_as_before(store, clock):
    store.configure([source()], [])
    (first,) = claim_all(store)
    clock.forward(MINUTE)
    store.release_sources([first])
    (second,) = claim_all(store)
    assert second.due_at == first.due_at
    assert second.token != first.token


def test_releasing_a_stale_claim_does_not_free_the_new_one(store, clock):
    store.configure([source()], [])
    (first,) = claim_all(store)
    clock.forward(LEASE)
    claim_all(store)
    store.release_sources([first])
    assert claim_all(store) == []


def test_a_poll_of_an_address_taken_from_the_configuration_meanwhile_records_nothing(store):
    store.configure([source("wire", "old.example")], [])
    (claim,) = claim_all(store)
    store.configure([source("wire", "new.example")], [])
    (result,) = store.record_polls([poll(claim, store)])
    assert result.was_stale
    (claim,) = claim_all(store)
    assert claim.url == "https://new.example/wire.xml"


# -- hosts


def test_requests_to_one_host_are_spaced(store, clock):
    store.configure([source(name, "shared.example") for name in ("one", "two", "three")], [])
    pace = HostPace(interval=2 * SECOND, concurrency=10)
    assert ids(claim_all(store, pace=pace)) == ["one"]
    assert claim_all(store, pace=pace) == []
    clock.forward(2 * SECOND)
    assert ids(claim_all(store, pace=pace)) == ["two"]


def test_at_most_so_many_polls_go_to_one_host_at_once(store):
    store.configure([source(name, "shared.example") for name in ("one", "two", "three")], [])
    pace = HostPace(interval=timedelta(), concurrency=2)
    claims = claim_all(store, pace=pace)
    assert ids(claims) == ["one", "two"]
    assert claim_all(store, pace=pace) == []
    recorded(store, poll(claims[0], store))
    assert ids(claim_all(store, pace=pace)) == ["three"]


def test_an_expired_lease_frees_its_slot_of_the_host(store, clock):
    store.configure([source(name, "shared.example") for name in ("one", "two")], [])
    pace = HostPace(interval=timedelta(), concurrency=1)
    assert ids(claim_all(store, pace=pace)) == ["one"]
    clock.forward(LEASE)
    assert len(claim_all(store, pace=pace)) == 1


def test_a_busy_host_holds_up_no_other(store):
    crowd = [source(f"crowd{number}", "shared.example") for number in range(50)]
    store.configure([*crowd, source("lone")], [])
    assert ids(claim_all(store, pace=HostPace(interval=SECOND, concurrency=2), limit=2)) == ["crowd0", "lone"]


def test_ports_are_hosts_of_their_own(store):
    store.configure([source("one", "shared.example:8001"), source("two", "shared.example:8002")], [])
    assert len(claim_all(store, pace=HostPace(interval=SECOND, concurrency=1))) == 2


def test_nobody_asks_a_host_that_backs_off(store, clock):
    store.configure([source("one", "shared.example"), source("two", "shared.example"), source("three")], [])
    claim = claimed(store, "one")
    recorded(store, failed(claim, store, status=429, host_backoff_until=START + 10 * MINUTE))
    store.poll_now(None)
    assert ids(claim_all(store)) == ["three"]
    clock.forward(10 * MINUTE)
    store.poll_now(["one"])
    assert set(ids(claim_all(store))) >= {"one", "two"}


def test_a_shorter_backoff_does_not_end_a_longer_one(store, clock):
    store.configure([source("one", "shared.example"), source("two", "shared.example")], [])
    one, two = claim_all(store)
    recorded(store, failed(one, store, host_backoff_until=START + HOUR))
    recorded(store, failed(two, store, host_backoff_until=START + MINUTE))
    clock.forward(2 * MINUTE)
    store.poll_now(None)
    assert claim_all(store) == []


def test_the_backoff_is_of_the_host_that_was_asked(store):
    store.configure([source("one", "a.example"), source("two", "b.example")], [])
    one = claimed(store, "one")
    recorded(store, replace(poll(one, store), adopted="https://b.example/moved.xml"))
    asked = claimed(store, "one")
    recorded(store, failed(asked, store, adopted=asked.address, host_backoff_until=START + HOUR))
    store.poll_now(None)
    assert claim_all(store) == []


def test_a_turn_is_taken_after_all_that_were_taken_before(store, clock):
    store.configure([source("one", "shared.example"), source("two", "shared.example")], [])
    pace = HostPace(interval=2 * SECOND, concurrency=10)
    assert ids(claim_all(store, pace=pace)) == ["one"]
    archive = "https://shared.example/archive"
    assert [store.take_turn(archive, pace) for _ in range(2)] == [START + 2 * SECOND, START + 4 * SECOND]
    assert store.take_turn("https://other.example/archive", pace) == START
    clock.forward(5 * SECOND)
    assert claim_all(store, pace=pace) == []
    clock.forward(SECOND)
    assert ids(claim_all(store, pace=pace)) == ["two"]
    clock.forward(HOUR)
    assert store.take_turn(archive, pace) == START + HOUR + 6 * SECOND


def test_no_turn_is_given_with_a_host_that_backs_off(store, clock):
    store.configure([source("one", "shared.example")], [])
    recorded(store, failed(claimed(store, "one"), store, host_backoff_until=START + MINUTE))
    assert store.take_turn("https://shared.example/archive", NO_PACE) is None
    clock.forward(MINUTE)
    assert store.take_turn("https://shared.example/archive", NO_PACE) == START + MINUTE


# -- when to look again


def test_next_claim_at_is_none_when_nothing_is_due(store):
    store.configure([source()], [])
    recorded(store, poll(claimed(store), store, next_poll_at=START + HOUR))
    assert store.next_claim_at(START + HOUR - SECOND) is None


def test_next_claim_at_is_now_for_what_is_due(store, clock):
    store.configure([source()], [])
    clock.forward(MINUTE)
    assert store.next_claim_at(store.now()) == store.now()


def test_next_claim_at_waits_for_leases_hosts_and_times(store, clock):
    store.configure([source("one", "shared.example"), source("two", "shared.example")], [])
    pace = HostPace(interval=3 * SECOND, concurrency=2)
    (one,) = claim_all(store, pace=pace)
    assert store.next_claim_at(START) == START + 3 * SECOND
    clock.forward(3 * SECOND)
    (two,) = claim_all(store, pace=pace)
    assert store.next_claim_at(START) == START + LEASE
    recorded(store, poll(one, store, next_poll_at=START + HOUR))
    recorded(store, failed(two, store, host_backoff_until=START + 2 * HOUR))
    assert store.next_claim_at(START + HOUR) == START + 2 * HOUR


# -- what the last poll left


def test_validators_come_back_byte_for_byte(store):
    store.configure([source()], [])
    etag, modified = b'W/"\xe4\xf6\xfc\x80\xff"', b"Tue, 24 Nov 2026 02:00:00 GMT \xfe"
    recorded(store, with_validators(poll(claimed(store), store, body_hash="abc"), etag, modified))
    claim = claimed(store)
    assert claim.validators == Validators(etag=etag, last_modified=modified)
    assert claim.body_hash == "abc"


def test_validators_come_back_with_the_address_that_gave_them(store):
    store.configure([source()], [])
    given = Validators(etag=b'"1"', url="https://cdn.example/wire.xml?a=b")
    recorded(store, poll(claimed(store), store, validators=given))
    assert claimed(store).validators == given


def test_validators_that_a_server_no_longer_gives_are_forgotten(store):
    store.configure([source()], [])
    recorded(store, with_validators(poll(claimed(store), store), b'"1"', b"x"))
    recorded(store, with_validators(poll(claimed(store), store), None))
    assert claimed(store).validators == Validators()


def test_each_address_has_validators_of_its_own(store):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, failed(claimed(store), store))
    recorded(store, with_validators(poll(claimed(store), store, body_hash="b"), b'"b"'))
    claim = claimed(store)
    assert claim.url == "https://a.example/wire.xml"
    assert claim.validators == Validators()
    recorded(store, failed(claim, store))
    assert claimed(store).validators == Validators(etag=b'"b"')


def test_failures_are_counted_and_reset(store, clock):
    store.configure([source()], [])
    for expected in (0, 1, 2):
        claim = claimed(store)
        assert claim.failures == expected
        recorded(store, failed(claim, store))
        clock.forward(HOUR)
    status = statuses(store)["wire"]
    assert (status.state, status.failures, status.last_error) == ("failing", 3, "no answer")
    recorded(store, poll(claimed(store), store))
    assert claimed(store).failures == 0
    assert statuses(store)["wire"].last_error is None


@pytest.mark.parametrize("state", [PollState.OK, PollState.UNCHANGED])
def test_a_success_is_remembered(store, clock, state):
    store.configure([source()], [])
    recorded(store, poll(claimed(store), store, state=state))
    clock.forward(HOUR)
    claim = claimed(store)
    assert claim.last_success_at == START
    assert claim.last_success_url == claim.url
    assert claim.has_baseline


def test_a_failure_is_no_success(store):
    store.configure([source()], [])
    recorded(store, failed(claimed(store), store))
    claim = claimed(store)
    assert claim.last_success_at is None
    assert not claim.has_baseline


# -- several addresses


def test_the_next_address_is_due_at_once_after_a_failure(store):
    store.configure([source("wire", "a.example", "b.example")], [])
    (first,) = claim_all(store)
    assert (first.url, first.is_last_address) == ("https://a.example/wire.xml", False)
    recorded(store, failed(first, store))
    (second,) = claim_all(store, pace=HostPace(interval=SECOND, concurrency=1))
    assert (second.url, second.is_last_address) == ("https://b.example/wire.xml", True)
    assert (second.failures, second.due_at) == (0, first.due_at)


def test_a_failure_counts_once_all_addresses_failed(store):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, failed(claimed(store), store))
    recorded(store, failed(claimed(store), store))
    claim = claimed(store)
    assert (claim.url, claim.failures) == ("https://a.example/wire.xml", 1)


def test_the_first_address_is_tried_again_at_the_next_poll(store):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, failed(claimed(store), store))
    recorded(store, poll(claimed(store), store))
    status = statuses(store)["wire"]
    assert status.state == "fallback"
    assert status.problems == ("https://a.example/wire.xml: no answer",)
    claim = claimed(store)
    assert claim.url == "https://a.example/wire.xml"
    assert claim.last_success_url == "https://b.example/wire.xml"


def test_an_address_that_asked_for_time_is_left_alone_while_there_is_another(store, clock):
    store.configure([source("wire", "a.example", "b.example")], [])
    busy = failed(claimed(store), store, status=429, held_until=START + 3 * HOUR)
    recorded(store, busy)
    for _ in range(3):  # polls are an hour apart
        claim = claimed(store)
        assert (claim.url, claim.is_last_address) == ("https://b.example/wire.xml", True)
        recorded(store, poll(claim, store))
        clock.forward(HOUR)
    assert claimed(store).url == "https://a.example/wire.xml"


def test_an_address_whose_host_backs_off_does_not_hold_up_the_others(store, clock):
    store.configure([source("wire", "a.example", "b.example"), source("post", "a.example")], [])
    recorded(store, failed(claimed(store), store, host_backoff_until=START + 3 * HOUR))
    recorded(store, poll(claimed(store), store))
    clock.forward(HOUR)
    (claim,) = claim_all(store)
    assert claim.url == "https://b.example/wire.xml"


def test_the_first_of_addresses_that_all_asked_for_time_is_asked_when_that_is_over(store, clock):
    store.configure([source("wire", "a.example", "b.example")], [])
    for _ in range(2):
        recorded(store, failed(claimed(store), store, held_until=START + 3 * HOUR))
    clock.forward(HOUR)
    (claim,) = claim_all(store)
    assert claim.url == "https://a.example/wire.xml"


def test_who_asks_for_a_poll_now_does_not_ask_those_that_want_time(store, clock):
    store.configure([source("wire"), source("post", "a.example", "b.example")], [])
    until = {"held_until": START + 3 * HOUR, "next_poll_at": START + 3 * HOUR}
    recorded(store, failed(claimed(store), store, status=429, **until))
    for _ in range(2):
        held = failed(claimed(store, "post"), store, status=503, held_until=START + 2 * HOUR)
        recorded(store, replace(held, next_poll_at=START + 4 * HOUR))
    store.poll_now(None)
    assert claim_all(store) == []
    clock.forward(2 * HOUR)
    store.poll_now(["post"])
    assert [claim.url for claim in claim_all(store)] == ["https://a.example/post.xml"]


def test_a_poll_now_begins_with_an_address_that_does_not_want_time(store):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, failed(claimed(store), store, status=429, held_until=START + HOUR))
    recorded(store, poll(claimed(store), store, next_poll_at=START + 2 * HOUR))
    assert claimed(store).url == "https://b.example/wire.xml"


# -- addresses that go stale


def test_what_is_known_of_a_stale_address_comes_back_with_the_next_claim(store, clock):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, poll(claimed(store), store, has_news=True))
    clock.forward(HOUR)
    until = clock.now + 5 * HOUR
    recorded(store, poll(claimed(store), store, stale_until=until))
    claim = claimed(store)
    assert (claim.brought_at, claim.stale_until, claim.is_look) == (START, until, False)


def looking_on(store, until):
    """Return the next claim after the first address had nothing new, though the source goes by it."""
    claim = claimed(store)
    looking = poll(claim, store, try_next_address=True, stale_until=until, next_poll_at=claim.due_at)
    recorded(store, looking)
    (following,) = claim_all(store)
    return following


def test_a_look_at_the_next_address_that_leads_to_nothing_leaves_the_source_as_it_was(store, clock):
    store.configure([source("wire", "a.example", "b.example")], [])
    look = looking_on(store, START + DAY)
    assert (look.url, look.is_look, look.is_last_address) == ("https://b.example/wire.xml", True, True)
    recorded(store, failed(look, store, is_in_charge=False))
    status = statuses(store)["wire"]
    assert (status.state, status.failures, status.last_error) == ("ok", 0, None)
    claim = claimed(store)
    assert (claim.url, claim.is_look) == ("https://a.example/wire.xml", False)


def test_a_look_that_cannot_be_written_is_over_too(store, clock):
    store.configure([source("wire", "a.example", "b.example")], [])
    look = looking_on(store, START + DAY)
    (done,) = store.record_polls([reading(store, look, entry(title=UNWRITABLE))])
    assert done.error
    clock.forward(DAY)
    claim = claimed(store)
    assert (claim.url, claim.is_look) == ("https://a.example/wire.xml", False)


def test_what_took_over_is_asked_alone_until_the_stale_address_may_be_doubted(store, clock):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, poll(looking_on(store, START + 3 * HOUR), store))
    assert statuses(store)["wire"].state == "fallback"
    assert [address.state for address in store.addresses("wire")] == ["stale", "ok"]
    for _ in range(2):
        clock.forward(HOUR)
        recorded(store, poll(claimed(store), store, next_poll_at=clock.now + HOUR))
    assert claimed(store).url == "https://a.example/wire.xml"


def test_when_what_took_over_fails_the_stale_address_is_asked_next(store, clock):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, poll(looking_on(store, START + DAY), store))
    clock.forward(HOUR)
    claim = claimed(store)
    assert (claim.url, claim.is_look) == ("https://b.example/wire.xml", False)
    recorded(store, failed(claim, store))
    assert claimed(store).url == "https://a.example/wire.xml"


def test_no_look_is_taken_at_an_address_that_wants_time(store):
    store.configure([source("wire", "a.example", "b.example"), source("post", "b.example")], [])
    recorded(store, failed(claimed(store, "post"), store, host_backoff_until=START + HOUR))
    assert claimed(store).is_last_address


def test_an_address_that_asked_for_time_has_it_whatever_is_configured(store, clock):
    store.configure([source("wire", "a.example")], [], "one network")
    until = START + 3 * HOUR
    recorded(store, failed(claimed(store), store, held_until=until, next_poll_at=until))
    clock.forward(HOUR)
    store.configure([source("wire", "a.example")], [], "another network")
    assert claim_all(store) == []
    store.configure([source("wire", "a.example", enabled=False)], [], "another network")
    store.configure([source("wire", "a.example")], [], "another network")
    assert claim_all(store) == []
    assert statuses(store)["wire"].next_poll_at == until
    store.configure([source("wire", "a.example", "b.example")], [], "another network")
    assert [claim.url for claim in claim_all(store)] == ["https://b.example/wire.xml"]


def test_a_change_of_the_addresses_ends_a_look(store):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, poll(claimed(store), store, try_next_address=True, stale_until=START + DAY))
    store.configure([source("wire", "a.example", "b.example", "c.example")], [])
    claim = claimed(store)
    assert (claim.url, claim.is_look) == ("https://a.example/wire.xml", False)


def test_a_fallback_address_is_the_same_source_with_the_same_items(store):
    store.configure([source("wire", "a.example", "b.example")], [RuleState(id="eu", version="1", feed=True)])
    read(store, entry())
    recorded(store, failed(claimed(store), store))
    result = recorded(store, reading(store, claimed(store), entry()))
    assert (result.new, result.changed) == (0, 0)
    assert statuses(store)["wire"].items == 1


def test_an_address_that_was_not_asked_lately_is_no_problem(store):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, failed(claimed(store), store))
    recorded(store, failed(claimed(store), store))
    recorded(store, poll(claimed(store), store))
    assert statuses(store)["wire"].problems == ()


# -- 410


def test_the_one_address_gone_stops_the_source(store, clock):
    store.configure([source()], [])
    recorded(store, gone(claimed(store), store))
    clock.forward(1000 * HOUR)
    store.poll_now(None)
    assert claim_all(store) == []
    status = statuses(store)["wire"]
    assert (status.state, status.next_poll_at, status.last_status) == ("gone", None, 410)


def test_one_of_several_addresses_gone_is_left_out(store):
    store.configure([source("wire", "a.example", "b.example", "c.example")], [])
    recorded(store, gone(claimed(store), store))
    (claim,) = claim_all(store)
    assert claim.url == "https://b.example/wire.xml"
    recorded(store, poll(claim, store))
    claim = claimed(store)
    assert claim.url == "https://b.example/wire.xml"
    assert not claim.is_last_address
    recorded(store, failed(claim, store))
    claim = claimed(store)
    assert claim.url == "https://c.example/wire.xml"
    assert claim.is_last_address


def test_the_last_of_several_addresses_gone_leaves_the_others(store):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, failed(claimed(store), store))
    recorded(store, gone(claimed(store), store))
    assert statuses(store)["wire"].state == "failing"
    claim = claimed(store)
    assert (claim.url, claim.is_last_address) == ("https://a.example/wire.xml", True)


def test_all_of_several_addresses_gone_stop_the_source(store):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, gone(claimed(store), store))
    recorded(store, gone(claimed(store), store))
    assert statuses(store)["wire"].state == "gone"
    store.poll_now(None)
    assert claim_all(store) == []


@pytest.mark.parametrize(
    "steps",
    [
        [[source("wire", "b.example")]],
        [[source("wire", "a.example", enabled=False)], [source("wire", "a.example")]],
        [[], [source("wire", "a.example")]],
    ],
    ids=["another address", "disabled and enabled", "removed and back"],
)
def test_a_gone_source_comes_back_after_a_change_of_its_configuration(store, steps):
    store.configure([source("wire", "a.example")], [])
    recorded(store, gone(claimed(store), store))
    for step in steps:
        store.configure(step, [])
    (claim,) = claim_all(store)
    assert claim.url == steps[-1][0].urls[0]


def test_a_gone_source_stays_gone_over_a_restart(store):
    store.configure([source()], [])
    recorded(store, gone(claimed(store), store))
    store.configure([source()], [])
    assert claim_all(store) == []


def test_a_gone_address_comes_back_after_a_change_of_the_addresses(store):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, gone(claimed(store), store))
    store.configure([source("wire", "a.example", "b.example", "c.example")], [])
    assert claimed(store).url == "https://a.example/wire.xml"


def test_a_new_first_address_is_asked_soon(store):
    store.configure([source("wire", "a.example")], [])
    recorded(store, poll(claimed(store), store))
    store.configure([source("wire", "b.example", "a.example")], [])
    (claim,) = claim_all(store)
    assert claim.url == "https://b.example/wire.xml"
    assert claim.has_baseline


# -- redirects


def test_an_adopted_redirect_is_asked_instead(store):
    store.configure([source()], [])
    target = "https://moved.example/new.xml"
    recorded(store, poll(claimed(store), store, moved_to=target, moved_count=2))
    claim = claimed(store)
    assert (claim.moved_to, claim.moved_count, claim.address) == (target, 2, claim.url)
    recorded(store, poll(claim, store, adopted=target))
    claim = claimed(store)
    assert (claim.url, claim.address) == (source().urls[0], target)
    assert (claim.moved_to, claim.moved_count) == (None, 0)
    recorded(store, failed(claim, store, adopted=None))
    assert claimed(store).address == source().urls[0]


def test_an_adopted_redirect_is_paced_with_its_host(store):
    store.configure([source("one", "a.example"), source("two", "b.example")], [])
    recorded(store, poll(claimed(store, "one"), store, adopted="https://b.example/one.xml"))
    store.poll_now(None)
    assert len(claim_all(store, pace=HostPace(interval=SECOND, concurrency=5))) == 1


def test_ten_thousand_sources_are_configured_and_claimed(store):
    many = [source(f"s{number}", f"host{number % 5000}.example") for number in range(10_000)]
    store.configure(many, [])
    claims = store.claim_sources(limit=500, due_by=START, lease=LEASE, pace=NO_PACE)
    assert len({claim.source.id for claim in claims}) == 500
