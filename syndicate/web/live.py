"""Says how many new stories there are, as they come: server-sent events (HTML, 9.2)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from syndicate.errors import StoreError
from syndicate.store.pages import Shown
from syndicate.web.filters import FilterError, filters_of, number_of
from syndicate.web.view import View

EVERY_SECONDS = 2.0  # from one look to the next
SIGN_OF_LIFE_SECONDS = 15.0  # after which something is sent in any case, so that no proxy ends the connection
LONGEST_SECONDS = 600.0  # then the browser asks again, and has to be let in again
MOST_LISTENERS = 100
MOST_COUNTED = 100

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # the latter for nginx


class Live:
    """Answers GET of `/live`, until the service ends.

    Args:
        stop: set when the service ends; None: nothing ends it.
    """

    def __init__(
        self, view: View, stop: asyncio.Event | None, *, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._view = view
        self._stop = stop or asyncio.Event()
        self._every_seconds = every_seconds
        self._listeners = 0

    async def answer(self, request: Request) -> Response:
        """Return a stream of numbers: how many stories came after an item."""
        after = number_of(request.query_params.get("after", ""))
        try:
            filters = await run_in_threadpool(
                filters_of, request.query_params, self._view.loaded, self._view.store
            )
        except FilterError as error:
            return PlainTextResponse(f"{error}\n", 400)
        if after is None:
            return PlainTextResponse("after is the id of an item.\n", 400)
        if self._listeners >= MOST_LISTENERS:
            return PlainTextResponse("Too many listen.\n", 503, {"Retry-After": "60"})
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=_HEADERS)
        which = replace(filters.shown(self._view.now()), after=after, limit=MOST_COUNTED)
        return StreamingResponse(
            self._events(which, after),
            media_type="text/event-stream",
            headers=_HEADERS,
        )

    async def _events(self, which: Shown, after: int) -> AsyncIterator[str]:
        self._listeners += 1
        try:
            yield f"retry: {int(self._every_seconds * 1000)}\n\n"
            started = sent_at = _now()
            looked_up_to, told = after, 0
            while not self._stop.is_set() and _now() - started < LONGEST_SECONDS:
                looked_up_to, count = await run_in_threadpool(self._count, which, looked_up_to, told)
                if count != told:
                    told, sent_at = count, _now()
                    yield f"event: stories\ndata: {count}\n\n"
                elif _now() - sent_at >= SIGN_OF_LIFE_SECONDS:
                    sent_at = _now()
                    yield ": nothing new\n\n"
                await self._pause()
        finally:
            self._listeners -= 1

    def _count(self, which: Shown, looked_up_to: int, told: int) -> tuple[int, int]:
        """Return the item that was last looked at, and how many stories there are up to it."""
        pages = self._view.store.pages
        try:
            newest = pages.newest_item()
            return newest, told if newest == looked_up_to else len(pages.stories(which))
        except StoreError:
            return looked_up_to, told  # looked at again in a moment

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), self._every_seconds)
        except TimeoutError:
            return


def _now() -> float:
    return asyncio.get_running_loop().time()
