"""The running service: everything wired together, its ticks, and its end."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from syndicate import __version__, config
from syndicate.alerts.outbox import Totals, send_sample, told
from syndicate.backfill import WINDOW, Backfill, Known, backfill, keep_words_anew, state_of
from syndicate.errors import ConfigError, NetworkError, Problem, StoreError
from syndicate.http import Client
from syndicate.model import Config, Poll, PollState, Recorded, RuleStatus, Source, SourceStatus
from syndicate.reload import hang_ups, is_edited, watch
from syndicate.rules import collecting
from syndicate.rules.compile import compile_rules, rule_hints
from syndicate.rules.index import anchors_by_rule
from syndicate.rules.rule import Rule
from syndicate.sources.subscriber import Subscriber
from syndicate.store.protocol import Store
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from syndicate.workers import GRACE, Workers

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.5
MANY_RULES = 1_000  # of which the garbage collector had better not walk through all
BACKFILL_FIRST_SECONDS = 2.0  # how long new rules keep the start waiting, for feeds that are whole at once
STORE_PAUSE_SECONDS = 5.0  # after the database did not do something

Heard = Callable[[Poll, Recorded], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A configuration with its rules compiled: all that is needed to start."""

    config: Config
    rules: tuple[Rule, ...]
    read_at: float = field(default=0.0, compare=False)  # when reading began, in seconds since 1970

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
    read_at = time.time()
    reading = config.read(path, environ)
    problems: list[Problem] = list(reading.problems)
    rules: tuple[Rule, ...] = ()
    if reading.config is not None:
        rules, wrong = compile_rules(reading.config.rules, reading.config.sources)
        problems += wrong
    if problems or reading.config is None:
        raise ConfigError(sorted(problems))
    return Loaded(config=reading.config, rules=rules, read_at=read_at)


def hints(loaded: Loaded) -> list[Problem]:
    """Return what is worth a second look in a configuration without mistakes."""
    every_item = [rule for rule, found in anchors_by_rule(loaded.known.rules).items() if found is None]
    place_by_rule = {text.id: (text.file, text.line) for text in loaded.config.rules}
    costly = [
        Problem(file=file, line=line, text=f"rule {rule} {_COSTLY}")
        for rule in every_item
        for file, line in [place_by_rule[rule]]
    ]
    return sorted([*rule_hints(loaded.config.rules), *costly])


_COSTLY = "needs no word to be there, so it is looked at for every item: slow where there are many such rules"


