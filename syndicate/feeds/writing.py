"""The files of a feed, made of what is stored: pages of its archive that lack something, and its head."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

import structlog

from syndicate.feeds import archive
from syndicate.feeds.documents import FeedDocument
from syndicate.feeds.entries import EntrySettings, FeedEntry, Outlet, describe
from syndicate.feeds.heads import Heads, Listing, Old, key_of
from syndicate.feeds.page import FeedPages
from syndicate.feeds.publish import write
from syndicate.feeds.select import Selected, selected
from syndicate.feeds.site import FORMATS, Format, Site
from syndicate.files import remedied
from syndicate.model import Config, NumberedMatches, Numbering, SourceDocument, StaleFeed
from syndicate.model.feeds import Feed
from syndicate.store.protocol import Store

log = structlog.get_logger(__name__)

PAGES_VERSION = 2  # of the way in which pages are written; with another one, all are written again

Outlets = Mapping[str, Outlet]
Names = tuple[str, ...]
Write = Callable[[], bool]  # writes a file, and returns whether that changed it; raises StoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A feed that lacks something."""

    feed: Feed
    stale: StaleFeed
    numbering: Numbering
    written_as: str

    @property
    def pages(self) -> int:
        """How many pages its archive has now."""
        return archive.count_pages(self.numbering.last, self.feed.settings.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An entry of a head."""

    key: bytes
    updated: datetime
    described: FeedEntry | None = None  # None: copied from the files


class _Circumstances(dict[tuple[Names, Names], str]):
    """What entries show that is not stored with them, by the rules that hold and the sources named."""

    def __init__(self, feed: Feed, outlets: Outlets, rule_titles: Mapping[str, str]) -> None:
        super().__init__()
        self._settings = (feed.settings.full_text, feed.settings.explain)
        self._outlets = outlets
        self._rule_titles = rule_titles

    def __missing__(self, shown: tuple[Names, Names]) -> str:
        rules, sources = shown
        titles = [self._rule_titles.get(rule) for rule in rules]
        self[shown] = repr((self._settings, titles, [self._outlets.get(source) for source in sources]))
        return self[shown]


class FeedWriter:
    """Renders what feeds lack, reading the store as it goes."""

    def __init__(self, *, store: Store, config: Config, site: Site, pages: FeedPages, heads: Heads) -> None:
        self._store = store
        self._folder = config.service.feeds
        self._sources = {source.id: source for source in config.sources}
        self._rule_titles = {rule.id: rule.title for rule in config.rules}
        self._site = site
        self._pages = pages
        self._heads = heads
        self._checked: set[str] = set()  # feeds whose archive was seen to be whole

    def task(self, feed: Feed, stale: StaleFeed, numbering: Numbering) -> Task:
        """Return what is to be done."""
        return Task(feed=feed, stale=stale, numbering=numbering, written_as=self._style(feed))

    def writes(self, task: Task) -> Iterator[Write]:
        """Yield what writes the files that may have changed. Pages come before the head that leads to them.

        Raises:
            StoreError: the store, or a file that is there, cannot be read.
        """
        for page in self._pages_to_write(task):
            numbers = archive.numbers_of(page, task.feed.settings.limit)
            found = self._store.feed_entries(task.feed.id, numbers)
            shown = [selected(each) for each in reversed(found)]
            entries = self._described(task.feed, shown, self._outlets(_sources_of(shown)))
            for each in FORMATS:
                url_of = partial(self._page_url, task.feed, each)
                document = archive.page_document(self._head(task, each), url_of, page, task.pages)
                name = archive.page_name(task.feed.name, page, task.feed.settings.limit)
                yield partial(write, self._path(name, each.extension), each.render(document, entries))
        yield from self._head_writes(task)

    def written(self, tasks: Collection[Task]) -> None:
        """Note that all files of these were written; remove pages that they lead to no more."""
        self._checked |= {each.feed.id for each in tasks}
        for task in tasks:
            if task.stale.written_as != task.written_as:
                self._clear_other_pages(task)

    # -- heads

    def _head_writes(self, task: Task) -> Iterator[Write]:
        feed = task.feed
        formats = (*FORMATS, self._site.page(feed, self._pages))
        paths = [self._path(feed.name, each.extension) for each in formats]
        olds = [self._heads.old(path) for path in paths]
        entries = self._head_entries(task, formats, olds)
        listing = Listing.of([each.key for each in entries], [each.updated for each in entries])
        for each, path, old in zip(formats, paths, olds, strict=True):
            document = self._head_document(task, each)
            frame = each.frame(document, document.updated(entry.updated for entry in entries))
            written = [
                each.render_entry(entry.described) if entry.described else old.entries[entry.key]
                for entry in entries[: each.limit]
            ]
            yield partial(self._heads.write, path, old, frame, listing.first(each.limit), written)

    def _head_entries(self, task: Task, formats: Sequence[Format], olds: Sequence[Old]) -> list[_Entry]:
        """Return the entries of the head, in its order; those not in all files as they are, described."""
        feed, settings = task.feed, task.feed.settings
        while True:
            found = self._store.feed_head(
                feed.id, task.pages * settings.limit, settings.limit, settings.order
            )
            listed = archive.head_entries(found, task.numbering.last, settings.limit)
            outlets = self._outlets({source for each in listed for source in each.sources})
            seen_as = _Circumstances(feed, outlets, self._rule_titles)
            keys = [key_of(each.state, seen_as[each.rules, each.sources]) for each in listed]
            lacking = {
                place
                for form, old in zip(formats, olds, strict=True)
                for place, key in enumerate(keys[: form.limit])
                if key not in old.entries
            }
            numbers = [listed[place].number for place in sorted(lacking)]
            described = self._newly_described(feed, outlets, seen_as, numbers)
            if len(described) == len(lacking):  # else an entry is gone since it was listed
                break
        updated = olds[0].listing.by_key()
        return [
            described.get(each.number) or _Entry(key=key, updated=updated[key])
            for each, key in zip(listed, keys, strict=True)
        ]

    def _newly_described(
        self, feed: Feed, outlets: Outlets, seen_as: "_Circumstances", numbers: Sequence[int]
    ) -> Mapping[int, _Entry]:
        found = self._store.feed_entries(feed.id, numbers) if numbers else []
        entries = self._described(feed, [selected(each) for each in found], outlets)
        return {
            each.number: _Entry(
                # It may have changed since it was listed.
                key=key_of(each.state, seen_as[_rules_and_sources(each)]),
                updated=entry.updated,
                described=entry,
            )
            for each, entry in zip(found, entries, strict=True)
        }

    def _head_document(self, task: Task, form: Format) -> FeedDocument:
        document = self._head(task, form)
        if form not in FORMATS:
            return document
        url_of = partial(self._page_url, task.feed, form)
        return archive.head_document(document, url_of, task.numbering.last, task.feed.settings.limit)

    # -- pages of the archive

    def _style(self, feed: Feed) -> str:
        """Return what differs whenever pages that are written already would be others.

        The titles of rules and outlets, and which there are, are no part of it: readers do not look at a page
        twice.
        """
        parts = (PAGES_VERSION, self._site, feed.name, feed.title, feed.about, feed.settings)
        return sha256(repr(parts).encode()).hexdigest()

    def _pages_to_write(self, task: Task) -> list[int]:
        """Return the pages of the archive that are new, have changed, or are not there."""
        limit, pages = task.feed.settings.limit, task.pages
        if task.stale.written_as != task.written_as:
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

    def _clear_other_pages(self, task: Task) -> None:
        """Remove pages of another limit, which are called otherwise."""
        limit = task.feed.settings.limit
        names = {archive.page_name(task.feed.name, page, limit) for page in range(1, task.pages + 1)}
        wanted = {self._path(name, each.extension) for name in names for each in FORMATS}
        folder = self._folder / task.feed.name
        try:
            for path in folder.iterdir() if folder.is_dir() else ():
                if path not in wanted and path.is_file():
                    path.unlink(missing_ok=True)
        except OSError as error:
            log.error("feed.not_removed", feed=task.feed.id, error=remedied(str(error.filename), error))

    # -- what both need

    def _described(self, feed: Feed, shown: Sequence[Selected], outlets: Outlets) -> list[FeedEntry]:
        settings = EntrySettings(
            full_text=feed.settings.full_text,
            explain=feed.settings.explain,
            rule_titles=self._rule_titles,
            outlets=outlets,
        )
        return [describe(each, settings) for each in shown]

    def _outlets(self, sources: Collection[str]) -> Outlets:
        """Return those of the sources that are configured."""
        documents = self._store.source_documents(sources)
        return {
            source.id: Outlet(
                title=source.title,
                feed_url=source.urls[0],
                link=documents.get(source.id, SourceDocument()).link,
                id=documents.get(source.id, SourceDocument()).id,
            )
            for source in map(self._sources.get, sorted(sources))
            if source is not None
        }

    def _head(self, task: Task, form: Format) -> FeedDocument:
        return self._site.document(task.feed, task.stale.feed_id, task.stale.created_at, form.extension)

    def _page_url(self, feed: Feed, of: Format, page: int) -> str:
        return self._site.url(archive.page_name(feed.name, page, feed.settings.limit), of.extension)

    def _path(self, name: str, extension: str) -> Path:
        return self._folder / f"{name}{extension}"


def _rules_and_sources(entry: NumberedMatches) -> tuple[Names, Names]:
    sources = (match.item.source for match in (*entry.matches, *entry.others))
    return tuple(match.match.rule for match in entry.matches), tuple(dict.fromkeys(sources))


def _sources_of(shown: Iterable[Selected]) -> set[str]:
    return {item.source for each in shown for item in (each.item, *each.others)}
