"""The commands about sources: what there is to watch, adding it, and how each is."""

import asyncio
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from syndicate import adding, config, loading, report_sources
from syndicate.adding import Wish
from syndicate.config import Added
from syndicate.errors import NetworkError, ParseError
from syndicate.feeds.publish import write
from syndicate.http import Client, Response
from syndicate.loading import Loaded
from syndicate.model import Config, Source, SourceStatus
from syndicate.report import SOURCE_TITLES, source_json, source_row
from syndicate.report_sources import Extension, Shown
from syndicate.sources import opml
from syndicate.sources.discover import Discovery
from syndicate.sources.leads import Found, Via
from syndicate.sources.opml import SourceList
from syndicate.sources.planning import feed_address, listed, plan
from syndicate.store.sql_store import SqlStore
from syndicate.terminal import (
    AsJson,
    busy,
    err,
    known,
    load,
    load_to_extend,
    opened,
    out,
    print_bytes,
    print_json,
    print_table,
)

MAX_LIST_BYTES = 16 * 1024 * 1024

sources_app = typer.Typer(rich_markup_mode=None)

Ids = Annotated[list[str], typer.Argument(metavar="ID", help="The ids of sources.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and write nothing.")]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", help="A tag for what is added; may be given several times.")
]


@sources_app.callback(invoke_without_command=True)
def sources(context: typer.Context, as_json: AsJson = False) -> None:
    """What is watched. Without a command: list the sources, and how each is."""
    if context.invoked_subcommand is not None:
        return
    loaded = load(context)
    with opened(loaded) as store:
        now, statuses = store.now(), loading.source_statuses(loaded, store)
    if as_json:
        print_json([source_json(status) for status in statuses])
        return
    rows = [source_row(status, now) for status in statuses]
    narrow = [line for status in statuses for line in report_sources.source_lines(status, now)]
    print_table(SOURCE_TITLES, rows, "No sources.", narrow)


@sources_app.command()
def discover(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="URL", help="A feed, or any page of a site.")],
    as_json: AsJson = False,
) -> None:
    """Look for what could be watched at an address.

    A feed itself; else what its page names, where sites usually have one, and the sitemaps in robots.txt. The
    best comes first. Nothing is stored.
    """
    found = looked_around(load_to_extend(context), address)
    if as_json:
        print_json(report_sources.discovery_json(found))
        return
    now = datetime.now(UTC)
    titles = ("address", "title", "format", "entries", "newest", "found")
    rows = (report_sources.found_row(each, now) for each in found.found)
    narrow = [line for each in found.found for line in report_sources.found_lines(each, now)]
    print_table(titles, rows, f"Nothing to watch was found at {found.address}.", narrow)
    for line in report_sources.tried_lines(found):
        err.print(line)


