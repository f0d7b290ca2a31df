"""Stories by text: what is kept to find them by, and how each item came to its own."""

from sqlite_utils import Database


def add_stories_by_text(db: Database) -> None:
    """Add fingerprints and their bands, the evidence of joinings, and the former ids of rules."""
    db.executescript(
        """
        CREATE TABLE fingerprints (  -- of items for which a rule has held; they outlive the text
            item INTEGER PRIMARY KEY REFERENCES items (id),
            story INTEGER NOT NULL REFERENCES stories (id),
            version INTEGER NOT NULL,
            seen_at TEXT NOT NULL,
            words BLOB NOT NULL
        );
        CREATE INDEX fingerprints_by_time ON fingerprints (seen_at);

        CREATE TABLE bands (  -- of the fingerprints of the last days
            key INTEGER NOT NULL,
            item INTEGER NOT NULL,
            PRIMARY KEY (key, item)
        ) WITHOUT ROWID;

        CREATE TABLE joinings (  -- of items that are not the first of their story
            item INTEGER PRIMARY KEY REFERENCES items (id),
            how TEXT NOT NULL,  -- link, text, alike
            other INTEGER REFERENCES items (id),  -- that it is alike to
            evidence TEXT
        );

        CREATE INDEX items_by_story ON items (story);
        ALTER TABLE installation ADD COLUMN bands_cleared_at TEXT;
        ALTER TABLE rules ADD COLUMN renamed_to TEXT;
        """
    )
