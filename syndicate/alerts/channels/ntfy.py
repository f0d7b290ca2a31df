"""ntfy: plain text, published as JSON. https://docs.ntfy.sh/publish/#publish-as-json.

The delivery's id is that of the notification's sequence (ntfy 2.16), so a try whose answer was lost takes the
place of what it repeats. Older servers leave it unread.
"""

import re
from datetime import datetime
from typing import Any

from syndicate.alerts.channels.answers import Answer, later, meaning
from syndicate.alerts.channels.fitting import cut_units, fitted
from syndicate.alerts.channels.message import AlertText, Message, Request
from syndicate.alerts.channels.text import compact_json
from syndicate.alerts.channels.wording import byline, heading, label, plain, reason, starred
from syndicate.alerts.outcome import Closed, Outcome, Refused, Taken
from syndicate.model.channels import Ntfy

MESSAGE_BYTES = 4_096  # what is longer becomes a file that nobody opens
TITLE_LENGTH = 250
JSON_BYTES = 8_192  # the server reads twice the bytes of a message

_SEQUENCE = re.compile(r"[-_A-Za-z0-9]{1,64}")
_UNAUTHORIZED = (40101, 40301)
_BAD_TOPIC = (40009, 40010)
_UNREADABLE = (41303, 40017, 40024)

Values = dict[str, Any]


def body(settings: Ntfy, message: Message) -> bytes:
    """Return the JSON of a message."""
    return compact_json(fitted(message, lambda shown: _payload(settings, shown), _fits))


def request(settings: Ntfy, body: bytes, delivery: str) -> Request:
    """Return the request that publishes it: to the server's root, since the topic is in the body."""
    headers = {"content-type": "application/json"}
    if settings.token is not None:
        headers["authorization"] = f"Bearer {settings.token}"
    return Request(url=settings.url.rstrip("/") + "/", body=body, headers=headers)


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Return what an answer means; errors have a `code` of five digits. Also daily limits are tried again."""
    values = answer.values
    if answer.is_success and values.get("event") == "message":
        return Taken()
    code, said = values.get("code"), str(values.get("error", ""))
    if code in _UNAUTHORIZED:
        return Closed(
            reason=f"{meaning('ntfy', answer, said)}: configure a token that may write to the topic"
        )
    if code in _BAD_TOPIC:
        return Closed(reason=f"{meaning('ntfy', answer, said)}: configure another topic")
    if code in _UNREADABLE:
        return Refused(reason=meaning("ntfy", answer, said))
    return later("ntfy", answer, now, said=said)


def _payload(settings: Ntfy, message: Message) -> Values:
    first = message.alerts[0]
    link = message.more if message.is_summary else first.link
    payload: Values = {
        "topic": settings.topic,
        "title": cut_units(heading(message) or first.title.text, TITLE_LENGTH),
        "message": plain(message).partition("\n\n")[2] if message.is_summary else _text(first),
    }
    if _SEQUENCE.fullmatch(message.id):
        payload["sequence_id"] = message.id
    if link:
        payload["click"] = link
    if settings.priority is not None:
        payload["priority"] = settings.priority
    return payload


def _text(alert: AlertText) -> str:
    """Return what stands below the title."""
    title = starred(alert.title) if alert.title.marks else ""
    passage = starred(alert.passage) if alert.passage else title
    return "\n".join(line for line in (label(alert), passage, byline(alert), reason(alert)) if line)


def _fits(payload: Values) -> bool:
    return len(payload["message"].encode()) <= MESSAGE_BYTES and len(compact_json(payload)) <= JSON_BYTES
