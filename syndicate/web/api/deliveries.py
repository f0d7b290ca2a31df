"""Deliveries: what is on its way to endpoints, each attempt, and sending some once more."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter
from starlette.concurrency import run_in_threadpool

from syndicate.model import DeliveryState, DeliveryStatus, TokenScope
from syndicate.report_deliveries import attempt_json, delivery_json
from syndicate.store.api import DeliveryFilter
from syndicate.web.api.cursors import cursor_of, place_of
from syndicate.web.api.fields import DELIVERY_ID, USUAL, Cursor, Limit, Moment, Name, Time, moment_before
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
from syndicate.web.view import View

PLACE = TypeAdapter(tuple[Literal["deliveries"], str])
MOST_REPLAYED = 1_000  # at once

_BY_ID: dict[str, JsonValue] = {
    "required": ["ids"],
    "not": {"anyOf": [{"required": ["endpoint"]}, {"required": ["since"]}, {"required": ["state"]}]},
}
_BY_ENDPOINT: dict[str, JsonValue] = {"required": ["endpoint", "since"], "not": {"required": ["ids"]}}

# --------------------------------------------------------------------------- what is sent


class DeliveriesQuery(Fields):
    """Which deliveries; what is not given does not restrict."""

    endpoint: Name | None = None
    """Only to this endpoint, by its id."""
    state: DeliveryState | None = None
    """Only in this state."""
    since: Moment | None = None
    """Only those made since then: a time (RFC 3339), or so long before now."""
    cursor: Cursor | None = None
    """Where the page begins: from the `next` of the page before."""
    limit: Limit = USUAL
    """How many deliveries the page has at most."""


class Replay(Fields):
    """Which deliveries to send again: `ids`, or `endpoint` with `since`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [_BY_ID, _BY_ENDPOINT]})

    ids: Annotated[list[Name], Field(min_length=1, max_length=MOST_REPLAYED)] | None = None
    """Those with these ids."""
    endpoint: Name | None = None
    """Those to this endpoint."""
    since: Moment | None = None
    """Of those, the ones made since then: a time (RFC 3339), or so long before now."""
    state: DeliveryState | None = None
    """Of those, the ones in this state."""


# --------------------------------------------------------------------------- what is answered


class ToldAlert(Answer):
    """What a delivery tells."""

    rule: str
    item: int


class Delivery(Answer):
    """Alerts on their way to an endpoint."""

    id: str
    """The webhook-id, of all attempts."""
    endpoint: str
    alerts: list[ToldAlert]
    state: str
    """`held`, `waiting`, `delivered` or `dead`."""
    attempts: int
    next_attempt_at: Time | None
    created_at: Time
    last_status: int | None
    last_error: str | None
    sources: list[str]
    """The sources that it is about, instead of items."""
    endpoints: list[str]
    """The endpoints that it is about, instead of items."""
    spikes: list[str]
    """The rules whose spikes it is about, instead of items."""


class DeliveryPage(Answer):
    """A page of deliveries."""

    deliveries: list[Delivery]
    next: str | None
    """What follows the path in the address of the next page; null: there is none."""


class Attempt(Answer):
    """One try to deliver."""

    started_at: Time
    ms: int
    status: int | None
    """Null: no complete answer came."""
    error: str | None
    """Null: it was taken."""
    answer: str
    """The first kB of what the endpoint answered."""


class DeliveryAnswer(Answer):
    """A delivery with all its attempts, in order."""

    delivery: Delivery
    attempts: list[Attempt]


class Replayed(Answer):
    """What became of a replay, in numbers of deliveries."""

    due: int
    """That are sent again now."""
    under_way: int
    """That are being sent at this moment, and left alone."""
    held: int
    """That a pace or a silence holds back, and are left alone."""


# --------------------------------------------------------------------------- what is done


