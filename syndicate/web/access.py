"""Who may see what, and who may change it. Everything is closed but for what is opened here by name.

`Gate` stands before all pages: a request that does not mean us by our name, is nobody's, or changes something
without having been meant, gets no further (OWASP ASVS 5, V3 and V7). Programs show a token, which opens the
API and no page. Published feeds, the hub, callbacks and `/healthz` are not behind it.
"""

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syndicate.errors import RefusedError
from syndicate.http.addresses import Target, target
from syndicate.model import ApiToken, TokenScope, WebSettings
from syndicate.web.bearers import Bearers
from syndicate.web.callbacks import body_of
from syndicate.web.problems import is_api, problem, token_wanted
from syndicate.web.sessions import Sessions
from syndicate.web.view import View

LOGIN = "/login"
SAFE = ("GET", "HEAD")
FORM_FIELD = "csrf"  # has the token of a form
FORM_HEADER = "x-csrf-token"  # or this, where there is no form
MAX_BYTES = 1024 * 1024  # of a form
MAX_BYTES_OF_STRANGERS = 8 * 1024  # who log in
MAX_SECONDS = 30.0  # for it to arrive
FORM = "application/x-www-form-urlencoded"

WHERE_ONE_TYPES = "found"  # the part of the lab's page that follows what is typed
NOTHING: Mapping[str, str] = {}
_VISIT = "syndicate.visit"
_PASSED_ON = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")  # set by proxies


# --------------------------------------------------------------------------- who


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, as far as a request tells."""

    peer: str | None  # the address that it came from
    host: str  # whom it means, as its Host has it
    is_passed_on: bool  # whether a proxy says that it has passed the request on
    name: str | None  # who has logged in at the trusted proxy; None: nobody, or there is none
    cookie: str | None  # of a session, open or not

    @property
    def is_here(self) -> bool:
        """Whether it is this machine itself that asks, for itself."""
        return _is_loopback_peer(self.peer) and _is_loopback_name(self.host) and not self.is_passed_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request that was let in."""

    token: str  # what its forms have to hold
    is_in: bool = True  # False: to log in
    has_session: bool = False  # so that it can be logged out of
    form: Mapping[str, str] = field(default_factory=dict)  # what was sent, of a change
    scopes: tuple[TokenScope, ...] | None = None  # what a program's token lets do; None: it is a person's

    @property
    def is_program(self) -> bool:
        """Whether it is a program that has shown its token. No browser does that without being told to."""
        return self.scopes is not None


def visit_of(scope: Scope) -> Visit | None:
    """Return the visit that a request belongs to; None where everybody may come."""
    visit: Visit | None = scope.get(_VISIT)
    return visit


def caller_of(scope: Scope, settings: WebSettings, cookie_name: str) -> Caller:
    """Return who asks."""
    headers = Headers(scope=scope)
    header = settings.trusted_proxy_header
    client = scope.get("client")
    return Caller(
        peer=client[0] if client else None,
        host=headers.get("host", ""),
        is_passed_on=any(name in headers for name in _PASSED_ON),
        name=(headers.get(header, "").strip() or None) if header else None,
        cookie=Request(scope).cookies.get(cookie_name),
    )


def binding_of(caller: Caller, settings: WebSettings, *, is_open: bool, is_local: bool) -> str | None:
    """Return whose the forms are that are sent to a caller who may come in, None for one who may not.

    Args:
        is_open: whether his cookie is that of an open session.
        is_local: whether our public name is one of this machine. If it is another, a proxy is likely to stand
            here for all the world, and need not say so.
    """
    if caller.name is not None:
        return f"proxy {caller.name}"
    if is_open:
        return f"session {caller.cookie}"
    is_unguarded = settings.password is None and settings.trusted_proxy_header is None
    if is_unguarded and is_local and caller.is_here:
        return "here"
    return None


# --------------------------------------------------------------------------- whom it means


def means_us(host: str, base_url: str) -> bool:
    """Say whether a Host means us: by the name that we have, or as this machine.

    A page in a browser whose name was made to lead here comes under its own name (DNS rebinding).
    """
    named, ours = _target(f"http://{host}"), _target(base_url)
    if named is None:
        return False
    return _is_loopback_name(host) or (ours is not None and named.host == ours.host)


