"""The tables of the first schema. See `syndicate.store.migrations`."""

FIRST = """
    CREATE TABLE installation (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        uuid TEXT NOT NULL,
        created_at TEXT NOT NULL,
        network TEXT NOT NULL DEFAULT '',
        rule_set TEXT NOT NULL DEFAULT ''
    );

    CREATE TABLE sources (
        id INTEGER PRIMARY KEY,
        slug TEXT NOT NULL UNIQUE,
        place INTEGER NOT NULL,
        definition TEXT NOT NULL,
        is_configured INTEGER NOT NULL,
        is_enabled INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'new',
        address_index INTEGER NOT NULL DEFAULT 0,
        host TEXT NOT NULL,
        next_poll_at TEXT NOT NULL,
        lease_until TEXT,
        lease_owner TEXT,
        failures INTEGER NOT NULL DEFAULT 0,
        last_polled_at TEXT,
        last_success_at TEXT,
        last_success_url TEXT,
        last_status INTEGER,
        last_error TEXT,
        document_title TEXT NOT NULL DEFAULT '',
        document_link TEXT,
        problems TEXT NOT NULL DEFAULT '[]'
    );
    CREATE INDEX sources_due ON sources (next_poll_at, host, lease_until)
        WHERE is_configured AND is_enabled AND state <> 'gone';
    CREATE INDEX sources_leased ON sources (host, lease_until) WHERE lease_until IS NOT NULL;

    CREATE TABLE addresses (
        source INTEGER NOT NULL REFERENCES sources (id),
        url TEXT NOT NULL,
        adopted TEXT,
        moved_to TEXT,
        moved_count INTEGER NOT NULL DEFAULT 0,
        is_gone INTEGER NOT NULL DEFAULT 0,
        etag BLOB,
        last_modified BLOB,
        validated_url TEXT,
        body_hash TEXT,
        error TEXT,
        PRIMARY KEY (source, url)
    ) WITHOUT ROWID;

    CREATE TABLE hosts (
        host TEXT PRIMARY KEY,
        next_request_at TEXT,
        backoff_until TEXT
    ) WITHOUT ROWID;

    CREATE TABLE stories (
        id INTEGER PRIMARY KEY,
        first_seen TEXT NOT NULL
    );
    CREATE TABLE story_keys (
        key TEXT PRIMARY KEY,
        story INTEGER NOT NULL REFERENCES stories (id)
    ) WITHOUT ROWID;

    CREATE TABLE items (
        id INTEGER PRIMARY KEY,
        source INTEGER NOT NULL REFERENCES sources (id),
        entry_id TEXT NOT NULL UNIQUE,
        story INTEGER NOT NULL REFERENCES stories (id),
        revision INTEGER NOT NULL,
        content_hash TEXT NOT NULL,
        sort_at TEXT NOT NULL,
        first_seen TEXT NOT NULL,
        changed_at TEXT NOT NULL,
        guid TEXT,
        link TEXT,
        language TEXT,
        published TEXT,
        published_raw TEXT,
        updated TEXT,
        updated_raw TEXT,
        author TEXT NOT NULL,
        categories TEXT NOT NULL,
        enclosures TEXT NOT NULL,
        title TEXT NOT NULL,
        summary TEXT NOT NULL,
        body TEXT NOT NULL,
        content_html TEXT NOT NULL
    );
    CREATE INDEX items_by_time ON items (sort_at, id);
    CREATE INDEX items_by_source ON items (source, sort_at, id);

    CREATE TABLE revisions (
        item INTEGER NOT NULL REFERENCES items (id),
        revision INTEGER NOT NULL,
        changed_at TEXT NOT NULL,
        title TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (item, revision)
    );

    CREATE TABLE item_keys (
        source INTEGER NOT NULL REFERENCES sources (id),
        key TEXT NOT NULL,
        item INTEGER NOT NULL REFERENCES items (id),
        PRIMARY KEY (source, key)
    ) WITHOUT ROWID;

    CREATE VIRTUAL TABLE items_fts USING fts5 (
        title, body, columnsize = 0,
        tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* Co Pc' tokenchars ''''"
    );

    CREATE TABLE rules (
        id TEXT PRIMARY KEY,
        version TEXT,
        is_configured INTEGER NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE matches (
        rule TEXT NOT NULL REFERENCES rules (id),
        item INTEGER NOT NULL REFERENCES items (id),
        revision INTEGER NOT NULL,
        matched_at TEXT NOT NULL,
        ended_at TEXT,
        evidence TEXT NOT NULL,
        PRIMARY KEY (rule, item)
    );
    CREATE INDEX matches_by_item ON matches (item);
    CREATE INDEX matches_holding ON matches (rule, item) WHERE ended_at IS NULL;

    CREATE TABLE feeds (
        rule TEXT PRIMARY KEY REFERENCES rules (id),
        feed_id TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL,
        is_configured INTEGER NOT NULL,
        generation INTEGER NOT NULL DEFAULT 1,
        published INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;

    CREATE TABLE deliveries (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        endpoint TEXT NOT NULL,
        state TEXT NOT NULL,
        created_at TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_at TEXT,
        lease_until TEXT,
        lease_owner TEXT,
        last_status INTEGER,
        last_error TEXT,
        body BLOB
    );
    CREATE INDEX deliveries_leased ON deliveries (endpoint, lease_until) WHERE lease_until IS NOT NULL;
    CREATE INDEX deliveries_due ON deliveries (endpoint, next_attempt_at) WHERE state = 'waiting';

    CREATE TABLE alerts (
        id INTEGER PRIMARY KEY,
        dedup_key TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        rule TEXT NOT NULL,
        story INTEGER NOT NULL REFERENCES stories (id),
        item INTEGER NOT NULL REFERENCES items (id),
        endpoint TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT,
        created_at TEXT NOT NULL,
        delivery TEXT REFERENCES deliveries (id)
    );
    CREATE INDEX alerts_by_delivery ON alerts (delivery) WHERE delivery IS NOT NULL;

    CREATE TABLE attempts (
        id INTEGER PRIMARY KEY,
        delivery TEXT NOT NULL REFERENCES deliveries (id),
        started_at TEXT NOT NULL,
        duration_ms INTEGER NOT NULL,
        status INTEGER,
        error TEXT,
        answer TEXT NOT NULL
    );
    CREATE INDEX attempts_by_delivery ON attempts (delivery);
"""
