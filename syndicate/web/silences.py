"""Silences: those there are, asking for one, and ending one."""

from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from syndicate.silences import AskedError, AskedSilence, drafted, known_names
from syndicate.web.changes import form_of, said, shown_at
from syndicate.web.filters import MOST_CHOICES, number_of
from syndicate.web.render import Pages
from syndicate.web.view import View

ENDED = 30  # that are shown
DONE = {
    "added": "The silence has begun. What it silences stays untold, also when it has ended.",
    "ended": "The silence has ended. What it has silenced stays untold.",
    "had-ended": "That silence had ended already.",
}
NAMES = {
    "author": "Who says so",
    "reason": "Why",
    "length": "For how long",
    "until": "Until when",
    "rule": "Rule",
    "source": "Source",
    "tag": "Tag",
    "endpoint": "Endpoint",
    "text": "Text",
    "everything": "All alerts",
}
CHECKED = "everything"


PREFILLED = ("rule", "source", "tag", "endpoint")  # by an address that leads here


class SilencePages:
    """Answers `/alerts/silences` and what adds or ends a silence."""

    def __init__(self, view: View, pages: Pages) -> None:
        self._view = view
        self._pages = pages

    def listing(self, request: Request) -> Response:
        """Return the silences and the form for another one."""
        asked = request.query_params
        return self._page(request, {name: asked.get(name, "")[:200] for name in PREFILLED}, None)

    async def add(self, request: Request) -> Response:
        """Begin a silence."""
        given = {name: form_of(request).get(name, "").strip() for name in NAMES}
        try:
            draft = drafted(_asked(given), self._view.loaded, self._view.now(), NAMES)
        except AskedError as problem:
            return await run_in_threadpool(self._page, request, given, problem)
        await self._view.change(self._view.store.add_silence, draft)
        return shown_at(self._view, "/alerts/silences", "added")

    async def end(self, request: Request) -> Response:
        """End a silence now."""
        number = number_of(request.path_params["silence"])
        silences = await run_in_threadpool(self._view.store.silences)
        if number is None or number not in [each.id for each in silences]:
            return self._pages.error(request, 404, "There is no such silence.")
        ended = await self._view.change(self._view.store.expire_silences, [number])
        return shown_at(self._view, "/alerts/silences", "ended" if ended else "had-ended")

    def _page(self, request: Request, given: Mapping[str, str], problem: AskedError | None) -> Response:
        loaded, now = self._view.loaded, self._view.now()
        silences = self._view.store.silences()
        ended = sorted((each for each in silences if each.ends_at <= now), key=lambda each: each.ends_at)
        values = {
            "now": now,
            "done": said(request, DONE),
            "active": [each for each in silences if each.ends_at > now],
            "ended": ended[-ENDED:][::-1],
            "left_out": max(len(ended) - ENDED, 0),
            "given": {name: given.get(name, "") for name in NAMES},
            "names": NAMES,
            "problem": _sentence(problem) if problem else None,
            "wrong": problem.about if problem else None,
            "known": {name: found[:MOST_CHOICES] for name, found in known_names(loaded).items()},
        }
        return self._pages.page(request, "silences.html", values, 200 if problem is None else 400)


def _asked(given: Mapping[str, str]) -> AskedSilence:
    which = {name: given[name] or None for name in given if name not in ("author", "reason", CHECKED)}
    return AskedSilence(
        author=given["author"], reason=given["reason"], everything=bool(given[CHECKED]), **which
    )


def _sentence(problem: AskedError) -> str:
    about = f"{NAMES[problem.about]}: " if problem.about else ""
    text = f"{about}{problem}"
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('?') else '.'}"
