"""`${VAR}` and `${VAR:-default}` in texts."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from syndicate.config.toml_lines import Key, Place, line_ends, place_in

_DOLLAR = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|\{)")


def filled(text: str, environ: Mapping[str, str]) -> str:
    """Return a text with its variables' values; `$$` is a dollar sign, as is one without a brace.

    As in a shell, a default also stands in for an empty variable.

    Raises:
        ValueError: a variable is not set, or a `${` begins none; the text says which.
    """
    return _DOLLAR.sub(lambda found: _value(found, environ), text)


def filled_places(text: str, places: Sequence[Place], environ: Mapping[str, str]) -> tuple[Place, ...]:
    """Return where each line of a text begins once it is filled, given where its lines as written do.

    Lines that a variable's value begins are where the variable stands.
    """
    ends = line_ends(text)
    begins = (place_in(ends, at) for at in _begins(text, environ))
    return tuple((places[line - 1][0], places[line - 1][1] + before) for line, before in begins)


def _begins(text: str, environ: Mapping[str, str]) -> Iterator[int]:
    yield 0
    at = 0
    for found in _DOLLAR.finditer(text):
        yield from (at + end + 1 for end in line_ends(text[at : found.start()]))
        ends = line_ends(value := _value(found, environ))
        is_written = value == found["default"]
        yield from (found.start("default") + end + 1 if is_written else found.start() for end in ends)
        at = found.end()
    yield from (at + end + 1 for end in line_ends(text[at:]))


def _value(found: re.Match[str], environ: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    if found["name"] is None:
        raise ValueError("`${` begins no variable: write ${NAME}, or $${ for the characters themselves")
    return _value_of(found["name"], found["default"], environ)


def _value_of(name: str, default: str | None, environ: Mapping[str, str]) -> str:
    value = environ.get(name)
    if default is not None:
        return value or default
    if value is None:
        raise ValueError(f"the variable {name} is not set: set it, or write ${{{name}:-some default}}")
    return value


def fill(value: Any, environ: Mapping[str, str]) -> tuple[Any, dict[Key, str]]:
    """Return a TOML value with every text in it filled, and by key what could not be."""
    if isinstance(value, str):
        try:
            return filled(value, environ), {}
        except ValueError as error:
            return value, {(): str(error)}
    if not isinstance(value, dict | list):
        return value, {}
    parts = {name: fill(part, environ) for name, part in _named(value)}
    unfilled = {(name, *key): why for name, (_, inner) in parts.items() for key, why in inner.items()}
    whole = {name: part for name, (part, _) in parts.items()}
    return (whole if isinstance(value, dict) else list(whole.values())), unfilled


def names_in(value: Any) -> frozenset[str]:
    """Return the names of all variables in the texts of a TOML value."""
    if isinstance(value, str):
        return frozenset(found["name"] for found in _DOLLAR.finditer(value) if found["name"])
    if not isinstance(value, dict | list):
        return frozenset()
    return frozenset().union(*(names_in(part) for _, part in _named(value)))


def _named(value: dict[str, Any] | list[Any]) -> Iterable[tuple[str | int, Any]]:
    return value.items() if isinstance(value, dict) else enumerate(value)
