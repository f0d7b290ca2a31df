"""The web server: what is published to all, and pages for those who may see them.

It knows the rest of the service only as a `View`, whose units of work may block, and so run in threads.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, Router

from syndicate.errors import SyndicateError
from syndicate.feeds.page import FeedPages
from syndicate.web.access import Gate
from syndicate.web.adding import AddPage
from syndicate.web.alerts import AlertPages
from syndicate.web.api.routes import api_routes
from syndicate.web.callbacks import CallbackEndpoint
from syndicate.web.endpoints import EndpointPages
from syndicate.web.files import Files
from syndicate.web.hub import HubEndpoint
from syndicate.web.images import Images
from syndicate.web.items import ItemPages
from syndicate.web.lab import LabPage
from syndicate.web.live import Live
from syndicate.web.login import Login
from syndicate.web.lookbacks import BUDGET_SECONDS, LookBacks
from syndicate.web.now import NowPage
from syndicate.web.policy import PAGE_HEADERS, Hardened
from syndicate.web.problems import is_api, problem
from syndicate.web.render import Pages
from syndicate.web.rules import RulePages
from syndicate.web.sessions import Sessions
from syndicate.web.silences import SilencePages
from syndicate.web.sources import SourcePages
from syndicate.web.system import SystemPage
from syndicate.web.view import View

FEED_TYPES = {
    ".atom": "application/atom+xml; charset=utf-8",
    ".json": "application/feed+json",
    ".rss": "application/rss+xml; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".opml": "text/x-opml; charset=utf-8",
}  # the first is for whoever does not say what he takes
STATIC_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

_OF_THE_API = {
    404: "The API has no such address: /api/v1/openapi.json says which it has.",
    500: "Something went wrong here; the log of the service says what.",
    503: "The database did not do it; nothing was changed. Try again in a moment.",
}

log = structlog.get_logger(__name__)


def create(
    view: View, stop: asyncio.Event | None = None, *, look_seconds: float = BUDGET_SECONDS
) -> Starlette:
    """Return the application.

    Args:
        stop: set when the service ends, so that no answer goes on for ever; None: nothing ends it.
        look_seconds: how long the lab looks back for one answer.
    """
    pages, sessions = Pages(view), Sessions()
    public = _Public(view, pages)
    application = Starlette(
        routes=public.routes,
        exception_handlers={
            HTTPException: public.refuse,
            SyndicateError: public.apologise,
            Exception: public.refuse,
        },
    )
    # Whatever is not public by name is behind the gate, there or not.
    routes = [*private_routes(view, pages, sessions, stop, look_seconds=look_seconds), *api_routes(view)]
    private = Router(routes, redirect_slashes=False)
    application.router.default = Hardened(Gate(private, view, sessions, pages))
    application.router.redirect_slashes = False  # it would answer with whatever Host the client names
    return application


def private_routes(
    view: View,
    pages: Pages,
    sessions: Sessions,
    stop: asyncio.Event | None = None,
    *,
    look_seconds: float = BUDGET_SECONDS,
) -> list[Route]:
    """Return the routes of the pages."""
    images = Images(view, sessions)
    rules, items = RulePages(view, pages), ItemPages(view, pages, images)
    lab = LabPage(view, pages, LookBacks(look_seconds))
    sources, login = SourcePages(view, pages), Login(view, pages, sessions)
    return [
        Route("/", NowPage(view, pages).answer),
        Route("/live", Live(view, stop).answer),
        Route("/rules", rules.listing),
        Route("/rules/{rule}", rules.one),
        Route("/lab", lab.answer, methods=["GET", "POST"]),
        Route("/lab/new", lab.create, methods=["POST"]),
        Route("/items", items.listing),
        Route("/items/{item}", items.one),
        Route("/image/{signature}/{address}", images.answer),
        Route("/sources", sources.listing),
        Route("/sources/{source}", sources.one),
        Route("/sources/{source}/refresh", sources.refresh, methods=["POST"]),
        Route("/sources/{source}/pause", sources.pause, methods=["POST"]),
        Route("/sources/{source}/resume", sources.resume, methods=["POST"]),
        Route("/add", AddPage(view, pages).answer, methods=["GET", "POST"]),
        *alert_routes(view, pages),
        Route("/system", SystemPage(view, pages).answer),
        Route("/login", login.login, methods=["GET", "POST"]),
        Route("/logout", login.logout, methods=["POST"]),
    ]


def alert_routes(view: View, pages: Pages) -> list[Route]:
    """Return the routes of what goes out; they are tried in order."""
    alerts, endpoints, silences = (
        AlertPages(view, pages),
        EndpointPages(view, pages),
        SilencePages(view, pages),
    )
    return [
        Route("/alerts", alerts.listing),
        Route("/alerts/replay", alerts.replay_all, methods=["POST"]),
        Route("/alerts/silences", silences.listing),
        Route("/alerts/silences", silences.add, methods=["POST"]),
        Route("/alerts/silences/{silence}/end", silences.end, methods=["POST"]),
        Route("/alerts/endpoints/{endpoint}", endpoints.one),
        Route("/alerts/endpoints/{endpoint}/test", endpoints.test, methods=["POST"]),
        Route("/alerts/endpoints/{endpoint}/enable", endpoints.enable, methods=["POST"]),
        Route("/alerts/{delivery}", alerts.one),
        Route("/alerts/{delivery}/replay", alerts.replay, methods=["POST"]),
    ]


class _Public:
    """What is open to whoever reaches us."""

    def __init__(self, view: View, pages: Pages) -> None:
        self._view = view
        self._pages = pages
        policy = f"{FeedPages().policy}; frame-ancestors 'none'"
        self._published = Files(lambda: view.loaded.config.service.feeds, FEED_TYPES, page_policy=policy)
        self._callback = CallbackEndpoint(lambda: view.callbacks, lambda: self._base_url)
        self._hub = HubEndpoint(lambda: view.hub, lambda: self._base_url)
        self._static = Files(lambda: Path(__file__).parent / "static", STATIC_TYPES)

    @property
    def routes(self) -> list[Route]:
        """What is public, and nothing else is."""
        return [
            Route("/feeds/", self._feeds),
            Route("/feeds/{name:path}", self._feed),  # routes are tried in order, and most ask for this one
            Route("/feeds", self._redirect_to_feeds),
            Route("/static/{name}", self._file_of_ours),
            Route("/healthz", healthy),
            Route("/websub/{token:path}", self._called_back, methods=["GET", "POST"]),
            Route("/hub", self._asked, methods=["GET", "POST"]),
        ]

    @property
    def _base_url(self) -> str:
        return self._view.loaded.config.service.base_url

    async def _feeds(self, request: Request) -> Response:
        answer = await self._published.response(request, "index.html")
        return answer or self._pages.error(request, 404)

    def _redirect_to_feeds(self, request: Request) -> Response:
        return RedirectResponse(f"{urlsplit(self._base_url).path.rstrip('/')}/feeds/", 308)

    async def _feed(self, request: Request) -> Response:
        name = request.scope["path"].removeprefix("/feeds/")  # the route leaves out a line break at the end
        answer = await self._file(self._published, request, name)
        self._add_links(answer, name)
        return answer

    async def _file_of_ours(self, request: Request) -> Response:
        return await self._file(self._static, request, request.path_params["name"])

    async def _called_back(self, request: Request) -> Response:
        return await self._callback(request)

    async def _asked(self, request: Request) -> Response:
        return await self._hub(request)

    def _add_links(self, answer: Response, name: str) -> None:
        """Say where a feed's news is told at once, and under which address (WebSub 4)."""
        folder, _, last = name.rpartition("/")
        chosen = answer.headers.get("Content-Location", quote(last))
        url = f"{self._base_url}/feeds/{quote(f'{folder}/') if folder else ''}{chosen}"
        links = self._view.hub.links_of(url)
        if links:
            answer.headers["Link"] = links

    async def _file(self, files: Files, request: Request, name: str) -> Response:
        answer = await files.response(request, name)
        return answer or self._pages.error(request, 404)

    def refuse(self, request: Request, error: Exception) -> Response:
        """Answer what a route raised."""
        if isinstance(error, HTTPException):
            return self._error(request, error.status_code, error.headers)
        return self._error(request, 500)  # uvicorn logs the error

    def apologise(self, request: Request, error: Exception) -> Response:
        """Answer where the store did not do it."""
        log.warning("page.failed", page=request.url.path, error=str(error))
        return self._error(request, 503, {"Retry-After": "10"})

    def _error(self, request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
        if is_api(request.scope["path"]):
            more = {**PAGE_HEADERS, "Cache-Control": "no-store", **(headers or {})}
            return problem(status, _OF_THE_API.get(status, ""), headers=more)
        return self._pages.error(request, status, headers=headers)


async def healthy(request: Request) -> Response:
    """Say that the server answers."""
    return PlainTextResponse(
        "ok\n", headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    )
