"""The running service: everything wired together, its ticks, and its end."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from syndicate import __version__, config
from syndicate.alerts.outbox import Outbox, Totals, send_sample, told
from syndicate.backfill import WINDOW, Backfill, Known, backfill, keep_words_anew, state_of
from syndicate.errors import ConfigError, NetworkError, Problem, StoreError
from syndicate.feeds.publisher import Publisher
from syndicate.http import Client
from syndicate.model import Config, Poll, PollState, Recorded, Source, SourceStatus
from syndicate.rules.compile import compile_rules
from syndicate.rules.index import RuleIndex
from syndicate.rules.rule import Rule
from syndicate.sources.poller import Poller
from syndicate.store.protocol import Store
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from syndicate.web import app as web
from syndicate.web.pages import RuleStatus

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.5
GRACE = timedelta(seconds=4)  # for what is in flight when the service ends
LAST_PUBLISH_SECONDS = 1.0
BACKFILL_FIRST_SECONDS = 2.0  # how long new rules keep the start waiting, for feeds that are whole at once
STORE_PAUSE_SECONDS = 5.0  # after the database did not do something

Heard = Callable[[Poll, Recorded], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A configuration with its rules compiled: all that is needed to start."""

    config: Config
    rules: tuple[Rule, ...]

    @property
    def known(self) -> Known:
        """What rules need to be asked about stored items."""
        return Known(
            rules={rule.id: rule for rule in self.rules},
            tags={source.id: source.tags for source in self.config.sources},
        )


def load(path: Path, environ: Mapping[str, str]) -> Loaded:
    """Return the configuration and its rules.

    Raises:
        ConfigError: with every problem of every file, those of the rules' own examples too.
    """
    reading = config.read(path, environ)
    problems: list[Problem] = list(reading.problems)
    rules: tuple[Rule, ...] = ()
    if reading.config is not None:
        rules, wrong = compile_rules(reading.config.rules, reading.config.sources)
        problems += wrong
    if problems or reading.config is None:
        raise ConfigError(sorted(problems))
    return Loaded(config=reading.config, rules=rules)


def source_statuses(loaded: Loaded, store: Store) -> list[SourceStatus]:
    """Return how each source is; those that the store has not met are new."""
    known = {status.id: status for status in store.sources()}
    configured = [known.get(source.id, new_source(source)) for source in loaded.config.sources]
    names = {source.id for source in loaded.config.sources}
    return configured + [status for status in known.values() if status.id not in names and status.items]


