"""What the pages need to be fast however much is stored: what they show in the order that they show it in."""

PAGES = """
    ALTER TABLE matches ADD COLUMN sort_at TEXT NOT NULL DEFAULT '';  -- of the item
    UPDATE matches SET sort_at = (SELECT sort_at FROM items WHERE id = item);
    CREATE INDEX matches_in_order ON matches (sort_at, item, rule) WHERE ended_at IS NULL;
    CREATE INDEX matches_of_rule_in_order ON matches (rule, sort_at, item) WHERE ended_at IS NULL;
    DROP INDEX matches_holding;
    DROP INDEX items_by_language;
    CREATE TABLE rule_versions (  -- that were in force, one after the other
        id INTEGER PRIMARY KEY,
        rule TEXT NOT NULL,
        version TEXT NOT NULL,
        since TEXT NOT NULL,
        terms TEXT NOT NULL
    );
    CREATE INDEX rule_versions_by_rule ON rule_versions (rule, id);
    CREATE INDEX items_by_language ON items (language, sort_at, id);
"""
