"""E-mail: a MIME message with the same in plain text and in HTML.

Every header is ASCII but for addresses that are not (RFC 6532): other texts are in encoded words (RFC 2047),
and what could end a header is gone. A story's messages form a thread: each refers to one id made of the story
(RFC 5322 3.6.4). No automatic reply is wanted (RFC 3834 5).
"""

import base64
import html
import textwrap
from email.utils import format_datetime
from typing import Literal

from syndicate.alerts.channels.answers import to_look_at
from syndicate.alerts.channels.fitting import NAME_LENGTH, cut_units, fitted
from syndicate.alerts.channels.markup import linked
from syndicate.alerts.channels.message import AlertText, Mail, Message
from syndicate.alerts.channels.text import line, marked_up
from syndicate.alerts.channels.wording import byline, ending, heading, label, plain, reason, subject, unique
from syndicate.alerts.outcome import Closed, Later, Outcome, Refused, Taken
from syndicate.config.channel_problems import is_mailbox
from syndicate.model.channels import Email

LENGTH_BYTES = 256 * 1024  # of all texts, before they are encoded
SUBJECT_LENGTH = 200
ATOM_LENGTH = 64
WORD_BYTES = 42  # of an encoded word, so that it has under 75 characters (RFC 2047 2)
LINE_LENGTH = 76  # of base64 (RFC 2045 6.8), and of a header that is not encoded
BOUNDARY = "=_syndicate"  # of which base64 has no first two characters

_AUTHENTICATION = {530, 534, 535, 538}
_STYLE = "font: 15px/1.45 sans-serif; color: #222; max-width: 42em"
_MARK = '<mark style="background: #fff2a8; color: inherit">'

Texts = tuple[str, str, str]  # subject, plain text, HTML


def body(settings: Email, message: Message) -> bytes:
    """Return the MIME message (RFC 5322, 2046 5.1.4). The same input gives the same bytes.

    Raises:
        ValueError: the sender or a recipient is no address; `settings.problems` says so beforehand.
    """
    for address in (settings.sender, *settings.recipients):
        if not is_mailbox(address):
            raise ValueError(f"not a mail address: {address!r}")
    title, text, markup = fitted(message, _texts, _fits)
    head = "".join(f"{name}: {value}\r\n" for name, value in _headers(settings, message, title))
    parts = _part("plain", text) + _part("html", markup)
    return f"{head}\r\n{parts}--{BOUNDARY}--\r\n".encode()


def mail(settings: Email, body: bytes) -> Mail:
    """Return what is handed to the server."""
    return Mail(sender=settings.sender, recipients=settings.recipients, body=body)


def outcome(code: int, said: str) -> Outcome:
    """Return what a reply of an SMTP server means (RFC 5321 4.2.1): 4xx is not yet, 5xx is never.

    Args:
        code: of three digits.
        said: the text after it.
    """
    reason = f"the mail server answered {code}" + (f": {words}" if (words := to_look_at(said)) else "")
    if 200 <= code < 300:
        return Taken()
    if code in _AUTHENTICATION:
        return Closed(reason=f"{reason}: configure a user and a password that the server takes")
    return Refused(reason=reason) if 500 <= code < 600 else Later(reason=reason)


def encoded(text: str) -> str:
    """Return a text as a header's value: as it is if it is ASCII, else in encoded words (RFC 2047 5)."""
    text = line(text)
    if text.isascii() and "=?" not in text:
        lines = textwrap.wrap(text, LINE_LENGTH - 10, break_long_words=False, break_on_hyphens=False)
        return "\r\n ".join(lines)
    words, word = [], b""
    for letter in text:
        if len(word + letter.encode()) > WORD_BYTES:
            words.append(word)
            word = b""
        word += letter.encode()
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(each).decode()}?=" for each in (*words, word))


def _headers(settings: Email, message: Message, title: str) -> list[tuple[str, str]]:
    domain = settings.sender.rpartition("@")[2]
    rules = unique(alert.rule_id for alert in message.alerts)
    stories = {alert.story for alert in message.alerts}
    thread = (
        f"<story-{message.alerts[0].story}@{domain}>" if len(stories) == 1 and None not in stories else ""
    )
    list_id = (
        f"{_atom(rules[0])}.syndicate.{domain}" if len(rules) == 1 and rules[0] else f"syndicate.{domain}"
    )
    return [
        ("From", f"{_phrase(settings.name)} <{settings.sender}>".strip()),
        ("To", ",\r\n ".join(settings.recipients)),
        ("Subject", encoded(cut_units(title, SUBJECT_LENGTH))),
        ("Date", format_datetime(message.at)),
        ("Message-ID", f"<{_atom(message.id)}@{domain}>"),
        *([("In-Reply-To", thread), ("References", thread)] if thread else []),
        ("List-Id", f"<{list_id}>"),
        ("Auto-Submitted", "auto-generated"),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{BOUNDARY}"'),
    ]


def _phrase(name: str) -> str:
    """Return a name as a phrase (RFC 5322 3.2.5)."""
    value = encoded(cut_units(name, NAME_LENGTH))
    if value.startswith("=?") or not value:
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _atom(text: str) -> str:
    """Return letters, digits, - and _ of a text, so that it can be part of an id (RFC 5322 3.2.3)."""
    text = text[:ATOM_LENGTH]
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "-" for letter in text
    )


def _part(subtype: Literal["plain", "html"], text: str) -> str:
    coded = base64.b64encode(text.replace("\n", "\r\n").encode()).decode()
    lines = (coded[start : start + LINE_LENGTH] for start in range(0, len(coded), LINE_LENGTH))
    return (
        f"--{BOUNDARY}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n" + "".join(each + "\r\n" for each in lines)
    )


def _texts(message: Message) -> Texts:
    return subject(message), plain(message) + "\n", _html(message)


def _fits(texts: Texts) -> bool:
    return sum(len(text.encode()) for text in texts) <= LENGTH_BYTES


def _html(message: Message) -> str:
    title = f"<h2>{html.escape(heading(message))}</h2>\n" if message.is_summary else ""
    rest = f"<p>{linked(html.escape(ending(message)), message.more)}</p>\n" if message.left_out else ""
    blocks = "".join(map(_block, message.alerts))
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head>\n'
        f'<body style="{_STYLE}">\n{title}{blocks}{rest}</body></html>\n'
    )


def _block(alert: AlertText) -> str:
    title = linked(marked_up(alert.title, html.escape, _MARK, "</mark>"), alert.link)
    lines = (
        f"<em>{html.escape(label(alert))}</em>" if label(alert) else "",
        f"<strong>{title}</strong>",
        f"<small>{html.escape(byline(alert))}</small>",
        marked_up(alert.passage, html.escape, _MARK, "</mark>") if alert.passage else "",
        f"<small>{html.escape(reason(alert))}</small>" if reason(alert) else "",
    )
    return '<p dir="auto">' + "<br>\n".join(line for line in lines if line) + "</p>\n"
