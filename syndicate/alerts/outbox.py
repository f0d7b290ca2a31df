"""Delivering: claim what is due, freeze what it says, send it side by side, record how that went.

Each endpoint has a few deliveries in flight at most, so that a slow one holds up nobody else. A body is
kept before it is sent for the first time, so that every try says the same under the same id. What was
sent and not recorded, because we were killed in between, is sent again: receivers tell by its id.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from syndicate.alerts.outcome import Later
from syndicate.alerts.retry import Consequence, Dead, Delivered, RetryAt, after_attempt
from syndicate.alerts.sending import TIMEOUT, Answer, Message, Sender
from syndicate.errors import StoreError
from syndicate.http import Client
from syndicate.model import Attempt, Config, Delivery, DeliveryState
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)  # beyond the timeout: longer than an attempt waits to be sent and recorded
PER_ENDPOINT = 4
CLAIMED_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What became of some deliveries, each counted by its last try."""

    delivered: int = 0
    failed: int = 0
    errors: tuple[str, ...] = ()  # a line for each endpoint and reason


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Try:
    """An attempt that was made, and to whom."""

    endpoint: str
    attempt: Attempt


class Outbox:
    """Delivers to the configured endpoints until told otherwise.

    What waits for an endpoint that is configured no longer keeps waiting. `on_recorded` hears
    whenever attempts have been recorded: there is room for more then.
    """

    def __init__(  # noqa: PLR0913  wiring
        self,
        *,
        client: Client,
        store: Store,
        call: StoreThread,
        config: Config,
        random: Callable[[], float],
        on_recorded: Callable[[], object] = lambda: None,
        timeout: timedelta = TIMEOUT,
        per_endpoint: int = PER_ENDPOINT,
    ) -> None:
        self._sender = Sender(client, config, timeout)
        self._store = store
        self._call = call
        self._endpoints = {endpoint.id: endpoint for endpoint in config.endpoints}
        self._random = random
        self._on_recorded = on_recorded
        self._timeout = timeout
        self._per_endpoint = per_endpoint
        self._tasks: dict[asyncio.Task[Try], Delivery] = {}
        self._ended: list[Try] = []
        self._recording = asyncio.Lock()

    @property
    def in_flight(self) -> int:
        """How many deliveries have begun and are not recorded."""
        return len(self._tasks)

    async def run_due(self) -> None:
        """Begin delivering what is due, as far as there is room."""
        await self._begin_due()

    async def drain(self) -> Totals:
        """Deliver everything due; return when nothing due is left, or in flight here."""
        begun: list[asyncio.Task[Try]] = []
        while True:
            begun += await self._begin_due()
            if not self._tasks:
                return _totals([task.result() for task in begun if _has_ended_well(task)])
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def close(self, grace: timedelta) -> None:
        """Let deliveries in flight end for this long, then give the rest back as if they had not begun."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace.total_seconds())
        unfinished = dict(self._tasks)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        if self._ended:
            await self._record_ended()
        if unfinished:
            await self._call(self._store.release_deliveries, list(unfinished.values()))

    async def _begin_due(self) -> list[asyncio.Task[Try]]:
        deliveries = await self._call(
            self._store.claim_deliveries,
            limit=CLAIMED_AT_ONCE,
            endpoints=tuple(self._endpoints),
            per_endpoint=self._per_endpoint,
            lease=LEASE + self._timeout,
        )
        bodies = {delivery.id: self._body(delivery) for delivery in deliveries}
        fresh = [
            (delivery.id, delivery.token, body)
            for delivery in deliveries
            if delivery.body is None and isinstance(body := bodies[delivery.id], bytes)
        ]
        if fresh:
            await self._call(self._store.freeze_bodies, fresh)
        return [self._begin(delivery, bodies[delivery.id]) for delivery in deliveries]

    def _begin(self, delivery: Delivery, body: bytes | Answer) -> asyncio.Task[Try]:
        task = asyncio.create_task(self._deliver(delivery, body), name=f"deliver {delivery.id}")
        self._tasks[task] = delivery
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Try]) -> None:
        delivery = self._tasks.pop(task)
        if not task.cancelled() and (error := task.exception()):
            # Its lease runs out, and it is due again.
            log.error("delivery.crashed", endpoint=delivery.endpoint, delivery=delivery.id, exc_info=error)

    def _body(self, delivery: Delivery) -> bytes | Answer:
        """Return what the delivery says, or what came of it if that can't be put in words."""
        if delivery.body is not None:
            return delivery.body
        try:
            return self._sender.body(self._endpoints[delivery.endpoint], delivery)
        except Exception:
            log.exception("delivery.crashed", endpoint=delivery.endpoint, delivery=delivery.id)
            return _failed("could not be put in words, a defect of Syndicate: see the log")

    async def _deliver(self, delivery: Delivery, body: bytes | Answer) -> Try:
        started_at, started = self._store.now(), time.monotonic()
        answer = await self._answer(delivery, body, started_at)
        consequence = after_attempt(
            attempts_before=delivery.attempts,
            outcome=answer.outcome,
            now=self._store.now(),
            jitter=self._random(),
        )
        attempt = Attempt(
            delivery=delivery.id,
            token=delivery.token,
            started_at=started_at,
            duration=timedelta(seconds=time.monotonic() - started),
            status=answer.status,
            error=_reason(consequence),
            answer=answer.text,
            state=_state(consequence),
            next_attempt_at=consequence.at if isinstance(consequence, RetryAt) else None,
        )
        made = Try(endpoint=delivery.endpoint, attempt=attempt)
        _log(made, delivery.attempts + 1)
        await self._record(made)
        return made

    async def _answer(self, delivery: Delivery, body: bytes | Answer, now: datetime) -> Answer:
        if isinstance(body, Answer):
            return body
        message = Message(id=delivery.id, body=body, sent_at=now)
        try:
            return await self._sender.send(self._endpoints[delivery.endpoint], message)
        except Exception as error:
            log.exception("delivery.crashed", endpoint=delivery.endpoint, delivery=delivery.id)
            return _failed(f"could not be sent, a defect of Syndicate: {type(error).__name__}; see the log")

    async def _record(self, made: Try) -> None:
        self._ended.append(made)
        # Whoever comes first records for all that have ended while the one before was recording.
        async with self._recording:
            while made in self._ended:
                await self._record_ended()

    async def _record_ended(self) -> None:
        batch, self._ended = self._ended, []
        try:
            # What was sent is recorded, even if we are to stop now.
            await asyncio.shield(self._call(self._store.record_attempts, [made.attempt for made in batch]))
        except StoreError as error:
            # Nothing was changed: the leases run out, and the deliveries are due again.
            log.error("attempts.not_recorded", attempts=len(batch), error=str(error))
        self._on_recorded()


