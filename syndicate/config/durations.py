"""Lengths of time as people write them."""

import re
from datetime import timedelta

from syndicate.config.values import quoted

_DURATION = re.compile(
    r"(?:(?P<weeks>\d+)w)?(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+)s)?",
    re.ASCII,
)
_BARE = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


def duration(text: str) -> timedelta:
    """Return the length of time that a text such as "90s", "15m", "1h30m", "2d" or "1w" names.

    Raises:
        ValueError: it names none; the text says what to write.
    """
    if _BARE.fullmatch(text):
        raise ValueError(f'"{text}" needs a unit: write "{text}s", "{text}m", "{text}h" or "{text}d"')
    found = _DURATION.fullmatch(text)
    if not found or not text:
        raise ValueError(f"{quoted(text)} is no length of time: write one such as 90s, 15m, 1h30m, 2d or 1w")
    try:
        return timedelta(**{unit: int(number) for unit, number in found.groupdict(default="0").items()})
    except (OverflowError, ValueError) as error:  # int() refuses thousands of digits
        raise ValueError("is too long a time") from error


def spelled(length: timedelta) -> str:
    """Return a length of time as `duration` reads it: "1h30m"; parts of a second are dropped."""
    rest = int(length.total_seconds())
    parts = []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        number, rest = divmod(rest, seconds)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"
