"""What an endpoint signs with: one secret or several, in the configuration or in files of their own."""

from pathlib import Path

from syndicate.config import values
from syndicate.config.toml_file import TomlFile, Unreadable, read_text, shown
from syndicate.config.toml_lines import Key
from syndicate.errors import Problem

MAX_SECRET_BYTES = 64 * 1024
MANY_BY_ONE = {"secret": "secrets", "secret_file": "secret_files"}


def read_secrets(file: TomlFile, key: Key, folder: Path) -> tuple[tuple[str, ...], list[Problem]]:
    """Return an endpoint's secrets, the newest first, and what is wrong with the way they are given.

    What is wrong with a secret that stands in the configuration itself is told by its shape.

    Args:
        key: of the endpoint's table.
        folder: that paths are relative to.
    """
    given = [
        name
        for pair in MANY_BY_ONE.items()
        for name in pair
        if file.at(*key, name) is not None and not file.is_unfilled((*key, name))
    ]
    if len(given) > 1:
        return (), [_too_many(file, key, *given[:2])]
    secrets: dict[str, None] = {}
    problems = []
    for place, text in (found for name in given for found in _texts(file, (*key, name))):
        secret = _of_file(file, place, folder, text) if "file" in str(place[len(key)]) else text
        if isinstance(secret, Problem):
            problems.append(secret)
        elif secret in secrets:
            problems.append(file.mistake(place, "is a secret that is there already"))
        else:
            secrets[secret] = None
    return tuple(secrets), problems


def _too_many(file: TomlFile, key: Key, first: str, second: str) -> Problem:
    many = MANY_BY_ONE.get(second, second)
    return file.mistake(
        (*key, second), f"there is a {first} as well: keep one of them; {many} = [...] takes several"
    )


def _texts(file: TomlFile, place: Key) -> list[tuple[Key, str]]:
    value = file.at(*place)
    return [(place, value)] if isinstance(value, str) else file.texts(*place)


def _of_file(file: TomlFile, place: Key, folder: Path, name: str) -> str | Problem:
    try:
        path = folder / values.path(name)
    except ValueError as error:
        return file.mistake(place, str(error))
    text = read_text(path, MAX_SECRET_BYTES)
    if isinstance(text, Unreadable):
        return file.mistake(place, f"{shown(path)}: {text.why}")
    try:
        return values.secret(text.rstrip("\r\n"))
    except ValueError as error:
        return file.mistake(place, f"{shown(path)}: {error}")
