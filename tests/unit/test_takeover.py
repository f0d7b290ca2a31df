"""Which of its addresses a source goes by."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syndicate.model import Entry, Habit, KnownItem, Learned, Push, Source
from syndicate.sources.takeover import (
    IN_CHARGE,
    LATE_AFTER,
    LOOKED_AT,
    UNKNOWN_PATIENCE,
    Standing,
    came_late,
    has_news,
    is_stale,
    known_until,
    newer,
    patience,
    standing_of,
)
from tests.claims import FIRST_CLAIM

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FEED, SITEMAP, PAGE = "https://a.example/rss", "https://a.example/sitemap", "https://a.example/news"


def hourly(last):
    """Return the habit of a source that published each hour until so long ago: a day is long for it."""
    arrivals = tuple(NOW - last - number * HOUR for number in range(20))
    return Learned(habit=Habit(since=NOW - 30 * DAY, depth=20, arrivals=arrivals))


CLAIM = replace(
    FIRST_CLAIM,
    source=Source(id="a", title="A", urls=(FEED, SITEMAP, PAGE)),
    url=FEED,
    address=FEED,
    is_last_address=False,
    last_success_at=NOW - MINUTE,
    last_success_url=FEED,
    has_baseline=True,
    due_at=NOW,
    read_at=NOW - MINUTE,
    brought_at=NOW - HOUR,
    learned=hourly(HOUR),
)
STALE = replace(CLAIM, brought_at=NOW - 2 * DAY, learned=hourly(2 * DAY))
LOOK = replace(STALE, url=SITEMAP, address=SITEMAP, is_look=True, brought_at=None, read_at=None)
PASSED = replace(  # the sitemap has taken over, and had something an hour ago
    STALE, last_success_url=SITEMAP, learned=hourly(HOUR), stale_until=NOW, read_at=NOW - HOUR
)
ENTRY = Entry(guid="g", link=None, title="T", body="")
ITEM = KnownItem(id=1, content_hash="h", revision=1, first_seen=NOW - 3 * DAY)
NEW, OLD = (ENTRY, None), (ENTRY, ITEM)
FRESH = (replace(ENTRY, published=NOW - HOUR), None)
PAST = (replace(ENTRY, published=NOW - 3 * DAY), None)
CARRIED = (ENTRY, replace(ITEM, first_seen=NOW - HOUR))  # another address had it first
SPAN = DAY / 4
PUSH = Push(id=1, topic=FEED, received_at=NOW, content_type="text/xml", body=b"")


@pytest.mark.parametrize(
    ("claim", "found", "expected"),
    [
        (CLAIM, (), IN_CHARGE),
        (CLAIM, (NEW,), IN_CHARGE),
        (STALE, (NEW,), IN_CHARGE),
        (STALE, (), Standing(is_in_charge=True, looks_on=True, stale_until=NOW + SPAN)),
        (STALE, (OLD,), Standing(is_in_charge=True, looks_on=True, stale_until=NOW + SPAN)),
        (
            replace(STALE, stale_until=NOW + MINUTE),
            (),
            Standing(is_in_charge=True, looks_on=False, stale_until=NOW + MINUTE),
        ),
        (
            replace(STALE, stale_until=NOW - MINUTE),
            (),
            Standing(is_in_charge=True, looks_on=True, stale_until=NOW + SPAN),
        ),
        (replace(STALE, is_last_address=True), (), IN_CHARGE),
        (LOOK, (FRESH,), IN_CHARGE),
        (LOOK, (PAST,), replace(LOOKED_AT, looks_on=True)),
        (LOOK, (NEW,), replace(LOOKED_AT, looks_on=True)),  # it has no date
        (replace(LOOK, is_last_address=True), (), LOOKED_AT),
        (PASSED, (), Standing(is_in_charge=False, looks_on=True, stale_until=NOW + SPAN)),
        (PASSED, (CARRIED,), IN_CHARGE),
        (
            replace(PASSED, is_last_address=True),  # the others want to be left alone
            (),
            Standing(is_in_charge=False, looks_on=False, stale_until=NOW + SPAN),
        ),
    ],
)
def test_what_an_answer_makes_of_its_address(claim, found, expected):
    assert replace(standing_of(claim, found, NOW), has_news=False) == expected


@pytest.mark.parametrize(
    ("claim", "found", "expected"),
    [
        (CLAIM, (), False),
        (CLAIM, (OLD,), False),
        (CLAIM, (OLD, NEW), True),
        (CLAIM, (PAST,), True),  # dates may be wrong
        (CLAIM, ((ENTRY, replace(ITEM, first_seen=None)),), False),
        (PASSED, (CARRIED,), True),
        (replace(CLAIM, brought_at=None, read_at=None), (OLD,), True),  # it was never read
        (replace(CLAIM, brought_at=None, read_at=None), (), True),
        (LOOK, (OLD, PAST), False),
        (LOOK, (FRESH,), True),
    ],
)
def test_what_is_new_to_an_address(claim, found, expected):
    assert has_news(claim, found, NOW) is expected
    assert standing_of(claim, found, NOW).has_news is expected


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (CLAIM, False),
        (STALE, True),
        (replace(STALE, brought_at=None), True),
        (replace(STALE, brought_at=NOW - DAY), False),
        (PASSED, True),
        (replace(PASSED, brought_at=None), True),
        (replace(PASSED, brought_at=NOW - MINUTE), False),  # the others had nothing since
        (replace(PASSED, stale_until=None, brought_at=NOW - 2 * HOUR), False),  # it had only failed
    ],
)
def test_an_address_is_stale_when_it_had_nothing_for_long_and_others_are_no_worse(claim, expected):
    assert is_stale(claim, NOW) is expected


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (replace(CLAIM, last_success_at=None, read_at=None), None),
        (replace(CLAIM, url=SITEMAP), CLAIM.last_success_at),
        (LOOK, NOW - 2 * DAY),  # what the feed said since then was nothing
        (replace(PASSED, stale_until=None), PASSED.read_at),
        (PASSED, PASSED.brought_at),
    ],
)
def test_until_when_all_is_known_when_an_address_takes_over(claim, expected):
    assert known_until(claim, NOW) == expected


def test_what_has_no_date_is_newer_where_the_address_was_read_without_it():
    found = [ENTRY, FRESH[0], PAST[0]]
    assert newer(LOOK, found, NOW) == [FRESH[0]]
    assert newer(replace(LOOK, read_at=NOW - DAY), found, NOW) == [ENTRY, FRESH[0]]
    assert newer(replace(LOOK, read_at=NOW - 5 * DAY), found, NOW) == [FRESH[0]]


def test_patience_is_as_long_as_a_silence_that_is_told():
    assert patience(hourly(HOUR).habit, NOW) == DAY
    assert patience(Habit(since=NOW - DAY), NOW) == UNKNOWN_PATIENCE


@pytest.mark.parametrize(
    ("claim", "is_late"),
    [
        (CLAIM, False),
        (replace(CLAIM, last_success_at=NOW - LATE_AFTER), False),
        (replace(CLAIM, last_success_at=NOW - LATE_AFTER - MINUTE), True),
        (replace(CLAIM, last_success_url=SITEMAP), True),
        (FIRST_CLAIM, True),
        (replace(CLAIM, has_baseline=False), True),
        (replace(CLAIM, source=replace(CLAIM.source, baseline=False), has_baseline=False), True),
        (replace(CLAIM, last_success_at=NOW - DAY, push=PUSH), False),
        (replace(CLAIM, has_baseline=False, push=PUSH), True),
    ],
)
def test_what_may_have_been_there_for_hours_came_late(claim, is_late):
    assert came_late(claim, NOW) is is_late
