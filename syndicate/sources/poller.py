"""Polling: claim what is due, fetch and read it side by side, record it in batches."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from syndicate.errors import ParseError, StoreError
from syndicate.http import Client
from syndicate.model import Claim, Document, NetworkSettings, Poll, Push, Recorded, Scope
from syndicate.rules.index import RuleIndex
from syndicate.sources.archives import Archives
from syndicate.sources.article import Articles
from syndicate.sources.changes import Reading
from syndicate.sources.decide import Moment, decide_failure, decide_reading, decide_unchanged
from syndicate.sources.fetch import Failed, Fetched, Gone, NotModified, bad_answer, fetch
from syndicate.sources.full_text import FullText
from syndicate.sources.kinds import unexpected
from syndicate.sources.late import with_late
from syndicate.sources.parse import parse
from syndicate.sources.parts import Outcome as PartsOutcome
from syndicate.sources.parts import Parts
from syndicate.sources.pushes import decide_push, decide_unreadable_push, read_push
from syndicate.sources.turns import StoreTurns
from syndicate.store.protocol import HostPace, Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)  # longer than any poll: the request, the reading, and waiting to be recorded
BATCH = 25  # polls a transaction: the write lock is held for a second at most
GATHER_SECONDS = 0.1  # for which a poll that has ended waits for others, to be recorded with them
FEW_ENTRIES = 200  # are identified in a few milliseconds
CHECK_SECONDS = 0.25  # how often `drain` looks whether a host may be asked again

Result = Reading | NotModified | Gone | Failed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Finished:
    """A poll that has ended, not yet compared with what is stored."""

    claim: Claim
    result: Result
    duration: timedelta
    jitter: float


class Poller:
    """Polls sources until told otherwise. `on_recorded` hears of every poll once it is kept."""

    def __init__(  # noqa: PLR0913  wiring
        self,
        *,
        client: Client,
        store: Store,
        call: StoreThread,
        index: RuleIndex,
        settings: NetworkSettings,
        notify: Sequence[str] = (),
        random: Callable[[], float],
        on_recorded: Callable[[Sequence[tuple[Poll, Recorded]]], None],
    ) -> None:
        self._client = client
        articles = Articles(client=client, store=store, call=call, settings=settings)
        self._full_text = FullText(store=store, call=call, articles=articles)
        turns = StoreTurns(store=store, call=call, clock=time.monotonic, scope=settings.retry_after)
        self._parts = Parts(client=client, settings=settings, turns=turns)
        self._store = store
        self._call = call
        self._index = index
        self._concurrency = settings.concurrency
        self._pace = HostPace(interval=settings.host_interval, concurrency=settings.host_concurrency)
        self._archives = Archives(client=client, store=store, call=call, pace=self._pace)
        self._does_host_wait = settings.retry_after is Scope.HOST
        self._notify = tuple(notify)
        self._random = random
        self._on_recorded = on_recorded
        self._tasks: dict[asyncio.Task[None], Claim] = {}
        self._open = 0  # polls that have begun and are not recorded; their tasks may end a little later
        self._running = 0  # those of them that have not ended
        self._finished: list[Finished] = []
        self._is_batch_full = asyncio.Event()
        self._recording = asyncio.Lock()
        self.unrecorded = 0  # polls that the store did not take

    @property
    def in_flight(self) -> int:
        """How many polls have begun and are not recorded."""
        return len(self._tasks)

    async def start_due(self, due_by: datetime) -> int:
        """Begin polling what is due by then, as far as there is room; return how many polls have begun."""
        room = self._concurrency - self._open
        if room <= 0:
            return 0
        claims = await self._call(
            self._store.claim_sources, limit=room, due_by=due_by, lease=LEASE, pace=self._pace
        )
        for claim in claims:
            task = asyncio.create_task(self._poll(claim), name=f"poll {claim.source.id}")
            self._tasks[task] = claim
            task.add_done_callback(self._tasks.pop)
        self._open += len(claims)
        self._running += len(claims)
        return len(claims)

    async def drain(self, due_by: datetime) -> None:
        """Poll everything due by then, other addresses of what failed too; return when all is recorded.

        Hosts that asked to be left alone, and sources that another process polls, are not waited for.
        """
        longest_wait = self._pace.interval + timedelta(seconds=1)
        idle_since = self._store.now()
        while self.unrecorded == 0 or self._tasks:
            begun = await self.start_due(due_by) if self.unrecorded == 0 else 0
            if self._tasks:
                idle_since = self._store.now()
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED, timeout=CHECK_SECONDS)
                continue
            at = await self._call(self._store.next_claim_at, due_by)
            wait = None if at is None else at - self._store.now()
            if wait is None or wait > longest_wait or self._store.now() - idle_since > longest_wait:
                return
            # What is due but was not claimed waits for another process.
            shortest = 0.005 if begun or wait > timedelta() else CHECK_SECONDS
            await asyncio.sleep(max(wait.total_seconds(), shortest))

    async def close(self, grace: timedelta) -> None:
        """Let polls in flight end for this long, then give the rest back as if they had not begun."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace.total_seconds())
        unfinished = dict(self._tasks)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        if unfinished:
            await self._call(self._store.release_sources, list(unfinished.values()))

    async def _poll(self, claim: Claim) -> None:
        started = time.monotonic()
        try:
            result = await self._result(claim)
        except Exception as error:  # noqa: BLE001  one bad source never stops the others
            result = _defect(claim, error)
        finished = Finished(
            claim=claim,
            result=result,
            duration=timedelta(seconds=time.monotonic() - started),
            jitter=self._random(),
        )
        self._finished.append(finished)
        self._running -= 1
        if len(self._finished) >= BATCH or not self._running:
            self._is_batch_full.set()
        # Whoever comes first records for all that have ended meanwhile.
        async with self._recording:
            while finished in self._finished:
                await self._gather()
                await self._record_finished()

    async def _gather(self) -> None:
        """Wait until enough polls have ended, but not for long: of few transactions, each costs as much."""
        if len(self._finished) >= BATCH or not self._running:
            return
        self._is_batch_full.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_batch_full.wait(), GATHER_SECONDS)

    async def _result(self, claim: Claim) -> Result:
        if claim.push is not None:
            return await self._pushed(claim, claim.push)
        outcome = await fetch(self._client, claim, self._store.now())
        read = await self._read(claim, outcome) if isinstance(outcome, Fetched | NotModified) else outcome
        if isinstance(read, Failed):
            return replace(read, backs_off_host=read.backs_off_host and self._does_host_wait)
        if isinstance(read, NotModified):
            return await self._full_text.of_unchanged(claim, read) if claim.source.full_text else read
        if not isinstance(read, tuple):
            return read
        reading = await self._archives.filled(claim, await _reading(*read))
        if not self._does_host_wait:
            reading = replace(reading, refusal=None)
        return await self._full_text.of_reading(claim, reading) if claim.source.full_text else reading

    async def _pushed(self, claim: Claim, push: Push) -> Result:
        """Read what a hub has sent, as if it was the answer of the source."""
        read = await read_push(claim, push)
        if isinstance(read, Failed):
            return read
        reading = await _reading(*read)
        return await self._full_text.of_reading(claim, reading) if claim.source.full_text else reading

    async def _read(self, claim: Claim, outcome: Fetched | NotModified) -> PartsOutcome:
        """Return the document that an answer holds, or of which it holds the index."""
        if isinstance(outcome, NotModified):
            index = Document(format=claim.format, parts=claim.parts)
        else:
            try:
                index = await parse(
                    outcome.body, outcome.headers, outcome.url, claim.source.address(claim.url)
                )
            except ParseError as error:
                return _unreadable(outcome, str(error))
            if why := unexpected(claim, index):
                return _unreadable(outcome, why)
        if index.parts:
            return await self._parts.read(claim, outcome, index, self._store.now())
        return outcome if isinstance(outcome, NotModified) else (outcome, index)

    async def _record_finished(self) -> None:
        batch, self._finished = self._finished[:BATCH], self._finished[BATCH:]
        try:
            done = await self._call(_record, self._store, self._index, batch, self._notify)
            self._open -= len(batch)
            self._on_recorded(done)
        except StoreError as error:
            self._open -= len(batch)
            # Nothing was changed: the leases are given back or run out, and the sources are due again.
            log.error("polls.not_recorded", polls=len(batch), error=str(error))
            self.unrecorded += len(batch)
            with suppress(StoreError):
                await self._call(self._store.release_sources, [finished.claim for finished in batch])


