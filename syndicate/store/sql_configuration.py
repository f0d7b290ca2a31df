"""Taking over the configuration: sources, rules, feeds."""

import json
import uuid
from collections.abc import Sequence
from datetime import datetime

from syndicate.model import Source
from syndicate.model.feeds import Feed
from syndicate.store.protocol import RuleState
from syndicate.store.rows import host_of, json_text, source_definition, source_of, time_or_none, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_claims import first_to_ask, host_to_ask, make_due
from syndicate.store.sql_feeds import configure_feeds
from syndicate.store.sql_many import insert_rows
from syndicate.store.sql_renaming import take_over_former_ids

_HUB_HINTS = ("hubs", "topic")


def configure(
    db: Connection,
    sources: Sequence[Source],
    rules: Sequence[RuleState],
    feeds: Sequence[Feed],
    now: datetime,
) -> tuple[str, ...]:
    """See `Store.configure`; endpoints are not looked at."""
    installation = _installation(db, now)
    for place, source in enumerate(sources):
        _configure_source(db, place, source, now)
    take_over_former_ids(db, rules)
    _retire(db, "sources", "slug", [source.id for source in sources])
    _retire(db, "rules", "id", [rule.id for rule in rules])
    # What a rule that comes back has missed is made up for: to the store, it is new.
    db.execute("UPDATE rules SET version = NULL WHERE NOT is_configured")
    for rule in rules:
        _configure_rule(db, rule)
    _note_versions(db, rules, now)
    configure_feeds(db, feeds, installation, now)
    versions = {row["id"]: row["version"] for row in db.execute("SELECT id, version FROM rules")}
    return tuple(rule.id for rule in rules if versions[rule.id] != rule.version)


def _retire(db: Connection, table: str, column: str, configured: Sequence[str]) -> None:
    db.execute(
        f"UPDATE {table} SET is_configured = FALSE WHERE {column} NOT IN (SELECT value FROM json_each(?))",
        [json.dumps(configured)],
    )


def note_network(db: Connection, network: str, now: datetime) -> None:
    """Make failing sources due if how we may reach others has changed."""
    _installation(db, now)
    changed = db.execute("UPDATE installation SET network = ?1 WHERE network <> ?1", [network])
    if changed.rowcount:
        which = "state = 'failing' AND id NOT IN (SELECT source FROM addresses WHERE held_until > ?)"
        make_due(db, now, "how we may reach others has changed", which, time_text(now))


def note_rule_set(db: Connection, rules: Sequence[RuleState]) -> str:
    """Return what names this set of rules, and keep it as the one in force."""
    rule_set = json.dumps(sorted((rule.id, rule.version) for rule in rules))
    db.execute("UPDATE installation SET rule_set = ?", [rule_set])
    return rule_set


def forget_versions_under_other_rules(db: Connection, rule_set: str) -> None:
    """Have rules applied anew at the next start if another set is in force, which misses what we record."""
    db.execute("UPDATE rules SET version = NULL WHERE (SELECT rule_set FROM installation) <> ?", [rule_set])


def _installation(db: Connection, now: datetime) -> uuid.UUID:
    db.execute(
        "INSERT INTO installation (id, uuid, created_at) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
        [str(uuid.uuid4()), time_text(now)],
    )
    return uuid.UUID(db.execute("SELECT uuid FROM installation").fetchone()[0])


def _configure_source(db: Connection, place: int, source: Source, now: datetime) -> None:
    before = db.execute("SELECT * FROM sources WHERE slug = ?", [source.id]).fetchone()
    if before is None:
        db.execute(
            "INSERT INTO sources (slug, place, definition, is_configured, is_enabled, host, next_poll_at)"
            " VALUES (?, ?, ?, TRUE, ?, ?, ?)",
            [
                source.id,
                place,
                source_definition(source),
                source.enabled,
                host_of(source.urls[0]),
                time_text(now),
            ],
        )
    else:
        is_enabled = source.enabled and before["paused_at"] is None
        db.execute(
            "UPDATE sources SET place = ?, definition = ?, is_configured = TRUE, is_enabled = ?"
            " WHERE slug = ?",
            [place, source_definition(source), is_enabled, source.id],
        )
        known = source_of(before["definition"])
        is_back = is_enabled and not (before["is_enabled"] and before["is_configured"])
        if (known.urls, known.addresses) != (source.urls, source.addresses) or is_back:
            _forget_other_readings(db, before["id"], known, source)
            _start_over(db, before["id"], source, now)
        elif source.interval < known.interval:
            make_due(
                db,
                now + source.interval,
                "its interval is shorter now",
                "id = ? AND state = 'ok'",
                before["id"],
            )