def take_over(loaded: Loaded, store: Store) -> tuple[str, ...]:
    """Have the store take over the configuration; return the rules that must be applied to what it has."""
    config = loaded.config
    return store.configure(config.sources, [state_of(rule) for rule in loaded.rules], repr(config.network))


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
    """Everything between the configuration and the network, opened and closed as one.

    Args:
        read_again: returns the configuration as it is now; None: it is never read again.
        heard: hears of every poll.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        random: Callable[[], float],
        read_again: Callable[[], Loaded] | None = None,
        heard: Heard | None = None,
    ) -> None:
        self.loaded = loaded
        self.backfilled: dict[str, int] = {}  # matches by new or edited rule, of items stored before
        self._random = random
        self._read_again = read_again
        self._heard = heard
        self._stack = AsyncExitStack()
        self._new_rules: list[Rule] = []  # to be applied to what is stored
        self._wake_poll = asyncio.Event()
        self._wake_publish = asyncio.Event()
        self._wake_deliver = asyncio.Event()
        self._wake_backfill = asyncio.Event()
        self._wake_settle = asyncio.Event()  # subscriptions may have to be made or given up
        self._wake_hubs = asyncio.Event()
        self._wake_reload = asyncio.Event()
        self._backfilled = asyncio.Event()
        self._pause = asyncio.Event()  # for backfills to make room
        self._turn = {
            job: asyncio.Lock() for job in ("poll", "publish", "deliver", "backfill", "settle", "hubs")
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
        delivered = await workers.outbox.drain()
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

        from syndicate.web import app as web  # noqa: PLC0415

        self._wake_backfill.set()
        self._wake_settle.set()
        if is_edited(self.loaded.config, self.loaded.read_at):
            self._wake_reload.set()
        loops = [
            asyncio.create_task(_whenever(wake, stop, job), name=job.__name__) for wake, job in self._jobs()
        ]
        await self._first_backfill()
        await self._publish()  # so that no feed is missing when a reader asks
        self._log_start(listening)
        server = asyncio.create_task(web.serve(web.create(self), listening, stop), name="web")
        scheduler = AsyncIOScheduler()
        for wake in (self._wake_poll, self._wake_publish, self._wake_deliver, self._wake_hubs):
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

    def hang_ups(self, stop: asyncio.Event) -> AbstractContextManager[None]:
        """Take SIGHUP for what it means, while this is entered."""
        return hang_ups(self._wake_reload, stop)

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

    @property
    def callbacks(self) -> Subscriber:
        """Who takes what hubs say and send."""
        return self._workers.subscriber

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
            (self._wake_poll, self._poll),
            (self._wake_publish, self._publish),
            (self._wake_deliver, self._deliver),
            (self._wake_backfill, self._backfill_new),
            (self._wake_settle, self._settle_subscriptions),
            (self._wake_hubs, self._ask_hubs),
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
            await self._workers.outbox.run_due()

    async def _settle_subscriptions(self) -> None:
        async with self._turn["settle"]:
            try:
                await self._workers.subscriber.settle()
            except StoreError:
                self._wake_settle.set()  # once more, after a pause
                raise
        self._wake_hubs.set()

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
        self.store: Store = await self.call(SqliteStore, self.loaded.config.service.database)
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
            on_recorded=self._on_recorded,
            on_delivered=self._wake_deliver.set,
            on_pushed=self._wake_poll.set,
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
        self._new_rules = _still_new((), new, self.loaded)

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
        try:
            loaded = await asyncio.to_thread(self._read_again)
        except ConfigError as error:
            for problem in error.problems:
                log.error("config.problem", problem=str(replace(problem, excerpt="")))
            log.error(
                "config.refused", problems=len(error.problems), reason="what was read before stays in force"
            )
            return
        loaded = _as_far_as_possible(loaded, self.loaded)
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
            self._new_rules = _still_new(self._new_rules, new, loaded)
            await before.__aexit__(None, None, None)
            del before
            self._settle()
            await workers.publisher.open()
        log.info(
            "config.reloaded",
            sources=len(loaded.config.sources),
            rules=len(loaded.rules),
            endpoints=len(loaded.config.endpoints),
            to_apply=len(self._new_rules),
        )
        self._stop_watching()
        self._watching = self._watch()  # the folder of the rules may be another
        for wake, job in self._jobs():
            if job != self._reload:
                wake.set()

    async def _first_backfill(self) -> None:
        """Wait for new rules to be applied, but not for long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._backfilled.wait(), BACKFILL_FIRST_SECONDS)

    async def _backfill(self, stop: asyncio.Event) -> None:
        anew = await keep_words_anew(self.store, self.call, stop)
        if anew:
            log.info("items.kept_anew", items=anew, reason="words are found in another way than before")
        known = self.loaded.known
        await self._skip_backfill()
        while self._new_rules and not stop.is_set():
            rule = self._new_rules[0]
            try:
                recorded = await self._backfilled_rule(rule, known, stop)
            except StoreError:
                raise
            except Exception:
                log.exception("rule.not_backfilled", rule=rule.id)
            else:
                if recorded is None:
                    break
            self._new_rules.remove(rule)  # what fails by a defect of ours would fail again
        self._backfilled.set()
        self._wake_publish.set()

    async def _skip_backfill(self) -> None:
        """Be done with new rules at once, however many, while nothing is stored."""
        if self._new_rules:
            is_done = await self.call(self.store.skip_backfill, [*map(state_of, self._new_rules)])
            if is_done:
                self._new_rules.clear()

    async def _backfilled_rule(self, rule: Rule, known: Known, stop: asyncio.Event) -> Recorded | None:
        todo = Backfill(rule=rule, since=self.store.now() - WINDOW)
        recorded = await backfill(self.store, self.call, todo, known, stop)
        if recorded and recorded.matched:
            self.backfilled[rule.id] = recorded.matched
            log.info(
                "rule.backfilled",
                rule=rule.id,
                matches=recorded.matched,
                reason="new or edited: applied to the last 30 days, without alerts",
            )
        return recorded

    def _on_recorded(self, polls: Sequence[tuple[Poll, Recorded]]) -> None:
        self._wake_poll.set()
        if any(recorded.matched or recorded.changed for _, recorded in polls):
            self._wake_publish.set()
        if any(recorded.alerts for _, recorded in polls):
            self._wake_deliver.set()
        if any(poll.learned and poll.learned.hints != poll.claim.learned.hints for poll, _ in polls):
            self._wake_settle.set()
        for poll, recorded in polls:
            _log_poll(poll, recorded)
            if self._heard:
                self._heard(poll, recorded)


