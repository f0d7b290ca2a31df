"""The bands of texts: few are kept, few are read."""

import json
import sqlite3
from contextlib import closing

import pytest
from sqlite_utils import Database

from syndicate.rules.fingerprints import fingerprint
from syndicate.store.protocol import STORY_WINDOW
from syndicate.store.sql_stories import BY_KEYS, ITEMS_A_KEY
from syndicate.store.sqlite import SqliteStore
from tests.contract.making import HOUR, Clock, Watch, entry, read, source
from tests.told import texts

RAIL = Watch(rule="rail", word="")
BULLETIN = texts("en")["rail-a"]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    with closing(SqliteStore(tmp_path / "syndicate.db", clock)) as store:
        store.configure([source("wire")], [RAIL.state])
        yield store


@pytest.fixture
def db(tmp_path, store):
    with closing(sqlite3.connect(tmp_path / "syndicate.db")) as connection:
        yield Database(connection)


def publish(store, *names):
    read(
        store,
        *(entry(name, BULLETIN.title, body=BULLETIN.body, language="en") for name in names),
        watches=[RAIL],
    )


def test_fingerprints_are_kept_for_ever_and_their_bands_for_some_days(store, db, clock):
    publish(store, "old")
    kept = db["bands"].count
    clock.forward(STORY_WINDOW + 30 * HOUR)
    publish(store, "new")
    assert {row["item"] for row in db["bands"].rows} == {2}
    assert (db["bands"].count, db["fingerprints"].count) == (kept, 2)


def test_of_a_band_that_everybody_has_the_newest_are_read(store, db):
    publish(store, *(f"bulletin-{number}" for number in range(3 * ITEMS_A_KEY)))
    text = fingerprint(BULLETIN.title, BULLETIN.body, "en")
    assert text is not None
    keys = text.bands
    found = list(db.execute(BY_KEYS, {"keys": json.dumps(keys), "oldest": 0}))
    assert len(found) == ITEMS_A_KEY * len(keys)
    assert {item for _, item in found} == set(range(2 * ITEMS_A_KEY + 1, 3 * ITEMS_A_KEY + 1))
    assert not list(db.execute(BY_KEYS, {"keys": json.dumps(keys), "oldest": 3 * ITEMS_A_KEY + 1}))
