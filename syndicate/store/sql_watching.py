"""How sources have fared, and pausing them. See `syndicate.store.watching`."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime

from syndicate.model import Gap, LastFailure, PollDay, SourceHead, SourceStatus
from syndicate.store.rows import bad_answer_of, source_of, time_of, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_learned import gaps_of
from syndicate.store.sql_sources import sources, state_of
from syndicate.store.sql_subscriptions import doubt_hub

OVERVIEW_SQL = """
    SELECT s.slug, s.state, s.is_configured, s.is_enabled, s.paused_at,
        EXISTS (
            SELECT 1 FROM json_each(l.troubles) WHERE CAST(json_extract(value, '$.is_told') AS BOOLEAN)
        ) AS is_troubled
    FROM sources s LEFT JOIN learned l ON l.source = s.id
    WHERE s.is_configured ORDER BY s.place
"""
DAYS_SQL = """
    SELECT s.slug, d.* FROM json_each(:sources) AS wanted
    JOIN sources s ON s.slug = wanted.value JOIN poll_days d ON d.source = s.id
    WHERE d.day >= :since ORDER BY d.source, d.day
"""
_FAIL = ("failing", "gone")
_AMONG = "slug IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class SqlWatch:
    """`WatchStore` by SQL. See there for what each unit does."""

    write: Callable[[], AbstractContextManager[Connection]]
    read: Callable[[], AbstractContextManager[Connection]]
    now: Callable[[], datetime]

    def overview(self) -> list[SourceHead]:
        with self.read() as db:
            return [
                SourceHead(
                    id=row["slug"],
                    state=state_of(row),
                    needs_somebody=state_of(row) in _FAIL or bool(row["is_troubled"]),
                )
                for row in db.execute(OVERVIEW_SQL)
            ]

    def statuses(self, sources_: Collection[str]) -> Mapping[str, SourceStatus]:
        with self.read() as db:
            return {status.id: status for status in sources(db, self.now(), sources_)}

    def poll_days(self, sources_: Collection[str], since: date) -> Mapping[str, Sequence[PollDay]]:
        found: dict[str, list[PollDay]] = {source: [] for source in sources_}
        with self.read() as db:
            values = {"sources": json.dumps([*sources_]), "since": since.isoformat()}
            for row in db.execute(DAYS_SQL, values):
                day = date.fromisoformat(row["day"])
                found[row["slug"]].append(
                    PollDay(day=day, good=row["good"], failed=row["failed"], items=row["items"])
                )
        return found

    def last_failure(self, source: str) -> LastFailure | None:
        with self.read() as db:
            row = db.execute(
                "SELECT f.* FROM last_failures f JOIN sources s ON s.id = f.source WHERE s.slug = ?", [source]
            ).fetchone()
        if row is None:
            return None
        return LastFailure(
            at=time_of(row["at"]), url=row["url"], error=row["error"], answer=bad_answer_of(row["answer"])
        )

    def gaps(self, source: str, limit: int) -> list[Gap]:
        with self.read() as db:
            return gaps_of(db, source, limit)

    def pause(self, sources_: Collection[str]) -> int:
        with self.write() as db:
            return db.execute(
                f"UPDATE sources SET paused_at = ?, is_enabled = FALSE WHERE paused_at IS NULL AND {_AMONG}",
                [time_text(self.now()), json.dumps([*sources_])],
            ).rowcount

    def resume(self, sources_: Collection[str]) -> int:
        with self.write() as db:
            rows = db.execute(
                f"SELECT id, definition FROM sources WHERE paused_at IS NOT NULL AND {_AMONG}",
                [json.dumps([*sources_])],
            ).fetchall()
            for row in rows:
                db.execute(
                    "UPDATE sources SET paused_at = NULL, is_enabled = ?, next_poll_at = ?,"
                    " next_poll_why = 'it was paused until then' WHERE id = ?",
                    [source_of(row["definition"]).enabled, time_text(self.now()), row["id"]],
                )
                doubt_hub(db, row["id"], self.now())  # which was told that nobody wants its pushes
            return len(rows)
