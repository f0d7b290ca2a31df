"""Digests and quiet hours by wall clocks, in zones that change theirs."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import assume, given
from hypothesis import strategies as st

from syndicate.alerts.clock import next_time, quiet_until
from syndicate.model import Cron, QuietHours

BRUSSELS = ZoneInfo("Europe/Brussels")  # 02:00 -> 03:00 on 28 March 2027, 03:00 -> 02:00 on 25 October 2026
ALMATY = ZoneInfo("Asia/Almaty")
APIA = ZoneInfo("Pacific/Apia")  # left out 30 December 2011
NIGHT = QuietHours(begins=22 * 60, ends=7 * 60)
WEEKEND = QuietHours(weekdays=(5, 6), begins=0, ends=24 * 60)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

zones = st.sampled_from(
    [UTC, BRUSSELS, ALMATY, APIA, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kolkata")]
)
instants = st.datetimes(datetime(2011, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def some(least: int, most: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(st.integers(least, most), min_size=1, max_size=4).map(lambda found: tuple(sorted(found)))


def at(text: str, zone: ZoneInfo = BRUSSELS) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def daily(hour: int, minute: int = 0) -> Cron:
    return Cron(minutes=(minute,), hours=(hour,))


@pytest.mark.parametrize(
    ("after", "then"),
    [
        ("2026-11-24 07:59", "2026-11-24 08:00"),
        ("2026-11-24 08:00", "2026-11-25 08:00"),
        ("2026-10-24 23:00", "2026-10-25 08:00"),
        ("2027-03-27 23:00", "2027-03-28 08:00"),
    ],
)
def test_a_time_of_the_day_comes_once_a_day_by_wall_clocks(after, then):
    assert next_time(daily(8), at(after), BRUSSELS) == at(then)


def test_a_time_that_clocks_skip_counts_as_without_the_change():
    skipped = next_time(daily(2, 30), at("2027-03-28 00:00"), BRUSSELS)
    assert skipped == at("2027-03-28 03:30")
    assert next_time(daily(2, 30), skipped, BRUSSELS) == at("2027-03-29 02:30")


def test_of_a_time_that_clocks_show_twice_the_first_counts():
    first = next_time(daily(2, 30), at("2026-10-25 00:00"), BRUSSELS)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_time(daily(2, 30), first, BRUSSELS) == at("2026-10-26 02:30")


def test_of_two_lists_of_days_either_is_enough():
    friday_or_13th = Cron(minutes=(0,), hours=(9,), days=(13,), weekdays=(4,), is_either_day=True)
    assert next_time(friday_or_13th, at("2026-11-10 00:00"), BRUSSELS) == at("2026-11-13 09:00")
    assert next_time(friday_or_13th, at("2026-11-13 09:00"), BRUSSELS) == at("2026-11-20 09:00")
    assert next_time(friday_or_13th, at("2026-12-12 00:00"), BRUSSELS) == at("2026-12-13 09:00")


def test_29_february_comes_after_years():
    leap = Cron(minutes=(0,), hours=(0,), days=(29,), months=(2,))
    assert next_time(leap, at("2096-03-01 00:00"), BRUSSELS) == at("2104-02-29 00:00")


def test_a_day_that_there_is_not_never_comes():
    with pytest.raises(ValueError, match="no such day"):
        next_time(Cron(minutes=(0,), hours=(0,), days=(30,), months=(2,)), at("2026-01-01 00:00"), UTC)


@given(minutes=some(0, 59), hours=some(0, 23), months=some(1, 12), weekdays=some(0, 6), after=instants)
def test_times_are_those_of_another_implementation(minutes, hours, months, weekdays, after):
    theirs = CronTrigger(
        minute=",".join(map(str, minutes)),
        hour=",".join(map(str, hours)),
        month=",".join(map(str, months)),
        day_of_week=",".join(WEEKDAYS[day] for day in weekdays),
        timezone=ALMATY,
    )
    then = theirs.get_next_fire_time(None, (after + timedelta(microseconds=1)).astimezone(ALMATY))
    # Clocks in Almaty were changed once, on 1 March 2024, when one hour came twice.
    assume(datetime(2024, 2, 28, tzinfo=UTC) > then or after > datetime(2024, 3, 2, tzinfo=UTC))
    cron = Cron(minutes=minutes, hours=hours, months=months, weekdays=weekdays)
    assert next_time(cron, after, ALMATY) == then


@given(hour=st.integers(0, 23), minute=st.integers(0, 59), after=instants, zone=zones)
def test_every_day_has_one_digest_whatever_clocks_do(hour, minute, after, zone):
    first = next_time(daily(hour, minute), after, zone)
    second = next_time(daily(hour, minute), first, zone)
    assert after < first <= after + timedelta(hours=26)
    assert timedelta(hours=22) <= second - first <= timedelta(hours=26)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-24 21:59", None),
        ("2026-11-24 22:00", "2026-11-25 07:00"),
        ("2026-11-25 03:00", "2026-11-25 07:00"),
        ("2026-11-25 07:00", None),
        ("2026-10-24 23:00", "2026-10-25 07:00"),
        ("2027-03-27 23:00", "2027-03-28 07:00"),
    ],
)
def test_a_night_is_quiet_until_its_end_by_wall_clocks(now, until):
    assert quiet_until([NIGHT], at(now), BRUSSELS) == (until and at(until))


def test_hours_that_overlap_are_quiet_until_the_last_of_them_ends():
    friday_night = at("2026-11-27 23:00")
    assert quiet_until([NIGHT, WEEKEND], friday_night, BRUSSELS) == at("2026-11-30 07:00")
    assert quiet_until([WEEKEND], friday_night, BRUSSELS) is None


def test_nothing_is_quiet_without_hours():
    assert quiet_until([], at("2026-11-24 03:00"), BRUSSELS) is None


@given(
    hours=st.lists(
        st.builds(
            QuietHours,
            weekdays=st.sampled_from([(0,), (0, 1, 2, 3), (2, 4)]),
            begins=st.integers(0, 1439),
            ends=st.integers(0, 1440),
        ).filter(lambda each: each.begins != each.ends),
        max_size=3,
    ),
    now=instants,
    zone=zones,
)
def test_what_is_quiet_ends_and_is_quiet_up_to_its_end(hours, now, zone):
    until = quiet_until(hours, now, zone)
    if until is None:
        return
    assert now < until <= now + timedelta(days=6)
    assert quiet_until(hours, until, zone) is None
    for part in (0.3, 0.7, 0.999):
        assert quiet_until(hours, now + part * (until - now), zone) == until
