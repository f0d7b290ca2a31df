"""The outlets as web sites, each on a port of its own: a feed, a front page, a page per article."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from syndicate.demo.documents import MEDIA_TYPES, NAMES, Site, changed, feed
from syndicate.demo.newsroom import Event, Shown, front
from syndicate.demo.pages import HEADERS, article_page, front_page
from syndicate.web.files import HEADERS as FILE_HEADERS
from syndicate.web.files import Content, answer, fields, represent


def create(
    site: Site, old: Sequence[Shown], events: Sequence[Event], clock: Callable[[], datetime]
) -> Starlette:
    """Return the application of an outlet.

    Args:
        site: the outlet and its address.
        old: what it had published before the start.
        events: what happens while it is served, in order.
        clock: decides which of them have happened.
    """
    pages = _Pages(site, lambda: front(old, events, clock()))
    return Starlette(
        routes=[
            Route("/", pages.front),
            Route(f"/{NAMES[site.outlet.format]}", pages.feed),
            Route("/articles/{slug}", pages.article),
        ]
    )


class _Pages:
    """The endpoints; all of them only compute, so they are coroutines and need no threads."""

    def __init__(self, site: Site, shown: Callable[[], Sequence[Shown]]) -> None:
        self._site = site
        self._shown = shown

    async def feed(self, request: Request) -> Response:
        shown = self._shown()
        body = feed(self._site, shown)
        tag, modified = hashlib.sha256(body).hexdigest()[:16], int(changed(shown).timestamp())
        media_type = MEDIA_TYPES[self._site.outlet.format]
        plain = represent(body, tag, modified=modified, media_type=media_type)
        return answer(request, Content(modified=modified, plain=plain, gzipped=None), fields(FILE_HEADERS))

    async def front(self, request: Request) -> Response:
        return HTMLResponse(front_page(self._site, self._shown()), headers=HEADERS)

    async def article(self, request: Request) -> Response:
        for each in self._shown():
            if each.article.slug == request.path_params["slug"]:
                return HTMLResponse(article_page(self._site, each), headers=HEADERS)
        raise HTTPException(404)
