"""The stores that must all show the same. A new implementation is a new line in STORES."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syndicate.store.protocol import Store
from syndicate.store.sqlite import SqliteStore
from tests.contract.making import Clock


def sqlite(folder: Path, clock: Clock) -> Store:
    return SqliteStore(folder / "syndicate.db", clock)


STORES: dict[str, Callable[[Path, Clock], Store]] = {"sqlite": sqlite}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = STORES[request.param](tmp_path, clock)
    yield opened
    opened.close()
