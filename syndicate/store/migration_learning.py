"""What sources teach, and gaps. See `syndicate.store.migrations`."""

LEARNING = """
    ALTER TABLE installation ADD COLUMN last_answer_at TEXT;

    ALTER TABLE sources ADD COLUMN requests INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE sources ADD COLUMN received_bytes INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE sources ADD COLUMN next_poll_why TEXT NOT NULL DEFAULT '';

    ALTER TABLE addresses ADD COLUMN unchanged_since TEXT;
    ALTER TABLE addresses ADD COLUMN checked_at TEXT;
    ALTER TABLE addresses ADD COLUMN strikes INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE addresses ADD COLUMN without_etag INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE addresses ADD COLUMN without_last_modified INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE addresses ADD COLUMN held_until TEXT;

    CREATE TABLE learned (  -- apart, since a poll without news leaves it as it is
        source INTEGER PRIMARY KEY REFERENCES sources (id),
        hints TEXT NOT NULL DEFAULT '{}',
        troubles TEXT NOT NULL DEFAULT '[]',
        listed TEXT NOT NULL DEFAULT '[]',
        habit TEXT NOT NULL DEFAULT '{}'
    );
    -- Of sources that were read before, what their items tell.
    INSERT INTO learned (source, habit)
    SELECT id, json_object(
        'since', (
            SELECT CAST(strftime('%s', first_seen) AS INTEGER)
            FROM items WHERE source = s.id ORDER BY sort_at LIMIT 1
        ),
        'arrivals', (
            SELECT json_group_array(came) FROM (
                SELECT CAST(strftime('%s', sort_at) AS INTEGER) AS came
                FROM items WHERE source = s.id ORDER BY sort_at DESC LIMIT 100
            )
        )
    ) FROM sources s WHERE last_success_at IS NOT NULL;

    CREATE TABLE gaps (
        id INTEGER PRIMARY KEY,
        source INTEGER NOT NULL REFERENCES sources (id),
        begins TEXT NOT NULL,
        ends TEXT NOT NULL,
        found_at TEXT NOT NULL,
        filled INTEGER NOT NULL,
        is_closed INTEGER NOT NULL
    );
    CREATE INDEX gaps_by_source ON gaps (source, id);

    -- Alerts about sources have neither rule, nor story, nor item.
    CREATE TABLE all_alerts (
        id INTEGER PRIMARY KEY,
        dedup_key TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        rule TEXT,
        story INTEGER REFERENCES stories (id),
        item INTEGER REFERENCES items (id),
        endpoint TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT,
        created_at TEXT NOT NULL,
        delivery TEXT REFERENCES deliveries (id),
        source INTEGER REFERENCES sources (id),
        said TEXT
    );
    INSERT INTO all_alerts
        (id, dedup_key, kind, rule, story, item, endpoint, state, reason, created_at, delivery)
    SELECT id, dedup_key, kind, rule, story, item, endpoint, state, reason, created_at, delivery
    FROM alerts;
    DROP TABLE alerts;
    ALTER TABLE all_alerts RENAME TO alerts;
    CREATE INDEX alerts_by_delivery ON alerts (delivery) WHERE delivery IS NOT NULL;
"""
