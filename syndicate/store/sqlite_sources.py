"""How the sources are."""

import json
from collections.abc import Mapping

from sqlite_utils import Database

from syndicate.model import SourceStatus
from syndicate.store.rows import Row, source_of, time_or_none


def sources(db: Database) -> list[SourceStatus]:
    """See `Store.sources`."""
    counts = {
        row["source"]: row["items"]
        for row in db.execute("SELECT source, count(*) AS items FROM items GROUP BY source")
    }
    failing: dict[int, list[str]] = {}
    for row in db.execute("SELECT source, url, error FROM addresses WHERE error IS NOT NULL"):
        failing.setdefault(row["source"], []).append(f"{row['url']}: {row['error']}")
    rows = db.execute(
        "SELECT s.*, h.backoff_until FROM sources s LEFT JOIN hosts h ON h.host = s.host"
        " ORDER BY is_configured DESC, place, slug"
    ).fetchall()
    return [_status(row, counts.get(row["id"], 0), failing.get(row["id"], [])) for row in rows]


def source_documents(db: Database) -> Mapping[str, tuple[str, str | None]]:
    """See `Store.source_documents`."""
    rows = db.execute("SELECT slug, document_title, document_link FROM sources")
    return {row["slug"]: (row["document_title"], row["document_link"]) for row in rows}


def _status(row: Row, items: int, failing: list[str]) -> SourceStatus:
    source = source_of(row["definition"])
    state = _state(row)
    is_polled = state not in ("removed", "disabled", "gone")
    return SourceStatus(
        id=source.id,
        title=source.title,
        urls=source.urls,
        enabled=source.enabled,
        state=state,
        next_poll_at=time_or_none(max(row["next_poll_at"], row["backoff_until"] or ""))
        if is_polled
        else None,
        last_polled_at=time_or_none(row["last_polled_at"]),
        last_success_at=time_or_none(row["last_success_at"]),
        last_status=row["last_status"],
        last_error=row["last_error"],
        problems=(*json.loads(row["problems"]), *(failing if state in ("ok", "fallback") else ())),
        failures=row["failures"],
        items=items,
    )


def _state(row: Row) -> str:
    if not row["is_configured"]:
        return "removed"
    return row["state"] if row["is_enabled"] else "disabled"
