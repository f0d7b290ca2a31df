"""Bringing the files in feeds/ up to what is stored."""

import asyncio
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import BoundedSemaphore
from typing import TypeVar

import structlog

from syndicate.errors import StoreError
from syndicate.feeds import archive, opml
from syndicate.feeds.archive import Numbered
from syndicate.feeds.documents import FeedDocument
from syndicate.feeds.entries import EntrySettings, FeedEntry, Outlet, describe
from syndicate.feeds.page import FeedPages
from syndicate.feeds.publish import tidy, write
from syndicate.feeds.select import Selected, selected
from syndicate.feeds.site import EXTENSIONS, FORMATS, PAGE, Format, Site
from syndicate.model import Config, NumberedMatches, Numbering, PublishedFeed, StaleFeed
from syndicate.model.feeds import Feed
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)

PAGES_VERSION = 1  # of the way in which pages are written; with another one, all are written again
BATCH = 20  # feeds that are noted as published together
WRITERS = 8  # files that are written at once: most of the time, it is the disk that is waited for
MOST_WAITING = 4 * WRITERS  # rendered files: the archive of years is more than fits into memory

T = TypeVar("T")
Outlets = Mapping[str, Outlet]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A feed that lacks something."""

    feed: Feed
    stale: StaleFeed
    numbering: Numbering
    written_as: str

    @property
    def pages(self) -> int:
        """How many pages its archive has now."""
        return archive.count_pages(self.numbering.last, self.feed.settings.limit)


class Publisher:
    """Writes all feeds in all formats, their archives, and the lists of them."""

    def __init__(self, *, store: Store, call: StoreThread, config: Config) -> None:
        self._store = store
        self._call = call
        self._folder = config.service.feeds
        self._feeds = {feed.id: feed for feed in config.feeds}
        self._sources = {source.id: source for source in config.sources}
        self._rule_titles = {rule.id: rule.title for rule in config.rules}
        self._site = Site(title=config.service.title, base_url=config.service.base_url)
        self._pages = FeedPages()
        self._checked: set[str] = set()  # feeds whose archive was seen to be whole
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="publish")
        self._writers = ThreadPoolExecutor(max_workers=WRITERS, thread_name_prefix="write")
        self._room = BoundedSemaphore(MOST_WAITING)
        self.failures: dict[str, str] = {}  # feeds that could not be written the last time, and why

    async def open(self) -> None:
        """Clear away what a crash or an older configuration left, and write the lists of feeds."""
        retired = await self._call(self._store.retired_names)
        await self._in_thread(partial(self._prepare, retired))
        await self._call(self._store.forget_names, retired)

    async def publish_stale(self) -> int:
        """Bring every stale feed up to date; return how many have changed. One that fails stays stale."""
        stale = await self._call(self._store.stale_feeds)
        # A feed that only another process knows of is that one's to publish.
        mine = [feed for feed in stale if feed.id in self._feeds]
        self.failures = {}
        batches = (mine[start : start + BATCH] for start in range(0, len(mine), BATCH))
        return sum([await self._bring_up(batch) for batch in batches])

    async def _bring_up(self, stale: Sequence[StaleFeed]) -> int:
        numberings = await self._call(self._store.number_entries, [each.id for each in stale])
        tasks = [self._task(each, numberings[each.id]) for each in stale]
        written = await self._in_thread(partial(self._written, tasks))
        for task, outcome in zip(tasks, written, strict=True):
            if isinstance(outcome, StoreError):
                log.error("feed.not_written", feed=task.feed.id, error=str(outcome))
                self.failures[task.feed.id] = str(outcome)
        done = [
            PublishedFeed(
                id=task.feed.id,
                generation=task.stale.generation,
                written_as=task.written_as,
                numbering=task.numbering,
            )
            for task in tasks
            if task.feed.id not in self.failures
        ]
        self._checked |= {each.id for each in done}
        await self._call(self._store.feeds_published, done)
        return sum(outcome is True for outcome in written)

    def close(self) -> None:
        """Wait for the files being written."""
        self._thread.shutdown()
        self._writers.shutdown()

    async def _in_thread(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    # -- what is written

    def _task(self, stale: StaleFeed, numbering: Numbering) -> _Task:
        feed = self._feeds[stale.id]
        return _Task(feed=feed, stale=stale, numbering=numbering, written_as=self._style(feed))

    def _style(self, feed: Feed) -> str:
        """Return what differs whenever pages that are written already would be others.

        The titles of rules and outlets, and which there are, are no part of it: readers do not look at a page
        twice.
        """
        parts = (PAGES_VERSION, self._site, feed.name, feed.title, feed.about, feed.settings)
        return sha256(repr(parts).encode()).hexdigest()

    def _written(self, tasks: Sequence[_Task]) -> list[bool | StoreError]:
        """Return whether anything of each feed changed, or why it could not be written."""
        waiting = [self._begin(task) for task in tasks]
        return [_outcome(task, futures) for task, futures in zip(tasks, waiting, strict=True)]

    def _begin(self, task: _Task) -> Sequence[Future[bool]] | StoreError:
        """Render all documents of a feed that may have changed, and have them written."""
        try:
            return [self._submit(path, data) for path, data in self._documents(task)]
        except StoreError as error:
            return error

    def _submit(self, path: Path, data: bytes) -> Future[bool]:
        """Have a file written as soon as not too many others wait for that."""
        self._room.acquire()
        future = self._writers.submit(write, path, data)
        future.add_done_callback(lambda _: self._room.release())
        return future

    def _documents(self, task: _Task) -> Iterator[tuple[Path, bytes]]:
        """Yield the files of a feed that may have changed. Pages come before the head that leads to them."""
        for page in self._pages_to_write(task):
            numbers = archive.numbers_of(page, task.feed.settings.limit)
            found = self._store.feed_page(task.feed.id, numbers[0], numbers[-1])
            shown = archive.page_entries(_numbered(found), page, task.feed.settings.limit)
            entries = self._described(task.feed, shown)
            for each in FORMATS:
                url_of = partial(self._page_url, task.feed, each)
                document = archive.page_document(self._head(task, each.extension), url_of, page, task.pages)
                name = archive.page_name(task.feed.name, page, task.feed.settings.limit)
                yield self._path(name, each.extension), _rendered(each, document, entries)
        yield from self._head_documents(task)

    def _head_documents(self, task: _Task) -> Iterator[tuple[Path, bytes]]:
        feed, settings = task.feed, task.feed.settings
        found = self._store.feed_head(feed.id, task.pages * settings.limit, settings.limit, settings.order)
        shown = archive.head_entries(_numbered(found), task.numbering.last, settings.limit, settings.order)
        entries = self._described(feed, shown)
        for each in FORMATS:
            url_of = partial(self._page_url, feed, each)
            head = archive.head_document(
                self._head(task, each.extension), url_of, task.numbering.last, settings.limit
            )
            yield self._path(feed.name, each.extension), _rendered(each, head, entries)
        html = self._pages.feed(self._head(task, PAGE), self._site.formats(feed), entries)
        yield self._path(feed.name, PAGE), html

    def _pages_to_write(self, task: _Task) -> list[int]:
        """Return the pages of the archive that are new, have changed, or are not there."""
        limit, pages = task.feed.settings.limit, task.pages
        if task.stale.written_as != task.written_as:
            self._clear_other_pages(task)
            return list(range(1, pages + 1))
        before = archive.count_pages(task.numbering.written_up_to, limit)
        # The last one before links to the next one now.
        wanted = set(range(max(before, 1), pages + 1)) if pages > before else set()
        wanted |= {archive.page_of(number, limit) for number in task.numbering.changed}
        if task.feed.id not in self._checked:
            wanted |= {page for page in range(1, pages + 1) if not self._has_page(task.feed, page)}
        return sorted(page for page in wanted if page <= pages)

    def _has_page(self, feed: Feed, page: int) -> bool:
        name = archive.page_name(feed.name, page, feed.settings.limit)
        return all(self._path(name, each.extension).exists() for each in FORMATS)

    def _clear_other_pages(self, task: _Task) -> None:
        """Remove pages of another limit, which are called otherwise."""
        limit = task.feed.settings.limit
        names = {archive.page_name(task.feed.name, page, limit) for page in range(1, task.pages + 1)}
        wanted = {self._path(name, each.extension) for name in names for each in FORMATS}
        folder = self._folder / task.feed.name
        for path in folder.iterdir() if folder.is_dir() else ():
            if path not in wanted:
                path.unlink(missing_ok=True)

    def _described(self, feed: Feed, shown: Sequence[Selected]) -> list[FeedEntry]:
        sources = {item.source for each in shown for item in (each.item, *each.others)}
        settings = EntrySettings(
            full_text=feed.settings.full_text,
            explain=feed.settings.explain,
            rule_titles=self._rule_titles,
            outlets=self._outlets(sources),
        )
        return [describe(each, settings) for each in shown]

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

    def _head(self, task: _Task, extension: str) -> FeedDocument:
        return self._site.document(task.feed, task.stale.feed_id, task.stale.created_at, extension)

    def _page_url(self, feed: Feed, of: Format, page: int) -> str:
        return self._site.url(archive.page_name(feed.name, page, feed.settings.limit), of.extension)

    def _path(self, name: str, extension: str) -> Path:
        return self._folder / f"{name}{extension}"

    # -- the folder as a whole

    def _prepare(self, retired: Sequence[str]) -> None:
        tidy(self._folder)
        for name in retired:
            self._remove(name)
        feeds = list(self._feeds.values())
        write(self._folder / "index.opml", opml.render(self._site.title, self._site.listed(feeds)))
        list_url = f"{self._site.base_url}/feeds/index.opml"
        listed = self._site.listed_pages(feeds)
        write(self._folder / "index.html", self._pages.index(self._site.title, list_url, listed))

    def _remove(self, name: str) -> None:
        paths = [self._path(name, extension) for extension in EXTENSIONS]
        found = [path for path in paths if path.exists()]
        for path in found:
            path.unlink()
        shutil.rmtree(self._folder / name, ignore_errors=True)
        if "/" in name:  # a token, whose folder is empty now
            (self._folder / name).parent.rmdir()
        if found:
            log.info("feed.removed", feed=name.rpartition("/")[2], reason="nothing publishes it any more")


def _numbered(found: Sequence[NumberedMatches]) -> list[Numbered]:
    return [Numbered(number=each.number, selected=selected(each)) for each in found]


def _rendered(of: Format, document: FeedDocument, entries: Sequence[FeedEntry]) -> bytes:
    return of.assemble(document, document.updated(entries), map(of.render_entry, entries))


def _outcome(task: _Task, futures: Sequence[Future[bool]] | StoreError) -> bool | StoreError:
    if isinstance(futures, StoreError):
        return futures
    try:
        changed = [future.result() for future in futures]
    except StoreError as error:
        return error
    if any(changed):
        log.debug("feed.written", feed=task.feed.id, files=sum(changed))
    return any(changed)
