"""Editing files of rules: each is written whole, and the version before it is kept.

Nothing is written that would not be taken over as a whole.
"""

import codecs
import fcntl
import hashlib
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from syndicate import loading
from syndicate.config import identifier
from syndicate.config.source_tables import quoted_text
from syndicate.config.toml_file import Unreadable, read_text, shown
from syndicate.config.variables import names_in
from syndicate.errors import ConfigError, Problem, StoreError
from syndicate.files import remedied, replace_file
from syndicate.model import Config

NEW = ""  # the digest of a file that is not there yet


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """A file of rules, as it is now."""

    path: Path
    text: str  # as it is in the file now
    digest: str  # of its text when the edit began; NEW: it was not there yet


def file_of(config: Config, rule: str) -> RuleFile | None:
    """Return the file that a rule stands in, also one that is not taken over yet; None if there is none.

    Raises:
        ConfigError: it can't be read.
    """
    paths = [Path(text.file).absolute() for text in config.rules if text.id == rule]
    if not paths and not _is_identifier(rule):
        return None
    path = paths[0] if paths else config.service.rules / f"{rule}.toml"
    text = _text(path)
    return None if text is None else RuleFile(path=path, text=text, digest=_digest(text))


def rule_text(title: str, query: str, notify: str = "") -> str:
    """Return the text of a file with one rule, which asks by a query.

    Args:
        notify: the endpoint that is told; empty: none is.
    """
    query = query.strip()
    lines = query.split("\n")
    is_literal = "'''" not in query and "$" not in query and all(map(str.isprintable, lines))
    asked = quoted_text(query)
    if is_literal:
        asked = f"'''\n{query}\n'''" if len(lines) > 1 or "'" in query else f"'{query}'"
    told = f"notify = [{quoted_text(notify)}]\n" if notify else ""
    return f"title = {quoted_text(title)}\nquery = {asked}\n{told}"


def new_file(config: Config, rule: str) -> RuleFile:
    """Return the file that a new rule is to stand in.

    Raises:
        ConfigError: that is no id for a rule, or it is taken.
    """
    path = config.service.rules / f"{rule}.toml"
    try:
        identifier(rule)
    except ValueError as error:
        raise _refusal(Path(rule[:80]), f"a rule's id {error}") from error
    if any(text.id == rule for text in config.rules) or path.exists():
        raise _refusal(path, f"the id {rule} is taken: choose another, or edit that rule")
    return RuleFile(path=path, text="", digest=NEW)


def environ_of(file: RuleFile, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables that a file of rules has already, with their values.

    Whoever edits a page must not learn the values of others: they may be secrets.
    """
    return {name: environ[name] for name in _variables(file.text) if name in environ}


def check_variables(file: RuleFile, text: str) -> None:
    """Refuse a text with variables that its file has not already.

    Raises:
        ConfigError: it has some.
    """
    if unknown := sorted(_variables(text) - _variables(file.text)):
        why = "variables, which may be secrets, are not put in from here: edit the file itself"
        raise _refusal(file.path, f"${{{unknown[0]}}}: {why}")


def _variables(text: str) -> frozenset[str]:
    try:
        return names_in(tomllib.loads(text))
    except (ValueError, RecursionError):  # which whoever reads the file says
        return frozenset()


def save(config: Config, environ: Mapping[str, str], file: RuleFile, text: str) -> tuple[str, ...]:
    """Write a file of rules, and keep the version before it; return the ids of the rules that are in it.

    Args:
        file: as it was when the edit began. What others have written since is not overwritten.

    Raises:
        ConfigError: it would have problems; nothing was changed.
        StoreError: it could not be written, and is as it was.
    """
    check_variables(file, text)
    loaded = loading.load(config.path, environ, {file.path: text})
    what = f"{shown(file.path)} could not be written, and is as it was"
    try:
        with _alone(config.service.rules):
            before = _text(file.path)
            if (NEW if before is None else _digest(before)) != file.digest:
                raise StoreError(f"{shown(file.path)} was edited meanwhile: open it again, and edit that.")
            if before is not None:
                _keep(config, file.path)
            _write(file.path, text)
    except OSError as error:
        raise StoreError(remedied(what, error)) from error
    return tuple(each.id for each in loaded.config.rules if Path(each.file).absolute() == file.path)


def _keep(config: Config, path: Path) -> None:
    """Keep a copy of a file where no rule is read from."""
    folder = config.service.previous
    folder.mkdir(parents=True, exist_ok=True)
    moment = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    kept = folder / f"{path.stem}-{moment:%Y%m%dT%H%M%S.%fZ}.toml"
    replace_file(kept, path.read_bytes(), path.stat())


def _write(path: Path, text: str) -> None:
    if not path.exists():
        replace_file(path, text.encode())
        return
    real = path.resolve(strict=True)  # a link stays one
    if not os.access(real, os.W_OK, effective_ids=True):
        why = "is read-only, and is as it was. Let the user that runs this write to it."
        raise StoreError(f"{shown(path)} {why}")
    before = real.read_bytes()
    mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
    is_of_windows = before.count(b"\r\n") * 2 > before.count(b"\n")
    replace_file(real, mark + text.encode().replace(b"\n", b"\r\n" if is_of_windows else b"\n"), real.stat())


def _is_identifier(rule: str) -> bool:
    try:
        identifier(rule)
    except ValueError:
        return False
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others from editing in a folder meanwhile, by this way."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _text(path: Path) -> str | None:
    text = read_text(path)
    if isinstance(text, str):
        return text
    if not path.exists():
        return None
    raise _problem(path, text)


def _problem(path: Path, why: Unreadable) -> ConfigError:
    return ConfigError([Problem(file=shown(path), line=why.line, text=why.why)])


def _refusal(path: Path, why: str) -> ConfigError:
    return ConfigError([Problem(file=shown(path), line=0, text=why)])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
