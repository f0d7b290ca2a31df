"""The tree of a web page, built in bounded time, and what is read from its elements.

The parser is quadratic on deep nesting and on formatting that is never closed (https://html.spec.whatwg.org,
13.2.4.3), so what it gets is bounded; and without scripts, styles and comments, whose tags are none, and
drawings, whose tags are others.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from syndicate.sources.sanitise import check_link, clean_line, text_of

Node = LexborNode

MAX_LINE = 1000
MAX_PAGE = 3 * 1024 * 1024  # characters of a page that are read
_MAX_HEAD = 64 * 1024  # of them where only its head matters
_MAX_DEPTH = 256
_MAX_OPEN = 20  # elements of formatting that may be open at once
_FORMATTING = frozenset(
    ["b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
_NEVER_DEEP = frozenset(  # void, or closed by their like
    [
        *(
            "area",
            "base",
            "br",
            "col",
            "embed",
            "hr",
            "img",
            "input",
            "link",
            "meta",
            "param",
            "source",
            "track",
        ),
        *(
            "wbr",
            "a",
            "p",
            "li",
            "dt",
            "dd",
            "tr",
            "td",
            "th",
            "tbody",
            "thead",
            "tfoot",
            "colgroup",
            "option",
        ),
        *("optgroup", "rt", "rp"),
    ]
)
_MAX_TAG = 2000  # characters; longer ones may have no more
_MAX_ATTRIBUTES = 300
_TOKEN = re.compile(  # possessive, and so linear; a quote is one wherever it stands, which is close enough
    r"""<(?:(?P<comment>!--)|(?P<end>/?)(?P<name>[a-z][^\s/>]*)(?:[^>"']++|"[^"]*+"|'[^']*+')*+(?P<closed>>)?)""",
    re.IGNORECASE,
)
_BETWEEN_ATTRIBUTES = re.compile(r"[\s/=<]")
_FORMATTING_TAG = re.compile(rf"<(/?)(?:{'|'.join(sorted(_FORMATTING))})(?=[\s/>])", re.IGNORECASE)
_DROPPED = ("script", "style", "svg")
_ENDS = {name: re.compile(rf"</{name}(?:[\s/][^>]{{0,200}})?>", re.IGNORECASE) for name in _DROPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What an HTML page says of itself."""

    title: str
    feeds: tuple[str, ...]  # addresses of the feeds that it names, absolute


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """As much of a page as is read."""

    text: str
    problems: tuple[str, ...] = ()  # what is left out

    def tree(self) -> LexborHTMLParser:
        """Return its tree."""
        return LexborHTMLParser(self.text)


def tree_of(text: str) -> LexborHTMLParser:
    """Return the tree of a page, up to where it is nested too deeply."""
    return bounded(text).tree()


def bounded(text: str) -> Bounded:
    """Return a page without comments, scripts, styles and drawings, up to where it gets too deep.

    Formatting is replaced if too much of it stays open, and tags with too many attributes are left out.
    """
    pieces: list[str] = []
    opened = _Opened()
    try:
        pieces.extend(_pieces(text[:MAX_PAGE], opened))
    except _TooMuchOpen:
        return bounded(_FORMATTING_TAG.sub(r"<\1span", text))
    problems = (
        (f"a page of more than {MAX_PAGE // 2**20} MiB, cut", len(text) > MAX_PAGE),
        (f"a page nested more than {_MAX_DEPTH} deep, cut", opened.is_too_deep),
        (
            f"tags with more than {_MAX_ATTRIBUTES} attributes, left out: {opened.overloaded}",
            opened.overloaded,
        ),
    )
    return Bounded(text="".join(pieces), problems=tuple(what for what, is_so in problems if is_so))


class _TooMuchOpen(Exception):  # noqa: N818 - asks for another way, is no error
    pass


def _pieces(text: str, opened: "_Opened") -> Iterator[str]:
    done = 0
    while token := _TOKEN.search(text, done):
        yield text[done : token.start()]
        end = _end(token, text)
        name = (token["name"] or "").lower()
        if end < 0 or not opened.has_room_for(name, is_end=bool(token["end"])):
            return
        is_overloaded = _is_overloaded(text, token.start(), end)
        opened.overloaded += is_overloaded
        is_kept = name and name not in _ENDS and not is_overloaded
        yield text[token.start() : end] if is_kept else ""
        done = end
    yield text[done:]


def _end(token: re.Match[str], text: str) -> int:
    """Return where a tag ends, of what is dropped where that ends; -1 when it does not."""
    if token["comment"]:
        at = text.find("-->", token.end())
        return at + len("-->") if at >= 0 else -1
    end = token.end() if token["closed"] else text.find(">", token.end()) + 1 or -1
    name = token["name"].lower()
    if name not in _ENDS or token["end"] or end < 0:
        return end
    closed = _ENDS[name].search(text, end)
    if name == "svg" and (closed is None or text[end - 2] == "/"):
        return end
    return closed.end() if closed else -1


def _is_overloaded(text: str, start: int, end: int) -> bool:
    if end - start <= _MAX_TAG:
        return False
    return len(_BETWEEN_ATTRIBUTES.findall(text, start, end)) > _MAX_ATTRIBUTES


class _Opened:
    """What is open at a place in a page."""

    def __init__(self) -> None:
        self._depth = 0
        self.is_too_deep = False
        self.overloaded = 0  # tags that are left out
        self._formatting: Counter[str] = Counter()

    def has_room_for(self, name: str, *, is_end: bool) -> bool:
        """Count a tag; return whether it is not nested too deeply."""
        if not name or name in _NEVER_DEEP:
            return True
        step = -1 if is_end else 1
        self._depth = max(self._depth + step, 0)
        if name in _FORMATTING:
            self._formatting[name] = max(self._formatting[name] + step, 0)
            if self._formatting.total() > _MAX_OPEN:
                raise _TooMuchOpen
        self.is_too_deep = self._depth > _MAX_DEPTH
        return not self.is_too_deep


def read_page(markup: str, url: str) -> Page:
    """Return the title of an HTML page, and the feeds it names."""
    tree = tree_of(markup[:_MAX_HEAD])
    title = tree.css_first("title")
    links = tree.css('link[rel~="alternate"][type]')
    named = [link.attributes for link in links[:50] if _is_feed_type(link.attributes.get("type") or "")]
    feeds = [check_link(attributes.get("href") or "", url) for attributes in named]
    return Page(
        title=clean_line(title.text() if title else "", 200),
        feeds=tuple(dict.fromkeys(feed for feed in feeds if feed)),
    )


def _is_feed_type(type_: str) -> bool:
    kind, _, feed = type_.strip().lower().partition("/")
    return kind == "application" and feed in ("rss+xml", "atom+xml", "rdf+xml", "feed+json")


# --------------------------------------------------------------------------- elements


def text(node: Node | None) -> str:
    """Return what a person reads in an element, in one line; nothing for None."""
    return clean_line(text_of(node.html or ""), 2 * MAX_LINE) if node is not None else ""


def rough_text(node: Node) -> str:
    """Return the same, words of neighbouring elements maybe put together, in a tenth of the time."""
    return " ".join(node.text()[: 2 * MAX_LINE].split())


def attribute(node: Node, *names: str) -> str:
    """Return the first of some attributes that says something."""
    attributes = node.attributes
    return next((value for name in names if (value := (attributes.get(name) or "").strip())), "")


def ancestors(node: Node) -> Iterator[Node]:
    """Yield what an element is in, from within, without <body>."""
    parent = node.parent
    while parent is not None and parent.tag not in ("body", "html", "-undef"):
        yield parent
        parent = parent.parent
