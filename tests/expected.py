"""What a document should be: as a case's JSON says, left out what has its default; and always clean."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

from syndicate.model import Document, Enclosure, Entry, Hints, Part
from syndicate.sources import outline
from syndicate.sources.fields import (
    MAX_AUTHOR,
    MAX_CATEGORIES,
    MAX_CATEGORY,
    MAX_ENCLOSURES,
    MAX_GUID,
    MAX_RAW_DATE,
    MAX_TITLE,
)
from syndicate.sources.identity import identify
from syndicate.sources.sanitise import MAX_HTML, MAX_LINK

_NO_TAGS = {"script", "style", "iframe", "object", "embed", "svg", "form", "input", "base", "link"}


def expected_document(values: Mapping[str, Any]) -> Document:
    """Return the document that JSON says."""
    hints: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.get("hints", {}).items()
    }
    return Document(
        **{
            **values,
            "entries": tuple(map(_entry, values.get("entries", ()))),
            "problems": tuple(values.get("problems", ())),
            "parts": tuple(Part(**part) for part in values.get("parts", ())),
            "hints": Hints(**hints),
        }
    )


def _entry(values: Mapping[str, Any]) -> Entry:
    dates = {key: datetime.fromisoformat(values[key]) for key in ("published", "updated") if key in values}
    enclosures = tuple(
        Enclosure(**{"type": None, "length_bytes": None, **each}) for each in values.get("enclosures", ())
    )
    categories = tuple(values.get("categories", ()))
    defaults = {"guid": None, "link": None, "title": "", "body": ""}
    return Entry(**{**defaults, **values, **dates, "categories": categories, "enclosures": enclosures})


# --------------------------------------------------------------------------- clean


class Tags(HTMLParser):
    """What a browser could act on."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def assert_clean(document: Document) -> None:
    """See that nothing of a document can harm whoever shows or stores it."""
    for text in (document.title, document.link or "", document.language or "", *document.problems):
        assert_text(text)
    assert len(document.entries) <= outline.MAX_ENTRIES
    for entry in document.entries:
        assert_clean_entry(entry)
        assert_bounded(entry)
    if any(line.endswith("…") and len(line) >= MAX_TITLE - 1 for line in map(_title, document.entries)):
        assert any("longer than allowed" in problem for problem in document.problems)
    assert_keys_are_unique(document)


def _title(entry: Entry) -> str:
    return entry.title


def assert_keys_are_unique(document: Document) -> None:
    """See that no two items of a document have a key in common, and that each has one."""
    identified = identify(document.entries)
    keys = [key for one in identified for key in one.keys]
    assert len(keys) == len(set(keys))
    assert all(one.keys for one in identified)


def assert_bounded(entry: Entry) -> None:
    """See that no field of an entry is longer than it may be."""
    lengths = {
        MAX_TITLE: (entry.title,),
        MAX_AUTHOR: (entry.author,),
        MAX_GUID: (entry.guid,),
        MAX_RAW_DATE: (entry.published_raw, entry.updated_raw),
        MAX_CATEGORY: entry.categories,
        MAX_HTML: (entry.body, entry.summary),
        3 * MAX_LINK: (entry.link, *(file.url for file in entry.enclosures)),  # before it is quoted
        4 * MAX_HTML: (entry.content_html,),
    }
    for limit, texts in lengths.items():
        assert all(len(text or "") <= limit for text in texts)
    assert len(entry.categories) <= MAX_CATEGORIES
    assert len(entry.enclosures) <= MAX_ENCLOSURES


def assert_clean_entry(entry: Entry) -> None:
    for each in fields(entry):
        if isinstance(value := getattr(entry, each.name), str):
            assert_text(value, "\n\t" if each.name == "content_html" else "\n")
    for line in (entry.title, entry.author, *entry.categories):
        assert line == unicodedata.normalize("NFC", line)
        assert "\n" not in line
    for link in (entry.link, *(enclosure.url for enclosure in entry.enclosures)):
        assert link is None or re.match(r"https?://[^/\s]", link)
    for moment in (entry.published, entry.updated):
        assert moment is None or datetime(1970, 1, 1, tzinfo=UTC) <= moment
    assert_safe_html(entry.content_html)


def assert_text(text: str, allowed: str = "\n") -> None:
    categories = {unicodedata.category(character) for character in text if character not in allowed}
    assert not categories & {"Cc", "Cs"}


def assert_safe_html(html: str) -> None:
    tags = Tags(html)
    assert not tags.names & _NO_TAGS
    for name, value in tags.attributes:
        assert not name.startswith("on")
        assert name not in ("style", "class", "id", "srcset")
        if name in ("href", "src", "cite"):
            assert value.startswith(("http://", "https://", "mailto:"))
