"""Digests and quiet hours as people write them. Raises ValueError in words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from syndicate.config.values import quoted
from syndicate.model import Cron, QuietHours

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES

_TIME = re.compile(r"(?P<hour>\d\d?):(?P<minute>\d\d)", re.ASCII)
_QUIET = re.compile(r"(?:(?P<days>[A-Za-z,-]+) +)?(?P<begins>[\d:]+) ?- ?(?P<ends>[\d:]+)", re.ASCII)
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d{1,4}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the fields of crontab(5)."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()  # of the numbers from 1 on


_NO_NUMBER = -10  # below all others, also a week later
_MINUTES = _Field("minutes", 0, 59)
_HOURS = _Field("hours", 0, 23)
_DAYS = _Field("days of the month", 1, 31)
_MONTHS = _Field("months", 1, 12, MONTHS)
_WEEKDAYS = _Field("days of the week", 0, 7, WEEKDAYS)


def cron(text: str) -> Cron:
    """Return the times that a time of the day such as "08:00" names, or the five fields of crontab(5).

    As there, the days of the month and of the week together mean: any of both, unless one of them is `*`.
    """
    if ":" in text:
        hour, minute = divmod(_minutes(text, most=DAY_MINUTES - 1), 60)
        return Cron(hours=(hour,), minutes=(minute,))
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(
            f'{quoted(text)} is no time: write one such as "08:00", '
            'or the five fields of cron such as "0 8,17 * * mon-fri"'
        )
    minutes, hours, days, months, weekdays = fields
    found = Cron(
        minutes=_numbers(_MINUTES, minutes),
        hours=_numbers(_HOURS, hours),
        days=_numbers(_DAYS, days),
        months=_numbers(_MONTHS, months),
        weekdays=_weekdays(weekdays),
        is_either_day=not days.startswith("*") and not weekdays.startswith("*"),
    )
    has_day = any(found.days[0] <= LONGEST_MONTHS[month - 1] for month in found.months)
    if not has_day and not found.is_either_day:
        raise ValueError(f"{quoted(text)} never comes: none of its months has such a day")
    return found


def quiet_hours(text: str) -> QuietHours:
    """Return the hours that a text such as "22:00-07:00" or "sat,sun 00:00-24:00" names."""
    found = _QUIET.fullmatch(text.strip())
    if not found:
        raise ValueError(
            f'{quoted(text)} are no hours: write such as "22:00-07:00", or with days "sat,sun 00:00-24:00"'
        )
    begins, ends = _minutes(found["begins"], most=DAY_MINUTES - 1), _minutes(found["ends"], most=DAY_MINUTES)
    if begins == ends:
        raise ValueError(f'{quoted(text)} begins when it ends: for the whole day write "00:00-24:00"')
    return QuietHours(weekdays=_weekdays(found["days"] or "*"), begins=begins, ends=ends)


def are_always_quiet(hours: Sequence[QuietHours]) -> bool:
    """Whether no minute of the week is left."""
    quiet = set()
    for each in hours:
        length = (each.ends - each.begins) % DAY_MINUTES or DAY_MINUTES
        for day in each.weekdays:
            begins = day * DAY_MINUTES + each.begins
            quiet |= {minute % WEEK_MINUTES for minute in range(begins, begins + length)}
    return len(quiet) == WEEK_MINUTES


def _minutes(text: str, *, most: int) -> int:
    """Return a time of the day in minutes from midnight."""
    found = _TIME.fullmatch(text.strip())
    if found and int(found["minute"]) < 60:
        minutes = int(found["hour"]) * 60 + int(found["minute"])
        if minutes <= most:
            return minutes
    raise ValueError(f'{quoted(text)} is no time of the day: write one such as "08:00" or "17:30"')


def _numbers(field: _Field, text: str) -> tuple[int, ...]:
    """Return the numbers of a list such as "1,3-5,*/10"."""
    numbers: set[int] = set()
    for part in text.split(","):
        numbers.update(_range(field, part))
    return tuple(sorted(numbers))


def _weekdays(text: str) -> tuple[int, ...]:
    """Return days of the week, with Monday as 0; as numbers, 1 is Monday, and both 0 and 7 are Sunday."""
    return tuple(sorted({(number - 1) % 7 for number in _numbers(_WEEKDAYS, text)}))


def _range(field: _Field, text: str) -> range:
    found = _PART.fullmatch(text)
    if found:
        low, high = _bounds(field, found)
        step = int(found["step"] or 1)
        if field is _WEEKDAYS and high < low:  # such as sat-mon
            high += 7
        if field.least <= low <= high and step:
            return range(low, high + 1, step)
    shown = f"{field.names[0]} to {field.names[-1]}" if field.names else f"{field.least} to {field.most}"
    raise ValueError(f"{quoted(text)} are no {field.name}, which are {shown}")


def _bounds(field: _Field, found: re.Match[str]) -> tuple[int, int]:
    if found["first"] is None:
        return field.least, field.most
    low = _number(field, found["first"])
    if found["last"] is not None:
        return low, _number(field, found["last"])
    return low, field.most if found["step"] else low


def _number(field: _Field, text: str) -> int:
    """Return a number, or which one a name stands for; `_NO_NUMBER` if it is neither."""
    if text.isdecimal() and int(text) <= field.most:
        return int(text)
    return field.names.index(text.lower()) + 1 if text.lower() in field.names else _NO_NUMBER
