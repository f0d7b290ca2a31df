"""What every command needs: the configuration, the store, and ways to print. The only place that prints."""

import asyncio
import difflib
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from syndicate import config, loading
from syndicate.config import duration
from syndicate.loading import Loaded
from syndicate.model import Config
from syndicate.report_words import Line, bracketed
from syndicate.store.opening import open_store
from syndicate.store.sql_store import SqlStore

PIPE_WIDTH = 10_000  # more than any row; a table takes what it needs

out = Console(
    soft_wrap=True,
    highlight=False,
    markup=False,  # what sources and people write is printed as it is
    emoji=False,
    width=None if sys.stdout.isatty() else PIPE_WIDTH,
)
err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything failed.")]


def load(context: typer.Context) -> Loaded:
    """Return the configuration that the options name."""
    loaded: Loaded = loading.load(context.obj.config, os.environ)
    return loaded


def load_to_extend(context: typer.Context) -> Config:
    """Return the configuration that the options name, which may have no sources yet."""
    return config.load_to_extend(context.obj.config, os.environ)


@contextmanager
def opened(loaded: Loaded) -> Iterator[SqlStore]:
    """Open the store beside a service that may be running: nothing will be claimed."""
    store = open_store(loaded.config.service.database, works=False)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def busy() -> Iterator[None]:
    """Show that something is going on, while a person waits."""
    with err.status("looking ...") if err.is_terminal else nullcontext():
        yield


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def since_time(text: str | None, now: datetime) -> datetime | None:
    """Return the time that a duration before now names, None for none."""
    return None if text is None else time_before(text, now)


def time_before(text: str, now: datetime) -> datetime:
    """Return the time that `--since` names."""
    try:
        return now - duration(text)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint="--since") from error


def known(option: str, name: str | None, names: Sequence[str]) -> None:
    """Refuse a name that is not configured, and suggest the nearest one."""
    if name is None or name in names:
        return
    nearest = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    raise typer.BadParameter(f"there is no {name!r} in the configuration{hint}", param_hint=option)


_WHOLE = frozenset({"id", "date", "source", "endpoint", "state", "made"})  # columns that are not broken


def print_table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], empty: str, narrow: Sequence[Line] = ()
) -> None:
    """Print rows: within a terminal's width, names whole; as wide as they need to be where nobody watches.

    There, every column is there at each time; a person is not shown those with nothing in them. Where rows
    would have to be broken to fit, the narrow lines are printed instead, if any are given.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    found = list(rows)
    shown = [at for at in range(len(titles)) if not out.is_terminal or any(row[at] for row in found)]
    for at in shown:
        table.add_column(titles[at], no_wrap=titles[at] in _WHOLE, overflow="fold")
    for row in found:
        table.add_row(*(row[at] for at in shown))
    if found and narrow and out.is_terminal and _natural_width(table) > out.width:
        print_lines(narrow)
        return
    out.print(table if found else empty, crop=False)


def _natural_width(table: Table) -> int:
    return out.measure(table, options=out.options.update(max_width=PIPE_WIDTH)).maximum


def print_lines(lines: Iterable[Line]) -> None:
    """Print lines, with what is marked in them bold and underlined, or in brackets where that cannot be."""
    for line in lines:
        if out.color_system is None:
            out.print(" " * line.indent + bracketed(line))
            continue
        text = Text(line.text)
        for start, end in line.marks:
            text.stylize("bold underline", start, end)
        out.print(Padding(text, (0, 0, 0, line.indent), expand=False), soft_wrap=False)


def print_bytes(data: bytes) -> None:
    """Print a document as it is."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def print_json(value: object) -> None:
    """Print JSON."""
    print(json.dumps(value, ensure_ascii=False, indent=2))
