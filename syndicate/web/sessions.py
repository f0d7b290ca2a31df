"""Who has logged in, and what proves that a change was meant. In memory: a restart logs everybody out."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

LIFETIME = timedelta(days=14)
MOST = 1_000  # open at once; then the oldest ends

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class _Session:
    password: str  # the hash that it was opened under
    ends_at: float


class Sessions:
    """The sessions that are open. They are known by a digest, so that a dump of them opens none.

    Their time is in seconds, of a clock that nobody sets.
    """

    def __init__(self) -> None:
        self._open: dict[bytes, _Session] = {}  # the oldest first
        self._secret = secrets.token_bytes(_SECRET_BYTES)

    def begin(self, password: str, now: float) -> str:
        """Return what the cookie of a new session holds.

        Args:
            password: the hash under which it counts; another password in the configuration ends it.
        """
        cookie = fresh_cookie()
        self._open[_digest(cookie)] = _Session(password, now + LIFETIME.total_seconds())
        while len(self._open) > MOST:
            del self._open[next(iter(self._open))]
        return cookie

    def is_open(self, cookie: str, password: str, now: float) -> bool:
        """Say whether a cookie is that of a session under this hash of the password."""
        session = self._open.get(_digest(cookie))
        return session is not None and session.password == password and now < session.ends_at

    def end(self, cookie: str) -> None:
        """End a session, if it is one."""
        self._open.pop(_digest(cookie), None)

    def token(self, binding: str) -> str:
        """Return what a form has to hold for its change to count (a CSRF token).

        Args:
            binding: whose form it is; nobody else's form has the same token.
        """
        return hmac.new(self._secret, binding.encode(), hashlib.sha256).hexdigest()


def fresh_cookie() -> str:
    """Return 256 random bits as a cookie can hold them."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()
