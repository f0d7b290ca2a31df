"""What polls teach of their sources: habits, gaps, and what is told of a source itself."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from syndicate.model import Gap, Notice, Poll, PollState
from syndicate.store.learned import learned_values, notice_json
from syndicate.store.rows import Row, json_text, time_of, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_deliveries import insert_delivery
from syndicate.store.sql_health import note_gap, note_source
from syndicate.store.sql_spikes import note_watched

_ANSWERED = (PollState.OK, PollState.UNCHANGED)


def record_lessons(
    db: Connection, source: int, poll: Poll, new_items: Mapping[str, int], now: datetime
) -> int:
    """Write what a poll taught; return how many alerts about its source are due now.

    Args:
        new_items: that it found, by their first key.
    """
    if poll.learned is not None:
        values = {"source": source, **learned_values(poll.learned)}
        db.execute(
            "INSERT INTO learned (source, habit, hints, troubles) VALUES (:source, :habit, :hints, :troubles)"
            " ON CONFLICT (source) DO UPDATE"
            " SET habit = excluded.habit, hints = excluded.hints, troubles = excluded.troubles",
            values,
        )
    if poll.listed is not None:
        db.execute(
            "INSERT INTO learned (source, listed) VALUES (?, ?)"
            " ON CONFLICT (source) DO UPDATE SET listed = excluded.listed",
            [source, json_text([new_items.get(str(name), name) for name in poll.listed])],
        )
    if poll.gap is not None:
        _insert_gap(db, source, poll.gap)
        note_gap(db, source, poll.gap, now)
    for notice in poll.notices:
        note_source(db, source, notice.text, now, is_over=notice.is_over)
    return sum(
        _insert_notice(db, source, notice, endpoint, now)
        for notice in poll.notices
        for endpoint in poll.notify
    )


def note_answers(db: Connection, polls: Iterable[Poll], now: datetime) -> None:
    """Note when a source last had an answer, and that there is somebody who looks."""
    states = {poll.state for poll in polls}
    if not states.isdisjoint(_ANSWERED):
        db.execute("UPDATE installation SET last_answer_at = ?", [time_text(now)])
    if not states.isdisjoint((*_ANSWERED, PollState.PUSHED)):
        note_watched(db, now)


def gaps(db: Connection) -> Mapping[int, tuple[int, Gap]]:
    """Return how many gaps each source has had, and the last."""
    rows = db.execute(
        "SELECT g.*, counted.gaps FROM gaps g JOIN"
        " (SELECT source, count(*) AS gaps, max(id) AS last FROM gaps GROUP BY source) AS counted"
        " ON counted.last = g.id"
    )
    return {row["source"]: (row["gaps"], _gap_of(row)) for row in rows}


def gaps_of(db: Connection, source: str, limit: int) -> list[Gap]:
    """See `WatchStore.gaps`."""
    rows = db.execute(
        "SELECT * FROM gaps WHERE source = (SELECT id FROM sources WHERE slug = ?) ORDER BY id DESC LIMIT ?",
        [source, limit],
    )
    return [_gap_of(row) for row in rows]


def _insert_gap(db: Connection, source: int, gap: Gap) -> None:
    db.execute(
        "INSERT INTO gaps (source, begins, ends, found_at, filled, is_closed) VALUES (?, ?, ?, ?, ?, ?)",
        [
            source,
            time_text(gap.begins),
            time_text(gap.ends),
            time_text(gap.found_at),
            gap.filled,
            gap.is_closed,
        ],
    )


def _gap_of(row: Row) -> Gap:
    return Gap(
        begins=time_of(row["begins"]),
        ends=time_of(row["ends"]),
        found_at=time_of(row["found_at"]),
        filled=row["filled"],
        is_closed=bool(row["is_closed"]),
    )


def _insert_notice(db: Connection, source: int, notice: Notice, endpoint: str, now: datetime) -> bool:
    """Enter an alert about a source, unless the ledger has it; return whether it is due now."""
    state = "over" if notice.is_over else "begun"
    dedup_key = f"source {source} {notice.kind} {time_text(notice.since)} {state} {endpoint}"
    entered = db.execute(
        "INSERT INTO alerts (dedup_key, kind, source, endpoint, state, created_at, said)"
        " VALUES (?, 'source', ?, ?, 'alerted', ?, ?) ON CONFLICT DO NOTHING",
        [dedup_key, source, endpoint, time_text(now), notice_json(notice)],
    )
    if not entered.rowcount:
        return False
    delivery = insert_delivery(db, endpoint, now)
    db.execute("UPDATE alerts SET delivery = ? WHERE dedup_key = ?", [delivery, dedup_key])
    return True
