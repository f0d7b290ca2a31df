"""The start page: the stream of stories that rules hold for, newest first."""

from dataclasses import replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from syndicate.store.pages import Shown
from syndicate.web.charts import Chart
from syndicate.web.filters import FilterError, Filters, beyond, choices, filters_of, number_of, place_text
from syndicate.web.recent import Listing, rule_chart
from syndicate.web.render import Pages
from syndicate.web.view import View

STORIES = 30  # on a page


class NowPage:
    """Answers GET of `/`."""

    def __init__(self, view: View, pages: Pages) -> None:
        self._view = view
        self._pages = pages

    def answer(self, request: Request) -> Response:
        """Return the page; for htmx the stories alone, those before a place or those after an item."""
        loaded, store, now = self._view.loaded, self._view.store, self._view.now()
        try:
            filters = filters_of(request.query_params, loaded, store)
            after = number_of(request.query_params.get("after", ""))
            which = beyond(replace(filters.shown(now), after=after), request.query_params.get("before", ""))
        except FilterError as error:
            return self._pages.error(request, 400, str(error))
        newest = store.pages.newest_item()  # before looking: what comes meanwhile is then still new
        found = self._listing(which)
        titles = {rule.id: rule.title for rule in loaded.rules}
        values = {
            "now": now,
            "listing": found,
            "filters": filters,
            "rule_titles": titles,
            "source_titles": {source.id: source.title for source in loaded.config.sources},
            "newest": newest,
            "after": after,
        }
        if "hx-request" in request.headers:
            return self._pages.page(request, "now_part.html", values)
        is_first = which.before is None
        more = {
            "choices": choices(loaded, store),
            "chart": self._chart(filters, now) if is_first else None,
            "is_first": is_first,
            "has_sources": bool(loaded.config.sources),
            "sources_total": len(loaded.config.sources),
            "failing": 0 if newest else self._failing(),
            "has_rules": bool(loaded.rules),
            "alternates": self._alternates(filters),
        }
        return self._pages.page(request, "now.html", values | more)

    def _listing(self, which: Shown) -> Listing:
        stories = self._view.store.pages.stories(replace(which, limit=STORIES + 1))
        shown = stories[:STORIES]
        last = shown[-1].first if len(stories) > STORIES else None
        return Listing(stories=tuple(shown), older=place_text(last.order, last.item) if last else None)

    def _failing(self) -> int:
        """Return how many sources fail, where nothing has come in."""
        return sum(head.needs_somebody for head in self._view.store.watch.overview())

    def _chart(self, filters: Filters, now: datetime) -> Chart | None:
        """Return the matches of the last days; None where a filter is set that they do not follow."""
        if filters.source or filters.language:
            return None
        return rule_chart(self._view, [filters.rule] if filters.rule else None, now)

    def _alternates(self, filters: Filters) -> list[tuple[str, str]]:
        wanted = filters.rule or "all"
        feeds = self._view.loaded.config.feeds
        return [(feed.title, f"{feed.name}.atom") for feed in feeds if feed.is_listed and feed.id == wanted]
