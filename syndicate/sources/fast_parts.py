"""The parts of a well-formed document as feedparser sees them: an entry, and a feed around its entries."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html import escape
from typing import Any
from xml.etree.ElementTree import Element

from syndicate.sources.fast_names import Names, Unusual, check_ignored, prefix_of
from syndicate.sources.fast_values import looks_like_html, recoded

Values = dict[str, Any]

MAX_ELEMENTS = 1000  # of an entry, or within one that nobody knows
MAX_DEPTH = 50  # of XHTML, and of media in one another
TEXT, HTML, XHTML = "text/plain", "text/html", "application/xhtml+xml"
TYPES = {
    **dict.fromkeys(("text", "plain", TEXT), TEXT),
    **dict.fromkeys(("html", HTML), HTML),
    **dict.fromkeys(("xhtml", XHTML), XHTML),
}


@dataclass(slots=True, kw_only=True, eq=False)
class Shared:
    """What holds throughout a document."""

    names: Names
    is_atom: bool
    base: str  # empty: none
    has_xlink: bool  # declarations that feedparser takes over into XHTML


@dataclass(slots=True, kw_only=True, eq=False)
class Part:
    """An entry, or a feed around its entries."""

    shared: Shared
    readers: "Readers"
    language: str | None
    is_feed: bool = False
    values: Values = field(default_factory=dict)
    tags: set[tuple[str | None, ...]] = field(default_factory=set)  # those that are there, to find them fast
    depth_by_key: dict[str, int] = field(default_factory=dict)  # where a value comes from
    title_depth: int = -1
    has_content: bool = False
    is_read: bool = False

    def read(self, element: Element, depth: int = 1) -> None:
        """Read the elements in an element."""
        self.is_read = True
        readers = self.readers
        for child in element:
            reader = readers[child.tag]
            if reader is not None:
                reader(self, child, depth)
            elif len(child):
                _ignore(child, self.shared.names)

    def keep(self, key: str, value: str, depth: int) -> None:
        """Keep a value, unless there is one from less deep."""
        if depth <= self.depth_by_key.get(key, depth):
            self.depth_by_key[key] = depth
            self.values[key] = value


Reader = Callable[[Part, Element, int], None]


class Readers(dict[str, Reader | None]):
    """The reader of each tag, as ElementTree has it; None for elements that nobody knows."""

    def __init__(self, names: Names, reader_by_name: dict[str, Reader]) -> None:
        super().__init__()
        self._names = names
        self._reader_by_name = reader_by_name

    def __missing__(self, tag: str) -> Reader | None:
        name = self._names[tag]
        reader = self._reader_by_name.get(name)
        if reader is None:
            check_ignored(name)
        self[tag] = reader
        return reader


def _ignore(element: Element, names: Names) -> None:
    """Pass over an element that nobody knows, and those in it, which may be known."""
    for count, inner in enumerate(element.iter()):
        check_ignored(names[inner.tag])
        if count > MAX_ELEMENTS:
            raise Unusual


# --------------------------------------------------------------------------- attributes and texts


def attributes_of(element: Element) -> dict[str, str]:
    """Return attributes as feedparser names them: those of most namespaces like those of none."""
    found: dict[str, str] = {}
    own: dict[str, str] = {}
    for tag, value in element.items():
        if tag[0] != "{":
            own[tag.lower()] = value
            continue
        namespace, _, local = tag[1:].rpartition("}")
        prefix = prefix_of(namespace)
        found[(f"{prefix}:{local}" if prefix else local).lower()] = value
    found |= own
    for name in ("rel", "type"):
        if name in found:
            found[name] = found[name].lower()
    return found


def language_in(attributes: dict[str, str], inherited: str | None) -> str | None:
    """Return the language of an element; None if it has none, or an empty one."""
    language = attributes.get("xml:lang", attributes.get("lang"))
    return inherited if language is None else language or None


def leaf(element: Element) -> str:
    """Return the text of an element that holds nothing else."""
    if len(element):
        raise Unusual
    return (element.text or "").strip()


def content_of(part: Part, element: Element, default: str) -> Values:
    """Return a text and what it is said to be."""
    type_, language = TYPES[default], part.language
    if element.keys():
        attributes = attributes_of(element)
        language = language_in(attributes, language)
        type_ = TYPES.get(attributes.get("type", default), "")
        if not type_ or attributes.get("mode") == "base64":
            raise Unusual
    text = leaf(element) if type_ != XHTML else _xhtml(element, part.shared)
    if type_ == TEXT and not part.shared.is_atom and looks_like_html(text):
        type_ = HTML
    return {
        "type": type_,
        "language": language and language.replace("_", "-"),
        "base": part.shared.base,
        "value": recoded(text),
    }


# --------------------------------------------------------------------------- XHTML


def _xhtml(element: Element, shared: Shared) -> str:
    """Return the XHTML in an element, without the <div> around it."""
    if not shared.is_atom or shared.has_xlink:
        raise Unusual
    pieces = [piece for piece in _pieces(element, shared.names, 0) if piece]
    while len(pieces) > 1 and not pieces[-1].strip():
        del pieces[-1]
    while len(pieces) > 1 and not pieces[0].strip():
        del pieces[0]
    return "".join(pieces[1:-1] if _is_one_div(pieces) else pieces).strip()


def _pieces(element: Element, names: Names, depth: int) -> Iterable[str]:
    if depth > MAX_DEPTH:
        raise Unusual
    yield escape(element.text or "", quote=False)
    for child in element:
        name = child.tag.rpartition("}")[2].lower()
        check_ignored(names[child.tag])
        if name in ("svg", "math"):
            raise Unusual
        yield f"<{name}{''.join(_attribute(*pair) for pair in child.items())}>"
        yield from _pieces(child, names, depth + 1)
        yield f"</{name}>"
        yield escape(child.tail or "", quote=False)


def _attribute(name: str, value: str) -> str:
    if name.startswith("{"):
        raise Unusual
    name = name.lower()
    value = escape(value.lower() if name in ("rel", "type") else value, quote=False).replace('"', "&quot;")
    return f' {name}="{value}"'


def _is_one_div(pieces: list[str]) -> bool:
    if not pieces or not (pieces[0] == "<div>" or pieces[0].startswith("<div ")) or pieces[-1] != "</div>":
        return False
    depth = 0
    for piece in pieces[:-1]:
        if piece.startswith("</"):
            depth -= 1
            if depth == 0:
                return False
        elif piece.startswith("<") and not piece.endswith("/>"):
            depth += 1
    return True
