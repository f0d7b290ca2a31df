"""Microsoft Teams: an Adaptive Card, by the webhook of a workflow.

https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook and
https://adaptivecards.io/explorer/RichTextBlock.html. Text runs know no Markdown, but dates between
two braces, so braces are kept apart.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from syndicate.alerts.channels.answers import Answer, later, meaning
from syndicate.alerts.channels.fitting import fitted
from syndicate.alerts.channels.message import AlertText, Marked, Message, Request
from syndicate.alerts.channels.text import PAUSE, compact_json
from syndicate.alerts.channels.wording import byline, ending, heading, label, reason, subject
from syndicate.alerts.outcome import Closed, Outcome, Refused, Taken
from syndicate.model.channels import Teams

# Documented are about 28 KB, of what Teams makes of a card; senders have met the limit from 21 KB on.
LENGTH_BYTES = 20_000

_OFF = re.compile(
    r"WorkflowTriggerIsNotEnabled|WorkflowDisabled|WorkflowNotFound|DirectApiAuthorizationRequired"
)
_BAD = re.compile(r"TriggerInputSchemaMismatch|InvalidRequestContent|InvalidJSON", re.IGNORECASE)
_BRACES = re.compile(r"\{(?=\{)")
_OLD_ERROR = re.compile(r"HTTP error (\d{3})")

Element = dict[str, Any]


def body(settings: Teams, message: Message) -> bytes:
    """Return the JSON of a message."""
    return fitted(message, lambda shown: compact_json(_envelope(shown)), _fits)


def request(settings: Teams, body: bytes, delivery: str) -> Request:
    """Return the request that posts it."""
    return Request(url=settings.url, body=body, headers={"content-type": "application/json"})


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Return what an answer means. A workflow says 202 before it posts; whether it does, it does not say.

    Connectors, which came before workflows, say 200 with an error in words.
    """
    code = _code(answer)
    if answer.is_success and (failed := _OLD_ERROR.search(answer.text)):
        status = int(failed[1])
        return later("Teams", Answer(status=status, headers=answer.headers, body=answer.body), now)
    if answer.is_success:
        return Taken()
    if _OFF.search(code):
        return Closed(reason=f"{meaning('Teams', answer)}: turn the workflow on, or make a new one")
    if answer.status == 400 and _BAD.search(code):
        return Refused(reason=meaning("Teams", answer))
    return later("Teams", answer, now)


def escaped(text: str) -> str:
    """Return a text in which Teams finds no dates to format."""
    return _BRACES.sub("{" + PAUSE, text)


def _code(answer: Answer) -> str:
    error = answer.values.get("error")
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def _fits(rendered: bytes) -> bool:
    return len(rendered) <= LENGTH_BYTES


def _envelope(message: Message) -> Element:
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": _card(message),
            }
        ],
    }


def _card(message: Message) -> Element:
    card: Element = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": escaped(subject(message)),
        "msteams": {"width": "Full"},
        "body": list(_elements(message)),
    }
    link = message.more if message.is_summary else message.alerts[0].link
    if link:
        title = "See everything" if message.is_summary else "Read it"
        card["actions"] = [{"type": "Action.OpenUrl", "title": title, "url": link}]
    return card


def _elements(message: Message) -> Iterator[Element]:
    if message.is_summary:
        yield _block([_run(heading(message), weight="Bolder", size="Large")])
    for number, alert in enumerate(message.alerts):
        items = list(_lines(alert))
        yield {"type": "Container", "separator": message.is_summary or number > 0, "items": items}
    if message.left_out:
        yield _block([_run(ending(message), isSubtle=True)])


def _lines(alert: AlertText) -> Iterator[Element]:
    if label(alert):
        yield _block([_run(label(alert), italic=True)])
    yield _block(_marked(alert.title, alert.link, weight="Bolder"))
    yield _block([_run(byline(alert), isSubtle=True, size="Small")])
    if alert.passage:
        yield _block(_marked(alert.passage, None))
    if reason(alert):
        yield _block([_run(reason(alert), isSubtle=True, size="Small")])


def _marked(text: Marked, link: str | None, **style: object) -> list[Element]:
    action = {"selectAction": {"type": "Action.OpenUrl", "url": link}} if link else {}
    return [
        _run(run.text, **style, **({"highlight": True} if run.is_marked else {}), **action)
        for run in text.runs
    ]


def _run(text: str, **style: object) -> Element:
    return {"type": "TextRun", "text": escaped(text), **style}


def _block(runs: list[Element]) -> Element:
    return {"type": "RichTextBlock", "inlines": runs}
