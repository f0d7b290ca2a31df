"""What follows a change: the page that shows it, which says in a sentence of its own what was done."""

import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from syndicate.web.access import visit_of
from syndicate.web.view import View

LOOKS, PAUSE_SECONDS = 20, 0.1
DONE = "done"  # in the address: a word for what was done


def shown_at(view: View, path: str, word: str, **values: str) -> Response:
    """Return what leads to the page that shows a change (RFC 9110 15.4.4).

    Args:
        word: one that the page knows.
        values: what else its address says.
    """
    root = urlsplit(view.loaded.config.service.base_url).path.rstrip("/")
    return RedirectResponse(f"{root}{path}?{urlencode({DONE: word, **values})}", 303)


def wait_until(is_so: Callable[[], bool]) -> bool:
    """Wait for a file that was written to be taken over, a moment at most; return whether it was.

    So the page that follows shows it already. Blocks, and so has to run in a thread.
    """
    for _ in range(LOOKS):
        if is_so():
            return True
        time.sleep(PAUSE_SECONDS)
    return is_so()


def said(request: Request, sentences: Mapping[str, str]) -> str | None:
    """Return what was done, if the address has one of the words for it; nothing else of it is repeated."""
    return sentences.get(request.query_params.get(DONE, ""))


def form_of(request: Request) -> Mapping[str, str]:
    """Return what was sent with a change."""
    visit = visit_of(request.scope)
    return visit.form if visit else {}
