"""Adding what is found at an address to config.toml."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from syndicate import config
from syndicate.config import Added
from syndicate.http import Client
from syndicate.model import Address, Config, Kind, Source
from syndicate.sources.discover import Discovery, Explorer, addresses
from syndicate.sources.leads import Found
from syndicate.sources.opml import ListedSource
from syndicate.sources.planning import Skipped, plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a source is to be added; what is None is decided for it."""

    id: str | None = None
    title: str | None = None
    tags: tuple[str, ...] = ()
    interval: timedelta | None = None
    full_text: bool = False


def look(settings: Config, address: str, now: datetime) -> Discovery:
    """Return what could be watched at an address. Takes as long as its server does, minutes at most.

    Raises:
        ValueError: it is no address.
        NetworkError: it can't be asked, or answers with an error.
    """
    for url in addresses(address):
        config.web_address(url)
    return asyncio.run(_look(settings, address, now))


async def _look(settings: Config, address: str, now: datetime) -> Discovery:
    async with Client(settings.network) as client:
        explorer = Explorer(client=client, settings=settings.network)
        return await explorer.look(address, now)


def add(
    path: Path, environ: Mapping[str, str], found: Found, wish: Wish, *, is_trial: bool = False
) -> tuple[Added, Skipped | None]:
    """Add what was found to a config.toml; return what was added, or why it is there already.

    Args:
        is_trial: do everything but write.

    Raises:
        ValueError: its id is none, or taken.
        ConfigError: the file has problems, or would have; it is as it was.
        StoreError: it could not be written, and is as it was.
    """
    title = wish.title or found.title
    wanted = [ListedSource(title=title, url=found.url, tags=wish.tags, language=found.language)]

    def dressed(source: Source) -> Source:
        return replace(
            source,
            id=wish.id or source.id,
            language=None,  # the feed says it
            interval=wish.interval or source.interval,
            full_text=wish.full_text,
            addresses=_said_of(found),
        )

    def choose(present: Config) -> Sequence[Source]:
        check_id(wish.id, present.sources)
        return [dressed(each) for each in plan(wanted, present.sources).sources]

    added = config.add_sources(path, environ, choose, is_trial=is_trial)
    skipped = None if added.sources else plan(wanted, added.before.sources).skipped[0]
    return added, skipped


def check_id(source_id: str | None, present: Sequence[Source]) -> None:
    """Refuse an id that is none, or that a source has.

    Raises:
        ValueError: it is so.
    """
    if source_id is None:
        return
    config.identifier(source_id)
    for source in present:
        if source.id == source_id:
            raise ValueError(f"{source_id} is taken by {source.title}, {source.urls[0]}")


def _said_of(found: Found) -> tuple[Address, ...]:
    """Return what has to be said of an address for it to be read as it was here: feeds tell themselves."""
    return (Address(url=found.url, kind=Kind.PAGE),) if found.format == Kind.PAGE else ()
