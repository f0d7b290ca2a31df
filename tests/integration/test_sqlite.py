"""What only SQLite shows: its settings, its file, and several processes on it."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
import uuid
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from syndicate.backfill import Known, keep_words_anew, search
from syndicate.errors import SchemaError, StoreError
from syndicate.model import Alert, Habit, Hit, Learned, SourceDocument, Trust, Wanted
from syndicate.rules.archive import GAP, WORDS_VERSION, kept_words
from syndicate.rules.compile import trial_rule
from syndicate.rules.text import ItemText, Subject
from syndicate.store import sql_claims, sql_deliveries, sql_feeds
from syndicate.store.migrations import migrations
from syndicate.store.protocol import RuleState
from syndicate.store.searching import ItemFilter
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from tests.contract.making import (
    EU,
    HOUR,
    START,
    Clock,
    claim_alerts,
    claim_all,
    entry,
    read,
    reading,
    shown,
    source,
)
from tests.support import ROOT


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "syndicate.db"


@pytest.fixture
def store(path):
    with closing(SqliteStore(path, Clock())) as store:
        store.configure([source()], [EU.state])
        yield store


def pragma(store, name):
    with store._read() as db:
        return db.execute(f"PRAGMA {name}").fetchone()[0]


class Child:
    """Another process with a store of its own on the same file; it does what it is told, line by line."""

    def __init__(self, path: Path, code: str) -> None:
        preamble = (
            "import sys\n"
            "from pathlib import Path\n"
            "from syndicate.store.sqlite import SqliteStore\n"
            "from tests.contract.making import *\n"
            "path = Path(sys.argv[1])\n"
            "def told(): return sys.stdin.readline().strip()\n"
            "def say(*words): print(*words, flush=True)\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", preamble + code, str(path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def heard(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def tell(self, word: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def end(self) -> str:
        """Wait for its end; return what it wrote to stderr."""
        _, errors = self.process.communicate()
        return errors


HOLDING = """
store = SqliteStore(path, Clock())
store.configure([source()], [])
claims = claim_all(store)
say(len(claims))
told()
"""


# -- the file


def test_what_is_written_is_on_the_disk_before_anybody_is_told(store):
    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "synchronous") == 2  # FULL
    assert pragma(store, "foreign_keys") == 1
    assert pragma(store, "busy_timeout") == 5000


def test_folders_are_made(path):
    SqliteStore(path).close()
    assert path.exists()


def test_a_store_can_be_closed_twice(path):
    store = SqliteStore(path)
    store.close()
    store.close()


def test_what_was_written_is_there_after_a_restart(path):
    with closing(SqliteStore(path, Clock())) as store:
        store.configure([source()], [EU.state])
        read(store, entry())
    with closing(SqliteStore(path, Clock())) as store:
        assert len(store.items(ItemFilter())) == 1
        assert len(claim_alerts(store)) == 1


def test_a_newer_schema_is_refused_and_left_alone(path):
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('syndicate', 'm9999_beyond', '2099-01-01')"
        )
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(SchemaError, match="m9999_beyond"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_file_without_our_tables_is_migrated(path):
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE unrelated (x)")
    with closing(SqliteStore(path)) as store:
        assert store.sources() == []


# -- files of before


DEFINITION = (
    '{"id":"wire","title":"Wire","urls":["https://wire.example/wire.xml"],"interval":3600.0,'
    '"language":null,"tags":[],"full_text":false,"enabled":true,"baseline":true}'
)


def first_schema(path):
    """Make a file as 0001 had it, with two items in it of which a rule holds for one."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        migrations.apply(Database(connection), stop_before="m0002_words_and_stems")
        time = "2026-11-24T01:00:00.000000Z"
        connection.executescript(
            f"""
            INSERT INTO installation (id, uuid, created_at) VALUES (1, '{uuid.UUID(int=1)}', '{time}');
            INSERT INTO sources (id, slug, place, definition, is_configured, is_enabled, host, next_poll_at)
                VALUES (1, 'wire', 0, '{DEFINITION}', 1, 1, 'wire.example:443', '{time}');
            INSERT INTO stories (id, first_seen) VALUES (1, '{time}'), (2, '{time}');
            INSERT INTO items (id, source, entry_id, story, revision, content_hash, sort_at, first_seen,
                changed_at, language, author, categories, enclosures, title, summary, body, content_html)
                VALUES
                (1, 1, 'urn:1', 1, 3, 'h', '{time}', '{time}', '{time}', 'ru', 'A. Writer', '["Мир"]', '[]',
                    'Новые санкции ЕС', '', 'В Центральной Азии', ''),
                (2, 1, 'urn:2', 2, 1, 'h', '{time}', '{time}', '{time}', 'kk', '', '[]', '[]',
                    'ЕО-ның стратегиясы', '', '', '');
            INSERT INTO items_fts (rowid, title, body) VALUES
                (1, 'новые санкции ес', 'в центральной азии'), (2, 'ео ның стратегиясы', '');
            INSERT INTO item_keys (source, key, item) VALUES (1, 'guid:1', 1), (1, 'guid:2', 2);
            INSERT INTO rules (id, version, is_configured) VALUES ('eu', '1', 1);
            INSERT INTO matches (rule, item, revision, matched_at, evidence) VALUES ('eu', 1, 3, '{time}',
                '{{"version":"1","hits":[["ЕС","title",14,16]],"snippet":["санкции ЕС","title",[[8,10]]]}}');
            INSERT INTO feeds (rule, feed_id, created_at, is_configured) VALUES ('eu', 'urn:f', '{time}', 1);
            """
        )