def _failed(reason: str) -> Answer:
    return Answer(outcome=Later(reason=reason))


def _reason(consequence: Consequence) -> str | None:
    return None if isinstance(consequence, Delivered) else consequence.reason


def _state(consequence: Consequence) -> DeliveryState:
    match consequence:
        case Delivered():
            return DeliveryState.DELIVERED
        case RetryAt():
            return DeliveryState.WAITING
        case Dead():
            return DeliveryState.DEAD
        case _:
            assert_never(consequence)


def _log(made: Try, number: int) -> None:
    attempt = made.attempt
    facts = {
        "endpoint": made.endpoint,
        "delivery": attempt.delivery,
        "attempt": number,
        "status": attempt.status,
        "ms": round(attempt.duration.total_seconds() * 1000),
    }
    match attempt.state:
        case DeliveryState.DELIVERED:
            log.info("delivery.delivered", **facts)
        case DeliveryState.WAITING:
            next_attempt_at = attempt.next_attempt_at and attempt.next_attempt_at.isoformat()
            log.warning("delivery.failed", **facts, error=attempt.error, next_attempt_at=next_attempt_at)
        case DeliveryState.DEAD:
            log.error("delivery.dead", **facts, error=attempt.error)
        case _:
            assert_never(attempt.state)


def _has_ended_well(task: asyncio.Task[Try]) -> bool:
    return not task.cancelled() and task.exception() is None


def _totals(tries: Sequence[Try]) -> Totals:
    last = {made.attempt.delivery: made for made in tries}.values()
    failed = [made for made in last if made.attempt.state is not DeliveryState.DELIVERED]
    errors = Counter((made.endpoint, made.attempt.error) for made in failed)
    return Totals(
        delivered=len(last) - len(failed),
        failed=len(failed),
        errors=tuple(
            f"{endpoint}: {error}" + (f" ({count} deliveries)" if count > 1 else "")
            for (endpoint, error), count in errors.items()
        ),
    )
