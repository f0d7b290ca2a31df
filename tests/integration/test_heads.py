"""A head that is written on the file before it is the same as one that is made anew."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.feeds.heads import Heads
from syndicate.model import Entry
from syndicate.model.feeds import Dedupe, Feed, FeedSettings, FullText, Order
from tests.contract.making import HOUR, MINUTE, START, Watch, backfilled, entry, read
from tests.publishing import EU, NEWS, OF_EU, Desk, desk_in

BY_STORY = Feed(
    id="story",
    title="Stories",
    about="News of the EU, each story once",
    rules=("eu", "news"),
    settings=FeedSettings(limit=2, dedupe=Dedupe.STORY, order=Order.MATCHED),
)
ALL = Feed(id="all", title="All", about="Whatever matches", rules=None, settings=FeedSettings(limit=40))
FILE = "eu.atom"


@pytest.fixture
def desk(tmp_path) -> Iterator[Desk]:
    with desk_in(tmp_path) as desk:
        desk.heads = Heads()
        yield desk


def rewrite_titles(desk: Desk) -> None:
    """Change what is stored so that nobody notices, unless he reads all of it."""
    with closing(sqlite3.connect(desk.folder.with_name("s.db"))) as db, db:
        db.execute("UPDATE items SET title = 'EU noticed'")


def test_entries_that_are_as_they_were_are_copied(desk):
    desk.read("EU item 1")
    desk.publish()
    rewrite_titles(desk)
    desk.read("EU item 2")
    assert desk.publish() == 1
    assert desk.titles("eu") == ["EU item 2", "EU item 1"]
    assert "EU noticed" not in (desk.folder / "eu.html").read_text()


def test_a_file_that_somebody_has_edited_is_made_anew(desk):
    desk.read("EU item 1")
    desk.publish()
    rewrite_titles(desk)
    edited = (desk.folder / FILE).read_bytes().replace(b"EU item 1", b"EU itch 1")
    (desk.folder / FILE).write_bytes(edited)
    desk.read("EU item 2")
    assert desk.publish() == 1
    assert desk.titles("eu") == ["EU item 2", "EU noticed"]


def test_a_file_that_has_not_changed_is_known_to_a_service_that_has_just_begun(desk):
    desk.read("EU item 1")
    desk.publish()
    desk.heads = Heads()
    desk.configure(OF_EU)
    assert desk.publish() == 0
    rewrite_titles(desk)
    desk.read("EU item 2")
    desk.publish()
    assert desk.titles("eu") == ["EU item 2", "EU item 1"]


def test_entries_follow_the_titles_of_their_rules_and_outlets(desk):
    desk.read("EU item 1")
    desk.publish()
    desk.sources = [replace(each, title=f"The {each.id}") for each in desk.sources]
    desk.configure(OF_EU)
    desk.publish()
    assert "<title>The wire</title>" in (desk.folder / FILE).read_text()


words = st.sampled_from(["EU", "news", "EU news", "nothing"])
steps = st.one_of(
    st.tuples(st.just("read"), st.integers(1, 3), words, st.sampled_from(["wire", "post"])),
    st.tuples(st.just("body"), st.integers(1, 3), st.sampled_from(["Short.", "Longer now."])),
    st.tuples(st.just("damage"), st.sampled_from(["lost", "edited"])),
    st.tuples(st.just("rule"), st.integers(2, 4), words),
    st.tuples(st.just("settings"), st.sampled_from(FullText), st.booleans(), st.integers(1, 4)),
    st.tuples(st.just("another process publishes")),
)


@given(st.lists(steps, min_size=1, max_size=14))
@settings(max_examples=40)
def test_whatever_happens_in_between(happened):
    with TemporaryDirectory() as folder, desk_in(Path(folder)) as desk:
        desk.heads = Heads()
        desk.configure(OF_EU, BY_STORY, ALL)
        for step in happened:
            take(desk, *step)
            desk.publish()
        kept = heads_of(desk)
        desk.folder, desk.heads = Path(folder) / "anew", None
        desk.configure(*desk.feeds)
        desk.publish()
        assert kept == heads_of(desk)


def heads_of(desk: Desk) -> dict[str, bytes]:
    """Return all but pages of archives, which need not follow when another rule holds for what they have."""
    return {path: content for path, content in desk.contents().items() if "/" not in path}


def read_one(desk: Desk, one: Entry, name: str) -> None:
    desk.clock.now += MINUTE
    read(desk.store, one, name=name, watches=[EU, NEWS])


def take(desk: Desk, kind: str, *values: object) -> None:
    """Let one thing happen."""
    match kind, *values:
        case "read", int(number), str(word), str(name):
            # Those of both outlets are at one address, and so of one story.
            link = f"https://wire.example/{number}"
            read_one(desk, entry(f"{name}-{number}", f"{word} {number}", link=link), name)
        case "body", int(number), str(body):
            read_one(desk, entry(f"wire-{number}", f"EU {number}", body=body), "wire")
        case "rule", int(version), str(word):
            watch = Watch(rule="news", version=str(version), word=word)
            desk.store.configure(desk.sources, [EU.state, watch.state], feeds=desk.feeds)
            backfilled(desk.store, watch, START - HOUR)
        case "settings", FullText() as full_text, bool(explain), int(limit):
            new = FeedSettings(full_text=full_text, explain=explain, limit=limit)
            desk.configure(replace(OF_EU, settings=new), BY_STORY, ALL)
        case ("publish",):
            desk.publish()
        case "damage", damage:
            desk.folder.mkdir(exist_ok=True)
            (desk.folder / FILE).unlink(missing_ok=True)
            if damage == "edited":
                (desk.folder / FILE).write_text("edited")
            desk.configure(*desk.feeds)  # which brings back what is lost
        case _:
            heads, desk.heads = desk.heads, None
            desk.configure(*desk.feeds)
            desk.publish()
            desk.heads = heads
