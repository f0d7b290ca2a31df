"""Items: found by the language of the rules; each with its text, its story, and why a rule holds or not."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from textwrap import dedent

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from syndicate.errors import QueryError
from syndicate.model import FoundItem, ItemHead, ListedItem, Match
from syndicate.report_explain import explanation_lines
from syndicate.report_words import Line
from syndicate.sources.sanitise import with_images_at, without_images
from syndicate.store.pages import Shown
from syndicate.store.searching import ItemFilter
from syndicate.trial import explanation, trial_of_rule
from syndicate.web.filters import (
    NO_PAGE,
    FilterError,
    beyond,
    choices,
    filters_of,
    number_of,
    place_text,
)
from syndicate.web.images import Images
from syndicate.web.render import FoundRow, Pages
from syndicate.web.search import MAX_QUERY, search
from syndicate.web.view import View

ITEMS = 30  # on a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of items."""

    rows: tuple[FoundRow, ...]
    further: str | None  # where to go on; None: there is no more
    is_cut: bool = False  # whether there may be more than was looked at


class ItemPages:
    """Answers GET of `/items` and `/items/ID`."""

    def __init__(self, view: View, pages: Pages, images: Images) -> None:
        self._view = view
        self._pages = pages
        self._images = images

    def listing(self, request: Request) -> Response:
        """Return the items that a query holds for, or all, newest first."""
        loaded = self._view.loaded
        text = request.query_params.get("q", "").strip()
        place = request.query_params.get("before", "")
        problem: QueryError | None = None
        found = Found(rows=(), further=None)
        try:
            filters = filters_of(request.query_params, loaded, self._view.store)
            if len(text) > MAX_QUERY:
                raise FilterError(f"A query has {MAX_QUERY} characters at most.")
            which = replace(filters.shown(self._view.now()), limit=ITEMS)
            found = self._searched(text, which, place) if text else self._listed(which, place)
        except FilterError as error:
            return self._pages.error(request, 400, str(error))
        except QueryError as error:
            problem = error
        values = {
            "now": self._view.now(),
            "text": text,
            "problem": problem,
            "excerpt": dedent(problem.excerpt) if problem else "",
            "found": found,
            "filters": filters,
            "choices": choices(loaded, self._view.store),
            "is_first": not place,
            "given": {"q": text, **filters.values},
            **self._titles(),
        }
        return self._pages.page(request, "items.html", values, 200 if problem is None else 400)

    def one(self, request: Request) -> Response:
        """Return the page of an item."""
        loaded, store = self._view.loaded, self._view.store
        number = number_of(request.path_params["item"])
        found = [] if number is None else store.items(ItemFilter(id=number, limit=1))
        if not found:
            return self._pages.error(request, 404, "There is no such item.")
        item = found[0].item
        try:
            rule = filters_of(request.query_params, loaded, self._view.store).rule
        except FilterError as error:
            return self._pages.error(request, 400, str(error))
        values = {
            "now": self._view.now(),
            "item": item,
            "html": Markup(self._shown(item.content_html)),  # noqa: S704  sanitised right here
            "matches": store.pages.matches_of_item(item.id),
            "story": self._story(item.id, item.story),
            "asked": rule,
            "lines": self._explained(found[0], rule) if rule else (),
            "choices": choices(loaded, store),
            **self._titles(),
        }
        return self._pages.page(request, "item.html", values)

    def _shown(self, html: str) -> str:
        """Return an item's HTML as it may be shown."""
        if self._view.loaded.config.web.shows_images:
            return with_images_at(html, self._images.address)
        return without_images(html)

    def _titles(self) -> Mapping[str, object]:
        loaded = self._view.loaded
        return {
            "rule_titles": {rule.id: rule.title for rule in loaded.rules},
            "source_titles": {source.id: source.title for source in loaded.config.sources},
        }

    def _listed(self, which: Shown, place: str) -> Found:
        which = beyond(which, place)
        rows = self._view.store.pages.listed_items(replace(which, limit=ITEMS + 1))
        shown = rows[:ITEMS]
        last = shown[-1].head if len(rows) > ITEMS else None
        return Found(
            rows=tuple(map(_listed_row, shown)), further=place_text(last.order, last.item) if last else None
        )

    def _searched(self, text: str, which: Shown, place: str) -> Found:
        """Return the items that a query holds for, as far as it was asked about any."""
        before = number_of(place)
        if place and before is None:
            raise FilterError(NO_PAGE)
        searched = search(self._view, text, which, before)
        return Found(
            rows=tuple(_found_row(found, match) for found, match in searched.found),
            further=None if searched.further is None else str(searched.further),
            is_cut=searched.is_cut,
        )

    def _story(self, item: int, story: int) -> tuple[ItemHead, ...]:
        """Return the other items of an item's story."""
        return tuple(head for head in self._view.store.pages.items_of_story(story) if head.item != item)

    def _explained(self, found: FoundItem, rule: str) -> tuple[Line, ...]:
        loaded = self._view.loaded
        trial = trial_of_rule(rule, loaded.config, loaded.known)
        told = explanation(self._view.store, found.item, trial)
        zone = loaded.config.service.time_zone
        return tuple(explanation_lines(told, f"The rule {rule}", zone))


def _listed_row(listed: ListedItem) -> FoundRow:
    return FoundRow(head=listed.head, rules=listed.rules, excerpt=listed.excerpt, match=None)


def _found_row(found: FoundItem, match: Match) -> FoundRow:
    item = found.item
    head = ItemHead(
        item=item.id,
        source=item.source,
        title=item.title or item.summary[:120],
        link=item.link,
        language=item.language,
        order=item.order,
        first_seen=item.first_seen,
    )
    return FoundRow(head=head, rules=found.rules, excerpt="", match=match)