def new_source(source: Source) -> SourceStatus:
    """Return the status of a source that was never polled."""
    return SourceStatus(
        id=source.id,
        title=source.title,
        urls=source.urls,
        enabled=source.enabled,
        state="new" if source.enabled else "disabled",
        next_poll_at=None,
        last_polled_at=None,
        last_success_at=None,
        last_status=None,
        last_error=None,
        problems=(),
        failures=0,
        items=0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleAnswer:
    """What came back from a sample sent to an endpoint."""

    endpoint: str
    status: int | None  # None when no complete answer came
    milliseconds: int
    text: str  # the answer's first kilobyte, or why there is none

    @property
    def is_success(self) -> bool:
        """Whether the endpoint took it."""
        return self.status is not None and 200 <= self.status < 300


async def send_test(loaded: Loaded, endpoint: str, now: datetime) -> SampleAnswer:
    """Send a marked sample to a configured endpoint and return what came back."""
    chosen = next(each for each in loaded.config.endpoints if each.id == endpoint)
    async with Client(loaded.config.network) as client:
        try:
            answer = await send_sample(client, chosen, now)
        except NetworkError as error:
            return SampleAnswer(endpoint=endpoint, status=None, milliseconds=0, text=str(error))
    return SampleAnswer(
        endpoint=endpoint,
        status=answer.status,
        milliseconds=round(answer.elapsed.total_seconds() * 1000),
        text=told(answer.body, chosen),
    )


class Service:
    """Everything between the configuration and the network, opened and closed as one."""

    def __init__(self, loaded: Loaded, *, random: Callable[[], float], heard: Heard | None = None) -> None:
        self.loaded = loaded
        self.backfilled: dict[str, int] = {}  # matches by new or edited rule, of items stored before
        self._random = random
        self._heard = heard
        self._stack = AsyncExitStack()
        self._wake_poll = asyncio.Event()
        self._wake_publish = asyncio.Event()
        self._wake_deliver = asyncio.Event()

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def once(self, *, everything: bool) -> tuple[int, Totals]:
        """Poll what is due (or everything), publish, deliver what is due.

        Returns how many feeds changed, and what was delivered.
        """
        await self._backfill(asyncio.Event())
        if everything:
            await self.call(self.store.poll_now, None)
        await self._poller.drain(self.store.now())
        feeds_changed = await self._publisher.publish_stale()
        delivered = await self._outbox.drain()
        not_done = [f"feed {feed}: {error}" for feed, error in self._publisher.failures.items()]
        if self._poller.unrecorded:
            not_done.append(f"{self._poller.unrecorded} polls could not be recorded, and are due again")
        if not_done:
            raise StoreError("; ".join(not_done))
        return feeds_changed, delivered

    async def run(self, stop: asyncio.Event, listening: socket.socket) -> None:
        """Poll, publish, deliver and serve until told to stop; then end what is in flight, within seconds."""
        backfilling = asyncio.create_task(self._backfill_beside(stop), name="backfill")
        await asyncio.wait([backfilling], timeout=BACKFILL_FIRST_SECONDS)
        await self._publisher.publish_stale()  # so that no feed is missing when the first reader asks
        settings = self.loaded.config.service
        host, port = listening.getsockname()[:2]
        log.info(
            "service.started",
            version=__version__,
            address=settings.base_url,
            sources=len(self.loaded.config.sources),
            rules=len(self.loaded.rules),
            endpoints=len(self.loaded.config.endpoints),
            listening=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        )
        server = asyncio.create_task(web.serve(web.create(self), listening, stop), name="web")
        loops = [
            asyncio.create_task(_whenever(wake, stop, job), name=job.__name__) for wake, job in self._jobs()
        ]
        loops.append(backfilling)
        scheduler = AsyncIOScheduler()
        for wake, _ in self._jobs():
            scheduler.add_job(
                wake.set,
                IntervalTrigger(seconds=TICK_SECONDS),
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        scheduler.start()
        try:
            await stop.wait()
        finally:
            scheduler.shutdown(wait=False)
            await self._end(loops)
            await server
            log.info("service.stopped")

    # -- what the pages show (web.View); blocks, so it is called from threads

    @property
    def title(self) -> str:
        """What the owner calls it."""
        return self.loaded.config.service.title

    @property
    def base_url(self) -> str:
        """Where readers reach it."""
        return self.loaded.config.service.base_url

    @property
    def feeds_folder(self) -> Path:
        """Where published files are."""
        return self.loaded.config.service.feeds

    def now(self) -> datetime:
        """Return the store's time."""
        return self.store.now()

    def sources(self) -> list[SourceStatus]:
        """Return how each source is."""
        return source_statuses(self.loaded, self.store)

    def rules(self) -> list[RuleStatus]:
        """Return how each rule is."""
        counts = self.store.match_counts()
        return [
            RuleStatus(
                id=rule.id,
                title=rule.title,
                keywords=rule.terms,
                has_feed=rule.feed,
                matches=counts.get(rule.id, 0),
            )
            for rule in self.loaded.rules
        ]

    # -- wiring

    def _jobs(self) -> tuple[tuple[asyncio.Event, Callable[[], Awaitable[object]]], ...]:
        return (
            (self._wake_poll, self._start_polls),
            (self._wake_publish, self._publisher.publish_stale),
            (self._wake_deliver, self._outbox.run_due),
        )

    async def _start_polls(self) -> None:
        await self._poller.start_due(self.store.now())

    async def _end(self, loops: Sequence[asyncio.Task[None]]) -> None:
        log.info("service.stopping", polls=self._poller.in_flight)
        for wake, _ in self._jobs():
            wake.set()
        await asyncio.wait(loops, timeout=GRACE.total_seconds())
        for loop in loops:
            loop.cancel()
        for ended in await asyncio.gather(
            self._poller.close(GRACE), self._outbox.close(GRACE), return_exceptions=True
        ):
            if isinstance(ended, BaseException):  # what was leased comes free by itself
                log.error("service.not_given_back", error=str(ended))
        # What does not fit in stays stale, and is published at the next start.
        with suppress(TimeoutError, StoreError):
            await asyncio.wait_for(self._publisher.publish_stale(), LAST_PUBLISH_SECONDS)

    async def _open(self) -> None:
        settings = self.loaded.config
        self.call = StoreThread()
        self._stack.callback(self.call.close)
        self.store: Store = await self.call(SqliteStore, settings.service.database)
        self._stack.push_async_callback(self.call, self.store.close)
        freed = await self.call(self.store.release_abandoned_leases)
        if freed:
            log.warning(
                "leases.freed", leases=freed, reason="the process that held them ended without warning"
            )
        await self._configure()
        client = await self._stack.enter_async_context(Client(settings.network))
        index = RuleIndex(self.loaded.rules)
        self._poller = Poller(
            client=client,
            store=self.store,
            call=self.call,
            index=index,
            settings=settings.network,
            random=self._random,
            on_recorded=self._on_recorded,
        )
        self._publisher = Publisher(store=self.store, call=self.call, config=settings, rules=index.rules)
        self._stack.callback(self._publisher.close)
        await self._publisher.open()
        self._outbox = Outbox(
            client=client,
            store=self.store,
            call=self.call,
            config=settings,
            random=self._random,
            on_recorded=self._wake_deliver.set,
        )

    async def _configure(self) -> None:
        rules = {rule.id: rule for rule in self.loaded.rules}
        states = [state_of(rule) for rule in rules.values()]
        config = self.loaded.config
        network = repr(config.network)
        new = await self.call(self.store.configure, config.sources, states, network)
        self._new_rules = [rules[rule] for rule in new]

    async def _backfill_beside(self, stop: asyncio.Event) -> None:
        try:
            await self._backfill(stop)
        except StoreError as error:  # done anew at the next start
            log.error("store.unavailable", job="backfill", error=str(error))

    async def _backfill(self, stop: asyncio.Event) -> None:
        anew = await keep_words_anew(self.store, self.call, stop)
        if anew:
            log.info("items.kept_anew", items=anew, reason="words are found in another way than before")
        while self._new_rules and not stop.is_set():
            rule = self._new_rules.pop(0)
            todo = Backfill(rule=rule, since=self.store.now() - WINDOW)
            recorded = await backfill(self.store, self.call, todo, self.loaded.known, stop)
            if recorded and recorded.matched:
                self.backfilled[rule.id] = recorded.matched
                log.info(
                    "rule.backfilled",
                    rule=rule.id,
                    matches=recorded.matched,
                    reason="new or edited: applied to the last 30 days, without alerts",
                )
        self._wake_publish.set()

    def _on_recorded(self, polls: Sequence[tuple[Poll, Recorded]]) -> None:
        self._wake_poll.set()
        if any(recorded.matched or recorded.changed for _, recorded in polls):
            self._wake_publish.set()
        if any(recorded.alerts for _, recorded in polls):
            self._wake_deliver.set()
        for poll, recorded in polls:
            _log_poll(poll, recorded)
            if self._heard:
                self._heard(poll, recorded)


async def _whenever(wake: asyncio.Event, stop: asyncio.Event, job: Callable[[], Awaitable[object]]) -> None:
    """Do the job each time there may be something to do. One that fails is logged, and done again later."""
    while True:
        await wake.wait()
        wake.clear()
        if stop.is_set():
            return
        try:
            await job()
        except StoreError as error:
            log.error("store.unavailable", job=job.__name__, error=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), STORE_PAUSE_SECONDS)
        except Exception:
            log.exception("job.failed", job=job.__name__)


def _log_poll(poll: Poll, recorded: Recorded) -> None:
    source = poll.claim.source
    facts = {
        "source": source.id,
        "state": poll.state.value,
        "status": poll.status,
        "ms": round(poll.duration.total_seconds() * 1000),
    }
    if recorded.was_stale:
        log.warning("poll.stale", **facts, reason="it took longer than its lease; someone else polls it")
    elif recorded.error or poll.error:
        log.warning("poll.failed", **facts, address=poll.claim.address, error=recorded.error or poll.error)
    elif poll.state is PollState.UNCHANGED:
        log.debug("poll.unchanged", **facts)
    else:
        log.info("poll.read", **facts, **counts_of(recorded))
        if recorded.suppressed:
            log.info(
                "poll.not_alerted", source=source.id, matches=recorded.suppressed, reason=why_quiet(poll)
            )
    if poll.problems:
        log.info("poll.remarks", source=source.id, remarks="; ".join(poll.problems))


def counts_of(recorded: Recorded) -> dict[str, int]:
    """Return what a poll brought, for a log line."""
    return {
        "new": recorded.new,
        "changed": recorded.changed,
        "matched": recorded.matched,
        "alerts": recorded.alerts,
    }


def why_quiet(poll: Poll) -> str:
    """Return why what matched in a poll raised no alert."""
    if not poll.claim.has_baseline:
        return (
            "first document of the source, a baseline: old news is no alert (`baseline = false` makes it one)"
        )
    return (
        f"{poll.claim.url} took over from {poll.claim.last_success_url}: only what is newer than that alerts"
    )
