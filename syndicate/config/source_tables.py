"""Sources written into the text of a config.toml, to which nothing is done but that they are put in.

Pure. Where they go: after the last [[source]], so that what comes after the sources stays there.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta

from syndicate.config.durations import spelled
from syndicate.config.toml_lines import TomlPlaces, toml_places
from syndicate.model import Address, Source

_ALWAYS = ("id", "title", "urls", "addresses")
_COMMA = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*,")
_REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\r\n]*)?\r?\n")
_INDENT = re.compile(r"[ \t]*")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f-\x9f\ud800-\udfff]')

Insertion = tuple[int, str]  # where in the text, and what


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """A text with sources put in."""

    text: str
    line: int  # from 1, where the first of them begins


def source_table(source: Source) -> str:
    """Return a source as a table of config.toml, without the keys that have their default."""
    lines = (f"{name} = {value}\n" for name, value in _pairs(source))
    return f"[[source]]\n{''.join(lines)}"


def extended(text: str, sources: Sequence[Source]) -> Extended:
    """Return the text of a config.toml with sources put in after those it has.

    Its line ends are those that most of its lines have.

    Args:
        text: valid TOML.
    """
    places = toml_places(text)
    is_inline = ("source", 0) in places.elements
    insertions = _into_array(places, sources) if is_inline else _after_tables(places, sources)
    line_end = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    insertions = [(at, new.replace("\n", line_end)) for at, new in insertions]
    at, new = insertions[-1]
    blank = len(new) - len(new.lstrip("\r\n"))
    line = text.count("\n", 0, at) + new.count("\n", 0, blank) + 1
    return Extended(text=_inserted(text, insertions), line=line)


def is_faithful(before: str, after: str, sources: Sequence[Source]) -> bool:
    """Whether a text means what another does, and has these sources at the end of its own."""
    try:
        old, new = tomllib.loads(before), tomllib.loads(after)
        added = [tomllib.loads(source_table(source))["source"][0] for source in sources]
    except ValueError:
        return False
    return new == {**old, "source": [*old.get("source", []), *added]}


# --------------------------------------------------------------------------- where


def _after_tables(places: TomlPlaces, sources: Sequence[Source]) -> list[Insertion]:
    text = places.text
    at = _end_of_sources(places)
    before = "" if text[:at].endswith("\n") or not at else "\n"
    gap = "" if not at or text[:at].endswith(("\n\n", "\n\r\n")) else "\n"
    after = "\n" if text[at:].strip() and not _starts_blank(text, at) else ""
    return [(at, before + gap + "\n".join(map(source_table, sources)) + after)]


def _end_of_sources(places: TomlPlaces) -> int:
    """Return where the last source ends, with the comments that belong to it: the start of a line."""
    text = places.text
    numbers = [number for number, (key, _) in enumerate(places.tables) if key[:1] == ("source",)]
    if not numbers:
        return len(text)
    last = numbers[-1]
    is_end = last + 1 == len(places.tables)
    limit = len(text) if is_end else text.rfind("\n", 0, places.tables[last + 1][1][0]) + 1
    at = end = _next_line(text, places.tables[last][1][1])
    while end < limit and not _starts_blank(text, end):
        end = _next_line(text, end)
    # Comments that run right up to another table's head are that table's.
    return end if is_end or end < limit else at


def _next_line(text: str, at: int) -> int:
    return text.find("\n", at) + 1 or len(text)


def _starts_blank(text: str, at: int) -> bool:
    return not text[at : _next_line(text, at)].strip()


def _into_array(places: TomlPlaces, sources: Sequence[Source]) -> list[Insertion]:
    """Put sources behind the last of `source = [{...}, {...}]`."""
    text = places.text
    last = max(key for key in places.elements if key[:1] == ("source",) and len(key) == 2)
    start, end = places.elements[last]
    comma = _COMMA.match(text, end)
    trailing = "," if comma else ""
    behind = comma.end() if comma else end
    tables = [f"{{ {', '.join(f'{name} = {value}' for name, value in _pairs(each))} }}" for each in sources]
    rest = _REST_OF_LINE.match(text, behind)
    if rest is None:  # all in one line
        return [(behind, f"{'' if comma else ','} {', '.join(tables)}{trailing}")]
    indent = _INDENT.match(text, text.rfind("\n", 0, start) + 1)
    lines = ",\n".join(f"{indent[0] if indent else ''}{table}" for table in tables)
    new = (rest.end(), f"{lines}{trailing}\n")
    return [new] if comma else [(end, ","), new]


def _inserted(text: str, insertions: Sequence[Insertion]) -> str:
    for at, new in reversed(insertions):
        text = text[:at] + new + text[at:]
    return text


# --------------------------------------------------------------------------- what


def _pairs(source: Source) -> Iterator[tuple[str, str]]:
    yield "id", quoted_text(source.id)
    if source.title != source.id:
        yield "title", quoted_text(source.title)
    if len(source.urls) == 1 and not source.addresses:
        yield "url", quoted_text(source.urls[0])
    else:
        yield "urls", f"[{', '.join(_address(source.address(url)) for url in source.urls)}]"
    for field in fields(Source):
        value = getattr(source, field.name)
        if field.name not in _ALWAYS and value != field.default:
            yield field.name, _value(value)


def _address(address: Address) -> str:
    """Return an address as text, or as a table where more is said of it than where it is."""
    said = {field.name: getattr(address, field.name) for field in fields(Address)}
    pairs = [f"{name} = {_value(value)}" for name, value in said.items() if value is not None]
    return quoted_text(address.url) if len(pairs) == 1 else f"{{ {', '.join(pairs)} }}"


def _value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case timedelta():
            return quoted_text(spelled(value))
        case tuple():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            return quoted_text(str(value))


def quoted_text(value: str) -> str:
    """Return a text as TOML has it: in quotes, in which no variable is filled in."""
    if "$$" in value or "${" in value:
        value = value.replace("$", "$$")
    return '"' + _ESCAPED.sub(_escape, value) + '"'


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}"
