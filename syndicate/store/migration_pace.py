"""Alerts that are held back, and silences. See `syndicate.store.migrations`."""

from sqlite_utils import Database


def add_pace_and_silences(db: Database) -> None:
    """Which endpoints have a pace, what is held back from them, and which alerts are silenced by what."""
    db.executescript(
        """
        CREATE TABLE paces (  -- endpoints from which alerts are held back
            endpoint TEXT PRIMARY KEY
        ) WITHOUT ROWID;

        CREATE TABLE silences (
            id INTEGER PRIMARY KEY,
            author TEXT NOT NULL,
            reason TEXT NOT NULL,
            created_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            ends_at TEXT NOT NULL,  -- then, or sooner if a person said so
            rule TEXT,
            source TEXT,
            tag TEXT,
            endpoint TEXT,
            text TEXT
        );
        ALTER TABLE alerts ADD COLUMN silence INTEGER REFERENCES silences (id);
        CREATE INDEX alerts_by_silence ON alerts (silence) WHERE silence IS NOT NULL;

        CREATE INDEX deliveries_held ON deliveries (next_attempt_at, endpoint) WHERE state = 'held';
        CREATE INDEX deliveries_made ON deliveries (endpoint, created_at);
        """
    )
