"""Mattermost: Markdown by an incoming webhook.

https://developers.mattermost.com/integrate/webhooks/incoming/. Nothing mentions anybody: a space without
width follows each @, and each < as well, since `<!channel>` becomes a mention before Markdown is read.
"""

import re
from datetime import datetime

from syndicate.alerts.channels.answers import Answer, later, meaning
from syndicate.alerts.channels.fitting import fitted
from syndicate.alerts.channels.message import AlertText, Message, Request
from syndicate.alerts.channels.text import PAUSE, compact_json, markdown_address, marked_up, units
from syndicate.alerts.channels.wording import byline, ending, heading, label, reason
from syndicate.alerts.outcome import Closed, Outcome, Refused, Taken
from syndicate.model.channels import Mattermost

TEXT_LENGTH = 16_383  # characters of a post; what is longer becomes several

_MARKUP = re.compile(r"[\\`*_{}\[\]()#+\-.!>~|]")
_PAUSED = re.compile(r"[<&@=$]|:(?=\S|$)")  # which Mattermost takes no backslash before
_CLOSED = re.compile(
    r"web\.incoming_webhook\.(invalid|disabled|channel|channel_locked|permissions|user)\.app_error"
    r"|app\.channel\.get\.existing\.app_error"
)
_REFUSED = re.compile(r"web\.incoming_webhook\.(parse|text)\.app_error")


def body(settings: Mattermost, message: Message) -> bytes:
    """Return the JSON of a message."""
    text = fitted(message, _text, lambda text: units(text) <= TEXT_LENGTH)
    return compact_json({"text": text, **({"channel": settings.channel} if settings.channel else {})})


def request(settings: Mattermost, body: bytes, delivery: str) -> Request:
    """Return the request that posts it."""
    return Request(url=settings.url, body=body, headers={"content-type": "application/json"})


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Return what an answer means: a body of "ok" is success; errors have an id."""
    if answer.is_success and answer.text == "ok":
        return Taken()
    error, said = str(answer.values.get("id", "")), str(answer.values.get("message", ""))
    if answer.status < 500 or answer.status == 501:  # 501: an administrator has turned webhooks off
        if _CLOSED.fullmatch(error):
            mend = "mend the webhook in Mattermost, or configure another"
            return Closed(reason=f"{meaning('Mattermost', answer, said)}: {mend}")
        if _REFUSED.fullmatch(error):
            return Refused(reason=meaning("Mattermost", answer, said))
    return later("Mattermost", answer, now, said=said)


def escaped(text: str) -> str:
    """Return a text in which Mattermost finds no markup, mention or emoji."""
    return _PAUSED.sub(lambda found: found[0] + PAUSE, _MARKUP.sub(lambda found: "\\" + found[0], text))


def _text(message: Message) -> str:
    rest = escaped(ending(message))
    if rest and message.more:
        rest = f"[{rest}]({markdown_address(message.more)})"
    title = f"#### {escaped(heading(message))}" if message.is_summary else ""
    return "\n\n".join(block for block in (title, *map(_block, message.alerts), rest) if block)


def _block(alert: AlertText) -> str:
    title = marked_up(alert.title, escaped, "**", "**")
    lines = (
        f"*{escaped(label(alert))}*" if label(alert) else "",
        f"[{title}]({markdown_address(alert.link)})" if alert.link else title,
        escaped(byline(alert)),
        "> " + marked_up(alert.passage, escaped, "**", "**") + "\n" if alert.passage else "",
        escaped(reason(alert)),
    )
    return "\n".join(line for line in lines if line)
