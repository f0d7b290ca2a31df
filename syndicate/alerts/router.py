"""Letting go what is held back from endpoints, when it is time."""

from datetime import timedelta

import structlog

from syndicate.alerts.pace import route
from syndicate.model import Config, Pace
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)


class Router:
    """Decides for the configured endpoints what of the alerts that are held back is delivered now.

    What is held back from an endpoint that is configured no longer is held until it is there again.
    """

    def __init__(self, *, store: Store, call: StoreThread, config: Config) -> None:
        self._store = store
        self._call = call
        self._pace_by_endpoint = {endpoint.id: endpoint.pace for endpoint in config.endpoints}
        self._urgent = frozenset(rule.id for rule in config.rules if rule.urgent)

    async def run_due(self) -> None:
        """Make deliveries of what is to be told by now."""
        await self._call(self._run_due)

    def _run_due(self) -> None:
        due = [name for name in self._store.endpoints_to_route() if name in self._pace_by_endpoint]
        if due:
            silenced = self._store.silence_held(due)
            if silenced:
                log.info("alerts.silenced", alerts=silenced)
        for endpoint in due:
            self._route(endpoint, self._pace_by_endpoint[endpoint])

    def _route(self, endpoint: str, pace: Pace) -> None:
        interval = pace.grouping.interval if pace.grouping else timedelta()
        held, past = self._store.held_alerts(endpoint, interval, self._urgent)
        decided = route(held, pace, past, self._store.now(), self._urgent)
        made = self._store.record_route(endpoint, held, decided)
        rest = len(held) - sum(map(len, decided.deliveries))
        if made and pace.holds_back:
            log.info("alerts.let_go", endpoint=endpoint, deliveries=made, held=rest)
