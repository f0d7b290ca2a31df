"""What the page about the machine makes of hours: days, growth, and how long news took."""

from datetime import UTC, date, datetime, timedelta

import pytest

from syndicate.model.overview import Hour
from syndicate.web.system import HOURS, days, done, growth, hour_charts, took_words

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)


def hour(ago, **fields):
    begins = NOW.replace(minute=0) - timedelta(hours=ago)
    counts = {"polls": 1, "failed": 0, "items": 2, "matches": 1, "attempts": 3, "taken": 2}
    return Hour(**{"begins": begins, **counts, "database_bytes": 1000 * 1024 - ago * 1024, **fields})


def test_hours_are_added_up_and_the_last_says_how_large_it_was():
    found = done([hour(3, polls=10, failed=4), hour(1)])
    assert found is not None
    assert (found.polls, found.failed, found.items, found.taken) == (11, 4, 4, 4)
    assert (found.day, found.database_bytes) == (date(2026, 11, 24), 999 * 1024)
    assert done([]) is None


def test_days_are_those_of_utc_the_last_first():
    found = days([hour(ago) for ago in (30, 3, 2, 0)])
    assert [(each.day.day, each.polls) for each in found] == [(24, 2), (23, 1), (22, 1)]


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ([], []),
        ([hour(23)], []),
        ([hour(40), hour(25)], [("in the last 24 hours", "+25 KiB")]),
        (
            [hour(200), hour(24 * 7 + 1), hour(30)],
            [("in the last 24 hours", "+30 KiB"), ("in the last 7 days", "+169 KiB")],
        ),
        ([hour(25, database_bytes=2000 * 1024)], [("in the last 24 hours", "-1000 KiB")]),
    ],
)
def test_growth_is_against_what_it_was_then_and_unknown_before(hours, said):
    assert growth(hours, 1000 * 1024, NOW) == said


def test_hours_in_which_nothing_was_done_have_no_bar():
    chart = hour_charts([hour(30), hour(2, polls=5), hour(0)], NOW)["polls"]
    assert (len(chart.days), len(chart.bars), chart.highest) == (HOURS, 2, 5)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(milliseconds=-3), "0.0 s"),
        (timedelta(milliseconds=420), "0.4 s"),
        (timedelta(seconds=9.94), "9.9 s"),
        (timedelta(seconds=9.96), "10 s"),
        (timedelta(minutes=3), "3 min"),
    ],
)
def test_short_times_are_told_in_parts_of_a_second(length, words):
    assert took_words(length) == words
