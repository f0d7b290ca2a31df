"""Everything that works under one configuration: client, poller, subscriber, hub, publisher, watch over
volumes, router and outbox.

A new configuration gets new workers. What the old ones had begun ends first, within GRACE, so that nobody
records by rules that are no longer in force.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

import structlog

from syndicate.alerts.outbox import Outbox
from syndicate.alerts.router import Router
from syndicate.alerts.spike_watch import SpikeWatch
from syndicate.errors import StoreError
from syndicate.feeds.heads import Heads
from syndicate.feeds.publisher import Publisher
from syndicate.http import Client
from syndicate.hub.hub import Hub
from syndicate.model import Config, Poll, Recorded
from syndicate.rules.index import RuleIndex
from syndicate.rules.rule import Rule
from syndicate.sources.poller import Poller
from syndicate.sources.subscriber import Subscriber, callbacks_base
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)

GRACE = timedelta(seconds=4)  # for what is in flight when workers end
LAST_PUBLISH_SECONDS = 1.0


class Workers:
    """Opened and closed as one. `on_recorded` hears of polls, `on_delivered` when there is room for more,
    `on_pushed` when a hub has sent something, `on_hub` when ours has something to do.
    """

    def __init__(  # noqa: PLR0913  wiring
        self,
        *,
        config: Config,
        rules: Sequence[Rule],
        store: Store,
        call: StoreThread,
        random: Callable[[], float],
        heads: Heads,
        on_recorded: Callable[[Sequence[tuple[Poll, Recorded]]], None],
        on_delivered: Callable[[], object],
        on_pushed: Callable[[], object],
        on_hub: Callable[[], object],
    ) -> None:
        self._config = config
        self._rules = rules
        self._store = store
        self._call = call
        self._random = random
        self._heads = heads
        self._on_recorded = on_recorded
        self._on_delivered = on_delivered
        self._on_pushed = on_pushed
        self._on_hub = on_hub
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as exits:
            client = await exits.enter_async_context(Client(self._config.network))
            # Of many rules, this takes seconds.
            self.index = await asyncio.to_thread(RuleIndex, self._rules)
            self.poller = Poller(
                client=client,
                store=self._store,
                call=self._call,
                index=self.index,
                settings=self._config.network,
                notify=self._config.service.notify,
                random=self._random,
                on_recorded=self._on_recorded,
            )
            self.subscriber = Subscriber(
                client=client,
                store=self._store,
                call=self._call,
                settings=self._config.network,
                base=callbacks_base(self._config),
                random=self._random,
                on_pushed=self._on_pushed,
            )
            # Whom it asks and tells is named by strangers: their names and connections hold up nobody else's.
            of_strangers = await exits.enter_async_context(Client(self._config.network))
            self.hub = Hub(
                client=of_strangers,
                store=self._store,
                call=self._call,
                config=self._config,
                random=self._random,
                on_changed=self._on_hub,
            )
            self.publisher = Publisher(
                store=self._store,
                call=self._call,
                config=self._config,
                hub=self.hub.address,
                on_written=self.hub.announce,
                heads=self._heads,
            )
            exits.callback(self.publisher.close)
            self.router = Router(store=self._store, call=self._call, config=self._config)
            self.outbox = Outbox(
                client=client,
                store=self._store,
                call=self._call,
                config=self._config,
                random=self._random,
                on_recorded=self._on_delivered,
            )
            self.spikes = SpikeWatch(store=self._store, call=self._call, config=self._config)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exits.aclose()

    async def finish(self) -> None:
        """End what is in flight, giving back what does not end in time, and publish what came last."""
        for ended in await asyncio.gather(
            self.poller.close(GRACE),
            self.outbox.close(GRACE),
            self.subscriber.close(GRACE),
            self.hub.close(GRACE),
            return_exceptions=True,
        ):
            if isinstance(ended, BaseException):  # what was leased comes free by itself
                log.error("service.not_given_back", error=str(ended))
        # What does not fit in stays stale, and is published at the next start.
        with suppress(TimeoutError, StoreError):
            await asyncio.wait_for(self.publisher.publish_stale(), LAST_PUBLISH_SECONDS)
