"""Which feeds a process publishes, in which files, and what becomes of these."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from syndicate.feeds.publisher import Publisher
from syndicate.model import Config, NetworkSettings, ServiceSettings
from syndicate.model.feeds import Dedupe, Feed, FeedSettings
from syndicate.store.protocol import RuleState
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from tests.atom_check import problems
from tests.contract.making import HOUR, START, Clock, Watch, backfilled, entry, read, source

EU, NEWS = Watch(), Watch(rule="news", word="news")
OF_EU = Feed(id="eu", title="EU", about="News of the EU", rules=("eu",), settings=FeedSettings(limit=3))
EXTENSIONS = ("atom", "json", "rss")
SOURCES = (source("wire"), source("post"))


@dataclass
class Desk:
    """A store and the folder of its feeds."""

    folder: Path
    store: SqliteStore
    clock: Clock
    call: StoreThread
    feeds: Sequence[Feed] = (OF_EU,)
    failures: dict[str, str] = field(default_factory=dict)

    def configure(self, *feeds: Feed) -> None:
        self.feeds = feeds
        self.store.configure(SOURCES, [EU.state, NEWS.state], feeds=feeds)

    def publish(self) -> int:
        """Publish as a service that begins does; return how many feeds have changed."""
        service = ServiceSettings(database=Path("s.db"), rules=Path("rules"), feeds=self.folder)
        config = Config(
            path=Path("config.toml"),
            service=service,
            network=NetworkSettings(),
            sources=SOURCES,
            endpoints=(),
            rules=(),
            feeds=tuple(self.feeds),
        )

        async def work() -> int:
            with closing(Publisher(store=self.store, call=self.call, config=config)) as publisher:
                await publisher.open()
                changed = await publisher.publish_stale()
                self.failures = publisher.failures
                return changed

        return asyncio.run(work())

    def read(self, *titles: str, name: str = "wire", watches: Sequence[Watch] = (EU, NEWS)) -> None:
        """Read a document with these, each of which has its title as its guid."""
        entries = [entry(title.casefold().replace(" ", "-"), title) for title in titles]
        read(self.store, *entries, name=name, watches=list(watches))

    def files(self) -> list[str]:
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return sorted(str(path) for path in found)

    def contents(self) -> dict[str, bytes]:
        return {path: (self.folder / path).read_bytes() for path in self.files()}

    def titles(self, name: str) -> list[str]:
        """Return the titles in a document, which must be valid and the same in each format."""
        shown = json.loads((self.folder / f"{name}.json").read_text())["items"]
        atom = (self.folder / f"{name}.atom").read_bytes()
        assert problems(atom) == []
        assert all(each["title"].encode() in atom for each in shown)
        assert all(each["title"] in (self.folder / f"{name}.rss").read_text() for each in shown)
        return [each["title"] for each in shown]

    def links(self, name: str) -> dict[str, str]:
        document = json.loads((self.folder / f"{name}.json").read_text())
        return {
            key: document[key].removeprefix("http://127.0.0.1:8080/feeds/")
            for key in ("feed_url", "next_url")
            if key in document
        }


@pytest.fixture
def desk(tmp_path) -> Iterator[Desk]:
    clock = Clock()
    with closing(SqliteStore(tmp_path / "s.db", clock)) as store, closing(StoreThread()) as call:
        desk = Desk(folder=tmp_path / "feeds", store=store, clock=clock, call=call)
        desk.configure(OF_EU)
        for rule in (EU, NEWS):
            backfilled(store, rule, START - HOUR)
        yield desk


def titles(*numbers: int) -> list[str]:
    return [f"EU item {number}" for number in numbers]


# --------------------------------------------------------------------------- which


def test_a_feed_that_only_another_process_knows_is_left_to_it(desk):
    desk.feeds = ()
    assert desk.publish() == 0
    assert [feed.id for feed in desk.store.stale_feeds()] == ["eu"]
    assert desk.files() == ["index.html", "index.opml"]


def test_feeds_are_published_many_at_once_and_one_that_fails_stays_stale(desk):
    desk.configure(*(replace(OF_EU, id=f"r{number}") for number in range(45)))
    (desk.folder / "r7.atom").mkdir(parents=True)  # where a file should go
    assert desk.publish() == 44
    assert list(desk.failures) == ["r7"]
    assert [feed.id for feed in desk.store.stale_feeds()] == ["r7"]
    (desk.folder / "r7.atom").rmdir()
    assert desk.publish() == 1
    assert (desk.store.stale_feeds(), desk.failures) == ([], {})
    assert desk.publish() == 0


def test_a_feed_comes_in_every_format_and_is_listed(desk):
    desk.read("EU item 1")
    assert desk.publish() == 1
    assert desk.files() == ["eu.atom", "eu.html", "eu.json", "eu.rss", "index.html", "index.opml"]
    assert desk.titles("eu") == titles(1)
    assert "EU item 1" in (desk.folder / "eu.html").read_text()
    assert all("feeds/eu.atom" in (desk.folder / f"index.{each}").read_text() for each in ("html", "opml"))
    before = {path: (desk.folder / path).stat().st_mtime_ns for path in desk.files()}
    desk.configure(OF_EU)  # as a service does that starts again
    assert desk.publish() == 0
    assert before == {path: (desk.folder / path).stat().st_mtime_ns for path in desk.files()}


def test_a_feed_may_collect_several_rules_or_sources(desk):
    everything = Feed(id="all", title="All", about="")
    tagged = Feed(id="tag-x", title="x", about="", sources=("post",))
    both = Feed(id="both", title="Both", about="", rules=("eu", "news"))
    desk.configure(OF_EU, everything, tagged, both)
    desk.publish()
    desk.read("EU alone")
    assert {feed.id for feed in desk.store.stale_feeds()} == {"eu", "all", "both"}
    desk.clock.forward(HOUR)
    desk.read("Some news", "EU news", name="post")
    desk.publish()
    assert desk.titles("eu") == ["EU news", "EU alone"]
    assert desk.titles("all") == desk.titles("both") == ["EU news", "Some news", "EU alone"]
    assert desk.titles("tag-x") == ["EU news", "Some news"]
    assert (desk.folder / "both.atom").read_text().count("<entry") == 3


def test_a_feed_by_stories_has_an_entry_for_each_and_names_the_others(desk):
    desk.configure(replace(OF_EU, settings=FeedSettings(dedupe=Dedupe.STORY)))
    desk.read("EU alone")
    copy = entry("copy", "EU copied", link="https://news.example/eu-alone")
    read(desk.store, copy, name="post", watches=[EU])
    desk.publish()
    assert desk.titles("eu") == ["EU alone"]
    assert "Also reported by" in (desk.folder / "eu.atom").read_text()
    read(desk.store, entry("eu-alone", "Nothing of it"), watches=[EU])
    desk.publish()
    assert desk.titles("eu") == ["EU copied"]  # the first of those that match


# --------------------------------------------------------------------------- the archive


def test_what_has_no_room_in_the_head_is_on_pages_that_lead_to_the_first(desk):
    for number in range(1, 9):
        desk.read(f"EU item {number}")
        desk.clock.forward(HOUR)
    assert desk.publish() == 1
    assert desk.titles("eu") == titles(8, 7, 6)
    assert desk.links("eu") == {"feed_url": "eu.json", "next_url": "eu/3-2.json"}
    assert desk.titles("eu/3-2") == titles(6, 5, 4)
    assert desk.links("eu/3-2") == {"feed_url": "eu/3-2.json", "next_url": "eu/3-1.json"}
    assert desk.titles("eu/3-1") == titles(3, 2, 1)
    assert desk.links("eu/3-1") == {"feed_url": "eu/3-1.json"}


def test_a_page_changes_only_where_an_entry_leaves_it(desk):
    desk.read(*titles(*range(1, 7)))
    desk.publish()
    before = desk.contents()
    desk.read("EU item 7")
    desk.publish()
    pages = [path for path in before if "/" in path]
    assert [path for path in pages if desk.contents()[path] != before[path]] == []
    read(desk.store, entry("eu-item-2", "EU item 2, corrected"), watches=[EU])
    desk.publish()
    changed = [path for path in pages if desk.contents()[path] != before[path]]
    assert changed == [f"eu/3-1.{each}" for each in EXTENSIONS]
    assert len(desk.titles("eu/3-1")) == 2
    assert "EU item 2, corrected" in desk.titles("eu")


def test_what_matches_no_longer_is_in_no_document(desk):
    desk.read(*titles(*range(1, 7)))
    desk.publish()
    read(desk.store, entry("eu-item-2", "Withdrawn"), watches=[EU])
    desk.publish()
    assert sorted(desk.titles("eu/3-1") + desk.titles("eu/3-2")) == titles(1, 3, 4, 5, 6)
    assert all(b"item 2" not in content for content in desk.contents().values())
    read(desk.store, entry("eu-item-2", "EU item 2, back"), watches=[EU])
    desk.publish()
    assert "EU item 2, back" in desk.titles("eu")


def test_files_that_are_lost_are_made_again(desk):
    desk.read(*titles(*range(1, 9)))
    desk.publish()
    before = desk.contents()
    for path in ("eu.rss", "eu/3-1.json"):
        (desk.folder / path).unlink()
    desk.configure(OF_EU)
    desk.publish()
    assert before == desk.contents()


def test_another_limit_has_other_pages(desk):
    desk.read(*titles(*range(1, 9)))
    desk.publish()
    desk.configure(replace(OF_EU, settings=FeedSettings(limit=4)))
    desk.publish()
    pages = [path for path in desk.files() if path.startswith("eu/")]
    assert pages == [f"eu/4-{page}.{each}" for page in (1, 2) for each in EXTENSIONS]


# --------------------------------------------------------------------------- names


def test_a_feed_that_is_gone_leaves_no_file(desk):
    desk.read(*titles(*range(1, 9)))
    desk.publish()
    desk.configure(Feed(id="other", title="Other", about="", rules=("eu",)))
    desk.publish()
    assert {path.partition(".")[0] for path in desk.files()} == {"other", "index"}
    assert desk.store.retired_names() == []


def test_a_secret_feed_is_where_nobody_can_guess_and_in_no_list(desk):
    token = "0123456789abcdef"
    secret = replace(OF_EU, settings=FeedSettings(token=token))
    desk.configure(secret)
    desk.read("EU item 1")
    desk.publish()
    assert desk.titles(f"{token}/eu") == titles(1)
    assert not (desk.folder / "eu.atom").exists()
    assert all(token not in (desk.folder / f"index.{each}").read_text() for each in ("html", "opml"))
    assert token not in repr(secret)
    desk.configure(replace(OF_EU, settings=FeedSettings(token="another-0123456789")))
    desk.publish()
    assert not (desk.folder / token).exists()


@pytest.mark.parametrize("is_known", [True, False])
def test_a_renamed_rule_goes_on_with_its_archive(desk, is_known):
    named = Feed(id="union", title="Union", about="", rules=("union",), settings=FeedSettings(limit=3))
    desk.read(*titles(*range(1, 9)))
    desk.publish()
    if is_known:  # as when another process had it under both names
        both = [EU.state, Watch(rule="union", word="EU").state]
        desk.store.configure(SOURCES, both, feeds=[OF_EU, named])
        desk.feeds = (OF_EU, named)
        desk.read("EU item 9", watches=[EU, Watch(rule="union", word="EU")])
        desk.publish()
    renamed = RuleState(id="union", version="1", feed=True, renamed_from=("eu",))
    desk.store.configure(SOURCES, [renamed], feeds=[named])
    desk.feeds = (named,)
    desk.publish()
    assert desk.failures == {}
    names = [path.removesuffix(".json") for path in desk.files() if path.endswith(".json")]
    assert {title for name in names for title in desk.titles(name)} == set(
        titles(*range(1, 10 if is_known else 9))
    )
    assert {path.partition("/")[0].partition(".")[0] for path in desk.files()} == {"union", "index"}


def test_rules_have_feeds_of_their_own_where_none_are_named(desk):
    desk.store.configure(SOURCES, [RuleState(id="eu", version="1", feed=True)])
    assert [feed.id for feed in desk.store.stale_feeds()] == ["eu"]
