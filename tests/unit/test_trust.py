"""Servers that say that nothing has changed: asked once without conditions, believed no more if they lied."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syndicate.model import Entry, Habit, Learned, Trust, Validators
from syndicate.sources.trust import (
    after_reading,
    after_unchanged,
    believed,
    conditions,
    is_check_due,
    is_conditional,
)
from tests.claims import FIRST_CLAIM

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
URL = "https://a.example/rss"
BOTH = Validators(etag=b'"1"', last_modified=b"Tue", url=URL)
NOTHING = Validators()
TWO_HOURLY = Habit(
    since=NOW - 30 * DAY, depth=20, arrivals=tuple(NOW - (12 + 2 * number) * HOUR for number in range(20))
)
CLAIM = replace(
    FIRST_CLAIM,
    validators=BOTH,
    body_hash="before",
    last_success_at=NOW - HOUR,
    last_success_url=URL,
    has_baseline=True,
    due_at=NOW,
    learned=Learned(habit=TWO_HOURLY),
    trust=Trust(unchanged_since=NOW - 3 * HOUR),
)
ENTRY = Entry(guid="g", link=None, title="New", body="", published=NOW - 5 * HOUR)
FRESH = replace(ENTRY, published=NOW - 10 * MINUTE)
UNDATED = replace(ENTRY, published=None)


def trusting(**fields):
    return replace(CLAIM, trust=Trust(**fields))


# -- when to check


@pytest.mark.parametrize(
    ("claim", "is_due"),
    [
        (CLAIM, True),
        (trusting(), False),
        (trusting(unchanged_since=NOW - 2 * HOUR), False),  # its own habit
        (trusting(unchanged_since=NOW - DAY, checked_at=NOW - 23 * HOUR), False),
        (trusting(unchanged_since=NOW - DAY, checked_at=NOW - 24 * HOUR), True),
        (replace(CLAIM, validators=NOTHING), False),
        (replace(CLAIM, learned=Learned()), False),
        (replace(trusting(unchanged_since=NOW - 8 * DAY), learned=Learned()), True),
        (trusting(unchanged_since=NOW - DAY, without_etag=True, without_last_modified=True), False),
    ],
)
def test_a_check_is_due_once_a_day_when_304s_outlast_the_habit(claim, is_due):
    assert is_check_due(claim, NOW) is is_due
    assert is_conditional(conditions(claim, NOW)) is (is_conditional(believed(claim)) and not is_due)


def test_who_publishes_each_minute_may_be_silent_for_an_hour():
    busy = replace(TWO_HOURLY, arrivals=tuple(NOW - number * MINUTE for number in range(20)))
    claim = replace(CLAIM, learned=Learned(habit=busy), trust=Trust(unchanged_since=NOW - HOUR))
    assert not is_check_due(claim, NOW)
    assert is_check_due(claim, NOW + MINUTE)


def test_what_has_lied_is_not_sent():
    assert conditions(trusting(), NOW) == BOTH
    assert conditions(trusting(without_etag=True), NOW) == replace(BOTH, etag=None)
    assert conditions(trusting(without_last_modified=True), NOW) == replace(BOTH, last_modified=None)


# -- what follows


def read(claim=CLAIM, *new, sent=NOTHING, given=BOTH):
    return after_reading(claim, sent, given, new, NOW)


def test_304s_in_a_row_are_counted_from_the_first():
    first = after_unchanged(trusting(), 304, BOTH, NOW)
    assert first.unchanged_since == NOW
    assert after_unchanged(CLAIM, 304, BOTH, NOW).unchanged_since == NOW - 3 * HOUR


@pytest.mark.parametrize("trust", [after_unchanged(CLAIM, 200, NOTHING, NOW), read()])
def test_a_check_that_finds_nothing_new_is_remembered_and_clears(trust):
    assert trust == Trust(checked_at=NOW)


def test_a_document_answered_to_conditions_clears():
    claim = trusting(unchanged_since=NOW - HOUR, checked_at=NOW - DAY, strikes=1, without_last_modified=True)
    assert read(claim, ENTRY, sent=BOTH) == Trust(checked_at=NOW - DAY, without_last_modified=True)


@pytest.mark.parametrize(
    ("entry", "given"),
    [
        (ENTRY, replace(BOTH, etag=b'"2"')),  # it was there long before the last 304
        (FRESH, BOTH),  # another document under the same ETag
        (UNDATED, BOTH),
        (replace(UNDATED, updated=NOW - 5 * HOUR), replace(BOTH, etag=b'"2"')),
    ],
)
def test_an_etag_that_lied_is_sent_no_more(entry, given):
    assert read(CLAIM, entry, given=given) == Trust(checked_at=NOW, without_etag=True)


def test_then_a_date_that_lied_is_sent_no_more_either():
    claim = trusting(without_etag=True)
    lied = read(claim, UNDATED)
    assert lied == Trust(checked_at=NOW, without_etag=True, without_last_modified=True)
    assert read(replace(CLAIM, validators=replace(BOTH, etag=None)), UNDATED).without_last_modified


@pytest.mark.parametrize("entry", [FRESH, UNDATED])
def test_what_may_have_come_just_now_takes_two_to_tell(entry):
    other = replace(BOTH, etag=b'"2"')
    once = read(CLAIM, entry, given=other)
    assert once == Trust(checked_at=NOW, strikes=1)
    assert read(replace(CLAIM, trust=once), entry, given=other) == Trust(checked_at=NOW, without_etag=True)


def test_a_first_document_is_no_check():
    claim = replace(trusting(), validators=NOTHING)
    assert read(claim, ENTRY) == Trust()
