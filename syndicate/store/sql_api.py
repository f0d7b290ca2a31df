"""What the JSON API lists, each read by an index and no further than told. See `syndicate.store.api`."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from syndicate.model import DeliveryState, DeliveryStatus, FoundItem, StoredMatch
from syndicate.store.api import ARRIVALS_AT_ONCE, Arrivals, DeliveryFilter, MatchFilter
from syndicate.store.pages import Shown
from syndicate.store.rows import item_of, stored_match_of, text_or_none
from syndicate.store.sql import Connection
from syndicate.store.sql_items import ITEM_COLUMNS, MATCH_COLUMNS
from syndicate.store.sql_letters import delivery_statuses
from syndicate.store.sql_pages import HELD_RULES, HOLDS, items_sql, shown_values

_FEW = (DeliveryState.DEAD, DeliveryState.HELD, DeliveryState.WAITING)  # states with an index of their own


@dataclass(frozen=True, slots=True)
class SqlApi:
    """`ApiStore` by SQL. See there for what each unit does."""

    read: Callable[[], AbstractContextManager[Connection]]
    arrivals_at_once: int = ARRIVALS_AT_ONCE

    def items(self, which: Shown) -> list[FoundItem]:
        with self.read() as db:
            rows = db.execute(
                f"""
                WITH page AS ({items_sql(which)})
                SELECT {ITEM_COLUMNS}, {HELD_RULES} AS rules
                FROM page JOIN items i ON i.id = page.item JOIN sources s ON s.id = i.source
                ORDER BY i.sort_at DESC, i.id DESC
                """,
                shown_values(which),
            )
            return [FoundItem(item=item_of(row), rules=tuple(json.loads(row["rules"]))) for row in rows]

    def matches(self, which: MatchFilter) -> list[StoredMatch]:
        with self.read() as db:
            rows = db.execute(
                f"""
                WITH page AS ({matches_sql(which)})
                SELECT {ITEM_COLUMNS}, {MATCH_COLUMNS}
                FROM page JOIN matches m ON m.rule = page.rule AND m.item = page.item
                JOIN items i ON i.id = m.item JOIN sources s ON s.id = i.source
                ORDER BY m.sort_at DESC, m.item DESC, m.rule DESC
                """,
                _match_values(which),
            )
            return [stored_match_of(row) for row in rows]

    def last_arrival(self) -> int:
        with self.read() as db:
            (last,) = db.execute("SELECT coalesce(max(number), 0) FROM match_arrivals").fetchone()
        return int(last)

    def arrivals(self, after: int, rule: str | None, limit: int) -> Arrivals:
        asked = {"after": after, "rule": rule, "limit": limit, "most": self.arrivals_at_once}
        with self.read() as db:
            looked_at, last = db.execute(REACH_SQL, asked).fetchone()
            rows = db.execute(arrivals_sql(of_rule=rule is not None), {**asked, "last": last}).fetchall()
        if len(rows) == limit:
            last = rows[-1]["number"]
        is_more = len(rows) == limit or looked_at == self.arrivals_at_once
        return Arrivals(matches=tuple(map(stored_match_of, rows)), last=last, is_more=is_more)

    def deliveries(self, which: DeliveryFilter) -> list[DeliveryStatus]:
        with self.read() as db:
            rows = db.execute(deliveries_sql(which), _delivery_values(which)).fetchall()
            return delivery_statuses(db, rows)


# --------------------------------------------------------------------------- which


def matches_sql(which: MatchFilter) -> str:
    """Return the statement that yields the matches that are listed, newest first."""
    conditions = [HOLDS]
    conditions += ["m.rule = :rule"] if which.rule is not None else []
    conditions += ["m.sort_at >= :since"] if which.since is not None else []
    conditions += ["(m.sort_at, m.item, m.rule) < (:order, :item, :last_rule)"] if which.before else []
    index = "matches_in_order" if which.rule is None else "matches_of_rule_in_order"
    return (
        f"SELECT m.rule, m.item FROM matches m INDEXED BY {index} WHERE {' AND '.join(conditions)}"
        " ORDER BY m.sort_at DESC, m.item DESC, m.rule DESC LIMIT :limit"
    )


def _match_values(which: MatchFilter) -> dict[str, object]:
    order, item, rule = which.before or (None, None, None)
    return {
        "rule": which.rule,
        "since": text_or_none(which.since),
        "order": text_or_none(order),
        "item": item,
        "last_rule": rule,
        "limit": which.limit,
    }


REACH_SQL = """
    SELECT count(*), coalesce(max(number), :after) FROM
        (SELECT number FROM match_arrivals WHERE number > :after ORDER BY number LIMIT :most) AS reached
"""


def arrivals_sql(*, of_rule: bool) -> str:
    """Return the statement that yields the matches that began to hold after one, up to another.

    Also those of rules that are not configured just now: one that comes back tells them no second time.
    """
    return f"""
        SELECT a.number, {ITEM_COLUMNS}, {MATCH_COLUMNS}
        FROM match_arrivals a CROSS JOIN matches m ON m.rule = a.rule AND m.item = a.item
        JOIN items i ON i.id = m.item JOIN sources s ON s.id = i.source
        WHERE a.number > :after AND a.number <= :last AND m.ended_at IS NULL
            {"AND a.rule = :rule" if of_rule else ""}
        ORDER BY a.number LIMIT :limit
    """


def deliveries_sql(which: DeliveryFilter) -> str:
    """Return the statement that yields the deliveries that are listed, those made last first.

    Those in a state that few are in are found by that, and sorted; a sign before a column keeps SQLite from
    walking through all of them by time instead.
    """
    is_few = which.state in _FEW
    made_at = "+d.created_at" if is_few else "d.created_at"
    conditions = [f"d.state = '{which.state}'"] if which.state else []
    endpoint = "+d.endpoint" if which.state is DeliveryState.HELD else "d.endpoint"
    conditions += [f"{endpoint} = :endpoint"] if which.endpoint is not None else []
    conditions += [f"{made_at} >= :since"] if which.since is not None else []
    if which.before is not None:
        last = "SELECT created_at, number FROM deliveries WHERE id = :before"
        conditions.append(f"({made_at}, d.number) < ({last})")
    by_time = "deliveries_by_time" if which.endpoint is None else "deliveries_made"
    index = "" if is_few else f"INDEXED BY {by_time}"
    return (
        f"SELECT d.* FROM deliveries d {index} WHERE {' AND '.join(conditions) or 'TRUE'}"
        f" ORDER BY {made_at} DESC, d.number DESC LIMIT :limit"
    )


def _delivery_values(which: DeliveryFilter) -> dict[str, object]:
    return {
        "endpoint": which.endpoint,
        "since": text_or_none(which.since),
        "before": which.before,
        "limit": which.limit,
    }
