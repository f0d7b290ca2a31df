"""The demo: outlets, receiver and service side by side, until told to stop."""

import asyncio
import base64
import os
import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket

from lxml import etree
from rich.console import Console
from starlette.types import ASGIApp

from syndicate import loading
from syndicate.demo import outlets, receiver
from syndicate.demo.documents import ATOM, Site
from syndicate.demo.newsroom import Event, old_news, read_outlets, timetable
from syndicate.demo.receiver import Receiver
from syndicate.demo.setting import Setting, prepare
from syndicate.demo.telling import Figures, Scene, Teller
from syndicate.errors import SyndicateError
from syndicate.loading import Loaded
from syndicate.model import DeliveryState
from syndicate.service import Service
from syndicate.store.searching import ItemFilter
from syndicate.web.server import listen, serve

HOST = "127.0.0.1"
USUAL_PORT = 8080
SECRET_BYTES = 24
LONGEST_INTERVAL = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the demo runs."""

    port: int | None = None  # of the service; None: the usual one, or any when that is taken
    seconds: float | None = None  # None: until stopped
    pace: timedelta = timedelta(seconds=4)  # from one new article to the next, over all outlets
    folder: Path | None = None  # a new or empty one, kept; None: a temporary one

    @property
    def interval(self) -> timedelta:
        """How often each outlet is polled: about once per new article, in whole seconds, at most 5."""
        return min(timedelta(seconds=int(self.pace.total_seconds()) + 1), LONGEST_INTERVAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that listens, each on its port, and what was made for them."""

    folder: Path
    sites: Sequence[Site]
    site_sockets: Sequence[socket]
    receiver_socket: socket
    service_socket: socket
    port_taken: int | None
    secret: str


