"""What goes out: deliveries, what each says, what became of it; and sending it once more."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from syndicate.alerts.hiding import hidden
from syndicate.config import suggestion
from syndicate.model import DeliveryState, Endpoint
from syndicate.store.overview import Sent
from syndicate.web.changes import form_of, said, shown_at
from syndicate.web.filters import NO_PAGE, FilterError, number_of
from syndicate.web.render import Pages
from syndicate.web.standing import concerns, standings
from syndicate.web.view import View

DELIVERIES = 30  # on a page
BODY_BYTES = 64 * 1024  # of a body that are shown
PERIODS = {"1h": "hour", "12h": "12 hours", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}
DONE = {
    "due": "It is due now, with all tries before it. What became of it will stand below.",
    "under-way": "It is being sent at this moment, so it was left alone.",
    "held": "It is held back by the pace of its endpoint or by a silence, so it was left alone.",
    "all-due": "All of them are due now, with all tries before them.",
    "some-due": "They are due now, but for those that are being sent at this moment or are held back.",
    "none-due": "There was nothing to send again.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilters:
    """What the list of deliveries is restricted to; empty ones restrict nothing."""

    endpoint: str = ""
    state: str = ""

    @property
    def values(self) -> dict[str, str]:
        """By name, those that are given."""
        given = {"endpoint": self.endpoint, "state": self.state}
        return {name: value for name, value in given.items() if value}

    @property
    def sent(self) -> Sent:
        """Which deliveries that are."""
        state = DeliveryState(self.state) if self.state else None
        return Sent(endpoint=self.endpoint or None, state=state, limit=DELIVERIES)


class AlertPages:
    """Answers `/alerts`, `/alerts/ID` and what sends deliveries again."""

    def __init__(self, view: View, pages: Pages) -> None:
        self._view = view
        self._pages = pages

    def listing(self, request: Request) -> Response:
        """Return the list of deliveries; without a filter, below how endpoints and silences are."""
        overview = self._view.store.overview
        place, known = request.query_params.get("before", ""), self._known()
        try:
            filters = _filters(request.query_params.get, known)
            which = _beyond(filters.sent, place)
        except FilterError as error:
            return self._pages.error(request, 400, str(error))
        found = overview.listed_deliveries(replace(which, limit=DELIVERIES + 1))
        is_whole = not (filters.values or place)
        values = {
            "now": self._view.now(),
            "done": said(request, DONE),
            "is_whole": is_whole,
            "is_first": not place,
            "deliveries": found[:DELIVERIES],
            "older": str(found[DELIVERIES - 1].number) if len(found) > DELIVERIES else None,
            "filters": filters,
            "endpoints": [(each, each) for each in known],
            "periods": PERIODS,
            **self._titles(),
            **(self._surroundings() if is_whole else {}),
        }
        return self._pages.page(request, "alerts.html", values)

    def one(self, request: Request) -> Response:
        """Return the page of a delivery."""
        shown = self._view.store.overview.shown_delivery(request.path_params["delivery"])
        if shown is None:
            return self._pages.error(request, 404, "There is no such delivery.")
        stand = [each for each in standings(self._view) if each.status.id == shown.listed.endpoint]
        endpoint = self._endpoint(shown.listed.endpoint)
        values = {
            "now": self._view.now(),
            "done": said(request, DONE),
            "shown": shown,
            "delivery": shown.listed,
            "endpoint": endpoint,
            "standing": stand[0] if stand else None,
            "body": body_text(shown.body, endpoint) if shown.body and endpoint else None,
            **self._titles(),
        }
        return self._pages.page(request, "delivery.html", values)

    async def replay(self, request: Request) -> Response:
        """Make a delivery due, whatever became of it."""
        identity = request.path_params["delivery"]
        store = self._view.store
        shown = await run_in_threadpool(store.overview.shown_delivery, identity)
        if shown is None:
            return self._pages.error(request, 404, "There is no such delivery.")
        due = await self._view.change(store.replay_deliveries, [identity])
        left = "held" if shown.listed.state is DeliveryState.HELD else "under-way"
        return shown_at(self._view, f"/alerts/{identity}", "due" if due else left)

    async def replay_all(self, request: Request) -> Response:
        """Make deliveries to an endpoint due that were made within some time."""
        form, overview = form_of(request), self._view.store.overview
        known = await run_in_threadpool(self._known)
        try:
            filters = _filters(form.get, known)
            since = self._view.now() - _period(form.get("since", ""))
            if not filters.endpoint:
                raise FilterError("Say to which endpoint.")
        except FilterError as error:
            return self._pages.error(request, 400, str(error))
        ids = await run_in_threadpool(overview.deliveries_made, filters.endpoint, filters.sent.state, since)
        due = await self._view.change(self._view.store.replay_deliveries, ids)
        word = "none-due" if not due else "all-due" if due == len(ids) else "some-due"
        return shown_at(self._view, "/alerts", word, endpoint=filters.endpoint)

    def _surroundings(self) -> dict[str, object]:
        """Return what the whole page shows beside deliveries."""
        stand, now = standings(self._view), self._view.now()
        return {
            "standings": stand,
            "concerns": concerns(self._view, stand),
            "silences": [each for each in self._view.store.silences() if each.ends_at > now],
        }

    def _known(self) -> list[str]:
        """Return the endpoints that are configured, and then the others that anything was made for."""
        configured = [each.id for each in self._view.loaded.config.endpoints]
        sent_to = self._view.store.overview.endpoints_sent_to()
        return [*configured, *(each for each in sent_to if each not in configured)]

    def _endpoint(self, name: str) -> Endpoint | None:
        return next((each for each in self._view.loaded.config.endpoints if each.id == name), None)

    def _titles(self) -> dict[str, object]:
        loaded = self._view.loaded
        return {
            "rule_titles": {rule.id: rule.title for rule in loaded.rules},
            "source_titles": {source.id: source.title for source in loaded.config.sources},
        }


def _filters(given: Callable[[str], str | None], endpoints: list[str]) -> DeliveryFilters:
    endpoint, state = (given("endpoint") or "").strip(), (given("state") or "").strip()
    _check("endpoint", endpoint, endpoints)
    _check("state", state, list(DeliveryState))
    return DeliveryFilters(endpoint=endpoint, state=state)


def body_text(body: bytes, endpoint: Endpoint) -> str:
    """Return what is sent as text to be read, without what must not be shown of its endpoint."""
    text = hidden(body, endpoint)[:BODY_BYTES].decode(errors="replace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except ValueError:
        return text


def _period(text: str) -> timedelta:
    if text not in PERIODS:
        raise FilterError(f"Say how far back: one of {', '.join(PERIODS)}.")
    return timedelta(hours=int(text[:-1]) * (24 if text.endswith("d") else 1))


def _check(kind: str, name: str, known: list[str]) -> None:
    if name and name not in known:
        near = suggestion(name, known)
        raise FilterError(f"There is no {kind} “{name[:80]}”{near}{'' if near.endswith('?') else '.'}")


def _beyond(which: Sent, place: str) -> Sent:
    before = number_of(place)
    if place and before is None:
        raise FilterError(NO_PAGE)
    return replace(which, before=before)
