"""The web server on a port of its own, and a made-up service for it to show."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

import httpx
from starlette.types import ASGIApp

from syndicate.errors import Problem
from syndicate.hub.asking import Reply
from syndicate.loading import Loaded
from syndicate.model import Config, Kept, NetworkSettings, ServiceSettings, WebSettings
from syndicate.store.protocol import Store
from syndicate.web.callbacks import Callbacks
from syndicate.web.hub import Asked
from syndicate.web.server import listen, serve

TLS = ssl.create_default_context()  # of clients, which else read all certificates anew, each of them
P = ParamSpec("P")
T = TypeVar("T")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def visitor(address: str) -> httpx.Client:
    """Return a client of an application that is served."""
    return httpx.Client(base_url=address, trust_env=False, verify=TLS, timeout=60)


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve an application from a thread; yield its address without a trailing slash."""
    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def run() -> None:
        stop = asyncio.Event()
        started.append((asyncio.get_running_loop(), stop))
        ready.set()
        await serve(app, listening, stop)

    with listen("127.0.0.1", 0) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        try:
            ready.wait()
            yield address
        finally:
            loop, stop = started[0]
            loop.call_soon_threadsafe(stop.set)
            thread.join()


class NoCallbacks:
    """Nobody was asked to push."""

    async def knows(self, token: str) -> bool:
        return False

    async def confirm(self, token: str, query: str) -> str | None:
        raise AssertionError(token)

    async def take(self, token: str, content_type: str, signature: str | None, body: bytes) -> Kept | None:
        raise AssertionError(token)


class NoHub:
    """Nobody may subscribe."""

    is_open = False

    def links_of(self, url: str) -> str | None:
        return None

    async def ask(self, form: bytes) -> Reply:
        raise AssertionError(form)


@dataclass(frozen=True, kw_only=True)
class SomeView:
    """A View of a configuration that is put together from what a test says of it."""

    feeds_folder: Path
    title: str = "Desk"
    base_url: str = "http://127.0.0.1:8080"
    web: WebSettings = field(default_factory=WebSettings)
    kept: Store | None = None  # None: nothing is to be looked up
    callbacks: Callbacks = field(default_factory=NoCallbacks)
    hub: Asked = field(default_factory=NoHub)
    refused: tuple[Problem, ...] = ()
    needs_restart: tuple[str, ...] = ()
    started_at: datetime = NOW

    @property
    def loaded(self) -> Loaded:
        service = ServiceSettings(
            database=self.feeds_folder / "none.db",
            rules=self.feeds_folder / "none",
            feeds=self.feeds_folder,
            base_url=self.base_url,
            title=self.title,
        )
        config = Config(
            path=self.feeds_folder / "config.toml",
            service=service,
            network=NetworkSettings(),
            sources=(),
            endpoints=(),
            rules=(),
            web=self.web,
        )
        return Loaded(config=config, rules=())

    @property
    def store(self) -> Store:
        assert self.kept is not None
        return self.kept

    def now(self) -> datetime:
        return NOW

    async def change(self, unit: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(unit, *args, **kwargs)