class NewsClock:
    """The outlets' time. Once it is stopped, nothing happens there any more."""

    def __init__(self) -> None:
        self._stopped_at: datetime | None = None

    def now(self) -> datetime:
        """Return the time."""
        return self._stopped_at or _now()

    def stop(self) -> None:
        """Let it stand still."""
        self._stopped_at = _now()


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What happens between start and end."""

    events: Sequence[Event]
    stop: asyncio.Event
    seconds: float | None
    news: NewsClock
    tell: Teller


async def run(console: Console, stop: asyncio.Event, options: Options) -> None:
    """Run the demo until the event is set, or its time is over; then set it.

    Raises:
        SyndicateError: the port or the folder cannot be had.
    """
    with ExitStack() as stack:
        stage = _stage(options, stack)
        tell = Teller(console, _now)
        loaded = loading.load(prepare(stage.folder, _setting(stage, options)), {})
        async with Service(loaded, random=random.random, heard=tell.polled) as running:
            tell.scene(_scene(stage, loaded, options))
            opened = _now()
            started = opened.replace(microsecond=0) + timedelta(
                seconds=1
            )  # as exact as Last-Modified can say
            events = timetable([site.outlet for site in stage.sites], started, options.pace)
            play = Play(events=events, stop=stop, seconds=options.seconds, news=NewsClock(), tell=tell)
            async with _surroundings(stage, started, play):
                await _play(running, stage.service_socket, play)
                await running.once(everything=True)  # so that the figures at the end agree
            figures = await asyncio.to_thread(_figures, running)
            tell.summary((_now() - opened).total_seconds(), figures)


def _stage(options: Options, stack: ExitStack) -> Stage:
    folder = stack.enter_context(_folder(options.folder))
    service_socket, port_taken = _listen_for_service(options.port)
    stack.enter_context(service_socket)
    papers = read_outlets()
    site_sockets = [stack.enter_context(listen(HOST, 0)) for _ in papers]
    return Stage(
        folder=folder,
        sites=[
            Site(outlet=outlet, url=f"http://{_address(listening)}/")
            for outlet, listening in zip(papers, site_sockets, strict=True)
        ],
        site_sockets=site_sockets,
        receiver_socket=stack.enter_context(listen(HOST, 0)),
        service_socket=service_socket,
        port_taken=port_taken,
        secret="whsec_" + base64.b64encode(os.urandom(SECRET_BYTES)).decode(),
    )


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is None:
        with tempfile.TemporaryDirectory(prefix="syndicate-demo-") as name:
            yield Path(name)
        return
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        is_empty = not any(wanted.iterdir())
    except OSError as error:
        raise SyndicateError(f"{wanted} cannot be used: {error.strerror}. Name another folder.") from error
    if not is_empty:
        raise SyndicateError(f"{wanted} is not empty, and the demo overwrites nothing. Name a new folder.")
    yield wanted.absolute()


def _listen_for_service(port: int | None) -> tuple[socket, int | None]:
    if port is not None:
        return listen(HOST, port), None
    try:
        return listen(HOST, USUAL_PORT), None
    except SyndicateError:
        return listen(HOST, 0), USUAL_PORT


def _address(listening: socket) -> str:
    return f"{HOST}:{listening.getsockname()[1]}"


def _setting(stage: Stage, options: Options) -> Setting:
    return Setting(
        listen=_address(stage.service_socket),
        receiver_url=f"http://{_address(stage.receiver_socket)}{receiver.PATH}",
        secret=stage.secret,
        sites=stage.sites,
        interval=options.interval,
    )


def _scene(stage: Stage, loaded: Loaded, options: Options) -> Scene:
    return Scene(
        base_url=loaded.config.service.base_url,
        port_taken=stage.port_taken,
        sites=stage.sites,
        rules=loaded.rules,
        interval_seconds=options.interval.total_seconds(),
        seconds=options.seconds,
        folder=str(stage.folder),
        is_kept=options.folder is not None,
    )


@asynccontextmanager
async def _surroundings(stage: Stage, started: datetime, play: Play) -> AsyncIterator[None]:
    """Serve outlets and receiver; the service ends before they do, so that nothing of it fails."""
    over = asyncio.Event()
    old = old_news([site.outlet for site in stage.sites], started)
    apps: list[tuple[ASGIApp, socket]] = [
        (Receiver(stage.secret, play.tell.received).app(), stage.receiver_socket)
    ]
    for site, listening in zip(stage.sites, stage.site_sockets, strict=True):
        own = [event for event in play.events if event.outlet.id == site.outlet.id]
        apps.append((outlets.create(site, old[site.outlet.id], own, play.news.now), listening))
    async with asyncio.TaskGroup() as servers:
        for app, listening in apps:
            servers.create_task(serve(app, listening, over))
        try:
            yield
        finally:
            over.set()


async def _play(running: Service, listening: socket, play: Play) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(running.run(play.stop, listening))
        tasks.create_task(_announce(play))
        await _wait(play.stop, play.seconds)
        play.news.stop()
        play.tell.ending()
        play.stop.set()


async def _announce(play: Play) -> None:
    for event in play.events:
        await _wait(play.stop, max((event.at - _now()).total_seconds(), 0))
        if play.stop.is_set():
            return
        play.tell.happened(event)
    play.tell.everything_happened()


async def _wait(stop: asyncio.Event, seconds: float | None) -> None:
    """Return when told to stop, or after this long."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _figures(running: Service) -> Figures:
    found = running.store.items(ItemFilter(limit=10_000))
    matches = Counter(rule for each in found for rule in each.rules)
    folder = running.loaded.config.service.feeds
    return Figures(
        languages=Counter(each.item.language or "unknown" for each in found),
        edited=sum(each.item.revision > 1 for each in found),
        matches_by_rule=dict(sorted(matches.items())),
        entries_by_feed={path.stem: _entries(path) for path in sorted(folder.glob("*.atom"))},
        waiting=len(running.store.deliveries(state=DeliveryState.WAITING)),
    )


def _entries(path: Path) -> int:
    return sum(1 for _ in etree.parse(path).iterfind(f"{{{ATOM}}}entry"))


def _now() -> datetime:
    return datetime.now(UTC)
