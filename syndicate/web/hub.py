"""Where others subscribe to our feeds (WebSub 5): a form that anybody may send, bounded in all ways."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from syndicate.errors import StoreError
from syndicate.hub.asking import Reply
from syndicate.web.callbacks import Recent, body_of, is_our_host, said

MAX_BYTES = 16 * 1024  # of a form
MAX_SECONDS = 10.0  # for it to arrive
FORMS_AT_ONCE = 16
MOST_ASKED = 600  # forms a minute, of all who ask
FORM = "application/x-www-form-urlencoded"

log = structlog.get_logger(__name__)


class Asked(Protocol):
    """Who takes requests to subscribe; see `syndicate.hub.hub`."""

    @property
    def is_open(self) -> bool: ...

    def links_of(self, url: str) -> str | None: ...

    async def ask(self, form: bytes) -> Reply: ...


class HubEndpoint:
    """Answers POST of our hub's address.

    Args:
        hub: returns who takes requests now.
        base_url: returns where others reach us now.
    """

    def __init__(
        self, hub: Callable[[], Asked], base_url: Callable[[], str], *, max_seconds: float = MAX_SECONDS
    ) -> None:
        self._hub = hub
        self._base_url = base_url
        self._max_seconds = max_seconds
        self._asked = Recent(MOST_ASKED)
        self._reading = 0

    async def __call__(self, request: Request) -> Response:
        """Return the answer to a subscriber, or to whoever takes himself for one."""
        try:
            return await self._answer(request)
        except StoreError as error:
            log.warning("hub.unavailable", error=str(error))
            return said(503, "Try again later.", {"Retry-After": "60"})

    async def _answer(self, request: Request) -> Response:
        if not is_our_host(request.headers.get("host", ""), self._base_url()):
            return said(421, "This server does not answer to that name.")
        if not self._hub().is_open:
            return said(404, "There is no hub here.")
        if request.method != "POST":
            return said(405, "This is a WebSub hub: subscribe by POST.", {"Allow": "POST"})
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            return said(415, f"A form is wanted: {FORM}.")
        now = asyncio.get_running_loop().time()
        if self._asked.is_exhausted(now) or self._reading >= FORMS_AT_ONCE:
            return said(429, "Too much is asked at once.", {"Retry-After": "60"})
        self._asked.note(now)
        return await self._taken(request)

    async def _taken(self, request: Request) -> Response:
        self._reading += 1
        try:
            async with asyncio.timeout(self._max_seconds):
                form = await body_of(request, MAX_BYTES)
        except TimeoutError:
            return said(408, "That took too long.")
        except ClientDisconnect:
            return said(400, "")
        finally:
            self._reading -= 1
        if form is None:
            return said(413, f"More than {MAX_BYTES} bytes.")
        reply = await self._hub().ask(form)
        waiting = {} if reply.retry_after is None else {"Retry-After": str(reply.retry_after)}
        return said(reply.status, reply.text, waiting)
