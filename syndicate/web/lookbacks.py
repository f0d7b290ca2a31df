"""Looks back that pages have begun: each goes on where it stopped when its page asks again.

So a page is answered at once, whatever a query is like, and what takes longer is counted while it is read.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from syndicate.lookback import Difference, Findings, LookBack

BUDGET_SECONDS = 0.22  # of looking, for one answer
KEPT = 8

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a look back has come, and what it has found so far."""

    look: LookBack
    findings: Findings
    difference: Difference | None  # None: it is compared with nothing


class LookBacks:
    """The looks back that were begun last; one is at work at a time, so that the service goes on."""

    def __init__(self, budget_seconds: float = BUDGET_SECONDS) -> None:
        self._budget_seconds = budget_seconds
        self._kept: OrderedDict[Key, tuple[LookBack, int]] = OrderedDict()
        self._one_at_a_time = Lock()

    def go_on(self, key: Key, newest: int, begin: Callable[[], LookBack]) -> Progress:
        """Look back for a while; return what has been found so far.

        Args:
            key: what is looked for; another key is another look.
            newest: the item that came last; after it, a look that is done is begun anew.
            begin: makes it, if it was not begun yet.
        """
        with self._one_at_a_time:
            end = time.monotonic() + self._budget_seconds
            look, newest_then = self._kept.pop(key, (None, newest))
            if look is None or (look.is_done and newest_then != newest):
                look, newest_then = begin(), newest
            self._kept[key] = (look, newest_then)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            look.go_on(lambda: time.monotonic() >= end)
            difference = look.difference() if look.is_compared else None
            return Progress(look=look, findings=look.findings(), difference=difference)
