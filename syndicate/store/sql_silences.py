"""Silences, and the alerts that are not told because of one."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from syndicate.model import Silence, SilenceDraft, Suppressed
from syndicate.store.rows import Row, source_of, time_of, time_text
from syndicate.store.silencing import Subject, is_silenced
from syndicate.store.sql import Connection

_HELD = """
    SELECT a.id, a.delivery, a.endpoint, a.rule, a.said, i.title, i.body, s.slug, s.definition
    FROM deliveries d JOIN alerts a ON a.delivery = d.id
    LEFT JOIN items i ON i.id = a.item
    LEFT JOIN sources s ON s.id = coalesce(i.source, a.source)
    WHERE d.state = 'held' AND d.endpoint = ?
"""


def add_silence(db: Connection, draft: SilenceDraft, now: datetime) -> Silence:
    """See `Store.add_silence`."""
    values = {
        "author": draft.author,
        "reason": draft.reason,
        "created_at": time_text(now),
        "expires_at": time_text(draft.expires_at),
        "ends_at": time_text(draft.expires_at),
        "rule": draft.rule,
        "source": draft.source,
        "tag": draft.tag,
        "endpoint": draft.endpoint,
        "text": draft.text,
    }
    marks = ", ".join(f":{name}" for name in values)
    (added,) = db.execute(
        f"INSERT INTO silences ({', '.join(values)}) VALUES ({marks}) RETURNING id", values
    ).fetchone()
    return next(each for each in silences(db) if each.id == added)


def silences(db: Connection) -> list[Silence]:
    """See `Store.silences`."""
    rows = db.execute(
        "SELECT *, (SELECT count(*) FROM alerts WHERE silence = silences.id) AS silenced"
        " FROM silences ORDER BY id"
    )
    return [_silence_of(row) for row in rows]


def expire_silences(db: Connection, ids: Sequence[int], now: datetime) -> list[int]:
    """See `Store.expire_silences`."""
    rows = db.execute(
        "UPDATE silences SET ends_at = ?1 WHERE ends_at > ?1"
        " AND id IN (SELECT CAST(value AS BIGINT) FROM json_each(?2)) RETURNING id",
        [time_text(now), json.dumps(ids)],
    ).fetchall()
    return sorted(row["id"] for row in rows)


def silence_held(db: Connection, endpoint: str, now: datetime) -> int:
    """Suppress what is held back from an endpoint and silenced; return how many alerts that are."""
    active = [each for each in silences(db) if each.ends_at > now]
    if not active:
        return 0
    silenced = 0
    for row in db.execute(_HELD, [endpoint]).fetchall():
        subject = _subject_of(row)
        silence = next((each for each in active if is_silenced(each.draft, subject)), None)
        if silence is not None:
            _suppress(db, row, silence)
            silenced += 1
    return silenced


def _suppress(db: Connection, alert: Row, silence: Silence) -> None:
    db.execute(
        "UPDATE alerts SET state = 'suppressed', reason = ?, silence = ?, delivery = NULL WHERE id = ?",
        [Suppressed.SILENCED, silence.id, alert["id"]],
    )
    # It was made to be held, and never sent to anybody.
    db.execute("DELETE FROM deliveries WHERE id = ?", [alert["delivery"]])


def _subject_of(row: Row) -> Subject:
    about_item = row["title"] is not None
    return Subject(
        endpoint=row["endpoint"],
        rule=row["rule"],
        source=row["slug"],
        tags=source_of(row["definition"]).tags if row["definition"] else (),
        text=f"{row['title']}\n{row['body']}" if about_item else _said(row["said"]),
    )


def _said(text: str | None) -> str:
    """Return what an alert about no item says, without the names of its parts."""
    return "\n".join(_strings(json.loads(text))) if text else ""


def _strings(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _strings(each)
        case dict():
            yield from _strings(list(value.values()))
        case _:
            pass  # a number, which is no text


def _silence_of(row: Row) -> Silence:
    return Silence(
        id=row["id"],
        draft=SilenceDraft(
            author=row["author"],
            reason=row["reason"],
            expires_at=time_of(row["expires_at"]),
            rule=row["rule"],
            source=row["source"],
            tag=row["tag"],
            endpoint=row["endpoint"],
            text=row["text"],
        ),
        created_at=time_of(row["created_at"]),
        ends_at=time_of(row["ends_at"]),
        silenced=row["silenced"],
    )
