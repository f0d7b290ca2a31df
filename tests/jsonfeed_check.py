"""A validator of JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/): its fields and their values."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tests.atom_check import DATE, IRI, LANGUAGE, MEDIA_TYPE

VERSION = "https://jsonfeed.org/version/1.1"
EXTENSION = re.compile(r"_[A-Za-z]\w*")
# By kind of object: the kind of each value, after a bang if it must be there, after a star if it is a list.
KINDS: Mapping[str, Mapping[str, str]] = {
    "feed": {
        "version": "!text", "title": "!text", "home_page_url": "address", "feed_url": "address",
        "description": "text", "user_comment": "text", "next_url": "address", "icon": "address",
        "favicon": "address", "authors": "*author", "language": "language", "expired": "truth",
        "hubs": "*hub", "items": "!*item",
    },
    "item": {
        "id": "!text", "url": "address", "external_url": "address", "title": "text", "content_html": "text",
        "content_text": "text", "summary": "text", "image": "address", "banner_image": "address",
        "date_published": "date", "date_modified": "date", "authors": "*author", "tags": "*text",
        "language": "language", "attachments": "*attachment",
    },
    "author": {"name": "text", "url": "address", "avatar": "address"},
    "hub": {"type": "!text", "url": "!address"},
    "attachment": {
        "url": "!address", "mime_type": "!type", "title": "text", "size_in_bytes": "count",
        "duration_in_seconds": "count",
    },
}  # fmt: skip


def problems(document: bytes) -> list[str]:
    """Return what is wrong with a JSON Feed, in words; empty when nothing is."""
    try:
        feed = json.loads(document.decode(), parse_constant=_refused, object_pairs_hook=_unambiguous)
    except ValueError as error:
        return [f"no JSON in UTF-8: {error}"]
    if not isinstance(feed, dict) or feed.get("version") != VERSION:
        return ["no object of version 1.1"]
    return [*_object("feed", feed), *_of_items(feed["items"] if isinstance(feed.get("items"), list) else [])]


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = Counter(name for name, _ in pairs)
    if repeated := [name for name, count in names.items() if count > 1]:
        raise ValueError(f"{repeated} are there more than once")
    return dict(pairs)


def _of_items(items: list[Any]) -> Iterator[str]:
    ids = Counter(item.get("id") for item in items)
    yield from (f"item id {id_} occurs {count} times" for id_, count in ids.items() if count > 1)
    for item in items:
        if "content_html" not in item and "content_text" not in item:
            yield "item: no content"
        yield from ("author: empty" for author in item.get("authors", []) if not author)


def _object(kind: str, values: Any) -> Iterator[str]:
    if not isinstance(values, dict):
        yield f"{kind}: no object"
        return
    known = KINDS[kind]
    yield from (f"{kind}: no {name}" for name in known if known[name][0] == "!" and name not in values)
    for name, value in values.items():
        if name in known:
            yield from _value(f"{kind}.{name}", known[name].removeprefix("!"), value)
        elif not EXTENSION.fullmatch(name) or not isinstance(value, dict):
            yield f"{kind}: {name} is neither known nor an extension"


def _value(place: str, kind: str, value: Any) -> Iterator[str]:
    if kind.startswith("*"):
        if not isinstance(value, list):
            yield f"{place}: no list"
            return
        for each in value:
            yield from _value(place, kind[1:], each)
    elif kind in KINDS:
        yield from _object(kind, value)
    elif not _is_valid(kind, value):
        yield f"{place}: {value!r} is no {kind}"


def _is_valid(kind: str, value: Any) -> bool:
    if kind == "truth":
        return isinstance(value, bool)
    if kind == "count":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not isinstance(value, str):
        return False
    match kind:
        case "address":
            return bool(IRI.fullmatch(value))
        case "date":
            return bool(DATE.fullmatch(value)) and datetime.fromisoformat(value) is not None
        case "language":
            return bool(LANGUAGE.fullmatch(value))
        case "type":
            return bool(MEDIA_TYPE.fullmatch(value))
        case _:
            return bool(value)
