"""The schema, as forward-only migrations. What stands here is never edited once released; add to the end.

Times are UTC text of fixed width (`2026-11-24T02:00:00.000000Z`), so they sort as they read. Long columns
stand last, since SQLite walks through a row to reach a column; a table WITHOUT ROWID has short rows only.
"""

from sqlite_utils import Database, Migrations

from syndicate.errors import SchemaError
from syndicate.store import (
    migration_delivery,
    migration_feeds,
    migration_pace,
    migration_spikes,
    migration_story,
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
    db.executescript(
        """
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
    )


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
    db.executescript(
        """
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
    )


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
    db.executescript(
        """
        CREATE TABLE subscriptions (
            id INTEGER PRIMARY KEY,
            source INTEGER NOT NULL REFERENCES sources (id),
            token TEXT NOT NULL UNIQUE,  -- the end of the callback, which only the hub knows
            callback TEXT NOT NULL,
            hub TEXT NOT NULL,
            topic TEXT NOT NULL,
            secret TEXT NOT NULL,
            state TEXT NOT NULL,
            asked_at TEXT,
            next_ask_at TEXT NOT NULL,
            since TEXT,
            expires_at TEXT,
            failures INTEGER NOT NULL DEFAULT 0,
            error TEXT,
            doubts INTEGER NOT NULL DEFAULT 1,
            pushes INTEGER NOT NULL DEFAULT 0,
            last_push_at TEXT,
            rejected INTEGER NOT NULL DEFAULT 0,
            last_rejected_at TEXT,
            lease_until TEXT,
            lease_owner TEXT
        );
        CREATE INDEX subscriptions_by_source ON subscriptions (source);
        CREATE INDEX subscriptions_due ON subscriptions (next_ask_at);

        CREATE TABLE pushes (
            id INTEGER PRIMARY KEY,
            source INTEGER NOT NULL REFERENCES sources (id),
            topic TEXT NOT NULL,
            received_at TEXT NOT NULL,
            digest TEXT NOT NULL,
            content_type TEXT NOT NULL,
            length_bytes INTEGER NOT NULL,
            body BLOB NOT NULL
        );
        CREATE UNIQUE INDEX pushes_by_source ON pushes (source, digest);
        """
    )


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
