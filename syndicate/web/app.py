"""The web server: pages, published feeds, health, and callbacks for hubs.

It knows the rest of the service only as a View: plain values through callables that may block, and so run in
threads. It changes nothing, so every request is a GET or HEAD; but for what hubs send, see `callbacks`, and
what is asked of ours, see `hub`.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from syndicate.errors import SyndicateError
from syndicate.feeds.page import FeedPages
from syndicate.model import RuleStatus, SourceStatus
from syndicate.web.callbacks import CallbackEndpoint, Callbacks
from syndicate.web.files import Files
from syndicate.web.hub import Asked, HubEndpoint
from syndicate.web.pages import Pages, SiteNames

FEED_TYPES = {
    ".atom": "application/atom+xml; charset=utf-8",
    ".json": "application/feed+json",
    ".rss": "application/rss+xml; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".opml": "text/x-opml; charset=utf-8",
}  # the first is for whoever does not say what he takes
STATIC_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
GRACE_SECONDS = 2  # for answers under way when the server ends

log = structlog.get_logger(__name__)


class View(Protocol):
    """What the pages show. Every call may block."""

    @property
    def title(self) -> str: ...

    @property
    def base_url(self) -> str:
        """Where readers reach us, without a trailing slash."""

    @property
    def feeds_folder(self) -> Path: ...

    @property
    def callbacks(self) -> Callbacks:
        """Who takes what hubs say and send; does not block."""

    @property
    def hub(self) -> Asked:
        """Who takes requests to subscribe to our feeds; does not block."""

    def now(self) -> datetime: ...

    def sources(self) -> Sequence[SourceStatus]: ...

    def rules(self) -> Sequence[RuleStatus]: ...


def create(view: View) -> Starlette:
    """Return the application."""
    site = _Site(view)
    application = Starlette(
        routes=[
            Route("/", site.start),
            Route("/feeds", site.redirect_to_feeds),
            Route("/feeds/", site.feeds),
            Route("/feeds/{name:path}", site.feed),
            Route("/static/{name}", site.static),
            Route("/healthz", healthy),
            Route("/websub/{token}", site.callback, methods=["GET", "POST"]),
            Route("/hub", site.hub, methods=["GET", "POST"]),
        ],
        exception_handlers={
            HTTPException: site.refuse,
            SyndicateError: site.apologise,
            Exception: site.refuse,
        },
    )
    application.router.redirect_slashes = False  # it would answer with whatever Host the client names
    return application


class _Site:
    """The endpoints. Those that are no coroutines run in threads, so they may block."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._pages = Pages()
        policy = f"{FeedPages().policy}; frame-ancestors 'none'"
        self._published = Files(lambda: view.feeds_folder, FEED_TYPES, page_policy=policy)
        self._callback = CallbackEndpoint(lambda: view.callbacks, lambda: view.base_url)
        self._hub = HubEndpoint(lambda: view.hub, lambda: view.base_url)
        self._static = Files(lambda: Path(__file__).parent / "static", STATIC_TYPES)

    @property
    def _names(self) -> SiteNames:
        return SiteNames(title=self._view.title, base_url=self._view.base_url)

    def start(self, request: Request) -> Response:
        view = self._view
        return self._pages.start(self._names, view.now(), view.sources(), view.rules())

    async def feeds(self, request: Request) -> Response:
        answer = await self._published.response(request, "index.html")
        return answer or self._pages.error(self._names, 404)

    def redirect_to_feeds(self, request: Request) -> Response:
        return RedirectResponse(f"{self._names.root}/feeds/", 308)

    async def feed(self, request: Request) -> Response:
        name = request.scope["path"].removeprefix("/feeds/")  # the route leaves out a line break at the end
        answer = await self._file(self._published, request, name)
        self._add_links(answer, name)
        return answer

    async def static(self, request: Request) -> Response:
        return await self._file(self._static, request, request.path_params["name"])

    async def callback(self, request: Request) -> Response:
        return await self._callback(request)

    async def hub(self, request: Request) -> Response:
        return await self._hub(request)

    def _add_links(self, answer: Response, name: str) -> None:
        """Say where a feed's news is told at once, and under which address (WebSub 4)."""
        folder, _, last = name.rpartition("/")
        chosen = answer.headers.get("Content-Location", quote(last))
        url = f"{self._view.base_url}/feeds/{quote(f'{folder}/') if folder else ''}{chosen}"
        links = self._view.hub.links_of(url)
        if links:
            answer.headers["Link"] = links

    async def _file(self, files: Files, request: Request, name: str) -> Response:
        answer = await files.response(request, name)
        return answer or self._pages.error(self._names, 404)

    def refuse(self, request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            return self._pages.error(self._names, error.status_code, error.headers)
        return self._pages.error(self._names, 500)  # uvicorn logs the error

    def apologise(self, request: Request, error: Exception) -> Response:
        log.warning("page.failed", page=request.url.path, error=str(error))
        return self._pages.error(self._names, 503, {"Retry-After": "10"})


def healthy(request: Request) -> Response:
    """Say that the server answers."""
    return PlainTextResponse(
        "ok\n", headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    )
