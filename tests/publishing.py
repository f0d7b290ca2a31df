"""A store with two sources and two rules, and the folder that their feeds are published in."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from syndicate.feeds.heads import Heads
from syndicate.feeds.publisher import Publisher
from syndicate.model import Config, NetworkSettings, ServiceSettings, Source
from syndicate.model.feeds import Feed, FeedSettings
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from tests.atom_check import problems
from tests.contract.making import HOUR, START, Clock, Watch, backfilled, entry, read, source

EU, NEWS = Watch(), Watch(rule="news", word="news")
OF_EU = Feed(id="eu", title="EU", about="News of the EU", rules=("eu",), settings=FeedSettings(limit=3))
SOURCES = (source("wire"), source("post"))


@dataclass
class Desk:
    """A store and the folder of its feeds."""

    folder: Path
    store: SqliteStore
    clock: Clock
    call: StoreThread
    feeds: Sequence[Feed] = (OF_EU,)
    sources: Sequence[Source] = SOURCES
    has_health: bool = False
    heads: Heads | None = None  # None: every publisher begins anew
    failures: dict[str, str] = field(default_factory=dict)

    def configure(self, *feeds: Feed) -> None:
        self.feeds = feeds
        self.store.configure(self.sources, [EU.state, NEWS.state], feeds=feeds)

    def publish(self) -> int:
        """Publish as a service that begins does; return how many feeds have changed."""

        async def work(publisher: Publisher) -> int:
            await publisher.open()
            changed = await publisher.publish_stale()
            self.failures = publisher.failures
            return changed

        with self.publisher() as publisher:
            return asyncio.run(work(publisher))

    def publisher(
        self, on_written: Callable[[Sequence[str]], Awaitable[None]] | None = None
    ) -> AbstractContextManager[Publisher]:
        """Return a publisher of the feeds, which is closed in the end."""
        service = ServiceSettings(database=Path("s.db"), rules=Path("rules"), feeds=self.folder)
        config = Config(
            path=Path("config.toml"),
            service=service,
            network=NetworkSettings(),
            sources=tuple(self.sources),
            endpoints=(),
            rules=(),
            feeds=tuple(self.feeds),
            has_health=self.has_health,
        )
        return closing(
            Publisher(
                store=self.store, call=self.call, config=config, heads=self.heads, on_written=on_written
            )
        )

    def read(self, *titles: str, name: str = "wire", watches: Sequence[Watch] = (EU, NEWS)) -> None:
        """Read a document with these, each of which has its title as its guid."""
        entries = [entry(title.casefold().replace(" ", "-"), title) for title in titles]
        read(self.store, *entries, name=name, watches=list(watches))

    def files(self) -> list[str]:
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return sorted(str(path) for path in found)

    def contents(self) -> dict[str, bytes]:
        return {path: (self.folder / path).read_bytes() for path in self.files()}

    def titles(self, name: str) -> list[str]:
        """Return the titles in a document, which must be valid and the same in each format."""
        shown = json.loads((self.folder / f"{name}.json").read_text())["items"]
        atom = (self.folder / f"{name}.atom").read_bytes()
        assert problems(atom) == []
        assert all(each["title"].encode() in atom for each in shown)
        assert all(each["title"] in (self.folder / f"{name}.rss").read_text() for each in shown)
        return [each["title"] for each in shown]

    def links(self, name: str) -> dict[str, str]:
        document = json.loads((self.folder / f"{name}.json").read_text())
        return {
            key: document[key].removeprefix("http://127.0.0.1:8080/feeds/")
            for key in ("feed_url", "next_url")
            if key in document
        }


@contextmanager
def desk_in(folder: Path) -> Iterator[Desk]:
    """Open a new store in a folder, with the feed of the EU."""
    clock = Clock()
    with closing(SqliteStore(folder / "s.db", clock)) as store, closing(StoreThread()) as call:
        desk = Desk(folder=folder / "feeds", store=store, clock=clock, call=call)
        desk.configure(OF_EU)
        for rule in (EU, NEWS):
            backfilled(store, rule, START - HOUR)
        yield desk
