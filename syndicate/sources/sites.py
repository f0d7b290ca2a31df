"""Asking web sites for pages the way their owners want it: by robots.txt, one after another, not too fast."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from syndicate.errors import NetworkError
from syndicate.http import Client, Response
from syndicate.model import NetworkSettings, Spent
from syndicate.sources.fetch import ONE_REQUEST, spent_on
from syndicate.sources.robots import MAX_BYTES, Robots, read_robots
from syndicate.sources.turns import Clock, OwnTurns, Turns

MAX_SITES = 1000  # remembered
MAX_ROBOTS_BYTES = 4 * 1024 * 1024  # of all that are remembered; their rules take forty times as much
ROBOTS_AGE = timedelta(hours=24)  # RFC 9309 2.4
ROBOTS_RETRY = timedelta(minutes=10)  # when it could not be had
HTML = "text/html, application/xhtml+xml;q=0.9"
_ROBOTS = "text/plain, */*;q=0.1"
NOTHING = Spent()

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAsked:
    """A page that was left alone, and why, in words."""

    reason: str
    is_for_ever: bool = False  # its site does not want to be asked for it
    is_early: bool = False  # it is too early: nobody was asked for anything


@dataclass(slots=True, kw_only=True)
class Window:
    """When requests may begin, on the clock of a Sites, and what those that did have taken."""

    opens: float
    closes: float
    spent: Spent = NOTHING

    def add(self, spent: Spent) -> None:
        """Count what a request took."""
        self.spent += spent


_UNREAD = Robots(unknown="it was not asked for yet")


@dataclass(slots=True, kw_only=True, eq=False)
class _Site:
    origin: str  # https://example.org:443
    host: str  # as people know it
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    visitors: int = 0
    not_before: float = 0.0  # as what it says itself was learned only after it was asked
    robots: Robots = _UNREAD
    robots_until: float = 0.0


class Sites:
    """All sites that pages are asked of, by all who ask: they share the pace and what robots.txt says.

    Args:
        clock: what the pace is measured by; it has to go on while `sleep` sleeps.
        turns: by the same clock; None: of this process alone.
    """

    def __init__(
        self,
        *,
        client: Client,
        settings: NetworkSettings,
        sleep: Sleep = asyncio.sleep,
        clock: Clock = time.monotonic,
        turns: Turns | None = None,
    ) -> None:
        self._client = client
        self._interval = settings.host_interval
        self._sleep = sleep
        self.clock = clock
        self._turns = turns or OwnTurns(clock)
        self._sites: dict[str, _Site] = {}

    async def get(self, url: str, max_bytes: int, window: Window, accept: str = HTML) -> Response | NotAsked:
        """Return what an address answers, once it may be asked.

        Where it redirects to, robots.txt holds as well, if only afterwards.

        Raises:
            NetworkError: no complete answer came.
        """
        async with self._visit(url) as site:
            refused = await self._refusal(site, url, window) or await self._wait(site, window)
            if refused:
                return refused
            response = await self._answer(url, accept, max_bytes, window)
        if response.redirects:
            async with self._visit(response.url) as site:
                site.not_before = max(site.not_before, self._after_this(site))
                # A turn was had already; others wait as if it had been ours.
                await self._turns.take(response.url, self._pace(site), self.clock(), window.closes)
                return await self._refusal(site, response.url, window) or response
        return response

    async def sitemaps(self, url: str, window: Window) -> tuple[str, ...]:
        """Return the addresses of sitemaps that robots.txt of an address's site names, as written there."""
        async with self._visit(url) as site:
            await self._refusal(site, url, window)
            return site.robots.sitemaps

    async def _answer(
        self, url: str, accept: str, max_bytes: int, window: Window, *, is_cut: bool = False
    ) -> Response:
        """Return an answer, counted; who answers that we ask too much is left alone by all."""
        try:
            response = await self._client.get(url, {"accept": accept}, max_bytes=max_bytes, is_cut=is_cut)
        except NetworkError:
            window.add(ONE_REQUEST)
            raise
        window.add(spent_on(response))
        if response.status in (429, 503):
            await self._turns.pause(response.url, response.headers.get("retry-after"))
        return response

    async def _refusal(self, site: _Site, url: str, window: Window) -> NotAsked | None:
        """Return why robots.txt keeps us from asking, None if it does not."""
        if site.robots_until <= self.clock():
            refused = await self._wait(site, window)
            if refused:
                return refused
            await self._read_robots(site, window)
        if site.robots.unknown is not None:
            why = f"robots.txt of {site.host} can't be read: {site.robots.unknown}"
            return NotAsked(reason=why)
        if not site.robots.allows(url):
            return NotAsked(reason=f"robots.txt of {site.host} does not allow it", is_for_ever=True)
        return None

    async def _read_robots(self, site: _Site, window: Window) -> None:
        """Get what robots.txt says now. What it said before holds while it can't be read (RFC 9309 2.4)."""
        try:
            answer = await self._answer(f"{site.origin}/robots.txt", _ROBOTS, MAX_BYTES, window, is_cut=True)
            robots = await asyncio.to_thread(read_robots, answer.status, answer.body)
        except NetworkError as error:
            robots = Robots(unknown=str(error))
        if robots.unknown is None or site.robots.unknown is not None:
            site.robots = robots
        age = ROBOTS_AGE if robots.unknown is None else ROBOTS_RETRY
        site.robots_until = self.clock() + age.total_seconds()
        site.not_before = self._after_this(site)

    async def _wait(self, site: _Site, window: Window) -> NotAsked | None:
        """Wait for our turn to ask a site, and take it; return why not if that is too far off."""
        opens = max(site.not_before, window.opens)
        at = await self._turns.take(site.origin, self._pace(site), opens, window.closes)
        if at is None:
            return NotAsked(reason=f"{site.host} asked for a pause", is_early=True)
        if at >= window.closes:
            return NotAsked(reason="there was no time left for it", is_early=True)
        seconds = at - self.clock()
        if seconds > 0:
            await self._sleep(seconds)
        return None

    def _after_this(self, site: _Site) -> float:
        return self.clock() + self._pace(site).total_seconds()

    def _pace(self, site: _Site) -> timedelta:
        return max(self._interval, site.robots.delay)

    @asynccontextmanager
    async def _visit(self, url: str) -> AsyncIterator[_Site]:
        """Have a site for oneself."""
        site = self._site(url)
        site.visitors += 1
        try:
            async with site.lock:
                yield site
        finally:
            site.visitors -= 1

    def _site(self, url: str) -> _Site:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.lower()}"
        site = self._sites.pop(origin, None) or _Site(origin=origin, host=parts.netloc.lower())
        self._sites[origin] = site  # at the end: whom nobody asked for longest stands first
        self._forget_some()
        return site

    def _forget_some(self) -> None:
        excess = len(self._sites) - MAX_SITES
        excess_bytes = sum(site.robots.length_bytes for site in self._sites.values()) - MAX_ROBOTS_BYTES
        for origin, site in list(self._sites.items())[:-1]:
            if excess <= 0 and excess_bytes <= 0:
                return
            if not site.visitors:
                del self._sites[origin]
                excess, excess_bytes = excess - 1, excess_bytes - site.robots.length_bytes
