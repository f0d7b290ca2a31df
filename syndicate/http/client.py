"""The guarded, bounded client: what leaves the process leaves through here."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType, TracebackType
from typing import Self

import httpx

from syndicate import __version__
from syndicate.errors import LimitError, RefusedError
from syndicate.http.addresses import Target, target
from syndicate.http.body import ACCEPT_ENCODING, BodyReader, content_encoding
from syndicate.http.dial import dialled
from syndicate.http.fields import Asking, Field, checked_fields
from syndicate.http.messages import Response
from syndicate.http.resolve import GuardedResolver, LookUp, system_look_up
from syndicate.http.transport import (
    UNBOUNDED,
    Guard,
    StaleConnectionError,
    Transport,
    Trust,
    has_no_body,
    pieces_of,
)
from syndicate.http.trip import Trip
from syndicate.http.trouble import LIBRARY_ERRORS
from syndicate.model import NetworkSettings

CONNECT_LIMIT = timedelta(seconds=10)
MAX_ANSWER_BYTES = 64 * 1024  # of a body that only says more about a status

_REDIRECTS = (301, 302, 303, 307, 308)
_NO_HEADERS: Mapping[str, bytes | str] = MappingProxyType({})


class Client:
    """Asks others over HTTP, within the bounds of `[network]`: `async with Client(...)`.

    A process has one for those whom its owner named, and one for those whom strangers did.
    Every NetworkError it raises says which host and what happened; RefusedError and LimitError are such.
    No proxies, cookies or Referer; neither the environment nor netrc is read.

    Args:
        look_up: how names are looked up; runs on threads.
    """

    def __init__(self, settings: NetworkSettings, *, look_up: LookUp = system_look_up) -> None:
        self._settings = settings
        self._look_up = look_up
        self._user_agent = (settings.user_agent or f"Syndicate/{__version__}").encode()
        self._connect_limit = min(CONNECT_LIMIT, settings.timeout)
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        allowed = self._settings.allow_private
        self._guard = Guard(allowed)
        # A name gets the larger part of the time, so that it can be said that it was the name that took it.
        self._resolver = resolver = GuardedResolver(self._look_up, allowed, self._connect_limit * 0.8)
        self._trust = trust = Trust()
        size = 2 * self._settings.concurrency
        async with AsyncExitStack() as exits:
            self._kept = Transport(self._guard, resolver, trust, size, keeps=True)
            exits.push_async_callback(self._kept.aclose)
            # A POST is never sent on a connection that its server may just be closing: whether it was acted
            # upon could not be told. Nor does a stuck source hold up alerts, or the other way round.
            self._fresh = Transport(self._guard, resolver, trust, size, keeps=False)
            exits.push_async_callback(self._fresh.aclose)
            # Whoever sends what may arrive twice also sees to how much is under way: a bound here would let
            # those that hang hold up the others.
            self._repeatable = Transport(self._guard, resolver, trust, UNBOUNDED, keeps=True)
            exits.push_async_callback(self._repeatable.aclose)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exits.aclose()

    @property
    def dialled_count(self) -> int:
        """How many connections were tried so far."""
        return self._guard.dialled_count

    async def get(
        self,
        url: str,
        headers: Mapping[str, bytes | str] = _NO_HEADERS,
        *,
        max_bytes: int | None = None,
        validators_of: str | None = None,
        is_cut: bool = False,
    ) -> Response:
        """Return what an address answers, after up to five redirects.

        The body of a 2xx answer is whole. Of any other, up to 64 KiB, as much as can be had: there the
        status is what counts. A redirect from https to http is followed, `Redirect.is_downgrade` shows it.
        Which headers follow a redirect: `syndicate.http.fields`.

        Args:
            max_bytes: of the body after decompression; None: as configured.
            is_cut: a body that is longer is cut there, instead of being refused.
            validators_of: the URL that If-None-Match and If-Modified-Since came from; None: this one.
        """
        trip = Trip(self._settings.timeout)
        with trip.telling():
            at = self._begin(trip, url)
            owner = at.url if validators_of == url else _canonical(validators_of) or at.url
            asking = Asking(fields=checked_fields(headers), home=at.origin, validators_of=owner)
            while True:
                answer = await self._answer(self._kept, trip, self._request("GET", at, asking))
                try:
                    if answer.status_code not in _REDIRECTS:
                        body = await self._body(trip, answer, max_bytes, is_cut=is_cut)
                        return trip.response(answer, body)
                    at = self._permitted(trip.redirect(answer))
                finally:
                    await answer.aclose()
                asking = replace(asking, has_left_home=asking.has_left_home or at.origin != asking.home)

    async def post(  # noqa: PLR0913  what a request is made of
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, bytes | str],
        *,
        timeout: timedelta,  # noqa: ASYNC109  of the whole request; the error names it
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        is_repeatable: bool = False,
        method: str = "POST",
    ) -> Response:
        """Return what an address answers to a body, put or patched if so told; redirects are answers as well.

        The answer's body is as much of it as can be had within the bound and the time: once the status is
        there, the request was received, and nothing may make it look as if it was not.

        Args:
            is_repeatable: whoever gets it twice can tell. So it may go out on a kept connection, and once
                more on a new one if that turns out to have been closed (RFC 9110 9.2.2).
        """
        trip = Trip(timeout)
        with trip.telling():
            at = self._begin(trip, url)
            asking = Asking(fields=checked_fields(headers), home=at.origin, validators_of=at.url)
            pool = self._repeatable if is_repeatable else self._fresh
            answer = await self._answer(pool, trip, self._request(method, at, asking, body))
            try:
                return trip.response(answer, await _what_can_be_had(trip, answer, max_answer_bytes))
            finally:
                await answer.aclose()

    async def dial(self, host: str, port: int) -> socket.socket:
        """Return a connection to a host that is spoken to in another way; whoever gets it closes it.

        Raises:
            NetworkError: there is none; RefusedError if its address may not be asked.
        """
        return await dialled(self._guard, self._resolver, host, port, self._connect_limit)

    @property
    def tls(self) -> ssl.SSLContext:
        """How certificates are checked on a connection that was dialled."""
        return self._trust.any_protocol

    def _begin(self, trip: Trip, url: str) -> Target:
        trip.at = target(url)
        return self._permitted(trip.at)

    def _permitted(self, at: Target) -> Target:
        """Return a target that is a name, or an address that may be asked. A name is judged when resolved."""
        address = at.address
        reason = self._guard.refusal(address) if address else None
        if reason is not None:
            raise RefusedError(f"refused: {reason}")
        return at

    def _request(self, method: str, at: Target, asking: Asking, body: bytes = b"") -> httpx.Request:
        fields: list[Field] = [(b"user-agent", self._user_agent), (b"accept-encoding", ACCEPT_ENCODING)]
        fields += asking.fields_for(at)
        if not any(name == b"accept" for name, _ in fields):
            fields.append((b"accept", b"*/*"))
        if self._guard.has_more_open_than(2 * self._settings.concurrency):
            fields.append((b"connection", b"close"))  # idle connections to hosts seldom asked add up
        return httpx.Request(
            method,
            _origin(at.scheme, at.authority),
            headers=fields,
            stream=httpx.ByteStream(body),
            extensions={"target": at.resource.encode("ascii")},
        )

    async def _answer(self, pool: Transport, trip: Trip, request: httpx.Request) -> httpx.Response:
        request.extensions["connect"] = min(self._connect_limit.total_seconds(), trip.seconds_left)
        async with asyncio.timeout_at(trip.deadline):
            try:
                return await pool.handle_async_request(request)
            except StaleConnectionError:
                return await self._fresh.handle_async_request(request)

    async def _body(
        self, trip: Trip, answer: httpx.Response, max_bytes: int | None, *, is_cut: bool
    ) -> bytes:
        if not 200 <= answer.status_code < 300:
            return await _what_can_be_had(trip, answer, MAX_ANSWER_BYTES)
        limit = self._settings.max_bytes if max_bytes is None else max_bytes
        reader = BodyReader(_encoding(answer), limit)
        if not is_cut:
            reader.expect(answer.headers.get("content-length"))
        try:
            await _read(trip, answer, reader)
        except LimitError:
            if not is_cut or len(reader.body) < limit:
                raise
        return bytes(reader.body)


async def _read(trip: Trip, answer: httpx.Response, reader: BodyReader) -> None:
    async with asyncio.timeout_at(trip.deadline), pieces_of(answer) as pieces:
        async for piece in pieces:
            trip.received += len(piece)
            reader.feed(piece)
    reader.finish()


async def _what_can_be_had(trip: Trip, answer: httpx.Response, max_bytes: int) -> bytes:
    if has_no_body(answer):
        return b""
    reader = BodyReader(None, max_bytes)
    with suppress(*LIBRARY_ERRORS):
        reader = BodyReader(_encoding(answer), max_bytes)
        await _read(trip, answer, reader)
    return bytes(reader.body)


def _encoding(answer: httpx.Response) -> str | None:
    return content_encoding(answer.headers.get_list("content-encoding"))


@lru_cache(4096)
def _origin(scheme: str, authority: str) -> httpx.URL:
    """Return the URL of a host; what is asked there goes along as a request's `target`, byte for byte."""
    url = httpx.URL(f"{scheme}://{authority}/")
    if url.netloc != authority.encode("ascii"):
        raise RefusedError("refused: its address can be read in more than one way")
    return url


def _canonical(url: str | None) -> str | None:
    try:
        return url and target(url).url
    except RefusedError:
        return None