def is_taken_along(headers: Headers) -> bool:
    """Say whether a page elsewhere asks for something, without anybody going there (Fetch Metadata)."""
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return False
    return (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) != ("navigate", "document")


def is_ours(origin: str, host: str, base_url: str) -> bool:
    """Say whether an Origin is that of our own pages, under the name they were asked by or our public one."""
    if origin.partition("://")[2].casefold() == host.casefold():
        return True
    parts = urlsplit(base_url)
    return origin.casefold() == f"{parts.scheme}://{parts.netloc}".casefold()


def _target(url: str) -> Target | None:
    try:
        return target(url)
    except RefusedError:
        return None


def is_loopback_url(url: str) -> bool:
    """Say whether an address names this machine."""
    return _is_loopback_name(urlsplit(url).netloc)


def _is_loopback_name(host: str) -> bool:
    named = _target(f"http://{host}")
    if named is None:
        return False
    return named.host == "localhost" if named.address is None else named.address.is_loopback


def _is_loopback_peer(peer: str | None) -> bool:
    try:
        return ip_address(peer or "").is_loopback
    except ValueError:
        return False


# --------------------------------------------------------------------------- the gate


class Refusals(Protocol):
    """Says to a person why a request got no further."""

    def closed(self, scope: Scope) -> Response:
        """Return the page for whoever may not come in, where nobody can log in."""

    def logged_out(self, scope: Scope) -> Response:
        """Return the page for a change by whoever has to log in first."""

    def unmeant(self, scope: Scope, form: Mapping[str, str]) -> Response:
        """Return the page for a change that nobody need have meant.

        Args:
            form: what was sent, to be sent again by whoever did mean it; empty: that can't be.
        """


class Gate:
    """Lets requests through to the pages, as an ASGI application around them."""

    def __init__(self, app: ASGIApp, view: View, sessions: Sessions, refusals: Refusals) -> None:
        self._app = app
        self._view = view
        self._sessions = sessions
        self._refusals = refusals
        self._bearers = Bearers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._refused(scope)
        if answer is None and scope["method"] not in SAFE:
            answer, receive = await self._judged(scope, receive)
        await (answer or self._app)(scope, receive, send)

    def _refused(self, scope: Scope) -> Response | None:
        """Return what is said to who may not come in; who may gets his visit."""
        config = self._view.loaded.config
        if not means_us(Headers(scope=scope).get("host", ""), config.service.base_url):
            text = "These pages do not answer to that name: base_url in [service] says to which."
            return _said(scope, 421, text)
        if scope["method"] in SAFE and is_taken_along(Headers(scope=scope)):
            return _said(scope, 403, "Pages elsewhere may lead here, and do no more.")
        if not is_api(scope["path"]):
            return self._refused_person(scope)
        shown = self._bearers.judged(scope, config.web.tokens, seconds())
        match shown:
            case ApiToken(scopes=scopes):
                scope[_VISIT] = Visit(token="", scopes=scopes)  # of a program, which has no forms
                return None
            case None:
                return self._refused_person(scope)
            case _:
                return shown

    def _refused_person(self, scope: Scope) -> Response | None:
        config = self._view.loaded.config
        caller = caller_of(scope, config.web, cookie_name(config.service.base_url))
        is_open = bool(
            caller.cookie
            and config.web.password
            and self._sessions.is_open(caller.cookie, config.web.password, seconds())
        )
        is_local = is_loopback_url(config.service.base_url)
        binding = binding_of(caller, config.web, is_open=is_open, is_local=is_local)
        if binding is None and scope["path"] == LOGIN and config.web.password:
            binding = f"login {caller.cookie or ''}"
            scope[_VISIT] = Visit(token=self._sessions.token(binding), is_in=False)
            return None
        if binding is None:
            return self._shut_out(scope)
        is_session = is_open and caller.name is None
        scope[_VISIT] = Visit(token=self._sessions.token(binding), has_session=is_session)
        return None

    def _shut_out(self, scope: Scope) -> Response:
        config = self._view.loaded.config
        if is_api(scope["path"]):
            return token_wanted()
        if config.web.password is None:
            return self._refusals.closed(scope)
        login = urlsplit(config.service.base_url).path.rstrip("/") + LOGIN
        headers = Headers(scope=scope)
        if headers.get("hx-target") == WHERE_ONE_TYPES:
            return _plain(401, "Log in first.")  # its script says so, and leaves what was typed
        if "hx-request" in headers:
            return _plain(401, "Log in first.", {"HX-Redirect": login})
        if scope["method"] in SAFE and "text/html" in headers.get("accept", ""):
            query = scope["query_string"].decode("latin-1")
            wanted = scope["path"] + (f"?{query}" if query else "")
            return RedirectResponse(f"{login}?next={quote(wanted, safe='/')}", 303)
        if "text/html" in headers.get("accept", ""):
            return self._refusals.logged_out(scope)
        return _plain(401, "Log in first.")

    async def _judged(self, scope: Scope, receive: Receive) -> tuple[Response | None, Receive]:
        """Return what is said against a change, and how its body is read again."""
        visit: Visit = scope[_VISIT]
        headers = Headers(scope=scope)
        if not visit.is_program and (answer := self._unmeant(scope, headers)):
            return answer, receive
        body = await _body(scope, receive, MAX_BYTES if visit.is_in else MAX_BYTES_OF_STRANGERS)
        if isinstance(body, Response):
            return body, receive
        if not visit.is_program:
            form = _form(headers, body)
            token = headers.get(FORM_HEADER) or form.get(FORM_FIELD, "")
            if not hmac.compare_digest(token.encode(), visit.token.encode()):
                return self._refused_change(scope, form), receive
            scope[_VISIT] = replace(visit, form=form)
        return None, _again(body, receive)

    def _unmeant(self, scope: Scope, headers: Headers) -> Response | None:
        """Return what is said against a change before it is read: nobody of ours can have meant it."""
        base_url = self._view.loaded.config.service.base_url
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return self._refused_change(scope)
        if "origin" in headers and not is_ours(headers["origin"], headers.get("host", ""), base_url):
            return self._refused_change(scope)
        if is_api(scope["path"]) and FORM_HEADER not in headers:
            return token_wanted()  # or that of a page, which its scripts know of
        return None

    def _refused_change(self, scope: Scope, form: Mapping[str, str] = NOTHING) -> Response:
        """Return what is said of a change that nobody need have meant.

        Args:
            form: what was sent by a page of ours that is older than the session: it can be sent again. Empty:
                by whom it was sent is unknown.
        """
        if is_api(scope["path"]):
            return problem(403, "The token of this page is too old, or none of ours. Reload the page.")
        headers = Headers(scope=scope)
        is_of_ours = headers.get("sec-fetch-site") == "same-origin" and "hx-request" not in headers
        return self._refusals.unmeant(scope, form if is_of_ours else NOTHING)


