"""Matrix: a message with HTML, by the client-server API.

https://spec.matrix.org/v1.11/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid. The
delivery's id is the transaction's, so a try whose answer was lost shows nothing twice. An empty `m.mentions`
says that nobody is mentioned, whatever the text has.
"""

import html
from datetime import datetime
from typing import Any
from urllib.parse import quote

from syndicate.alerts.channels.answers import Answer, later, meaning, wait_of
from syndicate.alerts.channels.fitting import fitted
from syndicate.alerts.channels.markup import lines, linked
from syndicate.alerts.channels.message import Message, Request
from syndicate.alerts.channels.text import compact_json
from syndicate.alerts.channels.wording import ending, heading, plain
from syndicate.alerts.outcome import Closed, Outcome, Refused, Taken
from syndicate.model.channels import Matrix

# An event has up to 65,536 bytes, with the signatures and hashes that servers add; the rest is for those.
CONTENT_BYTES = 48 * 1024

_CLOSED = {
    "M_UNKNOWN_TOKEN",
    "M_MISSING_TOKEN",
    "M_FORBIDDEN",
    "M_USER_DEACTIVATED",
    "M_USER_LOCKED",
    "M_NOT_FOUND",
}
_REFUSED = {"M_TOO_LARGE", "M_BAD_JSON", "M_NOT_JSON", "M_INVALID_PARAM"}

Values = dict[str, Any]


def body(settings: Matrix, message: Message) -> bytes:
    """Return the JSON of a message: `m.text`, since clients do not notify of an `m.notice`."""
    return compact_json(
        fitted(message, _content, lambda content: len(compact_json(content)) <= CONTENT_BYTES)
    )


def request(settings: Matrix, body: bytes, delivery: str) -> Request:
    """Return the request that sends it under the delivery's id."""
    room, transaction = quote(settings.room, safe=""), quote(delivery, safe="")
    path = f"/_matrix/client/v3/rooms/{room}/send/m.room.message/{transaction}"
    return Request(
        method="PUT",
        url=settings.url.rstrip("/") + path,
        body=body,
        headers={"authorization": f"Bearer {settings.token}", "content-type": "application/json"},
    )


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Return what an answer means; errors have an `errcode`. Older servers ask for waits in milliseconds.

    https://spec.matrix.org/v1.11/client-server-api/#standard-error-response.
    """
    values = answer.values
    if answer.is_success and isinstance(values.get("event_id"), str):
        return Taken()
    code, said = str(values.get("errcode", "")), str(values.get("error", ""))
    said = f"{code} {said}".strip()
    if answer.status in {401, 403, 404} and code in _CLOSED:
        mend = "configure an access token of a user that may write to that room"
        return Closed(reason=f"{meaning('Matrix', answer, said)}: {mend}")
    if answer.status in {400, 413} and code in _REFUSED:
        return Refused(reason=meaning("Matrix", answer, said))
    asked = values.get("retry_after_ms")
    wait = wait_of(asked / 1000 if isinstance(asked, int | float) and abs(asked) < 1e15 else None)
    return later("Matrix", answer, now, said=said, wait=wait)


def _content(message: Message) -> Values:
    return {
        "msgtype": "m.text",
        "body": plain(message),
        "format": "org.matrix.custom.html",
        "formatted_body": _html(message),
        "m.mentions": {},
    }


def _html(message: Message) -> str:
    title = f"<h4>{html.escape(heading(message))}</h4>" if message.is_summary else ""
    rest = f"<p>{linked(html.escape(ending(message)), message.more)}</p>" if message.left_out else ""
    blocks = (
        "<br>".join(lines(alert, html.escape, mark="strong", emphasis="em")) for alert in message.alerts
    )
    return title + "".join(f"<p>{block}</p>" for block in blocks) + rest
