"""The store on PostgreSQL beyond the contract of stores: opening, clocks, who is at work, what is refused."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import psycopg
import pytest

from syndicate.errors import SchemaError, StoreError
from syndicate.store.postgres import PostgresStore
from syndicate.store.searching import ItemFilter
from tests.contract.making import EU, claim_all, claimed, entry, read, reading, source
from tests.postgres import Server, server


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with server() as started:
        yield started


@pytest.fixture
def address(postgres: Server) -> Iterator[str]:
    with postgres.schema() as made:
        yield made


@pytest.fixture
def store(address: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(address)) as opened:
        opened.configure([source(), source("ledger")], [EU.state])
        yield opened


def test_what_one_process_has_written_another_reads(address, store):
    read(store, entry("one"))
    with closing(PostgresStore(address)) as other:
        assert [found.item.title for found in other.items(ItemFilter())] == ["EU news"]


def test_processes_that_begin_at_once_make_one_schema(address):
    opened: list[PostgresStore] = []
    threads = [Thread(target=lambda: opened.append(PostgresStore(address))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    for each in opened:
        each.close()


def test_a_database_of_a_newer_version_is_refused(address):
    PostgresStore(address).close()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("INSERT INTO schema_migrations (name) VALUES ('9999_later')")
    with pytest.raises(SchemaError, match=r"newer Syndicate \(it has 9999_later\): upgrade this one"):
        PostgresStore(address)


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path):
    with pytest.raises(StoreError) as refused:
        PostgresStore(f"postgresql://desk:hunter2@/news?host={tmp_path}")
    assert str(refused.value).startswith(f"PostgreSQL news at {tmp_path}: connection ")
    assert "check that PostgreSQL runs" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_the_time_is_that_of_the_database(address, store):
    with psycopg.connect(address) as connection:
        (before,) = connection.execute("SELECT clock_timestamp()").fetchone() or (None,)
        now = store.now()
        (after,) = connection.execute("SELECT clock_timestamp()").fetchone() or (None,)
    assert isinstance(before, datetime)
    assert isinstance(after, datetime)
    # What it was asked for lately is carried on by a clock that may run a little differently.
    assert before - timedelta(seconds=1) <= now <= after + timedelta(seconds=1)
    assert now.tzinfo is UTC


def test_a_connection_that_was_cut_off_is_replaced(address, store):
    read(store, entry("one"))
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'syndicate' AND pid <> pg_backend_pid()"
        )
    read(store, entry("one"), entry("two"))
    assert len(store.items(ItemFilter())) == 2


def test_nul_which_no_text_here_can_have_is_told_and_costs_only_its_own_poll(store):
    bad = reading(store, claimed(store, "ledger"), entry("bad", "EU \0"))
    good = reading(store, claimed(store, "wire"), entry("good", "EU"))
    bad_one, good_one = store.record_polls([bad, good])
    assert "NUL" in (bad_one.error or "")
    assert good_one.error is None
    assert [found.item.title for found in store.items(ItemFilter())] == ["EU"]


def test_two_who_write_do_so_one_after_the_other(address, store):
    began, ended = Event(), Event()

    def write() -> None:
        with closing(PostgresStore(address)) as other:
            began.set()
            read(other, entry("two", "EU two"))
        ended.set()

    thread = Thread(target=write)
    with store._write() as db:
        thread.start()
        began.wait()
        assert not ended.wait(0.2)
        assert db.execute("SELECT count(*) AS items FROM items").fetchone()["items"] == 0
    thread.join()
    assert ended.is_set()


def test_leases_of_the_dead_come_free_as_soon_as_nobody_else_works(address):
    with closing(PostgresStore(address)) as dead:
        dead.configure([source()], [EU.state])
        assert len(claim_all(dead)) == 1
    with closing(PostgresStore(address)) as store, closing(PostgresStore(address, works=False)) as looking:
        assert looking.is_worked_on()
        assert store.release_abandoned_leases() == 1
        with closing(PostgresStore(address)) as other:
            claim_all(other)
            assert store.release_abandoned_leases() == 0
        assert store.release_abandoned_leases() == 1
    with closing(PostgresStore(address, works=False)) as looking:
        assert not looking.is_worked_on()
