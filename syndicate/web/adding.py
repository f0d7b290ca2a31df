"""Adding a source: an address is looked at, what is found there is shown, and one of it is added."""

import os
from collections.abc import Mapping, Sequence
from threading import Lock
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from syndicate import adding
from syndicate.adding import Wish
from syndicate.config import Added, duration, source_table
from syndicate.errors import ConfigError, NetworkError, StoreError
from syndicate.model import Source
from syndicate.sources.discover import Discovery
from syndicate.sources.leads import Found, Via
from syndicate.sources.opml import ListedSource
from syndicate.sources.planning import plan
from syndicate.web.access import visit_of
from syndicate.web.changes import shown_at, wait_until
from syndicate.web.render import Pages
from syndicate.web.view import View

MAX_ADDRESS = 2_000  # characters
MOST_FOUND = 100  # that a form remembers
TYPED = ("chosen", "id", "title", "tags", "interval", "full_text")
NOTHING: Mapping[str, str] = {}
BUSY = "Another address is looked at just now. Try again in a moment."


class AddPage:
    """Answers `/add`."""

    def __init__(self, view: View, pages: Pages) -> None:
        self._view = view
        self._pages = pages
        self._one_at_a_time = Lock()

    def answer(self, request: Request) -> Response:
        """Show the form; look at an address; or add what was chosen."""
        visit = visit_of(request.scope)
        if request.method != "POST" or visit is None:
            return self._page(request, address=request.query_params.get("address", ""))
        if visit.form.get("do") == "add":
            return self._added(request, visit.form)
        return self._looked(request, visit.form.get("address", "").strip())

    def _looked(self, request: Request, address: str) -> Response:
        if not address or len(address) > MAX_ADDRESS:
            return self._page(request, address=address[:MAX_ADDRESS], problem="Type an address.")
        if not self._one_at_a_time.acquire(blocking=False):
            return self._pages.error(request, 503, BUSY, {"Retry-After": "5"})
        try:
            discovery = adding.look(self._view.loaded.config, address, self._view.now())
        except (ValueError, NetworkError) as error:
            return self._page(request, address=address, problem=str(error))
        finally:
            self._one_at_a_time.release()
        return self._page(request, address=address, discovery=discovery)

    def _added(self, request: Request, form: Mapping[str, str]) -> Response:
        config = self._view.loaded.config
        try:
            found, wish = _chosen(form), _wish(form)
            added, skipped = adding.add(config.path, os.environ, found, wish, is_trial=not config.web.edit)
        except (ValueError, ConfigError, StoreError) as error:
            return self._again(request, form, problem=str(error))
        if skipped:
            return self._again(request, form, problem=f"{found.url} {skipped.why}.")
        if not config.web.edit:
            return self._again(request, form, table=_table(added))
        new = added.sources[0].id
        is_there = wait_until(lambda: new in {source.id for source in self._view.loaded.config.sources})
        return shown_at(self._view, f"/sources/{new}" if is_there else "/sources", "added")

    def _again(
        self, request: Request, form: Mapping[str, str], *, problem: str = "", table: str = ""
    ) -> Response:
        """Show what was found once more, with what was typed beside it."""
        address = form.get("address", "")
        numbers = range(1, MOST_FOUND + 1)
        found = tuple(_found(form, str(number)) for number in numbers if form.get(f"url-{number}"))
        discovery = Discovery(address=address, found=found, tried=(), requests=0) if found else None
        return self._page(
            request, address=address, discovery=discovery, problem=problem, table=table, given=form
        )

    def _page(  # noqa: PLR0913  what it shows
        self,
        request: Request,
        *,
        address: str,
        discovery: Discovery | None = None,
        problem: str = "",
        table: str = "",
        given: Mapping[str, str] = NOTHING,
    ) -> Response:
        values = {
            "now": self._view.now(),
            "address": address,
            "given": {name: given.get(name, "") for name in TYPED},
            "discovery": discovery,
            "taken": _taken(discovery, self._view.loaded.config.sources),
            "problem": problem,
            "table": table,
            "can_edit": self._view.loaded.config.web.edit,
        }
        return self._pages.page(request, "add.html", values, 400 if problem else 200)


def _taken(discovery: Discovery | None, present: Sequence[Source]) -> Mapping[str, str]:
    """Return what of the things found is watched already, and as what, in words."""
    found = discovery.found if discovery else ()
    wanted = [ListedSource(title=each.title, url=each.url, tags=(), language=None) for each in found]
    return {each.wanted.url: each.why for each in plan(wanted, present).skipped if "already" in each.why}


def _chosen(form: Mapping[str, str]) -> Found:
    """Return what was chosen, of all that was found.

    Raises:
        ValueError: nothing was.
    """
    number = form.get("chosen", "")
    url = form.get(f"url-{number}", "")
    if not url:
        raise ValueError("Choose one of what was found.")
    return _found(form, number)


def _found(form: Mapping[str, str], number: str) -> Found:
    """Return what was found, as the form remembers it."""
    url = form[f"url-{number}"]
    return Found(
        url=url,
        via=Via.GIVEN,
        title=form.get(f"title-{number}", "").strip() or (urlsplit(url).hostname or url),
        format=form.get(f"format-{number}", ""),
        entries=0,
        newest=None,
    )


def _wish(form: Mapping[str, str]) -> Wish:
    interval = form.get("interval", "").strip()
    tags = [tag.strip() for tag in form.get("tags", "").split(",")]
    return Wish(
        id=form.get("id", "").strip() or None,
        title=form.get("title", "").strip() or None,
        tags=tuple(dict.fromkeys(filter(None, tags))),
        interval=duration(interval) if interval else None,
        full_text=form.get("full_text") == "on",
    )


def _table(added: Added) -> str:
    return "\n".join(map(source_table, added.sources))
