"""The units of work of watching sources: how they have fared, and pausing them.

See `syndicate.store.protocol`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Protocol

from syndicate.model import Gap, LastFailure, PollDay, SourceHead, SourceStatus


class WatchStore(Protocol):
    """What a database must do for watching sources."""

    def overview(self) -> list[SourceHead]:
        """Return all sources that are configured, in the order of the configuration."""

    def statuses(self, sources: Collection[str]) -> Mapping[str, SourceStatus]:
        """Return how each of these sources is that is known."""

    def poll_days(self, sources: Collection[str], since: date) -> Mapping[str, Sequence[PollDay]]:
        """Return what became of the polls of each of these sources, by days, those with any, in order."""

    def last_failure(self, source: str) -> LastFailure | None:
        """Return the last poll of a source that failed, also of one that works again; None: none ever did."""

    def gaps(self, source: str, limit: int) -> list[Gap]:
        """Return the gaps that a source has had, the last one first."""

    def pause(self, sources: Collection[str]) -> int:
        """Poll these sources no more, until they are resumed; return how many were not paused before.

        That outlasts restarts and edits of the configuration.
        """

    def resume(self, sources: Collection[str]) -> int:
        """Poll paused sources again, from now on; return how many were paused."""
