"""Items: found by the language of the rules, or listed; each with its text, its matches and its story."""

from dataclasses import replace
from typing import Literal

from pydantic import Field, TypeAdapter

from syndicate.errors import QueryError
from syndicate.model import FoundItem, Match, TokenScope
from syndicate.report import item_json
from syndicate.report_explain import explanation_json, story_json
from syndicate.report_items import match_json, whole_item_json
from syndicate.report_trials import snippet_json
from syndicate.store.pages import Shown
from syndicate.store.searching import ItemFilter
from syndicate.trial import NO_ID, Trial, explanation, trial_of_query, trial_of_rule
from syndicate.web.api import answers
from syndicate.web.api.cursors import Number, Order, cursor_of, place_of
from syndicate.web.api.fields import ITEM_ID, USUAL, Cursor, Limit, Moment, Name, Time, moment_before
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
    check_known,
    wrong,
)
from syndicate.web.filters import number_of
from syndicate.web.search import MAX_QUERY, search
from syndicate.web.view import View

PLACE = TypeAdapter(tuple[Literal["items"], Order, Number])
SOUGHT = TypeAdapter(tuple[Literal["sought"], Number])

# --------------------------------------------------------------------------- what is sent


class ItemsQuery(Fields):
    """Which items; what is not given does not restrict."""

    q: str | None = Field(None, min_length=1, max_length=MAX_QUERY)
    """A query, as rules have it. What was kept last then comes first."""
    rule: Name | None = None
    """Only items that this rule holds for, by its id."""
    source: Name | None = None
    """Only items of this source, by its id."""
    language: Name | None = None
    """Only items in this language, as items have it: `en`."""
    since: Moment | None = None
    """Only items published, or first seen, since then: a time (RFC 3339), or so long before now."""
    cursor: Cursor | None = None
    """Where the page begins: from the `next` of the page before."""
    limit: Limit = USUAL
    """How many items the page has at most."""


class ExplainQuery(Fields):
    """What is to be explained, one of the two."""

    rule: Name | None = None
    """The id of a rule."""
    q: str | None = Field(None, min_length=1, max_length=MAX_QUERY)
    """A query instead of a rule."""


# --------------------------------------------------------------------------- what is answered


class ListedItem(answers.Item):
    """An item in a list."""

    snippet: answers.Snippet | None
    """Where the query holds; null where none was asked."""


class ItemPage(Answer):
    """A page of items."""

    items: list[ListedItem]
    next: str | None
    """What follows the path in the address of the next page; null: there is none. With a query, a page may
    have fewer items than `limit`, or none, and still have a next one."""


class Enclosure(Answer):
    """A file beside an item."""

    url: str
    type: str | None
    length_bytes: int | None


class WholeItem(answers.Item):
    """An item with all its texts."""

    updated: Time | None
    """When its publisher says that it was last changed."""
    revision: int
    """From 1; one more with each edit."""
    changed_at: Time
    """When this revision came."""
    author: str
    categories: list[str]
    summary: str
    body: str
    """Its text, which offsets of evidence count in."""
    content_html: str
    """Reduced to harmless elements when it came; sanitise it again before you show it."""
    enclosures: list[Enclosure]


class StoryItem(Answer):
    """An item of a story."""

    id: int
    source: str


class Joined(Answer):
    """How an item came to a story that others had begun."""

    by: str
    """`link`, `text` or `alike`."""
    item: int | None
    """The item that it is alike to."""
    evidence: str | None


class Story(Answer):
    """Items that report the same thing."""

    id: int
    items: list[StoryItem]
    """In the order in which they came."""
    joined: Joined | None
    """How the item that was asked for came to it; null: it was the first."""


class ItemAnswer(Answer):
    """An item, all matches of it, also those that have ended, and its story."""

    item: WholeItem
    matches: list[answers.Match]
    story: Story | None


class ExplainedItem(Answer):
    """The item that is explained."""

    id: int
    source: str
    title: str
    link: str | None
    language: str | None
    published: Time | None
    revision: int


class ExplainedRule(Answer):
    """The rule, or the query."""

    id: str | None
    version: str | None
    query: str | None


class WhyNot(Answer):
    """Why a clause does not hold, and what came nearest."""

    sentence: str
    reason: str
    clause: str | None
    place: tuple[int, int] | None
    """In the query: where the clause begins, and where it has ended."""
    nearest: list[answers.Evidence]
    snippet: answers.Snippet | None
    distance: int | None
    score: answers.Score | None
    parts: list["WhyNot"]


class StoredState(Answer):
    """The match as it is stored."""

    version: str
    revision: int
    matched_at: Time
    ended_at: Time | None
    is_current: bool
    """Whether it is what the rule finds in the item now."""


class AlertState(Answer):
    """An alert in the ledger about the rule and the story."""

    kind: str
    endpoint: str
    item: int
    state: str
    reason: str | None
    silence: int | None
    created_at: Time
    delivery: str | None
    delivery_state: str | None
    sources: list[str]


class ExplainAnswer(Answer):
    """Whether a rule holds for an item, why or why not, and what came of it."""

    item: ExplainedItem
    story: Story | None
    rule: ExplainedRule
    holds: bool
    evidence: list[answers.Evidence]
    snippet: answers.Snippet | None
    score: answers.Score | None
    why_not: WhyNot | None
    stored: StoredState | None
    alerts: list[AlertState]


