"""Which entries are which items: keys, and what makes an entry differ from what is stored."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from syndicate.model import Entry, KnownItem
from syndicate.stories import canonical_guid, canonical_link, story_keys

_JSON = json.JSONEncoder(ensure_ascii=False)
_LISTED = "listed:"  # before the hash of what a sitemap or a page says


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """An entry with the keys that name its item, strongest first, and a hash of what a reader sees of it."""

    entry: Entry
    keys: tuple[str, ...]
    content_hash: str
    hints: tuple[str, ...] = ()  # keys that name it only if its content is the same as well


def identify(entries: Sequence[Entry]) -> list[Identified]:
    """Return each entry of a document once, in order, with the keys that can be trusted.

    A key is trusted if all entries that have it are the same: of one content, or versions of one article,
    with one title and the same stronger keys. A key of entries that differ names none of them. An entry
    without a trusted key is named by its content.
    """
    stated = [(entry, content_hash(entry), tuple(keys_of(entry))) for entry in entries]
    trusted = _trusted_keys(stated)
    groups: dict[str, list[Identified]] = {}  # by each of their keys; those of one item share one list
    for entry, digest, own in stated:
        keys = tuple(key for key in own if key in trusted) or (f"content:{digest}",)
        met = list({id(groups[key]): groups[key] for key in keys if key in groups}.values())
        group = met[0] if len(met) == 1 else [one for some in met for one in some]
        hints = tuple(key for key in (*own, f"content:{digest}") if key not in keys)
        group.append(Identified(entry=entry, keys=keys, content_hash=digest, hints=hints))
        groups |= {key: group for one in (group if len(met) > 1 else group[-1:]) for key in one.keys}
    return [_newest(group) for group in {id(group): group for group in groups.values()}.values()]


def _newest(versions: Sequence[Identified]) -> Identified:
    """Return the version that says it is the youngest, else the first, with the keys of all."""
    newest = versions[0]
    for version in versions[1:]:
        if _is_newer(version.entry, newest.entry):
            newest = version
    keys = dict.fromkeys(key for version in versions for key in version.keys)
    return replace(newest, keys=tuple(sorted(keys, key=lambda key: not key.startswith("guid:"))))


def _trusted_keys(stated: Iterable[tuple[Entry, str, tuple[str, ...]]]) -> set[str]:
    """Return the keys that can be trusted, of entries with their hashes and keys."""
    contents: defaultdict[str, set[str]] = defaultdict(set)
    versions: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for entry, digest, own in stated:
        stronger: tuple[str, ...] = ()
        for key in own:
            contents[key].add(digest)
            versions[key].add((entry.title or digest, *stronger))
            stronger = (*stronger, key)
    return {key for key in contents if len(contents[key]) == 1 or len(versions[key]) == 1}


def _is_newer(entry: Entry, other: Entry) -> bool:
    """Return whether an entry says that it is younger; documents begin with the newest otherwise."""
    mine, others = entry.updated or entry.published, other.updated or other.published
    return mine is not None and others is not None and mine > others


def items_by_entry(entries: Sequence[Identified], known: Mapping[str, KnownItem]) -> list[KnownItem | None]:
    """Return the stored item that each entry is, None for a new one; no item twice.

    Who names an item by its strongest key has it before those that name it by a weaker one, and those before
    an entry of the same content whose key can't be trusted in this document, or could not in an earlier one.
    """
    found: list[KnownItem | None] = [None] * len(entries)
    taken: set[int] = set()
    for candidates in (_by_strongest_key, _by_weaker_keys, _by_content):
        for place, entry in enumerate(entries):
            if found[place] is None:
                items = (item for item in candidates(entry, known) if item.id not in taken)
                item = found[place] = next(items, None)
                taken |= {item.id} if item else set()
    return found


def _by_strongest_key(entry: Identified, known: Mapping[str, KnownItem]) -> Iterator[KnownItem]:
    key = entry.keys[0]
    if key in known and _may_be(entry.entry, known[key], key):
        yield known[key]


def _by_weaker_keys(entry: Identified, known: Mapping[str, KnownItem]) -> Iterator[KnownItem]:
    return (known[key] for key in entry.keys[1:] if key in known and _may_be(entry.entry, known[key], key))


def _by_content(entry: Identified, known: Mapping[str, KnownItem]) -> Iterator[KnownItem]:
    return (
        known[key] for key in entry.hints if key in known and known[key].content_hash == entry.content_hash
    )


def _may_be(entry: Entry, item: KnownItem, key: str) -> bool:
    """Return whether a key is believed: not a link by which guid and title would both become others."""
    if not key.startswith("link:") or not entry.guid or not item.guid:
        return True
    return entry.title == item.title or canonical_guid(entry.guid) == canonical_guid(item.guid)


def changed_entries(
    entries: Sequence[Identified], known: Mapping[str, KnownItem]
) -> list[tuple[Identified, KnownItem | None]]:
    """Return the entries that are new, or differ from what is stored, and the items that they are."""
    found = zip(entries, items_by_entry(entries, known), strict=True)
    return [(entry, item) for entry, item in found if item is None or is_edited(entry, item)]


def is_edited(entry: Identified, item: KnownItem) -> bool:
    """Return whether an entry says something else than the item that it is.

    A sitemap or a page, which only name an article, take nothing away from what a feed has said of it.
    """
    if entry.entry.is_listed and not is_of_listed(item):
        return False
    return item.content_hash != entry.content_hash


def is_of_listed(item: KnownItem) -> bool:
    """Return whether only a sitemap or a page has told of an item."""
    return item.content_hash.startswith(_LISTED)


def keys_of(entry: Entry) -> Iterator[str]:
    """Yield the keys of an entry, strongest first."""
    if entry.guid and entry.guid.strip():
        yield f"guid:{canonical_guid(entry.guid)}"
    link = canonical_link(entry.link)
    if link:
        yield f"link:{link}"


def story_keys_of(identified: Identified, shared: frozenset[str]) -> tuple[str, ...]:
    """Return the keys of a story by the links of an entry, strongest first.

    An address that a document gives to entries that differ is the page of a list, and joins nothing.

    Args:
        shared: the `lists` of the document.
    """
    entry = identified.entry
    if f"link:{canonical_link(entry.link)}" not in identified.keys:
        return ()
    return story_keys(entry.link, None if entry.canonical in shared else entry.canonical)


def lists(entries: Iterable[Identified]) -> frozenset[str]:
    """Return what several entries of a document say that their address is."""
    named = Counter(each.entry.canonical for each in entries if each.entry.canonical)
    return frozenset(address for address, count in named.items() if count > 1)


def content_hash(entry: Entry) -> str:
    """Return a hash of what a reader would notice a change in. Addresses count as they are compared.

    It shows whether the entry is from a sitemap or a page, which only name an article.
    """
    content = [
        entry.title,
        entry.body,
        entry.author,
        entry.categories,
        canonical_link(entry.link),
        [canonical_link(enclosure.url) for enclosure in entry.enclosures],
    ]
    text = _JSON.encode(content)
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return f"{_LISTED}{digest}" if entry.is_listed else digest
