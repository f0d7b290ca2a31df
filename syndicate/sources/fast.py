"""Well-formed RSS, RDF and Atom of the usual kinds -> what feedparser gives, in a seventh of its time.

As far as `feed` looks at it, `read` gives the same values under the same names, or nothing: then feedparser
is asked, which stays the reference. What looks odd here is what it does, held by tests/unit/test_fast.py.
"""

from collections.abc import Mapping
from io import BytesIO, TextIOWrapper
from xml.etree.ElementTree import Element, ParseError, iterparse

from syndicate.sources.fast_names import XLINK, Names, Unusual, version_of
from syndicate.sources.fast_parts import (
    MAX_ELEMENTS,
    Part,
    Reader,
    Readers,
    Shared,
    Values,
    attributes_of,
    language_in,
)
from syndicate.sources.fast_readers import ATOM_READERS, BESIDE_CHANNEL_READERS, ENTRY_READERS, RSS_READERS
from syndicate.sources.fast_values import checked_base, resolved
from syndicate.sources.outline import MAX_ENTRIES, without_illegal

_FEW = 1024 * 1024  # bytes, of which there may be what there wants to be
_PIECE = 512 * 1024  # characters
_MAX_TAGS = 300_000  # and attributes: of 2,000 entries, 70 each and their ends
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_RSS_VERSIONS = {"0.91": "rss091u", "0.92": "rss092", "0.93": "rss093", "0.94": "rss094"}
_ACTIVE = frozenset({"href", "lastmod"})  # attributes of entries and channels that are taken for elements


def read(data: bytes) -> Values | None:
    """Return what feedparser would make of a document in UTF-8; None if it has to be asked."""
    if b"<!DOCTYPE" in data or _is_too_much(data) or _may_be_changed(data):
        return None
    try:
        return _Reading(data).values()
    except (Unusual, ParseError, UnicodeError):
        return None


def _is_too_much(data: bytes) -> bool:
    """Whether a tree of a document would take a lot of memory, and mostly for what is left out in the end."""
    if len(data) <= _FEW:
        return False
    entries = data.count(b"<item") + data.count(b"<entry")
    return entries > MAX_ENTRIES or data.count(b"<") > _MAX_TAGS or data.count(b"=") > _MAX_TAGS


def _may_be_changed(data: bytes) -> bool:
    """Whether a text has references to impossible characters where it is literal, which are replaced too."""
    has_literals = b"<![CDATA[" in data or b"<!--" in data
    return has_literals and b"&#" in data and without_illegal(data.decode(errors="replace"))[1] > 0


class _Text(TextIOWrapper):
    """Gives large pieces where iterparse asks for small ones: expat 2.5 begins a tag anew with each piece."""

    def read(self, _size: int | None = -1, /) -> str:
        return super().read(_PIECE)


class _Reading:
    """One document."""

    def __init__(self, data: bytes) -> None:
        text = _Text(BytesIO(data), "utf-8", newline="")  # whatever it declares
        parsing = iterparse(text, ("start-ns",))  # noqa: S314  no entities without a DOCTYPE
        declared = [declaration for _, declaration in parsing]
        self._root: Element = parsing.root  # type: ignore[attr-defined]  # it is documented
        self._names = Names(declared)
        self._kind = self._names[self._root.tag]
        attributes = attributes_of(self._root)
        self._version = _version(self._kind, attributes, version_of(declared))
        self._shared = Shared(
            names=self._names,
            is_atom=self._version == "atom10",
            base=_base(self._root),
            has_xlink=any(namespace == XLINK for _, namespace in declared),
        )
        self._entry_readers = Readers(self._names, ENTRY_READERS)
        self._entries: list[Values] = []
        self._language = language_in(attributes, None)
        self._feed = self._part(ATOM_READERS if self._shared.is_atom else RSS_READERS)

    def values(self) -> Values:
        """Return everything that feedparser returns, as far as somebody looks at it."""
        if self._language and self._kind != "rdf_rdf":
            self._feed.values["language"] = self._language.replace("_", "-")
        if self._kind == "feed":
            self._feed.read(self._root)
        else:
            self._part({**BESIDE_CHANNEL_READERS, "channel": self._read_channel}).read(self._root)
        if len(self._entries) > MAX_ENTRIES:
            raise Unusual
        return {"version": self._version, "feed": self._feed.values, "entries": self._entries}

    def _part(self, readers: Mapping[str, Reader]) -> Part:
        with_entries = {**readers, "item": self._read_entry, "entry": self._read_entry}
        return Part(
            shared=self._shared,
            readers=Readers(self._names, with_entries),
            language=self._language,
            is_feed=True,
        )

    def _read_channel(self, _root: Part, element: Element, _depth: int) -> None:
        attributes = attributes_of(element)
        if self._feed.is_read or not _ACTIVE.isdisjoint(attributes):
            raise Unusual
        self._feed.language = language_in(attributes, self._language)
        self._feed.read(element)

    def _read_entry(self, around: Part, element: Element, _depth: int) -> None:
        attributes = attributes_of(element) if element.keys() else {}
        if len(element) > MAX_ELEMENTS or not _ACTIVE.isdisjoint(attributes):
            raise Unusual
        entry = Part(
            shared=self._shared,
            readers=self._entry_readers,
            language=language_in(attributes, around.language),
        )
        if about := attributes.get("rdf:about"):
            entry.values["id"] = about
        entry.read(element)
        self._entries.append(entry.values)
        around.title_depth = -1


def _version(kind: str, attributes: Mapping[str, str], declared: str | None) -> str:
    """Return the version of a document of a kind.

    Args:
        declared: the version that its namespaces stand for, None if they stand for none.
    """
    if kind == "rss" and declared in (None, "atom10"):
        stated = attributes.get("version", "")
        return _RSS_VERSIONS.get(stated) or ("rss20" if stated.startswith("2.") else "rss")
    if (kind == "feed" and declared == "atom10") or (kind == "rdf_rdf" and declared in ("rss090", "rss10")):
        return declared
    raise Unusual


def _base(root: Element) -> str:
    """Return the base address that a document states for all of itself, empty if it states none.

    Raises:
        Unusual: it states others elsewhere. feedparser forgets to go back from some of them.
    """
    base = checked_base(root.get(_XML_BASE, ""))
    for element in root.iter():
        for name in element.keys():  # noqa: SIM118  no mapping
            if name[-4:].lower() != "base" or name.rpartition("}")[2].lower() != "base":
                continue
            is_same = name == _XML_BASE and base and resolved(base, element.get(name, "")) == base
            if not is_same:
                raise Unusual
    return base
