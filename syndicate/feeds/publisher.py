"""Bringing the files in feeds/ up to what is stored."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import BoundedSemaphore
from typing import TypeVar

import structlog

from syndicate.errors import StoreError
from syndicate.feeds import health, opml
from syndicate.feeds.heads import Heads
from syndicate.feeds.page import FeedPages
from syndicate.feeds.publish import settle, tidy, write
from syndicate.feeds.site import EXTENSIONS, FORMATS, Site
from syndicate.feeds.writing import FeedWriter, Task, Write
from syndicate.files import remedied
from syndicate.model import Config, PublishedFeed, StaleFeed
from syndicate.model.feeds import HubAddress
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)

BATCH = 20  # feeds that are noted as published together
WRITERS = 8  # files that are written at once: most of the time, it is the disk that is waited for
MOST_WAITING = 4 * WRITERS  # rendered files: the archive of years is more than fits into memory

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What became of a feed."""

    has_changed: bool  # any file of it
    error: StoreError | None  # why not all of it is written


class Publisher:
    """Writes all feeds in all formats, their archives, and the lists of them.

    Args:
        hub: that the feeds name; None: there is none.
        on_written: hears the addresses of the heads of feeds that have changed, when they are written.
        heads: what is known of the files of a publisher before; None: nothing is.
    """

    def __init__(  # noqa: PLR0913  wiring
        self,
        *,
        store: Store,
        call: StoreThread,
        config: Config,
        hub: HubAddress | None = None,
        on_written: Callable[[Sequence[str]], Awaitable[None]] | None = None,
        heads: Heads | None = None,
    ) -> None:
        self._store = store
        self._call = call
        self._folder = config.service.feeds
        self._has_health = config.has_health
        self._health_changes: int | None = None  # that its feed shows; None: it was not written yet
        self._feeds = {feed.id: feed for feed in config.feeds}
        self._sources = {source.id: source for source in config.sources}
        self._site = Site(title=config.service.title, base_url=config.service.base_url, hub=hub)
        self._on_written = on_written
        self._pages = FeedPages()
        self._writer = FeedWriter(
            store=store, config=config, site=self._site, pages=self._pages, heads=heads or Heads()
        )
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="publish")
        self._writers = ThreadPoolExecutor(max_workers=WRITERS, thread_name_prefix="write")
        self._room = BoundedSemaphore(MOST_WAITING)
        self._unannounced: set[str] = set()  # feeds of which a file has changed that nobody was told of
        self.failures: dict[str, str] = {}  # feeds that could not be written the last time, and why

    async def open(self) -> None:
        """Clear away what a crash or an older configuration left, and write the lists of feeds."""
        await self._call(partial(self._store.publish_health, is_published=self._has_health))
        retired = await self._call(self._store.retired_names)
        removed = await self._in_thread(partial(self._prepare, retired))
        await self._call(self._store.forget_names, removed)

    async def publish_stale(self) -> int:
        """Bring every stale feed up to date; return how many have changed. One that fails stays stale.

        That of health, which is for whoever runs the service, is not counted.
        """
        stale = await self._call(self._store.stale_feeds)
        # A feed that only another process knows of is that one's to publish.
        mine = [feed for feed in stale if feed.id in self._feeds]
        self.failures = {}
        await self._publish_health()
        batches = (mine[start : start + BATCH] for start in range(0, len(mine), BATCH))
        return sum([await self._bring_up(batch) for batch in batches])

    async def _publish_health(self) -> None:
        if not self._has_health:
            return
        report = await self._call(self._store.health, self._health_changes)
        if report is None:
            return
        titles = {source.id: source.title for source in self._sources.values()}
        try:
            for name, data in health.documents(report, self._site, self._pages, titles):
                await self._in_thread(partial(write, self._folder / name, data))
        except StoreError as error:
            log.error("feed.not_written", feed=health.ID, error=str(error))
            self.failures["of health"] = str(error)  # no other has a blank in its id
            return
        self._health_changes = report.changes

    async def _bring_up(self, stale: Sequence[StaleFeed]) -> int:
        numberings = await self._call(self._store.number_entries, [each.id for each in stale])
        tasks = [self._writer.task(self._feeds[each.id], each, numberings[each.id]) for each in stale]
        written = await self._in_thread(partial(self._written, tasks))
        for task, outcome in zip(tasks, written, strict=True):
            if outcome.has_changed:
                self._unannounced.add(task.feed.id)
            if outcome.error is not None:
                log.error("feed.not_written", feed=task.feed.id, error=str(outcome.error))
                self.failures[task.feed.id] = str(outcome.error)
        done = [task for task in tasks if task.feed.id not in self.failures]
        changed = [task.feed for task in done if task.feed.id in self._unannounced]
        for feed in changed:
            log.debug("feed.written", feed=feed.id)
        if self._on_written:
            await self._on_written(
                [self._site.url(feed.name, each.extension) for feed in changed for each in FORMATS]
            )
        self._unannounced -= {feed.id for feed in changed}
        await self._in_thread(partial(self._writer.written, done))
        await self._call(
            self._store.feeds_published,
            [
                PublishedFeed(
                    id=task.feed.id,
                    generation=task.stale.generation,
                    written_as=task.written_as,
                    numbering=task.numbering,
                )
                for task in done
            ],
        )
        return len(changed)

    def close(self) -> None:
        """Wait for the files being written."""
        self._thread.shutdown()
        self._writers.shutdown()

    async def _in_thread(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    # -- what is written

    def _written(self, tasks: Sequence[Task]) -> list[_Outcome]:
        """Return what became of each feed, when nothing of it is being written any more."""
        waiting = [self._begin(task) for task in tasks]
        outcomes = [_outcome(*begun) for begun in waiting]
        return self._settled(tasks, outcomes)

    def _settled(self, tasks: Sequence[Task], outcomes: Sequence[_Outcome]) -> list[_Outcome]:
        """Return the outcomes, when what was written is on the disk, now or in a try before this."""
        folders = [(self._folder / task.feed.name).parent for task in tasks]
        failed: dict[Path, StoreError] = {}
        for folder in filter(Path.exists, set(folders)):
            try:
                settle(folder)
            except StoreError as error:
                failed[folder] = error
        return [
            replace(outcome, error=outcome.error or failed.get(folder))
            for folder, outcome in zip(folders, outcomes, strict=True)
        ]

    def _begin(self, task: Task) -> tuple[list[Future[bool]], StoreError | None]:
        """Render all documents of a feed that may have changed, and have them written, up to an error."""
        begun: list[Future[bool]] = []
        try:
            for each in self._writer.writes(task):
                begun.append(self._submit(each))
        except StoreError as error:
            return begun, error
        except Exception as error:
            log.exception("feed.crashed", feed=task.feed.id)
            return begun, StoreError(f"it could not be rendered, which is a mistake of ours: {error!r}")
        return begun, None

    def _submit(self, each: Write) -> Future[bool]:
        """Have a file written as soon as not too many others wait for that."""
        self._room.acquire()
        future = self._writers.submit(each)
        future.add_done_callback(lambda _: self._room.release())
        return future

    # -- the folder as a whole

    def _prepare(self, retired: Sequence[str]) -> list[str]:
        """Make the folder ready; return which of the names are in it no more."""
        tidy(self._folder)
        removed = [name for name in retired if self._remove(name)]
        feeds = list(self._feeds.values())
        write(self._folder / "index.opml", opml.render(self._site.title, self._site.listed(feeds)))
        list_url = f"{self._site.base_url}/feeds/index.opml"
        listed = self._site.listed_pages(feeds)
        write(self._folder / "index.html", self._pages.index(self._site.title, list_url, listed))
        return removed

    def _remove(self, name: str) -> bool:
        """Return whether nothing is left of a feed; what is, is removed at the next start."""
        try:
            paths = [self._folder / f"{name}{extension}" for extension in EXTENSIONS]
            found = [path for path in paths if path.exists()]
            for path in found:
                path.unlink()
            archive = self._folder / name
            if archive.is_dir():
                shutil.rmtree(archive)
        except OSError as error:
            log.error(
                "feed.not_removed", feed=name.rpartition("/")[2], error=remedied(str(error.filename), error)
            )
            return False
        if "/" in name:  # a token, whose folder may be empty now
            with suppress(OSError):
                (self._folder / name).parent.rmdir()
        if found:
            log.info("feed.removed", feed=name.rpartition("/")[2], reason="nothing publishes it any more")
        return True


def _outcome(begun: Sequence[Future[bool]], error: StoreError | None) -> _Outcome:
    """Return what became of a feed, when each of its files that was begun is written, or is not."""
    errors = [future.exception() for future in begun]
    found = next((each for each in errors if each is not None), error)
    if found is not None and not isinstance(found, StoreError):
        found = StoreError(f"it could not be written, which is a mistake of ours: {found!r}")
    changed = sum(future.result() for future, failed in zip(begun, errors, strict=True) if failed is None)
    return _Outcome(has_changed=changed > 0, error=found)
