"""Matches, and the ledger of alerts: once per (rule, story, endpoint), for ever."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from syndicate.model import (
    AlertDraft,
    AlertStatus,
    DeliveryState,
    Match,
    Recorded,
    StoredMatch,
    Suppressed,
)
from syndicate.store.protocol import BackfillMatch, RuleState
from syndicate.store.rows import Row, carriers_of, evidence_json, stored_match_of, time_of, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_deliveries import insert_delivery
from syndicate.store.sql_feeds import mark_stale, touch_entries
from syndicate.store.sql_items import ITEM_COLUMNS, MATCH_COLUMNS
from syndicate.store.sql_many import insert_rows, stored
from syndicate.store.sql_stories import Neighbours, Text


def record_backfill(
    db: Connection, rule: RuleState, since: datetime, matches: Sequence[BackfillMatch], now: datetime
) -> Recorded:
    """See `Store.record_backfill`."""
    counts: Counter[str] = Counter()
    version_by_item = _held_since(db, rule.id, since)
    neighbours = Neighbours(db, (), now, [found.item for found in matches if found.fingerprint])
    for found in matches:
        item = db.execute(
            "SELECT story, revision, first_seen FROM items WHERE id = ?", [found.item]
        ).fetchone()
        if item["revision"] != found.revision:
            continue  # edited meanwhile, and so matched again
        _note_text(db, found, item, neighbours)
        is_first = upsert_match(db, found.item, found.match, now)
        counts["matched"] += 1
        counts["new"] += found.item not in version_by_item
        drafts = [draft for draft in found.alerts if is_first or draft.is_asked_for]
        told = [Told(item=found.item, story=item["story"], draft=draft) for draft in drafts]
        insert_alerts(db, told, now, counts)
    neighbours.settle()
    neighbours.write(db)
    # Those under this version that are not among these were found by a poll meanwhile.
    others = {item for item, version in version_by_item.items() if version != rule.version}
    ended = others - {found.item for found in matches}
    _end_matches(db, [(rule.id, item) for item in ended], now)
    counts["ended"] = len(ended)
    db.execute(
        "UPDATE rules SET version = ?1, matched_since ="
        " CASE WHEN version = ?1 THEN min(matched_since, ?2) ELSE ?2 END WHERE id = ?3",
        [rule.version, time_text(since), rule.id],
    )
    mark_stale(db, [rule.id])
    return recorded("", counts)


def _note_text(db: Connection, found: BackfillMatch, item: Row, neighbours: Neighbours) -> None:
    """Keep by what others find the story of an item, which stays in its own."""
    if found.text_key:
        rows = [(found.text_key, item["story"])]
        insert_rows(db, "INSERT INTO story_keys (key, story)", rows, "ON CONFLICT DO NOTHING")
    if found.fingerprint:
        neighbours.add(
            Text(
                item=found.item,
                story=item["story"],
                seen_at=item["first_seen"],
                fingerprint=found.fingerprint,
            )
        )


def skip_backfill(db: Connection, rules: Sequence[RuleState]) -> bool:
    """See `Store.skip_backfill`."""
    if db.execute("SELECT 1 FROM items LIMIT 1").fetchone() is not None:
        return False
    db.executemany("UPDATE rules SET version = ? WHERE id = ?", [(rule.version, rule.id) for rule in rules])
    return True


def upsert_match(db: Connection, item: int, match: Match, now: datetime) -> bool:
    """Return whether the rule never held for the item before."""
    known = db.execute(
        "SELECT ended_at FROM matches WHERE rule = ? AND item = ?", [match.rule, item]
    ).fetchone()
    db.execute(
        """
        INSERT INTO matches (rule, item, revision, evidence, matched_at, sort_at)
        SELECT :rule, id, revision, :evidence, :now, sort_at FROM items WHERE id = :item
        ON CONFLICT (rule, item) DO UPDATE SET
            revision = excluded.revision, evidence = excluded.evidence, ended_at = NULL,
            sort_at = excluded.sort_at,
            matched_at =
                CASE WHEN matches.ended_at IS NULL THEN matches.matched_at ELSE excluded.matched_at END
        """,
        {"rule": match.rule, "item": item, "evidence": evidence_json(match), "now": time_text(now)},
    )
    if known is None or known["ended_at"] is not None:
        note_arrivals(db, [(match.rule, item)])
    return known is None


def note_arrivals(db: Connection, matches: Sequence[tuple[str, int]]) -> None:
    """Note that (rule, item) hold from now on, for those who follow what is new.

    One transaction writes at a time, so whoever has seen a number has seen all that are lower.
    """
    insert_rows(db, "INSERT INTO match_arrivals (rule, item)", matches)


def end_matches_of_item(db: Connection, item: int, held: Sequence[Match], now: datetime) -> set[str]:
    """End the matches of an edited item that hold no more; return their rules."""
    before = db.execute("SELECT rule FROM matches WHERE item = ? AND ended_at IS NULL", [item]).fetchall()
    ended = {row["rule"] for row in before} - {match.rule for match in held}
    _end_matches(db, [(rule, item) for rule in ended], now)
    return ended


def stored_match(db: Connection, rule: str, item: int) -> StoredMatch | None:
    """See `Store.stored_match`."""
    row = db.execute(
        f"""
        SELECT {ITEM_COLUMNS}, {MATCH_COLUMNS}
        FROM matches m JOIN items i ON i.id = m.item JOIN sources s ON s.id = i.source
        WHERE m.rule = ? AND m.item = ?
        """,
        [rule, item],
    ).fetchone()
    return None if row is None else stored_match_of(row)


def alerts_about(db: Connection, rule: str, stories: Iterable[int]) -> list[AlertStatus]:
    """See `Store.alerts_about`."""
    rows = db.execute(
        """
        SELECT a.kind, a.story, a.item, a.endpoint, a.state, a.reason, a.created_at, a.delivery, a.said,
            a.silence,
            d.state AS delivery_state
        FROM json_each(:stories) AS asked CROSS JOIN json_each('["match", "escalation"]') AS kind
        JOIN alerts a ON a.dedup_key >= kind.value || :rule || asked.value || ' '
            AND a.dedup_key < kind.value || :rule || asked.value || '!'  -- which follows the space
        LEFT JOIN deliveries d ON d.id = a.delivery
        ORDER BY a.id
        """,
        {"stories": json.dumps(list(stories)), "rule": f" {rule} "},
    )
    return [
        AlertStatus(
            kind=row["kind"],
            story=row["story"],
            item=row["item"],
            endpoint=row["endpoint"],
            state=row["state"],
            reason=Suppressed(row["reason"]) if row["reason"] else None,
            created_at=time_of(row["created_at"]),
            silence=row["silence"],
            delivery=row["delivery"],
            delivery_state=DeliveryState(row["delivery_state"]) if row["delivery"] else None,
            sources=carriers_of(row["said"]),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert about an item."""

    item: int
    story: int
    draft: AlertDraft


