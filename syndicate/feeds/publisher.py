"""Bringing the files in feeds/ up to what is stored."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import structlog

from syndicate import __version__
from syndicate.errors import StoreError
from syndicate.feeds import atom, opml
from syndicate.feeds.documents import FeedDocument
from syndicate.feeds.entries import EntrySettings, Outlet, describe
from syndicate.feeds.publish import tidy, write
from syndicate.feeds.select import Order, newest_first, select
from syndicate.model import Config, StaleFeed
from syndicate.rules.rule import Rule
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)

ENTRIES = 100
BATCH = 20  # feeds that are noted as published together
WRITERS = 8  # files that are written at once: most of the time, it is the disk that is waited for

T = TypeVar("T")
Outlets = Mapping[str, Outlet]


class Publisher:
    """Writes the feeds of the rules that have one, and the list of them."""

    def __init__(self, *, store: Store, call: StoreThread, config: Config, rules: Mapping[str, Rule]) -> None:
        self._store = store
        self._call = call
        self._service = config.service
        self._sources = {source.id: source for source in config.sources}
        self._rules = rules
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="publish")
        self._writers = ThreadPoolExecutor(max_workers=WRITERS, thread_name_prefix="write")
        self.failures: dict[str, str] = {}  # feeds that could not be written the last time, and why

    async def open(self) -> None:
        """Clear away what a crash or an older configuration left, and write the list of feeds."""
        retired = await self._call(self._store.retired_feeds)
        await self._in_thread(partial(self._prepare, retired))

    async def publish_stale(self) -> int:
        """Bring every stale feed up to date; return how many files changed. One that fails stays stale."""
        stale = await self._call(self._store.stale_feeds)
        # A feed of a rule that only another process knows of is that one's to publish.
        mine = [feed for feed in stale if feed.rule in self._rules]
        self.failures = {}
        if not mine:
            return 0
        batches = (mine[start : start + BATCH] for start in range(0, len(mine), BATCH))
        return sum([await self._bring_up(batch) for batch in batches])

    async def _bring_up(self, feeds: Sequence[StaleFeed]) -> int:
        written = await self._in_thread(partial(self._written, feeds))
        for feed, outcome in zip(feeds, written, strict=True):
            if isinstance(outcome, StoreError):
                log.error("feed.not_written", feed=feed.rule, error=str(outcome))
                self.failures[feed.rule] = str(outcome)
        done = [feed for feed in feeds if feed.rule not in self.failures]
        await self._call(self._store.feeds_published, done)
        return sum(outcome is True for outcome in written)

    def close(self) -> None:
        """Wait for the files being written."""
        self._thread.shutdown()
        self._writers.shutdown()

    async def _in_thread(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def _written(self, feeds: Sequence[StaleFeed]) -> list[bool | StoreError]:
        """Return whether each file changed, or why it could not be written."""
        waiting = [self._begin(feed) for feed in feeds]
        return [outcome.result() if isinstance(outcome, Future) else outcome for outcome in waiting]

    def _begin(self, feed: StaleFeed) -> Future[bool | StoreError] | StoreError:
        try:
            matches = self._store.feed_matches(feed.rule, ENTRIES)
            outlets = self._outlets({each.item.source for each in matches})
        except StoreError as error:
            return error
        settings = EntrySettings(rule_titles={feed.rule: self._rules[feed.rule].title}, outlets=outlets)
        shown = newest_first(select(matches), Order.PUBLISHED)
        entries = [describe(each, settings) for each in shown]
        return self._writers.submit(self._write, feed.rule, atom.render(self._document(feed), entries))

    def _write(self, rule: str, data: bytes) -> bool | StoreError:
        try:
            changed = write(self._service.feeds / f"{rule}.atom", data)
        except StoreError as error:
            return error
        if changed:
            log.debug("feed.written", feed=rule, bytes=len(data))
        return changed

    def _outlets(self, sources: Collection[str]) -> Outlets:
        """Return those of the sources that are configured."""
        documents = self._store.source_documents(sources)
        return {
            source.id: Outlet(
                title=source.title,
                feed_url=source.urls[0],
                link=documents.get(source.id, ("", None))[1],
            )
            for source in map(self._sources.get, sources)
            if source is not None
        }

    def _document(self, feed: StaleFeed) -> FeedDocument:
        rule = self._rules[feed.rule]
        return FeedDocument(
            feed_id=feed.feed_id,
            title=f"{rule.title} — {self._service.title}",
            description=f"News that matches the rule {rule.title}",
            self_url=self._address(rule.id),
            page_url=f"{self._service.base_url}/",
            version=__version__,
            updated_when_empty=feed.created_at,
        )

    def _prepare(self, retired: list[str]) -> None:
        tidy(self._service.feeds)
        for rule in retired:
            path = self._service.feeds / f"{rule}.atom"
            if path.exists():
                path.unlink()
                log.info("feed.removed", feed=rule, reason="no rule publishes it any more")
        listed = [
            opml.ListedFeed(
                title=rule.title, feed_url=self._address(rule.id), site_url=f"{self._service.base_url}/"
            )
            for rule in self._rules.values()
            if rule.feed
        ]
        write(self._service.feeds / "index.opml", opml.render(self._service.title, listed))

    def _address(self, rule: str) -> str:
        return f"{self._service.base_url}/feeds/{rule}.atom"
