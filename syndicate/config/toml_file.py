"""One TOML file as read: its tables, where they stand, and problems about them."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from syndicate.config.toml_lines import Key, Place, TomlPlaces, toml_places
from syndicate.config.values import quoted
from syndicate.config.variables import fill, filled_places
from syndicate.errors import Problem
from syndicate.model import Written

MAX_BYTES = 16 * 1024 * 1024
MISSING = "there is no such file"

_PLACE = re.compile(r" \((?:at line (?P<line>\d+), column (?P<column>\d+)|at end of document)\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class TomlFile:
    """A file's tables with variables filled in, and what it takes to say where in it something is wrong."""

    name: str  # as people are told it
    tables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    written: Mapping[str, Any] = field(default_factory=dict, repr=False)  # before variables were filled in
    places: TomlPlaces = field(default_factory=TomlPlaces, repr=False)
    filled: Mapping[Key, tuple[Place, ...]] = field(default_factory=dict)  # of what variables changed
    unfilled: Mapping[Key, str] = field(default_factory=dict)  # why a text's variables could not be filled in
    overrides: Mapping[Key, str] = field(
        default_factory=dict
    )  # which environment variable set a section's key

    def line(self, key: Key) -> int:
        """Return the line of a key, else of the table that it should be in, else the first."""
        while key and key not in self.places.lines:
            key = key[:-1]
        return self.places.lines.get(key, 1)

    def text(self, *key: str | int) -> Written:
        """Return the text at a key, and where it stands."""
        return Written(text=self.at(*key), places=self.filled.get(key) or self.places.of_value(key))

    def name_of(self, *key: str | int) -> Written:
        """Return the last name of a key that has a value, and where it stands."""
        return Written(text=str(key[-1]), places=self.places.of_name(key))

    def at(self, *key: str | int) -> Any:
        """Return the value at a key, None where there is none."""
        return value_at(self.tables, key)

    def texts(self, *key: str | int) -> list[tuple[Key, str]]:
        """Return the texts of a list, each with its key; none where there is no list."""
        values = self.at(*key)
        return [
            ((*key, number), value)
            for number, value in enumerate(values if isinstance(values, list) else [])
            if isinstance(value, str) and value.strip() and not self.is_unfilled((*key, number))
        ]

    def repeats(self, *key: str | int, fold: Callable[[str], str] = str) -> Iterator[Problem]:
        """Yield a problem for each text of a list that was there before."""
        first_by_text: dict[str, Key] = {}
        for place, text in self.texts(*key):
            first = first_by_text.setdefault(fold(text), place)
            if first != place:
                yield self.mistake(place, f"is the same as number {int(first[-1]) + 1}")

    def table_keys(self, name: str) -> list[Key]:
        """Return the keys of the tables `[[name]]`."""
        tables = self.at(name)
        return [
            (name, number)
            for number, table in enumerate(tables if isinstance(tables, list) else [])
            if isinstance(table, dict)
        ]

    def problem(self, key: Key, text: str) -> Problem:
        """Return a problem at a key. A value that came from a variable, maybe a secret, shows as written."""
        if variable := self.overrides.get(key[:2]):
            return Problem(file=variable, line=0, text=text)
        value, written = value_at(self.tables, key), value_at(self.written, key)
        if isinstance(value, str) and isinstance(written, str) and value.strip() and value != written:
            text = text.replace(quoted(value), quoted(written)).replace(value, written)
        return Problem(file=self.name, line=self.line(key), text=text)

    def mistake(self, key: Key, why: str) -> Problem:
        """Return a problem with the value of a key, which is named unless the place is that name already."""
        problem = self.problem(key, why)
        return problem if key in self.overrides else replace(problem, text=f"{label(key)}: {problem.text}")

    def is_unfilled(self, key: Key) -> bool:
        """Say whether a key, or something in it, waits for a variable, so that its value means nothing."""
        return any(unfilled[: len(key)] == key for unfilled in self.unfilled)

    def table_list_problems(self, name: str) -> Iterator[Problem]:
        """Yield what is wrong with the tables `[[name]]` as a whole."""
        tables = self.at(name)
        if isinstance(tables, dict):
            yield self.problem((name,), f"write [[{name}]] with two brackets, since there can be many")
        elif tables is not None and (
            not tables or not isinstance(tables, list) or len(self.table_keys(name)) != len(tables)
        ):
            yield self.mistake((name,), f"must be tables, each headed [[{name}]]")

    def taken_ids(self, name: str) -> Iterator[Problem]:
        """Yield a problem for each of the tables `[[name]]` with the id of one before it."""
        first_by_id: dict[str, Key] = {}
        for key in self.table_keys(name):
            table_id = self.at(*key, "id")
            if not isinstance(table_id, str) or self.is_unfilled((*key, "id")):
                continue
            first = first_by_id.setdefault(table_id, key)
            if first != key:
                line = self.line((*first, "id"))
                yield self.mistake((*key, "id"), f"{quoted(table_id)} is taken by the {name} in line {line}")

    def unfilled_problems(self) -> tuple[Problem, ...]:
        """Return a problem for each text whose variables could not be filled in."""
        return tuple(self.mistake(key, why) for key, why in self.unfilled.items())

    def with_override(self, key: tuple[str, str], variable: str, value: Any) -> "TomlFile":
        """Return the file with a key of one of its tables set by an environment variable."""
        section, name = key
        return replace(
            self,
            tables={**self.tables, section: {**self.tables.get(section, {}), name: value}},
            unfilled={other: why for other, why in self.unfilled.items() if other[:2] != key},
            overrides={**self.overrides, key: variable},
        )


