"""Numbers, sizes, times and lists in words, and lines of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Values = dict[str, Any]

STATES = {
    "ok": "working",
    "fallback": "working, at another address",
    "new": "not polled yet",
    "failing": "failing",
    "gone": "gone: its publisher took it down",
    "paused": "paused",
    "disabled": "switched off",
    "removed": "no longer configured",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line for people, with the places in it that stand out."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()  # in order, none touching another
    indent: int = 0
    is_wanting: bool = False  # what is marked is not there


def bracketed(line: Line) -> str:
    """Return a line's text with its marks in brackets, for where nothing can be underlined."""
    text = line.text
    for start, end in reversed(line.marks):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return text


def time_json(moment: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC, None for none."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return names as a sentence has them, not too many."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a number of things in words."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def size(length_bytes: int) -> str:
    """Return a number of bytes in words."""
    for unit, length in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if length_bytes >= length:
            number = length_bytes / length
            return f"{number:.3g} {unit}" if number < 999.5 else f"{number:.0f} {unit}"  # not 1e+03
    return f"{length_bytes} bytes"


def ago(moment: datetime | None, now: datetime) -> str:
    """Return how long ago a time was, in words; `never` for None."""
    return "never" if moment is None else f"{_span((now - moment).total_seconds())} ago"


def ahead(moment: datetime | None, now: datetime) -> str:
    """Return when a time will be, in words; `now` for the past, nothing for None."""
    if moment is None:
        return ""
    seconds = (moment - now).total_seconds()
    return "now" if seconds <= 0 else f"in {_span(seconds)}"


def length_words(length: timedelta) -> str:
    """Return a length of time in words."""
    return _span(length.total_seconds())


def _span(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
