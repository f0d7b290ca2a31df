"""Full text: each item's page is asked for once, politely, and its article replaces a worse body."""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urldefrag
from weakref import WeakValueDictionary

from syndicate.errors import LimitError, NetworkError, ParseError
from syndicate.http import Client, Response
from syndicate.model import FULL_TEXT, Entry, NetworkSettings, Page, Source, Spent
from syndicate.sources.decode import decode
from syndicate.sources.extract import Extractor
from syndicate.sources.repeats import blocks_of, repeated, without
from syndicate.sources.sanitise import check_link, paragraphs
from syndicate.sources.schedule import asked_by_retry_after
from syndicate.sources.sites import NotAsked, Sites, Sleep, Window
from syndicate.sources.turns import Clock, StoreTurns
from syndicate.sources.worth import MIN_ARTICLE, MIN_LEFT, objection, without_notices
from syndicate.store.protocol import PAGE_AGE, Store
from syndicate.store.rows import host_of, json_text
from syndicate.store.thread import StoreThread
from syndicate.stories import canonical_link

MAX_PAGES = 20
MAX_TIME = timedelta(seconds=60)
MAX_PAGE_BYTES = 3 * 1024 * 1024
_MAX_REASONS = 8
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_FINAL = (401, 402, 410, 451)  # statuses that do not go away with time

