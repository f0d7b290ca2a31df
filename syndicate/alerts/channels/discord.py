"""Discord: an embed for each alert, by a channel's webhook.

https://discord.com/developers/docs/resources/webhook#execute-webhook, and the limits of
https://discord.com/developers/docs/resources/message#embed-object-embed-limits. Nothing mentions anybody:
`allowed_mentions` is empty, and what would look like a mention is escaped.
"""

import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from syndicate.alerts.channels.answers import Answer, later, meaning, wait_of
from syndicate.alerts.channels.fitting import cut_marked, fitted
from syndicate.alerts.channels.message import AlertText, Marked, Message, Request
from syndicate.alerts.channels.text import compact_json, markdown_address, marked_up, units
from syndicate.alerts.channels.wording import byline, ending, heading, label, reason
from syndicate.alerts.outcome import Closed, Outcome, Refused, Taken
from syndicate.model.channels import Discord

EMBEDS = 10
EMBEDS_LENGTH = 6_000
CONTENT_LENGTH = 2_000
TITLE_LENGTH = 256
DESCRIPTION_LENGTH = 4_096
AUTHOR_LENGTH = 256
FOOTER_LENGTH = 2_048

VERSION = "v10"  # without one, an address means v6, which tells waits in milliseconds

_API = re.compile(r"/api(?:/v\d+)?(?=/webhooks/)")
_MARKUP = re.compile(r"[\\*_~`|>#<:@\[\]()+.\-]")
_CLOSED = (10015, 50027)  # unknown webhook, invalid token
_REFUSED = (50035, 50006)  # invalid form body, empty message

Part = dict[str, Any]


def body(settings: Discord, message: Message) -> bytes:
    """Return the JSON of a message."""
    return compact_json(fitted(message, _payload, _fits))


def request(settings: Discord, body: bytes, delivery: str) -> Request:
    """Return the request that posts it, and waits for Discord to say that it did.

    https://discord.com/developers/docs/reference#api-versioning.
    """
    parts = urlsplit(settings.url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name != "wait"]
    path = _API.sub(f"/api/{VERSION}", parts.path, count=1)
    query = urlencode([*kept, ("wait", "true")])
    url = urlunsplit(parts._replace(path=path, query=query, fragment=""))
    return Request(url=url, body=body, headers={"content-type": "application/json"})


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Return what an answer means. Waits are in seconds with fractions, in the body of a 429.

    https://discord.com/developers/docs/topics/rate-limits and .../topics/opcodes-and-status-codes.
    """
    if answer.is_success:
        return Taken()
    values = answer.values
    code, said = values.get("code"), str(values.get("message", ""))
    if answer.status in {401, 404} and code in _CLOSED:
        return Closed(
            reason=f"{meaning('Discord', answer, said)}: make a new webhook, and configure its address"
        )
    if answer.status == 400 and code in _REFUSED:
        return Refused(reason=meaning("Discord", answer))
    wait = wait_of(values.get("retry_after")) if answer.status == 429 else None
    return later("Discord", answer, now, said=said, wait=wait)


def escaped(text: str) -> str:
    """Return a text in which Discord finds no markup."""
    return _MARKUP.sub(lambda found: "\\" + found[0], text)


def _payload(message: Message) -> Part:
    payload: Part = {}
    if content := " ".join(part for part in (escaped(heading(message)), _ending(message)) if part):
        payload["content"] = content
    payload["embeds"] = [_embed(alert) for alert in message.alerts]
    payload["allowed_mentions"] = {"parse": []}
    return payload


def _ending(message: Message) -> str:
    text = escaped(ending(message))
    return (
        f"([{text}](<{markdown_address(message.more)}>))" if text and message.more else text and f"({text})"
    )


def _fits(payload: Part) -> bool:
    embeds = payload["embeds"]
    texts = [[*_limited(embed)] for embed in embeds]
    return (
        len(embeds) <= EMBEDS
        and units(payload.get("content", "")) <= CONTENT_LENGTH
        and all(units(text) <= limit for parts in texts for text, limit in parts)
        and sum(units(text) for parts in texts for text, _ in parts) <= EMBEDS_LENGTH
    )


def _limited(embed: Part) -> list[tuple[str, int]]:
    return [
        (embed["title"], TITLE_LENGTH),
        (embed["author"]["name"], AUTHOR_LENGTH),
        (embed.get("description", ""), DESCRIPTION_LENGTH),
        (embed.get("footer", {}).get("text", ""), FOOTER_LENGTH),
    ]


def _embed(alert: AlertText) -> Part:
    embed: Part = {"author": {"name": byline(alert)}, "title": _title(alert.title)}
    if alert.link:
        embed["url"] = alert.link
    description = [escaped(label(alert)), _bold(alert.passage) if alert.passage else ""]
    if any(description):
        embed["description"] = "\n".join(part for part in description if part)
    if reason(alert):
        embed["footer"] = {"text": reason(alert)}
    return embed


def _title(title: Marked) -> str:
    """Return the title, with what stands out underlined, as much of it as there is room for."""
    length = TITLE_LENGTH
    while True:
        shown = marked_up(cut_marked(title, length), escaped, "__", "__")
        if units(shown) <= TITLE_LENGTH:
            return shown
        length -= max(1, (units(shown) - TITLE_LENGTH) // 4)


def _bold(text: Marked) -> str:
    return marked_up(text, escaped, "**", "**")
