"""Telegram: HTML by the Bot API.

https://core.telegram.org/bots/api#sendmessage and #html-style. Nothing mentions anybody, and no word is a
command that a tap sends: a space without width follows each @ and / that would make it one.
"""

import html
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from syndicate.alerts.channels.answers import Answer, later, meaning, wait_of
from syndicate.alerts.channels.fitting import fitted
from syndicate.alerts.channels.markup import lines, linked
from syndicate.alerts.channels.message import Message, Request
from syndicate.alerts.channels.text import PAUSE, compact_json, units
from syndicate.alerts.channels.wording import ending, heading
from syndicate.alerts.outcome import Closed, Outcome, Refused, Taken
from syndicate.model.channels import Telegram

TEXT_LENGTH = 4_096  # UTF-16 units, once entities are parsed
ENTITIES = 100  # what is beyond is not formatted
MARKUP_BYTES = 32_000  # of all, so that no server in between finds it too much

_TAG = re.compile(r"<(/?)[^<>]*>")
# What stands out may end behind it, and the text goes on. Both slashes of an address are left alone.
_ACTIVE = re.compile(r"@(?=\w|$)|(?<![\w/<>])/(?=\w|$)")
_CLOSED = re.compile(
    r"chat not found|bot was (blocked|kicked)|bot is not a member|user is deactivated"
    r"|group chat was (deleted|upgraded)|not enough rights|need administrator rights|have no rights to send"
    r"|thread not found|topic.closed",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"can't parse entities|message is too long|message text is empty", re.IGNORECASE)


def body(settings: Telegram, message: Message) -> bytes:
    """Return the JSON of a message."""
    thread = {} if settings.thread is None else {"message_thread_id": settings.thread}
    return compact_json(
        {
            "chat_id": settings.chat,
            **thread,
            "text": fitted(message, _text, _fits),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": True},
        }
    )


def request(settings: Telegram, body: bytes, delivery: str) -> Request:
    """Return the request that posts it."""
    url = f"{settings.url.rstrip('/')}/bot{settings.token}/sendMessage"
    return Request(url=url, body=body, headers={"content-type": "application/json"})


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Return what an answer means: `ok`, else `description` and perhaps `parameters.retry_after`.

    https://core.telegram.org/bots/api#making-requests. 401 and 404 mean that the token is none.
    """
    values = answer.values
    if answer.is_success and values.get("ok") is True:
        return Taken()
    said = str(values.get("description", ""))
    if values.get("ok") is False and answer.status in {401, 404}:
        return Closed(
            reason=f"{meaning('Telegram', answer, said)}: configure the token that @BotFather gives"
        )
    if answer.status in {400, 403} and _CLOSED.search(said):
        moved = _parameters(values).get("migrate_to_chat_id")
        mend = (
            f'configure chat = "{moved}", which it is now'
            if isinstance(moved, int)
            else "let the bot write to that chat, or configure another"
        )
        return Closed(reason=f"{meaning('Telegram', answer, said)}: {mend}")
    if answer.status == 400 and _REFUSED.search(said):
        return Refused(reason=meaning("Telegram", answer, said))
    wait = wait_of(_parameters(values).get("retry_after"))
    return later("Telegram", answer, now, said=said, wait=wait)


def _parameters(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what helps to mend it (https://core.telegram.org/bots/api#responseparameters)."""
    parameters = values.get("parameters")
    return parameters if isinstance(parameters, dict) else {}


def escaped(text: str) -> str:
    """Return a text in which Telegram finds no markup, no mention and no command."""
    return html.escape(_ACTIVE.sub(lambda found: found[0] + PAUSE, text), quote=False)


def _fits(text: str) -> bool:
    shown = html.unescape(_TAG.sub("", text))
    entities = sum(not tag[1] for tag in _TAG.finditer(text))
    return units(shown) <= TEXT_LENGTH and entities <= ENTITIES and len(text.encode()) <= MARKUP_BYTES


def _text(message: Message) -> str:
    title = f"<b>{escaped(heading(message))}</b>" if message.is_summary else ""
    rest = linked(escaped(ending(message)), message.more) if message.left_out else ""
    blocks = ("\n".join(lines(alert, escaped, mark="b", emphasis="i")) for alert in message.alerts)
    return "\n\n".join(block for block in (title, *blocks, rest) if block)
