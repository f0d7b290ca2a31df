"""What is wrong with the settings of a channel, in words."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from syndicate.model.channels import (
    Apprise,
    Channel,
    Email,
    Matrix,
    Ntfy,
    Telegram,
    Template,
)

_NO_ACCESS = "must be an access token: printable ASCII without spaces"

_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
_BOT_TOKEN = re.compile(r"\d+:[-_A-Za-z0-9]+")
_CHAT = re.compile(r"-?\d+|@[A-Za-z]\w{3,}", re.ASCII)
_ROOM = re.compile(r"![^\s:]+(:[^\s]+)?")
_TOKEN = re.compile(r"[!-~]+")
_MAILBOX = re.compile(r"[^\s\x00-\x20\x7f<>()\[\]:;@\\,\"]+@[^\s\x00-\x20\x7f<>()\[\]:;@\\,\"]+")
_APPRISE = re.compile(r"[a-z][a-z0-9]*://[!-~]*")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def problems(channel: Channel) -> tuple[tuple[str, str], ...]:
    """Return what is wrong with settings: of each its name, and what to do. No values: they may be secret."""
    return (*_address_problems(channel), *_own_problems(channel))


def _address_problems(channel: Channel) -> Iterator[tuple[str, str]]:
    if isinstance(channel, Email):
        return
    if isinstance(channel, Apprise):
        if not _APPRISE.fullmatch(channel.url):
            yield "url", 'must be an address of Apprise, such as "pover://user@token"'
        return
    try:
        parts = urlsplit(channel.url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address or not channel.url.isprintable() or " " in channel.url:
        yield "url", "must be an address that begins with https://"
    elif isinstance(channel, Telegram | Ntfy | Matrix) and (parts.query or parts.fragment):
        yield "url", "must be the address of the server alone, without ? and #"


def _own_problems(channel: Channel) -> Iterator[tuple[str, str]]:
    match channel:
        case Telegram():
            yield from _telegram_problems(channel)
        case Ntfy():
            yield from _ntfy_problems(channel)
        case Matrix():
            yield from _matrix_problems(channel)
        case Email():
            yield from _email_problems(channel)
        case Template():
            yield from _template_problems(channel)
        case _:
            return


def _telegram_problems(channel: Telegram) -> Iterator[tuple[str, str]]:
    if not _BOT_TOKEN.fullmatch(channel.token):
        yield "token", "must be the token that @BotFather gave: a number, a colon and letters"
    if not _CHAT.fullmatch(channel.chat):
        yield "chat", 'must be the chat\'s number, such as "-1001234567890", or "@name" of a public channel'


def _matrix_problems(channel: Matrix) -> Iterator[tuple[str, str]]:
    if not _ROOM.fullmatch(channel.room):
        yield "room", 'must be the room\'s id, such as "!abc:matrix.org"; an alias (#name) will not do'
    if not _TOKEN.fullmatch(channel.token):
        yield "token", _NO_ACCESS


def _ntfy_problems(channel: Ntfy) -> Iterator[tuple[str, str]]:
    if not _TOPIC.fullmatch(channel.topic):
        yield "topic", "must be up to 64 letters, digits, - and _"
    if channel.token is not None and not _TOKEN.fullmatch(channel.token):
        yield "token", _NO_ACCESS
    if channel.priority is not None and not 1 <= channel.priority <= 5:
        yield "priority", "must be 1 to 5"


def _email_problems(channel: Email) -> Iterator[tuple[str, str]]:
    if not is_mailbox(channel.sender):
        yield "sender", "must be one address, such as news@desk.example"
    if not channel.recipients:
        yield "recipients", "must have at least one address"
    if not all(map(is_mailbox, channel.recipients)):
        yield "recipients", "must be addresses, such as editor@desk.example, without names"


def _template_problems(channel: Template) -> Iterator[tuple[str, str]]:
    if channel.method not in {"POST", "PUT", "PATCH"}:
        yield "method", "must be POST, PUT or PATCH"
    if not is_header_value(channel.content_type) or "/" not in channel.content_type:
        yield "content_type", 'must be a media type, such as "application/json"'
    for name, value in channel.headers.items():
        if not _HEADER.fullmatch(name) or not is_header_value(value):
            yield "headers", "must be names and values of HTTP headers: printable ASCII, no line breaks"


def is_mailbox(text: str) -> bool:
    """Whether a text is one mail address, without a name, that ends no header (RFC 5321 4.1.2, 6531 3.3)."""
    return len(text) <= 254 and text.isprintable() and _MAILBOX.fullmatch(text) is not None


def is_header_value(text: str) -> bool:
    """Whether a text can be the value of an HTTP header (RFC 9110 5.5)."""
    return bool(text) and text.isascii() and text.isprintable()
