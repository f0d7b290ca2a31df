"""Environment variables that set keys: `SYNDICATE_NETWORK__TIMEOUT=10s` is `timeout` of `[network]`."""

import tomllib
from collections.abc import Mapping
from typing import Any, get_origin

from syndicate.config.shapes import FeedsTable, NetworkTable, Service, SmtpTable, Table
from syndicate.config.toml_file import TomlFile
from syndicate.config.values import suggestion
from syndicate.config.web import WebTable
from syndicate.errors import Problem

PREFIX = "SYNDICATE_"
SECTIONS: Mapping[str, type[Table]] = {
    "service": Service,
    "network": NetworkTable,
    "web": WebTable,
    "smtp": SmtpTable,
    "feeds": FeedsTable,
}

_NOT_TEXTS = (bool, int, int | None, bool | str)  # of which the last may be one
_KEY_BY_VARIABLE = {
    f"{PREFIX}{section}__{name}".upper(): (section, name)
    for section, shape in SECTIONS.items()
    for name in shape.model_fields
}


def overridden(file: TomlFile, environ: Mapping[str, str]) -> tuple[TomlFile, list[Problem]]:
    """Return config.toml with what the environment sets, and a problem for each variable that sets nothing.

    Values are taken as they are: no variables are filled in.
    """
    problems = []
    for variable in sorted(environ):
        if not (variable.startswith(PREFIX) and "__" in variable):
            continue
        if (key := _KEY_BY_VARIABLE.get(variable)) and isinstance(file.tables.get(key[0], {}), dict):
            file = file.with_override(key, variable, _value(key, environ[variable]))
        elif not key:
            problems.append(Problem(file=variable, line=0, text=_unknown(variable)))
    return file, problems


def _value(key: tuple[str, str], text: str) -> Any:
    section, name = key
    annotation = SECTIONS[section].model_fields[name].annotation
    if get_origin(annotation) is list:
        value = _toml_value(text)
        return (
            value if isinstance(value, list) else [part.strip() for part in text.split(",") if part.strip()]
        )
    return _toml_value(text) if annotation in _NOT_TEXTS else text


def _toml_value(text: str) -> Any:
    """Return a text as TOML has it, or as it is when TOML has nothing such."""
    try:
        tables = tomllib.loads(f"value = {text.strip()}")
    except (ValueError, RecursionError):
        return text
    return tables["value"] if len(tables) == 1 else text


def _unknown(variable: str) -> str:
    section = variable.removeprefix(PREFIX).partition("__")[0].casefold()
    if section in SECTIONS:
        near = suggestion(variable, _KEY_BY_VARIABLE).replace('"', "")
        return f"sets no key of [{section}]{near}"
    *others, last = (f"[{name}]" for name in SECTIONS)
    return f"sets nothing: only keys of {', '.join(others)} and {last} can be set by the environment"
