"""Links of articles: which ones a pattern means, and what their addresses tell. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice
from urllib.parse import unquote, urlsplit

from syndicate.sources.dates import iso_date
from syndicate.sources.sanitise import clean_line

ANY_PARTS = "**"
_MAX_TITLE = 300
_FILE_ENDING = re.compile(r"\.(?:html?|php|aspx?|jsp|shtml|xhtml|amp)$", re.IGNORECASE)
_NUMBER_AT_END = re.compile(r"[-_](?:[a-z]?\d{3,}|[0-9a-f]{8,})$", re.IGNORECASE)
_NUMBER_AT_START = re.compile(r"^[a-z]?\d{3,}[-_]", re.IGNORECASE)
_YEAR_AT_END = re.compile(r"[-_](?:19|20)\d\d$")
_BETWEEN_WORDS = re.compile(r"[-_+.\s]+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_DATE_IN_PATH = re.compile(r"/(20\d\d)[/-](\d\d?)[/-](\d\d?)(?=[/_-]|$)")


def fits(link: str, pattern: str) -> bool:
    """Whether an address is one that a pattern means, in time linear to both.

    `*` stands for anything within a part of the path, `**` as a part for any number of parts, `?` for one
    character, `[0-9]` for one of some. A pattern that begins with a scheme means the whole address, any other
    the path and what follows it.
    """
    if "://" in pattern:
        address = link
    else:
        parts = urlsplit(link)
        address = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return _fits_parts(address.split("/"), pattern.split("/"))


def _fits_parts(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    """Like fnmatch, but over parts: what `**` stands for is the least that lets the rest fit."""
    at, retry_at, retry_pattern, pattern_at = 0, 0, -1, 0
    while at < len(parts):
        pattern = patterns[pattern_at] if pattern_at < len(patterns) else None
        if pattern == ANY_PARTS:
            retry_at, retry_pattern = at, pattern_at
            pattern_at += 1
        elif pattern is not None and fnmatchcase(parts[at], pattern):
            at, pattern_at = at + 1, pattern_at + 1
        elif retry_pattern >= 0:
            retry_at += 1
            at, pattern_at = retry_at, retry_pattern + 1
        else:
            return False
    return all(pattern == ANY_PARTS for pattern in islice(patterns, pattern_at, None))


def slug_title(link: str) -> str:
    """Return the words in an article's address as a title: `/eu-and-asia-12345.html` says `Eu and asia`.

    Empty where there are none: fewer than two words are rather a section.
    """
    segments = [segment for segment in urlsplit(link).path.split("/") if segment]
    for segment in reversed(segments[-2:]):
        words = _words(segment)
        if len(_WORD.findall(words)) >= 2:
            return words[:1].upper() + words[1:]
    return ""


def _words(segment: str) -> str:
    slug = _FILE_ENDING.sub("", unquote(segment, errors="replace"))
    if not _YEAR_AT_END.search(slug):
        slug = _NUMBER_AT_END.sub("", slug)
    slug = _NUMBER_AT_START.sub("", slug)
    return clean_line(_BETWEEN_WORDS.sub(" ", slug), _MAX_TITLE)


def path_date(link: str) -> datetime | None:
    """Return the day in an address such as /2026/11/21/title, None where there is none."""
    found = _DATE_IN_PATH.search(urlsplit(link).path)
    return iso_date("-".join(found.groups())) if found else None


def is_same_site(link: str, url: str) -> bool:
    """Whether two addresses are of one site: of the same host, or one of a subdomain of the other's."""
    one, other = _host(link), _host(url)
    return bool(one and other) and (one == other or one.endswith(f".{other}") or other.endswith(f".{one}"))


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