def read_toml(path: Path, environ: Mapping[str, str]) -> TomlFile | Problem:
    """Return what a file holds, or the one problem why that can't be said."""
    text = read_text(path)
    if isinstance(text, Unreadable):
        return Problem(file=shown(path), line=text.line, text=text.why)
    return toml_file(shown(path), text, environ)


def toml_file(name: str, text: str, environ: Mapping[str, str]) -> TomlFile | Problem:
    """Return what a file's text holds, or the one problem why that can't be said.

    Args:
        text: with lines that end as Unix has it.
    """
    try:
        written = tomllib.loads(text)
        places = toml_places(text)
        tables, unfilled = fill(written, environ)
    except RecursionError:
        return Problem(file=name, line=0, text="brackets are nested too deeply")
    except ValueError as error:  # tomllib.TOMLDecodeError, and int() refusing thousands of digits
        return _syntax_problem(name, text, str(error))
    filled = {
        key: filled_places(value_at(written, key), places.of_value(key), environ)
        for key in places.values
        if key not in unfilled and value_at(tables, key) != value_at(written, key)
    }
    return TomlFile(
        name=name, tables=tables, written=written, places=places, filled=filled, unfilled=unfilled
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Why a file's text can't be had."""

    why: str
    line: int = 0


def read_text(path: Path, max_bytes: int = MAX_BYTES) -> str | Unreadable:
    """Return a file's text, which must be UTF-8; a byte order mark is dropped."""
    try:
        with path.open("rb") as file:
            body = file.read(max_bytes + 1)
    except FileNotFoundError:
        return Unreadable(why=MISSING)
    except IsADirectoryError:
        return Unreadable(why="is a folder, not a file")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        return Unreadable(why=f"can't be read: {getattr(error, 'strerror', None) or error}")
    if len(body) > max_bytes:
        return Unreadable(why=f"has more than {max_bytes} bytes")
    try:
        return body.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        return Unreadable(why="is not UTF-8 from here on: save it in that encoding", line=line)


def value_at(tables: Any, key: Key) -> Any:
    """Return the value at a key, None where there is none."""
    for name in key:
        try:
            tables = tables[name]
        except (KeyError, IndexError, TypeError):
            return None
    return tables


def label(key: Key) -> str:
    """Return a key as people are told it, without the tables that its line shows: `urls, number 2`."""
    names = [name for name in key if isinstance(name, str)]
    last = quoted(names[-1]) if names else ""
    bare = last[1:-1]
    number = f", number {key[-1] + 1}" if key and isinstance(key[-1], int) else ""
    return f"{bare if bare.strip() else last}{number}"


def shown(path: Path) -> str:
    """Return a path as people are told it: from the current folder when inside it, else as given."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _syntax_problem(name: str, text: str, error: str) -> Problem:
    place = _PLACE.search(error)
    what = _PLACE.sub("", error)
    what = what[:1].lower() + what[1:]
    if place and place["line"]:
        why = f"is not TOML at column {place['column']}: {what}{_hint(what, text, int(place['line']))}"
        return Problem(file=name, line=int(place["line"]), text=why)
    if place:
        why = f"is not TOML at its end: {what}; is a quote or bracket left open?"
        return Problem(file=name, line=text.rstrip().count("\n") + 1, text=why)
    return Problem(file=name, line=0, text=f"is not TOML: {what}")


_KEYS = "a key with more than a-z, A-Z, 0-9, - and _ in it needs quotes"


def _hint(what: str, text: str, line: int) -> str:
    """Return what to do about a syntax error, as far as the line shows it."""
    written = text.split("\n")[line - 1]
    if set(written) & set("“”„«»"):
        return "; texts need straight quotes"
    if what == "unclosed array" and re.search(r"""["']\s+["']""", written):
        return "; is a comma missing?"
    if what.startswith("expected newline") and written.count('"') > 2:
        return "; a text with quotes in it goes between ''' and '''"
    return _HINTS.get(what, "")


_HINTS = {
    "invalid value": "; a text needs quotes",
    "invalid statement": f"; {_KEYS}",
    "invalid initial character for a key part": f"; {_KEYS}, and a table in braces is one line",
    "unescaped '\\' in a string": "; write \\\\, or put the text between single quotes",
    "illegal character '\\n'": "; the text before it needs a closing quote",
    "cannot overwrite a value": "; this key is there already",
    "expected newline or end of document after a statement": "; texts need quotes, and each key a line",
    "expected '=' after a key in a key/value pair": "; write key = value; a key with blanks needs quotes",
}
