"""The tables of our hub: who wants to be told, who is, and of which document."""

HUB = """
    CREATE TABLE hub_topics (
        topic TEXT PRIMARY KEY,
        digest TEXT NOT NULL  -- of the newest document
    ) WITHOUT ROWID;

    CREATE TABLE hub_requests (
        id INTEGER PRIMARY KEY,
        topic TEXT NOT NULL,
        callback TEXT NOT NULL,
        host TEXT NOT NULL,
        mode TEXT NOT NULL,
        next_try_at TEXT NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        lease_until TEXT,
        lease_owner TEXT,
        lease_seconds INTEGER NOT NULL,
        secret TEXT,
        reason TEXT NOT NULL,
        digest TEXT,
        UNIQUE (topic, callback)
    );
    CREATE INDEX hub_requests_by_host ON hub_requests (host);
    CREATE INDEX hub_requests_due ON hub_requests (next_try_at);

    CREATE TABLE hub_paces (  -- of asking hosts whether they mean it
        host TEXT PRIMARY KEY,
        next_at TEXT NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE hub_subscribers (
        id INTEGER PRIMARY KEY,
        topic TEXT NOT NULL,
        callback TEXT NOT NULL,
        kind TEXT NOT NULL,
        host TEXT NOT NULL,
        expires_at TEXT,  -- NULL: never
        next_try_at TEXT,  -- NULL: it has the newest document
        failures INTEGER NOT NULL DEFAULT 0,
        was_slow INTEGER NOT NULL DEFAULT 0,
        lease_until TEXT,
        lease_owner TEXT,
        digest TEXT,  -- of the document that it has; NULL: unknown
        told INTEGER NOT NULL DEFAULT 0,
        told_at TEXT,
        status INTEGER,
        secret TEXT,
        error TEXT,
        UNIQUE (topic, callback)
    );
    CREATE INDEX hub_subscribers_by_host ON hub_subscribers (host);
    CREATE INDEX hub_subscribers_due ON hub_subscribers (next_try_at) WHERE next_try_at IS NOT NULL;
"""