# --------------------------------------------------------------------------- what is done


class Items:
    """Answers what is asked of items."""

    def __init__(self, view: View) -> None:
        self._view = view

    @property
    def operations(self) -> list[AnyOperation]:
        """What can be asked."""
        return [
            Operation(
                id="listItems",
                method="GET",
                path="/items",
                scope=TokenScope.READ,
                summary="List items, or find them by a query",
                about="Newest first; with `q`, what was kept last first. As `items --json`.",
                run=self.listing,
                answer=ItemPage,
                query=ItemsQuery,
                body=Nothing,
                leads_to=(
                    Lead(id="getItem", name="item", at="/items/0/id"),
                    Lead(id="explainItem", name="item", at="/items/0/id"),
                ),
            ),
            Operation(
                id="getItem",
                method="GET",
                path="/items/{item}",
                scope=TokenScope.READ,
                summary="An item: its text, its matches, its story",
                about="`matches` of the item are the ids of rules that hold now.",
                run=self.one,
                answer=ItemAnswer,
                query=Nothing,
                body=Nothing,
                names={"item": ITEM_ID},
            ),
            Operation(
                id="explainItem",
                method="GET",
                path="/items/{item}/explain",
                scope=TokenScope.READ,
                summary="Why a rule holds for an item, or why not",
                about="As `explain --json`: give a `rule`, or a query as `q`.",
                run=self.explained,
                answer=ExplainAnswer,
                query=ExplainQuery,
                body=Nothing,
                names={"item": ITEM_ID},
            ),
        ]

    def listing(self, asked: Asked[ItemsQuery, Nothing]) -> Values:
        """Return a page of items."""
        query = asked.query
        which = self._shown(query)
        if query.q is not None:
            return self._searched(asked, query.q, which)
        if query.cursor is not None:
            _, order, item = place_of(PLACE, query.cursor)
            which = replace(which, before=(order, item))
        found = self._view.store.api.items(replace(which, limit=query.limit + 1))
        shown = found[: query.limit]
        last = shown[-1].item if len(found) > query.limit else None
        cursor = cursor_of(PLACE, ("items", last.order, last.id)) if last else None
        return {
            "items": [_listed_json(each) for each in shown],
            "next": asked.further(cursor=cursor) if cursor else None,
        }

    def one(self, asked: Asked[Nothing, Nothing]) -> Values:
        """Return an item."""
        store = self._view.store
        found = self._found(asked.names["item"])
        story = store.story_of(found.item.id)
        return {
            "item": whole_item_json(found),
            "matches": [match_json(each) for each in store.pages.matches_of_item(found.item.id)],
            "story": story_json(story) if story else None,
        }

    def explained(self, asked: Asked[ExplainQuery, Nothing]) -> Values:
        """Return why a rule or a query holds for an item, or why not."""
        found = self._found(asked.names["item"])
        trial = self._trial(asked.query)
        told = explanation(self._view.store, found.item, trial)
        return explanation_json(told, None if trial.rule.id == NO_ID else trial.rule.id)

    def _found(self, item: str) -> FoundItem:
        number = number_of(item)
        found = [] if number is None else self._view.store.items(ItemFilter(id=number, limit=1))
        if not found:
            raise ApiError(404, "There is no such item.")
        return found[0]

    def _trial(self, query: ExplainQuery) -> Trial:
        loaded = self._view.loaded
        if (query.rule is None) == (query.q is None):
            raise ApiError(400, "Give a rule, or a query as q: one of the two.")
        if query.rule is not None:
            check_known("rule", query.rule, [rule.id for rule in loaded.rules])
            return trial_of_rule(query.rule, loaded.config, loaded.known)
        try:
            return trial_of_query(query.q or "", loaded.known)
        except QueryError as error:
            raise wrong("q", str(error)) from None

    def _shown(self, query: ItemsQuery) -> Shown:
        view = self._view
        check_known("rule", query.rule, [rule.id for rule in view.loaded.rules])
        check_known("source", query.source, [source.id for source in view.loaded.config.sources])
        if query.language is not None:
            check_known("language", query.language, [each for each in view.store.languages() if each])
        since = query.since and moment_before(query.since, view.now())
        return Shown(
            rule=query.rule,
            source=query.source,
            language=query.language,
            since=since or None,
            limit=query.limit,
        )

    def _searched(self, asked: Asked[ItemsQuery, Nothing], text: str, which: Shown) -> Values:
        before = None
        if asked.query.cursor is not None:
            _, before = place_of(SOUGHT, asked.query.cursor)
        try:
            searched = search(self._view, text, which, before)
        except QueryError as error:
            raise wrong("q", str(error)) from None
        cursor = None if searched.further is None else cursor_of(SOUGHT, ("sought", searched.further))
        return {
            "items": [_listed_json(found, match) for found, match in searched.found],
            "next": asked.further(cursor=cursor) if cursor else None,
        }


def _listed_json(found: FoundItem, match: Match | None = None) -> Values:
    return {**item_json(found), "snippet": snippet_json(match.snippet) if match else None}
