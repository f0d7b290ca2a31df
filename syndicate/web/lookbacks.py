"""Looks back that pages have begun: each goes on where it stopped when its page asks again.

So a page is answered at once, whatever a query is like, and what takes longer is counted while it is read.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from syndicate.lookback import Difference, Findings, LookBack

BUDGET_SECONDS = 0.22  # of looking, for one answer
FRESH_SECONDS = 5.0  # for which what was found is not looked for again: matches and items change
KEPT = 8

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a look back has come, and what it has found so far."""

    looked_at: int  # items
    candidates: int  # of so many
    oldest: datetime | None  # Item.order of the last that was looked at; None: none was
    findings: Findings
    difference: Difference | None  # None: it is compared with nothing

    @property
    def is_done(self) -> bool:
        """Whether that is all."""
        return self.looked_at == self.candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    look: LookBack
    newest: int  # the item that came last, when it was begun
    begun_at: float

    def is_stale(self, newest: int, now: float) -> bool:
        """Whether it has seen all that there was, and there may be something else by now."""
        return self.look.is_done and (newest != self.newest or now - self.begun_at > FRESH_SECONDS)


class LookBacks:
    """The looks back that were begun last. One thread at a time may ask: the page sees to that."""

    def __init__(self, budget_seconds: float = BUDGET_SECONDS) -> None:
        self._budget_seconds = budget_seconds
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()

    def go_on(self, key: Key, newest: int, begin: Callable[[], LookBack]) -> Progress:
        """Look back for a while; return what has been found so far.

        Args:
            key: what is looked for; another key is another look.
            newest: the item that came last; after it, a look that is done is begun anew.
            begin: makes it, if it was not begun yet.
        """
        end = time.monotonic() + self._budget_seconds
        kept = self._kept.pop(key, None)
        if kept is None or kept.is_stale(newest, time.monotonic()):
            kept = _Kept(look=begin(), newest=newest, begun_at=time.monotonic())
        look, self._kept[key] = kept.look, kept
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        look.go_on(lambda: time.monotonic() >= end)
        difference = look.difference() if look.is_compared else None
        return Progress(
            looked_at=look.looked_at,
            candidates=look.candidates,
            oldest=look.oldest,
            findings=look.findings(),
            difference=difference,
        )