_TOO_MANY = f"was not fetched yet: more than {MAX_PAGES} in one poll"
_TOO_LONG = f"was not fetched yet: all together took more than {MAX_TIME.total_seconds():.0f} s"
_TOO_SLOW = "was not fetched yet: reading another page of the document took too long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An entry whose article is wanted."""

    entry: Entry
    is_edited: bool = False  # so that what its page said before is of no use


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What became of an article's text instead: `full text of 2 items ...`."""

    words: str
    may_change: bool = False  # with time
    was_asked: bool = True  # the page itself; else it was left for later
    asked: timedelta | None = None  # how long the server wants to be left alone, None if it does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An entry as it is with its article, or as it was."""

    entry: Entry
    has_text: bool = False  # of its article
    undone: Undone | None = None  # why it has none; None also where the feed's own text is no worse
    canonical: str | None = None  # what its page says that its address is


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What became of the entries of one call, in their order."""

    outcomes: tuple[Outcome, ...]
    problems: tuple[str, ...]  # what was left undone, in words, each reason once
    spent: Spent


@dataclass(slots=True, kw_only=True)
class _Round:
    """One call: what it has done, and what is left of its bounds."""

    source: Source
    window: Window
    reading: str  # a hash of how its pages are read
    pages: int = 0
    stopped: Undone | None = None  # why no further page is asked for
    quiet_hosts: set[str] = field(default_factory=set)  # that asked for less
    page_by_link: dict[str, Page | Undone] = field(default_factory=dict)


class Articles:
    """Fetches articles' pages, politely.

    Args:
        sleep: waits that many seconds for a site's turn.
        clock: what pace and bounds are measured by, in seconds.
    """

    def __init__(  # noqa: PLR0913  wiring
        self,
        *,
        client: Client,
        store: Store,
        call: StoreThread,
        settings: NetworkSettings,
        sleep: Sleep = asyncio.sleep,
        clock: Clock = time.monotonic,
    ) -> None:
        turns = StoreTurns(store=store, call=call, clock=clock, scope=settings.retry_after)
        self._sites = Sites(client=client, settings=settings, sleep=sleep, clock=clock, turns=turns)
        self._store = store
        self._call = call
        self._clock = clock
        self._extractor = Extractor()
        self._interval = settings.host_interval
        self._max_bytes = min(settings.max_bytes, MAX_PAGE_BYTES)
        self._lock_by_page: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def complete(self, source: Source, wanted: Sequence[Wanted]) -> Completed:
        """Return the entries with the text of their articles, where that is better than what they have.

        The first request begins one interval from now at the earliest, as the feed may just have been asked
        for.
        """
        now = self._clock()
        this_round = _Round(
            source=source,
            window=Window(opens=now + self._interval.total_seconds(), closes=now + MAX_TIME.total_seconds()),
            reading=_digest(json_text(source.prune)),
        )
        async with self._extractor:
            for each in wanted:
                link = _link(each.entry)
                if link and link not in this_round.page_by_link:
                    this_round.page_by_link[link] = await self._bounded(link, each, this_round)
        pages = this_round.page_by_link
        neighbours = await self._neighbours(
            source, [page for page in pages.values() if isinstance(page, Page)]
        )
        outcomes = await asyncio.to_thread(_outcomes, wanted, pages, neighbours)
        return Completed(
            outcomes=tuple(outcomes), problems=_in_words(outcomes), spent=this_round.window.spent
        )

    async def _neighbours(self, source: Source, pages: Sequence[Page]) -> dict[str, list[Page]]:
        """Return the pages to compare with, by host: those of this round are the last of them."""
        hosts = sorted({page.host for page in pages})
        kept = {host: await self._call(self._store.pages_of, source.id, host) for host in hosts}
        for page in pages:
            if all(page.key != other.key for other in kept[page.host]):
                kept[page.host].append(page)
        return kept

    async def _bounded(self, link: str, wanted: Wanted, this_round: _Round) -> Page | Undone:
        """Return an article's page, unless the bounds of a call are reached."""
        key = _digest(canonical_link(link) or link)
        lock = self._lock_by_page.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(max(this_round.window.closes - self._clock(), 0)), lock:
                known = None if wanted.is_edited else await self._known(key, this_round)
                return known or await self._page(key, link, this_round)
        except TimeoutError:
            this_round.stopped = Undone(words=_TOO_LONG, may_change=True, was_asked=False)
            return this_round.stopped

    async def _known(self, key: str, this_round: _Round) -> Page | None:
        """Return a page as it was read before, by whomever, if that is not long ago."""
        since = self._store.now() - PAGE_AGE
        page = await self._call(self._store.page, key, this_round.reading, since)
        if page is not None:
            await self._call(self._store.keep_page, this_round.source.id, page)
        return page

    async def _page(self, key: str, link: str, this_round: _Round) -> Page | Undone:
        host = host_of(link)
        if this_round.stopped:
            return this_round.stopped
        if this_round.pages >= MAX_PAGES:
            return Undone(words=_TOO_MANY, may_change=True, was_asked=False)
        if host in this_round.quiet_hosts:
            words = f"was not fetched yet: {host} asked for a pause"
            return Undone(words=words, may_change=True, was_asked=False)
        try:
            answer = await self._sites.get(link, self._max_bytes, this_round.window)
        except NetworkError as error:
            this_round.pages += 1
            return Undone(words=f"was not fetched: {error}", may_change=not isinstance(error, LimitError))
        if isinstance(answer, NotAsked):
            words = f"was not fetched{' yet' if answer.is_early else ''}: {answer.reason}"
            return Undone(words=words, may_change=not answer.is_for_ever, was_asked=not answer.is_early)
        this_round.pages += 1
        if undone := self._objection(answer):
            this_round.quiet_hosts |= {host} if answer.status in (429, 503) else set()
            return undone
        return await self._read(
            answer,
            Page(key=key, reading=this_round.reading, host=host, fetched_at=self._store.now()),
            this_round,
        )

    def _objection(self, answer: Response) -> Undone | None:
        """Return why an answer holds no article, None if it may."""
        if answer.status != 200:
            return Undone(
                words=f"was not fetched: the server answered {answer.status}",
                may_change=answer.status not in _FINAL,
                asked=asked_by_retry_after(answer.headers.get("retry-after"), self._store.now()),
            )
        media_type = answer.headers.get("content-type", _HTML_TYPES[0]).partition(";")[0].strip().lower()
        if media_type not in _HTML_TYPES:
            return Undone(words=f"was not fetched: its link leads to {media_type[:60]!r}, not to a web page")
        return None

    async def _read(self, answer: Response, page: Page, this_round: _Round) -> Page | Undone:
        html = await asyncio.to_thread(decode, answer.body, answer.headers.get("content-type", ""))
        try:
            found = await self._extractor.article(html.text, this_round.source.prune)
        except LimitError as error:
            # A publisher with one such page may have twenty, and others wait for the same process.
            this_round.stopped = Undone(words=_TOO_SLOW, may_change=True, was_asked=False)
            return Undone(words=f"was not read: {error}")
        except ParseError as error:
            return Undone(words=f"was not read: {error}")
        read = replace(
            page,
            lines=found.lines,
            links=found.links,
            blocks=blocks_of(found.lines, found.links),
            canonical=check_link(found.canonical, answer.url) if found.canonical else None,
        )
        await self._call(self._store.keep_page, this_round.source.id, read)
        return read


