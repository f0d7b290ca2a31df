"""Sending what a delivery says to its endpoint, once, and reading what the answer means."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.alerts import webhook
from syndicate.alerts.outcome import Later, Outcome
from syndicate.errors import NetworkError
from syndicate.http import Client
from syndicate.model import Config, Endpoint

TIMEOUT = timedelta(seconds=15)
ANSWER_READ_BYTES = 64 * 1024
ANSWER_KEPT_BYTES = 1024
SHORTEST_SECRET = 4  # what is shorter is none, and would be found everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one try carries."""

    id: str  # the delivery's, the same in all tries
    body: bytes
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, if anything did, and what it means."""

    outcome: Outcome
    status: int | None = None  # None when no complete answer came
    text: str = ""  # its first kilobyte, to keep and to show


class Sender:
    """Sends to the endpoints of a configuration."""

    def __init__(self, client: Client, config: Config, timeout: timedelta = TIMEOUT) -> None:
        self._client = client
        self._timeout = timeout

    async def send(self, endpoint: Endpoint, message: Message) -> Answer:
        """Return what came of one try; that there was no answer is one as well."""
        try:
            response = await self._client.post(
                endpoint.url,
                message.body,
                webhook.headers(endpoint, message.id, message.body, message.sent_at),
                timeout=self._timeout,
                max_answer_bytes=ANSWER_READ_BYTES,
                is_repeatable=True,
            )
        except NetworkError as error:
            return Answer(outcome=Later(reason=str(error)))
        answered_at = message.sent_at + response.elapsed
        return Answer(
            outcome=webhook.outcome(response.status, response.headers.get("retry-after"), answered_at),
            status=response.status,
            text=told(response.body, endpoint),
        )


async def send_sample(sender: Sender, endpoint: Endpoint, now: datetime) -> Answer:
    """Return what an endpoint answers to a marked sample, sent once."""
    message = Message(
        id=f"msg_test_{int(now.timestamp() * 1_000_000)}", body=webhook.render_sample(now), sent_at=now
    )
    return await sender.send(endpoint, message)


def told(answer: bytes, endpoint: Endpoint) -> str:
    """Return the beginning of an answer as text to keep and to show: printable, without what we keep secret.

    Some receivers answer with what they were sent.
    """
    text = answer[:ANSWER_KEPT_BYTES].decode(errors="replace")
    for secret in (*endpoint.secrets, *endpoint.headers.values()):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return "".join(character for character in text if character.isprintable() or character in "\n\t")
