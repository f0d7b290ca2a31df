"""The tables of spikes: what hourly volumes are counted from, and which spikes there were."""

SPIKES = """
    ALTER TABLE items ADD COLUMN came_late INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX items_by_arrival ON items (first_seen, came_late, story);

    CREATE TABLE watched_hours (
        hour TEXT PRIMARY KEY  -- as times begin: 2026-11-24T02
    ) WITHOUT ROWID;

    ALTER TABLE rules ADD COLUMN matched_since TEXT;  -- NULL: since the beginning

    CREATE TABLE spikes (
        id INTEGER PRIMARY KEY,
        rule TEXT NOT NULL REFERENCES rules (id),
        began_at TEXT NOT NULL,
        calm_since TEXT,
        ended_at TEXT,
        said TEXT NOT NULL
    );
    CREATE UNIQUE INDEX spikes_ongoing ON spikes (rule) WHERE ended_at IS NULL;
"""
