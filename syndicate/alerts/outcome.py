"""What an answer means for a delivery: taken, not yet, never, or nothing any more."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The endpoint has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Another try may succeed."""

    reason: str
    wait: timedelta | None = None  # that the endpoint asks for; None: it does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The endpoint will never take this message; others it may."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The endpoint takes nothing at all until a person changes something. The reason says what."""

    reason: str


Outcome = Taken | Later | Refused | Closed
