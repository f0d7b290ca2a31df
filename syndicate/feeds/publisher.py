"""Bringing the files in feeds/ up to what is stored."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import structlog

from syndicate import __version__
from syndicate.errors import StoreError
from syndicate.feeds import atom, opml
from syndicate.feeds.publish import tidy, write
from syndicate.model import Config, StaleFeed
from syndicate.rules.rule import Rule
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)

ENTRIES = 100


class Publisher:
    """Writes the feeds of the rules that have one, and the list of them."""

    def __init__(self, *, store: Store, call: StoreThread, config: Config, rules: Mapping[str, Rule]) -> None:
        self._store = store
        self._call = call
        self._service = config.service
        self._sources = config.sources
        self._rules = rules
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="publish")
        self.failures: dict[str, str] = {}  # feeds that could not be written the last time, and why

    async def open(self) -> None:
        """Clear away what a crash or an older configuration left, and write the list of feeds."""
        retired = await self._call(self._store.retired_feeds)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._prepare, retired)

    async def publish_stale(self) -> int:
        """Bring every stale feed up to date; return how many files changed. One that fails stays stale."""
        stale = await self._call(self._store.stale_feeds)
        self.failures = {}
        # A feed of a rule that only another process knows of is that one's to publish.
        return sum([await self._brought_up(feed) for feed in stale if feed.rule in self._rules])

    async def _brought_up(self, feed: StaleFeed) -> bool:
        try:
            changed = await asyncio.get_running_loop().run_in_executor(self._thread, self._publish, feed)
        except StoreError as error:
            log.error("feed.not_written", feed=feed.rule, error=str(error))
            self.failures[feed.rule] = str(error)
            return False
        await self._call(self._store.feed_published, feed)
        return changed

    def close(self) -> None:
        """Wait for the file being written."""
        self._thread.shutdown()

    def _publish(self, feed: StaleFeed) -> bool:
        document = self._document(feed)
        data = atom.render(document, self._store.feed_matches(feed.rule, ENTRIES))
        changed = write(self._service.feeds / f"{feed.rule}.atom", data)
        if changed:
            log.debug("feed.written", feed=feed.rule, bytes=len(data))
        return changed

    def _document(self, feed: StaleFeed) -> atom.FeedDocument:
        rule = self._rules[feed.rule]
        documents = self._store.source_documents()
        return atom.FeedDocument(
            feed_id=feed.feed_id,
            title=f"{rule.title} — {self._service.title}",
            self_url=self._address(rule.id),
            alternate_url=f"{self._service.base_url}/",
            rule=rule.id,
            rule_title=rule.title,
            version=__version__,
            outlets={
                source.id: atom.Outlet(
                    title=source.title,
                    feed_url=source.urls[0],
                    link=documents.get(source.id, ("", None))[1],
                )
                for source in self._sources
            },
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
