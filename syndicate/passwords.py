"""Passwords as hashes (Argon2id, RFC 9106), which take long to guess. The only module that knows argon2."""

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_LENGTH = 12
MAX_LENGTH = 1_000  # characters; nobody types more, and hashing takes longer the more there are
_MAX_MEMORY_KIB = 1024 * 1024
_MAX_PASSES = 100

_HASHER = PasswordHasher()


def password_hash(password: str) -> str:
    """Return a hash of a password, another one each time.

    Raises:
        ValueError: it is too short or too long, in words.
    """
    if not LEAST_LENGTH <= len(password) <= MAX_LENGTH:
        raise ValueError(f"must have {LEAST_LENGTH} to {MAX_LENGTH} characters, such as four words do")
    return _HASHER.hash(password)


def is_hash(text: str) -> bool:
    """Say whether a text is a hash that a password can be compared with, in seconds rather than hours."""
    try:
        found = extract_parameters(text)
    except InvalidHashError:
        return False
    is_bounded = found.memory_cost <= _MAX_MEMORY_KIB and found.time_cost <= _MAX_PASSES
    return found.type is Type.ID and is_bounded


def is_password(password: str, kept: str) -> bool:
    """Say whether a hash is that of a password. Takes about 50 ms and 64 MiB, on purpose."""
    if len(password) > MAX_LENGTH:
        return False
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
