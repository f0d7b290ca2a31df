"""Paces as people write them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import assume, given
from hypothesis import strategies as st

from syndicate import config
from syndicate.alerts.clock import next_time
from syndicate.config.clocks import WEEKDAYS, are_always_quiet, cron, quiet_hours
from syndicate.model import Cron, Endpoint, GroupBy, Grouping, Pace, QuietHours

ALL_WEEK = tuple(range(7))


def endpoint(folder: Path, keys: str) -> Endpoint:
    """Return the endpoint that these keys make."""
    (folder / "rules").mkdir()
    (folder / "rules" / "eu.toml").write_text('keywords = ["EU"]\nurgent = true\nnotify = ["desk"]\n')
    text = f"""
        [[source]]
        id = "a"
        url = "https://a.example/"

        [[endpoint]]
        id = "desk"
        url = "https://desk.example/"
        {keys}
    """
    (folder / "config.toml").write_text(text)
    read = config.load(folder / "config.toml", {})
    assert [rule.urgent for rule in read.rules] == [True]
    return read.endpoints[0]


@pytest.mark.parametrize(
    ("keys", "pace"),
    [
        ("", Pace()),
        ('group_by = ["rule"]', Pace(grouping=Grouping(by=(GroupBy.RULE,)))),
        ('group_by = "rule"', Pace(grouping=Grouping(by=(GroupBy.RULE,)))),
        ("group_by = []", Pace(grouping=Grouping())),
        ('group_wait = "0s"', Pace(grouping=Grouping(wait=timedelta()))),
        ('group_interval = "1h"', Pace(grouping=Grouping(interval=timedelta(hours=1)))),
        ('group_by = ["..."]', Pace(grouping=Grouping(by=(GroupBy.EACH,)))),
        ("max_per_hour = 12", Pace(max_per_hour=12)),
        ('digest = "08:30"', Pace(digest=Cron(hours=(8,), minutes=(30,)))),
        ('quiet_hours = "22:00-07:00"', Pace(quiet_hours=(QuietHours(begins=1320, ends=420),))),
        ('time_zone = "Asia/Almaty"', Pace(zone=ZoneInfo("Asia/Almaty"))),
    ],
)
def test_each_key_is_read(tmp_path, keys, pace):
    read = endpoint(tmp_path, keys)
    assert read.pace == pace
    assert read.pace.holds_back is (keys not in ("", 'time_zone = "Asia/Almaty"'))


def test_everything_is_read_together(tmp_path):
    keys = """
        group_by = ["rule", "story"]
        digest = "0 8,17 * * mon-fri"
        quiet_hours = ["22:00-07:00", "sat,sun 00:00-24:00"]
        time_zone = "Europe/Brussels"
        flood_after = 5
    """
    read = endpoint(tmp_path, keys)
    assert read.flood_after == 5
    assert read.pace == Pace(
        grouping=Grouping(by=(GroupBy.RULE, GroupBy.STORY)),
        digest=Cron(minutes=(0,), hours=(8, 17), weekdays=(0, 1, 2, 3, 4)),
        quiet_hours=(
            QuietHours(begins=1320, ends=420),
            QuietHours(weekdays=(5, 6), begins=0, ends=1440),
        ),
        zone=ZoneInfo("Europe/Brussels"),
    )


@pytest.mark.parametrize(
    ("text", "weekdays"),
    [
        ("0 0 * * 0", (6,)),
        ("0 0 * * 7", (6,)),
        ("0 0 * * 1-5", (0, 1, 2, 3, 4)),
        ("0 0 * * SUN", (6,)),
        ("0 0 * * sat-mon", (0, 5, 6)),
        ("0 0 * * 5-7", (4, 5, 6)),
        ("0 0 * * 0-2", (0, 1, 6)),
        ("0 0 * * */2", (1, 3, 5, 6)),
        ("0 0 * * *", ALL_WEEK),
    ],
)
def test_days_of_the_week_are_those_of_crontab(text, weekdays):
    assert cron(text).weekdays == weekdays


def test_a_day_of_the_month_or_of_the_week_is_enough_if_both_are_restricted():
    assert cron("0 0 1 * mon").is_either_day
    assert not cron("0 0 1 * *").is_either_day
    assert not cron("0 0 * * mon").is_either_day
    assert not cron("0 0 */2 * mon").is_either_day  # as Vixie's cron, which goes by the star


def test_lists_ranges_steps_and_names_are_understood():
    assert cron("*/20 8-10,17 1,15 jan-mar *") == Cron(
        minutes=(0, 20, 40), hours=(8, 9, 10, 17), days=(1, 15), months=(1, 2, 3)
    )
    assert cron("5/25 0-23/6 * * *") == Cron(minutes=(5, 30, 55), hours=(0, 6, 12, 18))


@pytest.mark.parametrize(
    "text",
    ["* * * *", "60 * * * *", "0 8 * * fun", "0 8 0 * *", "0 8 * 13 *", "0/0 8 * * *", "5-3 8 * * *",
     "-1 8 * * *", "0 8 * * fun-mon", "0 8 31 feb,apr *",
     "1,,2 8 * * *", "*-5 8 * * *", "0 8 ٣ * *", "24:00", "8", ""],
)  # fmt: skip
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r"are no|is no|never comes"):
        cron(text)


@pytest.mark.parametrize(
    "text", ["22-7", "22:00", "22:00-25:00", "fun 22:00-07:00", "24:00-07:00", "7:00-7:00"]
)
def test_what_are_no_hours_is_refused(text):
    with pytest.raises(ValueError, match=r"no hours|no time|no days|begins when it ends"):
        quiet_hours(text)


@given(st.text(max_size=20))
def test_any_text_is_a_time_or_refused(text):
    for read in (cron, quiet_hours):
        with suppress(ValueError):
            assert read(text) is not None


@given(
    minutes=st.lists(st.integers(0, 59), min_size=1, max_size=3),
    hours=st.tuples(st.integers(0, 23), st.integers(0, 23)).map(sorted),
    step=st.integers(1, 5),
    after=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_fields_mean_what_another_implementation_takes_them_for(minutes, hours, step, after):
    assume(step <= hours[1] - hours[0])  # theirs refuses others
    text = f"{','.join(map(str, minutes))} {hours[0]}-{hours[1]}/{step} */3 feb-nov *"
    theirs = CronTrigger.from_crontab(text, UTC).get_next_fire_time(None, after + timedelta(microseconds=1))
    assert next_time(cron(text), after, UTC) == theirs


@given(st.sampled_from(WEEKDAYS), st.integers(0, 1439), st.integers(1, 1440))
def test_hours_of_one_day_leave_most_of_the_week(day, begins, ends):
    if begins % 1440 != ends % 1440:
        text = f"{day} {begins // 60:02}:{begins % 60:02}-{ends // 60:02}:{ends % 60:02}"
        assert not are_always_quiet([quiet_hours(text)])
