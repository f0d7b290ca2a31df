"""What each channel needs to know: one record each. What is secret of it is known.

Addresses of incoming webhooks are secrets, like tokens: who has one can write.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SHORTEST_TOKEN = 8  # what ends a path and is shorter is a word or a number


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
    lines: tuple[int, ...] = field(default=(), repr=False, compare=False)  # of config.toml, of its own lines
    method: str = "POST"
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def escapes_html(self) -> bool:
        """Whether values are escaped for HTML and XML unless the template says `|safe`."""
        kind = self.content_type.partition(";")[0].strip().lower()
        return kind in {"text/html", "text/xml", "application/xml"} or kind.endswith("+xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Apprise:
    """One of the many services that Apprise knows, by its address for them."""

    url: str = field(repr=False)
    lines: tuple[int, ...] = field(default=(), repr=False, compare=False)  # of config.toml, of the address


Channel = Slack | Discord | Teams | Mattermost | Telegram | Ntfy | Matrix | Email | Apprise | Template


def secrets(channel: Channel) -> tuple[str, ...]:
    """Return what must not be shown, longest first: tokens, and the paths of addresses that are secret."""
    match channel:
        case Slack() | Discord() | Teams() | Mattermost():
            found = secret_parts(channel.url)
        case Template():
            found = (*secret_parts(channel.url), *channel.headers.values())
        case Telegram():
            found = (channel.token,)
        case Matrix():
            found = (channel.token,)
        case Ntfy():
            found = (channel.token or "", channel.topic)
        case Apprise():
            found = _apprise_parts(channel.url)
        case Email():
            found = ()
    return tuple(sorted({secret for secret in found if secret}, key=lambda secret: (-len(secret), secret)))


def secret_parts(url: str) -> tuple[str, ...]:
    """Return what must not be shown of an address in which a token may be: all of it but the host."""
    parts = urlsplit(url)
    tail = parts.path + (f"?{parts.query}" if parts.query else "")
    if len(tail) <= 1:
        return ()
    token = parts.path.rpartition("/")[2]
    return (url, tail, token) if len(token) >= SHORTEST_TOKEN else (url, tail)


def _apprise_parts(url: str) -> tuple[str, ...]:
    """Return the address, and each part of it that may be a token: any part can be one."""
    _, _, rest = url.partition("://")
    return (url, rest, *(part for part in re.split(r"[/?&=@:,]", rest) if len(part) >= SHORTEST_TOKEN))