def looked_up(store, query):
    found = search(store, trial_rule(query), ItemFilter(), Known(rules={}, tags={}))
    return [item.item.id for item, _ in found]


def by_words(store, *words):
    return [found.item.id for found in store.items(ItemFilter(any_of=[Wanted(column="stems", words=words)]))]


def test_items_of_the_first_schema_are_kept_and_found_at_once_and_then_by_their_words(path):
    first_schema(path)
    with closing(SqliteStore(path, Clock())) as store, closing(StoreThread()) as call:
        items = [found.item for found in store.items(ItemFilter())]
        assert [(item.id, item.title, item.revision) for item in items] == [
            (2, "ЕО-ның стратегиясы", 1),
            (1, "Новые санкции ЕС", 3),
        ]
        assert (items[1].author, items[1].categories, items[1].language) == ("A. Writer", ("Мир",), "ru")
        (stored,) = shown(store, "eu", 10)
        assert stored.match.hits == (Hit(term="ЕС", field="title", start=14, end=16),)
        assert (stored.item.id, stored.match.rule_version, stored.match.score) == (1, "1", None)
        assert sorted(map(str, store.languages())) == ["kk", "ru"]
        assert {item.id for item in store.items_kept_otherwise(WORDS_VERSION, 10)} == {1, 2}
        queries = {"санкция": [1], '"Центральная Азия"': [1], '"ЕО стратегиясы"': [2], "category:мир": [1]}
        for query, found in queries.items():
            assert looked_up(store, query) == found
        assert by_words(store, "санкц") == []  # by then not in the index: everything was looked at

        store.configure([source()], [EU.state])
        read(store, entry("new", "Санкция"), watches=[])
        assert asyncio.run(keep_words_anew(store, call, asyncio.Event())) == 2
        assert store.items_kept_otherwise(WORDS_VERSION, 10) == []
        (new,) = looked_up(store, "санкция -новые")
        assert looked_up(store, "санкция") == by_words(store, "санкц") == [new, 1]
        assert by_words(store, "нов", "санкц") == [1]
        for query, found in queries.items():
            assert set(looked_up(store, query)) >= set(found)


def test_matches_of_the_first_schema_can_be_followed_and_those_that_come_then(path):
    first_schema(path)
    with closing(SqliteStore(path, Clock())) as store:
        store.configure([source()], [EU.state])
        read(store, entry("new", "EU news"))
        arrivals = store.api.arrivals(0, None, 10)
        assert [stored.item.title for stored in arrivals.matches] == ["Новые санкции ЕС", "EU news"]
        assert (arrivals.last, arrivals.is_more) == (2, False)


