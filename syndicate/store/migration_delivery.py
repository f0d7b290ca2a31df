"""What deliveries need beyond the first schema. See `syndicate.store.migrations`."""

from sqlite_utils import Database


def add_endpoints_and_replays(db: Database) -> None:
    """How each endpoint is, whose attempts there were, and from which attempt on a replay counts."""
    db.executescript(
        """
        CREATE TABLE endpoints (
            id TEXT PRIMARY KEY,
            failing_since TEXT,  -- NULL: it took what it was sent last
            disabled_at TEXT,
            troubled_since TEXT,  -- its owner was told then, and is to be told when it is over
            reason TEXT
        ) WITHOUT ROWID;

        ALTER TABLE attempts ADD COLUMN endpoint TEXT NOT NULL DEFAULT '';
        UPDATE attempts SET endpoint = (SELECT endpoint FROM deliveries WHERE id = attempts.delivery);
        CREATE INDEX attempts_by_endpoint ON attempts (endpoint);

        ALTER TABLE deliveries ADD COLUMN replayed_after INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX deliveries_dead ON deliveries (endpoint) WHERE state = 'dead';
        """
    )
