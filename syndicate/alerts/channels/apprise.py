"""Apprise (https://github.com/caronc/apprise): plain text, which it puts for the service that it knows.

What it is handed is kept as JSON of a title and a text.
"""

import json

from syndicate.alerts.channels.fitting import fitted
from syndicate.alerts.channels.message import Handed, Message
from syndicate.alerts.channels.text import compact_json
from syndicate.alerts.channels.wording import plain, subject
from syndicate.model.channels import Apprise

TEXT_LENGTH = 4_000  # characters; many services take as many


def body(settings: Apprise, message: Message) -> bytes:
    """Return the JSON of a title and a text."""
    title, text = fitted(message, lambda shown: (subject(shown), plain(shown)), _fits)
    return compact_json({"title": title, "text": text})


def handed(settings: Apprise, body: bytes) -> Handed:
    """Return what Apprise is handed."""
    return Handed(url=settings.url, **json.loads(body))


def _fits(texts: tuple[str, str]) -> bool:
    return len(texts[1]) <= TEXT_LENGTH
