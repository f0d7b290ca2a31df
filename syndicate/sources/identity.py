"""Which entries are which items: keys, and what makes an entry differ from what is stored."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from syndicate.model import Entry, KnownItem
from syndicate.stories import canonical_guid, canonical_link


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """An entry with the keys that name its item, strongest first, and a hash of what a reader sees of it."""

    entry: Entry
    keys: tuple[str, ...]
    content_hash: str


def identify(entries: Sequence[Entry]) -> list[Identified]:
    """Return each different entry of a document once, in order, with the keys that can be trusted.

    A key that names entries that differ names none of them. An entry without any key is named by its content.
    """
    hashes = [content_hash(entry) for entry in entries]
    holders: defaultdict[str, set[str]] = defaultdict(set)
    for entry, digest in zip(entries, hashes, strict=True):
        for key in keys_of(entry):
            holders[key].add(digest)
    identified: list[Identified] = []
    place_by_key: dict[str, int] = {}
    for entry, digest in zip(entries, hashes, strict=True):
        trusted = tuple(key for key in keys_of(entry) if len(holders[key]) == 1)
        keys = trusted or (f"content:{digest}",)
        place = next((place_by_key[key] for key in keys if key in place_by_key), len(identified))
        if place == len(identified):
            identified.append(Identified(entry=entry, keys=keys, content_hash=digest))
        else:  # a trusted key names entries of one content only, so this is the same once more
            before = identified[place]
            identified[place] = replace(before, keys=tuple(dict.fromkeys(before.keys + keys)))
        place_by_key |= dict.fromkeys(keys, place)
    return identified


def items_by_entry(entries: Sequence[Identified], known: Mapping[str, KnownItem]) -> list[KnownItem | None]:
    """Return the stored item that each entry is, None for a new one; no item twice.

    Who names an item by its strongest key has it before those that name it by a weaker one.
    """
    found: list[KnownItem | None] = [known.get(entry.keys[0]) for entry in entries]
    taken: set[int] = set()
    for place, item in enumerate(found):
        if item and item.id in taken:
            found[place] = None
        elif item:
            taken.add(item.id)
    for place, entry in enumerate(entries):
        if found[place] is None:
            others = (known[key] for key in entry.keys[1:] if key in known)
            found[place] = next((item for item in others if item.id not in taken), None)
            taken |= {item.id for item in (found[place],) if item}
    return found


def changed_entries(entries: Sequence[Identified], known: Mapping[str, KnownItem]) -> list[Identified]:
    """Return the entries that are new, or differ from what is stored."""
    found = zip(entries, items_by_entry(entries, known), strict=True)
    return [entry for entry, item in found if item is None or item.content_hash != entry.content_hash]


def keys_of(entry: Entry) -> Iterator[str]:
    """Yield the keys of an entry, strongest first."""
    if entry.guid and entry.guid.strip():
        yield f"guid:{canonical_guid(entry.guid)}"
    link = canonical_link(entry.link)
    if link:
        yield f"link:{link}"


def content_hash(entry: Entry) -> str:
    """Return a hash of what a reader would notice a change in. Addresses count as they are compared."""
    content = [
        entry.title,
        entry.body,
        entry.author,
        entry.categories,
        canonical_link(entry.link),
        [canonical_link(enclosure.url) for enclosure in entry.enclosures],
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode(errors="surrogatepass")).hexdigest()
