"""The store on PostgreSQL beyond the contract of stores: opening, clocks, who is at work, what is refused."""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, Thread

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from syndicate.errors import SchemaError, StoreError
from syndicate.model import Claim, Recorded
from syndicate.store.postgres import PostgresStore
from syndicate.store.postgres_connections import MOST_CONNECTIONS, PostgresConnections
from syndicate.store.protocol import HostPace
from syndicate.store.searching import ItemFilter
from tests.contract.making import EU, LEASE, claim_alerts, claim_all, claimed, entry, read, reading, source
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
    at_once([lambda: opened.append(PostgresStore(address))] * 4)
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


def test_a_database_that_cannot_hold_every_letter_is_refused_before_anything_is_made(postgres):
    with psycopg.connect(postgres.address, autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    address = make_conninfo(postgres.address, dbname="latin")
    try:
        with pytest.raises(StoreError, match="latin keeps texts as LATIN1: make one with createdb"):
            PostgresStore(address)
        with psycopg.connect(address) as connection:
            found = connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert found == []
    finally:
        with psycopg.connect(postgres.address, autocommit=True) as connection:
            connection.execute("DROP DATABASE latin WITH (FORCE)")


def test_a_schema_that_is_not_there_is_told(address):
    with pytest.raises(StoreError, match=r"no schema that .* finds: make one with CREATE SCHEMA"):
        PostgresStore(address.replace("search_path%3Dtest", "search_path%3Dnowhere"))


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
    store._connections.now()
    with closing(PostgresStore(address, works=False)) as looking:
        assert looking.is_worked_on()


def test_nul_which_no_text_here_can_have_is_told_and_costs_only_its_own_poll(store):
    bad = reading(store, claimed(store, "ledger"), entry("bad", "EU \0"))
    good = reading(store, claimed(store, "wire"), entry("good", "EU"))
    bad_one, good_one = store.record_polls([bad, good])
    assert "NUL" in (bad_one.error or "")
    assert good_one.error is None
    assert [found.item.title for found in store.items(ItemFilter())] == ["EU"]


def test_a_guid_that_no_index_takes_costs_only_its_own_poll(store):
    letters = map(chr, random.Random(1).choices(range(0x4E00, 0x9FA5), k=2000))  # which do not compress
    bad = reading(store, claimed(store, "ledger"), entry("bad", guid="".join(letters)))
    good = reading(store, claimed(store, "wire"), entry("good"))
    bad_one, good_one = store.record_polls([bad, good])
    assert "index row" in (bad_one.error or "")
    assert good_one.error is None


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


def test_claiming_does_not_wait_for_what_is_being_recorded_nor_that_for_claiming(address, store):
    read(store, entry("one"))
    with closing(PostgresStore(address)) as other:
        with store._record():
            (claim,) = claim_all(other)
            other.claim_deliveries(limit=10, room={"desk": 1}, lease=LEASE)
        with store._claim():
            (done,) = other.record_polls([reading(other, claim, entry("two", "EU two"))])
        assert done == Recorded(source="ledger", new=1, matched=1, alerts=1)


def test_the_time_is_told_though_every_connection_is_lent(store):
    with ExitStack() as lent:
        for _ in range(MOST_CONNECTIONS):
            lent.enter_context(store._read())
        assert store.now()


def test_of_several_who_claim_at_once_each_gets_sources_of_its_own(address, store):
    names = [f"s{number}" for number in range(120)]
    store.configure([source(name) for name in names], [EU.state])
    found: list[str] = []

    def claim() -> None:
        with closing(PostgresStore(address)) as mine:
            while claims := claim_all(mine, limit=5):
                found.extend(claim.source.id for claim in claims)

    at_once([claim] * 4)
    assert sorted(found) == sorted(names)


def test_of_several_who_claim_at_once_one_gets_what_is_on_one_host(address, store):
    store.configure([source(f"s{number}", "one.example") for number in range(40)], [EU.state])
    pace = HostPace(interval=timedelta(seconds=60), concurrency=2)
    found: list[Claim] = []

    def claim() -> None:
        with closing(PostgresStore(address)) as mine:
            found.extend(claim_all(mine, pace=pace))

    at_once([claim] * 4)
    assert len(found) == 1


def test_of_several_who_deliver_at_once_each_gets_deliveries_of_its_own(address, store):
    read(store, *(entry(str(number), f"EU {number}") for number in range(60)))
    found: list[str] = []

    def claim() -> None:
        with closing(PostgresStore(address)) as mine:
            while claimed := claim_alerts(mine, limit=7):
                found.extend(delivery.id for delivery in claimed)

    at_once([claim] * 4)
    assert len(found) == len(set(found)) == 60


def test_of_several_who_record_at_once_no_item_is_lost_and_each_story_is_one(address, store):
    names = [f"s{number}" for number in range(8)]
    store.configure([source(name) for name in names], [EU.state])

    entries = [entry(f"{number}", f"EU {number}") for number in range(5)]

    def record(claim: Claim) -> None:
        with closing(PostgresStore(address)) as mine:
            assert mine.record_polls([reading(mine, claim, *entries)])[0].new == 5

    at_once([partial(record, claim) for claim in claim_all(store)])
    items = [found.item for found in store.items(ItemFilter(limit=1000))]
    assert len(items) == 40
    assert len({item.story for item in items}) == 5  # the same link is the same story
    assert len(claim_alerts(store)) == 5


def at_once(jobs: Sequence[Callable[[], None]]) -> None:
    """Do jobs in threads of their own; the first that fails is raised."""
    with ThreadPoolExecutor(len(jobs)) as threads:
        for done in [threads.submit(job) for job in jobs]:
            done.result()


def test_who_stands_still_in_the_midst_of_writing_holds_up_others_for_a_while_and_has_written_nothing(
    address, store
):
    frozen = PostgresConnections(address, works=False, patience=timedelta(milliseconds=100))

    def stand_still() -> None:
        with frozen.write() as db:
            db.execute("DELETE FROM rules")
            read(store, entry("one"))
            db.execute("SELECT 1")

    with pytest.raises(StoreError, match="idle-in-transaction timeout; nothing was changed"):
        stand_still()
    frozen.close()
    assert len(claim_alerts(store)) == 1


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
