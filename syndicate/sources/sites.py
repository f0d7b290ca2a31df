"""Asking web sites for pages the way their owners want it: by robots.txt, one after another, not too fast."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from syndicate.errors import NetworkError
from syndicate.http import Client, Response
from syndicate.http.times import asked_wait, http_date
from syndicate.model import NetworkSettings
from syndicate.sources.robots import LONGEST_DELAY, MAX_BYTES, Robots, read_robots

MAX_SITES = 1000  # remembered
MAX_ROBOTS_BYTES = 4 * 1024 * 1024  # of all that are remembered; their rules take forty times as much
ROBOTS_AGE = timedelta(hours=24)  # RFC 9309 2.4
ROBOTS_RETRY = timedelta(minutes=10)  # when it could not be had
PAUSE = timedelta(minutes=5)  # when a server asks for less (429, 503), at least
LONGEST_PAUSE = timedelta(hours=24)
HTML = "text/html, application/xhtml+xml;q=0.9"
_ROBOTS = {"accept": "text/plain, */*;q=0.1"}

Clock = Callable[[], float]  # seconds that only grow
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAsked:
    """A page that was left alone, and why, in words."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When requests may begin, on the clock of a Sites."""

    opens: float
    closes: float


_NEVER = datetime.max.replace(tzinfo=UTC)
_UNREAD = Robots(unknown="it was not asked for yet")


@dataclass(slots=True, kw_only=True, eq=False)
class _Site:
    origin: str  # https://example.org:443
    host: str  # as people know it
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    visitors: int = 0
    next_at: float = 0.0  # when the next request may begin
    robots: Robots = _UNREAD
    robots_until: float = 0.0


class Sites:
    """All sites that pages are asked of, by all who ask: they share the pace and what robots.txt says.

    Args:
        clock: what the pace is measured by; it has to go on while `sleep` sleeps.
    """

    def __init__(
        self,
        *,
        client: Client,
        settings: NetworkSettings,
        sleep: Sleep = asyncio.sleep,
        clock: Clock = time.monotonic,
    ) -> None:
        self._client = client
        self._interval = settings.host_interval
        self._sleep = sleep
        self.clock = clock
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
            response = await self._client.get(url, {"accept": accept}, max_bytes=max_bytes)
            if response.status in (429, 503):
                site.next_at = self.clock() + _pause(response).total_seconds()
        if response.redirects:
            async with self._visit(response.url) as site:
                site.next_at = max(site.next_at, self._after_this(site))
                return await self._refusal(site, response.url, window) or response
        return response

    async def sitemaps(self, url: str, window: Window) -> tuple[str, ...]:
        """Return the addresses of sitemaps that robots.txt of an address's site names, as written there."""
        async with self._visit(url) as site:
            await self._refusal(site, url, window)
            return site.robots.sitemaps

    async def _refusal(self, site: _Site, url: str, window: Window) -> NotAsked | None:
        """Return why robots.txt keeps us from asking, None if it does not."""
        if site.robots_until <= self.clock():
            refused = await self._wait(site, window)
            if refused:
                return refused
            await self._read_robots(site)
        if site.robots.unknown is not None:
            return NotAsked(reason=f"robots.txt of {site.host} can't be read: {site.robots.unknown}")
        if not site.robots.allows(url):
            return NotAsked(reason=f"robots.txt of {site.host} does not allow it")
        return None

    async def _read_robots(self, site: _Site) -> None:
        """Get what robots.txt says now. What it said before holds while it can't be read (RFC 9309 2.4)."""
        try:
            answer = await self._client.get(f"{site.origin}/robots.txt", _ROBOTS, max_bytes=MAX_BYTES)
            robots = await asyncio.to_thread(read_robots, answer.status, answer.body)
        except NetworkError as error:
            robots = Robots(unknown=str(error))
        if robots.unknown is None or site.robots.unknown is not None:
            site.robots = robots
        age = ROBOTS_AGE if robots.unknown is None else ROBOTS_RETRY
        site.robots_until = self.clock() + age.total_seconds()
        site.next_at = max(site.next_at, self._after_this(site))

    async def _wait(self, site: _Site, window: Window) -> NotAsked | None:
        """Wait for our turn to ask a site, and take it; return why not if that is too far off."""
        seconds = max(site.next_at, window.opens) - self.clock()
        if seconds > LONGEST_DELAY.total_seconds() + self._interval.total_seconds():
            return NotAsked(reason=f"{site.host} asked for a pause")
        if self.clock() + seconds >= window.closes:
            return NotAsked(reason="there was no time left for it")
        if seconds > 0:
            await self._sleep(seconds)
        site.next_at = self._after_this(site)
        return None

    def _after_this(self, site: _Site) -> float:
        return self.clock() + max(self._interval, site.robots.delay).total_seconds()

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


def _pause(response: Response) -> timedelta:
    """Return how long to leave a site alone that asks for less; a date counts by the site's own clock."""
    its_now = http_date(response.headers.get("date", "")) or _NEVER
    asked = asked_wait(response.headers.get("retry-after"), its_now) or PAUSE
    return min(max(asked, PAUSE), LONGEST_PAUSE)
