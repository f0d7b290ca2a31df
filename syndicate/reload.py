"""Noticing that the configuration may have changed: its files are watched, and SIGHUP asks at once."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from watchfiles import Change, awatch

from syndicate.model import Config

log = structlog.get_logger(__name__)

SETTLED_MILLISECONDS = 400  # of quiet, since an editor writes in several steps


async def watch(config: Config, changed: asyncio.Event) -> None:
    """Set `changed` whenever config.toml or a rule file was written, made or removed; until cancelled."""
    folders = {config.path.parent, config.service.rules, config.service.rules.parent}

    def is_ours(_change: Change, path: str) -> bool:
        # Where files are mounted, as by Kubernetes, it is a link beside them (`..data`) that changes; and the
        # folder of the rules may be replaced as a whole.
        changed = Path(path)
        is_file = changed.parent in folders and (changed.suffix == ".toml" or changed.name.startswith(".."))
        return is_file or changed == config.service.rules

    try:
        async for _ in awatch(*folders, watch_filter=is_ours, recursive=False, debounce=SETTLED_MILLISECONDS):
            changed.set()
    except OSError as error:
        log.warning("config.not_watched", error=str(error), reason="changes are read on SIGHUP only")


def is_edited(config: Config, since: float) -> bool:
    """Say whether a file of the configuration was written since a time, in seconds since 1970."""
    try:
        files = [config.path, config.service.rules, *config.service.rules.glob("*.toml")]
        return any(path.stat().st_mtime >= since for path in files)
    except OSError:
        return True


@contextmanager
def hang_ups(asked: asyncio.Event, stop: asyncio.Event) -> Iterator[None]:
    """Set `asked` at each SIGHUP; `stop` where that says that the terminal was closed under us."""
    is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # as nohup has it
    is_of_terminal = os.isatty(0) and not is_ignored
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, stop.set if is_of_terminal else asked.set)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
