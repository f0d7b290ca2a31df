"""The sources: how each is, when it is polled next and why, how it has fared; polling now, and pausing."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from starlette.requests import Request
from starlette.responses import Response

from syndicate.config import source_table
from syndicate.loading import Loaded, new_source
from syndicate.model import Source, SourceHead, SourceStatus
from syndicate.report_sources import refresh_line
from syndicate.report_words import STATES
from syndicate.store.pages import Shown
from syndicate.web.changes import shown_at
from syndicate.web.charts import Strip, days_until, strip
from syndicate.web.filters import number_of
from syndicate.web.render import Pages
from syndicate.web.view import View

SOURCES = 50  # on a page
DAYS = 30
GAPS = 20
ITEMS = 10
NEEDS_SOMEBODY = "attention"  # of which state is asked: whoever needs somebody
GONE = "There is no such source."

Change = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedStatus:
    """A source as the list shows it."""

    status: SourceStatus
    strip: Strip


class SourcePages:
    """Answers `/sources`, `/sources/ID` and what is done there."""

    def __init__(self, view: View, pages: Pages) -> None:
        self._view = view
        self._pages = pages

    def listing(self, request: Request) -> Response:
        """Return the list, those first that need somebody."""
        loaded, now = self._view.loaded, self._view.now()
        words = request.query_params.get("q", "").strip()[:200]
        state = request.query_params.get("state", "")
        first = number_of(request.query_params.get("from", "")) or 0
        heads = self._heads(loaded)
        wanted = [
            source
            for source in loaded.config.sources
            if _is_about(source, words) and _is_in(heads[source.id], state)
        ]
        wanted.sort(key=lambda source: not heads[source.id].needs_somebody)
        some = wanted[first : first + SOURCES]
        values = {
            "now": now,
            "words": words,
            "state": state,
            "choices": _choices(heads),
            "total": len(loaded.config.sources),
            "states_counted": counted_states(heads.values()),
            "needing": sum(head.needs_somebody for head in heads.values()),
            "sources": self._listed(some, now),
            "is_fresh": bool(heads) and all(head.state == "new" for head in heads.values()),
            "request_done": request.query_params.get("done", ""),
            "given": {"q": words, "state": state},
            "older": str(first + SOURCES) if first + SOURCES < len(wanted) else None,
        }
        return self._pages.page(request, "sources.html", values)

    def one(self, request: Request) -> Response:
        """Return the page of a source."""
        found = self._found(request)
        if found is None:
            return self._pages.error(request, 404, GONE)
        source, status = found
        store, now = self._view.store, self._view.now()
        days, since = _days(now)
        polled = store.watch.poll_days([status.id], since)[status.id]
        document = store.source_documents([status.id]).get(status.id)
        values = {
            "now": now,
            "source": source,
            "status": status,
            "table": source_table(source) if source else "",
            "document": document,
            "addresses": store.addresses(status.id),
            "strip": strip(days, polled),
            "polled": polled,
            "failure": store.watch.last_failure(status.id),
            "gaps": store.watch.gaps(status.id, GAPS),
            "items": store.pages.listed_items(Shown(source=status.id, limit=ITEMS)),
            "rule_titles": {rule.id: rule.title for rule in self._view.loaded.rules},
            "done": self._done(request.query_params.get("done", ""), status, now),
        }
        return self._pages.page(request, "source.html", values)

    async def refresh(self, request: Request) -> Response:
        """Make a source due now."""
        store = self._view.store
        return await self._changed(request, "refreshed", lambda name: store.poll_now([name]))

    async def pause(self, request: Request) -> Response:
        """Poll a source no more."""
        store = self._view.store
        return await self._changed(request, "paused", lambda name: store.watch.pause([name]))

    async def resume(self, request: Request) -> Response:
        """Poll a paused source again."""
        store = self._view.store
        return await self._changed(request, "resumed", lambda name: store.watch.resume([name]))

    # -- what there is

    def _heads(self, loaded: Loaded) -> Mapping[str, SourceHead]:
        known = {head.id: head for head in self._view.store.watch.overview()}
        return {
            source.id: known.get(source.id)
            or SourceHead(id=source.id, state=new_source(source).state, needs_somebody=False)
            for source in loaded.config.sources
        }

    def _listed(self, sources: Sequence[Source], now: datetime) -> list[ListedStatus]:
        watch, ids = self._view.store.watch, [source.id for source in sources]
        known = watch.statuses(ids)
        days, since = _days(now)
        polled = watch.poll_days(ids, since)
        return [
            ListedStatus(
                status=known.get(source.id) or new_source(source),
                strip=strip(days, polled[source.id]),
            )
            for source in sources
        ]

    def _found(self, request: Request) -> tuple[Source | None, SourceStatus] | None:
        """Return a source and how it is, also one that is configured no longer."""
        name = request.path_params["source"]
        known = self._view.store.watch.statuses([name]).get(name)
        for source in self._view.loaded.config.sources:
            if source.id == name:
                return source, known or new_source(source)
        return None if known is None else (None, known)

    async def _changed(self, request: Request, done: str, unit: Change) -> Response:
        name = request.path_params["source"]
        if name not in {source.id for source in self._view.loaded.config.sources}:
            return self._pages.error(request, 404, GONE)
        await self._view.change(unit, name)
        return shown_at(self._view, f"/sources/{name}", done)

    def _done(self, done: str, status: SourceStatus, now: datetime) -> str:
        """Return in words what has just been done, as it stands now; empty: nothing."""
        match done:
            case "added" if status.last_polled_at is None:
                line = "added; it is polled at once"
            case "refreshed":
                line = refresh_line(status, now)
            case "paused" if status.state == "paused":
                line = "paused: not polled until it is resumed"
            case "resumed" if status.state in ("gone", "disabled"):
                line = f"resumed; it is {STATES[status.state]}, so it is not polled"
            case "resumed" if status.state != "paused":
                line = "resumed, and due now"
            case _:
                return ""
        return line.removeprefix(f"{status.id}: ")


def counted_states(heads: Iterable[SourceHead]) -> list[str]:
    """Return such as `10 working`, in the order of STATES."""
    counts = Counter(head.state for head in heads)
    return [
        f"{counts[state]:,} {words.partition(':')[0]}" for state, words in STATES.items() if counts[state]
    ]


def _choices(heads: Mapping[str, SourceHead]) -> list[tuple[str, str]]:
    """Return which states can be asked for: those that there are."""
    counts = Counter(head.state for head in heads.values())
    needing = sum(head.needs_somebody for head in heads.values())
    some = [(NEEDS_SOMEBODY, f"needs attention ({needing:,})")] if needing else []
    return some + [
        (state, f"{words.partition(':')[0]} ({counts[state]:,})")
        for state, words in STATES.items()
        if counts[state]
    ]


def _is_in(head: SourceHead, state: str) -> bool:
    return head.needs_somebody if state == NEEDS_SOMEBODY else not state or head.state == state


def _is_about(source: Source, words: str) -> bool:
    texts = " ".join((source.id, source.title, *source.tags, *source.urls)).casefold()
    return all(word in texts for word in words.casefold().split())


def _days(now: datetime) -> tuple[Sequence[date], date]:
    """Return the last days, today among them, in UTC; and the first of them."""
    days = days_until(now.astimezone(UTC).date(), DAYS)
    return days, days[0]
