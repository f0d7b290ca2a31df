"""Adding sources to config.toml: nothing else in it changes, and what is written has been read before."""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from syndicate.config.reading import NO_SOURCES, read
from syndicate.config.source_tables import extended, is_faithful, source_table
from syndicate.config.toml_file import shown
from syndicate.errors import ConfigError, Problem, StoreError
from syndicate.files import remedied, replace_file
from syndicate.model import Config, Source

_BOM = "\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What was added to a config.toml, or would be."""

    sources: tuple[Source, ...]
    line: int  # where the first of them begins, from 1; 0 when there is none
    before: Config  # as it was until then


def load_to_extend(path: Path, environ: Mapping[str, str]) -> Config:
    """Return the configuration, which may have no sources yet.

    Raises:
        ConfigError: with every other problem of every file.
    """
    return _sound(path, environ, None)


def add_sources(
    path: Path,
    environ: Mapping[str, str],
    choose: Callable[[Config], Sequence[Source]],
    *,
    is_trial: bool = False,
) -> Added:
    """Add sources to a config.toml, all or none.

    Args:
        choose: returns those to add, given what is there; nobody else adds any meanwhile.
        is_trial: do everything but write.

    Raises:
        ConfigError: the file has problems, or would have; it is as it was.
        StoreError: it could not be written, and is as it was.
    """
    with _locked(path) as file:
        before = file.read_bytes()
        config = _sound(path, environ, _text(before))
        sources = tuple(choose(config))
        if not sources:
            return Added(sources=(), line=0, before=config)
        after, line = _extended(path, before, sources)
        _check(path, environ, after)
        if not is_trial:
            _write(file, before, after)
    return Added(sources=sources, line=line, before=config)


def _text(content: bytes) -> str | None:
    """Return a file's text as it is read; None when it is not UTF-8, which the reader has to say."""
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None


def _sound(path: Path, environ: Mapping[str, str], text: str | None) -> Config:
    reading = read(path, environ, text)
    problems = [problem for problem in reading.problems if problem.text != NO_SOURCES]
    if problems or reading.config is None:
        raise ConfigError(problems)
    return reading.config


def _extended(path: Path, before: bytes, sources: Sequence[Source]) -> tuple[bytes, int]:
    written = before.decode()
    mark = _BOM if written.startswith(_BOM) else ""
    text = written.removeprefix(_BOM)
    new = extended(text, sources)
    if not is_faithful(text, new.text, sources):
        why = "sources can't be put in here without touching the rest; add them by hand:"
        tables = "\n".join(map(source_table, sources))
        raise ConfigError([Problem(file=shown(path), line=0, text=why, excerpt=f"\n{tables}")])
    return (mark + new.text).encode(), new.line


def _check(path: Path, environ: Mapping[str, str], after: bytes) -> None:
    problems = read(path, environ, _text(after)).problems
    would_be = "(as it would be; nothing was changed)"
    if problems:
        raise ConfigError([replace(problem, text=f"{problem.text} {would_be}") for problem in problems])


# --------------------------------------------------------------------------- the file


@contextmanager
def _locked(path: Path) -> Iterator[Path]:
    """Yield the file itself, behind all links, which nobody who adds sources replaces meanwhile."""
    try:
        real = path.resolve(strict=True) if path.is_symlink() else path
        file = _opened_alone(real)
    except OSError as error:
        why = f"can't be read: {error.strerror}"
        problems = read(path, {}).problems or [Problem(file=shown(path), line=0, text=why)]
        raise ConfigError(problems) from error
    with file:
        yield real


def _opened_alone(path: Path) -> BinaryIO:
    while True:
        file = path.open("rb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
        file.close()  # it was replaced while we waited


def _write(file: Path, before: bytes, after: bytes) -> None:
    what = f"{shown(file)} could not be written, and is as it was"
    if not os.access(file, os.W_OK, effective_ids=True):
        raise StoreError(f"{what}: it is read-only. Let the user that runs this write to it.")
    try:
        if file.read_bytes() != before:
            raise StoreError(f"{shown(file)} was edited just now, and is as that left it: try again.")
        replace_file(file, after, file.stat())
    except OSError as error:
        raise StoreError(remedied(what, error)) from error
