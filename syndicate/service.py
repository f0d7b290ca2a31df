"""The running service: everything wired together, its ticks, and its end."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

import structlog

from syndicate import __version__
from syndicate.alerts.totals import Totals
from syndicate.errors import ConfigError, Problem, StoreError
from syndicate.feeds.heads import Heads
from syndicate.hub.hub import Hub
from syndicate.loading import Loaded, take_over
from syndicate.model import Poll, PollState, Recorded
from syndicate.new_rules import NewRules
from syndicate.poll_log import log_poll
from syndicate.reload import hang_ups, is_edited, watch
from syndicate.rules import collecting
from syndicate.sources.subscriber import Subscriber
from syndicate.store.opening import open_store
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread
from syndicate.workers import GRACE, Workers

log = structlog.get_logger(__name__)

TICK = timedelta(seconds=0.5)
SPIKE_TICKS = 120  # from one look at the volumes of rules to the next: a minute
MANY_RULES = 1_000  # of which the garbage collector had better not walk through all
BACKFILL_FIRST_SECONDS = 2.0  # how long new rules keep the start waiting, for feeds that are whole at once
STORE_PAUSE_SECONDS = 5.0  # after the database did not do something

P = ParamSpec("P")
T = TypeVar("T")
Heard = Callable[[Poll, Recorded], None]


class Service:
    """Everything between the configuration and the network, opened and closed as one.

    Args:
        read_again: returns the configuration as it is now; None: it is never read again.
        heard: hears of every poll.
        clock: tells the time that everything goes by; None: the database does (`open_store`).
        tick: how often it is looked whether something is due, by the time of this machine.
    """

    def __init__(  # noqa: PLR0913  wiring
        self,
        loaded: Loaded,
        *,
        random: Callable[[], float],
        read_again: Callable[[], Loaded] | None = None,
        heard: Heard | None = None,
        clock: Callable[[], datetime] | None = None,
        tick: timedelta = TICK,
    ) -> None:
        self.loaded = loaded
        self.refused: tuple[Problem, ...] = ()
        self.needs_restart: tuple[str, ...] = ()
        self.started_at = clock() if clock else datetime.now(UTC)
        self._random = random
        self._heads = Heads()
        self._read_again = read_again
        self._heard = heard
        self._clock = clock
        self._tick = tick
        self._stack = AsyncExitStack()
        self._wake_poll = asyncio.Event()
        self._wake_publish = asyncio.Event()
        self._wake_deliver = asyncio.Event()
        self._wake_spikes = asyncio.Event()
        self._wake_backfill = asyncio.Event()
        self._wake_settle = asyncio.Event()  # subscriptions may have to be made or given up
        self._wake_hubs = asyncio.Event()
        self._wake_own_hub = asyncio.Event()
        self._wake_reload = asyncio.Event()
        self._pause = asyncio.Event()  # for backfills to make room
        self._turn = {
            job: asyncio.Lock()
            for job in ("poll", "publish", "deliver", "spikes", "backfill", "settle", "hubs", "hub")
        }

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
        workers = self._workers
        await workers.poller.drain(self.store.now())
        feeds_changed = await workers.publisher.publish_stale()
        await workers.spikes.look()
        silenced = await workers.router.run_due()
        delivered = replace(await workers.outbox.drain(), silenced=silenced)
        feeds_changed += await workers.publisher.publish_stale()  # health tells what nobody took
        await workers.hub.drain()
        not_done = [f"feed {feed}: {error}" for feed, error in workers.publisher.failures.items()]
        if workers.poller.unrecorded:
            not_done.append(f"{workers.poller.unrecorded} polls could not be recorded, and are due again")
        if not_done:
            raise StoreError("; ".join(not_done))
        return feeds_changed, delivered

    async def run(self, stop: asyncio.Event, listening: socket.socket) -> None:
        """Poll, publish, deliver and serve until told to stop; then end what is in flight, within seconds."""
        # What only a service needs; other commands start faster without.
        from apscheduler.schedulers.asyncio import AsyncIOScheduler  # noqa: PLC0415
        from apscheduler.triggers.interval import IntervalTrigger  # noqa: PLC0415

        from syndicate.web import app, server  # noqa: PLC0415

        await self.call(self.store.doubt_hubs)
        self._wake_backfill.set()
        self._wake_settle.set()
        if is_edited(self.loaded.config, self.loaded.read_at):
            self._wake_reload.set()
        loops = [
            asyncio.create_task(_whenever(wake, stop, job), name=job.__name__) for wake, job in self._jobs()
        ]
        with suppress(TimeoutError):
            await asyncio.wait_for(self._new_rules.wait_until_applied(), BACKFILL_FIRST_SECONDS)
        await self._publish()  # so that no feed is missing when a reader asks
        self._log_start(listening)
        serving = asyncio.create_task(server.serve(app.create(self, stop), listening, stop), name="web")
        scheduler = AsyncIOScheduler()
        often = (
            self._wake_poll,
            self._wake_publish,
            self._wake_deliver,
            self._wake_hubs,
            self._wake_own_hub,
        )
        for wake, every in (
            *((each, self._tick) for each in often),
            (self._wake_spikes, SPIKE_TICKS * self._tick),
        ):
            scheduler.add_job(
                wake.set,
                IntervalTrigger(seconds=every.total_seconds()),
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
            await serving
            log.info("service.stopped")

    def hang_ups(self, stop: asyncio.Event) -> AbstractContextManager[None]:
        """Take SIGHUP for what it means, while this is entered."""
        return hang_ups(self._wake_reload, stop)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is claimed, published or applied, and no poll or delivery is in flight."""
        is_at_work = any(turn.locked() for turn in self._turn.values())
        workers = self._workers
        in_flight = workers.poller.in_flight + workers.outbox.in_flight + workers.hub.in_flight
        return not (is_at_work or in_flight)

    @property
    def backfilled(self) -> Mapping[str, int]:
        """By new or edited rule, how many of the items stored before match."""
        return self._new_rules.matches

    # -- what the web server knows (web.View), beside `loaded`, `store`, `refused` and `started_at`

    @property
    def base_url(self) -> str:
        """Where readers reach it."""
        return self.loaded.config.service.base_url

    @property
    def callbacks(self) -> Subscriber:
        """Who takes what hubs say and send."""
        return self._workers.subscriber

    @property
    def hub(self) -> Hub:
        """Who takes requests to subscribe to our feeds."""
        return self._workers.hub

    def now(self) -> datetime:
        """Return the store's time."""
        return self.store.now()

    async def change(self, unit: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """See `web.view.View`."""
        done = await self.call(unit, *args, **kwargs)
        self._wake_all()
        return done

    # -- wiring

    def _jobs(self) -> tuple[tuple[asyncio.Event, Callable[[], Awaitable[object]]], ...]:
        return (
            (self._wake_poll, self._poll),
            (self._wake_publish, self._publish),
            (self._wake_deliver, self._deliver),
            (self._wake_spikes, self._look_for_spikes),
            (self._wake_backfill, self._backfill_new),
            (self._wake_settle, self._settle_subscriptions),
            (self._wake_hubs, self._ask_hubs),
            (self._wake_own_hub, self._run_hub),
            (self._wake_reload, self._reload),
        )

    async def _poll(self) -> None:
        async with self._turn["poll"]:
            await self._workers.poller.start_due(self.store.now())

    async def _publish(self) -> None:
        async with self._turn["publish"]:
            await self._workers.publisher.publish_stale()

    async def _deliver(self) -> None:
        async with self._turn["deliver"]:
            await self._workers.router.run_due()
            await self._workers.outbox.run_due()

    async def _look_for_spikes(self) -> None:
        async with self._turn["spikes"]:
            if await self._workers.spikes.look():
                self._wake_deliver.set()

    async def _settle_subscriptions(self) -> None:
        async with self._turn["settle"]:
            try:
                await self._workers.subscriber.settle()
            except StoreError:
                self._wake_settle.set()  # once more, after a pause
                raise
        self._wake_hubs.set()

    async def _run_hub(self) -> None:
        async with self._turn["hub"]:
            await self._workers.hub.run_due()

    async def _ask_hubs(self) -> None:
        async with self._turn["hubs"]:
            await self._workers.subscriber.run_due()

    async def _backfill_new(self) -> None:
        async with self._turn["backfill"]:
            try:
                await self._backfill(self._pause)
            except StoreError:
                self._wake_backfill.set()  # once more, after a pause
                raise

    def _log_start(self, listening: socket.socket) -> None:
        host, port = listening.getsockname()[:2]
        log.info(
            "service.started",
            version=__version__,
            address=self.base_url,
            sources=len(self.loaded.config.sources),
            rules=len(self.loaded.rules),
            endpoints=len(self.loaded.config.endpoints),
            listening=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        )

    async def _end(self, loops: Sequence[asyncio.Task[None]]) -> None:
        log.info("service.stopping", polls=self._workers.poller.in_flight)
        for wake, _ in self._jobs():
            wake.set()
        self._pause.set()
        await asyncio.wait(loops, timeout=GRACE.total_seconds())
        for loop in loops:
            loop.cancel()
        await self._workers.finish()

    async def _open(self) -> None:
        self.call = StoreThread()
        self._stack.callback(self.call.close)
        self.store: Store = await self.call(open_store, self.loaded.config.service.database, self._clock)
        self._stack.push_async_callback(self.call, self.store.close)
        freed = await self.call(self.store.release_abandoned_leases)
        if freed:
            log.warning(
                "leases.freed", leases=freed, reason="the process that held them ended without warning"
            )
        await self._configure()
        self._workers = await self._made_workers(self.loaded)
        self._stack.push_async_callback(self._close_workers)
        self._settle()
        await self._workers.publisher.open()
        self._watching = self._watch()
        self._stack.callback(self._stop_watching)

    async def _made_workers(self, loaded: Loaded) -> Workers:
        workers = Workers(
            config=loaded.config,
            rules=loaded.rules,
            store=self.store,
            call=self.call,
            random=self._random,
            heads=self._heads,
            on_recorded=self._on_recorded,
            on_delivered=self._wake_deliver.set,
            on_pushed=self._wake_poll.set,
            on_hub=self._wake_own_hub.set,
        )
        await workers.__aenter__()
        return workers

    def _settle(self) -> None:
        if len(self.loaded.rules) >= MANY_RULES:
            collecting.settle()

    async def _close_workers(self) -> None:
        await self._workers.__aexit__(None, None, None)

    async def _configure(self) -> None:
        new = await self.call(take_over, self.loaded, self.store)
        self._new_rules = NewRules(self.store, self.call)
        self._new_rules.add(new, self.loaded.known)

    # -- reading the configuration again

    def _watch(self) -> asyncio.Task[None] | None:
        if self._read_again is None:
            return None
        return asyncio.create_task(watch(self.loaded.config, self._wake_reload), name="watch")

    def _stop_watching(self) -> None:
        if self._watching:
            self._watching.cancel()

    async def _reload(self) -> None:
        """Take over the configuration as it is now; one with mistakes changes nothing, and that is said."""
        if self._read_again is None:
            return
        self._stop_watching()
        self._watching = self._watch()  # before it is read, so that no later change is missed
        await asyncio.sleep(0)  # from here on it watches
        try:
            loaded = await asyncio.to_thread(self._read_again)
        except ConfigError as error:
            for problem in error.problems:
                log.error("config.problem", problem=str(replace(problem, excerpt="")))
            self.refused = tuple(error.problems)
            log.error(
                "config.refused", problems=len(error.problems), reason="what was read before stays in force"
            )
            return
        self.refused = ()
        loaded, self.needs_restart = _as_far_as_possible(loaded, self.loaded)
        if loaded == self.loaded:
            return
        try:
            await self._switch(loaded)
        except StoreError:
            self._wake_reload.set()  # once more, after a pause
            raise

    async def _switch(self, loaded: Loaded) -> None:
        """Let the present workers end what they have begun, and new ones go on."""
        self._pause.set()  # a backfill under way goes on afterwards
        async with AsyncExitStack() as turns:
            for turn in self._turn.values():
                await turns.enter_async_context(turn)
            self._pause.clear()
            workers = await self._made_workers(loaded)
            before = self._workers
            try:
                await before.finish()  # by the rules that are still in force
                new = await self.call(take_over, loaded, self.store)
            except BaseException:
                await workers.__aexit__(None, None, None)
                raise
            self._workers, self.loaded = workers, loaded
            self._new_rules.add(new, loaded.known)
            await before.__aexit__(None, None, None)
            del before
            self._settle()
            await workers.publisher.open()
        log.info(
            "config.reloaded",
            sources=len(loaded.config.sources),
            rules=len(loaded.rules),
            endpoints=len(loaded.config.endpoints),
            to_apply=self._new_rules.waiting,
        )
        self._stop_watching()
        self._watching = self._watch()  # the folder of the rules may be another
        await asyncio.sleep(0)  # from here on it watches
        if is_edited(loaded.config, loaded.read_at):  # while the old one was let go, which had not told yet
            self._wake_reload.set()
        self._wake_all()

    def _wake_all(self) -> None:
        for wake, job in self._jobs():
            if job != self._reload:
                wake.set()

    async def _backfill(self, stop: asyncio.Event) -> None:
        await self._new_rules.apply(self.loaded.known, stop)
        self._wake_publish.set()

    def _on_recorded(self, polls: Sequence[tuple[Poll, Recorded]]) -> None:
        self._wake_poll.set()
        if any(recorded.matched or recorded.changed for _, recorded in polls):
            self._wake_publish.set()
        if any(recorded.alerts for _, recorded in polls):
            self._wake_deliver.set()
        if any(map(_concerns_hubs, (poll for poll, _ in polls))):
            self._wake_settle.set()
        for poll, recorded in polls:
            log_poll(poll, recorded)
            if self._heard:
                self._heard(poll, recorded)


def _concerns_hubs(poll: Poll) -> bool:
    """Whether a subscription may have to be made or given up."""
    if poll.state is PollState.GONE:
        return True
    before, after = poll.claim.learned.hints, (poll.learned or poll.claim.learned).hints
    return (before.hubs, before.topic) != (after.hubs, after.topic)


_KEYS = {"host": "listen", "port": "listen"}


def _as_far_as_possible(loaded: Loaded, before: Loaded) -> tuple[Loaded, tuple[str, ...]]:
    """Return a configuration with what cannot change while the service runs as it was, and what that is."""
    new, old = loaded.config.service, before.config.service
    kept = {name: getattr(old, name) for name in ("database", "host", "port")}
    changed = {_KEYS.get(name, name) for name, value in kept.items() if getattr(new, name) != value}
    if "listen" in changed and new.base_url != old.base_url:
        kept["base_url"] = old.base_url  # it tells where we listen
        changed.add("base_url")
    if changed:
        log.warning(
            "config.needs_restart",
            settings=", ".join(sorted(changed)),
            reason="in force from the next start on",
        )
    config = replace(loaded.config, service=replace(new, **kept))
    return replace(loaded, config=config), tuple(sorted(changed))


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
