"""The schema, as forward-only migrations.

What stands here and in `migration_*.py` is never edited once released; add to the end.

Times are UTC text of fixed width (`2026-11-24T02:00:00.000000Z`), so they sort as they read. Long columns
stand last, since SQLite walks through a row to reach a column; a table WITHOUT ROWID has short rows only.
"""

from sqlite_utils import Database, Migrations

from syndicate.errors import SchemaError
from syndicate.store import (
    migration_api,
    migration_delivery,
    migration_feeds,
    migration_first,
    migration_health,
    migration_hub,
    migration_learning,
    migration_overview,
    migration_pace,
    migration_pages,
    migration_spikes,
    migration_story,
    migration_watching,
    migration_websub,
)

migrations = Migrations("syndicate")


def is_migrated(db: Database) -> bool:
    """Return whether the database has this version's schema.

    Raises:
        SchemaError: a newer Syndicate has been here.
    """
    empty = Database(memory=True)
    known = {migration.name for migration in migrations.pending(empty)}
    empty.close()
    newer = [migration.name for migration in migrations.applied(db) if migration.name not in known]
    if newer:
        raise SchemaError(
            f"the database was written by a newer Syndicate (it has {', '.join(newer)}): "
            "upgrade this one, or name another file as [service] database"
        )
    return not migrations.pending(db)


def migrate(db: Database) -> None:
    """Bring the database to this version's schema, unless another process has done so meanwhile."""
    if not is_migrated(db):
        migrations.apply(db)


@migrations()
def m0001_first(db: Database) -> None:
    """The points that are expensive to undo: identity, the alert ledger, deliveries under one id."""
    db.executescript(migration_first.FIRST)


@migrations()
def m0002_words_and_stems(db: Database) -> None:
    """Keep items under their words and stems; those from before are kept anew while the service runs."""
    db.executescript(
        """
        DROP TABLE items_fts;
        CREATE VIRTUAL TABLE items_fts USING fts5 (
            words, stems, columnsize = 0,
            tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* Co Pc So' tokenchars ''''"
        );
        CREATE TABLE item_words (  -- a table of its own, since rows of items are long
            item INTEGER PRIMARY KEY REFERENCES items (id),
            version INTEGER NOT NULL
        );
        CREATE INDEX item_words_by_version ON item_words (version);
        INSERT INTO item_words (item, version) SELECT id, 0 FROM items;
        CREATE INDEX items_by_language ON items (language);
        """
    )


@migrations()
def m0003_when_to_poll(db: Database) -> None:
    """What sources teach about when to poll them, gaps, whom to believe, and alerts about sources."""
    db.executescript(migration_learning.LEARNING)


@migrations()
def m0004_kinds_of_source(db: Database) -> None:
    """What is known of each address by itself: when and as what it was read, and the parts of an index."""
    db.executescript(
        """
        ALTER TABLE addresses ADD COLUMN read_at TEXT;
        ALTER TABLE addresses ADD COLUMN format TEXT NOT NULL DEFAULT '';
        ALTER TABLE addresses ADD COLUMN parts TEXT NOT NULL DEFAULT '[]';
        UPDATE addresses SET read_at = (
            SELECT last_success_at FROM sources
            WHERE id = addresses.source AND last_success_url = addresses.url
        );
        """
    )


@migrations()
def m0005_websub(db: Database) -> None:
    """Subscriptions at hubs, and what hubs have sent until it is read."""
    db.executescript(migration_websub.WEBSUB)


@migrations()
def m0006_articles(db: Database) -> None:
    """The pages of articles that were read, and what became of the page of each item."""
    db.executescript(
        """
        CREATE TABLE pages (
            id INTEGER PRIMARY KEY,
            source INTEGER NOT NULL REFERENCES sources (id),
            host TEXT NOT NULL,
            page TEXT NOT NULL,
            reading TEXT NOT NULL,
            fetched_at TEXT NOT NULL,
            blocks TEXT NOT NULL,
            lines TEXT,  -- NULL: too old to be used again
            UNIQUE (source, page)
        );
        CREATE INDEX pages_by_host ON pages (source, host, id);
        CREATE INDEX pages_by_address ON pages (page, reading) WHERE lines IS NOT NULL;
        CREATE INDEX pages_by_age ON pages (fetched_at) WHERE lines IS NOT NULL;

        CREATE TABLE articles (
            item INTEGER PRIMARY KEY REFERENCES items (id),
            source INTEGER NOT NULL REFERENCES sources (id),
            told TEXT NOT NULL,
            has_text INTEGER NOT NULL,
            tries INTEGER NOT NULL,
            since TEXT NOT NULL,
            next_try_at TEXT,
            suppressed TEXT
        );
        CREATE INDEX articles_awaited ON articles (source, next_try_at) WHERE next_try_at IS NOT NULL;
        """
    )


