"""What the pages about alerts and about the machine need. See `syndicate.store.migrations`."""

OVERVIEW = """
    CREATE TABLE hours (  -- what was done in each of the last ones
        hour TEXT PRIMARY KEY,  -- as times begin: 2026-11-24T02
        polls INTEGER NOT NULL DEFAULT 0,
        failed INTEGER NOT NULL DEFAULT 0,
        items INTEGER NOT NULL DEFAULT 0,
        matches INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        taken INTEGER NOT NULL DEFAULT 0,
        database_bytes INTEGER NOT NULL
    ) WITHOUT ROWID;

    CREATE INDEX deliveries_by_state ON deliveries (state, endpoint);
    DROP INDEX deliveries_dead;
    CREATE INDEX deliveries_waiting ON deliveries (endpoint, created_at) WHERE state = 'waiting';
"""
