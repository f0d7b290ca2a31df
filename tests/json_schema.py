"""JSON Schema (draft 2020-12), the part of it that our schema uses. A keyword not known here is an error."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_NOTES = {"$schema", "title", "description", "$defs"}


def faults(value: Any, schema: Schema, root: Schema | None = None, at: str = "$") -> Iterator[str]:
    """Yield what a value has that its schema forbids, and where."""
    root = schema if root is None else root
    for keyword, wanted in schema.items():
        if keyword in _NOTES:
            continue
        yield from (
            _INNER[keyword](value, wanted, root, at)
            if keyword in _INNER
            else _simple(value, keyword, wanted, at)
        )


def _simple(value: Any, keyword: str, wanted: Any, at: str) -> Iterator[str]:
    if not _SIMPLE[keyword](value, wanted):
        yield f"{at}: {keyword} {wanted}: {value!r}"


def _is_of(value: Any, kinds: str | list[str]) -> bool:
    names = [kinds] if isinstance(kinds, str) else kinds
    is_bool = isinstance(value, bool)
    return any(isinstance(value, _TYPES[name]) and (not is_bool or name == "boolean") for name in names)


def _text(holds: Callable[[str, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, wanted: not isinstance(value, str) or holds(value, wanted)


def _list(holds: Callable[[list[Any], Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, wanted: not isinstance(value, list) or holds(value, wanted)


_SIMPLE: dict[str, Callable[[Any, Any], bool]] = {
    "type": _is_of,
    "const": lambda value, wanted: type(value) is type(wanted) and value == wanted,
    "enum": lambda value, wanted: value in wanted,
    "required": lambda value, wanted: not isinstance(value, dict) or value.keys() >= set(wanted),
    "minimum": lambda value, wanted: not _is_of(value, "number") or value >= wanted,
    "maximum": lambda value, wanted: not _is_of(value, "number") or value <= wanted,
    "minLength": _text(lambda text, wanted: len(text) >= wanted),
    "maxLength": _text(lambda text, wanted: len(text) <= wanted),
    "pattern": _text(lambda text, wanted: re.search(wanted, text) is not None),
    "minItems": _list(lambda values, wanted: len(values) >= wanted),
    "maxItems": _list(lambda values, wanted: len(values) <= wanted),
}


def _referred(value: Any, reference: str, root: Schema, at: str) -> Iterator[str]:
    yield from faults(value, root["$defs"][reference.removeprefix("#/$defs/")], root, at)


def _properties(value: Any, inner: Mapping[str, Schema], root: Schema, at: str) -> Iterator[str]:
    for name, schema in inner.items():
        if isinstance(value, dict) and name in value:
            yield from faults(value[name], schema, root, f"{at}.{name}")


def _items(value: Any, inner: Schema, root: Schema, at: str) -> Iterator[str]:
    for index, each in enumerate(value if isinstance(value, list) else ()):
        yield from faults(each, inner, root, f"{at}[{index}]")


def _all_of(value: Any, inner: list[Schema], root: Schema, at: str) -> Iterator[str]:
    for schema in inner:
        yield from faults(value, schema, root, at)


def _one_of(value: Any, inner: list[Schema], root: Schema, at: str) -> Iterator[str]:
    found = [list(faults(value, schema, root, at)) for schema in inner]
    if sum(not each for each in found) != 1:
        yield f"{at}: not one of {len(inner)}: {found}"


_INNER: dict[str, Callable[[Any, Any, Schema, str], Iterator[str]]] = {
    "$ref": _referred,
    "properties": _properties,
    "items": _items,
    "allOf": _all_of,
    "oneOf": _one_of,
}