def _forget_other_readings(db: Connection, row_id: int, known: Source, source: Source) -> None:
    """What is read in another way from now on was never read; what is first now does not come back."""
    for url in source.urls:
        if known.address(url) != source.address(url):
            db.execute("DELETE FROM addresses WHERE source = ? AND url = ? AND NOT is_gone", [row_id, url])
            db.execute(
                "UPDATE sources SET last_success_url = NULL WHERE id = ? AND last_success_url = ?",
                [row_id, url],
            )
    if known.urls[:1] != source.urls[:1]:
        db.execute("UPDATE addresses SET read_at = NULL WHERE source = ?", [row_id])
        # Its hub pushes what is of the former; the one that is first now names its own, if it has one.
        _forget_hub(db, row_id)


def _forget_hub(db: Connection, row_id: int) -> None:
    row = db.execute("SELECT hints FROM learned WHERE source = ?", [row_id]).fetchone()
    if row is not None:
        hints = {name: hint for name, hint in json.loads(row["hints"]).items() if name not in _HUB_HINTS}
        db.execute("UPDATE learned SET hints = ? WHERE source = ?", [json_text(hints), row_id])


def _start_over(db: Connection, row_id: int, source: Source, now: datetime) -> None:
    """A person touched its addresses: ask again soon, from the first that may be, also those that said 410.

    Whoever polls it now asks what is configured no longer, so loses the claim.
    """
    marks = ", ".join("?" * len(source.urls))
    db.execute(
        f"DELETE FROM addresses WHERE source = ? AND (is_gone OR url NOT IN ({marks}))",
        [row_id, *source.urls],
    )
    index = first_to_ask(db, row_id, source.urls, now, None)
    db.execute(
        "UPDATE sources SET address_index = ?, is_look = FALSE, host = ?, lease_until = NULL,"
        " lease_owner = NULL, state = CASE state WHEN 'gone' THEN 'new' ELSE state END WHERE id = ?",
        [index, host_to_ask(db, row_id, source.urls, index), row_id],
    )
    make_due(
        db, _may_be_asked_at(db, row_id, source.urls[index], now), "it was configured anew", "id = ?", row_id
    )


def _may_be_asked_at(db: Connection, row_id: int, url: str, now: datetime) -> datetime:
    row = db.execute(
        "SELECT held_until FROM addresses WHERE source = ? AND url = ?", [row_id, url]
    ).fetchone()
    held_until = time_or_none(row["held_until"]) if row else None
    return max(held_until or now, now)


def _configure_rule(db: Connection, rule: RuleState) -> None:
    db.execute(
        "INSERT INTO rules (id, is_configured) VALUES (?, TRUE)"
        " ON CONFLICT (id) DO UPDATE SET is_configured = TRUE, renamed_to = NULL",
        [rule.id],
    )


def _note_versions(db: Connection, rules: Sequence[RuleState], now: datetime) -> None:
    """Write down which versions are in force from now on, where others were before."""
    rows = db.execute(
        "SELECT rule, version FROM rule_versions"
        " WHERE id IN (SELECT max(id) FROM rule_versions GROUP BY rule)"
    )
    known = {row["rule"]: row["version"] for row in rows}
    insert_rows(
        db,
        "INSERT INTO rule_versions (rule, version, since, terms)",
        [
            (rule.id, rule.version, time_text(now), json_text(rule.terms))
            for rule in rules
            if known.get(rule.id) != rule.version
        ],
    )
