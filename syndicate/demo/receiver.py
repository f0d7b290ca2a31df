"""A webhook receiver, as a reader of the documentation would write one: it believes only what is signed,
and remembers what it had, since at-least-once delivery may bring a message twice.

It answers 503 to one message about an item, so that a retry can be watched. It takes the others
as well, such as that a source is silent, and names them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

PATH = "/hooks/desk"
POSTPONED = 2  # which message is answered with 503 when it comes first; the one before shows the normal case


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedAlert:
    """What a verified message says, as far as it is shown."""

    id: str  # webhook-id
    type: str  # alert.match; alert.escalation when more sources carry the story
    rule: str
    rule_title: str
    story: int
    outlet: str
    title: str
    passage: str
    is_of_title: bool  # the passage
    title_marks: tuple[tuple[int, int], ...]  # the terms' places in the title
    passage_marks: tuple[tuple[int, int], ...]  # ... and in the passage
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A new message with a good signature."""

    alert: ReceivedAlert
    is_retry: bool  # it had been postponed


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """A good message that was answered with 503, to see it come again."""

    alert: ReceivedAlert


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Something we had already."""

    alert: ReceivedAlert
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoItem:
    """A good message that is about no item, or about several."""

    id: str  # webhook-id
    type: str
    text: str  # what it says in a sentence, as far as it says one


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A message that is not to be believed."""

    reason: str


Receipt = Verified | Postponed | Duplicate | NoItem | Refused


class Receiver:
    """Tells `hear` of every message that comes."""

    def __init__(self, secret: str, hear: Callable[[Receipt], None]) -> None:
        self._webhook = Webhook(secret)
        self._hear = hear
        self._seen: set[str] = set()  # ids of all good messages, postponed ones as well
        self._postponed: set[str] = set()  # those not accepted yet
        self._told: set[tuple[str, str, int]] = set()  # (type, rule, story) of those accepted

    def app(self) -> Starlette:
        """Return the application."""
        return Starlette(routes=[Route(PATH, self._answer, methods=["POST"])])

    def receive(self, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Judge a message, and remember it."""
        try:
            message = self._webhook.verify(body, dict(headers))
        except (WebhookVerificationError, ValueError) as error:  # ValueError: not even text
            return Refused(reason=str(error))
        if "item" not in message["data"]:
            return _notice(headers["webhook-id"], message)
        alert = _alert(headers["webhook-id"], message)
        is_first = alert.id not in self._seen
        self._seen.add(alert.id)
        if is_first and len(self._seen) == POSTPONED:
            self._postponed.add(alert.id)
            return Postponed(alert=alert)
        return self._accept(alert, is_first)

    def _accept(self, alert: ReceivedAlert, is_first: bool) -> Receipt:
        if not is_first and alert.id not in self._postponed:
            return Duplicate(alert=alert, reason=f"webhook-id {alert.id} came before")
        if (alert.type, alert.rule, alert.story) in self._told:
            return Duplicate(alert=alert, reason="the same rule and story under another webhook-id")
        self._postponed.discard(alert.id)
        self._told.add((alert.type, alert.rule, alert.story))
        return Verified(alert=alert, is_retry=not is_first)

    async def _answer(self, request: Request) -> Response:
        receipt = self.receive(request.headers, await request.body())
        self._hear(receipt)
        return _response(receipt)


def _response(receipt: Receipt) -> Response:
    match receipt:
        case Verified() | NoItem() | Duplicate():  # a duplicate that is refused would come again
            return Response(status_code=204)
        case Postponed():
            return PlainTextResponse("busy: try again\n", 503)
        case Refused(reason=reason):
            return PlainTextResponse(f"{reason}\n", 401)
        case _:
            assert_never(receipt)


def _notice(identity: str, message: Mapping[str, Any]) -> NoItem:
    data = message["data"]
    text = f"{data['total']} alerts" if message["type"] == "alert.summary" else str(data.get("text", ""))
    return NoItem(id=identity, type=message["type"], text=text)


def _alert(identity: str, message: Mapping[str, Any]) -> ReceivedAlert:
    data = message["data"]
    rule, item = data["rule"], data["item"]
    return ReceivedAlert(
        id=identity,
        type=message["type"],
        rule=rule["id"],
        rule_title=rule["title"],
        story=data["story"],
        outlet=item["source"]["title"],
        title=item["title"],
        passage=data["snippet"],
        is_of_title=data["snippet_field"] == "title",
        title_marks=tuple(
            (term["start"], term["end"])
            for term in data["terms"]
            if term["field"] == "title" and term["text"]
        ),
        passage_marks=tuple((start, end) for start, end in data["snippet_marks"]),
        link=item["link"] or "",
    )
