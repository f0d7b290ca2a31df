"""Putting a delivery in the way of its endpoint, sending it once, and reading what the answer means."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syndicate.alerts import webhook
from syndicate.alerts.channels import channel as channels
from syndicate.alerts.channels.answers import Answer as HttpAnswer
from syndicate.alerts.channels.message import Handed, Mail, Request
from syndicate.alerts.channels.wording import in_words, sample
from syndicate.alerts.handing import hand
from syndicate.alerts.hiding import hidden
from syndicate.alerts.mailing import Mailer
from syndicate.alerts.outcome import Closed, Later, Outcome, Taken
from syndicate.alerts.signing import headers as signed_headers
from syndicate.alerts.summary import says
from syndicate.errors import NetworkError, TemplateError
from syndicate.http import Client
from syndicate.model import Config, Delivery, Endpoint
from syndicate.model.channels import Apprise, Email

TIMEOUT = timedelta(seconds=15)
SLOWER = 2  # times as long may take what asks back and forth: mail, and what Apprise does
ANSWER_READ_BYTES = 64 * 1024
ANSWER_KEPT_BYTES = 1024

Meaning = Callable[[HttpAnswer, datetime], Outcome]


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
    status: int | None = None  # of HTTP, or a mail server's code; None when no complete answer came
    text: str = ""  # its first kilobyte, to keep and to show


class Sender:
    """Sends to the endpoints of a configuration."""

    def __init__(self, client: Client, config: Config, timeout: timedelta = TIMEOUT) -> None:
        self._client = client
        self._timeout = timeout
        self._names = webhook.names(config)
        self._more = f"{config.service.base_url}/"
        self._mailer = Mailer(client, config.smtp, SLOWER * timeout) if config.smtp else None

    def body(self, endpoint: Endpoint, delivery: Delivery) -> bytes | Answer:
        """Return what every try of a delivery carries; or what came of it, if that can't be put in words."""
        if endpoint.channel is None:
            return says(delivery, self._names)
        try:
            message = in_words(delivery, self._names, endpoint.pace.zone, more=self._more)
            return channels.render(endpoint.channel, message)
        except TemplateError as error:
            return _unworded(error)

    def sample(self, endpoint: Endpoint, now: datetime) -> Message | Answer:
        """Return a message that is marked as a test; or what came of it, as above."""
        shown = sample(now, endpoint.pace.zone)
        try:
            body = (
                channels.render(endpoint.channel, shown) if endpoint.channel else webhook.render_sample(now)
            )
        except TemplateError as error:
            return _unworded(error)
        return Message(id=shown.id, body=body, sent_at=now)

    async def send(self, endpoint: Endpoint, message: Message) -> Answer:
        """Return what came of one try; that there was no answer is one as well."""
        channel = endpoint.channel
        if channel is None:
            headers = signed_headers(endpoint, message.id, message.body, message.sent_at)
            request = Request(url=endpoint.url, body=message.body, headers=headers)
            return await self._requested(endpoint, request, message, _of_webhook)
        match channels.addressed(channel, message.body, message.id):
            case Request() as request if not isinstance(channel, Email | Apprise):
                return await self._requested(
                    endpoint, request, message, lambda answer, now: channels.outcome(channel, answer, now)
                )
            case Mail() as mail:
                return await self._mailed(mail, message)
            case Handed() as handed:
                outcome = await hand(handed, SLOWER * self._timeout)
                return Answer(outcome=_hushed(outcome, endpoint))
            case other:
                raise TypeError(f"{type(other).__name__} is not how mail is sent")

    async def _requested(
        self, endpoint: Endpoint, request: Request, message: Message, meaning: Meaning
    ) -> Answer:
        try:
            response = await self._client.post(
                request.url,
                request.body,
                request.headers,
                timeout=self._timeout,
                max_answer_bytes=ANSWER_READ_BYTES,
                is_repeatable=endpoint.channel is None,
                method=request.method,
            )
        except NetworkError as error:
            return Answer(outcome=Later(reason=str(error)))
        answer = HttpAnswer(status=response.status, headers=response.headers, body=response.body)
        answered_at = message.sent_at + response.elapsed
        outcome = meaning(answer, answered_at)
        if isinstance(outcome, Taken):
            return Answer(outcome=outcome, status=answer.status, text=told(answer.body, endpoint))
        # Said without secrets from the beginning: a reason is cut, and half a secret is not found.
        said = meaning(replace(answer, body=hidden(answer.body, endpoint)), answered_at)
        if not isinstance(said, Taken):
            outcome = replace(outcome, reason=said.reason)
        return Answer(outcome=outcome, status=answer.status, text=told(answer.body, endpoint))

    async def _mailed(self, mail: Mail, message: Message) -> Answer:
        if self._mailer is None:
            return Answer(outcome=Closed(reason="there is no mail server: add [smtp] to config.toml"))
        mailed = await self._mailer.send(mail, message.id)
        return Answer(outcome=mailed.outcome, status=mailed.code, text=_printable(mailed.text))


async def send_sample(sender: Sender, endpoint: Endpoint, now: datetime) -> Answer:
    """Return what an endpoint answers to a marked sample, sent once."""
    message = sender.sample(endpoint, now)
    return message if isinstance(message, Answer) else await sender.send(endpoint, message)


def told(answer: bytes, endpoint: Endpoint) -> str:
    """Return the beginning of an answer as text to keep and to show: printable, without what we keep secret.

    Some receivers answer with what they were sent.
    """
    return _printable(hidden(answer, endpoint)[:ANSWER_KEPT_BYTES].decode(errors="replace"))


def _of_webhook(answer: HttpAnswer, now: datetime) -> Outcome:
    return webhook.outcome(answer.status, answer.headers.get("retry-after"), now)


def _printable(text: str) -> str:
    shown = "".join(character for character in text if character.isprintable() or character in "\n\t")
    return shown[:ANSWER_KEPT_BYTES]


def _hushed(outcome: Outcome, endpoint: Endpoint) -> Outcome:
    if isinstance(outcome, Taken):
        return outcome
    return replace(outcome, reason=_printable(hidden(outcome.reason.encode(), endpoint).decode()))


def _unworded(error: TemplateError) -> Answer:
    return Answer(outcome=Later(reason=f"its template fails, {error}: mend it in config.toml"))
