"""Trying an endpoint with a marked sample."""

import time
from dataclasses import dataclass
from datetime import datetime

from syndicate.alerts.outcome import Taken
from syndicate.alerts.sending import Sender, send_sample
from syndicate.http import Client
from syndicate.loading import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleAnswer:
    """What came back from a sample sent to an endpoint."""

    endpoint: str
    status: int | None  # None when no complete answer came, or none that has a number
    milliseconds: int
    text: str  # the answer's first kilobyte, or why there is none
    reason: str | None  # why the endpoint did not take it, and what to do; None if it did

    @property
    def is_success(self) -> bool:
        """Whether the endpoint took it."""
        return self.reason is None


async def send_test(loaded: Loaded, endpoint: str, now: datetime) -> SampleAnswer:
    """Send a marked sample to a configured endpoint and return what came back."""
    chosen = next(each for each in loaded.config.endpoints if each.id == endpoint)
    async with Client(loaded.config.network) as client:
        started = time.monotonic()
        answer = await send_sample(Sender(client, loaded.config), chosen, now)
        elapsed_seconds = time.monotonic() - started
    reason = None if isinstance(answer.outcome, Taken) else answer.outcome.reason
    return SampleAnswer(
        endpoint=endpoint,
        status=answer.status,
        milliseconds=round(elapsed_seconds * 1000),
        text=answer.text if answer.status is not None else reason or "",
        reason=reason,
    )
