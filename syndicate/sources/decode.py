"""The text of a body, whatever its server and its declaration say about the encoding."""

import codecs
import re
from dataclasses import dataclass, replace

_BOMS = (  # the longer first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE_STARTS = (  # a "<" without a mark, XML 1.0 appendix F
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
# Codecs that read text. Python has others (idna, punycode, unicode_escape), slow or surprising.
_TEXT_CODEC = re.compile(
    r"ascii|utf-(8|16|32)|iso8859-\d+|cp\d+|koi8-[rut]|kz1048|ptcp154|mac-\w+|tis-620|johab"
    r"|gb2312|gbk|gb18030|hz|big5\w*|euc_\w+|shift_\w+|iso2022_\w+"
)
_SHIFTING = ("iso2022", "hz")  # whose bytes are ASCII, too
_WIDER = {  # what the label means in practice, https://encoding.spec.whatwg.org/#names-and-labels
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "tis-620": "cp874",
}
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([^"'>]{1,40})["']""")
_DECLARED_IN_HTML = re.compile(rb"""<meta[^>]{1,200}?charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_BEFORE_TEXT = re.compile(rb"(?:\xef\xbb\xbf|[ \t\r\n]++)*+")
_PIECE = 256 * 1024  # bytes of which the text is looked at at once
_BEYOND_ASCII = bytes(range(0x80, 0x100))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A text, and what had to be assumed for it."""

    text: str
    problem: str | None = None  # None: everybody agreed


def decode(body: bytes, content_type: str = "") -> Decoded:
    """Return the text of a body.

    A byte order mark is believed first. Then the bytes: what is valid UTF-8 is UTF-8, whatever it is called.
    Then the label of the response (RFC 7303 3), unless it is a server's default; then the document's own.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _read(body[len(mark) :], encoding)
    for start, encoding in _WIDE_STARTS:
        if body.startswith(start):
            return _read(body, encoding)
    return _decode_labelled(body, _labels(body, content_type))


def utf8(body: bytes, content_type: str = "") -> tuple[bytes, str | None]:
    """Return a body in UTF-8, without marks and spaces before it, and what had to be assumed for that.

    A body that is UTF-8 is not decoded as a whole: with one character beyond U+FFFF in it, its text would
    take four times as much memory.
    """
    data, problem = body, None
    if not _is_utf8(body, content_type):
        decoded = decode(body, content_type)
        data, problem = decoded.text.encode(errors="surrogatepass"), decoded.problem
    before = _BEFORE_TEXT.match(data)
    return (data[before.end() :] if before else data), problem


def _is_utf8(body: bytes, content_type: str) -> bool:
    """Whether `decode` takes a body for UTF-8, and all of it is."""
    if body.startswith(tuple(mark for mark, encoding in _BOMS if encoding != "utf-8")):
        return False
    if body.startswith(tuple(start for start, _ in _WIDE_STARTS)):
        return False
    if body.isascii():
        return not any(label.startswith(_SHIFTING) for label in _labels(body, content_type))
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(body), _PIECE):
            decoder.decode(body[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _decode_labelled(body: bytes, labels: list[str]) -> Decoded:
    if body.isascii():
        shifting = next((label for label in labels if label.startswith(_SHIFTING)), "ascii")
        return _read(body, shifting)
    try:
        return Decoded(text=body.decode())
    except UnicodeDecodeError:
        pass
    for label in labels:
        try:
            text = body.decode(label)
        except UnicodeError:
            continue
        return Decoded(text=text, problem=None if label == labels[0] else f"read as {label}, not {labels[0]}")
    return _decode_broken(body, labels)


def _decode_broken(body: bytes, labels: list[str]) -> Decoded:
    """Return the least wrong text of bytes that are valid in no encoding they claim."""
    text = body.decode(errors="replace")
    broken = text.count("\ufffd")
    ascii_length = len(body.translate(None, delete=_BEYOND_ASCII))
    if len(text) - ascii_length - broken >= broken:  # more characters of UTF-8 than bytes that are none
        return Decoded(text=text, problem=_broken("utf-8", text))
    claimed = labels[0] if labels else "utf-8"
    if not claimed.startswith("utf"):
        return _read(body, claimed)
    read = _read(body, "cp1252")
    return replace(read, problem=read.problem or f"read as cp1252, not {claimed}")


def _read(body: bytes, encoding: str) -> Decoded:
    text = body.decode(encoding, errors="replace")
    is_broken = "\ufffd" in text and text.encode(encoding, errors="replace") != body
    return Decoded(text=text, problem=_broken(encoding, text) if is_broken else None)


def _broken(encoding: str, text: str) -> str:
    count = text.count("\ufffd")
    return f"bytes that are not valid {encoding}, replaced: {count}"


def _labels(body: bytes, content_type: str) -> list[str]:
    """Return the codecs that the response and the document name, the most credible first."""
    head = body[:1024]
    found = _CHARSET.search(content_type)
    declared = _DECLARED.search(head) or _DECLARED_IN_HTML.search(head)
    labels = [found[1]] if found else []
    labels += [declared[1].decode("ascii", errors="replace")] if declared else []
    codecs_named = [codec for codec in map(_codec, labels) if codec]
    # Servers add ISO-8859-1 to everything, and every byte is valid in it: anything else says more.
    return sorted(dict.fromkeys(codecs_named), key=lambda codec: codec == "cp1252")


def _codec(label: str) -> str | None:
    """Return Python's codec for a label; None when there is none, or none for text."""
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    return _WIDER.get(name, name) if _TEXT_CODEC.fullmatch(name) else None
