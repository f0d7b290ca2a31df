"""The commands; those of one subject are in `cli_rules`, `cli_sources`, `cli_deliveries` and their like.

Exit status: 0 the command did its work, also if a source or an endpoint failed and that was said; 1 the work
could not be done, or with --strict anything failed; 2 the configuration or the command line is wrong.
"""

import asyncio
import logging
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from syndicate import (
    __version__,
    cli_deliveries,
    cli_feeds,
    cli_hub,
    cli_rules,
    cli_silences,
    cli_sources,
    cli_web,
    loading,
    report,
)
from syndicate.backfill import search
from syndicate.config import duration
from syndicate.errors import ConfigError, SyndicateError
from syndicate.loading import Loaded
from syndicate.model import Poll, Recorded
from syndicate.report_words import counted
from syndicate.service import Service
from syndicate.store.searching import ItemFilter
from syndicate.terminal import (
    AsJson,
    Strict,
    err,
    known,
    load,
    opened,
    out,
    print_json,
    print_table,
    since_time,
    stop_on_signals,
)

app = typer.Typer(
    name="syndicate",
    help="Watch news sources, match every item against your rules, publish a feed per rule, alert people.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(cli_sources.sources_app, name="sources")
app.add_typer(cli_deliveries.deliveries_app, name="deliveries")
app.add_typer(cli_deliveries.endpoints_app, name="endpoints")
app.add_typer(cli_silences.silences_app, name="silence")


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Options:
    """What stands before the command."""

    config: Path
    log_level: LogLevel | None  # None: as the command thinks best


def main() -> None:
    """Run the command line; turn expected errors into a text and an exit status."""
    try:
        app(prog_name=os.environ.get("SYNDICATE_COMMAND", "syndicate"))
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except ConfigError as error:
        for problem in error.problems:
            err.print(str(problem))
        sys.exit(2)
    except SyndicateError as error:
        err.print(str(error))
        sys.exit(1)


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"syndicate {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    config: Annotated[Path, typer.Option(envvar="SYNDICATE_CONFIG", help="The configuration file.")] = Path(
        "config.toml"
    ),
    log_level: Annotated[
        LogLevel | None,
        typer.Option(help="How much to log. Default: info for run and once."),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watch news sources, match every item against your rules, publish a feed per rule, alert people.

    With options but no command it runs the service.
    """
    set_up_logging(log_level or LogLevel.WARNING)
    context.obj = Options(config=config, log_level=log_level)
    if context.invoked_subcommand is None:
        run(context)


@app.command()
def run(context: typer.Context) -> None:
    """Run the service until stopped.

    It polls, matches, publishes, alerts, and serves the feeds and the pages.
    """
    loaded = load(context)
    set_up_logging(context.obj.log_level or "info")
    asyncio.run(_run(loaded, partial(load, context)))


@app.command()
def once(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Poll all sources, whether due or not.")] = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Poll what is due once, for cron.

    Polls every due source, matches, publishes, delivers what is due, and says what happened.

    Progress is shown while a person watches; otherwise structured logs go to standard error.
    """
    loaded = load(context)
    is_watched = err.is_terminal and not context.obj.log_level
    set_up_logging("error" if is_watched else context.obj.log_level or "info")
    with progress(len(loaded.config.sources), is_watched) as advance:
        done = asyncio.run(_once(loaded, everything, advance))
    if as_json:
        print_json([report.poll_json(poll, recorded) for poll, recorded in done.polls])
    else:
        for line in report.summary(loaded, done):
            out.print(line)
    if strict and done.has_failed:
        raise typer.Exit(1)


@app.command()
def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Check the configuration.

    Reads config.toml and all rules, runs their examples, and prints every problem as `file:line: problem`.

    Of rules without problems, hints say what may mean otherwise than it seems.
    """
    try:
        loaded = load(context)
    except ConfigError as error:
        if not as_json:
            raise
        print_json([report.problem_json(problem) for problem in error.problems])
        raise typer.Exit(2) from error
    if as_json:
        print_json([])
        return
    for hint in loading.hints(loaded):
        out.print(f"hint: {hint}")
    sizes = (
        (loaded.config.sources, "source"),
        (loaded.rules, "rule"),
        (loaded.config.endpoints, "endpoint"),
    )
    counts = ", ".join(counted(len(some), word) for some, word in sizes)
    out.print(f"{context.obj.config}: no problems: {counts}.")


@app.command()
def items(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help='Words that must all occur, "a phrase", or any query.')] = "",
    rule: Annotated[str | None, typer.Option(help="Only items that this rule holds for.")] = None,
    source: Annotated[str | None, typer.Option(help="Only items of this source.")] = None,
    since: Annotated[str | None, typer.Option(help="Only items younger than this: 12h, 7d, 2w.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List stored items, newest first."""
    loaded = load(context)
    known("--rule", rule, [each.id for each in loaded.rules])
    known("--source", source, [each.id for each in loaded.config.sources])
    with opened(loaded) as store:
        which = ItemFilter(rule=rule, source=source, since=since_time(since, store.now()), limit=limit)
        asked = cli_rules.query_trial("QUERY", query, loaded).rule if query.strip() else None
        found = [each for each, _ in search(store, asked, which, loaded.known)]
    if as_json:
        print_json([report.item_json(each) for each in found])
    else:
        titles = ("id", "date", "source", "title", "rules")
        print_table(titles, map(report.item_row, found), "No items.")


app.command()(cli_rules.explain)
app.command("try")(cli_rules.try_)
app.command()(cli_rules.diff)
app.command()(cli_rules.backfill)
app.command()(cli_rules.spikes)
app.command()(cli_feeds.feeds)
app.command()(cli_hub.hub)
app.command()(cli_web.password)
app.command()(cli_web.token)


@app.command()
def demo(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Where to serve. Default: 8080, or any that is free.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="End after this long. Default: run until stopped.")
    ] = None,
    pace: Annotated[str, typer.Option(help="How often an article appears, at least 1s.")] = "4s",
    folder: Annotated[
        Path | None, typer.Option(help="Keep its configuration, rules and database in this new folder.")
    ] = None,
) -> None:
    """Show everything without internet.

    Sample outlets, rules over them, their feeds, and a receiver that prints verified alerts.
    """
    from syndicate import demo as show  # noqa: PLC0415  no other command needs it

    set_up_logging(context.obj.log_level or LogLevel.ERROR)
    try:
        options = show.Options(
            port=port, seconds=seconds, pace=max(duration(pace), timedelta(seconds=1)), folder=folder
        )
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--pace") from error

    async def show_all() -> None:
        await show.run(out, stop_on_signals(), options)

    asyncio.run(show_all())


