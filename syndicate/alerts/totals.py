"""What became of some deliveries, summed up."""

from collections import Counter
from dataclasses import dataclass

from syndicate.model import Attempt, DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What became of some deliveries, each counted by its last try."""

    delivered: int = 0
    failed: int = 0
    held: int = 0  # that the pace of their endpoints holds back
    silenced: int = 0  # alerts that a silence kept from being told
    errors: tuple[str, ...] = ()  # a line for each endpoint and reason, and for each that has to wait


class Tally:
    """Takes attempts as they are made."""

    def __init__(self) -> None:
        self._delivered = 0
        self._failed: dict[str, Attempt] = {}  # by delivery, the last

    def add(self, attempt: Attempt) -> None:
        """Count an attempt, instead of those before of the same delivery."""
        self._failed.pop(attempt.delivery, None)
        if attempt.state is DeliveryState.DELIVERED:
            self._delivered += 1
        else:
            self._failed[attempt.delivery] = attempt

    def totals(self, waiting: tuple[str, ...] = (), held: int = 0) -> Totals:
        """Return the sums; `waiting` are lines about what was not tried at all."""
        errors = Counter((attempt.endpoint, attempt.error) for attempt in self._failed.values())
        told = (
            f"{endpoint}: {error}" + (f" ({count} deliveries)" if count > 1 else "")
            for (endpoint, error), count in errors.items()
        )
        return Totals(
            delivered=self._delivered, failed=len(self._failed), held=held, errors=(*told, *waiting)
        )
