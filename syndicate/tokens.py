"""Tokens of the API, which cannot be guessed: of each, the configuration has a digest alone."""

import hashlib
import hmac
import re
import secrets

PREFIX = "syn_"  # so that those who look for secrets where none should be find these
_DIGEST = "sha256:"
_BYTES = 32  # 256 bits, of which a fast digest tells nothing, as it would of a password

_WRITTEN_DIGEST = re.compile(rf"{_DIGEST}[0-9a-f]{{64}}")


def fresh_token() -> str:
    """Return a new token: `syn_` and 256 random bits as 64 hexadecimal digits."""
    return f"{PREFIX}{secrets.token_hex(_BYTES)}"


def digest_of(token: str) -> str:
    """Return what is kept of a token: `sha256:` and its SHA-256 as 64 hexadecimal digits."""
    return f"{_DIGEST}{hashlib.sha256(token.encode()).hexdigest()}"


def is_digest(text: str) -> bool:
    """Say whether a text is such a digest."""
    return _WRITTEN_DIGEST.fullmatch(text) is not None


def is_token(text: str) -> bool:
    """Say whether a text looks like a token; whether it is one, only its digest tells."""
    return text.startswith(PREFIX)


def is_of(digest: str, kept: str) -> bool:
    """Say whether a digest is the one that was kept, in a time that tells nothing of that."""
    return hmac.compare_digest(digest.encode(), kept.encode())
