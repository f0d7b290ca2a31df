"""What follows from an attempt: every answer, every try, every Retry-After."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.alerts.outcome import Later, Outcome, Refused
from syndicate.alerts.retry import (
    LONGEST_ASKED,
    SHORTENED_WAITS,
    SHORTEST_ASKED,
    TRIES,
    WAITS,
    Consequence,
    Dead,
    Delivered,
    Disabled,
    RetryAt,
    after_attempt,
)
from syndicate.alerts.webhook import outcome

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
MIDDLE = 0.5
GONE = "the endpoint answered 410: it wants no more deliveries"

jitters = st.floats(0, 1)
failures = st.integers(100, 599).filter(lambda status: not 200 <= status < 300 and status != 410)


def after(
    attempts_before: int = 0,
    *,
    status: int = 500,
    retry_after: str | None = None,
    jitter: float = MIDDLE,
) -> Consequence:
    return consequence_of(outcome(status, retry_after, NOW), attempts_before, jitter)


def consequence_of(outcome: Outcome, attempts_before: int = 0, jitter: float = MIDDLE) -> Consequence:
    return after_attempt(attempts_before=attempts_before, outcome=outcome, now=NOW, jitter=jitter)


def wait_after(attempts_before: int = 0, **how: object) -> timedelta:
    consequence = after(attempts_before, **how)  # type: ignore[arg-type]
    assert isinstance(consequence, RetryAt)
    return consequence.at - NOW


@pytest.mark.parametrize("status", [200, 201, 202, 204, 226, 299])
def test_any_2xx_is_success(status):
    assert after(status=status) == Delivered()


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 307, 308, 400, 401, 404, 429, 500, 503, 599])
def test_anything_else_is_tried_again(status):
    assert wait_after(status=status) == timedelta(seconds=5)


def test_a_redirect_says_that_it_is_not_followed():
    consequence = after(status=308)
    assert isinstance(consequence, RetryAt)
    assert "308" in consequence.reason
    assert "not followed" in consequence.reason


def test_no_answer_is_tried_again_and_says_why():
    no_answer = Later(reason="refused")
    assert consequence_of(no_answer) == RetryAt(at=NOW + timedelta(seconds=5), reason="refused")


def test_what_is_never_taken_is_not_tried_again():
    assert consequence_of(Refused(reason="too long")) == Dead(reason="too long")


@pytest.mark.parametrize("attempts_before", range(TRIES + 1))
def test_410_disables_the_endpoint_at_any_try(attempts_before):
    assert after(attempts_before, status=410, retry_after="5") == Disabled(at=NOW, reason=GONE)


@pytest.mark.parametrize(
    ("attempts_before", "wait"),
    [
        (0, timedelta(seconds=5)),
        (1, timedelta(minutes=5)),
        (2, timedelta(minutes=30)),
        (3, timedelta(hours=2)),
        (4, timedelta(hours=5)),
        (5, timedelta(hours=10)),
        (6, timedelta(hours=14)),
        (7, timedelta(hours=20)),
        (8, timedelta(hours=24)),
    ],
)
def test_the_waits(attempts_before, wait):
    assert wait_after(attempts_before) == wait
    assert wait_after(attempts_before, jitter=0) == wait * 0.8
    assert wait_after(attempts_before, jitter=1) == wait * 1.2


def test_the_tenth_try_is_the_last():
    assert TRIES == 10
    assert after(9) == Dead(reason="the endpoint answered 500; given up after 10 tries")
    assert isinstance(after(9, status=503, retry_after="60"), Dead)
    assert isinstance(after(500), Dead)


def test_an_answer_of_401_says_what_to_compare():
    assert outcome(401, None, NOW) == Later(
        reason="the endpoint answered 401: see that it has the same secret, and the right time", wait=None
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("0", 1),
        ("86401", 86400),
        ("9" * 400, 86400),
        ("Tue, 24 Nov 2026 02:02:00 GMT", 120),
        ("Tue, 24 Nov 2026 01:00:00 GMT", 1),
        ("Tue, 24 Nov 2099 02:02:00 GMT", 86400),
        ("soon", 5),
        (None, 5),
    ],
)
def test_retry_after_is_obeyed_within_bounds(text, seconds):
    assert wait_after(retry_after=text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("status", [301, 429, 500, 503])
@pytest.mark.parametrize("asked", [1, 2, 3600])
def test_the_first_waits_are_as_long_as_the_endpoint_asks(status, asked):
    for attempts_before in range(SHORTENED_WAITS):
        wait = wait_after(attempts_before, status=status, retry_after=str(asked))
        assert wait == timedelta(seconds=asked)


def test_later_waits_are_lengthened_only():
    assert wait_after(3, status=503, retry_after="1") == timedelta(hours=2)
    assert wait_after(3, status=503, retry_after="10800") == timedelta(hours=3)


@given(retry_after=st.text() | st.integers().map(str))
def test_any_retry_after_can_be_read_or_left(retry_after):
    assert SHORTEST_ASKED <= wait_after(retry_after=retry_after) <= LONGEST_ASKED


@given(attempts_before=st.integers(0, TRIES - 2), status=failures, jitter=jitters)
def test_a_wait_is_within_a_fifth_of_the_schedule(attempts_before, status, jitter):
    wait = wait_after(attempts_before, status=status, jitter=jitter)
    assert 0.8 * WAITS[attempts_before] <= wait <= 1.2 * WAITS[attempts_before]


@given(asked=st.integers(0, 10**6), jitters=st.lists(jitters, min_size=TRIES, max_size=TRIES))
def test_whatever_is_asked_no_delivery_dies_in_less_than_two_days(asked, jitters):
    waits = [
        wait_after(attempts_before, status=503, retry_after=str(asked), jitter=jitters[attempts_before])
        for attempts_before in range(TRIES - 1)
    ]
    assert sum(waits, timedelta()) > timedelta(days=2)
