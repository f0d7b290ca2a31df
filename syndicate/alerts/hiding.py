"""Keeping out of what is shown what must not be shown of an endpoint. Pure.

Some receivers answer with what they were sent: as it was, or as it is written in JSON, in HTML, in an address
or in a string of Python.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from functools import lru_cache
from html.entities import codepoint2name
from urllib.parse import unquote

from syndicate.model import Endpoint
from syndicate.model.channels import SHORTEST_TOKEN, secret_parts, secrets

SHORTEST_SECRET = 4  # what is shorter is none, and would be found everywhere
HIDDEN = b"***"
SIGNING = "whsec_"  # before the secrets of signatures


def hidden(text: bytes, endpoint: Endpoint) -> bytes:
    """Return a text with stars where anything stands that must not be shown, however it is escaped there."""
    for secret in _secrets(endpoint) if text else ():
        text = _anyhow_escaped(secret).sub(HIDDEN, text)
    return text


def _secrets(endpoint: Endpoint) -> list[str]:
    """Return what must not be shown of an endpoint, longest first."""
    found = {*endpoint.secrets, *(secret.removeprefix(SIGNING) for secret in endpoint.secrets)}
    for value in endpoint.headers.values():
        found |= {value, *_credentials(value)}
    if endpoint.channel is None:
        found |= set(secret_parts(endpoint.url))
    else:
        of_channel = secrets(endpoint.channel)
        found |= {*of_channel, *(part for secret in of_channel for part in _credentials(secret))}
    found |= {unquote(secret) for secret in found}
    return sorted(
        (each for each in found if len(each) >= SHORTEST_SECRET), key=lambda each: (-len(each), each)
    )


def _credentials(field: str) -> Iterator[str]:
    """Yield what a header says after its scheme: the token, or user and password (RFC 7617, 2)."""
    scheme, _, rest = field.strip().partition(" ")
    rest = rest.strip()
    if len(rest) >= SHORTEST_TOKEN:
        yield rest
    if scheme.lower() == "basic":
        try:
            pair = b64decode(rest, validate=True).decode()
        except (Base64Error, UnicodeDecodeError):
            return
        yield pair
        yield pair.partition(":")[2]


@lru_cache(maxsize=1000)
def _anyhow_escaped(secret: str) -> re.Pattern[bytes]:
    return re.compile(b"".join(_character(each) for each in secret))


def _character(character: str) -> bytes:
    """Return a pattern for all ways to write a character; nobody escapes letters and digits.

    It may be escaped several times over, but so often only that no answer takes long to search.
    """
    if character.isascii() and character.isalnum():
        return character.encode()
    raw = character.encode(errors="replace")
    units = character.encode("utf-16-be", errors="replace")
    name = codepoint2name.get(ord(character), "apos" if character == "'" else "")
    ways = (
        b"".join(rb"%%(?:25){0,3}(?i:%02x)" % byte for byte in raw),
        b"".join(rb"\\{1,7}u(?i:%b)" % units[at : at + 2].hex().encode() for at in range(0, len(units), 2)),
        b"".join(rb"\\{1,7}x(?i:%02x)" % byte for byte in raw),
        rb"&(?:amp;){0,3}#0{0,7}%d;?" % ord(character),
        rb"&(?:amp;){0,3}#[xX]0{0,7}(?i:%x);?" % ord(character),
        *([rb"&(?:amp;){0,3}%b;?" % name.encode()] if name else []),
        *([rb"\+"] if character == " " else []),
        rb"\\{0,8}" + re.escape(raw),  # last, or of "&amp;" only the first character would be found
    )
    return b"(?:" + b"|".join(ways) + b")"
