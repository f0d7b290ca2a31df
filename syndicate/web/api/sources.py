"""Sources: how each is, and having one polled now."""

from typing import Literal

from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from syndicate.loading import source_statuses
from syndicate.model import SourceStatus, TokenScope
from syndicate.report import source_json
from syndicate.report_sources import refresh_json, shown_json, shown_of
from syndicate.web.api import answers
from syndicate.web.api.cursors import cursor_of, place_of
from syndicate.web.api.fields import SOURCE_ID, USUAL, Cursor, Limit, Time
from syndicate.web.api.operation import (
    Answer,
    AnyOperation,
    ApiError,
    Asked,
    Fields,
    Lead,
    Nothing,
    Operation,
    Values,
)
from syndicate.web.view import View

PLACE = TypeAdapter(tuple[Literal["sources"], str])


class SourcesQuery(Fields):
    """Which part of the list."""

    cursor: Cursor | None = None
    """Where the page begins: from the `next` of the page before."""
    limit: Limit = USUAL
    """How many sources the page has at most."""


class Trouble(Answer):
    """Something that is the matter with a source."""

    kind: str
    since: Time
    text: str


class Gap(Answer):
    """Between two documents that share no item: some may have been missed."""

    begins: Time
    ends: Time
    found_at: Time
    filled: int
    """Items found in the source's older pages."""
    closed: bool
    """Whether nothing is missing."""


class Subscription(Answer):
    """That a hub pushes what is new."""

    hub: str
    topic: str
    state: str
    expires_at: Time | None
    next_ask_at: Time | None
    error: str | None
    pushes: int
    last_push_at: Time | None
    rejected: int
    last_rejected_at: Time | None
    relied_upon: bool


class SourceState(Answer):
    """A source, and how it is."""

    id: str
    title: str
    urls: list[str]
    state: str
    """`new`, `ok`, `fallback`, `failing`, `gone`, `disabled` or `removed`."""
    state_in_words: str
    troubles: list[Trouble]
    next_poll_at: Time | None
    next_poll_why: str
    last_polled_at: Time | None
    last_success_at: Time | None
    last_status: int | None
    last_error: str | None
    failures: int
    """In a row."""
    items: int
    items_per_day: float | None
    median_delay_seconds: int | None
    """From publication until an item is seen."""
    gaps: int
    last_gap: Gap | None
    subscription: Subscription | None
    requests: int
    received_bytes: int
    problems: list[str]


class SourcePage(Answer):
    """A page of sources, by their ids."""

    sources: list[SourceState]
    next: str | None
    """What follows the path in the address of the next page; null: there is none."""


class ConfiguredAddress(Answer):
    """What is said of one of the addresses, beside where it is."""

    url: str
    kind: str | None
    item: str | None
    title: str | None
    link: str | None
    date: str | None
    link_pattern: str | None


class ConfiguredSource(Answer):
    """A source as the configuration has it."""

    id: str
    title: str
    urls: list[str]
    addresses: list[ConfiguredAddress]
    interval: str
    adaptive: bool
    language: str | None
    tags: list[str]
    full_text: bool
    prune: list[str]
    enabled: bool
    baseline: bool
    websub: bool


class Document(Answer):
    """What the last document of a source says of itself."""

    title: str
    link: str | None


class AddressState(Answer):
    """How one address of a source is."""

    url: str
    state: str
    error: str | None
    adopted: str | None
    moved_to: str | None
    moved_count: int
    etag: str | None
    last_modified: str | None
    had_news_at: Time | None


class SourceAnswer(Answer):
    """Everything known of a source."""

    configuration: ConfiguredSource | None
    """Null: it is configured no longer."""
    status: SourceState
    document: Document
    addresses: list[AddressState]
    items: list[answers.Item]
    """The newest."""


class Refreshed(Answer):
    """What becomes of a source that was asked to be polled now."""

    id: str
    state: str
    due: bool
    """False: it is not polled at all, or its host wants to be left alone."""
    next_poll_at: Time | None


class Sources:
    """Answers what is asked of sources."""

    def __init__(self, view: View) -> None:
        self._view = view

    @property
    def operations(self) -> list[AnyOperation]:
        """What can be asked."""
        return [
            Operation(
                id="listSources",
                method="GET",
                path="/sources",
                scope=TokenScope.READ,
                summary="List the sources, and how each is",
                about="In the order of their ids. As `sources --json`.",
                run=self.listing,
                answer=SourcePage,
                query=SourcesQuery,
                body=Nothing,
                leads_to=(
                    Lead(id="getSource", name="source", at="/sources/0/id"),
                    Lead(id="refreshSource", name="source", at="/sources/0/id"),
                ),
            ),
            Operation(
                id="getSource",
                method="GET",
                path="/sources/{source}",
                scope=TokenScope.READ,
                summary="Everything known of a source",
                about="As `sources show --json`.",
                run=self.one,
                answer=SourceAnswer,
                query=Nothing,
                body=Nothing,
                names={"source": SOURCE_ID},
            ),
            Operation(
                id="refreshSource",
                method="POST",
                path="/sources/{source}/refresh",
                scope=TokenScope.REFRESH,
                summary="Have a source polled now",
                about="As `sources refresh`. A host that asked to be left alone still is. No body is needed.",
                run=self.refresh,
                answer=Refreshed,
                query=Nothing,
                body=Nothing,
                names={"source": SOURCE_ID},
            ),
        ]

    def listing(self, asked: Asked[SourcesQuery, Nothing]) -> Values:
        """Return a page of sources."""
        query = asked.query
        first = "" if query.cursor is None else place_of(PLACE, query.cursor)[1]
        statuses = source_statuses(self._view.loaded, self._view.store)
        found = sorted((each for each in statuses if each.id > first), key=lambda each: each.id)
        shown = found[: query.limit]
        cursor = cursor_of(PLACE, ("sources", shown[-1].id)) if len(found) > query.limit else None
        return {
            "sources": [source_json(each) for each in shown],
            "next": asked.further(cursor=cursor) if cursor else None,
        }

    def one(self, asked: Asked[Nothing, Nothing]) -> Values:
        """Return everything known of a source."""
        status = self._status(asked.names["source"])
        return shown_json(shown_of(self._view.loaded, self._view.store, status))

    async def refresh(self, asked: Asked[Nothing, Nothing]) -> Values:
        """Have a source polled now."""
        source = asked.names["source"]
        if source not in {each.id for each in self._view.loaded.config.sources}:
            raise _missing()
        await self._view.change(self._view.store.poll_now, [source])
        status = await run_in_threadpool(self._status, source)
        return refresh_json(status, self._view.now())

    def _status(self, source: str) -> SourceStatus:
        statuses = source_statuses(self._view.loaded, self._view.store)
        found = next((each for each in statuses if each.id == source), None)
        if found is None:
            raise _missing()
        return found


def _missing() -> ApiError:
    return ApiError(404, "There is no such source.")
