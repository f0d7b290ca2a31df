"""Recording attempts: all that end within a moment in one transaction, so one write to the disk."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from syndicate.errors import StoreError
from syndicate.model import Attempt, EndpointNotice
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)

EVERY_SECONDS = 0.02  # at most


class Recorder:
    """Takes attempts that have ended. `on_recorded` hears whenever some are in the database."""

    def __init__(
        self, store: Store, call: StoreThread, notify: Sequence[str], on_recorded: Callable[[], object]
    ) -> None:
        self._store = store
        self._call = call
        self._notify = notify
        self._on_recorded = on_recorded
        self._ended: list[Attempt] = []
        self._recording: asyncio.Task[None] | None = None
        self.unrecorded = 0

    def add(self, attempt: Attempt) -> None:
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

    async def _record_batch(self, batch: list[Attempt]) -> None:
        try:
            notices = await self._call(self._store.record_attempts, batch, self._notify)
        except StoreError as error:
            # Nothing was changed: the leases run out, and the deliveries are due again.
            log.error("attempts.not_recorded", attempts=len(batch), error=str(error))
        except Exception:
            log.exception("attempts.not_recorded", attempts=len(batch))
        else:
            for notice in notices:
                self._log(notice)

    def _log(self, notice: EndpointNotice) -> None:
        told = ", ".join(other for other in self._notify if other != notice.endpoint) or "nobody"
        if notice.is_over:
            log.info("endpoint.recovered", endpoint=notice.endpoint, told=told)
        else:
            log.error("endpoint.disabled", endpoint=notice.endpoint, reason=notice.text, told=told)
