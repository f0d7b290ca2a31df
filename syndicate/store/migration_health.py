"""What the feed of health shows, and where it is."""

HEALTH = """
    ALTER TABLE installation ADD COLUMN health_token TEXT;  -- NULL: it is not published
    ALTER TABLE installation ADD COLUMN health_since TEXT;
    ALTER TABLE installation ADD COLUMN health_changes INTEGER NOT NULL DEFAULT 0;

    CREATE TABLE notices (
        id INTEGER PRIMARY KEY,
        noticed_at TEXT NOT NULL,
        source INTEGER REFERENCES sources (id),
        endpoint TEXT,
        is_over INTEGER NOT NULL,
        text TEXT NOT NULL
    );
    INSERT INTO notices (noticed_at, source, endpoint, is_over, text)
        SELECT min(created_at), source, json_extract(said, '$.endpoint'),
            json_extract(said, '$.is_over'), json_extract(said, '$.text')
        FROM alerts WHERE kind IN ('source', 'endpoint') GROUP BY kind, source, said ORDER BY min(id);

    -- Whatever writes these, the feed lacks something then.
    CREATE TRIGGER noticed AFTER INSERT ON notices BEGIN
        UPDATE installation SET health_changes = health_changes + 1;
    END;
    CREATE TRIGGER delivery_died_or_lives AFTER UPDATE OF state ON deliveries
    WHEN (OLD.state = 'dead') <> (NEW.state = 'dead') BEGIN
        UPDATE installation SET health_changes = health_changes + 1;
    END;
    CREATE TRIGGER dead_delivery_left AFTER DELETE ON deliveries WHEN OLD.state = 'dead' BEGIN
        UPDATE installation SET health_changes = health_changes + 1;
    END;
"""
