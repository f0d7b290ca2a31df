"""Which request header fields go where. Pure.

Redirects take a request to addresses that its caller did not mean, so (RFC 9110 15.4):

- Validators go to the URL they came from and nowhere else: sent to another, a coincidence of dates would say
  "not modified" about something never seen. A feed that has moved is asked plainly at its old address,
  and conditionally at its new one, if the caller says that the validators are from there.
- Everything else that a caller gives, secrets among it, stays with the origin of the first address.
  A redirect that leaves it and comes back does not bring them back.
- What kind of document is wanted (Accept, Accept-Language) may be told to anyone.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from syndicate.errors import RefusedError
from syndicate.http.addresses import Target

Field = tuple[bytes, bytes]

_VALIDATORS = {b"if-none-match", b"if-modified-since"}
_FOR_ANYONE = {b"accept", b"accept-language"}
# These frame the message or speak for the connection, which is the transport's business, or say who we are.
_OURS = {
    *(b"host", b"connection", b"keep-alive", b"content-length", b"transfer-encoding", b"te", b"trailer"),
    *(b"expect", b"upgrade", b"proxy-authorization", b"proxy-connection", b"accept-encoding", b"user-agent"),
    *(b"range", b"if-range", b"referer"),
}
_NAME = re.compile(rb"[a-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a caller wants said with a request."""

    fields: tuple[Field, ...]
    home: tuple[str, str, int]  # the origin of the first address
    validators_of: str  # the URL that the validators came from
    has_left_home: bool = False

    def fields_for(self, at: Target) -> Iterator[Field]:
        """Yield what may be told to an address."""
        for name, value in self.fields:
            if name in _VALIDATORS:
                is_told = at.url == self.validators_of
            else:
                is_told = name in _FOR_ANYONE or (not self.has_left_home and at.origin == self.home)
            if is_told:
                yield name, value


def checked_fields(headers: Mapping[str, bytes | str]) -> tuple[Field, ...]:
    """Return a caller's headers as bytes, with names in lower case; those that are ours are left out.

    Texts go out as UTF-8, bytes as they are. A validator that can't be sent is left out, since an
    unconditional request is always right.

    Raises:
        RefusedError: a name or value could end the header and begin something else.
    """
    fields = tuple(
        (_name(name), value if isinstance(value, bytes) else value.encode())
        for name, value in headers.items()
    )
    return tuple((name, value) for name, value in fields if name not in _OURS and _is_sendable(name, value))


@lru_cache(256)
def _name(text: str) -> bytes:
    name = text.lower().encode()
    if not _NAME.fullmatch(name):
        raise RefusedError(f"a header of the request has an invalid name: {ascii(text)[:80]}")
    return name


def _is_sendable(name: bytes, value: bytes) -> bool:
    if not _CONTROL.search(value):
        return True
    if name in _VALIDATORS:
        return False
    raise RefusedError(f"the request's header {name.decode()} contains a control character")
