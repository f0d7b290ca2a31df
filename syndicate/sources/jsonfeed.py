"""JSON Feed 1.0 and 1.1 -> Document (https://www.jsonfeed.org/version/1.1/).

Publishers are forgiven what can be understood all the same: ids that are numbers, one author where there
should be a list, fields of 1.0 in 1.1. What has the wrong type counts as not there.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from syndicate.errors import ParseError
from syndicate.model import Document, Enclosure, Entry, Hints
from syndicate.sources import outline
from syndicate.sources.fields import Fields, left_out
from syndicate.sources.language_tags import language_tag
from syndicate.sources.sanitise import Clean, check_link

_FORMATS = {"1": "json10", "1.1": "json11"}
_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/([\d.]{1,10})/?")
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")
_MAX_VALUES = 1_500_000  # which take a hundred times as many bytes, and more
_MAX_DIGITS = 1000  # more take long to read
_MAX_SIZE = 10**15
_FINISHED = "the publisher says that this feed is finished, and nothing more will come"

Raw = Mapping[str, Any]


def read(text: str, url: str, language: str | None = None) -> Document:
    """Return the document in a JSON Feed.

    Args:
        url: where it came from, for the relative links in it.
        language: of the response, for a feed that states none.

    Raises:
        ParseError: this is no JSON Feed; the text says what it is instead.
    """
    feed = _loaded(text)
    items = _list(feed, "items")
    fields = Fields(url=url)
    stated = language_tag(_string(feed, "language")) or language
    authors = _authors(feed)
    kept = (item for item in items[: outline.MAX_ENTRIES] if isinstance(item, dict))
    entries = tuple(fields.kept(_entry(item, authors, stated, fields) for item in kept))
    return Document(
        format=_format(feed),
        title=fields.line(_string(feed, "title")),
        link=fields.link(_string(feed, "home_page_url")),
        language=stated,
        entries=entries,
        problems=(
            *left_out(len(items)),
            *((_FINISHED,) if _value(feed, "expired") is True else ()),
            *_without_items(items),
            *fields.in_words(),
        ),
        hints=Hints(older=check_link(_string(feed, "next_url"), url)),
    )


def _loaded(text: str) -> Raw:
    if sum(map(text.count, "[{,")) > _MAX_VALUES:
        raise ParseError(
            f"JSON of more than {_MAX_VALUES:,} values, which no feed has: it is broken or hostile"
        )
    try:
        value = json.loads(text, strict=False, parse_int=_integer, parse_constant=_nothing)
    except RecursionError:
        raise ParseError(
            "JSON nested too deeply to be read: it is broken or hostile; ask its publisher"
        ) from None
    except ValueError as error:
        place = f" ({error})"[:200] if isinstance(error, json.JSONDecodeError) else ""
        raise ParseError(f"JSON that is broken or was cut off{place}: its publisher has to mend it") from None
    if not isinstance(value, dict) or "jsonfeed.org" not in _string(value, "version"):
        raise ParseError(
            "JSON data without the version of a JSON Feed, not a feed:"
            " give the address of an RSS, Atom or JSON Feed"
        )
    if not isinstance(value.get("items"), list):
        raise ParseError("a JSON Feed without a list of items: its publisher has to mend it")
    return value


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


def _nothing(_constant: str) -> None:
    """NaN and Infinity, which are no JSON, are nothing."""


def _format(feed: Raw) -> str:
    found = _VERSION.fullmatch(_string(feed, "version").strip())
    return _FORMATS.get(found[1], "json") if found else "json"


def _without_items(items: list[Any]) -> tuple[str, ...]:
    count = sum(not isinstance(item, dict) for item in items[: outline.MAX_ENTRIES])
    return (f"items that are no objects, left out: {count}",) if count else ()


# --------------------------------------------------------------------------- an item


def _entry(item: Raw, authors: list[str], language: str | None, fields: Fields) -> Entry:
    guid = fields.guid(_text(item, "id"))
    link = fields.link(_string(item, "url"), _string(item, "external_url")) or check_link(guid or "")
    summary = fields.text(_string(item, "summary"))
    contents = _contents(item, link, fields)
    fullest = max((*contents, summary), key=lambda clean: (len(clean.text), len(clean.html)))
    published, published_raw = fields.date(_string(item, "date_published"))
    updated, updated_raw = fields.date(_string(item, "date_modified"))
    own_language = language_tag(_string(item, "language"))
    return Entry(
        guid=guid,
        link=link,
        title=fields.line(_string(item, "title")),
        body=fullest.text,
        summary=summary.text,
        content_html=fullest.html,
        author=fields.author(_authors(item) or authors),
        categories=fields.categories([tag for tag in _list(item, "tags") if isinstance(tag, str)]),
        language=None if own_language == language else own_language,
        published=published,
        published_raw=published_raw,
        updated=updated,
        updated_raw=updated_raw,
        enclosures=fields.enclosures(_files(item)),
    )


def _contents(item: Raw, link: str | None, fields: Fields) -> list[Clean]:
    html, text = _string(item, "content_html"), _string(item, "content_text")
    contents = [fields.html(html, link or fields.url)] if html else []
    return [*contents, fields.text(text)] if text else contents


def _authors(part: Raw) -> list[str]:
    """Return the names under `authors` (1.1), else `author` (1.0)."""
    listed = _value(part, "authors")
    authors = listed if isinstance(listed, list) and listed else [listed, _value(part, "author")]
    return [name for name in map(_name, authors) if name]


def _name(author: object) -> str:
    return author if isinstance(author, str) else _string(author, "name") if isinstance(author, dict) else ""


def _files(item: Raw) -> list[Enclosure]:
    """Return the attachments and pictures, their addresses as written."""
    attached = [file for file in _list(item, "attachments") if isinstance(file, dict)]
    pictures = [_string(item, "image"), _string(item, "banner_image")]
    return [
        *map(_file, attached),
        *(Enclosure(url=url, type=None, length_bytes=None) for url in pictures if url),
    ]


def _file(file: Raw) -> Enclosure:
    type_ = _string(file, "mime_type").strip().lower()
    size = _value(file, "size_in_bytes")
    is_size = isinstance(size, int | float) and not isinstance(size, bool) and 0 < size < _MAX_SIZE
    return Enclosure(
        url=_string(file, "url"),
        type=type_ if _MEDIA_TYPE.fullmatch(type_) else None,
        length_bytes=int(size) if is_size else None,
    )


# --------------------------------------------------------------------------- values of the right type


def _value(part: Raw, key: str) -> Any:
    return part.get(key)


def _string(part: Raw, key: str) -> str:
    value = part.get(key)
    return value if isinstance(value, str) else ""


def _text(part: Raw, key: str) -> str:
    """Return a text, or a number as a text: what an id may be, though it should not."""
    value = part.get(key)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _list(part: Raw, key: str) -> list[Any]:
    value = part.get(key)
    return value if isinstance(value, list) else []
