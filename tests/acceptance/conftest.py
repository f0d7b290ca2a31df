"""A desk of its own for each test, outlets to watch and a receiver to alert."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browsing import driven
from tests.desk import Desk
from tests.outlets import LocalServer, Pages, Reply


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, driven."""
    with driven() as started:
        yield started


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(folder=tmp_path)


@pytest.fixture
def pages() -> Pages:
    """What the outlets say, by path."""
    return Pages()


@pytest.fixture
def outlets(pages: Pages) -> Iterator[LocalServer]:
    with LocalServer(pages.answer) as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[LocalServer]:
    with LocalServer(lambda _: Reply(status=204)) as server:
        yield server
