"""The store's statements as PostgreSQL takes them. See `syndicate.store.sql` for what they are written in."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from syndicate.store.sql import Values

# What stands in texts, names and comments is met first, and left alone.
_PARTS = re.compile(
    r"""
    '(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | ::
    | \?(?P<number>\d*)
    | :(?P<name>[a-z_]\w*)
    | (?P<hint>\bINDEXED\ BY\ \w+ | \bNOT\ INDEXED\b | (?<=[\s(])\+(?=[a-z]\w*\.))
    | \bCROSS\ (?P<join>JOIN)(?=\ \w+(?:\ AS)?\ \w+(?:\ INDEXED\ BY\ \w+)?\s+ON\b)
    | \bIS\ (?P<negation>NOT\ )?(?P<compared>(?=[:?(]))
    """,
    re.VERBOSE,
)


def translated(statement: str, values: Values) -> tuple[str, Sequence[Any]]:
    """Return a statement with `$1` for its first value, and the values in that order."""
    text, names = _translated(statement)
    if isinstance(values, Mapping):
        return text, [values[name] for name in names]
    return text, values


@lru_cache(maxsize=4096)
def _translated(statement: str) -> tuple[str, tuple[str, ...]]:
    marks = _Marks()
    return _PARTS.sub(marks.replaced, statement), tuple(marks.place_by_name)


class _Marks:
    """The values of one statement, as they are met."""

    def __init__(self) -> None:
        self.place_by_name: dict[str, int] = {}
        self._last = 0

    def replaced(self, part: re.Match[str]) -> str:
        """Return what stands for a part of the statement."""
        if part["name"] is not None:
            return f"${self.place_by_name.setdefault(part['name'], len(self.place_by_name) + 1)}"
        if part["number"] is not None:
            number = int(part["number"] or self._last + 1)
            self._last = max(self._last, number)
            return f"${number}"
        if part["compared"] is not None:
            return "IS DISTINCT FROM " if part["negation"] else "IS NOT DISTINCT FROM "
        return "" if part["hint"] is not None else part["join"] or part[0]
