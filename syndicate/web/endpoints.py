"""An endpoint by itself: how it is, at which pace it is told; trying it, and enabling it again."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from syndicate.sample import SampleAnswer, send_test
from syndicate.web.changes import said, shown_at
from syndicate.web.pace_words import pace_sentences
from syndicate.web.render import Pages
from syndicate.web.standing import Standing, standings
from syndicate.web.view import View

DONE = {
    "tested": "It was tried. What came back stands below.",
    "testing": "A sample is on its way to it already: reload the page in a moment to see what came back.",
    "enabled": "It is enabled: what waits for it is due now, oldest first.",
    "not-disabled": "It was not disabled.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What came back from the last sample."""

    at: datetime
    answer: SampleAnswer


class EndpointPages:
    """Answers `/alerts/endpoints/ID` and what tries or enables one. What samples brought is in memory."""

    def __init__(self, view: View, pages: Pages) -> None:
        self._view = view
        self._pages = pages
        self._tested: dict[str, Tested] = {}
        self._testing: set[str] = set()

    def one(self, request: Request) -> Response:
        """Return the page of an endpoint, also of one that is configured no more and has deliveries left."""
        found = self._found(request)
        if found is None:
            return self._none(request)
        now = self._view.now()
        values = {
            "now": now,
            "done": said(request, DONE),
            "standing": found,
            "endpoint": found.endpoint,
            "status": found.status,
            "pace": list(pace_sentences(found.endpoint.pace, now)) if found.endpoint else [],
            "tested": self._tested.get(found.status.id),
            "rules": self._rules(found.status.id),
        }
        return self._pages.page(request, "endpoint.html", values)

    async def test(self, request: Request) -> Response:
        """Send a sample that is marked as a test, once, and keep what came back."""
        loaded, name = self._view.loaded, request.path_params["endpoint"]
        if name not in [each.id for each in loaded.config.endpoints]:
            return self._none(request)
        path = f"/alerts/endpoints/{name}"
        if name in self._testing:
            return shown_at(self._view, path, "testing")
        self._testing.add(name)
        try:
            answer = await send_test(loaded, name, self._view.now())
        finally:
            self._testing.discard(name)
        self._tested[name] = Tested(at=self._view.now(), answer=answer)
        return shown_at(self._view, path, "tested")

    async def enable(self, request: Request) -> Response:
        """Have a disabled endpoint be sent what waits for it."""
        name = request.path_params["endpoint"]
        if name not in [each.id for each in self._view.loaded.config.endpoints]:
            return self._none(request)
        waiting = await self._view.change(self._view.store.enable_endpoint, name)
        word = "not-disabled" if waiting is None else "enabled"
        return shown_at(self._view, f"/alerts/endpoints/{name}", word)

    def _found(self, request: Request) -> Standing | None:
        name = request.path_params["endpoint"]
        return next((each for each in standings(self._view) if each.status.id == name), None)

    def _none(self, request: Request) -> Response:
        return self._pages.error(request, 404, "There is no such endpoint.")

    def _rules(self, endpoint: str) -> list[tuple[str, str]]:
        return [(rule.id, rule.title) for rule in self._view.loaded.rules if endpoint in rule.notify]
