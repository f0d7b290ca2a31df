"""Subscriptions at hubs, and what these send. See `syndicate.store.migrations`."""

WEBSUB = """
    CREATE TABLE subscriptions (
        id INTEGER PRIMARY KEY,
        source INTEGER NOT NULL REFERENCES sources (id),
        token TEXT NOT NULL UNIQUE,  -- the end of the callback, which only the hub knows
        callback TEXT NOT NULL,
        hub TEXT NOT NULL,
        topic TEXT NOT NULL,
        secret TEXT NOT NULL,
        state TEXT NOT NULL,
        asked_at TEXT,
        next_ask_at TEXT NOT NULL,
        since TEXT,
        expires_at TEXT,
        failures INTEGER NOT NULL DEFAULT 0,
        error TEXT,
        doubts INTEGER NOT NULL DEFAULT 1,
        pushes INTEGER NOT NULL DEFAULT 0,
        last_push_at TEXT,
        rejected INTEGER NOT NULL DEFAULT 0,
        last_rejected_at TEXT,
        lease_until TEXT,
        lease_owner TEXT
    );
    CREATE INDEX subscriptions_by_source ON subscriptions (source);
    CREATE INDEX subscriptions_due ON subscriptions (next_ask_at);

    CREATE TABLE pushes (
        id INTEGER PRIMARY KEY,
        source INTEGER NOT NULL REFERENCES sources (id),
        topic TEXT NOT NULL,
        received_at TEXT NOT NULL,
        digest TEXT NOT NULL,
        content_type TEXT NOT NULL,
        length_bytes INTEGER NOT NULL,
        body BLOB NOT NULL
    );
    CREATE UNIQUE INDEX pushes_by_source ON pushes (source, digest);
"""
