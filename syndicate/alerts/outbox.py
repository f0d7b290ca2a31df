"""Delivering: claim what is due, freeze what it says, send it side by side, record how that went.

Each endpoint has a lane of its own with a few deliveries under way at most, so that a slow one holds up
nobody else. A body is kept before it is sent for the first time, so that every try says the same under the
same id. What was sent and not recorded, because we were killed in between, is sent again: receivers tell by
its id.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import assert_never

import structlog

from syndicate.alerts.lane import Lane, Ready
from syndicate.alerts.outcome import Later
from syndicate.alerts.recorder import Recorder
from syndicate.alerts.retry import Consequence, Dead, Delivered, Disabled, RetryAt, after_attempt
from syndicate.alerts.sending import TIMEOUT, Answer, Message, Sender
from syndicate.alerts.totals import Tally, Totals
from syndicate.http import Client
from syndicate.model import Attempt, Config, Delivery, DeliveryState, EndpointState, EndpointStatus
from syndicate.model.channels import Template
from syndicate.store.protocol import Floods, Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)  # beyond the timeout: longer than an attempt waits to be sent and recorded
LEASE_LEFT = timedelta(seconds=30)  # beyond the timeout, at least, of what is about to be sent
CLAIMED_AT_ONCE = 200


class Outbox:
    """Delivers to the configured endpoints until told otherwise.

    What waits for an endpoint that is configured no longer keeps waiting. `on_recorded` hears
    whenever attempts have been recorded, or an endpoint could do with more: there is room for it then.
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
    ) -> None:
        self._sender = Sender(client, config, timeout)
        self._store = store
        self._call = call
        self._lanes = {each.id: Lane(endpoint=each, at_once=each.concurrency) for each in config.endpoints}
        self._floods = Floods(
            flood_after={
                each.id: each.flood_after for each in config.endpoints if each.flood_after is not None
            },
            read={
                each.id
                for each in config.endpoints
                if each.channel and not isinstance(each.channel, Template)
            },
            urgent={rule.id for rule in config.rules if rule.urgent},
        )
        self._random = random
        self._on_recorded = on_recorded
        self._timeout = timeout
        self._recorder = Recorder(store, call, config.service.notify, self._tell_recorded)
        self._workers: set[asyncio.Task[None]] = set()
        self._under_way: dict[str, Delivery] = {}  # by id
        self._tally: Tally | None = None  # while draining
        self._changed = asyncio.Event()

    @property
    def in_flight(self) -> int:
        """How many deliveries are claimed by us and not recorded."""
        waiting = sum(len(lane.queue) for lane in self._lanes.values())
        return waiting + len(self._under_way) + self._recorder.unrecorded

    async def run_due(self) -> None:
        """Begin delivering what is due, as far as there is room."""
        await self._begin_due({lane.endpoint.id: lane.depth for lane in self._lanes.values() if lane.is_low})

    async def drain(self) -> Totals:
        """Deliver everything due; return when nothing due is left, or in flight here.

        An endpoint that gives no answer to as many in a row as are sent at once is left alone for now: all
        would have to be waited for, and what was not tried is due the next time.
        """
        self._tally = Tally()
        while True:
            self._changed.clear()
            has_begun = await self._begin_due(
                {
                    lane.endpoint.id: lane.at_once - lane.unanswered if lane.unanswered else lane.depth
                    for lane in self._lanes.values()
                    if lane.is_low
                }
            )
            if not has_begun and not self.in_flight:
                statuses = await self._call(self._store.endpoints, tuple(self._lanes))
                mine = [each for each in statuses if each.id in self._lanes]
                now = self._store.now()
                waiting = tuple(
                    _why_waiting(each, rests=self._lanes[each.id].rests(now)) for each in mine if each.due
                )
                return self._tally.totals(waiting, held=sum(each.held for each in mine))
            if self.in_flight:
                await self._changed.wait()

    async def close(self, grace: timedelta) -> None:
        """Let deliveries under way end for this long, then give the rest back as if they had not begun."""
        await self._give_back(*self._lanes.values())
        if self._workers:
            await asyncio.wait(self._workers, timeout=grace.total_seconds())
        unfinished = tuple(self._workers)
        for worker in unfinished:
            worker.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        await self._recorder.finish()
        if self._under_way:
            await self._call(self._store.release_deliveries, list(self._under_way.values()))
            self._under_way.clear()

    # -- claiming

    async def _begin_due(self, room: Mapping[str, int]) -> bool:
        """Claim what is due, so much for each endpoint that does not rest; return whether anything was."""
        now = self._store.now()
        room = {name: count for name, count in room.items() if not self._lanes[name].rests(now)}
        if not room:
            return False
        deliveries = await self._call(self._claim, room)
        ready = [Ready(delivery=delivery, body=self._body(delivery)) for delivery in deliveries]
        fresh = [
            (each.delivery.id, each.delivery.token, each.body)
            for each in ready
            if each.delivery.body is None and isinstance(each.body, bytes)
        ]
        if fresh:
            await self._call(self._store.freeze_bodies, fresh)
        for lane in self._lanes.values():
            lane.may_have_more = False
        for each in ready:
            lane = self._lanes[each.delivery.endpoint]
            lane.queue.append(each)
            lane.may_have_more = True
            self._employ(lane)
        await self._give_back(*(lane for lane in self._lanes.values() if lane.is_closed))
        return bool(ready)

    def _claim(self, room: Mapping[str, int]) -> list[Delivery]:
        """Claim what is due, each flood as one; nothing else in this process writes in between."""
        if self._floods.flood_after:
            for endpoint, deliveries in self._store.collapse_floods(self._floods).items():
                log.info("deliveries.collapsed", endpoint=endpoint, deliveries=deliveries)
        return self._store.claim_deliveries(limit=CLAIMED_AT_ONCE, room=room, lease=LEASE + self._timeout)

    def _body(self, delivery: Delivery) -> bytes | Answer:
        """Return what the delivery says, or what came of it if that can't be put in words."""
        if delivery.body is not None:
            return delivery.body
        try:
            return self._sender.body(self._lanes[delivery.endpoint].endpoint, delivery)
        except Exception:
            log.exception("delivery.crashed", endpoint=delivery.endpoint, delivery=delivery.id)
            return _failed("could not be put in words, a defect of Syndicate: see the log")

    def _employ(self, lane: Lane) -> None:
        if lane.workers < lane.at_once:
            lane.workers += 1
            worker = asyncio.create_task(self._work(lane), name=f"deliver to {lane.endpoint.id}")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _give_back(self, *lanes: Lane) -> None:
        unsent = [each.delivery for lane in lanes for each in lane.queue]
        for lane in lanes:
            lane.queue.clear()
        if unsent:
            await self._call(self._store.release_deliveries, unsent)

    # -- sending

    async def _work(self, lane: Lane) -> None:
        """Send what waits in a lane, one after another, until nothing does."""
        try:
            while lane.queue and not lane.is_closed:
                ready = lane.queue.popleft()
                self._under_way[ready.delivery.id] = ready.delivery
                try:
                    await self._deliver(lane, ready)
                except Exception:
                    # Its lease runs out, and it is due again.
                    log.exception("delivery.crashed", endpoint=lane.endpoint.id, delivery=ready.delivery.id)
                    self._under_way.pop(ready.delivery.id, None)
        finally:
            lane.workers -= 1
            self._changed.set()  # also if the last one failed: nothing else would tell

    async def _deliver(self, lane: Lane, ready: Ready) -> None:
        if ready.delivery.lease_until - self._store.now() < self._timeout + LEASE_LEFT:
            # Whoever claims it next may begin before we end.
            del self._under_way[ready.delivery.id]
            await self._call(self._store.release_deliveries, [ready.delivery])
            self._tell_low(lane)
            return
        attempt = await self._attempt(lane, ready)
        del self._under_way[ready.delivery.id]
        self._recorder.add(attempt)
        if self._tally:
            self._tally.add(attempt)
        surplus = lane.note(attempt)
        lane.is_closed = lane.is_closed or attempt.is_last
        if surplus:
            await self._call(self._store.release_deliveries, [each.delivery for each in surplus])
        if attempt.is_last:
            await self._leave(lane)
        elif (self._tally and lane.unanswered) or lane.rests(self._store.now()):
            await self._give_back(lane)
        self._tell_low(lane)

    async def _leave(self, lane: Lane) -> None:
        """Begin nothing more of a lane; from when that is recorded, nothing more of it is claimed."""
        await self._give_back(lane)
        await self._recorder.finish()
        lane.is_closed = False

    async def _attempt(self, lane: Lane, ready: Ready) -> Attempt:
        delivery = ready.delivery
        started_at, started = self._store.now(), time.monotonic()
        answer = await self._answer(lane, ready)
        lane.heed(answer, self._store.now())
        consequence = after_attempt(
            attempts_before=delivery.tries,
            outcome=answer.outcome,
            now=self._store.now(),
            jitter=self._random(),
        )
        attempt = Attempt(
            delivery=delivery.id,
            endpoint=delivery.endpoint,
            token=delivery.token,
            started_at=started_at,
            duration=timedelta(seconds=time.monotonic() - started),
            status=answer.status,
            error=None if isinstance(consequence, Delivered) else consequence.reason,
            answer=answer.text,
            state=_state(consequence),
            next_attempt_at=consequence.at if isinstance(consequence, RetryAt | Disabled) else None,
            is_last=isinstance(consequence, Disabled),
        )
        _log(attempt, delivery.attempts + 1)
        return attempt

    async def _answer(self, lane: Lane, ready: Ready) -> Answer:
        if isinstance(ready.body, Answer):
            return ready.body
        message = Message(id=ready.delivery.id, body=ready.body, sent_at=self._store.now())
        try:
            return await self._sender.send(lane.endpoint, message)
        except Exception as error:
            log.exception("delivery.crashed", endpoint=lane.endpoint.id, delivery=ready.delivery.id)
            return _failed(f"could not be sent, a defect of Syndicate: {type(error).__name__}; see the log")

    # -- telling

    def _tell_low(self, lane: Lane) -> None:
        self._changed.set()
        if lane.may_have_more and lane.is_low:
            lane.may_have_more = False  # once is enough
            self._on_recorded()

    def _tell_recorded(self) -> None:
        self._changed.set()
        self._on_recorded()


