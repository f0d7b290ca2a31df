"""Matches: the newest first, and whatever begins to hold from now on, each once."""

from typing import Literal

from pydantic import TypeAdapter

from syndicate.model import StoredMatch, TokenScope
from syndicate.report_items import told_match_json
from syndicate.store.api import MatchFilter
from syndicate.web.api import answers
from syndicate.web.api.cursors import Number, Order, cursor_of, place_of
from syndicate.web.api.fields import USUAL, Cursor, Limit, Moment, Name, moment_before
from syndicate.web.api.operation import (
    Answer,
    AnyOperation,
    Asked,
    Fields,
    Lead,
    Nothing,
    Operation,
    Values,
    check_known,
    wrong,
)
from syndicate.web.view import View

PLACE = TypeAdapter(tuple[Literal["matches"], Order, Number, str])
ARRIVAL = TypeAdapter(tuple[Literal["arrivals"], Number])


class MatchesQuery(Fields):
    """Which matches; what is not given does not restrict."""

    rule: Name | None = None
    """Only those of this rule, by its id."""
    since: Moment | None = None
    """Only of items published, or first seen, since then: a time (RFC 3339), or so long before now."""
    cursor: Cursor | None = None
    """Where the page begins: from the `next` of the page before."""
    after: Cursor | None = None
    """Only what began to hold after this, the first of it first: from the `follow` of an answer before."""
    limit: Limit = USUAL
    """How many matches the page has at most."""


class ToldMatch(answers.Match):
    """A match with its item."""

    item: answers.ItemHead


class MatchPage(Answer):
    """A page of matches."""

    matches: list[ToldMatch]
    next: str | None
    """What follows the path in the address of the next page; null: there is none now."""
    follow: str
    """What follows the path in the address that has whatever begins to hold after this page, to be asked for
    again and again."""


class Matches:
    """Answers what is asked of matches."""

    def __init__(self, view: View) -> None:
        self._view = view

    @property
    def operations(self) -> list[AnyOperation]:
        """What can be asked."""
        return [
            Operation(
                id="listMatches",
                method="GET",
                path="/matches",
                scope=TokenScope.READ,
                summary="List matches, or follow what is new",
                about=(
                    "Without `after`, matches that hold now, by when their items were published or first "
                    "seen, the newest first. With `after`, those that began to hold after it, in that order: "
                    "nothing is missed, however late an item comes and whatever date it bears, and nothing "
                    "comes twice, unless it had ended and begins to hold anew."
                ),
                run=self.listing,
                answer=MatchPage,
                query=MatchesQuery,
                body=Nothing,
                leads_to=(
                    Lead(id="getItem", name="item", at="/matches/0/item/id"),
                    Lead(id="getRule", name="rule", at="/matches/0/rule"),
                ),
            )
        ]

    def listing(self, asked: Asked[MatchesQuery, Nothing]) -> Values:
        """Return a page of matches."""
        query = asked.query
        check_known("rule", query.rule, [rule.id for rule in self._view.loaded.rules])
        if query.after is None:
            return self._newest(asked)
        for name in ("since", "cursor"):
            if getattr(query, name) is not None:
                raise wrong(name, "does not go with after, which says itself from where on")
        return self._after(query, query.after)

    def _newest(self, asked: Asked[MatchesQuery, Nothing]) -> Values:
        query, api = asked.query, self._view.store.api
        last = api.last_arrival()  # before looking: what comes meanwhile is told again rather than not at all
        before = None
        if query.cursor is not None:
            _, order, item, rule = place_of(PLACE, query.cursor)
            before = (order, item, rule)
        since = None if query.since is None else moment_before(query.since, self._view.now())
        which = MatchFilter(rule=query.rule, since=since, before=before, limit=query.limit + 1)
        found = api.matches(which)
        cursor = _cursor(found[query.limit - 1]) if len(found) > query.limit else None
        return {
            "matches": [told_match_json(each) for each in found[: query.limit]],
            "next": asked.further(cursor=cursor) if cursor else None,
            "follow": _follow(query, last),
        }

    def _after(self, query: MatchesQuery, after: str) -> Values:
        _, number = place_of(ARRIVAL, after, "after")
        arrivals = self._view.store.api.arrivals(number, query.rule, query.limit)
        follow = _follow(query, arrivals.last)
        return {
            "matches": [told_match_json(each) for each in arrivals.matches],
            "next": follow if arrivals.is_more else None,
            "follow": follow,
        }


def _cursor(last: StoredMatch) -> str:
    return cursor_of(PLACE, ("matches", last.item.order, last.item.id, last.match.rule))


def _follow(query: MatchesQuery, last: int) -> str:
    """Return where whatever comes later is, of the same rule, as many at once."""
    kept = query.model_copy(update={"since": None, "cursor": None})
    asked = Asked(names={}, query=kept, body=Nothing())
    return asked.further(after=cursor_of(ARRIVAL, ("arrivals", last)))
