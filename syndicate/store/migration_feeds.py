"""Feeds that collect several rules, and which entry of a feed has which number."""

FEEDS = """
    CREATE TABLE all_feeds (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,  -- of its files
        feed_id TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL,
        is_configured INTEGER NOT NULL,
        collects TEXT NOT NULL,  -- JSON: of which rules and sources, by items or stories
        generation INTEGER NOT NULL DEFAULT 1,
        published INTEGER NOT NULL DEFAULT 0,
        last_number INTEGER NOT NULL DEFAULT 0,
        numbered_at TEXT,  -- what matched before has its number; NULL: nothing has
        written_as TEXT NOT NULL DEFAULT '',  -- how the pages of its archive were written last
        written_up_to INTEGER NOT NULL DEFAULT 0  -- the last number then
    ) WITHOUT ROWID;
    INSERT INTO all_feeds (id, name, feed_id, created_at, is_configured, collects, generation, published)
        SELECT rule, rule, feed_id, created_at, is_configured,
            json_object('rules', json_array(rule), 'sources', NULL, 'dedupe', 'item', 'of', NULL),
            generation + 1, published
        FROM feeds;
    DROP TABLE feeds;
    ALTER TABLE all_feeds RENAME TO feeds;

    CREATE TABLE feed_rules (  -- whose matches make a feed stale
        rule TEXT NOT NULL,  -- '*': of every rule
        feed TEXT NOT NULL,
        PRIMARY KEY (rule, feed)
    ) WITHOUT ROWID;
    CREATE TABLE feed_sources (  -- whose items make a feed stale, when any rule holds for them
        source TEXT NOT NULL,
        feed TEXT NOT NULL,
        PRIMARY KEY (source, feed)
    ) WITHOUT ROWID;

    CREATE TABLE feed_entries (
        feed TEXT NOT NULL,
        number INTEGER NOT NULL,
        item INTEGER NOT NULL REFERENCES items (id),
        revision INTEGER NOT NULL,  -- of the item when it got the number
        sort_at TEXT NOT NULL,  -- of the item
        matched_at TEXT NOT NULL,
        is_touched INTEGER NOT NULL DEFAULT 0,  -- its item or a match of it has changed
        PRIMARY KEY (feed, number)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX feed_entries_by_item ON feed_entries (item, feed);
    CREATE INDEX feed_entries_by_time ON feed_entries (feed, sort_at, item);
    CREATE INDEX feed_entries_touched ON feed_entries (feed) WHERE is_touched;

    CREATE TABLE feed_changes (  -- numbers whose page has to be written again
        feed TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (feed, number)
    ) WITHOUT ROWID;

    CREATE TABLE retired_names (  -- of files that are to be removed
        name TEXT PRIMARY KEY
    ) WITHOUT ROWID;

    CREATE INDEX matches_by_time ON matches (rule, matched_at);
"""

BY_MATCH = """
    CREATE INDEX feed_entries_by_match ON feed_entries (feed, matched_at, item);
"""

NOTICED = """
    ALTER TABLE items ADD COLUMN noticed_revision INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE items ADD COLUMN noticed_at TEXT NOT NULL DEFAULT '';
    UPDATE items SET noticed_revision = revision, noticed_at = changed_at WHERE revision > 1;
    UPDATE items SET noticed_at = min(first_seen, max(
        coalesce(updated, published, first_seen), coalesce(min(published, first_seen), updated, first_seen)
    )) WHERE revision = 1;
"""
