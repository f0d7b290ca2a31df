"""Whose turn it is to ask a host: kept by one process for itself, or by the store for all that there are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from syndicate.model import Scope
from syndicate.sources import schedule
from syndicate.store.protocol import HostPace, Store
from syndicate.store.rows import host_of
from syndicate.store.thread import StoreThread

PAUSE = timedelta(minutes=5)  # when a server asks for less (429, 503) and does not say for how long
MAX_HOSTS = 1000  # remembered by one process

Clock = Callable[[], float]  # seconds that only grow


class Turns(Protocol):
    """Turns at hosts. Times are those of one clock, in seconds."""

    async def take(self, url: str, interval: timedelta, opens: float, closes: float) -> float | None:
        """Return when the host of an address may be asked, from `opens` on, and keep others waiting after it.

        None: it wants to be left alone. A time from `closes` on: the turn was not taken.
        """

    async def pause(self, url: str, retry_after: str | None) -> None:
        """Leave the host of an address alone, as its Retry-After says; None: for a while."""


class OwnTurns:
    """Turns of a process that works alone, and not for long: a host that wants a pause gets PAUSE."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_by_host: dict[str, float] = {}
        self._paused_by_host: dict[str, float] = {}

    async def take(self, url: str, interval: timedelta, opens: float, closes: float) -> float | None:
        host, now = host_of(url), self._clock()
        if self._paused_by_host.get(host, now) > now:
            return None
        at = max(now, opens, self._next_by_host.pop(host, now))
        self._next_by_host[host] = at + interval.total_seconds() if at < closes else at
        self._forget_some(now)
        return at

    async def pause(self, url: str, retry_after: str | None) -> None:
        self._paused_by_host[host_of(url)] = self._clock() + PAUSE.total_seconds()

    def _forget_some(self, now: float) -> None:
        for times in (self._next_by_host, self._paused_by_host):
            for host in list(times) if len(times) > MAX_HOSTS else ():
                if times[host] <= now:
                    del times[host]


class StoreTurns:
    """Turns that all processes share, with polls too, and that a restart does not forget."""

    def __init__(self, *, store: Store, call: StoreThread, clock: Clock, scope: Scope) -> None:
        self._store = store
        self._call = call
        self._clock = clock
        self._does_host_wait = scope is Scope.HOST

    async def take(self, url: str, interval: timedelta, opens: float, closes: float) -> float | None:
        began, now = self._clock(), self._store.now()
        at = await self._call(
            self._store.take_turn,
            url,
            HostPace(interval=interval, concurrency=1),
            earliest=now + timedelta(seconds=opens - began),
            latest=now + timedelta(seconds=closes - began),
        )
        return None if at is None else began + (at - now).total_seconds()

    async def pause(self, url: str, retry_after: str | None) -> None:
        if self._does_host_wait:
            now = self._store.now()
            asked = schedule.asked_by_retry_after(retry_after, now) or PAUSE
            await self._call(self._store.leave_alone, url, now + asked)
