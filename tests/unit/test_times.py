"""Times in header fields, as servers write them."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.http.times import LONGEST, asked_wait, delta_seconds, http_date

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DATES = st.from_regex(r"[A-Z][a-z]{2}, \d{1,12} [A-Z][a-z]{2} \d{1,12} \d+:\d+:\d+ ?[+-]?\w*")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120", 2 * MINUTE),
        (" 120 ", 2 * MINUTE),
        ("0", timedelta()),
        ("9" * 400, LONGEST),
        ("Tue, 24 Nov 2026 02:30:00 GMT", 30 * MINUTE),
        ("Tue, 24 Nov 2026 02:30:00", 30 * MINUTE),
        ("Tue, 24 Nov 2026 02:30:00 -0000", 30 * MINUTE),
        ("Tue, 24 Nov 2026 04:30:00 +0200", 30 * MINUTE),
        ("Tuesday, 24-Nov-26 02:30:00 GMT", 30 * MINUTE),
        ("Tue Nov 24 02:30:00 2026", 30 * MINUTE),
        ("Tue, 24 Nov 2026 01:00:00 GMT", timedelta()),
        ("Fri, 01 Jan 1971 00:00:00 GMT", timedelta()),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, expected):
    assert asked_wait(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", " ", ",", "\0", "soon", "5 minutes", "-5", "1.5", "1e3", "٣", "²", "١٢"),
        "Tue, 99 Nov 2026 02:30:00 GMT",
        "Tue, 24 Nov 99999999999999999999 02:30:00 GMT",
        "Tue, 24 Nov 2026 99999999999999999999:30:00 GMT",
        "Tue, 24 Nov 2026 02:30:00 +99999999999999",
    ],
)
def test_what_cannot_be_read_asks_for_nothing(text):
    assert asked_wait(text, NOW) is None


@given(st.text(alphabet="0123456789 ,:+-TueNovGMT/.", max_size=40) | st.text(max_size=20) | DATES)
def test_nothing_is_too_odd(text):
    wait, seconds, date = asked_wait(text, NOW), delta_seconds(text), http_date(text)
    assert wait is None or wait >= timedelta()
    assert seconds is None or timedelta() <= seconds <= LONGEST
    assert date is None or date.tzinfo is not None


@given(st.integers(0, 10**8), st.integers(-12, 14))
def test_a_date_means_the_same_in_every_zone(seconds, hours):
    date = (NOW + seconds * SECOND).astimezone(timezone(timedelta(hours=hours)))
    assert asked_wait(format_datetime(date), NOW) == seconds * SECOND
    assert asked_wait(str(seconds), NOW) == seconds * SECOND
