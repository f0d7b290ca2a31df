"""What an XML text is made of, in one linear pass, before a feed parser may see it.

The feed parser is slow and in places worse than linear, so what it gets is bounded here: no prolog (and so no
entities), no more entries than are kept, no endless authors. What is broken is mended where it is plain how.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from html.entities import html5
from xml.parsers import expat

MAX_ENTRIES = 2000
MAX_AUTHOR = 1000
MAX_DEPTH = 5000
MAX_ELEMENTS = 20_000  # children of one entry
_SEPARATOR = " "

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-f]+)|([0-9]+));?", re.IGNORECASE)
_NAMED = re.compile(r"&(\w{1,32});")
_BARE_AMPERSAND = re.compile(r"&(?!#\d+;|#x[0-9a-fA-F]+;|(?:amp|lt|gt|quot|apos);)")
_TAG_START = re.compile(r"<([A-Za-z_][\w.-]*(?::[\w.-]+)?)")
_START_TAG = re.compile(rb"""(?:[^>"']|"[^"]*+"|'[^']*+')*+>""")  # which may have ">" in its attributes
_FEED_START = re.compile(r"<(?:rss|feed|\w+:feed|\w+:RDF|RDF)[\s>]", re.IGNORECASE)
_ROOT_END = re.compile(r"</(?:rss|feed|\w+:feed|\w+:RDF|RDF)\s*>", re.IGNORECASE)
_ENTRY_START = re.compile(r"<(?:\w+:)?(?:item|entry)[\s>/]", re.IGNORECASE)
_ENTRY_END = re.compile(r"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)
_LITERAL = re.compile(r"<!\[CDATA\[|<!--")
_ENTITY = re.compile(r"<!ENTITY\b", re.IGNORECASE)
_PREFIX = re.compile(r"</?([A-Za-z][\w-]{0,30}):")
_DECLARATION = re.compile(r"\sxmlns:([\w-]{1,31})\s*=")
_MAX_PREFIXES = 30
_NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}
_ENTRIES = frozenset({"item", "entry"})
_AUTHORS = frozenset(
    {"author", "creator", "contributor", "name", "email", "managingeditor", "webmaster", "owner"}
)


@dataclass(slots=True)
class Outline:
    """What the pass found; offsets are bytes of the UTF-8 text."""

    error: str | None = None  # why it is not well-formed
    root: str | None = None  # local name in lower case; None when there is no element
    root_at: int = 0
    has_entities: bool = False
    entries: int = 0
    entry_elements: int = 0  # children of the entry that has most
    depth: int = 0
    longest_attribute: int = 0
    cut_at: int | None = None  # behind the last entry that is kept; None when all are
    open_at_cut: tuple[str, ...] = ()
    long_authors: list[tuple[int, int, str]] = field(default_factory=list)  # start, end, what is kept of it

    @property
    def is_monstrous(self) -> bool:
        """Whether it would only take long and a lot of memory, and give nothing in the end."""
        return self.depth > MAX_DEPTH or self.entry_elements > MAX_ELEMENTS


class _Stop(Exception):  # noqa: N818 - stops expat, is no error
    pass


def outline(data: bytes) -> Outline:
    """Return what a UTF-8 text is made of, up to its first error, or to what makes it worthless."""
    found = Outline()
    parser = expat.ParserCreate("utf-8", _SEPARATOR)  # with namespaces, as the feed parser's
    parser.namespace_prefixes = True
    _Pass(found, parser, data)
    try:
        parser.Parse(data, True)
    except _Stop:
        pass
    except expat.ExpatError as error:
        found.error = f"line {error.lineno}: {expat.ErrorString(error.code)}"
    return found


class _Pass:
    """The handlers of one pass."""

    def __init__(self, found: Outline, parser: expat.XMLParserType, data: bytes) -> None:
        self.found, self.parser, self.data = found, parser, data
        self.stack: list[str] = []
        self.entry_depth = 0  # 0: not in an entry
        self.entry_inside = 0  # where its start tag ends
        self.children = 0
        self.author: list[str] | None = None
        self.author_start = self.author_depth = 0
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.EntityDeclHandler = self.entity
        parser.SkippedEntityHandler = self.skipped

    def skipped(self, name: str, _is_parameter: bool) -> None:
        """With a DOCTYPE, an entity that nobody declared is no error to expat, but will be without."""
        self.found.error = self.found.error or f"entity &{name[:40]}; is not declared"

    def entity(self, *_declaration: object) -> None:
        self.found.has_entities = True
        raise _Stop

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        found, stack = self.found, self.stack
        name, qualified = _names(tag)
        if found.root is None:
            found.root, found.root_at = name, self.parser.CurrentByteIndex
        stack.append(qualified)
        found.depth = max(found.depth, len(stack))
        if attributes:
            found.longest_attribute = max(found.longest_attribute, *map(len, attributes.values()))
        if name in _ENTRIES and not self.entry_depth:
            self.entry_depth, self.entry_inside, self.children = len(stack), self._behind_start_tag(), 0
        elif len(stack) == self.entry_depth + 1:
            self.children += 1
            found.entry_elements = max(found.entry_elements, self.children)
        if found.is_monstrous:
            raise _Stop
        if name in _AUTHORS and self.author is None:
            self._start_author()

    def _start_author(self) -> None:
        self.author, self.author_depth = [], len(self.stack)
        self.author_start = self._behind_start_tag()
        self.parser.CharacterDataHandler = self.author.append

    def end(self, tag: str) -> None:
        depth = len(self.stack)
        self.stack.pop()
        if self.author is not None and depth == self.author_depth:
            self._end_author(self.author)
        if depth == self.entry_depth:
            self._end_entry()

    def _end_author(self, pieces: list[str]) -> None:
        text = "".join(pieces)
        if len(text) > MAX_AUTHOR:
            kept = escape(text[:MAX_AUTHOR])
            self.found.long_authors.append((self.author_start, self.parser.CurrentByteIndex, kept))
        self.author = self.parser.CharacterDataHandler = None

    def _end_entry(self) -> None:
        self.entry_depth = 0
        self.found.entries += 1
        if self.found.entries == MAX_ENTRIES:
            self.found.cut_at = self._behind_entry()
            self.found.open_at_cut = tuple(reversed(self.stack))

    def _behind_start_tag(self) -> int:
        tag = _START_TAG.match(self.data, self.parser.CurrentByteIndex)
        return tag.end() if tag else len(self.data)

    def _behind_entry(self) -> int:
        at = self.parser.CurrentByteIndex
        if at == self.entry_inside and self.data.endswith(b"/>", 0, at):  # <item/>, behind which expat is
            return at
        return self.data.find(b">", at) + 1


def _names(tag: str) -> tuple[str, str]:
    """Return the local name in lower case and the name as written, of expat's `namespace name prefix`."""
    _, _, named = tag.partition(_SEPARATOR)
    local, _, prefix = (named or tag).partition(_SEPARATOR)
    return local.lower(), f"{prefix}:{local}" if prefix else local


def bounded(data: bytes, found: Outline) -> bytes:
    """Return a well-formed document from its root on, with at most MAX_ENTRIES entries and short authors."""
    cut_at = found.cut_at if found.cut_at is not None and found.entries > MAX_ENTRIES else len(data)
    pieces, done = [], found.root_at
    for start, end, kept in found.long_authors:
        if done <= start and end <= cut_at:
            pieces += [data[done:start], kept.encode()]
            done = end
    pieces.append(data[done:cut_at])
    if cut_at < len(data):
        pieces += [f"</{tag}>".encode() for tag in found.open_at_cut]
    return b"".join(pieces)


def without_illegal(text: str) -> tuple[str, int]:
    """Return a text with only the characters that XML 1.0 2.2 allows, and how many others it had."""
    text, removed = _NOT_XML.subn("", text)
    if "&#" not in text:
        return text, removed
    replaced = 0

    def legal(reference: re.Match[str]) -> str:
        nonlocal replaced
        if _is_legal(reference):
            return reference[0]
        replaced += 1
        return "\ufffd"

    text = _REFERENCE.sub(legal, text)
    return text, removed + replaced


def _is_legal(reference: re.Match[str]) -> bool:
    hexadecimal, decimal = reference.groups()
    digits = (hexadecimal or decimal).lstrip("0")
    if not digits or len(digits) > 7:
        return False
    code = int(digits, 16 if hexadecimal else 10)
    return code <= 0x10FFFF and not _NOT_XML.match(chr(code))


def declares_entities(text: str) -> bool:
    """Whether a text, well-formed or not, declares an entity outside of comments and CDATA."""
    return any(_ENTITY.search(piece) for piece, is_markup in _pieces(text) if is_markup)


def mended(text: str) -> str | None:
    """Return a broken text with what breaks feeds most often put right; None when it is no feed.

    Junk around the root is dropped, HTML's named entities become characters, a bare & is escaped, and
    prefixes are declared. May still not be well-formed.
    """
    start = _FEED_START.search(text)
    if start is None:
        return None
    ends = [end.end() for end in _ROOT_END.finditer(text, start.start())]
    text = text[start.start() : ends[-1] if ends else len(text)]
    return _declared(with_references_mended(text))


def with_references_mended(text: str) -> str:
    """Return a text in which HTML's named entities are characters, and a bare & is escaped."""
    return "".join(_escaped(piece) if is_markup else piece for piece, is_markup in _pieces(text))


def is_cut_off(text: str) -> bool:
    """Whether a text stops before its first entry ends."""
    return bool(_ENTRY_START.search(text)) and not _ENTRY_END.search(text) and not _ROOT_END.search(text)


def without_tail(text: str) -> str:
    """Return a text that stops within an entry up to the end of the one before, any other as it is."""
    if _ROOT_END.search(text[-200:]):
        return text
    ends = [end.end() for end in _ENTRY_END.finditer(text)]
    return text[: ends[-1]] + _closers(text) if ends and _ENTRY_START.search(text, ends[-1]) else text


def without_surplus(text: str) -> str:
    """Return a broken text with no more than MAX_ENTRIES entries."""
    ends = [end.end() for end in _ENTRY_END.finditer(text)]
    return text[: ends[MAX_ENTRIES - 1]] + _closers(text) if len(ends) > MAX_ENTRIES else text


def _declared(text: str) -> str:
    """Return a text whose root declares the prefixes that nothing declares."""
    root = _TAG_START.match(text)
    missing = {*_PREFIX.findall(text)} - {*_DECLARATION.findall(text)} - {"xml"}
    if root is None or not missing or len(missing) > _MAX_PREFIXES:
        return text
    namespaces = {prefix: _NAMESPACES.get(prefix, f"urn:{prefix}") for prefix in sorted(missing)}
    declarations = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in namespaces.items())
    return root[0] + declarations + text[root.end() :]


def _closers(text: str) -> str:
    root = _TAG_START.match(text)
    if root is None:
        return ""
    return f"</channel></{root[1]}>" if root[1].lower() == "rss" else f"</{root[1]}>"


def _escaped(markup: str) -> str:
    return _BARE_AMPERSAND.sub("&amp;", _NAMED.sub(_character, markup))


def _character(named: re.Match[str]) -> str:
    character = html5.get(f"{named[1]};", named[0])
    return named[0] if set(character) & set("<>&\"'") else character


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Yield a text in pieces: markup (True), and comments and CDATA sections (False)."""
    done = 0
    while opener := _LITERAL.search(text, done):
        closer = "-->" if opener[0] == "<!--" else "]]>"
        end = text.find(closer, opener.end())
        if end < 0:
            break
        yield text[done : opener.start()], True
        yield text[opener.start() : end + 3], False
        done = end + 3
    yield text[done:], True
