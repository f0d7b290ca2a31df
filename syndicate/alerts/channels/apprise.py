"""Apprise (https://github.com/caronc/apprise): plain text, which it puts for the service that it knows.

What it is handed is kept as JSON of a title and a text. It escapes no mentions for services that know such: a
space without width follows what would begin one.
"""

import json
import re
from dataclasses import replace

from syndicate.alerts.channels.fitting import fitted
from syndicate.alerts.channels.message import Handed, Message
from syndicate.alerts.channels.text import PAUSE, compact_json
from syndicate.alerts.channels.wording import plain, subject
from syndicate.model.channels import Apprise

TEXT_LENGTH = 4_000  # characters; many services take as many

_MENTION = re.compile(r"@(?=\w)|<(?=[!@#])")


def body(settings: Apprise, message: Message) -> bytes:
    """Return the JSON of a title and a text."""
    title, text = fitted(message, _texts, _fits)
    return compact_json({"title": title, "text": text})


def handed(settings: Apprise, body: bytes) -> Handed:
    """Return what Apprise is handed."""
    return Handed(url=settings.url, **json.loads(body))


def escaped(text: str) -> str:
    """Return a text in which nobody is mentioned, whatever service it ends up in."""
    return _MENTION.sub(lambda found: found[0] + PAUSE, text)


def _texts(message: Message) -> tuple[str, str]:
    """Return title and text. An @ in a link stays part of the link."""
    alerts = (replace(each, link=each.link and each.link.replace("@", "%40")) for each in message.alerts)
    shown = replace(message, alerts=tuple(alerts))
    return escaped(subject(shown)), escaped(plain(shown))


def _fits(texts: tuple[str, str]) -> bool:
    return len(texts[1]) <= TEXT_LENGTH
