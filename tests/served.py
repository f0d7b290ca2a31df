"""The web server on a port of its own, and a made-up service for it to show."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.types import ASGIApp

from syndicate.hub.asking import Reply
from syndicate.model import Kept, RuleStatus, SourceStatus
from syndicate.web.callbacks import Callbacks
from syndicate.web.hub import Asked
from syndicate.web.server import listen, serve

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


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
    """A View with the values it is given."""

    feeds_folder: Path
    title: str = "Desk"
    base_url: str = "http://127.0.0.1:8080"
    shown_sources: Sequence[SourceStatus] = ()
    shown_rules: Sequence[RuleStatus] = ()
    problem: Exception | None = None
    callbacks: Callbacks = field(default_factory=NoCallbacks)
    hub: Asked = field(default_factory=NoHub)

    def now(self) -> datetime:
        return NOW

    def sources(self) -> Sequence[SourceStatus]:
        if self.problem:
            raise self.problem
        return self.shown_sources

    def rules(self) -> Sequence[RuleStatus]:
        return self.shown_rules


def source(
    identity: str, title: str, state: str, *, error: str | None = None, failures: int = 0, items: int = 0
) -> SourceStatus:
    """Return a source that was polled five minutes ago, unless it is new."""
    polled = None if state == "new" else NOW - timedelta(minutes=5)
    return SourceStatus(
        id=identity,
        title=title,
        urls=(f"https://{identity}.example/rss",),
        enabled=True,
        state=state,
        next_poll_at=NOW + timedelta(minutes=55),
        last_polled_at=polled,
        last_success_at=polled if state == "ok" else None,
        last_status=200,
        last_error=error,
        problems=(),
        failures=failures,
        items=items,
    )


SOURCES = (
    source("steppe", "Steppe Wire", "ok", items=1240),
    source("vestnik", "Степной вестник", "ok", items=310),
    source(
        "ledger", "Brussels Ledger", "failing", error="HTTP 503 Service Unavailable", failures=3, items=88
    ),
    source("xabar", "صحيفة الواحة", "new"),
)
RULES = (
    RuleStatus(
        id="central-asia",
        title="Central Asia",
        keywords=("Central Asia", "Центральная Азия", "Орталық Азия"),
        has_feed=True,
        matches=42,
    ),
    RuleStatus(id="eu-strategy", title="EU Strategy", keywords=("EU strategy",), has_feed=True, matches=1),
    RuleStatus(id="sanctions", title="Sanctions", keywords=("sanctions",), has_feed=False, matches=0),
)
