"""Rules that go on under another id: their matches, what they have told, their feeds."""

from collections.abc import Sequence

from syndicate.store.protocol import RuleState
from syndicate.store.sql import Connection

_KINDS = ("match", "escalation", "spike")  # of alerts that a rule raises; each dedup key begins with one


def take_over_former_ids(db: Connection, rules: Sequence[RuleState]) -> None:
    """Have each rule go on with all that is known under the ids that it had before.

    What both ids have, stays with the present one; but an alert that was sent counts for more than one that
    was suppressed. Another process may still have the former configuration: what it records under a former id
    is taken over the next time.
    """
    for rule in rules:
        for former in rule.renamed_from:
            known = db.execute("SELECT version FROM rules WHERE id = ?", [former]).fetchone()
            if known is not None:
                _take_over(db, former, rule.id)


def _take_over(db: Connection, former: str, present: str) -> None:
    _take_over_rule(db, former, present)
    _take_over_matches(db, former, present)
    for kind in _KINDS:
        _take_over_alerts(db, kind, former, present)
    _take_over_spikes(db, former, present)
    for table in ("silences", "rule_versions"):
        db.execute(f"UPDATE {table} SET rule = ? WHERE rule = ?", [present, former])
    # Who has subscribed to its feed sees that go on; a feed that the present id has already is another one.
    moved = db.execute(
        "UPDATE feeds SET id = ?1, generation = generation + 1"
        " WHERE id = ?2 AND NOT EXISTS (SELECT 1 FROM feeds WHERE id = ?1)",
        [present, former],
    )
    if moved.rowcount:
        for table in ("feed_entries", "feed_changes"):
            db.execute(f"DELETE FROM {table} WHERE feed = ?", [present])
            db.execute(f"UPDATE {table} SET feed = ? WHERE feed = ?", [present, former])
    # Matches that are older than the numbers of feeds belong to another rule now.
    db.execute("UPDATE feeds SET numbered_at = NULL")
    db.execute(
        "UPDATE rules SET is_configured = FALSE, version = NULL, renamed_to = ? WHERE id = ?",
        [present, former],
    )


def _take_over_rule(db: Connection, former: str, present: str) -> None:
    """Have the present id know what the former was applied to, and since when.

    One that the store knows already does so if it has the same version, or was applied to nothing, as one
    that is taken back.
    """
    db.execute(
        """
        INSERT INTO rules (id, version, is_configured, matched_since)
        SELECT ?, version, TRUE, matched_since FROM rules WHERE id = ?
        ON CONFLICT (id) DO UPDATE SET version = excluded.version, is_configured = TRUE, matched_since =
            CASE WHEN rules.version IS NULL THEN excluded.matched_since
            ELSE min(rules.matched_since, excluded.matched_since) END  -- NULL, the beginning, if one is
        WHERE rules.version IS NULL OR rules.version = excluded.version
        """,
        [present, former],
    )


def _take_over_spikes(db: Connection, former: str, present: str) -> None:
    """Have the spikes go on; of two that have not ended, that of the present id does."""
    db.execute(
        "UPDATE spikes SET ended_at = coalesce(calm_since, began_at) WHERE rule = ? AND ended_at IS NULL"
        " AND EXISTS (SELECT 1 FROM spikes WHERE rule = ? AND ended_at IS NULL)",
        [former, present],
    )
    db.execute("UPDATE spikes SET rule = ? WHERE rule = ?", [present, former])


def _take_over_matches(db: Connection, former: str, present: str) -> None:
    db.execute("UPDATE match_arrivals SET rule = ? WHERE rule = ?", [present, former])
    db.execute(
        "UPDATE matches SET rule = ?1 WHERE rule = ?2"
        " AND item NOT IN (SELECT item FROM matches WHERE rule = ?1)",
        [present, former],
    )
    db.execute("DELETE FROM matches WHERE rule = ?", [former])


def _take_over_alerts(db: Connection, kind: str, former: str, present: str) -> None:
    names = {
        "former": f"{kind} {former} ",
        "present": f"{kind} {present} ",
        "rule": present,
        "former_rule": former,
        "after": f"{kind} {former}!",
    }
    mine = "dedup_key >= :former AND dedup_key < :after"
    # An exclamation mark is what follows the space.
    moved = ":present || substr(alerts.dedup_key, length(:former) + 1)"
    db.execute(
        f"DELETE FROM alerts WHERE state = 'suppressed' AND dedup_key IN"
        f" (SELECT {moved} FROM alerts WHERE {mine} AND state <> 'suppressed')",
        names,
    )
    unless_taken = "NOT EXISTS (SELECT 1 FROM alerts other WHERE other.dedup_key = {})"
    db.execute(
        f"UPDATE alerts SET dedup_key = {moved}, rule = :rule WHERE {mine} AND {unless_taken.format(moved)}",
        names,
    )
    # What is left was told under both. The former id is free for another rule, which has told nothing.
    db.execute(f"DELETE FROM alerts WHERE state = 'suppressed' AND {mine}", names)
    both = f"{moved} || ' (' || :former_rule || ')'"
    db.execute(
        f"UPDATE alerts SET dedup_key = {both}, rule = :rule WHERE {mine} AND {unless_taken.format(both)}",
        names,
    )
    db.execute(f"UPDATE alerts SET rule = :rule WHERE {mine}", names)