def dedup_key(kind: str, told: Told) -> str:
    """Return what the ledger has at most one alert under."""
    return f"{kind} {told.draft.rule} {told.story} {told.draft.endpoint}"


def insert_alerts(db: Connection, several: Sequence[Told], now: datetime, counts: Counter[str]) -> None:
    """Enter alerts that the ledger does not have, and count them."""
    if all(told.draft.suppressed for told in several):  # as in a first poll: many, from which nothing follows
        rows = [_alert_values(told, now) for told in several]
        counts["suppressed"] += _insert_into_ledger(db, rows)
        return
    new = _not_told_under_another_id(db, several)
    entered = [told.draft for told in new if _insert_alert(db, told, now)]
    suppressed = sum(1 for draft in entered if draft.suppressed)
    counts["suppressed"] += suppressed
    counts["alerts"] += len(entered) - suppressed


def _not_told_under_another_id(db: Connection, several: Sequence[Told]) -> list[Told]:
    """Return alerts without those of rules that another process has renamed, and told under the other id."""
    rows = db.execute(
        "SELECT id, renamed_to FROM rules WHERE renamed_to IS NOT NULL"
        " AND id IN (SELECT value FROM json_each(?))",
        [json.dumps(sorted({told.draft.rule for told in several}))],
    )
    present = {row["id"]: row["renamed_to"] for row in rows}
    key_by_told = {
        told: dedup_key("match", replace(told, draft=replace(told.draft, rule=present[told.draft.rule])))
        for told in several
        if told.draft.rule in present
    }
    known = stored(db, "alerts", "dedup_key", "state", key_by_told.values())
    return [told for told in several if known.get(key_by_told.get(told, "")) != "alerted"]


