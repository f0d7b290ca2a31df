"""A folder with a configuration in it, and the command as its owner runs it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.support import ROOT

SYNDICATE = (sys.executable, "-m", "syndicate")
Found = TypeVar("Found")
RUN = (str(ROOT / "run"),)
LOOPBACK = {"allow_private": ["127.0.0.0/8"], "host_interval": "0s"}
_LISTENING = re.compile(r"service\.started.* listening=(\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A configuration and its files."""

    folder: Path
    command: tuple[str, ...] = SYNDICATE

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def database(self) -> Path:
        return self.folder / "data/syndicate.db"

    @property
    def log(self) -> Path:
        """What `run` said, the last time."""
        return self.folder / "run.log"

    @property
    def pid(self) -> Path:
        """The process of `running`, the last time."""
        return self.folder / "run.pid"

    def write(self, *tables: str, rules: Mapping[str, str] | None = None) -> None:
        """Write config.toml; `rules` are files by id, which are added to those there."""
        (self.folder / "rules").mkdir(exist_ok=True)
        self.config.write_text("\n".join(tables), encoding="utf-8")
        for name, text in (rules or {}).items():
            self.write_rule(name, text)

    def write_rule(self, name: str, text: str) -> None:
        """Write a rule's file."""
        (self.folder / f"rules/{name}.toml").write_text(text, encoding="utf-8")

    def call(self, *words: str, status: int | None = 0, **environ: str) -> Called:
        """Return what a command did; None takes any exit status."""
        done = subprocess.run(
            [*self.command, "--config", str(self.config), *words],
            cwd=self.folder,
            env=environment(**environ),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        called = Called(status=done.returncode, out=done.stdout, err=done.stderr)
        assert status in (None, called.status), called
        return called

    def json(self, *words: str, **environ: str) -> Any:
        """Return what a command prints with --json."""
        return self.call(*words, "--json", status=0, **environ).json

    def start(self, **environ: str) -> subprocess.Popen[bytes]:
        """Return the service, starting. Its log is a new one."""
        self.log.unlink(missing_ok=True)
        with self.log.open("xb") as log:
            return subprocess.Popen(
                [*self.command, "--config", str(self.config), "run"],
                cwd=self.folder,
                env=environment(**environ),
                stdout=log,
                stderr=log,
            )

    @contextmanager
    def running(self, **environ: str) -> Iterator[str]:
        """Run the service, until it is told to stop; yield the address where it is served."""
        process = self.start(**environ)
        self.pid.write_text(str(process.pid))
        try:
            yield f"http://{self.listening(process)}"
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, self.log.read_text()
        finally:
            process.kill()
            process.wait()

    def listening(self, process: subprocess.Popen[bytes]) -> str:
        """Return host:port where the service is served, once it is."""

        def found() -> list[str]:
            assert process.poll() is None, self.log.read_text()
            return _LISTENING.findall(self.log.read_text())

        return eventually(found)[-1]


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a command, without what is meant for another configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SYNDICATE_")}
    return {**kept, "PYTHONPATH": str(ROOT), **variables}


def eventually(look: Callable[[], Found | None], seconds: float = 60) -> Found:
    """Return what a look finds, once it finds something."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, look
        time.sleep(0.02)


def service(**keys: object) -> str:
    """Return [service], listening on any free port."""
    return _table("[service]", {"listen": "127.0.0.1:0", **keys})


def network(**keys: object) -> str:
    """Return [network], which lets this machine be reached, as fast as it can."""
    return _table("[network]", LOOPBACK | keys)


def source(identity: str, *urls: str, **keys: object) -> str:
    """Return a [[source]]."""
    return _table("[[source]]", {"id": identity, "urls": list(urls), **keys})


def endpoint(identity: str, url: str = "", **keys: object) -> str:
    """Return an [[endpoint]]."""
    return _table("[[endpoint]]", {"id": identity, "url": url, **keys})


def rule(*keywords: str, **keys: object) -> str:
    """Return a rule's file."""
    return _table("", {"keywords": list(keywords), **keys})


def _table(head: str, keys: Mapping[str, object]) -> str:
    return "\n".join([head, *(f"{name} = {_value(value)}" for name, value in keys.items()), ""])


def _value(value: object) -> str:
    # JSON's texts, numbers, truths and lists are TOML's.
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{name} = {_value(each)}' for name, each in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)
