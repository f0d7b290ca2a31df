"""The way to one endpoint: what is claimed for it and waits its turn, and how much to claim ahead.

An endpoint that takes what it is sent within milliseconds would wait for the database most of the time, so
more is claimed for it than is under way. For one that is slow, or fails, nothing more is: whatever is claimed
must be sent before its lease ends, and may be wanted by another process.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syndicate.alerts.outcome import Later
from syndicate.alerts.retry import LONGEST_ASKED, SHORTEST_ASKED
from syndicate.alerts.sending import TIMEOUT, Answer
from syndicate.model import Attempt, Delivery, DeliveryState, Endpoint

AHEAD = timedelta(seconds=2)  # for so long the queue may last
MOST_AHEAD = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ready:
    """A claimed delivery and what it says; or what came of it, if that can't be put in words."""

    delivery: Delivery
    body: bytes | Answer


@dataclass(slots=True, kw_only=True)
class Lane:
    """One endpoint's. `at_once` are sent side by side, so that order is kept but for those."""

    endpoint: Endpoint
    at_once: int
    queue: deque[Ready] = field(default_factory=deque)
    workers: int = 0
    may_have_more: bool = False  # something was due when there was last a claim
    unanswered: int = 0  # attempts in a row without any answer
    rests_until: datetime | None = None  # its endpoint has asked for that; None: it has not
    is_closed: bool = False  # its endpoint wants nothing more, and the database does not know yet
    _lasts: timedelta = TIMEOUT  # an attempt, at the worst

    @property
    def depth(self) -> int:
        """How many deliveries may be claimed for it at once."""
        seconds = max(self._lasts.total_seconds(), 1e-6)
        ahead = int(self.at_once * AHEAD.total_seconds() / seconds)
        return min(max(ahead, self.at_once), max(MOST_AHEAD, self.at_once))

    @property
    def is_low(self) -> bool:
        """Whether more may be claimed, and is worth it."""
        return not self.is_closed and len(self.queue) <= (self.depth - self.at_once) // 2

    def rests(self, now: datetime) -> bool:
        """Whether its endpoint has been sent too much, and has asked to be left alone."""
        return self.rests_until is not None and now < self.rests_until

    def heed(self, answer: Answer, now: datetime) -> None:
        """Rest as long as an answer asks for that says that too much was sent (RFC 6585 4)."""
        match answer:
            case Answer(status=429, outcome=Later(wait=timedelta() as asked)):
                self.rests_until = now + min(max(asked, SHORTEST_ASKED), LONGEST_ASKED)
            case _:
                pass

    def note(self, attempt: Attempt) -> list[Ready]:
        """Learn from an attempt; return what of the queue is now too far ahead."""
        is_taken = attempt.state is DeliveryState.DELIVERED
        self.unanswered = self.unanswered + 1 if attempt.status is None and not is_taken else 0
        self._lasts = max(attempt.duration if is_taken else TIMEOUT, self._lasts / 2)
        return [self.queue.pop() for _ in range(len(self.queue) - self.depth)][::-1]
