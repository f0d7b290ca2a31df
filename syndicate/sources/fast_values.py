"""What feedparser makes of single values of a well-formed document: texts, dates, addresses, names."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from html.entities import entitydefs
from urllib.parse import urljoin

from syndicate.sources.fast_names import Unusual, words

_C1 = re.compile("[\x80-\x9f]")
_CP1252 = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}

# --------------------------------------------------------------------------- texts


def recoded(text: str) -> str:
    """Return a text with UTF-8 that was taken for Latin-1, and Windows' characters, put right."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode()
    return text.translate(_CP1252) if _C1.search(text) else text


_END_TAG = re.compile(r"</(\w+)>")
_REFERENCE = re.compile(r"&#?\w+;")
_ANY_TAG = re.compile(r"</?(\w+)")
_NAMED = re.compile(r"&(\w+);")
ELEMENTS = words(  # that make a text look like HTML
    """
    a abbr acronym address area article aside audio b big blockquote br button canvas caption center
    cite code col colgroup command datagrid datalist dd del details dfn dialog dir div dl dt em
    event-source fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 header hr i img input ins
    kbd keygen label legend li m map menu meter multicol nav nextid noscript ol optgroup option output p
    pre progress q s samp section select small sound source spacer span strike strong sub sup table
    tbody td textarea tfoot th thead time tr tt u ul var video
    """
)


def looks_like_html(text: str) -> bool:
    """Return whether feedparser takes for HTML what should be plain text."""
    if "&" not in text and "</" not in text:
        return False
    if not (_END_TAG.search(text) or _REFERENCE.search(text)):
        return False
    has_others = any(tag.lower() not in ELEMENTS for tag in _ANY_TAG.findall(text) if tag)
    return not has_others and all(name in entitydefs for name in _NAMED.findall(text) if name)


# --------------------------------------------------------------------------- addresses

_SLASHES = re.compile("^([A-Za-z][A-Za-z0-9+-.]*://)(/*)(.*?)")


def resolved(base: str, uri: str) -> str:
    """Return an address as seen from a base, which may be empty; nothing when there is no sense in it."""
    if ":///" in uri:
        uri = _SLASHES.sub(r"\1\3", uri)
    if not base:
        return uri
    try:
        return urljoin(base, uri)
    except ValueError:
        return ""


def checked_base(uri: str) -> str:
    """Return the base address that a document states, empty if it states none.

    Raises:
        Unusual: it is not one that is the same however often it is resolved.
    """
    is_web = not uri or uri.startswith(("http://", "https://"))
    if not is_web or resolved(resolved("", uri), uri) != uri:
        raise Unusual
    return uri


# --------------------------------------------------------------------------- dates

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBER_BY_MONTH = {name: number for number, name in enumerate(_MONTHS, start=1)}
_HOURS_BY_ZONE = {
    "gmt": 0, "ut": 0, "utc": 0, "z": 0, "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7,
    "pdt": -7, "pst": -8,
}  # fmt: skip
_TIME = "([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])"
_RFC_822 = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +)?"
    rf"([0-3]?[0-9]) ({'|'.join(_MONTHS)})[a-z]* ([12][0-9]{{3}}) {_TIME})?"
    rf" (?:([+-])([0-9]{{2}}):?([0-9]{{2}})|({'|'.join(_HOURS_BY_ZONE)}))",
    re.IGNORECASE,
)
_W3C = re.compile(
    rf"([12][0-9]{{3}})-([01][0-9])-([0-3][0-9])(?:[t ]{_TIME}(?:\.[0-9]{{1,9}})?)?"
    r"(?:z|([+-])([0-9]{2}):([0-9]{2}))?)?",
    re.IGNORECASE,
)


def moment(written: str) -> datetime | None:
    """Return a date in one of the usual formats; None when nothing is written.

    Raises:
        Unusual: in another format, if any.
    """
    if not written:
        return None
    try:
        if found := _RFC_822.fullmatch(written):
            day, month, year, hour, minute, second, sign, hours, minutes, zone = found.groups()
            local = _local(year, _NUMBER_BY_MONTH[month.lower()[:3]], day, hour, minute, second)
            return local - (_offset(sign, hours, minutes) if sign else _zone(zone))
        if found := _W3C.fullmatch(written):
            year, month, day, hour, minute, second, sign, hours, minutes = found.groups()
            return _local(year, int(month), day, hour, minute, second) - _offset(sign, hours, minutes)
    except (ValueError, OverflowError):
        pass
    raise Unusual


def _local(  # noqa: PLR0913, PLR0917  the parts of a date
    year: str, month: int, day: str, hour: str | None, minute: str | None, second: str | None
) -> datetime:
    return datetime(
        int(year), month, int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
    )


def _offset(sign: str | None, hours: str, minutes: str) -> timedelta:
    if sign is None:
        return timedelta()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return offset if sign == "+" else -offset


def _zone(name: str) -> timedelta:
    return timedelta(hours=_HOURS_BY_ZONE[name.lower()])


# --------------------------------------------------------------------------- names

_EMAIL = re.compile(  # feedparser's, but from the beginning of a word on: it tries each letter, in vain
    r"(?<![a-zA-Z0-9_.+-])(([a-zA-Z0-9\_\-\.\+]+)@"
    r"((\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.)|(([a-zA-Z0-9\-]+\.)+))"
    r"([a-zA-Z]{2,4}|[0-9]{1,3})(\]?))(\?subject=\S+)?"
)


def person(author: str) -> dict[str, object]:
    """Return the name and the address in what an author is called."""
    found = _EMAIL.search(author) if "@" in author else None
    if found is None:
        return {"name": author} if author else {}
    email = found[0]
    name = author.replace(email, "")
    for brackets in ("()", "<>", "&lt;&gt;"):
        name = name.replace(brackets, "")
    name = name.strip().removeprefix("(").removesuffix(")").strip()
    return {"name": name, "email": email} if name else {"email": email}