@migrations()
def m0007_words_without_their_text(db: Database) -> None:
    """Keep of the words of items only the index, not their text as well, which nobody reads."""
    db.executescript(
        """
        CREATE VIRTUAL TABLE words_fts USING fts5 (
            words, stems, columnsize = 0, content = '',
            tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* Co Pc So' tokenchars ''''"
        );
        INSERT INTO words_fts (words_fts, rank) VALUES ('automerge', 16);
        INSERT INTO words_fts (rowid, words, stems) SELECT rowid, words, stems FROM items_fts;
        ALTER TABLE item_words ADD COLUMN place INTEGER;  -- in the index: another one whenever kept anew
        UPDATE item_words SET place = item WHERE item IN (SELECT rowid FROM items_fts);
        CREATE UNIQUE INDEX item_words_by_place ON item_words (place);
        DROP TABLE items_fts;
        ALTER TABLE words_fts RENAME TO items_fts;
        """
    )


@migrations()
def m0008_addresses_that_go_stale(db: Database) -> None:
    """When each address last had something new, so that another can take over from one that has no more."""
    db.executescript(
        """
        ALTER TABLE addresses ADD COLUMN brought_at TEXT;
        ALTER TABLE addresses ADD COLUMN stale_until TEXT;
        UPDATE addresses SET brought_at = (
            SELECT max(first_seen) FROM items WHERE source = addresses.source
        ) WHERE read_at IS NOT NULL;

        ALTER TABLE sources ADD COLUMN is_look INTEGER NOT NULL DEFAULT 0;
        """
    )


@migrations()
def m0010_stories_by_text(db: Database) -> None:
    """Stories by similar text, and rules that are renamed."""
    migration_story.add_stories_by_text(db)


@migrations()
def m0011_endpoints(db: Database) -> None:
    """How each endpoint is, and deliveries that are sent once more."""
    migration_delivery.add_endpoints_and_replays(db)


@migrations()
def m0012_pace_and_silences(db: Database) -> None:
    """Alerts that are held back, and silences."""
    migration_pace.add_pace_and_silences(db)


@migrations()
def m0013_spikes(db: Database) -> None:
    """Volumes of rules by the hour, and spikes. What came before counts for none: how it came is unknown."""
    db.executescript(migration_spikes.SPIKES)


@migrations()
def m0014_feeds_of_several_rules(db: Database) -> None:
    """Feeds that collect several rules or sources, and the numbers of their entries."""
    db.executescript(migration_feeds.FEEDS)


@migrations()
def m0015_hub(db: Database) -> None:
    """Our hub: who asks to be told of what is new, and who is."""
    db.executescript(migration_hub.HUB)


@migrations()
def m0016_health(db: Database) -> None:
    """What is the matter with sources and endpoints, as whoever runs the service reads it in a feed."""
    db.executescript(migration_health.HEALTH)


@migrations()
def m0017_feeds_by_match(db: Database) -> None:
    """The latest entries of a feed that is ordered by when they matched."""
    db.executescript(migration_feeds.BY_MATCH)


@migrations()
def m0018_ids_of_documents(db: Database) -> None:
    """The ids that outlets have given to their feeds."""
    db.execute("ALTER TABLE sources ADD COLUMN document_id TEXT")


@migrations()
def m0019_noticed_edits(db: Database) -> None:
    """Which edits readers should notice: of those before, all."""
    db.executescript(migration_feeds.NOTICED)


@migrations()
def m0020_pages(db: Database) -> None:
    """Matches in the order of their items, which pages show."""
    db.executescript(migration_pages.PAGES)


@migrations()
def m0021_overview(db: Database) -> None:
    """What was done in each hour, and deliveries by their state, which pages show."""
    db.executescript(migration_overview.OVERVIEW)


@migrations()
def m0022_watching(db: Database) -> None:
    """What became of polls day by day, the last that failed, and sources that are paused."""
    db.executescript(migration_watching.WATCHING)


@migrations()
def m0023_what_programs_ask_for(db: Database) -> None:
    """Matches in the order in which they began to hold, and deliveries in that in which they were made."""
    db.executescript(migration_api.API)
