"""Full text: each item's page is asked for politely, and its article takes the place of a shorter body."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urldefrag

from syndicate.errors import LimitError, NetworkError, ParseError
from syndicate.http import Client, Response
from syndicate.model import Entry, NetworkSettings
from syndicate.sources.decode import decode
from syndicate.sources.extract import Extractor
from syndicate.sources.identity import Identified
from syndicate.sources.sanitise import check_link, paragraphs
from syndicate.sources.sites import Clock, NotAsked, Sites, Sleep, Window

MAX_PAGES = 20
MAX_TIME = timedelta(seconds=60)
MAX_PAGE_BYTES = 3 * 1024 * 1024
MIN_ARTICLE = 200  # characters; less is a teaser, or a notice about cookies
_MAX_REASONS = 8
_HTML_TYPES = ("text/html", "application/xhtml+xml")

_TOO_MANY = f"was not fetched: more than {MAX_PAGES} in one document"
_TOO_LONG = f"was not fetched: all together took more than {MAX_TIME.total_seconds():.0f} s"
_TOO_SLOW = "was not fetched: reading another page of the document took too long"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Undone:
    """What became of an article's text instead: `full text of 2 items ...`."""

    words: str


@dataclass(slots=True, kw_only=True)
class _Round:
    """One call: what it has done, and what is left of its bounds."""

    window: Window
    pages: int = 0
    stopped: _Undone | None = None  # why no further page is asked for
    outcome_by_link: dict[str, _Text | _Undone] = field(default_factory=dict)
    undone: Counter[str] = field(default_factory=Counter)


class Articles:
    """Fetches articles' pages, politely. One per process, so that all polls share the pace.

    Args:
        sleep: waits that many seconds for a site's turn.
        clock: what pace and bounds are measured by, in seconds.
    """

    def __init__(
        self,
        *,
        client: Client,
        settings: NetworkSettings,
        sleep: Sleep = asyncio.sleep,
        clock: Clock = time.monotonic,
    ) -> None:
        self._sites = Sites(client=client, settings=settings, sleep=sleep, clock=clock)
        self._clock = clock
        self._extractor = Extractor()
        self._interval = settings.host_interval
        self._max_bytes = min(settings.max_bytes, MAX_PAGE_BYTES)

    async def complete(self, entries: Sequence[Identified]) -> tuple[list[Identified], tuple[str, ...]]:
        """Return the entries, in order, with the article's text where there is one, and what was left undone.

        What was left undone is in words, each reason once. The content hashes stay those of the feed's own
        texts, so that what the feed does not change is no change. The first request begins one interval from
        now, as the feed may just have been asked for.
        """
        now = self._clock()
        window = Window(opens=now + self._interval.total_seconds(), closes=now + MAX_TIME.total_seconds())
        this_round = _Round(window=window)
        async with self._extractor:
            completed = [await self._completed(each, this_round) for each in entries]
        return completed, _in_words(this_round.undone)

    async def _completed(self, identified: Identified, this_round: _Round) -> Identified:
        link = urldefrag(check_link(identified.entry.link or "") or "").url
        if not link:
            return identified
        if link not in this_round.outcome_by_link:
            this_round.outcome_by_link[link] = await self._bounded(link, this_round)
        outcome = this_round.outcome_by_link[link]
        if isinstance(outcome, _Undone):
            this_round.undone[outcome.words] += 1
            return identified
        return replace(identified, entry=with_article(identified.entry, outcome.text))

    async def _bounded(self, link: str, this_round: _Round) -> _Text | _Undone:
        """Return an article's text, unless the bounds of a call are reached."""
        if this_round.stopped:
            return this_round.stopped
        if this_round.pages >= MAX_PAGES:
            return _Undone(words=_TOO_MANY)
        try:
            async with asyncio.timeout(this_round.window.closes - self._clock()):
                return await self._text(link, this_round)
        except TimeoutError:
            this_round.stopped = _Undone(words=_TOO_LONG)
            return this_round.stopped

    async def _text(self, link: str, this_round: _Round) -> _Text | _Undone:
        try:
            answer = await self._sites.get(link, self._max_bytes, this_round.window)
        except NetworkError as error:
            this_round.pages += 1
            return _Undone(words=f"was not fetched: {error}")
        if isinstance(answer, NotAsked):
            return _Undone(words=f"was not fetched: {answer.reason}")
        this_round.pages += 1
        return _objection(answer) or await self._read(answer, this_round)

    async def _read(self, page: Response, this_round: _Round) -> _Text | _Undone:
        html = await asyncio.to_thread(decode, page.body, page.headers.get("content-type", ""))
        try:
            text = await self._extractor.text(html.text)
        except LimitError as error:
            # A publisher with one such page may have twenty, and others wait for the same process.
            this_round.stopped = _Undone(words=_TOO_SLOW)
            return _Undone(words=f"was not read: {error}")
        except ParseError as error:
            return _Undone(words=f"was not read: {error}")
        if len(text) < MIN_ARTICLE:
            return _Undone(words=f"was not found: no article of {MIN_ARTICLE} characters on the page")
        return _Text(text=text)


def with_article(entry: Entry, text: str) -> Entry:
    """Return an entry with the text of its article, if that is longer than what the feed has.

    The feed's own HTML stays, with its links and pictures, unless it is just a teaser.
    """
    if len(text) <= len(entry.body):
        return entry
    is_teaser = len(entry.body) < len(text) / 2
    return replace(entry, body=text, content_html=paragraphs(text) if is_teaser else entry.content_html)


def _objection(page: Response) -> _Undone | None:
    """Return why an answer holds no article, None if it may."""
    if page.status != 200:
        return _Undone(words=f"was not fetched: the server answered {page.status}")
    media_type = page.headers.get("content-type", _HTML_TYPES[0]).partition(";")[0].strip().lower()
    if media_type not in _HTML_TYPES:
        return _Undone(words=f"was not fetched: its link leads to {media_type[:60]!r}, not to a web page")
    return None


def _in_words(undone: Counter[str]) -> tuple[str, ...]:
    """Return what was left undone, the most frequent reason first."""
    reasons = undone.most_common()
    words = [f"full text of {_items(count)} {reason}" for reason, count in reasons[:_MAX_REASONS]]
    others = sum(count for _, count in reasons[_MAX_REASONS:])
    return (*words, f"full text of {_items(others)} is missing for other reasons") if others else tuple(words)


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"
