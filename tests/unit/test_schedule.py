"""When to poll again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.sources.schedule import LARGEST_JITTER, LONGEST_WAIT, freshness, next_poll, retry_after

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
INTERVALS = st.timedeltas(min_value=SECOND, max_value=timedelta(days=400))
ASKED = st.none() | st.timedeltas(min_value=timedelta(), max_value=timedelta(days=10))
FAILURES = st.integers(0, 10_000)
JITTER = st.floats(0, 1)


@pytest.mark.parametrize(
    ("interval", "failures", "asked", "wait"),
    [
        (HOUR, 0, None, HOUR),
        (HOUR, 1, None, HOUR),
        (HOUR, 2, None, 2 * HOUR),
        (HOUR, 3, None, 4 * HOUR),
        (HOUR, 5, None, 16 * HOUR),
        (HOUR, 6, None, 24 * HOUR),
        (HOUR, 1000, None, 24 * HOUR),
        (SECOND, 1000, None, 24 * HOUR),
        (48 * HOUR, 0, None, 48 * HOUR),
        (48 * HOUR, 9, None, 48 * HOUR),
        (HOUR, 0, 2 * HOUR, 2 * HOUR),
        (HOUR, 0, MINUTE, HOUR),
        (HOUR, 0, 100 * HOUR, 24 * HOUR),
        (HOUR, 3, 2 * HOUR, 4 * HOUR),
        (48 * HOUR, 0, 100 * HOUR, 48 * HOUR),
    ],
)
def test_the_wait_until_the_next_poll(interval, failures, asked, wait):
    assert next_poll(NOW, interval, failures, asked, 0) == NOW + wait


def test_jitter_only_adds_up_to_a_twentieth():
    assert next_poll(NOW, HOUR, 0, None, 1) == NOW + HOUR * 1.05
    assert LARGEST_JITTER == 0.05


@settings(max_examples=50, deadline=None)
@given(INTERVALS, FAILURES, ASKED, JITTER)
def test_never_earlier_than_the_interval_or_asked_and_never_naive(interval, failures, asked, jitter):
    at = next_poll(NOW, interval, failures, asked, jitter)
    assert at >= NOW + interval
    assert at >= NOW + min(asked or timedelta(), LONGEST_WAIT)
    assert at <= NOW + max(interval, LONGEST_WAIT) * (1 + LARGEST_JITTER) + SECOND
    assert at.utcoffset() == timedelta()


@settings(max_examples=50, deadline=None)
@given(INTERVALS, FAILURES, ASKED, JITTER)
def test_another_failure_is_never_polled_earlier(interval, failures, asked, jitter):
    assert next_poll(NOW, interval, failures + 1, asked, jitter) >= next_poll(
        NOW, interval, failures, asked, jitter
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("120", 2 * MINUTE),
        (" 120 ", 2 * MINUTE),
        ("0", timedelta()),
        ("99999999999999999999", LONGEST_WAIT),
        ("Tue, 24 Nov 2026 02:30:00 GMT", 30 * MINUTE),
        ("Tue, 24 Nov 2026 02:30:00", 30 * MINUTE),
        ("Tue, 24 Nov 2026 04:30:00 +0200", 30 * MINUTE),
        ("Tue, 24 Nov 2026 01:00:00 GMT", timedelta()),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
        ("Fri, 31 Dec 9999 23:59:59 -2359", LONGEST_WAIT),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("Tue, 99 Nov 2026 02:30:00 GMT", None),
        ("Tue, 24 Nov 99999999999999999999 02:30:00 GMT", None),
        ("Tue, 24 Nov 2026 99999999999999999999:30:00 GMT", None),
        ("Tue, 24 Nov 2026 02:30:00 +99999999999999", None),
        (",", None),
    ],
)
def test_retry_after_is_read(value, expected):
    assert retry_after(value, NOW) == expected


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="0123456789 ,:+-TueNovGMT/.", max_size=40) | st.text(max_size=20))
def test_no_retry_after_is_too_odd(value):
    wait = retry_after(value, NOW)
    assert wait is None or timedelta() <= wait <= LONGEST_WAIT


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("max-age=600", 10 * MINUTE),
        ("public, Max-Age=600, must-revalidate", 10 * MINUTE),
        ('max-age="600"', 10 * MINUTE),
        ("max-age = 600", 10 * MINUTE),
        ("max-age=99999999999999", LONGEST_WAIT),
        ("s-maxage=600", None),
        ("x-max-age=600", None),
        ("no-cache", None),
        ("max-age=soon", None),
        ("max-age=-1", None),
    ],
)
def test_freshness_is_read(value, expected):
    assert freshness({} if value is None else {"cache-control": value}) == expected
