"""Where each key and text of a TOML file stands: tomllib keeps values only, and people need lines.

Works on text that tomllib has accepted, so it only has to find its way, not to judge.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Key = tuple[str | int, ...]  # names of tables and keys, and numbers of array elements from 0
Place = tuple[int, int]  # a line of the file, from 1, and how many characters of it come before
Span = tuple[int, int]  # start and end within the file's text

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'  # up to two quotes may stand before the closing three
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")  # numbers, true and false, dates (which may have a space inside)
_OPENING = re.compile(r"""(?:\"{3}|'{3})\n?|["']""")  # a line end right after three quotes is not of the text
_STEP = re.compile(
    r"(?P<fold>\\[ \t]*\n[ \t\n]*)"  # leaves nothing in the text
    r"|(?P<end>\n|\\n|\\x0[aA]|\\u000[aA]|\\U0000000[aA])"
    r"|\\."
)
_LINE_END = re.compile(r"(?P<end>\n)")  # of texts that know no backslash


@dataclass(frozen=True, slots=True, kw_only=True)
class TomlPlaces:
    """Where everything in a TOML file stands."""

    lines: Mapping[Key, int] = field(default_factory=dict)  # of every table, key and array element, from 1
    values: Mapping[Key, Span] = field(default_factory=dict)  # of those that are texts, quotes included
    names: Mapping[Key, Span] = field(default_factory=dict)  # of keys that have a value, quotes included
    tables: Sequence[tuple[Key, Span]] = ()  # in order, from the head to the end of the last value
    elements: Mapping[Key, Span] = field(default_factory=dict)  # of arrays' elements, without their commas
    text: str = field(default="", repr=False)
    ends: Sequence[int] = field(default=(), repr=False)  # where its lines end

    def of_value(self, key: Key) -> tuple[Place, ...]:
        """Return where each line of the text at a key begins.

        They are the lines that it has when read: an escaped line end begins one in the same line of the file,
        and a line end after a backslash begins none.
        """
        return self._of(self.values[key])

    def of_name(self, key: Key) -> tuple[Place, ...]:
        """Return where each line of a key's last name begins, as for a value."""
        return self._of(self.names[key])

    def _of(self, span: Span) -> tuple[Place, ...]:
        start, end = span
        return tuple(place_in(self.ends, start + begin) for begin in _begins(self.text[start:end]))


def toml_places(text: str) -> TomlPlaces:
    """Return where everything in a valid TOML text stands.

    A table made by nothing but names within it (`[a.b]` makes `a`) stands where the first of them does.
    """
    walk = _Walk(text)
    return TomlPlaces(
        lines=walk.lines,
        values=walk.values,
        names=walk.names,
        tables=walk.tables,
        elements=walk.elements,
        text=text,
        ends=walk.ends,
    )


def line_ends(text: str) -> list[int]:
    """Return where the lines of a text end."""
    return [found.start() for found in re.finditer("\n", text)]


def place_in(ends: Sequence[int], at: int) -> Place:
    """Return the place of a character in a text whose lines end there."""
    line = bisect_right(ends, at - 1)
    return line + 1, at - (ends[line - 1] + 1 if line else 0)


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Key, int] = {}
        self.values: dict[Key, Span] = {}
        self.names: dict[Key, Span] = {}
        self.tables: tuple[tuple[Key, Span], ...] = ()
        self.elements: dict[Key, Span] = {}
        self.ends = line_ends(text)
        self._name = (0, 0)  # the name last passed over
        self._lengths: dict[Key, int] = {}  # of arrays of tables
        self._document()

    def _document(self) -> None:
        table: Key = ()
        start = 0
        span_by_start: dict[int, tuple[Key, Span]] = {}
        while self._more():
            if self.text.startswith("[", self.at):
                start = self.at
                table = self._array_head() if self._skip("[[") else self._head()
            else:
                self._pair(table)
            span_by_start[start] = (table, (start, self.at))
        self.tables = tuple(span_by_start.values())

    def _head(self) -> Key:
        line = self._line()
        self._skip("[")
        table = self._inner((), line, *self._names())
        self._skip("]")
        self.lines[table] = line  # its own head, also where a table within it came first
        return table

    def _array_head(self) -> Key:
        line = self._line()
        array = self._inner((), line, *self._names())
        self._skip("]]")
        number = self._lengths.get(array, 0)
        self._lengths[array] = number + 1
        self.lines[(*array, number)] = line
        return (*array, number)

    def _pair(self, table: Key) -> None:
        line = self._line()
        key = self._inner(table, line, *self._names())
        self.names[key] = self._name
        self._more()
        self._skip("=")
        self._more()
        self._value(key)

    def _inner(self, table: Key, line: int, *names: str) -> Key:
        """Return the key that names lead to; those on the way stand here unless they stood before."""
        for name in names:
            if table in self._lengths:
                table = (*table, self._lengths[table] - 1)
            table = (*table, name)
            self.lines.setdefault(table, line)
        return table

    def _value(self, key: Key) -> None:
        if self._skip("["):
            for number in self._until("]"):
                element = (*key, number)
                self.lines[element] = self._line()
                start = self.at
                self._value(element)
                self.elements[element] = (start, self.at)
        elif self._skip("{"):
            for _ in self._until("}"):
                self._pair(key)
        elif written := self._take(_STRING):
            self.values[key] = (self.at - len(written), self.at)
        else:
            self._take(_SCALAR)

    def _until(self, end: str) -> Iterator[int]:
        number = 0
        while self._more() and not self._skip(end):
            yield number
            number += 1
            self._more()
            self._skip(",")

    def _names(self) -> Iterator[str]:
        while True:
            self._more()
            written = self._take(_STRING)
            name = written or self._take(_BARE_KEY)
            self._name = (self.at - len(name), self.at)
            yield tomllib.loads(f"name = {written}")["name"] if written else name
            self._more()
            if not self._skip("."):
                return

    def _more(self) -> bool:
        """Pass over blanks and comments; say whether anything follows."""
        self._take(_BLANK)
        return self.at < len(self.text)

    def _skip(self, mark: str) -> bool:
        if not self.text.startswith(mark, self.at):
            return False
        self.at += len(mark)
        return True

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            return ""
        self.at = found.end()
        return found.group()

    def _line(self) -> int:
        return bisect_right(self.ends, self.at - 1) + 1


def _begins(written: str) -> list[int]:
    """Return where each line of a text begins within the text as written, quotes included."""
    opening = _OPENING.match(written)
    begins = [opening.end() if opening else 0]
    steps = _STEP if written.startswith('"') else _LINE_END
    for step in steps.finditer(written, begins[0]):
        if step.lastgroup == "end":
            begins.append(step.end())
        elif step.lastgroup == "fold" and step.start() == begins[-1]:
            begins[-1] = step.end()  # where the first of the line's characters is
    return begins