def _still_new(waiting: Sequence[Rule], new: Sequence[str], loaded: Loaded) -> list[Rule]:
    """Return the rules that must be applied to what is stored, those that waited for it first."""
    rules, unseen = loaded.known.rules, set(new)
    names = dict.fromkeys([*(rule.id for rule in waiting if rule.id in unseen), *new])
    return [rules[name] for name in names]


_KEYS = {"host": "listen", "port": "listen"}


def _as_far_as_possible(loaded: Loaded, before: Loaded) -> Loaded:
    """Return a configuration with what cannot change while the service runs as it was, and say so."""
    new, old = loaded.config.service, before.config.service
    kept = {name: getattr(old, name) for name in ("database", "host", "port")}
    changed = {_KEYS.get(name, name) for name, value in kept.items() if getattr(new, name) != value}
    if "listen" in changed:
        kept["base_url"] = old.base_url  # it tells where we listen
    if changed:
        log.warning(
            "config.needs_restart",
            settings=", ".join(sorted(changed)),
            reason="in force from the next start on",
        )
    config = replace(loaded.config, service=replace(new, **kept))
    return replace(loaded, config=config)


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
    elif poll.claim.push is not None:
        _log_push(poll, recorded, facts)
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
    if not (recorded.was_stale or recorded.error):
        _log_lessons(poll)


def _log_push(poll: Poll, recorded: Recorded, facts: Mapping[str, object]) -> None:
    error = recorded.error or poll.error
    if error:
        log.warning(
            "push.not_read", source=facts["source"], error=error, reason="its source is polled instead"
        )
    else:
        log.info("push.read", source=facts["source"], ms=facts["ms"], **counts_of(recorded))


def _log_lessons(poll: Poll) -> None:
    """Say what a poll has shown of its source itself."""
    source, gap, before = poll.claim.source.id, poll.gap, poll.claim.trust
    if gap is not None:
        facts = {
            "source": source,
            "begins": gap.begins.isoformat(timespec="seconds"),
            "ends": gap.ends.isoformat(timespec="seconds"),
            "filled": gap.filled,
        }
        if gap.is_closed:
            log.info("poll.gap_filled", **facts, reason="its archives had what was missed")
        else:
            log.warning(
                "poll.gap",
                **facts,
                reason="this document and the one before have no item in common: some may have been missed",
            )
    for name, is_new in (
        ("ETag", poll.trust.without_etag > before.without_etag),
        ("Last-Modified", poll.trust.without_last_modified > before.without_last_modified),
    ):
        if is_new:
            log.warning(
                "poll.lied_to",
                source=source,
                address=poll.claim.address,
                reason=f"it said that nothing had changed when something had: asked without its {name} now",
            )
    for notice in poll.notices:
        facts = {"source": source, "trouble": notice.kind.value, "text": notice.text}
        if notice.is_over:
            log.info("source.recovered", **facts)
        else:
            log.warning("source.troubled", **facts, told=", ".join(poll.notify) or None)


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
    if poll.claim.last_success_url is None:
        return f"{poll.claim.url} is read in another way than before: only what is newer than that alerts"
    return (
        f"{poll.claim.url} took over from {poll.claim.last_success_url}: only what is newer than that alerts"
    )
