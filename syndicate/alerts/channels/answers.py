"""What an answer means for a delivery. Only what a service documents as final is: all else is tried again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from syndicate.alerts.channels.text import line
from syndicate.alerts.outcome import Closed, Later, Outcome, Refused
from syndicate.alerts.retry import LONGEST_ASKED, SHORTEST_ASKED
from syndicate.http.times import asked_wait

SAID_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer over HTTP."""

    status: int
    headers: Mapping[str, str]  # by names in lower case
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        """Whether the status says so (RFC 9110 15.3)."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as a line to look at, up to 200 characters."""
        return to_look_at(self.body[: 4 * SAID_LENGTH].decode(errors="replace"))

    @property
    def values(self) -> Mapping[str, Any]:
        """The body as a JSON object, empty if it is none."""
        try:
            values = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) else {}


def later(
    service: str, answer: Answer, now: datetime, *, said: str = "", wait: timedelta | None = None
) -> Outcome:
    """Return that it is to be tried again; but 410 is final, and 413 is for this message (RFC 9110 15.5).

    Args:
        service: its name for people.
        answer: that was no success.
        now: when the answer came.
        said: what it says in words.
        wait: what it asks for elsewhere than in Retry-After (RFC 9110 10.2.3), which counts otherwise.
    """
    reason = meaning(service, answer, said)
    if answer.is_success:
        reason += f": that is not how {service} says that it took a message: check the address"
    if answer.status == 410:
        return Closed(reason=f"{reason}: it takes no more messages; make a new address and configure that")
    if answer.status == 413:
        return Refused(reason=reason)
    asked = asked_wait(answer.headers.get("retry-after"), now)
    return Later(reason=reason, wait=wait or (None if asked is None else _within(asked)))


def meaning(service: str, answer: Answer, said: str = "") -> str:
    """Return an answer in words."""
    words = to_look_at(said) or answer.text
    redirected = (
        " (redirects are not followed: configure where it leads)" if 300 <= answer.status < 400 else ""
    )
    return f"{service} answered {answer.status}" + (f": {words}" if words else "") + redirected


def wait_of(seconds: object) -> timedelta | None:
    """Return a wait that a service asks for in JSON, within a second and a day; None if it is none."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:  # NaN is not
        return None
    return _within(timedelta(seconds=min(seconds, 1e9)))


def _within(asked: timedelta) -> timedelta:
    return min(max(asked, SHORTEST_ASKED), LONGEST_ASKED)


def to_look_at(text: str) -> str:
    """Return the beginning of a text as a line that can be printed."""
    return "".join(letter for letter in line(text) if letter.isprintable())[:SAID_LENGTH]
