"""Filling gaps: the older pages of a document, asked for one after another, back to the first known item.

A document names its archive (RFC 5005 4) or its next page (RFC 5005 3; JSON Feed's `next_url`; `?paged=`
where it is WordPress's): see `Hints.older`. The pace of hosts, which the store keeps for all, holds here too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from syndicate.errors import NetworkError, ParseError
from syndicate.http import Client
from syndicate.model import Claim, Document, Gap, Spent
from syndicate.sources.changes import Reading
from syndicate.sources.fetch import ONE_REQUEST, Failed, accept, failed_by, spent_on
from syndicate.sources.identity import Identified, identify, items_by_entry
from syndicate.sources.learn import Filled, find_gap
from syndicate.sources.parse import parse
from syndicate.store.protocol import HostPace, Store
from syndicate.store.thread import StoreThread

MAX_PAGES = 20
MAX_TIME = timedelta(minutes=2)  # a poll has to end within its lease
CERTAINLY_OLDER = timedelta(days=1)  # than the gap: what is dated so was seen, or was never listed

NOTHING = Spent()

Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class _Walk:
    """How far one has come."""

    claim: Claim
    gap: Gap
    seen: set[str]  # keys of what was met
    entries: list[Identified] = field(default_factory=list)
    spent: Spent = NOTHING
    is_closed: bool = False
    problem: str | None = None
    refusal: Failed | None = None  # of a host that asks for less

    @property
    def filled(self) -> Filled:
        return Filled(
            items=len(self.entries),
            is_closed=self.is_closed,
            spent=self.spent,
        )


class Archives:
    """Looks for what stood between two documents that have nothing in common."""

    def __init__(
        self,
        *,
        client: Client,
        store: Store,
        call: StoreThread,
        pace: HostPace,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._client = client
        self._store = store
        self._call = call
        self._pace = pace
        self._sleep = sleep

    async def filled(self, claim: Claim, reading: Reading) -> Reading:
        """Return a reading with what its archives have of what was missed before it, if anything was."""
        older = reading.document.hints.older
        if not claim.learned.listed or older is None:
            return reading
        known = await self._call(self._store.known_items, claim.source.id, reading.keys())
        items = items_by_entry(reading.entries, known)
        found = [(entry.entry, item) for entry, item in zip(reading.entries, items, strict=True)]
        gap = find_gap(claim, reading.document, found, self._store.now())
        if gap is None:
            return reading
        walk = _Walk(claim=claim, gap=gap, seen=set(reading.keys()))
        try:
            async with asyncio.timeout(MAX_TIME.total_seconds()):
                await self._go_back(walk, reading.fetched.url, older)
        except TimeoutError:
            walk.problem = f"its archives take more than {MAX_TIME.total_seconds():.0f} s to read"
        return _with_what_was_found(reading, walk)

    async def _go_back(self, walk: _Walk, begin: str, older: str) -> None:
        visited, at = {begin}, older
        for _ in range(MAX_PAGES):
            document = await self._page(walk, at)
            if document is None:
                return
            await self._take(walk, document)
            visited.add(at)
            following = document.hints.older
            if walk.is_closed or not document.entries or following is None or following in visited:
                return
            at = following
        walk.problem = f"its archives do not lead back to a known item within {MAX_PAGES} pages"

    async def _page(self, walk: _Walk, url: str) -> Document | None:
        """Return a page of an archive; None if it cannot be had, which is noted."""
        at = await self._call(self._store.take_turn, url, self._pace)
        if at is None:
            walk.problem = f"its archive {url} was not asked for: its host wants to be left alone"
            return None
        await self._sleep(max((at - self._store.now()).total_seconds(), 0))
        address = replace(walk.claim.source.address(walk.claim.url), url=url)
        try:
            response = await self._client.get(url, {"accept": accept(address)})
            walk.spent += spent_on(response)
            if response.status != 200:
                walk.problem = f"its archive {url} was not read: the server answered {response.status}"
                failed = failed_by(response, self._store.now())
                walk.refusal = failed if failed.backs_off_host else None
                return None
            return await parse(response.body, response.headers, response.url, address)
        except (NetworkError, ParseError) as error:
            walk.spent += ONE_REQUEST if isinstance(error, NetworkError) else NOTHING
            walk.problem = f"its archive {url} was not read: {error}"
            return None

    async def _take(self, walk: _Walk, document: Document) -> None:
        """Take over the entries of a page down to the first known one."""
        entries = await asyncio.to_thread(identify, document.entries)
        keys = [key for entry in entries for key in (*entry.keys, *entry.hints)]
        known = await self._call(self._store.known_items, walk.claim.source.id, keys)
        for entry, item in zip(entries, items_by_entry(entries, known), strict=True):
            date = entry.entry.published or entry.entry.updated
            is_old = date is not None and date < walk.gap.begins - CERTAINLY_OLDER
            if item is not None or is_old:
                walk.is_closed = True
                return
            if not walk.seen.intersection(entry.keys):
                walk.seen.update(entry.keys)
                walk.entries.append(entry)


def _with_what_was_found(reading: Reading, walk: _Walk) -> Reading:
    problems = (*reading.document.problems, *((walk.problem,) if walk.problem else ()))
    return replace(
        reading,
        document=replace(reading.document, problems=problems),
        entries=(*reading.entries, *walk.entries),
        filled=walk.filled,
        refusal=walk.refusal,
    )
