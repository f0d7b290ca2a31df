"""At which pace an endpoint is told, in sentences. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from syndicate.alerts.clock import next_time
from syndicate.model import GroupBy, Grouping, Pace, QuietHours
from syndicate.report_words import counted, length_words

WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


def pace_sentences(pace: Pace, now: datetime) -> Iterator[str]:
    """Yield what holds alerts back from an endpoint, a sentence each; none if nothing does."""
    if pace.digest is not None:
        at = next_time(pace.digest, now, pace.zone).astimezone(pace.zone)
        yield f"Everything is told together at fixed times, next on {at:%d %b %Y at %H:%M} ({pace.zone})."
    elif pace.grouping is not None:
        yield _grouping(pace.grouping)
    if pace.max_per_hour is not None:
        number = counted(pace.max_per_hour, "delivery", "deliveries")
        yield f"At most {number} within an hour; what is more becomes one summary."
    for hours in pace.quiet_hours:
        yield f"Quiet {_hours(hours)} ({pace.zone})."


def _grouping(grouping: Grouping) -> str:
    wait, interval = length_words(grouping.wait), length_words(grouping.interval)
    when = f"{wait} after the first of them, and then after every {interval}"
    if GroupBy.EACH in grouping.by:
        return f"Each alert is told by itself, {wait} after it came up."
    if not grouping.by:
        return f"All alerts are told together, {when}."
    return f"Alerts of the same {_joined(grouping.by)} are told together, {when}."


def _hours(hours: QuietHours) -> str:
    clock = f"from {_clock(hours.begins)} to {_clock(hours.ends)}"
    if len(hours.weekdays) == len(WEEKDAYS):
        return clock
    return f"{clock}, on {_joined([WEEKDAYS[day] for day in hours.weekdays])}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _joined(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
