"""Dates as documents and pages write them, in numbers and in English, Russian and Kazakh. Pure.

What has no time zone counts as UTC; what has no time of day as midnight.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

MAX_WRITTEN = 200  # characters that are looked at

_ISO = re.compile(  # also W3C-DTF, which allows a year and a month alone
    r"(\d{4})-(\d\d?)(?:-(\d\d?)(?:[T\s]\s*(\d\d?):(\d\d)(?::(\d\d))?(?:[.,]\d+)?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_BEGINS_ISO = re.compile(r"\s*(\d{4}-\d\d?-\d\d?)(?!\d)(?:[Tt\s]\s*(\d\d?)(?::(\d\d))?)?")
_LONGEST_DAY = timedelta(hours=24 + 15)  # in the zones furthest from UTC
_NUMBER = re.compile(r"\d+")
_WITH_YEAR = (4, 7, 8, 12, 14)  # digits of a year, alone, or with the day, and the time
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII)
_TIMESTAMP = re.compile(r"(\d{10})(?:\d{3}|\.\d+)?", re.ASCII)

_ISO_IN_TEXT = re.compile(rf"(?<![\w-])(?:{_ISO.pattern})(?![\w-])", re.ASCII | re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})[./](\d\d?)[./](\d\d?)(?!\d)", re.ASCII)
_NUMBERS = re.compile(r"(?<![\d.,])(\d\d?)([./-])(\d\d?)\2(\d{4}|\d\d)(?![\d/-])", re.ASCII)
_DAY_MONTH = re.compile(
    r"(?<!\d)(\d\d?)(?:st|nd|rd|th|-?го|-?е|-?ші|-?шы)?[\s-]+(?:of\s+)?([^\W\d_]{3,12})\.?(?:,?\s*(\d{4})(?!\d))?"
)
_MONTH_DAY = re.compile(r"([^\W\d_]{3,12})\.?\s+(\d\d?)(?:st|nd|rd|th)?(?![\d:])(?:,?\s*(\d{4})(?!\d))?")
_YEAR_BEFORE = re.compile(r"(\d{4})\s*(?:жыл\w*|ж\.?)?[\s,]*$")  # Kazakh: 2026 жылғы 21 қараша
_TIME = re.compile(
    r"(?<![\d:])(\d\d?):(\d\d)(?::(\d\d))?(?![\d:])\s*([ap])?(?:\.?m\b)?"
    r"\s*\(?(?:gmt|utc|z\b)?\s*([+-]\d\d?(?::?\d\d)?(?!\d))?",
    re.ASCII,
)

_MONTHS = {
    "en": "january february march april may june july august september october november december",
    "ru": "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
    "ru of": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "ru in": "январе феврале марте апреле мае июне июле августе сентябре октябре ноябре декабре",
    "kk": "қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша желтоқсан",
}
_SHORTEST = 3
_ABBREVIATED = ("en", "ru", "kk")
_KAZAKH_ENDINGS = re.compile(r"(?:да|де|та|те|дың|дің|ның|нің|тың|тің|дағы|дегі|ғы|гі)")


def _numbers_by_name() -> dict[str, int]:
    """Return the number of each month by each of its names, the short ones too."""
    numbers: dict[str, int] = {}
    for language, names in _MONTHS.items():
        for number, name in enumerate(names.split(), 1):
            numbers[name] = number
            if language in _ABBREVIATED:
                beginnings = (name[:length] for length in range(_SHORTEST, 6))
                numbers |= {beginning: number for beginning in beginnings if beginning not in numbers}
    return numbers


_NUMBER_BY_NAME = _numbers_by_name()
_KAZAKH = dict(zip(_MONTHS["kk"].split(), range(1, 13), strict=True))

_DAYS_AGO = {
    **dict.fromkeys(("today", "сегодня", "бүгін"), 0),
    **dict.fromkeys(("yesterday", "вчера", "кеше"), 1),
    **dict.fromkeys(("позавчера", "алдыңғы күні"), 2),
}
_DAY_WORD = re.compile(rf"(?<!\w)({'|'.join(_DAYS_AGO)})(?!\w)")
_NOW = re.compile(r"(?<!\w)(?:just now|только что|жаңа ғана|қазір ғана)(?!\w)")
_AGO = re.compile(
    r"(?:(?<!\w)(\d{1,3}|an?|one)\s*)?(?<![^\W\d])(s|m|h|d|w|[^\W\d_]{2,8})\.?\s+(?:ago|назад|бұрын)(?!\w)"
)
_UNITS = (  # beginnings of words, the shorter ones whole
    (timedelta(seconds=1), r"s|sec\w*|сек\w*"),
    (timedelta(minutes=1), r"m|min\w*|мин\w*"),
    (timedelta(hours=1), r"h|hr\w*|hour\w*|ч|час\w*|сағ\w*"),
    (timedelta(days=1), r"d|day\w*|день|дн\w*|сут\w*|күн\w*"),
    (timedelta(weeks=1), r"w|week\w*|недел\w*|апта\w*"),
    (timedelta(days=30), r"month\w*|месяц\w*|ай"),
)


def iso_date(written: str) -> datetime | None:
    """Return what RFC 3339 or W3C-DTF writes, a little more leniently; None for anything else."""
    found = _ISO.fullmatch(written.strip()[:MAX_WRITTEN])
    return _moment(*found.groups()) if found else None


def is_plausible(moment: datetime, written: str) -> bool:
    """Whether a date that a lenient reader found in a text can be what that says.

    Such readers make a day of March of February 30, four days of 99 hours, and a year of any digits.
    """
    if f" {moment.year} " in written:  # as RFC 822 has it
        return True
    if found := _BEGINS_ISO.match(written):
        day, hour, minute = iso_date(found[1]), int(found[2] or 0), int(found[3] or 0)
        return day is not None and hour <= 24 and minute < 60 and abs(moment - day) <= _LONGEST_DAY
    years = {moment.year, *((moment.year - 1,) if (moment.month, moment.day) <= (1, 2) else ())}
    years |= {moment.year + 1} if (moment.month, moment.day) >= (12, 30) else set()
    return any(_is_year(number, years) for number in _NUMBER.findall(written))


def _is_year(number: str, years: set[int]) -> bool:
    """Whether a number is one of some years, or begins with one, as in 20261127."""
    if len(number) == 2:
        return int(number) in {year % 100 for year in years}
    return len(number) in _WITH_YEAR and int(number[:4]) in years


def attribute_date(written: str, now: datetime | None = None) -> datetime | None:
    """Return the date in an attribute made for machines: a timestamp, ISO 8601, else as people write it."""
    written = written.strip()[:MAX_WRITTEN]
    if found := _TIMESTAMP.fullmatch(written):
        return datetime.fromtimestamp(int(found[1]), UTC)
    if found := _COMPACT.fullmatch(written):
        return _moment(*found.groups())
    return iso_date(written) or spoken_date(written, now)


def spoken_date(written: str, now: datetime | None = None, *, month_first: bool = False) -> datetime | None:
    """Return the first date in a text, as people write it; None when there is none.

    Args:
        now: when it was written. None: not known, so that neither `2 hours ago` nor a date without its year
            can be told.
        month_first: whether 3/4/2026 is in March.
    """
    text = " ".join(written[:MAX_WRITTEN].lower().replace("ё", "е").split())
    if found := _ISO_IN_TEXT.search(text):
        moment = _moment(*found.groups()) if found[3] else None
        return moment if found[4] or moment is None else _at_time(moment, text[found.end() :])
    for read in (_in_numbers, _in_words):
        if found_date := read(text, now, month_first):
            moment, rest = found_date
            return _at_time(moment, rest)
    return _relative(text, now) if now else None


Read = tuple[datetime, str]  # midnight of a day, and the text around that may hold the time of day


def _in_numbers(text: str, _now: datetime | None, month_first: bool) -> Read | None:
    if found := _YEAR_FIRST.search(text):
        moment = _moment(*found.groups())
    elif found := _NUMBERS.search(text):
        first, separator, second, year = found.groups()
        is_month_first = int(second) > 12 or (month_first and separator == "/" and int(first) <= 12)
        month, day = (first, second) if is_month_first else (second, first)
        moment = _moment(year if len(year) == 4 else f"20{year}", month, day)
    else:
        return None
    return (moment, _around(text, found)) if moment else None


def _in_words(text: str, now: datetime | None, _month_first: bool) -> Read | None:
    for pattern, day_at, month_at in ((_DAY_MONTH, 1, 2), (_MONTH_DAY, 2, 1)):
        for found in pattern.finditer(text):
            month = _month(found[month_at])
            if not month:
                continue
            before = _YEAR_BEFORE.search(text[: found.start()])
            moment = _day(found[3] or (before[1] if before else None), month, found[day_at], now)
            if moment:
                return moment, _around(text, found)
    return None


def _around(text: str, found: re.Match[str]) -> str:
    """Return a text without what was found in it, the rest of it first."""
    return f"{text[found.end() :]} {text[: found.start()]}"


def _month(name: str) -> int | None:
    if name in _NUMBER_BY_NAME:
        return _NUMBER_BY_NAME[name]
    return next(
        (
            number
            for month, number in _KAZAKH.items()
            if name.startswith(month) and _KAZAKH_ENDINGS.fullmatch(name, len(month))
        ),
        None,
    )


def _day(year: str | None, month: int, day: str, now: datetime | None) -> datetime | None:
    """Return a day; without its year, the last one that there was."""
    if year:
        return _moment(year, str(month), day)
    if now is None:
        return None
    this_year = _moment(str(now.year), str(month), day)
    if this_year and this_year <= now + timedelta(days=1):
        return this_year
    return _moment(str(now.year - 1), str(month), day)


def _at_time(day: datetime, text: str) -> datetime:
    """Return the moment on a day that a text names, midnight when it names none."""
    found = _TIME.search(text)
    if found is None:
        return day
    hour, minute, second, half, offset = found.groups()
    hours = int(hour) % 12 + 12 * (half == "p") if half else int(hour)
    date = (str(day.year), str(day.month), str(day.day))
    return _moment(*date, str(hours), minute, second, offset) or day


def _relative(text: str, now: datetime) -> datetime | None:
    if _NOW.search(text):
        return now
    if found := _DAY_WORD.search(text):
        day = now - timedelta(days=_DAYS_AGO[found[1]])
        moment = _at_time(day.replace(hour=0, minute=0, second=0, microsecond=0), _around(text, found))
        return min(moment, now)  # of a zone further east
    if found := _AGO.search(text):
        count = int(found[1]) if found[1] and found[1].isdecimal() else 1
        units = [unit for unit, words in _UNITS if re.fullmatch(words, found[2])]
        return now - count * units[0] if units else None
    return None


def _moment(  # noqa: PLR0913, PLR0917  the parts of a date, as they are written
    year: str,
    month: str,
    day: str | None = None,
    hour: str | None = None,
    minute: str | None = None,
    second: str | None = None,
    offset: str | None = None,
) -> datetime | None:
    """Return a moment in 1970..9999; None when there is no such one. A leap second is the one before."""
    try:
        clock = int(hour or 0), int(minute or 0), min(int(second or 0), 59)
        zone = timezone(_offset(offset or ""))
        local = datetime(int(year), int(month), int(day or 1), *clock, tzinfo=zone)
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= 1970 else None


def _offset(written: str) -> timedelta:
    """Return +05:00, +0500, +05 or +5 as a length of time."""
    digits = written.lstrip("+-").replace(":", "")
    if not digits.isdecimal():
        return timedelta()
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    length = timedelta(hours=hours, minutes=minutes)
    return -length if written.startswith("-") else length
