"""Texts and addresses from anywhere, made fit to stand in a message; and how long they are."""

import json
import re
from collections.abc import Callable
from urllib.parse import quote

from syndicate.alerts.channels.message import Marked

# What turns the direction of the text around it, hides in it, or is no character at all.
_GONE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f]"
)
_SPACES = re.compile(r"\s+")
_WEB = re.compile(r"""(https?://)([^\s/?#:<>"'`{}|\\^]+)(.*)""", re.IGNORECASE | re.DOTALL)
_NOT_IN_ADDRESSES = re.compile(r"""[^!-~]|[<>"'`{}|\\^]""")
_MARKDOWN = re.compile(r"[()\[\]*_~!]")
PAUSE = "\u200b"  # a space without width: what it divides is no longer read as one


def line(text: str) -> str:
    """Return a text as one line: without controls, marks of direction, invisible characters, surrogates."""
    return _SPACES.sub(" ", _GONE.sub("", text)).strip()


def marked_line(marked: Marked) -> Marked:
    """Return the same of a text with marks. No mark begins or ends in white space."""
    text = ""
    marks: list[tuple[int, int]] = []
    for run in marked.runs:
        kept = _SPACES.sub(" ", _GONE.sub("", run.text))
        if kept.startswith(" ") and (not text or text.endswith(" ")):
            kept = kept[1:]
        if run.is_marked and (inner := kept.strip()):
            start = len(text) + kept.index(inner)
            marks.append((start, start + len(inner)))
        text += kept
    return Marked(text=text.rstrip(), marks=tuple(marks))


def web_address(url: str | None, most_bytes: int) -> str | None:
    """Return an http(s) address in ASCII (RFC 3987 3.1), which every service takes; None if it is none.

    None as well if it is too long: half an address is another address.
    """
    found = _WEB.fullmatch(_GONE.sub("", url or "").strip())
    if found is None:
        return None
    try:
        host = found[2] if found[2].isascii() else found[2].encode("idna").decode()
    except UnicodeError:
        return None
    address = found[1] + host + _NOT_IN_ADDRESSES.sub(lambda letter: quote(letter[0], safe=""), found[3])
    return address if len(address) <= most_bytes else None


def markdown_address(url: str) -> str:
    """Return the same address with nothing in it that Markdown could take for markup."""
    return _MARKDOWN.sub(lambda found: f"%{ord(found[0]):02X}", url)


def marked_up(marked: Marked, escape: Callable[[str], str], before: str, after: str) -> str:
    """Return a text, escaped, with this before and after each mark."""
    return "".join(
        before + escape(run.text) + after if run.is_marked else escape(run.text) for run in marked.runs
    )


def units(text: str) -> int:
    """Return the length of a text in UTF-16 units, by which most services count."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def compact_json(value: object) -> bytes:
    """Return JSON in UTF-8, on one line. The same value gives the same bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