class Deliveries:
    """Answers what is asked of deliveries."""

    def __init__(self, view: View) -> None:
        self._view = view

    @property
    def operations(self) -> list[AnyOperation]:
        """What can be asked."""
        return [
            Operation(
                id="listDeliveries",
                method="GET",
                path="/deliveries",
                scope=TokenScope.READ,
                summary="List deliveries",
                about="Those made last first. As `deliveries --json`.",
                run=self.listing,
                answer=DeliveryPage,
                query=DeliveriesQuery,
                body=Nothing,
                leads_to=(Lead(id="getDelivery", name="delivery", at="/deliveries/0/id"),),
            ),
            Operation(
                id="replayDeliveries",
                method="POST",
                path="/deliveries/replay",
                scope=TokenScope.REPLAY,
                summary="Send deliveries again",
                about=(
                    "As `deliveries replay`: whatever became of them, with what they said before, under the "
                    f"same ids. At most {MOST_REPLAYED} at once; if there are more, none is sent."
                ),
                run=self.replay,
                answer=Replayed,
                query=Nothing,
                body=Replay,
            ),
            Operation(
                id="getDelivery",
                method="GET",
                path="/deliveries/{delivery}",
                scope=TokenScope.READ,
                summary="A delivery with all its attempts",
                about="As `deliveries show --json`.",
                run=self.one,
                answer=DeliveryAnswer,
                query=Nothing,
                body=Nothing,
                names={"delivery": DELIVERY_ID},
            ),
        ]

    def listing(self, asked: Asked[DeliveriesQuery, Nothing]) -> Values:
        """Return a page of deliveries."""
        query = asked.query
        self._check_endpoint(query.endpoint)
        which = DeliveryFilter(
            endpoint=query.endpoint,
            state=query.state,
            since=None if query.since is None else moment_before(query.since, self._view.now()),
            before=None if query.cursor is None else place_of(PLACE, query.cursor)[1],
            limit=query.limit + 1,
        )
        found = self._view.store.api.deliveries(which)
        shown = found[: query.limit]
        cursor = cursor_of(PLACE, ("deliveries", shown[-1].id)) if len(found) > query.limit else None
        return {
            "deliveries": [delivery_json(each) for each in shown],
            "next": asked.further(cursor=cursor) if cursor else None,
        }

    def one(self, asked: Asked[Nothing, Nothing]) -> Values:
        """Return a delivery with all its attempts."""
        found = self._view.store.delivery(asked.names["delivery"])
        if found is None:
            raise ApiError(404, "There is no such delivery.")
        delivery, attempts = found
        return {"delivery": delivery_json(delivery), "attempts": [attempt_json(each) for each in attempts]}

    async def replay(self, asked: Asked[Nothing, Replay]) -> Values:
        """Send deliveries again."""
        found = await run_in_threadpool(self._chosen, asked.body)
        due = await self._view.change(self._view.store.replay_deliveries, [each.id for each in found])
        held = sum(each.state is DeliveryState.HELD for each in found)
        return {"due": due, "under_way": max(len(found) - due - held, 0), "held": held}

    def _chosen(self, which: Replay) -> list[DeliveryStatus]:
        if (which.ids is None) == (which.endpoint is None):
            raise ApiError(400, "Give ids, or endpoint with since: one of the two.")
        if which.ids is not None:
            return self._by_id(which)
        if which.since is None:
            raise wrong("since", "must be given with endpoint: how far back")
        self._check_endpoint(which.endpoint)
        since = moment_before(which.since, self._view.now())
        found = self._view.store.api.deliveries(
            DeliveryFilter(endpoint=which.endpoint, state=which.state, since=since, limit=MOST_REPLAYED + 1)
        )
        if len(found) > MOST_REPLAYED:
            raise wrong("since", f"there are more than {MOST_REPLAYED} of them: say less far back")
        return found

    def _by_id(self, which: Replay) -> list[DeliveryStatus]:
        for name in ("since", "state"):
            if getattr(which, name) is not None:
                raise wrong(name, "goes with endpoint")
        found = {identity: self._view.store.delivery(identity) for identity in which.ids or ()}
        missing = [identity for identity, each in found.items() if each is None]
        if missing:
            raise ApiError(404, f"There is no delivery {', '.join(missing[:5])}; none is sent again.")
        return [each[0] for each in found.values() if each]

    def _check_endpoint(self, endpoint: str | None) -> None:
        """Refuse an endpoint that is neither configured nor has anything left of it."""
        if endpoint is not None and not self._view.store.api.deliveries(
            DeliveryFilter(endpoint=endpoint, limit=1)
        ):
            check_known("endpoint", endpoint, [each.id for each in self._view.loaded.config.endpoints])
