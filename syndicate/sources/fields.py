"""The fields of entries, cleaned and bounded, whatever the document is; what is cut or dropped is counted."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from syndicate.model import Enclosure, Entry
from syndicate.sources import outline, sanitise
from syndicate.sources.dates import iso_date
from syndicate.sources.sanitise import Clean, check_link, cut_line

MAX_TITLE = 1000
MAX_AUTHOR = 300
MAX_AUTHORS = 50
MAX_CATEGORY = 200
MAX_CATEGORIES = 50
MAX_ENCLOSURES = 20
MAX_FILES = 10 * MAX_ENCLOSURES  # that are looked at for those
MAX_GUID = 2000
MAX_RAW_DATE = 200
MAX_DOCUMENT = 8 * 1024 * 1024  # characters of all texts and addresses of a document together

_NO_LINK = f"links that are no http(s) address of up to {sanitise.MAX_LINK:,} characters, dropped"
_LONG_LINE = f"titles, authors or categories longer than allowed, cut to at most {MAX_TITLE:,}"
_LONG_TEXT = f"texts of more than {sanitise.MAX_HTML:,} characters or too deeply nested, cut"
_LONG_GUID = f"guids of more than {MAX_GUID:,} characters, replaced by their hash"
_LONG_DATE = f"dates of more than {MAX_RAW_DATE} characters, cut"
_MANY_AUTHORS = f"entries with more than {MAX_AUTHORS} authors, cut"
_MANY_CATEGORIES = f"entries with more than {MAX_CATEGORIES} categories, cut"
_MANY_FILES = f"entries with more than {MAX_ENCLOSURES} enclosures, cut"
_NO_FILE = "enclosures that are no http(s) address, dropped"
_NO_DATE = "dates that cannot be read"
_NOTHING = "entries with nothing in them, left out"
_TOO_LARGE = (
    f"entries kept without text, categories and enclosures, since the document holds more than"
    f" {MAX_DOCUMENT:,} characters"
)


@dataclass(slots=True, kw_only=True)
class Fields:
    """Cleans the fields of one document.

    Args:
        url: what relative links are resolved against.
        are_plain_texts_plain: whether references in a text without tags are not meant as HTML, as in Atom.
    """

    url: str
    are_plain_texts_plain: bool = False
    left: int = MAX_DOCUMENT
    problems: Counter[str] = field(default_factory=Counter)

    def count(self, problem: str, *, is_so: bool = True) -> None:
        """Count something that was cut or dropped."""
        if is_so:
            self.problems[problem] += 1

    def is_html(self, text: str) -> bool:
        """Whether what should be plain text is HTML. Many say it is plain when it is not."""
        return sanitise.has_markup(text) or (not self.are_plain_texts_plain and sanitise.has_references(text))

    def line(self, text: str, limit: int = MAX_TITLE, *, is_html: bool = False) -> str:
        """Return one line of plain text out of HTML, or of what may be that."""
        plain = sanitise.text_of(text) if is_html or self.is_html(text) else text
        line, was_cut = cut_line(plain, limit)
        if was_cut:
            self.count(_LONG_LINE)
        return line

    def author(self, names: Sequence[str]) -> str:
        """Return the names as one line, each once."""
        self.count(_MANY_AUTHORS, is_so=len(names) > MAX_AUTHORS)
        return self.line(", ".join(dict.fromkeys(name for name in names[:MAX_AUTHORS] if name)), MAX_AUTHOR)

    def html(self, markup: str, base: str) -> Clean:
        """Return HTML, clean, its links seen from `base`."""
        return self._counted(sanitise.clean_html(markup, base))

    def plain(self, text: str) -> Clean:
        """Return plain text, clean."""
        return self._counted(sanitise.clean_plain(text))

    def text(self, text: str) -> Clean:
        """Return what should be plain text and may be HTML, clean."""
        return self.html(text, self.url) if sanitise.has_markup(text) else self.plain(text)

    def _counted(self, clean: Clean) -> Clean:
        self.count(_LONG_TEXT, is_so=clean.was_cut)
        return clean

    def guid(self, written: str) -> str | None:
        """Return a guid in one line; None when there is nothing in it."""
        guid = written
        if " " in guid or not guid.isprintable():
            guid = " ".join(sanitise.without_controls(guid).split())
        if len(guid) <= MAX_GUID:
            return guid or None
        self.count(_LONG_GUID)
        return "sha256:" + hashlib.sha256(guid.encode()).hexdigest()

    def link(self, *written: str) -> str | None:
        """Return the first that is one, absolute."""
        for link in written:
            if found := check_link(link, self.url):
                return found
        self.count(_NO_LINK, is_so=any(link.strip() for link in written))
        return None

    def raw_date(self, written: str) -> str:
        """Return a date as written, in one line."""
        line, was_cut = cut_line(written, MAX_RAW_DATE)
        self.count(_LONG_DATE, is_so=was_cut)
        return line

    def dated(self, line: str, parsed: datetime | None) -> tuple[datetime | None, str | None]:
        """Return a date as parsed (None when it cannot be), and as written (None when there is none)."""
        if not line:
            return None, None
        self.count(_NO_DATE, is_so=parsed is None)
        return parsed, line

    def date(self, written: str) -> tuple[datetime | None, str | None]:
        """Return an ISO date as parsed (None when it cannot be), and as written (None when there is none)."""
        line = self.raw_date(written)
        return self.dated(line, iso_date(line))

    def categories(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the categories, each once."""
        if not names:
            return ()
        self.count(_MANY_CATEGORIES, is_so=len(names) > MAX_CATEGORIES)
        lines = (self.line(name, MAX_CATEGORY) for name in names[:MAX_CATEGORIES])
        return tuple(dict.fromkeys(line for line in lines if line))

    def enclosures(self, files: Sequence[Enclosure]) -> tuple[Enclosure, ...]:
        """Return files with absolute addresses, each once, of those whose addresses are as written."""
        if not files:
            return ()
        by_url: dict[str, Enclosure] = {}
        for file in files[:MAX_FILES]:
            if url := check_link(file.url, self.url):
                by_url.setdefault(url, replace(file, url=url))
            else:
                self.count(_NO_FILE, is_so=bool(file.url.strip()))
        self.count(_MANY_FILES, is_so=len(by_url) > MAX_ENCLOSURES or len(files) > MAX_FILES)
        return tuple(by_url.values())[:MAX_ENCLOSURES]

    def kept(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield the entries that have something in them; with the least once there is too much of it."""
        for entry in entries:
            if not (entry.guid or entry.link or entry.title or entry.body or entry.content_html):
                self.count(_NOTHING)
                continue
            self.left -= _length(entry)
            if self.left < 0:
                self.count(_TOO_LARGE)
                entry = replace(entry, body="", summary="", content_html="", categories=(), enclosures=())
            yield entry

    def in_words(self) -> tuple[str, ...]:
        """Return what was cut or dropped."""
        return tuple(f"{what}: {count}" for what, count in self.problems.items())


def _length(entry: Entry) -> int:
    """Return the characters of an entry that may be many."""
    texts = len(entry.body) + len(entry.summary) + len(entry.content_html) + len(entry.link or "")
    return texts + sum(map(len, entry.categories)) + sum([len(file.url) for file in entry.enclosures])


def left_out(count: int) -> tuple[str, ...]:
    """Return what is said of so many entries of a document."""
    surplus = count - outline.MAX_ENTRIES
    return (f"entries after the first {outline.MAX_ENTRIES:,}, left out: {surplus}",) if surplus > 0 else ()
