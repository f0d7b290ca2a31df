"""Safe HTML and plain text out of whatever sources send, in bounded time and size."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from html import escape, unescape
from typing import Literal
from urllib.parse import urljoin, urlsplit

import nh3

UrlRelative = Literal["deny"] | tuple[Literal["rewrite_with_base"], str]

MAX_HTML = 64 * 1024  # characters that the sanitiser gets at once; it is quadratic on deep nesting
MAX_LINK = 2000
_MAX_DEPTH = 256
_MAX_FORMATTING = 20  # formatting left open is opened again in every paragraph (HTML 13.2.4.3)
_MAX_STYLED = 50  # formatting with attributes, of which none counts as a repetition
_MAX_GROWTH = 4  # times MAX_HTML
_MAX_MARKS = 30  # combining marks in a row; ordering them is quadratic (UAX #15 stream-safe text)


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BLOCKS = _words(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption"
    " figure footer h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre search section"
    " summary table tbody tfoot thead tr ul br"
)
_CELLS = frozenset({"td", "th"})
_INLINE = _words(
    "a abbr acronym b bdi bdo big cite code col colgroup data del dfn em font i img ins kbd mark q rp rt ruby"
    " s samp small span strike strong sub sup time tt u var wbr"
)
_FORMATTING = _words("b big code em font i nobr s small strike strong tt u")
_UNNESTED = _words(  # void, or closed by their like
    "area base br col embed hr img input link meta param source track wbr p li dt dd tr td th option"
)
_ATTRIBUTES = {  # no cite: nobody sees it, and nh3 does not resolve it
    "*": {"lang", "dir", "title"},
    "a": {"href", "hreflang"},
    "col": {"span"},
    "colgroup": {"span"},
    "data": {"value"},
    "del": {"datetime"},
    "img": {"src", "alt", "width", "height"},
    "ins": {"datetime"},
    "ol": {"start", "reversed", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
_DROPPED = _words(  # with what is in them
    "script style template iframe noembed noframes object embed applet svg math title textarea select"
)
_KNOWN = _BLOCKS | _INLINE | _CELLS | _DROPPED

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_CLEAN_TAG = re.compile(r'</?([a-z][a-z0-9]*)[^>"]*(?:"[^"]*"[^>"]*)*>')  # as nh3 writes them
_SEPARATORS = {**dict.fromkeys(_BLOCKS, "\n"), **dict.fromkeys(_CELLS, " ")}
_FORMATTING_TAG = re.compile(rf"<(/?)(?:{'|'.join(sorted(_FORMATTING))})(?=[\s/>])", re.IGNORECASE)
_FORM = re.compile(r"<(/?)[fF][oO][rR][mM]\b")  # to ignore case by a flag takes ten times as long
_HALF_REFERENCE = re.compile(r"&[#\w]{0,30}$")
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_BREAK = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
    # ZWNJ and ZWJ shape Arabic, Indic scripts and emoji; elsewhere they only hide words from rules
    "|[\u200c\u200d](?:(?<![\u0600-\U0010ffff].)|(?![\u0600-\U0010ffff]))"
)
_SPACES = re.compile(r"[^\S\n ][^\S\n]*| [^\S\n]+")  # all but a single space
_LONG_WORD = 200  # characters
_LONG_WORDS = re.compile(rf"\S{{{_LONG_WORD},}}")
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_START_OR_END = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)(?:\s[^<>]*)?/?>")
_PLAIN_LINK = re.compile(  # which needs no closer look
    r"https?://[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*(?::[1-9][0-9]{0,3})?(?:[/?#][a-zA-Z0-9!#$%&'()*+,./:;=?@_~-]*)?"
)
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_NO_LINK = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff\ufffe\uffff]")
_SPACE_IN_LINK = re.compile(r"\s")
_TO_QUOTE = re.compile('[<>"`{}|^]')
_QUOTED_IN_LINK = {ord(character): f"%{ord(character):02X}" for character in '<>"`{}|^'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """What is left of some HTML."""

    html: str
    text: str
    was_cut: bool = False


# --------------------------------------------------------------------------- HTML


def clean_html(markup: str, base: str) -> Clean:
    """Return HTML that is safe in a reader's browser, and its text.

    Links are http(s) or mailto, and absolute; relative ones are resolved against `base`, or dropped when that
    is no http(s) address. In the text, blocks are separated by newlines. What is beyond MAX_HTML characters,
    or nested deeper than any author nests it, is cut.
    """
    kept = _shallow(_cut(markup))
    html, is_printable = _sanitised(kept, base)
    text = _text(html, is_printable)
    if len(html) > _MAX_GROWTH * MAX_HTML:
        html = paragraphs(text[:MAX_HTML])
    return Clean(html=html, text=text[:MAX_HTML], was_cut=len(kept) < len(markup) or len(text) > MAX_HTML)


def without_images(html: str) -> str:
    """Return stored HTML as a page of ours may show it: cleaned once more, and so that it loads nothing."""
    return _PICTURELESS.clean(_shallow(html))


def with_images_at(html: str, address: Callable[[str], str | None]) -> str:
    """Return stored HTML as a page of ours may show it, with images from elsewhere than they say.

    Args:
        address: where to have an image from instead, given its own address; None: it is left out.
    """

    def moved(tag: str, name: str, value: str) -> str | None:
        return address(value) if (tag, name) == ("img", "src") else value

    mover = nh3.Cleaner(
        tags=_BLOCKS | _CELLS | _INLINE,
        attributes=_ATTRIBUTES,
        attribute_filter=moved,
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"img": {"loading": "lazy", "decoding": "async"}},
    )
    return mover.clean(_DENYING.clean(_shallow(html)))


def clean_plain(text: str) -> Clean:
    """Return a plain text, clean, and as HTML."""
    kept = clean_text(text[:MAX_HTML])
    return Clean(html=paragraphs(kept), text=kept, was_cut=len(text) > MAX_HTML)


def text_of(markup: str) -> str:
    """Return the plain text of HTML: no scripts, no markup, a newline where a block ends."""
    if "<" not in markup and "&" not in markup:
        return clean_text(_in_one_line(markup[:MAX_HTML]))
    return clean_html(markup, "").text


def _text(html: str, is_printable: bool) -> str:
    """Return the plain text of HTML as nh3 writes it."""
    line = html.replace("\n", " ")
    line = line if is_printable and "  " not in line else _SPACES.sub(" ", line)
    pieces = _CLEAN_TAG.split(line)  # text, name of a tag, text, ...
    pieces[1::2] = [_SEPARATORS.get(name, "") for name in pieces[1::2]]
    text = "".join(pieces)
    return _tidied(text) if is_printable and "&" not in text else clean_text(unescape(text))


def _in_one_line(text: str) -> str:
    line = text.replace("\n", " ")
    return line if line.isprintable() and "  " not in line else _SPACES.sub(" ", line)


def paragraphs(text: str) -> str:
    """Return HTML for a plain text, a paragraph for each line."""
    return "".join(f"<p>{escape(line, quote=False)}</p>" for line in text.split("\n") if line)


def has_markup(text: str) -> bool:
    """Whether a text that may be HTML or not is meant as HTML.

    `Using the <table> element` and `1 < 2 > 0` are text; `<i>Ostrov</i>` and `a<br/>b` are HTML.
    """
    if "<" not in text:
        return False
    tags = [(bool(end), name.lower()) for end, name in _START_OR_END.findall(text)]
    return any(name in _KNOWN and (is_end or name in ("br", "img", "hr", "wbr")) for is_end, name in tags)


def has_references(text: str) -> bool:
    """Whether a text holds character references that mean something in HTML."""
    return "&" in text and any(unescape(reference) != reference for reference in _REFERENCE.findall(text))


def _cut(markup: str) -> str:
    if len(markup) <= MAX_HTML:
        return markup
    return _HALF_REFERENCE.sub("", markup[:MAX_HTML])


def _shallow(markup: str) -> str:
    """Return HTML up to where it gets too deep; without formatting if too much of that stays open."""
    if markup.count("<") <= _MAX_FORMATTING:
        return markup
    depth = formatting = styled = 0
    for tag in _TAG.finditer(markup):
        name = tag[2].lower()
        if name in _UNNESTED:
            continue
        step = -1 if tag[1] else 1
        depth = max(depth + step, 0)
        if name in _FORMATTING:
            formatting = max(formatting + step, 0)
            styled += markup[tag.end() : tag.end() + 1].isspace()
        if formatting > _MAX_FORMATTING or styled > _MAX_STYLED:
            return _shallow(_FORMATTING_TAG.sub(r"<\1span", markup))
        if depth > _MAX_DEPTH:
            return markup[: tag.start()]
    return markup


def _sanitised(markup: str, base: str) -> tuple[str, bool]:
    """Return safe HTML, and whether it is known to have only characters that can be seen."""
    if "<" not in markup and "&" not in markup and ">" not in markup and _is_printable(markup):
        return markup.strip(), True  # as most summaries
    markup = _FORM.sub(r"<\1div", markup) if _FORM.search(markup) else markup
    try:
        html = _cleaner(base).clean(markup)
    except UnicodeEncodeError:  # half a pair of surrogates, which JSON can name; no tag may come of it
        html = _cleaner(base).clean(_SURROGATE.sub("\ufffd", markup))
    is_printable = _is_printable(html)
    return (html if is_printable else _CONTROL.sub("", _BREAK.sub("\n", html))).strip(), is_printable


@lru_cache(maxsize=64)
def _cleaner(base: str) -> nh3.Cleaner:
    relative: UrlRelative = ("rewrite_with_base", base) if check_link(base) else "deny"
    try:
        return _cleaner_that(relative)
    except ValueError:  # its idea of an address is narrower than ours
        return _cleaner_that("deny")


def _cleaner_that(relative: UrlRelative, *, images: bool = True) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=(_BLOCKS | _CELLS | _INLINE) - (frozenset() if images else _IMAGES),
        clean_content_tags=_DROPPED,
        attributes=_ATTRIBUTES,
        link_rel="noopener noreferrer",
        url_schemes={"http", "https", "mailto"},
        url_relative=relative,
    )


_IMAGES = frozenset({"img"})
_PICTURELESS = _cleaner_that("deny", images=False)
_DENYING = _cleaner_that("deny")


# --------------------------------------------------------------------------- plain text


def clean_text(text: str) -> str:
    """Return text in NFC without control and invisible characters and superfluous spaces; newlines stay."""
    if text.isascii() and text.isprintable():  # most titles, names and categories
        return (_SPACES.sub(" ", text) if "  " in text else text).strip()
    if not _is_printable(text):
        text = _CONTROL.sub("", _BREAK.sub("\n", text))
        text = _INVISIBLE.sub("", text) if not text.isascii() else text
        text = _SPACES.sub(" ", text)
    return _tidied(text)


def _tidied(text: str) -> str:
    """Return a text whose spaces are plain ones in NFC, without those that are superfluous."""
    text = _normalised(text)
    text = (_SPACES.sub(" ", text) if "  " in text else text).strip()
    return "\n".join(filter(None, map(str.strip, text.split("\n")))) if "\n" in text else text


def _is_printable(text: str) -> bool:
    """Whether all spaces are plain ones, or ends of lines, and all other characters can be seen."""
    return text.isprintable() or text.replace("\n", "").isprintable()


def clean_line(text: str, limit: int) -> str:
    """Return clean text in one line of at most `limit` characters."""
    return cut_line(text, limit)[0]


def cut_line(text: str, limit: int) -> tuple[str, bool]:
    """Return the same, and whether something of the text is missing in it."""
    looked_at = text[: limit * 20]
    line = clean_text(looked_at).replace("\n", " ")
    if len(line) > limit:
        return line[: limit - 1].rstrip() + "…", True
    return line, len(looked_at) < len(text) and not text[limit * 20 :].isspace()


def without_controls(text: str) -> str:
    """Return a text as it is, but for characters that no database, XML file or terminal should see."""
    return _CONTROL.sub("", text)


def _normalised(text: str) -> str:
    if text.isascii():
        return text
    if max(map(len, text.split()), default=0) >= _LONG_WORD:
        text = _LONG_WORDS.sub(_without_mark_runs, text)
    return unicodedata.normalize("NFC", text)


def _without_mark_runs(word: re.Match[str]) -> str:
    kept, run = [], 0
    for character in word[0]:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= _MAX_MARKS:
            kept.append(character)
    return "".join(kept)


# --------------------------------------------------------------------------- links


def join(base: str, link: str) -> str:
    """Return a link as seen from `base`; `base` itself when there is no sense in it."""
    if not link:
        return base
    try:
        return urljoin(base, link)
    except ValueError:
        return base


def check_link(link: str, base: str = "") -> str | None:
    """Return a link as an absolute http(s) address; None when it is none.

    A browser would read control characters, backslashes and user names otherwise than a person: none gets
    through. Spaces and characters that end a link in text are percent-encoded.
    """
    if len(link) <= MAX_LINK and _PLAIN_LINK.fullmatch(link):
        return link
    link = link.strip()
    if " " in link or not link.isprintable():
        link = _SPACE_IN_LINK.sub("%20", link)
    if not link or len(link) > MAX_LINK or _NO_LINK.search(link):
        return None
    try:
        absolute = urljoin(base, link) if base and not _SCHEME.match(link) else link
        parts = urlsplit(absolute)
        is_link = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    if not is_link or "@" in parts.netloc or len(absolute) > MAX_LINK:
        return None
    absolute = parts.scheme + absolute[len(parts.scheme) :]  # in lower case
    return absolute.translate(_QUOTED_IN_LINK) if _TO_QUOTE.search(absolute) else absolute