def test_a_migration_that_fails_changes_nothing_and_is_done_when_it_can_be(path):
    first_schema(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE item_words (x)")
    with pytest.raises(StoreError, match="table item_words already exists; nothing was changed"):
        SqliteStore(path)
    with closing(sqlite3.connect(path)) as connection:
        ((count,),) = connection.execute("SELECT count(title) FROM items_fts WHERE items_fts MATCH 'санкции'")
        assert count == 1
        connection.execute("DROP TABLE item_words")
    with closing(SqliteStore(path, Clock())) as store:
        assert looked_up(store, "санкция") == [1]


def second_schema(path):
    """Make a file as 0002 had it, of a source that was read, with an alert in the ledger and its delivery."""
    first_schema(path)
    with closing(sqlite3.connect(path)) as connection:
        migrations.apply(Database(connection), stop_before="m0003_when_to_poll")
        time = "2026-11-24T01:30:00.000000Z"
        connection.executescript(
            f"""
            UPDATE sources SET last_success_at = '{time}', last_success_url = 'https://wire.example/wire.xml';
            UPDATE items SET sort_at = '2026-11-23T22:00:00.500000Z' WHERE id = 1;
            INSERT INTO deliveries (id, endpoint, state, created_at, next_attempt_at)
                VALUES ('msg_1', 'desk', 'waiting', '{time}', '{time}');
            INSERT INTO alerts
                (id, dedup_key, kind, rule, story, item, endpoint, state, created_at, delivery)
                VALUES (5, 'match eu 1 desk', 'match', 'eu', 1, 1, 'desk', 'alerted', '{time}', 'msg_1'),
                    (6, 'match eu 1 chat', 'match', 'eu', 1, 1, 'chat', 'suppressed', '{time}', NULL);
            """
        )


def test_what_was_alerted_under_the_second_schema_is_not_alerted_again(path):
    second_schema(path)
    with closing(SqliteStore(path, Clock())) as store:
        store.configure([source()], [EU.state])
        assert [(alert.endpoint, alert.state) for alert in store.alerts_about("eu", [1])] == [
            ("desk", "alerted"),
            ("chat", "suppressed"),
        ]
        assert [(each.alerts, each.sources) for each in store.deliveries()] == [((("eu", 1),), ())]
        (delivery,) = claim_alerts(store)
        assert [alert.stored.item.id for alert in delivery.alerts if isinstance(alert, Alert)] == [1]
        with store._read() as db:
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
            assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_the_items_of_the_second_schema_tell_the_habit_of_their_source(path):
    second_schema(path)
    with closing(SqliteStore(path, Clock())) as store:
        (claim,) = claim_all(store)
        hour = START.replace(hour=1)
        assert claim.learned == Learned(habit=Habit(since=hour, arrivals=(hour, hour - 3 * HOUR)))
        assert (claim.trust, claim.others_answered_at) == (Trust(), None)


def test_words_that_the_fourth_schema_kept_with_their_texts_are_found_without(path):
    second_schema(path)
    with closing(sqlite3.connect(path)) as connection:
        migrations.apply(Database(connection), stop_before="m0007_words_without_their_text")
        connection.executescript(
            f"""
            INSERT INTO items_fts (rowid, words, stems) VALUES (1, 'новые санкции ес', 'нов санкц ес');
            UPDATE item_words SET version = {WORDS_VERSION} WHERE item = 1;
            """
        )
    with closing(SqliteStore(path, Clock())) as store:
        assert by_words(store, "нов", "санкц") == [1]
        assert [item.id for item in store.items_kept_otherwise(WORDS_VERSION, 10)] == [2]
        store.keep_words(
            [(2, 1, {"words": "санкции", "stems": "санкц"}), (1, 3, {"words": "мир", "stems": "мир"})],
            WORDS_VERSION,
        )
        assert (by_words(store, "санкц"), by_words(store, "мир")) == ([2], [1])


# -- what goes wrong


def test_a_corrupt_file_is_refused_in_words(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database at all\n" * 1000)
    with pytest.raises(StoreError, match=r"syndicate\.db: file is not a database"):
        SqliteStore(path)


def test_a_file_damaged_in_the_middle_fails_without_half_a_unit(path):
    with closing(SqliteStore(path, Clock())) as store:
        store.configure([source(f"s{number}") for number in range(400)], [EU.state])
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    with pytest.raises(StoreError, match=r"syndicate\.db: "), closing(SqliteStore(path, Clock())) as store:
        store.sources()


def test_a_folder_in_place_of_the_file_is_refused_in_words(tmp_path):
    with pytest.raises(StoreError, match="unable to open database file"):
        SqliteStore(tmp_path)


def test_a_file_in_place_of_the_folder_is_refused_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be opened: .*check \[service\] database"):
        SqliteStore(tmp_path / "file" / "syndicate.db")


def test_a_full_disk_is_reported_and_nothing_is_changed(store):
    (claim,) = claim_all(store)
    full = reading(store, claim, entry(body="x" * 1_000_000))
    with store._read() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full; nothing was changed"):
        store.record_polls([full])
    assert store.items(ItemFilter()) == []
    (result,) = store.record_polls([full])  # the connection that failed is not used again
    assert (result.error, result.new) == (None, 1)


def rename_and(store, fail):
    with store._write() as db:
        db.execute("UPDATE sources SET slug = 'changed'")
        fail(db)


def test_a_store_works_on_after_an_error(store):
    with pytest.raises(StoreError, match="no such table"):
        rename_and(store, lambda db: db.execute("SELECT * FROM nowhere"))
    assert [status.id for status in store.sources()] == ["wire"]


def test_a_unit_of_work_that_raises_leaves_nothing(store):
    with pytest.raises(KeyError):
        rename_and(store, lambda db: dict[str, int]()["missing"])
    assert [status.id for status in store.sources()] == ["wire"]
    store.poll_now(None)


# -- threads and processes


def test_two_processes_can_open_and_migrate_at_once(path):
    children = [
        Child(
            path, "say('up')\ntold()\nstore = SqliteStore(path)\nstore.configure([source()], [])\nsay('ok')"
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.heard() == "up"
    for child in children:
        child.tell("go")
    heard = [child.heard() for child in children]
    errors = [child.end() for child in children]
    assert heard == ["ok"] * 4, errors
    with closing(SqliteStore(path)) as store:
        assert len(store.sources()) == 1


def test_writers_in_two_threads_wait_for_each_other(store):
    store.configure([source(f"s{number}") for number in range(40)], [EU.state])
    claims = claim_all(store)
    polls = [reading(store, claim, entry(claim.source.id)) for claim in claims]
    results = []

    def write(mine):
        for poll in mine:
            results.extend(store.record_polls([poll]))

    threads = [threading.Thread(target=write, args=(polls[start::2],)) for start in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(result.new for result in results) == 40
    assert len({result.source for result in results}) == 40


def test_readers_see_what_is_committed_while_another_writes(store):
    seen = []
    with store._write() as db:
        db.execute("UPDATE sources SET document_title = 'half-done'")
        thread = threading.Thread(target=lambda: seen.append(store.source_documents(["wire"])))
        thread.start()
        thread.join()
    assert seen == [{"wire": SourceDocument()}]


def test_threads_that_come_and_go_leave_no_connections(store):
    for _ in range(20):
        thread = threading.Thread(target=store.sources)
        thread.start()
        thread.join()
    assert len(store._connections.idle) == 1


def test_two_processes_never_claim_the_same(path):
    with closing(SqliteStore(path, Clock())) as store:
        store.configure([source(f"s{number}") for number in range(200)], [])
    code = """
store = SqliteStore(path, Clock())
say("up")
told()
names = []
while claims := claim_all(store, limit=3):
    names += [claim.source.id for claim in claims]
say(*names)
"""
    children = [Child(path, code) for _ in range(2)]
    for child in children:
        child.heard()
    for child in children:
        child.tell("go")
    names = [name for child in children for name in child.heard().split()]
    assert [child.end() for child in children] == ["", ""]
    assert len(names) == len(set(names)) == 200


def test_a_writer_that_waits_too_long_says_so(store, path):
    with closing(SqliteStore(path, Clock())) as other, store._write():
        with other._read() as db:
            db.execute("PRAGMA busy_timeout = 10")
        with pytest.raises(StoreError, match="database is locked; nothing was changed"):
            other.poll_now(None)


# -- leases of the dead


def test_leases_of_a_killed_process_are_freed(path):
    child = Child(path, HOLDING)
    assert child.heard() == "1"
    child.kill()
    with closing(SqliteStore(path, Clock())) as store:
        assert claim_all(store) == []
        assert store.release_abandoned_leases() == 1
        assert len(claim_all(store)) == 1


def test_leases_of_a_living_process_are_not(path):
    child = Child(path, HOLDING)
    assert child.heard() == "1"
    try:
        with closing(SqliteStore(path, Clock())) as store:
            assert store.release_abandoned_leases() == 0
            assert claim_all(store) == []
    finally:
        child.kill()


def test_who_only_looks_holds_no_leases_and_frees_none(path):
    with closing(SqliteStore(path, Clock(), works=False)), closing(SqliteStore(path, Clock())) as store:
        store.configure([source()], [])
        claim_all(store)
        assert store.release_abandoned_leases() == 1


def test_leases_of_deliveries_are_freed_too(store):
    read(store, entry())
    assert len(claim_alerts(store)) == 1
    assert store.release_abandoned_leases() == 1
    assert len(claim_alerts(store)) == 1


def test_after_freeing_leases_the_process_still_counts_as_alive(path):
    with closing(SqliteStore(path, Clock())) as first:
        assert first.release_abandoned_leases() == 0
        first.configure([source()], [])
        claim_all(first)
        with closing(SqliteStore(path, Clock())) as second:
            assert second.release_abandoned_leases() == 0
        assert first.release_abandoned_leases() == 1


# -- the full-text index


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40))
@example(text="🅐 a🅱 ⒜ ℻ ᾳ ǅ ٣ _ ‿")  # letters by one property or another
def test_an_item_is_found_by_each_of_its_tokens(store, text):
    """The index takes our words apart once more, and must lose none."""
    clean = "".join(letter for letter in text if letter.isprintable())
    store.poll_now(None)
    (claim,) = claim_all(store)
    store.record_polls([reading(store, claim, entry(title="EU", body=clean), watches=[])])
    for column, kept in kept_words(ItemText(Subject(title="EU", body=clean))).items():
        for run in kept.split(f" {GAP} "):
            words = tuple(run.split())
            for wanted in (words, *((word,) for word in words), *pairwise(words)):
                assert is_found(store, Wanted(column=column, words=wanted)), (wanted, clean)
            for word in words if column == "words" else ():
                for length in range(1, len(word) + 1):
                    begun = Wanted(column=column, words=(word[:length],), is_beginning=True)
                    assert is_found(store, begun), (begun, clean)


def is_found(store, wanted):
    return not wanted.words or bool(store.items(ItemFilter(any_of=[wanted])))


# -- as much as there can be


def plan(store, sql, values):
    with store._read() as db:
        return [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]


@pytest.mark.parametrize(
    ("sql", "values", "tables"),
    [
        (
            sql_claims._CLAIMABLE,
            {"now": "", "due_by": "", "at_once": 1, "concurrency": 1, "limit": 1},
            {"s", "h", "sources", "hosts"},
        ),
        (sql_deliveries._LEASED, {"now": ""}, {"deliveries"}),
        (sql_deliveries._DUE, {"endpoint": "", "now": "", "limit": 1}, {"deliveries"}),
    ],
    ids=["sources", "busy endpoints", "deliveries"],
)
def test_what_every_tick_looks_for_is_found_by_an_index(store, sql, values, tables):
    steps = plan(store, sql.replace("?", ":now"), values)
    scans = [step for step in steps if step.startswith("SCAN") and step.split()[1] in tables]
    # That index holds nothing but what is leased now.
    assert [scan for scan in scans if not scan.endswith("_leased")] == []


def test_new_entries_of_a_feed_are_found_by_when_they_matched_however_many_others_there_are(store):
    values = {"feed": "", "rules": "[]", "sources": None, "since": "", "again": "[]"}
    steps = plan(store, sql_feeds._NEW_ENTRIES, values)
    (first,) = (step for step in steps if " matches " in step)
    assert "matched_at>?" in first
    assert not any(step.startswith(("SCAN m", "SCAN i", "SCAN e")) for step in steps)


def test_due_deliveries_come_from_the_index_in_order(store):
    steps = plan(store, sql_deliveries._DUE, {"endpoint": "", "now": "", "limit": 1})
    assert not any("TEMP B-TREE" in step for step in steps), steps


def test_what_is_recorded_under_another_set_of_rules_is_made_up_for(tmp_path):
    path, rule = tmp_path / "s.db", RuleState(id="eu", version="1", feed=True)
    with closing(SqliteStore(path, Clock())) as old, closing(SqliteStore(path, Clock())) as new:
        old.configure([source("wire")], [rule])
        old.record_backfill(rule, START, [])
        other = replace(rule, id="new")
        assert new.configure([source("wire")], [rule, other]) == ("new",)
        new.record_backfill(other, START, [])
        assert new.configure([source("wire")], [rule, other]) == ()
        read(old, entry())
        assert new.configure([source("wire")], [rule, other]) == ("eu", "new")


def test_when_addresses_of_the_third_schema_last_had_news_is_told_by_their_items(path):
    second_schema(path)
    with closing(sqlite3.connect(path)) as connection:
        migrations.apply(Database(connection), stop_before="m0008_addresses_that_go_stale")
        connection.execute(
            "INSERT INTO addresses (source, url, read_at)"
            " SELECT id, 'https://wire.example/wire.xml', last_success_at FROM sources"
        )
        ((newest,),) = connection.execute("SELECT max(first_seen) FROM items")
        connection.commit()
    with closing(SqliteStore(path, Clock())) as store:
        (claim,) = claim_all(store)
        assert claim.brought_at == datetime.fromisoformat(newest)
        assert (claim.stale_until, claim.is_look) == (None, False)