def _unreadable(fetched: Fetched, why: str) -> Failed:
    status = fetched.answer.status
    return Failed(
        status=status,
        error=why,
        spent=fetched.answer.spent,
        bad_answer=bad_answer(fetched.url, status, fetched.headers, fetched.body),
    )


async def _reading(fetched: Fetched, document: Document) -> Reading:
    """Return the reading of a document, of a long one without stopping the event loop."""
    if len(document.entries) <= FEW_ENTRIES:
        return Reading.of(fetched, document)
    return await asyncio.to_thread(Reading.of, fetched, document)


def _record(
    store: Store, index: RuleIndex, batch: Sequence[Finished], notify: tuple[str, ...]
) -> list[tuple[Poll, Recorded]]:
    decided = (_decide_safely(store, index, finished) for finished in batch)
    polls = [replace(poll, notify=notify) if poll.notices else poll for poll in decided]
    return list(zip(polls, store.record_polls(polls), strict=True))


def _decide_safely(store: Store, index: RuleIndex, finished: Finished) -> Poll:
    try:
        return _decide(store, index, finished)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  one bad source never stops the others
        return _decide(store, index, replace(finished, result=_defect(finished.claim, error)))


def _defect(claim: Claim, error: Exception) -> Failed:
    """A bug of ours: this source backs off and says so, the others go on."""
    log.error("poll.crashed", source=claim.source.id, exc_info=error)
    return Failed(status=None, error=f"could not be polled, a defect of Syndicate: {error!r}")


def _decide(store: Store, index: RuleIndex, finished: Finished) -> Poll:
    moment = Moment(now=store.now(), duration=finished.duration, jitter=finished.jitter)
    claim = finished.claim
    match finished.result:
        case Failed() as failure if claim.push is not None:
            return decide_unreadable_push(claim, failure.error, moment)
        case Reading() as reading:
            known = store.known_items(claim.source.id, reading.keys())
            decide = decide_reading if claim.push is None else decide_push
            poll = decide(claim, reading, known, index, moment)
            return with_late(poll, reading, index, moment.now)
        case NotModified() as unchanged:
            return with_late(decide_unchanged(claim, unchanged, moment), unchanged, index, moment.now)
        case Gone() | Failed() as failure:
            return decide_failure(claim, failure, moment)
