"""What could be watched at an address: looked for with few requests, one after the other, and nothing kept.

The address that a person gives is asked as a poll would ask it. All others are asked only as robots.txt
allows, at the pace of `[network]`.
"""

import asyncio
import hashlib
import re
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syndicate.errors import NetworkError, ParseError, RefusedError
from syndicate.http import Client, Response
from syndicate.model import Address, Document, Kind, NetworkSettings
from syndicate.sources.decode import decode
from syndicate.sources.fetch import permanent_target
from syndicate.sources.headlines import FEWEST_UNASKED
from syndicate.sources.leads import Found, Lead, Via, common_leads, page_leads, ranked
from syndicate.sources.naming import address_key
from syndicate.sources.parse import parse
from syndicate.sources.sanitise import check_link
from syndicate.sources.sites import NotAsked, Sites, Sleep, Window
from syndicate.sources.turns import Clock

MAX_REQUESTS = 40
MAX_TIME = timedelta(minutes=3)
MAX_SITEMAPS = 3
HEADLINES = 5
MAX_BYTES = 8 * 1024 * 1024
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "text/html;q=0.9, application/xhtml+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1"
)
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_PORT = re.compile(r"[^/]*:\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An address that there was reason to look at, in vain, and why, in words."""

    url: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What a look around came to."""

    address: str  # that was asked
    found: tuple[Found, ...]  # the best first
    tried: tuple[Tried, ...]  # not those that were guessed
    requests: int


@dataclass(slots=True, kw_only=True)
class _Look:
    """One look: what it has done and found."""

    window: Window
    requests: int = 0
    found: list[Found] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)  # addresses by what they have in common, and bodies

    def is_new(self, mark: str) -> bool:
        """Whether something was not seen before; from now on it was."""
        is_new = mark not in self.seen
        self.seen.add(mark)
        return is_new


class Explorer:
    """Looks for something to watch.

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
        self._client = client
        self._sites = Sites(client=client, settings=settings, sleep=sleep, clock=clock)
        self._clock = clock
        self._interval = settings.host_interval
        self._max_bytes = min(settings.max_bytes, MAX_BYTES)

    async def look(self, address: str, now: datetime) -> Discovery:
        """Return what could be watched at an address: itself, or what its page and its site name.

        Paths are guessed only if the page names and links to nothing. Where nothing is found anywhere, the
        page itself has to do, if it looks like a list of articles.

        Args:
            address: as people write it, with a scheme or without.

        Raises:
            NetworkError: it can't be asked, or answers with an error.
        """
        response = await self._ask_first(addresses(address))
        look = _Look(window=self._window(), requests=1)
        look.is_new(address_key(response.url))
        given = Lead(url=_asked(response), via=Via.GIVEN)
        leads = await self._read(given, response, look)
        if not look.found:
            await self._follow(leads, look)
            await self._guess(response.url, look)
            await self._follow(await self._sitemaps(response.url, look), look)
        if not look.found and 200 <= response.status < 300:
            await self._read_as_page(given, response, look)
        return Discovery(
            address=response.url,
            found=ranked(look.found, now),
            tried=tuple(look.tried),
            requests=look.requests,
        )

    async def _ask_first(self, tries: tuple[str, ...]) -> Response:
        """Return the answer of the first address that gives one."""
        *others, last = tries
        for url in others:
            try:
                return self._sound(await self._client.get(url, {"accept": ACCEPT}))
            except RefusedError:
                raise
            except NetworkError:
                continue
        return self._sound(await self._client.get(last, {"accept": ACCEPT}))

    @staticmethod
    def _sound(response: Response) -> Response:
        """Return an answer that says something of its site: also that there is no such page."""
        if 200 <= response.status < 300 or response.status in (404, 410):
            return response
        raise NetworkError(
            f"{response.url}: the server answered {response.status}: open it in a browser to see why"
        )

    def _window(self) -> Window:
        now = self._clock()
        return Window(opens=now + self._interval.total_seconds(), closes=now + MAX_TIME.total_seconds())

    async def _follow(self, leads: Iterable[Lead], look: _Look) -> None:
        """Look at addresses, in order; at those that pages among them link to as well."""
        queue = deque(leads)
        while queue and look.requests < MAX_REQUESTS:
            lead = queue.popleft()
            if look.is_new(address_key(lead.url)):
                queue.extend(await self._ask(lead, look))

    async def _guess(self, url: str, look: _Look) -> None:
        """Look where many sites have their feed, until one is found."""
        for lead in common_leads(url):
            if not look.found:
                await self._follow([lead], look)

    async def _sitemaps(self, url: str, look: _Look) -> list[Lead]:
        """Return the sitemaps that robots.txt names, those with news first."""
        named = await self._sites.sitemaps(url, look.window)
        links = filter(None, (check_link(sitemap, url) for sitemap in named))
        ordered = sorted(links, key=lambda sitemap: "news" not in sitemap.casefold())
        return [Lead(url=sitemap, via=Via.ROBOTS) for sitemap in ordered[:MAX_SITEMAPS]]

    async def _ask(self, lead: Lead, look: _Look) -> tuple[Lead, ...]:
        """Look at an address; return where it leads."""
        look.requests += 1
        try:
            answer = await self._sites.get(lead.url, self._max_bytes, look.window, ACCEPT)
        except NetworkError as error:
            self._note(lead, str(error), look)
            return ()
        if isinstance(answer, NotAsked):
            self._note(lead, answer.reason, look)
            return ()
        if not 200 <= answer.status < 300:
            self._note(lead, f"the server answered {answer.status}", look)
            return ()
        is_known = answer.redirects and not look.is_new(address_key(answer.url))
        return () if is_known else await self._read(lead, answer, look)

    async def _read(self, lead: Lead, response: Response, look: _Look) -> tuple[Lead, ...]:
        """Keep what an answer holds if it can be watched; return where it leads if it is a page."""
        if not look.is_new(hashlib.sha256(response.body).hexdigest()):
            return ()
        try:
            document = await parse(response.body, response.headers, response.url)
        except ParseError as error:
            leads = await asyncio.to_thread(_leads_of, response)
            if leads is None:
                self._note(lead, str(error), look)
            return leads or ()
        look.found.append(_found(lead, response, document))
        return ()

    async def _read_as_page(self, lead: Lead, response: Response, look: _Look) -> None:
        """Keep a page that has a list of articles."""
        address = Address(url=response.url, kind=Kind.PAGE)
        with suppress(ParseError):  # it has none
            document = await parse(response.body, response.headers, response.url, address)
            if len(document.entries) >= FEWEST_UNASKED:
                look.found.append(_found(lead, response, document))

    @staticmethod
    def _note(lead: Lead, why: str, look: _Look) -> None:
        if lead.via is not Via.GUESSED:
            look.tried.append(Tried(url=lead.url, why=why))


def addresses(text: str) -> tuple[str, ...]:
    """Return what an address that a person typed may mean, to be tried in order."""
    text = text.strip()
    if _SCHEME.match(text) and not _PORT.match(text):
        return (text,)
    return f"https://{text}", f"http://{text}"


def _leads_of(response: Response) -> tuple[Lead, ...] | None:
    """Return where a page leads, None if it is no page."""
    text = decode(response.body, response.headers.get("content-type", "")).text
    return page_leads(text, response.url) if _HTML.search(text[:20_000]) else None


def _asked(response: Response) -> str:
    """Return the address that was asked, before redirects."""
    return response.redirects[0].url_from if response.redirects else response.url


def _found(lead: Lead, response: Response, document: Document) -> Found:
    dates = [entry.published or entry.updated for entry in document.entries]
    is_index = bool(document.parts) and not document.entries
    return Found(
        url=permanent_target(response.redirects) or lead.url,
        via=lead.via,
        title=document.title or lead.title,
        format="sitemap index" if is_index else document.format,
        entries=len(document.parts if is_index else document.entries),
        newest=max((date for date in dates if date), default=None),
        language=document.language,
        headlines=tuple(entry.title or entry.summary[:100] for entry in document.entries[:HEADLINES]),
    )
