"""Where each key of a TOML text stands: tomllib keeps values only, and people need lines.

Works on text that tomllib has accepted, so it only has to find its way, not to judge.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping

Key = tuple[str | int, ...]  # names of tables and keys, and numbers of array elements from 0

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


def toml_lines(text: str) -> Mapping[Key, int]:
    """Return the line, from 1, of every table, key and array element of a valid TOML text.

    A table made by nothing but names within it (`[a.b]` makes `a`) stands where the first of them does.
    """
    return _Walk(text).lines


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Key, int] = {}
        self._breaks = [found.start() for found in re.finditer("\n", text)]
        self._lengths: dict[Key, int] = {}  # of arrays of tables
        self._document()

    def _document(self) -> None:
        table: Key = ()
        while self._more():
            if self._skip("[["):
                table = self._array_head()
            elif self._skip("["):
                table = self._head()
            else:
                self._pair(table)

    def _head(self) -> Key:
        line = self._line()
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
                self._value(element)
        elif self._skip("{"):
            for _ in self._until("}"):
                self._pair(key)
        else:
            self._take(_STRING) or self._take(_SCALAR)

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
            yield tomllib.loads(f"name = {written}")["name"] if written else self._take(_BARE_KEY)
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
        return bisect_right(self._breaks, self.at - 1) + 1