async def _run(loaded: Loaded, read_again: Callable[[], Loaded]) -> None:
    from syndicate.web import server  # noqa: PLC0415  other commands start faster without

    stop = stop_on_signals()
    settings = loaded.config.service
    service_ = Service(loaded, random=random.random, read_again=read_again)
    with service_.hang_ups(stop), server.listen(settings.host, settings.port) as listening:
        async with service_ as running:
            await running.run(stop, listening)


async def _once(loaded: Loaded, everything: bool, advance: Callable[[str], None]) -> report.Run:
    polls: list[tuple[Poll, Recorded]] = []

    def heard(poll: Poll, recorded: Recorded) -> None:
        polls.append((replace(poll, changes=()), recorded))  # the items are kept already
        advance(poll.claim.source.id)

    async with Service(loaded, random=random.random, heard=heard) as running:
        feeds_changed, totals = await running.once(everything=everything)
    return report.Run(
        backfilled=running.backfilled, polls=tuple(polls), feeds_changed=feeds_changed, deliveries=totals
    )


@contextmanager
def progress(sources: int, is_watched: bool) -> Iterator[Callable[[str], None]]:
    """Show how many of the sources have been polled, while a person watches."""
    columns = (TextColumn("polling"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=err, transient=True, disable=not is_watched) as bar:
        task, polled = bar.add_task("", total=sources), set[str]()

        def advance(source: str) -> None:
            polled.add(source)
            bar.update(task, completed=len(polled), description=source)

        yield advance


def set_up_logging(level: str) -> None:
    """Log to standard error: for a person in colours, else as logfmt; libraries only from warnings on."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(stream=sys.stderr, level=max(number, logging.WARNING), force=True)
    renderer: structlog.typing.Processor = structlog.processors.LogfmtRenderer(
        key_order=["timestamp", "level", "event"], drop_missing=True
    )
    if sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
