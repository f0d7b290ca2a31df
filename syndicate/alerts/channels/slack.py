"""Slack: blocks by an incoming webhook.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
https://docs.slack.dev/reference/block-kit/blocks/rich-text-block. Rich text knows no markup, so nothing in an
item can become a mention, a link or an emoji. Only `text`, which notifications show, is escaped
(https://docs.slack.dev/messaging/formatting-message-text#escaping).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from syndicate.alerts.channels.answers import Answer, later, meaning
from syndicate.alerts.channels.fitting import cut_units, fitted
from syndicate.alerts.channels.message import AlertText, Marked, Message, Request
from syndicate.alerts.channels.text import compact_json, units
from syndicate.alerts.channels.wording import byline, ending, heading, label, reason, subject
from syndicate.alerts.outcome import Closed, Outcome, Refused, Taken
from syndicate.model.channels import Slack

BLOCKS = 50
# Slack refuses messages as too long from about 13,200 characters of blocks on, which it does not document.
BLOCKS_LENGTH = 12_000
SECTION_LENGTH = 3_000
HEADING_LENGTH = 150
TEXT_LENGTH = 1_000

_CLOSED = {
    "invalid_token", "no_active_hooks", "no_service", "no_service_id", "no_team", "team_disabled",
    "channel_not_found", "channel_is_archived", "action_prohibited", "posting_to_general_channel_denied",
    "user_not_found",
}  # fmt: skip
_REFUSED = {
    "invalid_payload", "invalid_blocks", "invalid_blocks_format", "no_text", "too_many_attachments",
    "msg_blocks_too_long", "missing_text_or_fallback_or_attachments",
}  # fmt: skip

Element = dict[str, Any]


def body(settings: Slack, message: Message) -> bytes:
    """Return the JSON of a message."""
    return compact_json(fitted(message, _payload, _fits))


def request(settings: Slack, body: bytes, delivery: str) -> Request:
    """Return the request that posts it. What is sent twice is shown twice: Slack knows no delivery."""
    return Request(url=settings.url, body=body, headers={"content-type": "application/json; charset=utf-8"})


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Return what an answer means: a body of "ok" is success, and errors are single words."""
    if answer.is_success and answer.text == "ok":
        return Taken()
    if answer.text in _CLOSED:
        return Closed(reason=f"{meaning('Slack', answer)}: make a new webhook, and configure its address")
    if answer.text in _REFUSED:
        return Refused(reason=meaning("Slack", answer))
    return later("Slack", answer, now)


def escaped(text: str) -> str:
    """Return a text in which Slack finds no markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _payload(message: Message) -> Element:
    return {
        "text": escaped(cut_units(subject(message), TEXT_LENGTH)),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": list(_blocks(message)),
    }


def _fits(payload: Element) -> bool:
    blocks = payload["blocks"]
    sections = [block["elements"][0]["elements"] for block in blocks if block["type"] == "rich_text"]
    return (
        len(blocks) <= BLOCKS
        and units(compact_json(blocks).decode()) <= BLOCKS_LENGTH
        and all(sum(units(each["text"]) for each in section) <= SECTION_LENGTH for section in sections)
    )


def _blocks(message: Message) -> Iterator[Element]:
    if message.is_summary:
        text = {"type": "plain_text", "text": cut_units(heading(message), HEADING_LENGTH), "emoji": False}
        yield {"type": "header", "text": text}
    for alert in message.alerts:
        section = {"type": "rich_text_section", "elements": list(_elements(alert))}
        yield {"type": "rich_text", "elements": [section]}
    if message.left_out:
        yield {
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": list(_ending(message))}],
        }


def _elements(alert: AlertText) -> Iterator[Element]:
    if label(alert):
        yield {**_text(label(alert) + "\n"), "style": {"italic": True}}
    yield from _marked(alert.title, alert.link)
    yield _text("\n" + byline(alert))
    if alert.passage:
        yield _text("\n")
        yield from _marked(alert.passage, None)
    if reason(alert):
        yield _text("\n" + reason(alert))


def _marked(text: Marked, link: str | None) -> Iterator[Element]:
    for run in text.runs:
        element = {"type": "link", "url": link, "text": run.text} if link else _text(run.text)
        yield {**element, "style": {"bold": True}} if run.is_marked else element


def _ending(message: Message) -> Iterator[Element]:
    if message.more:
        yield {"type": "link", "url": message.more, "text": ending(message)}
    else:
        yield _text(ending(message))


def _text(text: str) -> Element:
    return {"type": "text", "text": text}
