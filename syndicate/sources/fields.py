"""The fields of entries, cleaned and bounded, whatever the document is; what is cut or dropped is counted.

`feed` has ways of its own, as feedparser hands over more than texts.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from syndicate.model import Enclosure, Entry
from syndicate.sources import outline, sanitise
from syndicate.sources.dates import iso_date
from syndicate.sources.feed import (
    MAX_AUTHOR,
    MAX_CATEGORIES,
    MAX_CATEGORY,
    MAX_DOCUMENT,
    MAX_ENCLOSURES,
    MAX_GUID,
    MAX_RAW_DATE,
    MAX_TITLE,
)
from syndicate.sources.sanitise import Clean, check_link, clean_line

_NO_LINK = f"links that are no http(s) address of up to {sanitise.MAX_LINK:,} characters, dropped"
_LONG_LINE = f"titles, authors or categories longer than allowed, cut to at most {MAX_TITLE:,}"
_LONG_TEXT = f"texts of more than {sanitise.MAX_HTML:,} characters or too deeply nested, cut"
_LONG_GUID = f"guids of more than {MAX_GUID:,} characters, replaced by their hash"
_NO_FILE = "enclosures that are no http(s) address, dropped"
_NO_DATE = "dates that cannot be read"
_NOTHING = "entries with nothing in them, left out"
_TOO_LARGE = f"entries kept without text, since the document holds more than {MAX_DOCUMENT:,} characters"


@dataclass(slots=True, kw_only=True)
class Fields:
    """Cleans the fields of one document.

    Args:
        url: what relative links are resolved against.
    """

    url: str
    left: int = MAX_DOCUMENT
    problems: Counter[str] = field(default_factory=Counter)

    def line(self, text: str, limit: int = MAX_TITLE) -> str:
        """Return one line of plain text out of what should be that and may be HTML."""
        line = clean_line(sanitise.text_of(text) if _is_html(text) else text, limit)
        self.problems[_LONG_LINE] += len(line) == limit
        return line

    def author(self, names: Iterable[str]) -> str:
        """Return the names as one line."""
        return self.line(", ".join(dict.fromkeys(name for name in names if name)), MAX_AUTHOR)

    def html(self, markup: str, base: str) -> Clean:
        """Return HTML, clean, its links seen from `base`."""
        return self._counted(sanitise.clean_html(markup, base))

    def text(self, text: str) -> Clean:
        """Return what should be plain text and may be HTML, clean."""
        if sanitise.has_markup(text):
            return self.html(text, self.url)
        return self._counted(sanitise.clean_plain(text))

    def _counted(self, clean: Clean) -> Clean:
        self.problems[_LONG_TEXT] += clean.was_cut
        return clean

    def guid(self, written: str) -> str | None:
        """Return a guid in one line; None when there is nothing in it."""
        guid = " ".join(sanitise.without_controls(written).split())
        if len(guid) <= MAX_GUID:
            return guid or None
        self.problems[_LONG_GUID] += 1
        return "sha256:" + hashlib.sha256(guid.encode()).hexdigest()

    def link(self, *written: str) -> str | None:
        """Return the first that is one, absolute."""
        links = [check_link(link, self.url) for link in written]
        found = next((link for link in links if link), None)
        self.problems[_NO_LINK] += found is None and any(link.strip() for link in written)
        return found

    def date(self, written: str) -> tuple[datetime | None, str | None]:
        """Return a date as parsed (None when it cannot be), and as written (None when there is none)."""
        line = clean_line(written, MAX_RAW_DATE)
        parsed = iso_date(line)
        self.problems[_NO_DATE] += bool(line) and parsed is None
        return (parsed, line) if line else (None, None)

    def categories(self, names: list[str]) -> tuple[str, ...]:
        """Return the categories, each once."""
        if len(names) > MAX_CATEGORIES:
            self.problems[f"entries with more than {MAX_CATEGORIES} categories, cut"] += 1
        lines = (self.line(name, MAX_CATEGORY) for name in names[:MAX_CATEGORIES])
        return tuple(dict.fromkeys(line for line in lines if line))

    def enclosures(self, files: list[Enclosure]) -> tuple[Enclosure, ...]:
        """Return files with absolute addresses, each once, of those whose addresses are as written."""
        by_url: dict[str, Enclosure] = {}
        for file in files[: 10 * MAX_ENCLOSURES]:
            if url := check_link(file.url, self.url):
                by_url.setdefault(url, replace(file, url=url))
            else:
                self.problems[_NO_FILE] += bool(file.url.strip())
        if len(by_url) > MAX_ENCLOSURES:
            self.problems[f"entries with more than {MAX_ENCLOSURES} enclosures, cut"] += 1
        return tuple(by_url.values())[:MAX_ENCLOSURES]

    def kept(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield the entries that have something in them; without text once there is too much of it."""
        for entry in entries:
            if not (entry.guid or entry.link or entry.title or entry.body or entry.content_html):
                self.problems[_NOTHING] += 1
                continue
            self.left -= len(entry.body) + len(entry.summary) + len(entry.content_html)
            if self.left < 0:
                self.problems[_TOO_LARGE] += 1
                entry = replace(entry, body="", summary="", content_html="")
            yield entry

    def in_words(self) -> tuple[str, ...]:
        """Return what was cut or dropped."""
        return tuple(f"{what}: {count}" for what, count in self.problems.items() if count)


def left_out(count: int) -> tuple[str, ...]:
    """Return what is said of so many entries of a document."""
    surplus = count - outline.MAX_ENTRIES
    return (f"entries after the first {outline.MAX_ENTRIES:,}, left out: {surplus}",) if surplus > 0 else ()


def _is_html(text: str) -> bool:
    return sanitise.has_markup(text) or sanitise.has_references(text)
