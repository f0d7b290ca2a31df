"""What a feed's XML says of when to ask for it again, where older entries are, and who pushes new ones. Pure.

feedparser keeps one <hour> of <skipHours> and loses the others, so this reads for itself, from what stands
outside of the entries, whoever reads those. It is advice: what cannot be read is left out.

https://www.rssboard.org/rss-specification, http://web.resource.org/rss/1.0/modules/syndication/, RFC 5005,
https://www.w3.org/TR/websub/#discovery
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from syndicate.model import Hints
from syndicate.sources.sanitise import check_link

MAX_BYTES = 64 * 1024  # looked at, before and after the entries
MAX_HUBS = 10

_ENTRY = re.compile(rb"<(?:[\w.-]{1,20}:)?(?:item|entry)[\s>]")
_LAST_ENTRY_END = re.compile(rb"</(?:[\w.-]{1,20}:)?(?:item|entry)\s*>")
_IGNORED = re.compile(r"<!--.*?(?:-->|$)|<!\[CDATA\[.*?(?:\]\]>|$)", re.DOTALL)
_TEXT = r"<(?:[\w.-]{{1,20}}:)?{name}(?:\s[^<>]*)?>([^<>]{{1,100}})</"
_LINK = re.compile(r"<(?:[\w.-]{1,20}:)?link\s([^<>]{1,4000})>")
_HEAD_END = re.compile(r"</head|<body", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:.-]{1,20})\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_REFERENCES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#38;", "&"), ("&amp;", "&"))
_SECONDS_BY_PERIOD = {
    "hourly": 3600,
    "daily": 24 * 3600,
    "weekly": 7 * 24 * 3600,
    "monthly": 30 * 24 * 3600,
    "yearly": 365 * 24 * 3600,
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_hints(data: bytes, url: str) -> Hints:
    """Return the hints of a feed.

    Args:
        data: its XML, UTF-8; any RSS, RDF or Atom.
        url: where it came from, which links in it are relative to.
    """
    outside = _outside(data)
    seconds = _update_seconds(outside)
    links = _links(outside)
    return Hints(
        ttl_seconds=_ttl_seconds(outside),
        update_seconds=seconds,
        update_phase_seconds=_phase_seconds(outside, seconds),
        skip_hours=_skip_hours(outside),
        skip_days=_skip_days(outside),
        older=_older(outside, links, url),
        **_pushed_by(links, url),
    )


def read_page_hints(text: str, url: str) -> Hints:
    """Return who pushes a web page, as its head says: in its body, anyone may have put a link."""
    head = _HEAD_END.split(text[:MAX_BYTES], maxsplit=1)[0]
    return Hints(**_pushed_by(_links(_IGNORED.sub("", head)), url))


def _outside(data: bytes) -> str:
    """Return what stands before the first entry and after the last one, without comments and CDATA."""
    first = _ENTRY.search(data, 0, MAX_BYTES)
    if first is None:
        return _IGNORED.sub("", data[:MAX_BYTES].decode(errors="replace"))
    tail = data[max(len(data) - MAX_BYTES, first.start()) :]
    ends = [found.end() for found in _LAST_ENTRY_END.finditer(tail)]
    outside = data[: first.start()] + (tail[ends[-1] :] if ends else b"")
    return _IGNORED.sub("", outside.decode(errors="replace"))


def _ttl_seconds(text: str) -> int | None:
    minutes = next(iter(_numbers(text, "ttl")), 0)
    return minutes * 60 or None


def _update_seconds(text: str) -> int | None:
    period = _SECONDS_BY_PERIOD.get((_text(text, "updatePeriod") or "").casefold())
    frequency = next(iter(_numbers(text, "updateFrequency")), 1)
    return period // frequency or None if period and frequency else None


def _phase_seconds(text: str, period_seconds: int | None) -> int | None:
    base = _text(text, "updateBase")
    if base is None or period_seconds is None:
        return None
    try:
        moment = datetime.fromisoformat(base)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(seconds=1) % period_seconds


def _skip_hours(text: str) -> tuple[int, ...]:
    hours = _numbers(_inside(text, "skipHours"), "hour")
    return tuple(sorted({hour % 24 for hour in hours if hour <= 24}))  # midnight is 0, and 24 for some


def _skip_days(text: str) -> tuple[int, ...]:
    names = _texts(_inside(text, "skipDays"), "day")
    return tuple(sorted({_DAYS.index(name.casefold()) for name in names if name.casefold() in _DAYS}))


def _links(text: str) -> dict[str, list[str]]:
    """Return the addresses of links by what they are to the document, as they are written."""
    addresses_by_relation: dict[str, list[str]] = {}
    for found in _LINK.finditer(text):
        attributes = {name: double or single for name, double, single in _ATTRIBUTE.findall(found[1])}
        written = attributes.get("href", "")
        for reference, character in _REFERENCES:
            written = written.replace(reference, character)
        for relation in attributes.get("rel", "").split():
            addresses_by_relation.setdefault(relation, []).append(written)
    return addresses_by_relation


def _pushed_by(links: Mapping[str, list[str]], url: str) -> dict[str, Any]:
    """Return the hubs and what they call this document (WebSub 4)."""
    hubs = (check_link(written, url) for written in links.get("hub", ())[:MAX_HUBS])
    topic = next(iter(links.get("self", ())), "")
    return {
        "hubs": tuple(dict.fromkeys(filter(None, hubs))),
        "topic": check_link(topic, url) if topic else None,
    }


def _older(text: str, links: Mapping[str, list[str]], url: str) -> str | None:
    """Return where entries are that were here once: in an archive (RFC 5005 4), else on the next page."""
    written = next(filter(None, (*links.get("prev-archive", ()), *links.get("next", ()))), "")
    if written:
        return check_link(written, url)
    return _next_of_wordpress(url) if "wordpress.org" in (_text(text, "generator") or "") else None


def _next_of_wordpress(url: str) -> str | None:
    """Return the page that follows on one of WordPress's, which names none but has them all the same."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    page = query.get("paged", "1")
    if not (page.isascii() and page.isdigit() and len(page) < 5):
        return None
    return urlunsplit(parts._replace(query=urlencode({**query, "paged": int(page) + 1})))


def _inside(text: str, name: str) -> str:
    _, _, after = text.partition(f"<{name}>")
    return after.partition(f"</{name}")[0][:4000]


def _numbers(text: str, name: str) -> list[int]:
    return [int(each) for each in _texts(text, name) if each.isascii() and each.isdigit() and len(each) < 8]


def _text(text: str, name: str) -> str | None:
    return next(iter(_texts(text, name)), None)


def _texts(text: str, name: str) -> list[str]:
    return [found.strip() for found in re.findall(_TEXT.format(name=name), text)]