def _why_waiting(status: EndpointStatus, *, rests: bool) -> str:
    """Return a line about what is due, and waits all the same."""
    wait = "1 delivery waits" if status.due == 1 else f"{status.due} deliveries wait"
    if status.state is EndpointState.DISABLED:
        return f"{status.id}: {wait}: it is disabled until you enable it (endpoints enable {status.id})"
    return f"{status.id}: {wait} for the next time, as it {'asks for that' if rests else 'does not answer'}"


def _failed(reason: str) -> Answer:
    return Answer(outcome=Later(reason=reason))


def _state(consequence: Consequence) -> DeliveryState:
    match consequence:
        case Delivered():
            return DeliveryState.DELIVERED
        case RetryAt() | Disabled():
            return DeliveryState.WAITING
        case Dead():
            return DeliveryState.DEAD
        case _:
            assert_never(consequence)


def _log(attempt: Attempt, number: int) -> None:
    facts = {
        "endpoint": attempt.endpoint,
        "delivery": attempt.delivery,
        "attempt": number,
        "status": attempt.status,
        "ms": round(attempt.duration.total_seconds() * 1000),
    }
    match attempt.state:
        case DeliveryState.DELIVERED:
            log.info("delivery.delivered", **facts)
        case DeliveryState.WAITING | DeliveryState.HELD:
            next_attempt_at = attempt.next_attempt_at and attempt.next_attempt_at.isoformat()
            log.warning("delivery.failed", **facts, error=attempt.error, next_attempt_at=next_attempt_at)
        case DeliveryState.DEAD:
            log.error("delivery.dead", **facts, error=attempt.error)
        case _:
            assert_never(attempt.state)
