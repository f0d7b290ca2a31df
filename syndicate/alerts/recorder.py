"""Recording attempts: all that end within a moment in one transaction, so one write to the disk."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog

from syndicate.errors import StoreError
from syndicate.model import Attempt, EndpointNotice
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)

EVERY_SECONDS = 0.02  # at most

Ended = TypeVar("Ended")


class Recorder(Generic[Ended]):
    """Takes attempts that have ended.

    Args:
        record: writes some of them in one transaction.
        on_recorded: hears whenever some are in the database.
    """

    def __init__(
        self, record: Callable[[list[Ended]], Awaitable[None]], on_recorded: Callable[[], object]
    ) -> None:
        self._write = record
        self._on_recorded = on_recorded
        self._ended: list[Ended] = []
        self._recording: asyncio.Task[None] | None = None
        self.unrecorded = 0

    def add(self, attempt: Ended) -> None:
        """Have an attempt recorded soon."""
        self._ended.append(attempt)
        self.unrecorded += 1
        if self._recording is None:
            self._recording = asyncio.create_task(self._record(), name="record attempts")

    async def finish(self) -> None:
        """Return when everything so far is recorded."""
        if self._recording is not None:
            await asyncio.shield(self._recording)  # it goes on if whoever waits is cancelled

    async def _record(self) -> None:
        try:
            while self._ended:
                batch, self._ended = self._ended, []
                await self._record_batch(batch)
                self.unrecorded -= len(batch)
                self._on_recorded()
                await asyncio.sleep(EVERY_SECONDS)
        finally:
            self._recording = None

    async def _record_batch(self, batch: list[Ended]) -> None:
        try:
            await self._write(batch)
        except StoreError as error:
            # Nothing was changed: the leases run out, and the deliveries are due again.
            log.error("attempts.not_recorded", attempts=len(batch), error=str(error))
        except Exception:
            log.exception("attempts.not_recorded", attempts=len(batch))


def attempts_recorded_in(
    store: Store, call: StoreThread, notify: Sequence[str]
) -> Callable[[list[Attempt]], Awaitable[None]]:
    """Return what records attempts to deliver, and logs what they say of their endpoints.

    Args:
        notify: the endpoints that are told of what is the matter with others.
    """

    async def record(batch: list[Attempt]) -> None:
        for notice in await call(store.record_attempts, batch, notify):
            _log(notice, notify)

    return record


def _log(notice: EndpointNotice, notify: Sequence[str]) -> None:
    told = ", ".join(other for other in notify if other != notice.endpoint) or "nobody"
    if notice.is_over:
        log.info("endpoint.recovered", endpoint=notice.endpoint, told=told)
    else:
        log.error("endpoint.disabled", endpoint=notice.endpoint, reason=notice.text, told=told)
