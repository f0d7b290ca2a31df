"""Wall clocks: when a digest is due next, and until when it is quiet. Pure.

A time that clocks skip in spring counts as it would have without the change (02:30 is then 03:30); of one
that they show twice in autumn, the first counts. So a digest comes once a day all the same.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from syndicate.model import Cron, QuietHours

DAY = timedelta(days=1)
LONGEST_WAIT_DAYS = 366 * 28  # 29 February on a given day of the week, once in 28 years


def next_time(cron: Cron, after: datetime, zone: tzinfo) -> datetime:
    """Return the first of the times after one.

    Raises:
        ValueError: there is none, as with 30 February.
    """
    today = after.astimezone(zone).date()
    for number in range(LONGEST_WAIT_DAYS):
        day = today + number * DAY
        if _is_on(cron, day):
            times = [
                instant
                for hour in cron.hours
                for minute in cron.minutes
                if (instant := _instant(day, hour * 60 + minute, zone)) > after
            ]
            if times:
                return min(times)
    raise ValueError("there is no such day")


def quiet_until(quiet_hours: Sequence[QuietHours], now: datetime, zone: tzinfo) -> datetime | None:
    """Return when it is quiet no more, None if it is not quiet now. They may not be quiet all week."""
    until = now
    while ends := [end for begin, end in _around(quiet_hours, until, zone) if begin <= until < end]:
        until = max(ends)
    return until if until > now else None


def _around(
    quiet_hours: Sequence[QuietHours], when: datetime, zone: tzinfo
) -> Iterator[tuple[datetime, datetime]]:
    """Yield begin and end of all quiet hours that may contain an instant."""
    today = when.astimezone(zone).date()
    for day in (today - 2 * DAY, today - DAY, today):  # two, since some places once left a day out
        for hours in quiet_hours:
            if day.weekday() in hours.weekdays:
                last = day if hours.ends > hours.begins else day + DAY
                yield _instant(day, hours.begins, zone), _instant(last, hours.ends, zone)


def _is_on(cron: Cron, day: date) -> bool:
    if day.month not in cron.months:
        return False
    fits = (day.day in cron.days, day.weekday() in cron.weekdays)
    return any(fits) if cron.is_either_day else all(fits)


def _instant(day: date, minutes: int, zone: tzinfo) -> datetime:
    days, minutes = divmod(minutes, 1440)
    clock = time(minutes // 60, minutes % 60)
    return datetime.combine(day + days * DAY, clock, tzinfo=zone).astimezone(UTC)