@sources_app.command()
def add(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="URL", help="A feed, or any page of a site.")],
    source_id: Annotated[
        str | None, typer.Option("--id", help="Its id; by default made of its title or host.")
    ] = None,
    tags: Tags = None,
    interval: Annotated[str | None, typer.Option(help="How often to poll: 30m, 2h.")] = None,
    full_text: Annotated[
        bool, typer.Option("--full-text", help="Also fetch the page of each new item.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add the best that is found at an address to config.toml.

    Nothing else in the file changes. A service that runs takes it over by itself.
    """
    settings = load_to_extend(context)
    wish = Wish(
        id=source_id,
        tags=distinct(tags),
        interval=None if interval is None else length_of(interval),
        full_text=full_text,
    )
    with refused("--id"):
        adding.check_id(source_id, settings.sources)
    discovery = looked_around(settings, address)
    best = best_of(discovery)
    with refused("--id"):
        added, skipped = adding.add(context.obj.config, os.environ, best, wish, is_trial=dry_run)
    if skipped:
        is_given = best.via is Via.GIVEN
        named = best.url if is_given else f"The best at {discovery.address} is {best.url}, which"
        err.print(f"{named} {skipped.why}. Nothing was changed.")
        raise typer.Exit(1)
    tell_added(extension_of(context, added, is_trial=dry_run), discovery, as_json=as_json)


@sources_app.command()
def refresh(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="The ids of sources.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All sources.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make sources due now, for the service to poll.

    Hosts that asked to be left alone still are.
    """
    if bool(ids) == everything:
        raise typer.BadParameter("name sources, or give --all", param_hint="ID")
    loaded = load(context)
    configured = [each.id for each in loaded.config.sources]
    for name in ids or ():
        known("ID", name, configured)
    with opened(loaded) as store:
        store.poll_now(ids or None)
        now, is_worked_on = store.now(), store.is_worked_on()
        statuses = loading.source_statuses(loaded, store)
    wanted = set(ids or configured)
    chosen = [status for status in statuses if status.id in wanted]
    if as_json:
        print_json([report_sources.refresh_json(status, now) for status in chosen])
        return
    for status in chosen:
        out.print(report_sources.refresh_line(status, now))
    out.print(
        "The service polls what is due." if is_worked_on else "No service runs: `once` polls what is due."
    )


@sources_app.command()
def pause(context: typer.Context, ids: Ids) -> None:
    """Poll sources no more, until they are resumed.

    That outlasts restarts. What a poll under way finds is still kept.
    """
    with _known_sources(context, ids) as (store, before):
        store.watch.pause(ids)
        for name in ids:
            out.print(report_sources.paused_line(before[name]))


@sources_app.command()
def resume(context: typer.Context, ids: Ids) -> None:
    """Poll paused sources again, from now on."""
    with _known_sources(context, ids) as (store, before):
        store.watch.resume(ids)
        for name in ids:
            out.print(report_sources.resumed_line(before[name]))


@sources_app.command()
def show(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="ID", help="The source's id.")],
    as_json: AsJson = False,
) -> None:
    """Show everything known of a source.

    Its configuration, its addresses, how it was answered, when it is polled next, its newest items.
    """
    loaded = load(context)
    with opened(loaded) as store:
        now, shown = store.now(), shown_source(loaded, store, source)
    if as_json:
        print_json(report_sources.shown_json(shown))
        return
    for line in report_sources.shown_lines(shown, now):
        out.print(line)