def recorded(source: str, counts: Counter[str]) -> Recorded:
    """Return what was counted."""
    return Recorded(
        source=source,
        new=counts["new"],
        changed=counts["changed"],
        matched=counts["matched"],
        ended=counts["ended"],
        alerts=counts["alerts"],
        suppressed=counts["suppressed"],
    )


def _held_since(db: Connection, rule: str, since: datetime) -> dict[int, str]:
    """Return the version by which a rule holds, for each item since then for which it does."""
    rows = db.execute(
        "SELECT m.item, json_extract(m.evidence, '$.version') AS version"
        " FROM matches m JOIN items i ON i.id = m.item"
        " WHERE m.rule = ? AND m.ended_at IS NULL AND i.sort_at >= ?",
        [rule, time_text(since)],
    )
    return {row["item"]: row["version"] for row in rows}


_ALERT_COLUMNS = "dedup_key, kind, rule, story, item, endpoint, state, reason, created_at"


def _alert_values(told: Told, now: datetime) -> list[object]:
    draft = told.draft
    return [
        dedup_key("match", told),
        "match",
        draft.rule,
        told.story,
        told.item,
        draft.endpoint,
        "suppressed" if draft.suppressed else "alerted",
        draft.suppressed,
        time_text(now),
    ]


def _insert_into_ledger(db: Connection, rows: Sequence[Sequence[object]]) -> int:
    """Enter alerts that it does not have; return how many these are."""
    return insert_rows(db, f"INSERT INTO alerts ({_ALERT_COLUMNS})", rows, "ON CONFLICT DO NOTHING")


def _insert_alert(db: Connection, told: Told, now: datetime) -> bool:
    values, draft = _alert_values(told, now), told.draft
    entered = _insert_into_ledger(db, [values])
    if draft.suppressed:
        return bool(entered)
    if not entered and not _is_taken_up(db, told, now):
        return False
    delivery = insert_delivery(db, draft.endpoint, now)
    db.execute("UPDATE alerts SET delivery = ? WHERE dedup_key = ?", [delivery, dedup_key("match", told)])
    return True


def _is_taken_up(db: Connection, told: Told, now: datetime) -> bool:
    """Return whether a suppressed alert becomes a real one.

    It does when another item of its story is news, unless it was silenced; or when a person asks for it.
    """
    taken_up = db.execute(
        "UPDATE alerts SET state = 'alerted', reason = NULL, silence = NULL, item = ?1, created_at = ?2"
        " WHERE dedup_key = ?3 AND state = 'suppressed' AND (item <> ?1 AND reason <> 'silenced' OR ?4)",
        [told.item, time_text(now), dedup_key("match", told), told.draft.is_asked_for],
    )
    return bool(taken_up.rowcount)


def _end_matches(db: Connection, pairs: Sequence[tuple[str, int]], now: datetime) -> None:
    touch_entries(db, [item for _, item in pairs])
    for rule, item in pairs:
        db.execute(
            "UPDATE matches SET ended_at = ? WHERE rule = ? AND item = ?", [time_text(now), rule, item]
        )
