"""When to poll again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.model import Due, Habit, Hints, Source
from syndicate.sources.schedule import (
    LARGEST_JITTER,
    LONGEST_WAIT,
    Wait,
    asked_by_document,
    asked_by_retry_after,
    asked_by_server,
    freshness,
    learned_wait,
    next_poll,
    spelled,
    unskipped,
)

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # a Tuesday
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = 24 * HOUR
INTERVALS = st.timedeltas(min_value=SECOND, max_value=timedelta(days=400))
ASKED = st.none() | st.timedeltas(min_value=timedelta(), max_value=timedelta(days=10))
FAILURES = st.integers(0, 10_000)
JITTER = st.floats(0, 1)


def after(interval, failures=0, asked=None, jitter=0):
    return next_poll(NOW, Wait(length=interval, why="ours"), failures, [*asked_by_server(asked)], jitter)


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
    assert after(interval, failures, asked).at == NOW + wait


@pytest.mark.parametrize(
    ("failures", "asked", "why"),
    [
        (0, None, "ours"),
        (0, MINUTE, "ours"),
        (0, 3 * HOUR, "its server asks for 3 h"),
        (1, None, "it has failed"),
        (4, None, "it has failed 4 times in a row"),
        (1, 3 * HOUR, "its server asks for 3 h"),
    ],
)
def test_what_makes_it_wait_is_told(failures, asked, why):
    assert after(HOUR, failures, asked).why == why


def test_jitter_only_adds_up_to_a_twentieth():
    assert after(HOUR, jitter=1).at == NOW + HOUR * 1.05
    assert LARGEST_JITTER == 0.05


@settings(max_examples=50, deadline=None)
@given(INTERVALS, FAILURES, ASKED, JITTER)
def test_never_earlier_than_the_interval_or_asked_and_never_naive(interval, failures, asked, jitter):
    at = after(interval, failures, asked, jitter).at
    assert at >= NOW + interval
    assert at >= NOW + min(asked or timedelta(), LONGEST_WAIT)
    assert at <= NOW + max(interval, LONGEST_WAIT) * (1 + LARGEST_JITTER) + SECOND
    assert at.utcoffset() == timedelta()


@settings(max_examples=50, deadline=None)
@given(INTERVALS, FAILURES, ASKED, JITTER)
def test_another_failure_is_never_polled_earlier(interval, failures, asked, jitter):
    assert after(interval, failures + 1, asked, jitter).at >= after(interval, failures, asked, jitter).at


# -- our own wish


def habit(*minutes_ago, depth=20, **fields):
    """Return the habit of a source that was watched for a month, and whose items came so long ago."""
    arrivals = tuple(NOW - minutes * MINUTE for minutes in minutes_ago)
    return Habit(**{"since": NOW - 30 * DAY, "depth": depth, "arrivals": arrivals, **fields})


def wait(known, interval=HOUR, **fields):
    return learned_wait(Source(id="a", title="A", urls=(), interval=interval, **fields), known, NOW)


UNKNOWN = Habit()
EVERY_TWENTY = range(10, 400, 20)
EVERY_DAY = range(10, 20 * 1440, 1440)


@pytest.mark.parametrize(
    ("known", "interval", "length"),
    [
        (Habit(), HOUR, HOUR),
        (habit(*EVERY_TWENTY), HOUR, 20 * MINUTE),
        (habit(*EVERY_DAY), HOUR, HOUR),
        (habit(*EVERY_DAY), 12 * HOUR, 12 * HOUR),
        (habit(*EVERY_DAY), 30 * DAY, DAY),
        (habit(*EVERY_TWENTY), MINUTE, MINUTE),
        (habit(*range(100)), HOUR, 5 * MINUTE),
        (habit(*range(100)), MINUTE, MINUTE),
        (habit(*range(100)), SECOND, SECOND),
        (habit(*range(120, 520, 20)), HOUR, 30 * MINUTE),  # nothing for two hours
        (habit(*range(1200, 1600, 20)), HOUR, HOUR),
        (habit(), HOUR, HOUR),
    ],
)
def test_the_wait_follows_the_habit_within_bounds(known, interval, length):
    assert wait(known, interval).length == length


@pytest.mark.parametrize(("depth", "length"), [(20, 20), (4, 20), (3, 15), (2, 10), (1, 5)])
def test_a_document_is_asked_for_twice_while_it_turns_over(depth, length):
    known = habit(*(10 * number for number in range(6)), *range(60, 2000, 20), depth=depth)
    assert wait(known).length == length * MINUTE


def test_a_fixed_interval_stays():
    assert wait(habit(*EVERY_TWENTY), adaptive=False) == Wait(length=HOUR, why="every 60 min, as configured")


def test_a_source_that_is_new_is_asked_often_until_its_week_is_known():
    assert wait(Habit(since=NOW - HOUR)).length == 15 * MINUTE
    assert wait(Habit(since=NOW - 10 * HOUR)).length == 20 * MINUTE
    assert wait(Habit(since=NOW - 6 * DAY)).why == "getting to know it, for a week"
    assert wait(Habit(since=NOW - 6 * DAY), 6 * HOUR).length == 2 * HOUR
    assert wait(Habit(since=NOW - 8 * DAY)).length == HOUR
    assert wait(habit(*EVERY_DAY, since=NOW)).length == HOUR  # its dates tell of more than a week


def test_a_gap_makes_it_more_often_for_a_time():
    hurried = habit(*EVERY_DAY, hurry=15 * MINUTE, hurry_until=NOW + DAY)
    assert wait(hurried) == Wait(length=15 * MINUTE, why="there was a gap lately")
    assert wait(habit(*EVERY_DAY, hurry=15 * MINUTE, hurry_until=NOW)).length == HOUR
    assert wait(habit(*EVERY_DAY, hurry=None, hurry_until=NOW + DAY)).length == HOUR


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (Habit(), "not read yet"),
        (habit(*EVERY_TWENTY), "it publishes about every 20 min"),
        (habit(*EVERY_DAY), "at least every 60 min"),
        (habit(*range(120, 520, 20)), "it has published nothing for 2 h"),
        (habit(*range(0, 100, 10), depth=1), "its document has turned over within 10 min"),
    ],
)
def test_why_it_waits_is_told(known, why):
    assert wait(known).why == why


# -- what others wish


def asked(hints, known=UNKNOWN):
    return [each.length for each in asked_by_document(hints, known, NOW)]


@pytest.mark.parametrize(
    ("hints", "lengths"),
    [
        (Hints(), []),
        (Hints(ttl_seconds=3600), [HOUR]),
        (Hints(ttl_seconds=10**6), [DAY]),
        (Hints(update_seconds=7200), [2 * HOUR]),
        (Hints(update_seconds=7 * 86_400, update_phase_seconds=5), [DAY]),
        (Hints(update_seconds=3600, update_phase_seconds=600), [10 * MINUTE]),  # at ten past each hour
        (Hints(update_seconds=3600, update_phase_seconds=0), [HOUR]),
        (Hints(ttl_seconds=60, update_seconds=1800), [MINUTE, 30 * MINUTE]),
    ],
)
def test_what_a_document_asks_for_is_at_most_a_day(hints, lengths):
    assert asked(hints) == lengths


def test_what_a_document_asks_for_ends_where_it_would_be_missed():
    quick = habit(*range(0, 400, 4), depth=10)
    assert asked(Hints(ttl_seconds=7200, update_seconds=7200), quick) == [20 * MINUTE, 20 * MINUTE]
    assert asked(Hints(ttl_seconds=600), quick) == [10 * MINUTE]


@pytest.mark.parametrize(
    ("hours", "days", "at"),
    [
        ((), (), NOW),
        ((3,), (), NOW),
        ((2,), (), NOW + HOUR),
        ((2, 3, 4), (), NOW + 3 * HOUR),
        ((), (1,), NOW + 22 * HOUR),  # Tuesday, until midnight
        ((0, 1), (1,), NOW + 23 * HOUR),  # not before the day is over
        (tuple(range(24)), (), NOW + 23 * HOUR),
        ((), tuple(range(7)), NOW + 23 * HOUR),
    ],
)
def test_hours_and_days_are_skipped_but_no_more_than_a_day(hours, days, at):
    hints = Hints(skip_hours=hours, skip_days=days)
    due = Due(at=NOW, why="ours")
    found = unskipped(due, hints, NOW - HOUR, 0)
    assert found.at == at
    assert (found == due) is (at == NOW)
    late = unskipped(due, hints, NOW - HOUR, 1).at
    assert at <= late <= at + 3 * MINUTE


def test_what_is_due_in_more_than_a_day_is_not_put_off():
    due = Due(at=NOW + 30 * DAY, why="ours")
    assert unskipped(due, Hints(skip_hours=tuple(range(24))), NOW, 1) == due


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(), "0 s"),
        (90 * SECOND, "90 s"),
        (10 * MINUTE, "10 min"),
        (HOUR, "60 min"),
        (2 * HOUR, "2 h"),
        (DAY, "24 h"),
        (3 * DAY, "3 days"),
    ],
)
def test_lengths_of_time_are_spelled_roughly(length, words):
    assert spelled(length) == words


# -- header fields


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("soon", None),
        ("120", 2 * MINUTE),
        ("0", timedelta()),
        ("86401", LONGEST_WAIT),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
    ],
)
def test_retry_after_is_obeyed_for_a_day_at_most(value, expected):
    assert asked_by_retry_after(value, NOW) == expected


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
    assert freshness({} if value is None else {"cache-control": value}, NOW) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"cache-control": "max-age=600", "age": "200"}, 400 * SECOND),
        ({"cache-control": "max-age=600", "age": "700"}, timedelta()),
        ({"cache-control": "max-age=600", "age": "old"}, 10 * MINUTE),
        ({"expires": "Tue, 24 Nov 2026 03:00:00 GMT"}, HOUR),
        ({"expires": "Tue, 24 Nov 2026 03:00:00 GMT", "date": "Tue, 24 Nov 2026 02:30:00 GMT"}, 30 * MINUTE),
        ({"expires": "Tue, 24 Nov 2026 03:00:00 GMT", "date": "today"}, HOUR),
        ({"expires": "Tue, 24 Nov 2026 03:00:00 GMT", "age": "60"}, 59 * MINUTE),
        ({"expires": "Tue, 24 Nov 2026 01:00:00 GMT"}, timedelta()),
        ({"expires": "Fri, 31 Dec 9999 23:59:59 GMT"}, LONGEST_WAIT),
        ({"expires": "0"}, None),
        ({"expires": "-1"}, None),
        ({"cache-control": "max-age=60", "expires": "Tue, 24 Nov 2026 03:00:00 GMT"}, MINUTE),
    ],
)
def test_freshness_is_what_is_left_of_it(headers, expected):
    assert freshness(headers, NOW) == expected


@settings(max_examples=60, deadline=None)
@given(*[st.text(alphabet="0123456789 ,:=+-maxgeTueNovGMT/.", max_size=40)] * 4)
def test_no_header_is_too_odd(cache_control, expires, date, age):
    headers = {"cache-control": cache_control, "expires": expires, "date": date, "age": age}
    length = freshness(headers, NOW)
    assert length is None or timedelta() <= length <= LONGEST_WAIT
