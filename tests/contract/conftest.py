"""The stores that must all show the same. A new implementation is a new line in STORES."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from syndicate.store.postgres import PostgresStore
from syndicate.store.protocol import Store
from syndicate.store.sqlite import SqliteStore
from tests.contract.making import Clock
from tests.postgres import Server, server

Open = Callable[[], AbstractContextManager[Store]]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], Server]]:
    """A function that returns the server, which is started when the first test asks for it."""
    with ExitStack() as started:
        servers: list[Server] = []

        def running() -> Server:
            if not servers:
                servers.append(started.enter_context(server()))
            return servers[0]

        yield running


@contextmanager
def sqlite(folder: Path, clock: Clock, _postgres: Callable[[], Server]) -> Iterator[Store]:
    with closing(SqliteStore(folder / "syndicate.db", clock)) as store:
        yield store


@contextmanager
def postgresql(_folder: Path, clock: Clock, postgres: Callable[[], Server]) -> Iterator[Store]:
    with postgres().schema() as address, closing(PostgresStore(address, clock)) as store:
        yield store


STORES = {"sqlite": sqlite, "postgres": postgresql}

# Of tests that look at how a database finds what it is asked for, which each tells in words of its own.
of_sqlite = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=STORES)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, postgres: Callable[[], Server]
) -> Iterator[Store]:
    with STORES[request.param](tmp_path, clock, postgres) as opened:
        yield opened