@sources_app.command("import")
def import_(
    context: typer.Context,
    place: Annotated[
        str, typer.Argument(metavar="FILE", help="An OPML file, its address, or - for standard input.")
    ],
    tags: Tags = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add the feeds of an OPML list to config.toml.

    Folders become tags. What is there already is skipped, what is of no use is said. All are added, or none.
    """
    settings = load_to_extend(context)
    found = read_list(settings, place)
    wanted = [replace(each, tags=distinct((*each.tags, *(tags or ())))) for each in found.sources]

    def choose(present: Config) -> Sequence[Source]:
        return plan(wanted, present.sources).sources

    added = config.add_sources(context.obj.config, os.environ, choose, is_trial=dry_run)
    extension = extension_of(context, added, is_trial=dry_run)
    skipped = plan(wanted, added.before.sources).skipped
    if as_json:
        print_json(report_sources.import_json(extension, skipped, found.unusable))
        return
    for line in report_sources.import_lines(extension, skipped, found.unusable):
        out.print(line)


@sources_app.command()
def export(
    context: typer.Context,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of printing.")] = None,
) -> None:
    """Print the sources as an OPML list, which other readers import.

    The first tag of a source is its folder. Disabled sources are left out.
    """
    settings = load(context).config
    enabled = [each for each in settings.sources if each.enabled]
    wanted = listed(enabled)
    document = opml.render(settings.service.title, wanted)
    if output is None:
        print_bytes(document)
    else:
        write(output.absolute(), document)
    for source in enabled:
        if feed_address(source) is None:
            err.print(f"{source.id} is left out: it has no feed, and a list holds nothing else.")
    for tag in opml.lost_tags(wanted):
        err.print(f"The tag {tag!r} is left out where it is not a source's first: OPML has no such category.")


# --------------------------------------------------------------------------- pausing


@contextmanager
def _known_sources(
    context: typer.Context, ids: Sequence[str]
) -> Iterator[tuple[SqlStore, Mapping[str, SourceStatus]]]:
    """Open the database; yield it with how these sources are."""
    loaded = load(context)
    for name in ids:
        known("ID", name, [each.id for each in loaded.config.sources])
    with opened(loaded) as store:
        statuses = store.watch.statuses(ids)
        for name in ids:
            if name not in statuses:
                problem = f"{name} is new: it is known once the service has taken the configuration over"
                raise typer.BadParameter(problem, param_hint="ID")
        yield store, statuses


# --------------------------------------------------------------------------- discovery


def looked_around(settings: Config, address: str) -> Discovery:
    """Return what could be watched at an address."""
    with refused("URL"), busy():
        return adding.look(settings, address, datetime.now(UTC))


def best_of(discovery: Discovery) -> Found:
    """Return the best that was found."""
    if discovery.found:
        return discovery.found[0]
    count = discovery.requests
    requests = f"{count} addresses were looked at" if count > 1 else "it is neither a feed nor a page"
    first = f"Nothing to watch was found at {discovery.address}: {requests}."
    raise ParseError("\n".join((first, *report_sources.tried_lines(discovery))))


# --------------------------------------------------------------------------- additions


@contextmanager
def refused(option: str) -> Iterator[None]:
    """Say which option it was whose value is refused in here."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def distinct(tags: Iterable[str] | None) -> tuple[str, ...]:
    """Return tags, each once."""
    return tuple(dict.fromkeys(tags or ()))


def length_of(interval: str) -> timedelta:
    """Return the length of time that --interval names."""
    try:
        return config.duration(interval)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--interval") from error


def extension_of(context: typer.Context, added: Added, *, is_trial: bool) -> Extension:
    """Return what became of config.toml, to be told."""
    return Extension(path=context.obj.config, line=added.line, sources=added.sources, is_trial=is_trial)


def tell_added(extension: Extension, discovery: Discovery, *, as_json: bool) -> None:
    """Say what was added, and what it was chosen from."""
    best, *others = discovery.found
    if as_json:
        print_json(report_sources.added_json(extension, best))
        return
    out.print(report_sources.found_line(best, datetime.now(UTC)))
    if others:
        out.print(f"It is the best of {len(discovery.found)} that were found: `sources discover` lists them.")
    for line in report_sources.extension_lines(extension):
        out.print(line)


# --------------------------------------------------------------------------- lists


def read_list(settings: Config, place: str) -> SourceList:
    """Return the OPML list that is in a file, at an address or on standard input."""
    if place.casefold().startswith(("http://", "https://")):
        with busy():
            answer = asyncio.run(_fetch(settings, place))
        return opml.read(answer.body, answer.headers.get("content-type", ""))
    try:
        body = sys.stdin.buffer.read() if place == "-" else Path(place).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{place} can't be read: {error.strerror}", param_hint="FILE") from error
    return opml.read(body)


async def _fetch(settings: Config, url: str) -> Response:
    async with Client(settings.network) as client:
        answer = await client.get(url, {"accept": opml.ACCEPT}, max_bytes=MAX_LIST_BYTES)
    if not 200 <= answer.status < 300:
        raise NetworkError(
            f"{url}: the server answered {answer.status}; download the list, and import the file"
        )
    return answer


# --------------------------------------------------------------------------- one source


def shown_source(loaded: Loaded, store: SqlStore, name: str) -> Shown:
    """Return everything known of a source, also of one that is configured no longer."""
    status_by_id = {status.id: status for status in loading.source_statuses(loaded, store)}
    known("ID", name, list(status_by_id))
    return report_sources.shown_of(loaded, store, status_by_id[name])
