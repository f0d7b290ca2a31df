"""Trying an endpoint with a marked sample."""

from dataclasses import dataclass
from datetime import datetime

from syndicate.alerts.outbox import send_sample, told
from syndicate.errors import NetworkError
from syndicate.http import Client
from syndicate.loading import Loaded


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