def with_article(entry: Entry, text: str) -> Entry:
    """Return an entry with the text of its article, if that is longer than what the feed has.

    The feed's own HTML stays, with its links and pictures, unless it is just a teaser.
    """
    if len(text) <= len(entry.body):
        return entry
    is_teaser = len(entry.body) < len(text) / 2
    return replace(entry, body=text, content_html=paragraphs(text) if is_teaser else entry.content_html)


def completed_by(entry: Entry, page: Page, neighbours: Sequence[Page]) -> Outcome:
    """Return an entry with what its page has, unless that is worse.

    Args:
        neighbours: pages of the same host.
    """
    own = without(page.lines, repeated(page, neighbours))
    is_enough = sum(len(page.lines[place]) for place in own) >= MIN_LEFT
    # Where nothing is left, a text with what surrounds it is better than none.
    places = own if is_enough or entry.body else list(range(len(page.lines)))
    lines = [page.lines[place] for place in places]
    links = {number for number, place in enumerate(places) if place in page.links}
    least = MIN_LEFT if is_enough and len(own) < len(page.lines) else MIN_ARTICLE
    if sum(map(len, lines)) < least:
        return Outcome(entry=entry, undone=Undone(words=_short(least)))
    if why := objection(entry, lines, links):
        return Outcome(entry=entry, undone=Undone(words=why))
    completed = with_article(entry, "\n".join(lines[place] for place in without_notices(lines)))
    return Outcome(entry=completed, has_text=completed is not entry)


def _short(least: int) -> str:
    return f"was not found: no article of {least} characters on the page"


def _outcomes(
    wanted: Sequence[Wanted], pages: dict[str, Page | Undone], neighbours: dict[str, list[Page]]
) -> list[Outcome]:
    outcomes = []
    for each in wanted:
        page = pages.get(_link(each.entry))
        match page:
            case None:
                outcomes.append(Outcome(entry=each.entry))
            case Undone():
                outcomes.append(Outcome(entry=each.entry, undone=page))
            case Page():
                completed = completed_by(each.entry, page, neighbours[page.host])
                outcomes.append(replace(completed, canonical=page.canonical))
    return outcomes


def _link(entry: Entry) -> str:
    """Return the address of an entry's page; nothing if it has none."""
    return urldefrag(check_link(entry.link or "") or "").url


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def _in_words(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Return what was left undone, the most frequent reason first."""
    undone = Counter(outcome.undone.words for outcome in outcomes if outcome.undone)
    reasons = undone.most_common()
    words = [f"{FULL_TEXT}{_items(count)} {reason}" for reason, count in reasons[:_MAX_REASONS]]
    others = sum(count for _, count in reasons[_MAX_REASONS:])
    return (*words, f"{FULL_TEXT}{_items(others)} is missing for other reasons") if others else tuple(words)


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"
