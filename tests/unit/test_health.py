"""When an endpoint is disabled, and what its owner is told."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import Attempt, DeliveryState, EndpointNotice
from syndicate.store.health import FAILING_FOR, Health, after_attempts, enabled

START = datetime(2026, 11, 24, 2, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
PLAIN = Health(endpoint="desk")


def attempt(after: timedelta, *, is_taken: bool = False, is_last: bool = False) -> Attempt:
    return Attempt(
        delivery="msg_1",
        endpoint="desk",
        token="t",
        started_at=START + after,
        duration=SECOND,
        status=200 if is_taken else 500,
        error=None if is_taken else "it answered 500",
        answer="",
        state=DeliveryState.DELIVERED if is_taken else DeliveryState.WAITING,
        next_attempt_at=None,
        is_last=is_last,
    )


def test_an_endpoint_that_takes_everything_is_plain():
    health, notices = after_attempts(PLAIN, [attempt(DAY * n, is_taken=True) for n in range(9)])
    assert health.is_plain
    assert notices == ()


def test_failures_are_counted_from_the_first_in_a_row():
    attempts = [attempt(DAY), attempt(2 * DAY, is_taken=True), attempt(3 * DAY), attempt(4 * DAY)]
    health, notices = after_attempts(PLAIN, attempts)
    assert health == Health(endpoint="desk", failing_since=START + 3 * DAY)
    assert notices == ()


def test_five_days_of_failures_alone_disable_it_and_that_is_told_once():
    days = [attempt(DAY * n) for n in range(5)]
    health, notices = after_attempts(PLAIN, days)
    assert health.disabled_at is None
    health, notices = after_attempts(health, [attempt(FAILING_FOR), attempt(FAILING_FOR + SECOND)])
    since = START + FAILING_FOR + SECOND
    assert (health.disabled_at, health.failing_since) == (since, START)
    reason = "it has taken nothing for 5 days, and the last time it answered 500"
    assert health.reason == reason
    text = f"it is sent nothing any more: {reason}. What waits for it is kept until it is enabled again"
    assert notices == (EndpointNotice(endpoint="desk", since=since, is_over=False, text=text),)


def test_one_that_wants_nothing_more_is_disabled_at_once():
    health, (notice,) = after_attempts(PLAIN, [attempt(DAY, is_last=True)])
    assert health.disabled_at == notice.since == START + DAY + SECOND
    assert health.reason == "it answered 500"


def test_that_it_is_over_is_told_when_it_has_taken_something_not_when_it_is_enabled():
    health, _ = after_attempts(PLAIN, [attempt(DAY, is_last=True)])
    health, notices = after_attempts(enabled(health), [attempt(2 * DAY)])
    assert (health.disabled_at, health.failing_since, notices) == (None, START + 2 * DAY, ())
    health, (over,) = after_attempts(health, [attempt(3 * DAY, is_taken=True)])
    assert health.is_plain
    assert (over.is_over, over.since) == (True, START + DAY + SECOND)


def test_one_that_wants_nothing_more_stays_disabled_when_it_takes_what_was_under_way():
    attempts = [attempt(DAY, is_last=True), attempt(DAY, is_taken=True)]
    health, (begun,) = after_attempts(PLAIN, attempts)
    assert health.disabled_at == begun.since == START + DAY + SECOND
    health, (over,) = after_attempts(enabled(health), [attempt(2 * DAY, is_taken=True)])
    assert (health.is_plain, over.is_over) == (True, True)


def test_one_that_has_failed_for_long_is_enabled_again_when_it_takes_what_was_under_way():
    attempts = [attempt(DAY * n) for n in range(7)]
    health, notices = after_attempts(PLAIN, [*attempts, attempt(6 * DAY, is_taken=True)])
    assert health.is_plain
    assert [notice.is_over for notice in notices] == [False, True]


steps = st.lists(st.tuples(st.timedeltas(timedelta(), 3 * DAY), st.booleans(), st.booleans()), max_size=30)


@given(steps)
def test_begun_and_over_take_turns_and_only_a_disabled_endpoint_has_a_reason(steps):
    health, after, told = PLAIN, timedelta(), []
    for wait, is_taken, is_last in steps:
        after += wait
        before = health
        attempts = [attempt(after, is_taken=is_taken, is_last=is_last and not is_taken)]
        health, notices = after_attempts(health, attempts)
        told += [notice.is_over for notice in notices]
        assert (health.disabled_at is None) == (health.reason is None)
        assert not (is_taken and health.failing_since) or before.is_closed
        assert (health.disabled_at is None) or before.failing_since or is_last
    assert told == [bool(number % 2) for number in range(len(told))]
