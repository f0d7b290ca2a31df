"""Logging in and out. Passwords are tried one at a time, and not often: each takes 50 ms and 64 MiB."""

import asyncio
from urllib.parse import urlsplit

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from syndicate.passwords import is_password
from syndicate.web.access import LOGIN, cookie_name, local_path, seconds, visit_of
from syndicate.web.render import Pages
from syndicate.web.sessions import LIFETIME, Sessions, fresh_cookie
from syndicate.web.tries import Tries
from syndicate.web.view import View

log = structlog.get_logger(__name__)


class Login:
    """The page that asks for the password, and the way out."""

    def __init__(self, view: View, pages: Pages, sessions: Sessions) -> None:
        self._view = view
        self._pages = pages
        self._sessions = sessions
        self._one_at_a_time = asyncio.Lock()
        self._failed = Tries()

    async def login(self, request: Request) -> Response:
        """Show the form, or take it."""
        kept = self._view.loaded.config.web.password
        if kept is None:
            return self._pages.error(request, 404)
        if request.method == "POST":
            return await self._tried(request, kept)
        visit = visit_of(request.scope)
        if visit and visit.is_in:
            return RedirectResponse(f"{self._root}/", 303)
        cookie = request.cookies.get(self._cookie_name) or fresh_cookie()
        answer = self._form(request, cookie, request.query_params.get("next", "/"))
        self._set(answer, cookie)
        return answer

    async def logout(self, request: Request) -> Response:
        """End the session. What the browser has kept of the pages goes with it."""
        self._sessions.end(request.cookies.get(self._cookie_name, ""))
        answer = RedirectResponse(f"{self._root}{LOGIN}", 303, {"Clear-Site-Data": '"cache"'})
        self._set(answer, "", seconds=0)
        return answer

    async def _tried(self, request: Request, kept: str) -> Response:
        visit = visit_of(request.scope)
        form = visit.form if visit else {}
        peer = request.client.host if request.client else ""
        wanted = local_path(form.get("next", "/"))
        async with self._one_at_a_time:  # so that nobody is ahead of being counted
            now = seconds()
            if self._failed.are_exhausted(peer, now):
                problem = "Too many tries. Wait a minute, then try again."
                return self._refused(request, wanted, 429, problem)
            if not await run_in_threadpool(is_password, form.get("password", ""), kept):
                self._failed.note(peer, now)
                log.warning("login.failed", peer=peer)
                return self._refused(request, wanted, 403, "That is not the password.")
        log.info("login.opened", peer=peer)
        answer = RedirectResponse(f"{self._root}{wanted}", 303)
        self._set(answer, self._sessions.begin(kept, seconds()))  # never one that was known before
        return answer

    def _refused(self, request: Request, wanted: str, status: int, problem: str) -> Response:
        cookie = request.cookies.get(self._cookie_name, "")
        return self._form(request, cookie, wanted, status=status, problem=problem)

    def _form(
        self, request: Request, cookie: str, wanted: str, *, status: int = 200, problem: str = ""
    ) -> Response:
        values = {
            "token": self._sessions.token(f"login {cookie}"),
            "wanted": local_path(wanted),
            "problem": problem,
        }
        headers = {"Cache-Control": "no-store"} | ({"Retry-After": "60"} if status == 429 else {})
        return self._pages.page(request, "login.html", values, status, headers)

    @property
    def _root(self) -> str:
        return urlsplit(self._view.loaded.config.service.base_url).path.rstrip("/")

    @property
    def _cookie_name(self) -> str:
        return cookie_name(self._view.loaded.config.service.base_url)

    def _set(self, answer: Response, cookie: str, seconds: int = int(LIFETIME.total_seconds())) -> None:
        is_https = self._view.loaded.config.service.base_url.startswith("https://")
        answer.set_cookie(
            self._cookie_name,
            cookie,
            max_age=seconds,
            path="/" if is_https else f"{self._root}/",
            secure=is_https,
            httponly=True,
            samesite="lax",
        )
