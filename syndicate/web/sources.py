"""The sources, and how each is."""

from collections import Counter
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from syndicate.loading import source_statuses
from syndicate.model import SourceStatus
from syndicate.report_words import STATES
from syndicate.web.render import Pages
from syndicate.web.view import View


class SourcesPage:
    """Answers GET of `/sources`."""

    def __init__(self, view: View, pages: Pages) -> None:
        self._view = view
        self._pages = pages

    def answer(self, request: Request) -> Response:
        """Return the page."""
        sources = source_statuses(self._view.loaded, self._view.store)
        values = {
            "now": self._view.now(),
            "sources": sources,
            "states_counted": counted_states(sources),
            "is_fresh": not any(source.last_polled_at for source in sources),
        }
        return self._pages.page(request, "sources.html", values)


def counted_states(sources: Sequence[SourceStatus]) -> list[str]:
    """Return such as `10 working`, in the order of STATES."""
    counts = Counter(source.state for source in sources)
    return [f"{counts[state]} {words.partition(':')[0]}" for state, words in STATES.items() if counts[state]]
