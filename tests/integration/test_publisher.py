"""Which feeds a process publishes, in which files, and what becomes of these."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from syndicate.errors import StoreError
from syndicate.feeds import publisher as publisher_module
from syndicate.feeds.writing import FeedWriter, Task, Write
from syndicate.model import Notice, TroubleKind
from syndicate.model.feeds import Dedupe, Feed, FeedSettings
from syndicate.store.protocol import RuleState
from tests.contract.making import HOUR, START, Watch, claimed, entry, poll, read
from tests.publishing import EU, OF_EU, SOURCES, Desk, desk_in

EXTENSIONS = ("atom", "json", "rss")


@pytest.fixture
def desk(tmp_path) -> Iterator[Desk]:
    with desk_in(tmp_path) as desk:
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


def test_folders_of_others_among_pages_stop_nothing(desk):
    desk.read(*titles(*range(1, 9)))
    desk.publish()
    (desk.folder / "eu/@eaDir").mkdir()  # as a NAS makes them
    desk.configure(replace(OF_EU, settings=FeedSettings(limit=4)))
    assert desk.publish() == 1
    assert desk.failures == {}
    assert not (desk.folder / "eu/3-1.atom").exists()


def test_what_cannot_be_removed_is_said_and_removed_at_a_later_start(desk, capsys):
    (desk.folder / "eu.html").mkdir(parents=True)
    desk.configure()
    desk.publish()
    assert "feed.not_removed" in capsys.readouterr().out
    (desk.folder / "eu.html").rmdir()
    (desk.folder / "eu.html").touch()
    desk.publish()
    assert not (desk.folder / "eu.html").exists()


def test_a_mistake_of_ours_in_one_feed_keeps_no_other_from_being_published(desk, monkeypatch):
    desk.configure(*(replace(OF_EU, id=f"r{number}") for number in range(5)))

    def fail(writer: FeedWriter, task: Task) -> Iterator[Write]:
        yield from written(writer, task)
        if task.feed.id == "r2":
            raise ValueError

    written = FeedWriter.writes
    with monkeypatch.context() as patched:
        patched.setattr(FeedWriter, "writes", fail)
        assert desk.publish() == 4
    assert list(desk.failures) == ["r2"]
    assert [feed.id for feed in desk.store.stale_feeds()] == ["r2"]
    desk.publish()
    assert (desk.store.stale_feeds(), desk.failures) == ([], {})


def test_who_tells_of_changes_hears_of_one_that_was_not_settled_at_once(desk, monkeypatch):
    told: list[str] = []

    async def hear(addresses: Sequence[str]) -> None:
        told.extend(addresses)

    def fail(folder: Path) -> None:
        raise StoreError(f"{folder} could not be brought to the disk")

    desk.read("EU item 1")
    with desk.publisher(on_written=hear) as publisher:
        with monkeypatch.context() as patched:
            patched.setattr(publisher_module, "settle", fail)
            assert asyncio.run(publisher.publish_stale()) == 0
        assert (told, list(publisher.failures)) == ([], ["eu"])
        assert asyncio.run(publisher.publish_stale()) == 1
        assert told == [f"http://127.0.0.1:8080/feeds/eu.{each}" for each in EXTENSIONS]
        assert asyncio.run(publisher.publish_stale()) == 0


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


def test_an_edit_that_readers_need_not_notice_changes_an_entry_where_it_is(desk):
    desk.read(*titles(*range(1, 6)))
    desk.publish()
    before = desk.titles("eu/3-1"), desk.titles("eu"), updates(desk)
    desk.clock.now += HOUR
    read(desk.store, entry("eu-item-2", "EU: Item 2!"), watches=[EU])
    desk.publish()
    after = desk.titles("eu/3-1"), desk.titles("eu"), updates(desk)
    assert before[2] == after[2]
    assert after[:2] == tuple(
        [title.replace("EU item 2", "EU: Item 2!") for title in shown] for shown in before[:2]
    )


def updates(desk: Desk) -> list[str]:
    """Return when the page, the head and each entry were updated, as Atom says it."""
    documents = [(desk.folder / path).read_text() for path in ("eu/3-1.atom", "eu.atom")]
    return re.findall("<updated>.*?</updated>", "".join(documents))


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


def test_of_two_secret_feeds_in_one_folder_one_may_go_and_the_other_stays(desk):
    settings = FeedSettings(token="0123456789abcdef")
    both = [replace(OF_EU, id=name, settings=settings) for name in ("eu", "union")]
    desk.configure(*both)
    desk.read("EU item 1")
    desk.publish()
    desk.configure(both[0])
    desk.publish()
    assert {path.partition(".")[0] for path in desk.files()} == {"0123456789abcdef/eu", "index"}


def test_a_secret_feed_that_was_never_written_may_go(desk):
    desk.configure(replace(OF_EU, settings=FeedSettings(token="0123456789abcdef")))
    desk.configure()
    desk.publish()
    assert desk.files() == ["index.html", "index.opml"]


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


# --------------------------------------------------------------------------- health


def test_the_feed_of_health_lies_at_a_secret_address_and_is_in_no_list(desk):
    desk.has_health = True
    assert desk.publish() == 1  # that of the rule: health is not counted
    token = desk.store.health(None).token
    assert [path for path in desk.files() if path.startswith(token)] == [
        f"{token}/health.{extension}" for extension in ("atom", "html", "json", "rss")
    ]
    assert desk.titles(f"{token}/health") == []
    others = [data for path, data in desk.contents().items() if not path.startswith(token)]
    assert others
    assert not any(token.encode() in data for data in others)


def test_the_feed_of_health_is_written_when_something_is_the_matter(desk):
    desk.has_health = True
    desk.publish()
    name = f"{desk.store.health(None).token}/health"
    before = desk.contents()
    desk.publish()
    assert desk.contents() == before
    silent = Notice(kind=TroubleKind.SILENT, since=START, text="it has published nothing for 3 days")
    desk.store.record_polls([poll(claimed(desk.store), desk.store, notices=(silent,))])
    desk.publish()
    assert desk.titles(name) == ["Wire: it has published nothing for 3 days"]


def test_a_feed_of_health_that_nobody_wants_is_removed(desk):
    desk.has_health = True
    desk.publish()
    token = desk.store.health(None).token
    desk.has_health = False
    desk.publish()
    assert not (desk.folder / token).exists()


def test_a_feed_of_health_that_cannot_be_written_is_said_and_tried_again(desk):
    desk.has_health = True
    desk.store.publish_health(is_published=True)
    blocked = desk.folder / desk.store.health(None).token / "health.atom"
    blocked.mkdir(parents=True)
    assert desk.publish() == 1
    assert list(desk.failures) == ["of health"]
    blocked.rmdir()
    desk.publish()
    assert (desk.failures, blocked.is_file()) == ({}, True)


# --------------------------------------------------------------------------- tokens


def test_of_two_feeds_with_one_token_one_can_go(desk):
    secret = FeedSettings(limit=3, token="0123456789abcdef")
    one, two = replace(OF_EU, settings=secret), replace(OF_EU, id="two", settings=secret)
    desk.configure(one, two)
    desk.publish()
    desk.configure(one)
    desk.publish()
    assert (desk.folder / f"{one.name}.atom").is_file()
    assert not (desk.folder / f"{two.name}.atom").exists()


def test_a_secret_feed_that_was_never_published_can_go(desk):
    desk.configure(replace(OF_EU, settings=FeedSettings(token="0123456789abcdef")))
    desk.configure(OF_EU)
    assert desk.publish() == 1


# --------------------------------------------------------------------------- numbers


def test_nothing_is_left_out_when_the_clock_is_set_back(desk):
    desk.read("EU item 1")
    desk.publish()
    desk.clock.forward(-5 * HOUR)
    desk.read("EU item 2")
    desk.publish()
    assert sorted(desk.titles("eu")) == titles(1, 2)
