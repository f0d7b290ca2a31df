"""What XML and its addresses can hold, whatever a source sent."""

import re
from functools import lru_cache
from html import escape
from urllib.parse import quote

_ILLEGAL = re.compile(r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
_NOT_IN_IRIS = re.compile(r'[\s<>"{}|\\^`]|%(?![0-9A-Fa-f]{2})')
_PLAIN = re.compile(r"https?://[\w.-]+(/[\w./?&=;,:@+~-]*)?", re.ASCII)  # which is an IRI as it stands
_WEB = re.compile(r"(https?://[^/?#]+)([^#]*)(#.*)?", re.IGNORECASE | re.DOTALL)


def legal(text: str) -> str:
    """Return the text without what XML 1.0 (2.2) forbids or discourages: controls, surrogates, ...."""
    # Most texts are printable but for the ends of their lines, which is told ten times as fast.
    is_legal = text.isprintable() or text.replace("\n", "").isprintable()
    # What ends a line on mainframes (NEL) is taken for the ellipsis of Windows by many readers.
    return text if is_legal else _ILLEGAL.sub("", text.replace("\x85", "\n"))


def line(text: str) -> str:
    """Return the text as one legal line, without white space around it."""
    if text.isprintable() and "  " not in text:  # the only white space that can be printed is the space
        return text.strip(" ")
    return " ".join(legal(text).split())


@lru_cache(maxsize=4096)  # those of outlets are in every entry
def web_iri(url: str | None) -> str | None:
    """Return an http(s) address as an IRI (RFC 3987), with what may not stand in one percent-encoded.

    None for everything else, so that nothing a reader's browser would run gets into a link.
    """
    if url and _PLAIN.fullmatch(url):
        return url
    match = _WEB.fullmatch(line(url or ""))
    if match is None or _NOT_IN_IRIS.search(match[1]):
        return None
    host, path, fragment = match[1], match[2], (match[3] or "")[1:]
    tail = _encoded(path, "[]") + ("#" + _encoded(fragment, "[]#") if fragment else "")
    return host + tail


def _encoded(text: str, also: str) -> str:
    text = _NOT_IN_IRIS.sub(lambda found: quote(found[0], safe=""), text)
    return "".join(quote(letter, safe="") if letter in also else letter for letter in text)


def escaped(text: str) -> str:
    """Return a legal text as it stands in an element. A carriage return would be read as a line feed."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;") if "\r" in text else text


def escaped_html(text: str) -> str:
    """Return a plain text as it stands in an element that holds HTML."""
    return escaped(escape(text, quote=False))


def attributes(**values: str | None) -> str:
    """Return attributes, their texts escaped, as they stand in a tag; one that is None is left out."""
    return "".join(
        f' {name.replace("__", ":")}="{_quoted(value)}"'
        for name, value in values.items()
        if value is not None
    )


def _quoted(text: str) -> str:
    text = escaped(text).replace('"', "&quot;")
    return text if text.isprintable() else text.replace("\t", "&#9;").replace("\n", "&#10;")
