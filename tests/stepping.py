"""The poller as a service runs it, on a clock that goes on from one poll to the next: days in seconds.

Store, poller, client and outlets are the real ones; the waiting is left out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

from syndicate.http import Client
from syndicate.model import NetworkSettings, Poll, Recorded, Source, SourceStatus
from syndicate.rules.index import RuleIndex
from syndicate.rules.rule import Rule
from syndicate.rules.tree import Word
from syndicate.sources.poller import Poller
from syndicate.store.protocol import RuleState
from syndicate.store.searching import ItemFilter
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from tests.contract.making import Clock

SETTINGS = NetworkSettings(allow_private=(ip_network("127.0.0.0/8"),), host_interval=timedelta())
WATER = RuleIndex([Rule(id="water", title="Water", version="1", query=Word("water"), notify=("desk",))])
FAR = datetime.max.replace(tzinfo=Clock().now.tzinfo)


@dataclass(kw_only=True)
class Stepping:
    """Some sources over days. `recorded` is every poll, in order."""

    path: Path
    sources: Sequence[Source]
    clock: Clock = field(default_factory=Clock)
    settings: NetworkSettings = SETTINGS
    recorded: list[tuple[Poll, Recorded]] = field(default_factory=list)

    def go_on(self, by: timedelta, *, also: Iterable[tuple[datetime, Callable[[], object]]] = ()) -> None:
        """Poll what falls due within so much time, each when it is due; then it is that much later.

        Args:
            also: what is done at which times meanwhile.
        """
        ends = self.clock.now + by
        deeds = sorted(also, key=lambda deed: deed[0])

        async def run(poll: Callable[[], Awaitable[None]], store: SqliteStore) -> None:
            while True:
                due = store.next_claim_at(FAR) or FAR
                if deeds and deeds[0][0] <= min(due, ends):
                    self.clock.now = max(deeds[0][0], self.clock.now)
                    deeds.pop(0)[1]()
                    continue
                if due > ends:
                    break
                self.clock.now = max(due, self.clock.now)
                await poll()

        self._run(run)
        self.clock.now = ends

    def status(self) -> SourceStatus:
        """Return how the first source is."""
        with closing(SqliteStore(self.path, self.clock)) as store:
            return store.sources()[0]

    def titles(self) -> list[str]:
        """Return the titles of all items, sorted."""
        with closing(SqliteStore(self.path, self.clock)) as store:
            return sorted(found.item.title for found in store.items(ItemFilter(limit=100_000)))

    def _run(self, run: Callable[[Callable[[], Awaitable[None]], SqliteStore], Awaitable[None]]) -> None:
        async def inner() -> None:
            with closing(SqliteStore(self.path, self.clock)) as store, closing(StoreThread()) as call:
                store.configure(self.sources, [RuleState(id="water", version="1", feed=False)])
                async with Client(self.settings) as client:
                    poller = Poller(
                        client=client,
                        store=store,
                        call=call,
                        index=WATER,
                        settings=self.settings,
                        notify=("desk",),
                        random=lambda: 0.0,
                        on_recorded=self.recorded.extend,
                    )
                    await run(lambda: poller.drain(self.clock.now), store)

        asyncio.run(inner())
