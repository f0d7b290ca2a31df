"""What was done within each hour, counted as it is done, in the same transaction."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from syndicate.model import Attempt, Poll, PollState, Recorded
from syndicate.model.overview import Hour
from syndicate.store.overview import HOURS_KEPT
from syndicate.store.rows import Row, time_text
from syndicate.store.sql import Connection

HOUR_LENGTH = len("2026-11-24T02")
_NOTE = """
    INSERT INTO hours (hour, polls, failed, items, matches, attempts, taken, database_bytes)
    VALUES (:hour, :polls, :failed, :items, :matches, :attempts, :taken,
        :database_bytes)
    ON CONFLICT (hour) DO UPDATE SET polls = hours.polls + :polls, failed = hours.failed + :failed,
        items = hours.items + :items, matches = hours.matches + :matches,
        attempts = hours.attempts + :attempts, taken = hours.taken + :taken,
        database_bytes = excluded.database_bytes
"""
_NOTHING = dict.fromkeys(("polls", "failed", "items", "matches", "attempts", "taken"), 0)


def note_polls(db: Connection, polls: Sequence[Poll], recorded: Sequence[Recorded], now: datetime) -> None:
    """Count polls that were recorded, and what came of them."""
    counted = [(poll, result) for poll, result in zip(polls, recorded, strict=True) if not result.was_stale]
    asked = [(poll, result) for poll, result in counted if poll.state not in _PUSHES]
    values = {
        "polls": len(asked),
        "failed": sum(poll.state in _FAILED or result.error is not None for poll, result in asked),
        "items": sum(result.new for _, result in counted),
        "matches": sum(result.matched for _, result in counted),
    }
    _note(db, values, now)


def note_attempts(db: Connection, attempts: Sequence[Attempt], now: datetime) -> None:
    """Count attempts to deliver."""
    taken = sum(attempt.error is None for attempt in attempts)
    _note(db, {"attempts": len(attempts), "taken": taken}, now)


def hours(db: Connection, since: datetime) -> list[Hour]:
    """See `OverviewStore.hours`."""
    rows = db.execute("SELECT * FROM hours WHERE hour >= ? ORDER BY hour", [_hour(since)])
    return [_hour_of(row) for row in rows]


_PUSHES = (PollState.PUSHED, PollState.UNREADABLE_PUSH)
_FAILED = (PollState.FAILED, PollState.GONE)


def _note(db: Connection, values: dict[str, int], now: datetime) -> None:
    db.execute(_NOTE, _NOTHING | values | {"hour": _hour(now), "database_bytes": db.size_bytes()})
    db.execute("DELETE FROM hours WHERE hour < ?", [_hour(now - timedelta(hours=HOURS_KEPT))])


def _hour(moment: datetime) -> str:
    return time_text(moment)[:HOUR_LENGTH]


def _hour_of(row: Row) -> Hour:
    return Hour(
        begins=datetime.fromisoformat(row["hour"]).replace(tzinfo=UTC),
        **{name: row[name] for name in (*_NOTHING, "database_bytes")},
    )
