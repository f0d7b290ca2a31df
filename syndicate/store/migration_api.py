"""What programs need to follow what is new, and to see deliveries by when they were made."""

API = """
    CREATE TABLE match_arrivals (  -- in the order in which matches began to hold; no number comes twice
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        rule TEXT NOT NULL,
        item INTEGER NOT NULL
    );
    INSERT INTO match_arrivals (rule, item) SELECT rule, item FROM matches ORDER BY matched_at, item, rule;
    CREATE INDEX deliveries_by_time ON deliveries (created_at);
"""
