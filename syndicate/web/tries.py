"""Who has tried in vain to come in lately."""

from syndicate.web.callbacks import Recent

MOST_FAILED = 5  # a minute, from one address
MOST_FAILED_IN_ALL = 30  # a minute
PEERS_REMEMBERED = 1_000


class Tries:
    """How often each address, and all together, have failed within the last minute."""

    def __init__(self) -> None:
        self._in_all = Recent(MOST_FAILED_IN_ALL)
        self._by_peer: dict[str, Recent] = {}  # the one longest ago first

    def are_exhausted(self, peer: str, now: float) -> bool:
        """Say whether an address has to wait."""
        return self._of(peer).is_exhausted(now) or self._in_all.is_exhausted(now)

    def note(self, peer: str, now: float) -> None:
        """Note that an address has failed."""
        self._of(peer).note(now)
        self._in_all.note(now)

    def _of(self, peer: str) -> Recent:
        failed = self._by_peer.pop(peer, None) or Recent(MOST_FAILED)
        self._by_peer[peer] = failed
        if len(self._by_peer) > PEERS_REMEMBERED:
            del self._by_peer[next(iter(self._by_peer))]
        return failed
