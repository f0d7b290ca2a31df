"""Where hubs reach us (WebSub): a path of the server that takes a POST from whoever knows its address.

Nobody else gets more out of it than a 404: no body is read before its address is known, bodies are bounded in
size, time and number, and a name that is not ours is not answered to.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from syndicate.errors import RefusedError, StoreError
from syndicate.http.addresses import target
from syndicate.model import Kept

MAX_BYTES = 15 * 1024 * 1024  # of a body, as of what is fetched
MAX_SECONDS = 30.0  # for a body to arrive
BODIES_AT_ONCE = 4
MOST_REJECTED = 10  # a minute, of a callback; then nothing more is read there for the rest of it
MOST_UNKNOWN = 60  # a minute, of all callers; then unknown addresses are not even looked up
CALLBACKS_REMEMBERED = 10_000
MINUTE = 60.0

log = structlog.get_logger(__name__)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")
_STATUS_BY_KEPT = {Kept.KEPT: 202, Kept.POLLED: 202, Kept.FULL: 503, Kept.UNWANTED: 410}
_PLAIN = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}


class Callbacks(Protocol):
    """What hubs say and send, and what it comes to; see `syndicate.sources.subscriber`."""

    async def knows(self, token: str) -> bool: ...

    async def confirm(self, token: str, query: str) -> str | None: ...

    async def take(
        self, token: str, content_type: str, signature: str | None, body: bytes
    ) -> Kept | None: ...


@dataclass(slots=True)
class Recent:
    """How often something happened within the last minute."""

    most: int
    _moments: deque[float] = field(default_factory=deque)

    def is_exhausted(self, now: float) -> bool:
        while self._moments and self._moments[0] <= now - MINUTE:
            self._moments.popleft()
        return len(self._moments) >= self.most

    def note(self, now: float) -> None:
        self._moments.append(now)


class CallbackEndpoint:
    """Answers GET and POST of a callback.

    Args:
        callbacks: returns who knows the subscriptions now.
        base_url: returns where hubs reach us now.
    """

    def __init__(
        self,
        callbacks: Callable[[], Callbacks],
        base_url: Callable[[], str],
        *,
        max_bytes: int = MAX_BYTES,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        self._callbacks = callbacks
        self._base_url = base_url
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._known: dict[str, Recent] = {}  # callbacks that were asked for lately: what was rejected there
        self._unknown = Recent(MOST_UNKNOWN)
        self._reading = 0

    async def __call__(self, request: Request) -> Response:
        """Return the answer to a hub, or to whoever takes himself for one."""
        try:
            return await self._answer(request)
        except StoreError as error:
            log.warning("callback.failed", error=str(error))  # not which: only its hub knows that
            return said(503, "Try again later.", {"Retry-After": "60"})

    async def _answer(self, request: Request) -> Response:
        token = request.path_params["token"]
        if not is_our_host(request.headers.get("host", ""), self._base_url()):
            return said(421, "This server does not answer to that name.")
        if request.method == "HEAD":
            return said(405, "", {"Allow": "GET, POST"})
        is_flooded = self._unknown.is_exhausted(_now())
        rejected = await self._rejected(token, may_look=not is_flooded)
        if rejected is None:
            return said(429 if is_flooded else 404, "Nothing here.")
        if request.method == "GET":
            return await self._confirm(token, request)
        if rejected.is_exhausted(_now()):
            return said(429, "Too much that was not signed.", {"Retry-After": "60"})
        return await self._push(token, request, rejected)

    async def _rejected(self, token: str, *, may_look: bool) -> Recent | None:
        """Return what was rejected at a callback lately, None if it is none of ours."""
        known = self._known.pop(token, None)
        if known is None:
            if not may_look or not _TOKEN.fullmatch(token):
                return None
            if not await self._callbacks().knows(token):
                self._unknown.note(_now())
                return None
            known = Recent(MOST_REJECTED)
        self._known[token] = known
        if len(self._known) > CALLBACKS_REMEMBERED:
            del self._known[next(iter(self._known))]
        return known

    async def _confirm(self, token: str, request: Request) -> Response:
        challenge = await self._callbacks().confirm(token, request.url.query)
        return said(404, "Nothing here.") if challenge is None else said(200, challenge)

    async def _push(self, token: str, request: Request, rejected: Recent) -> Response:
        if self._reading >= BODIES_AT_ONCE:
            return said(503, "Too much at once.", {"Retry-After": "10"})
        self._reading += 1
        try:
            async with asyncio.timeout(self._max_seconds):
                body = await body_of(request, self._max_bytes)
        except TimeoutError:
            return said(408, "That took too long.")
        except ClientDisconnect:
            return said(400, "")
        finally:
            self._reading -= 1
        if body is None:
            return said(413, f"More than {self._max_bytes} bytes.")
        headers = request.headers
        content_type = headers.get("content-type", "")
        kept = await self._callbacks().take(token, content_type, headers.get("x-hub-signature"), body)
        if kept is None:
            rejected.note(_now())
            return said(202, "")  # as if it was good: who tries signatures learns nothing (WebSub 7.1.2)
        return said(_STATUS_BY_KEPT[kept], "", {"Retry-After": "60"} if kept is Kept.FULL else {})


async def body_of(request: Request, max_bytes: int) -> bytes | None:
    """Return the body, None if it is too long; more than that is never read.

    Raises:
        ClientDisconnect: it did not arrive.
    """
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length[:12]) > max_bytes:
        return None
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > max_bytes:
            return None
    return bytes(body)


def is_our_host(host: str, base_url: str) -> bool:
    """Whether a request means us: by the name that we have, or by a plain address, as proxies may.

    A page in a browser whose name was made to lead here comes under its own name.
    """
    try:
        named = target(f"http://{host}")
    except RefusedError:
        return False
    return named.address is not None or named.host in (_name_of(base_url), "localhost")


def _name_of(base_url: str) -> str | None:
    """Return our name as hubs spell it, None if they can't."""
    try:
        return target(base_url).host
    except RefusedError:
        return None


def said(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer in plain text. After a refusal, what is left of the request is not read."""
    closing = {"Connection": "close"} if status >= 400 else {}
    return PlainTextResponse(text, status, headers={**_PLAIN, **closing, **(headers or {})})


def _now() -> float:
    return asyncio.get_running_loop().time()