async def _body(scope: Scope, receive: Receive, most: int) -> bytes | Response:
    """Return what was sent, or what is said of what cannot be taken."""
    try:
        async with asyncio.timeout(MAX_SECONDS):
            body = await body_of(Request(scope, receive), most)
    except TimeoutError:
        return _said(scope, 408, "That took too long.")
    except ClientDisconnect:
        return _said(scope, 400, "")
    return _said(scope, 413, f"More than {most} bytes.") if body is None else body


def seconds() -> float:
    """Return the time that sessions go by."""
    return asyncio.get_running_loop().time()


def cookie_name(base_url: str) -> str:
    """Return the name of the cookie: by https, one that no other host can set (RFC 6265bis 4.1.3.2)."""
    return "__Host-syndicate" if base_url.startswith("https://") else "syndicate"


def local_path(text: str) -> str:
    """Return a path of ours to go to; the start page instead of anything that leads elsewhere."""
    is_path = text.startswith("/") and text.isprintable() and not text.startswith(("//", "/\\"))
    return text if is_path and "\\" not in text else "/"


def _form(headers: Headers, body: bytes) -> dict[str, str]:
    if headers.get("content-type", "").partition(";")[0].strip().casefold() != FORM:
        return {}
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        return {}


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what yields a body that was read already, and then whatever comes."""
    left = [body]

    async def again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again


def _said(scope: Scope, status: int, text: str) -> Response:
    if is_api(scope["path"]):
        return problem(status, text, headers={"Connection": "close"})
    return _plain(status, text)


def _plain(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer in plain text. What is left of the request is not read."""
    more = {"Cache-Control": "no-store", "Connection": "close", **(headers or {})}
    return PlainTextResponse(f"{text}\n", status, headers=more)
