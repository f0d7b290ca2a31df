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

    async def run_due(self) -> int:
        """Make deliveries of what is to be told by now; return how many alerts were silenced."""
        return await self._call(self._run_due)

    def _run_due(self) -> int:
        return sum(
            self._route(endpoint, self._pace_by_endpoint[endpoint])
            for endpoint in self._store.endpoints_to_route()
            if endpoint in self._pace_by_endpoint
        )

    def _route(self, endpoint: str, pace: Pace) -> int:
        """Let go what an endpoint is to be told; return how many alerts were silenced."""
        routed = self._store.route_held(
            endpoint,
            lambda held, past, now: route(held, pace, past, now, self._urgent),
            interval=pace.grouping.interval if pace.grouping else timedelta(),
            urgent=self._urgent,
        )
        if routed.silenced:
            log.info("alerts.silenced", endpoint=endpoint, alerts=routed.silenced)
        if routed.made and pace.holds_back:
            log.info("alerts.let_go", endpoint=endpoint, deliveries=routed.made, held=routed.held)
        return routed.silenced
