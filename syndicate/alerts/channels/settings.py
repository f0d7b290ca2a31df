"""What each channel needs to know: one record each, with what is wrong with it in words.

Addresses of incoming webhooks are secrets, like tokens: who has one can write.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SHORTEST_TOKEN = 8  # what ends a path and is shorter is a word or a number
_NO_ACCESS = "must be an access token: printable ASCII without spaces"

_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
_BOT_TOKEN = re.compile(r"\d+:[-_A-Za-z0-9]+")
_CHAT = re.compile(r"-?\d+|@[A-Za-z]\w{3,}", re.ASCII)
_ROOM = re.compile(r"![^\s:]+(:[^\s]+)?")
_TOKEN = re.compile(r"[!-~]+")
_MAILBOX = re.compile(r"[^\s\x00-\x20\x7f<>()\[\]:;@\\,\"]+@[^\s\x00-\x20\x7f<>()\[\]:;@\\,\"]+")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """An incoming webhook of Slack."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discord:
    """A webhook of a channel on Discord."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Teams:
    """A workflow of Microsoft Teams that posts what its webhook receives."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mattermost:
    """An incoming webhook of Mattermost."""

    url: str = field(repr=False)
    channel: str | None = None  # None: the webhook's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    """A bot of Telegram, and the chat to which it writes."""

    token: str = field(repr=False)
    chat: str  # a number, or @name of a public channel
    thread: int | None = None  # a topic of the chat; None: no topic
    url: str = "https://api.telegram.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ntfy:
    """A topic of ntfy."""

    topic: str = field(repr=False)  # on a public server, who knows it can read and write
    url: str = "https://ntfy.sh"
    token: str | None = field(default=None, repr=False)  # None: the topic is open to all
    priority: int | None = None  # 1 (least) to 5; None: as the server has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A room of Matrix, and a user that has joined it."""

    url: str  # of the homeserver
    room: str  # its id, !...:server, not an alias
    token: str = field(repr=False)  # the user's access token


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """A sender and the recipients. The server is set once, for all of them."""

    sender: str  # news@desk.example
    recipients: tuple[str, ...]
    name: str = "Syndicate"  # of the sender, for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A body of one's own, in Jinja2, and where it goes."""

    url: str = field(repr=False)
    template: str
    method: str = "POST"
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def escapes_html(self) -> bool:
        """Whether values are escaped for HTML and XML unless the template says `|safe`."""
        kind = self.content_type.partition(";")[0].strip().lower()
        return kind in {"text/html", "text/xml", "application/xml"} or kind.endswith("+xml")


Channel = Slack | Discord | Teams | Mattermost | Telegram | Ntfy | Matrix | Email | Template


def problems(channel: Channel) -> tuple[tuple[str, str], ...]:
    """Return what is wrong with settings: of each its name, and what to do. No values: they may be secret."""
    return (*_address_problems(channel), *_own_problems(channel))


def secrets(channel: Channel) -> tuple[str, ...]:
    """Return what must not be shown, longest first: tokens, and the paths of addresses that are secret."""
    match channel:
        case Slack() | Discord() | Teams() | Mattermost():
            found = _secret_parts(channel.url)
        case Template():
            found = (*_secret_parts(channel.url), *channel.headers.values())
        case Telegram():
            found = (channel.token,)
        case Matrix():
            found = (channel.token,)
        case Ntfy():
            found = (channel.token or "", channel.topic)
        case Email():
            found = ()
    return tuple(sorted({secret for secret in found if secret}, key=lambda secret: (-len(secret), secret)))


def _secret_parts(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    tail = parts.path + (f"?{parts.query}" if parts.query else "")
    if len(tail) <= 1:
        return ()
    token = parts.path.rpartition("/")[2]
    return (url, tail, token) if len(token) >= SHORTEST_TOKEN else (url, tail)


def _address_problems(channel: Channel) -> Iterator[tuple[str, str]]:
    if isinstance(channel, Email):
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
