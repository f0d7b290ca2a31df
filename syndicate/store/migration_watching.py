"""What people see of sources: what became of their polls, the last that failed, how many items they have."""

WATCHING = """
    CREATE TABLE poll_days (
        source INTEGER NOT NULL REFERENCES sources (id),
        day TEXT NOT NULL,  -- in UTC
        good INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        items INTEGER NOT NULL,
        PRIMARY KEY (source, day)
    ) WITHOUT ROWID;
    CREATE TRIGGER poll_day_began AFTER INSERT ON poll_days BEGIN  -- once a day and source
        DELETE FROM poll_days WHERE source = NEW.source AND day < date(NEW.day, '-40 days');
    END;
    CREATE TABLE last_failures (
        source INTEGER PRIMARY KEY REFERENCES sources (id),
        at TEXT NOT NULL,
        url TEXT NOT NULL,
        error TEXT NOT NULL,
        answer TEXT
    );
    ALTER TABLE sources ADD COLUMN paused_at TEXT;
    ALTER TABLE sources ADD COLUMN items INTEGER NOT NULL DEFAULT 0;  -- how many there are of it
    UPDATE sources SET items = (SELECT count(*) FROM items WHERE source = sources.id);
    CREATE TRIGGER item_came AFTER INSERT ON items BEGIN
        UPDATE sources SET items = items + 1 WHERE id = NEW.source;
    END;
    CREATE TRIGGER item_left AFTER DELETE ON items BEGIN
        UPDATE sources SET items = items - 1 WHERE id = OLD.source;
    END;
"""
