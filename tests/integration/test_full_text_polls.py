"""Full text over many polls: each page once, again where it failed, and never more than others can bear."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path

import pytest

from syndicate.http import Client
from syndicate.model import NetworkSettings, Poll, Recorded, Scope, Source
from syndicate.rules.index import RuleIndex
from syndicate.rules.rule import Rule
from syndicate.rules.tree import Word
from syndicate.sources.article import MAX_PAGES
from syndicate.sources.awaited import AFTER, LONGEST
from syndicate.sources.poller import Poller
from syndicate.store.protocol import PAGE_AGE, HostPace, RuleState
from syndicate.store.searching import ItemFilter
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from tests.contract.making import Clock
from tests.outlets import Article, Asked, LocalServer, Outlet, Reply, feed

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SETTINGS = NetworkSettings(allow_private=(ip_network("127.0.0.0/8"),), host_interval=timedelta())
INDEX = RuleIndex(
    [
        Rule(id=word, title=word, version="1", query=Word(word), notify=("desk",))
        for word in ("water", "metro")
    ]
)
HTML = {"content-type": "text/html; charset=utf-8"}
SENTENCES = (
    "The ministers of {0} met on Tuesday and spoke for three hours behind closed doors about the plan.",
    "Nobody in {0} had expected that the paper would be signed before the end of the winter season.",
    "A spokesman for {0} said that the next round of talks would begin when the snow has melted.",
)
NAMES = ("Altynkol", "Beskaragay", "Chundzha", "Dostyk", "Ekibastuz", "Fabrichny", "Granitogorsk", "Khorgos")


def pages_of(outlet: Outlet) -> list[str]:
    """Return which pages were asked for since the last time."""
    return [path for path in outlet.paths() if path not in ("/rss", "/other", "/robots.txt")]


def page(name: str, *more: str, around: str = "") -> Reply:
    """Return the page of an article about a place, with more paragraphs behind it."""
    paragraphs = [sentence.format(name) for sentence in SENTENCES]
    text = "".join(f"<p>{paragraph}</p>" for paragraph in (*paragraphs, *more))
    html = f"<html><body><article><h1>Talks in {name}</h1>{text}{around}</article></body></html>"
    return Reply(headers=HTML, body=html.encode())


@dataclass
class Desk:
    """Sources that are watched, poll by poll, each by a process of its own."""

    file: Path
    clock: Clock
    server: LocalServer
    sources: tuple[Source, ...]
    settings: NetworkSettings = SETTINGS

    def poll(self, *, after: timedelta = timedelta()) -> list[tuple[Poll, Recorded]]:
        self.clock.forward(after)
        recorded: list[tuple[Poll, Recorded]] = []

        async def run() -> None:
            async with Client(self.settings) as client:
                poller = Poller(
                    client=client,
                    store=store,
                    call=call,
                    index=INDEX,
                    settings=self.settings,
                    random=lambda: 0.0,
                    on_recorded=recorded.extend,
                )
                await poller.drain(store.now())

        with closing(self.store()) as store, closing(StoreThread()) as call:
            store.configure(
                self.sources, [RuleState(id=each, version="1", feed=False) for each in INDEX.rules]
            )
            store.poll_now(None)
            asyncio.run(run())
        assert all(each.error is None for _, each in recorded)
        return recorded

    def store(self) -> SqliteStore:
        return SqliteStore(self.file, self.clock)

    def bodies(self) -> dict[str, str]:
        """Return what is stored, by title."""
        with closing(self.store()) as store:
            return {each.item.title: each.item.body for each in store.items(ItemFilter())}

    def revisions(self) -> dict[str, int]:
        with closing(self.store()) as store:
            return {each.item.title: each.item.revision for each in store.items(ItemFilter())}

    def rules_of(self, title: str) -> tuple[str, ...]:
        with closing(self.store()) as store:
            (found,) = [each for each in store.items(ItemFilter()) if each.item.title == title]
            return found.rules

    def problems(self) -> tuple[str, ...]:
        with closing(self.store()) as store:
            (status,) = store.sources()
            return status.problems

    def alerted(self) -> int:
        with closing(self.store()) as store:
            return sum(len(delivery.alerts) for delivery in store.deliveries())


@pytest.fixture
def outlet() -> Outlet:
    return Outlet()


@pytest.fixture
def desk(outlet: Outlet, tmp_path: Path) -> Iterator[Desk]:
    with LocalServer(outlet.answer) as server:
        source = Source(
            id="wire",
            title="Wire",
            urls=(f"{server.address}/rss",),
            full_text=True,
            baseline=False,
            language="en",
        )
        yield Desk(file=tmp_path / "s.db", clock=Clock(), server=server, sources=(source,))


def publish(outlet: Outlet, desk: Desk, *names: str, text: str = "A teaser.", path: str = "/rss") -> None:
    articles = [
        Article(link=f"{desk.server.address}/{each}", title=f"Talks in {each}", text=text) for each in names
    ]
    outlet[path] = feed(articles, etag=f'"{"-".join(names)}{len(text)}"')


# --------------------------------------------------------------------------- once


def test_a_page_is_asked_for_once_over_restarts_and_polls(desk, outlet):
    publish(outlet, desk, "Dostyk")
    outlet["/Dostyk"] = page("Dostyk")
    for _ in range(4):
        desk.poll(after=HOUR)
    assert pages_of(outlet) == ["/Dostyk"]
    assert "behind closed doors" in desk.bodies()["Talks in Dostyk"]
    assert desk.revisions() == {"Talks in Dostyk": 1}


def test_a_page_that_two_sources_link_to_is_asked_for_once(desk, outlet):
    (wire,) = desk.sources
    desk.sources = (wire, replace(wire, id="other", urls=(f"{desk.server.address}/other",)))
    outlet["/Dostyk"] = page("Dostyk")
    for path in ("/rss", "/other"):
        publish(outlet, desk, "Dostyk", path=path)
    desk.poll()
    with closing(desk.store()) as store:
        assert ["behind closed doors" in each.item.body for each in store.items(ItemFilter())] == [True, True]
    assert pages_of(outlet) == ["/Dostyk"]


def test_a_source_that_prunes_otherwise_reads_the_page_itself(desk, outlet):
    (wire,) = desk.sources
    desk.sources = (wire, replace(wire, id="other", urls=(f"{desk.server.address}/other",), prune=(".box",)))
    outlet["/Dostyk"] = page(
        "Dostyk", around='<p class="box">The metro of Dostyk will not be built at all.</p>'
    )
    for path in ("/rss", "/other"):
        publish(outlet, desk, "Dostyk", path=path)
    desk.poll()
    with closing(desk.store()) as store:
        texts = {each.item.source: each.item.body for each in store.items(ItemFilter())}
    assert {source: "metro" in text for source, text in texts.items()} == {"wire": True, "other": False}
    assert pages_of(outlet) == ["/Dostyk", "/Dostyk"]


def _has_asked(path: str) -> Callable[[Sequence[Asked]], bool]:
    return lambda several: any(asked.path == path for asked in several)


def test_a_page_that_was_read_before_a_crash_is_not_asked_for_again(desk, outlet):
    publish(outlet, desk, "Dostyk", "Khorgos")
    outlet["/Dostyk"] = page("Dostyk")
    outlet["/Khorgos"] = Reply(pause_seconds=30, headers=HTML, body=[b"x"])

    async def run() -> None:
        async with Client(SETTINGS) as client:
            poller = Poller(
                client=client, store=store, call=call, index=INDEX, settings=SETTINGS,
                random=lambda: 0.0, on_recorded=lambda _: None,
            )  # fmt: skip
            await poller.start_due(store.now())
            await asyncio.to_thread(desk.server.wait_for, _has_asked("/Khorgos"))
            await poller.close(timedelta())

    with closing(desk.store()) as store, closing(StoreThread()) as call:
        store.configure(desk.sources, [])
        asyncio.run(run())
    outlet["/Khorgos"] = page("Khorgos")
    desk.poll()
    assert pages_of(outlet) == ["/Dostyk", "/Khorgos", "/Khorgos"]


def test_what_changes_around_a_text_asks_for_no_page_and_keeps_the_article(desk, outlet):
    outlet["/Dostyk"] = page("Dostyk")
    publish(outlet, desk, "Dostyk")
    desk.poll()
    outlet["/rss"] = Reply(body=outlet["/rss"].body.replace(b"</item>", b"<category>rail</category></item>"))
    desk.poll(after=HOUR)
    assert desk.revisions() == {"Talks in Dostyk": 2}
    assert "behind closed doors" in desk.bodies()["Talks in Dostyk"]
    assert pages_of(outlet) == ["/Dostyk"]


def test_a_text_that_its_publisher_edits_is_asked_for_anew(desk, outlet):
    outlet["/Dostyk"] = page("Dostyk")
    publish(outlet, desk, "Dostyk")
    desk.poll()
    outlet["/Dostyk"] = page("Dostyk", "The water of the river was the last point on the agenda of that day.")
    publish(outlet, desk, "Dostyk", text="Another teaser.")
    desk.poll(after=HOUR)
    assert pages_of(outlet) == ["/Dostyk", "/Dostyk"]
    assert desk.rules_of("Talks in Dostyk") == ("water",)


def test_what_another_address_that_is_only_looked_at_says_asks_for_no_page(desk, outlet):
    (wire,) = desk.sources
    desk.sources = (replace(wire, urls=(*wire.urls, f"{desk.server.address}/other")),)
    outlet["/Dostyk"] = page("Dostyk")
    publish(outlet, desk, "Dostyk")
    publish(outlet, desk, "Dostyk", text="In other words.", path="/other")
    desk.poll()
    desk.poll(after=timedelta(days=8))
    assert "/other" in [asked.path for asked in outlet.asked]
    assert pages_of(outlet) == ["/Dostyk"]
    assert desk.revisions() == {"Talks in Dostyk": 1}


def test_while_the_page_of_an_edited_item_fails_it_keeps_its_article(desk, outlet):
    outlet["/Dostyk"] = page("Dostyk", "The water of the river was the last point on the agenda of that day.")
    publish(outlet, desk, "Dostyk")
    desk.poll()
    outlet["/Dostyk"] = Reply(status=502)
    publish(outlet, desk, "Dostyk", text="Another teaser.")
    desk.poll(after=HOUR)
    assert desk.rules_of("Talks in Dostyk") == ("water",)
    outlet["/Dostyk"] = page("Dostyk")
    desk.poll(after=HOUR)
    assert desk.rules_of("Talks in Dostyk") == ()
    assert "behind closed doors" in desk.bodies()["Talks in Dostyk"]
    assert desk.revisions() == {"Talks in Dostyk": 3}


# --------------------------------------------------------------------------- again


def test_a_page_that_failed_is_asked_for_later_and_its_item_matched_again_and_alerted_once(desk, outlet):
    outlet["/Dostyk"] = Reply(status=502)
    publish(outlet, desk, "Dostyk")
    desk.poll()
    assert (desk.bodies(), desk.alerted()) == ({"Talks in Dostyk": "A teaser."}, 0)
    outlet["/Dostyk"] = page("Dostyk", "The water of the river was the last point on the agenda of that day.")
    outlet["/Dostyk"], good = Reply(status=503), outlet["/Dostyk"]
    desk.settings = replace(SETTINGS, retry_after=Scope.SOURCE)
    ((poll, recorded),) = desk.poll(after=HOUR)
    assert poll.problems == ("full text of 1 item was not fetched: the server answered 503",)
    assert desk.problems() == poll.problems
    outlet["/Dostyk"] = good
    ((poll, recorded),) = desk.poll(after=HOUR)
    assert (poll.state, recorded.changed, recorded.alerts) == ("unchanged", 1, 1)
    assert desk.problems() == ()
    for _ in range(3):
        desk.poll(after=HOUR)
    assert pages_of(outlet) == ["/Dostyk"] * 3
    assert (desk.rules_of("Talks in Dostyk"), desk.alerted()) == (("water",), 1)
    assert desk.revisions() == {"Talks in Dostyk": 2}


def test_what_changes_around_a_text_while_its_page_is_awaited_stays_changed(desk, outlet):
    outlet["/Dostyk"] = Reply(status=502)
    publish(outlet, desk, "Dostyk")
    desk.poll()
    outlet["/rss"] = Reply(body=outlet["/rss"].body.replace(b"</item>", b"<category>rail</category></item>"))
    outlet["/Dostyk"] = page("Dostyk")
    for _ in range(3):
        desk.poll(after=HOUR)
    with closing(desk.store()) as store:
        (found,) = store.items(ItemFilter())
    assert found.item.categories == ("rail",)
    assert "behind closed doors" in found.item.body
    assert found.item.revision == 3  # its category, then its article


def test_what_was_no_news_is_none_when_its_article_comes_late(desk, outlet):
    desk.sources = (replace(desk.sources[0], baseline=True),)
    outlet["/Dostyk"] = Reply(status=502)
    publish(outlet, desk, "Dostyk")
    desk.poll()
    outlet["/Dostyk"] = page("Dostyk", "The water of the river was the last point on the agenda of that day.")
    ((_, recorded),) = desk.poll(after=HOUR)
    assert (recorded.alerts, recorded.suppressed, desk.alerted()) == (0, 1, 0)
    assert desk.rules_of("Talks in Dostyk") == ("water",)


def test_a_page_that_always_fails_is_asked_for_a_few_times_ever_later(desk, outlet):
    outlet["/Dostyk"] = Reply(status=502)
    publish(outlet, desk, "Dostyk")
    at, hours = [], 60
    steps = [0, 4, 5, 34, 35, 4 * hours + 34, 4 * hours + 35, 28 * hours + 34, 28 * hours + 35, 99 * hours]
    for before, minute in pairwise([0, *steps]):
        desk.poll(after=(minute - before) * MINUTE)
        at += [minute] * len(pages_of(outlet))
    assert at == [0, 5, 35, 4 * hours + 35, 28 * hours + 35]
    assert len(at) == 1 + len(AFTER)


@pytest.mark.parametrize(
    "reply", [Reply(status=410), Reply(headers={"content-type": "image/png"}, body=b"x")]
)
def test_a_page_that_cannot_become_one_is_not_asked_for_again(desk, outlet, reply):
    outlet["/Dostyk"] = reply
    publish(outlet, desk, "Dostyk")
    for _ in range(3):
        desk.poll(after=HOUR)
    assert pages_of(outlet) == ["/Dostyk"]


def test_what_robots_txt_disallows_is_not_asked_for_when_it_allows_it(desk, outlet):
    outlet["/robots.txt"] = Reply(body=b"User-agent: *\nDisallow: /")
    outlet["/Dostyk"] = page("Dostyk")
    publish(outlet, desk, "Dostyk")
    desk.poll()
    outlet["/robots.txt"] = Reply(status=404)
    desk.poll(after=HOUR)
    assert pages_of(outlet) == []


def test_more_pages_than_a_poll_may_ask_for_are_left_for_the_next(desk, outlet):
    names = [f"{NAMES[number % 8]}{number}" for number in range(MAX_PAGES + 5)]
    for name in names:
        outlet[f"/{name}"] = page(name, f"Number {name} of the series.")
    publish(outlet, desk, *names)
    ((poll, _),) = desk.poll()
    assert poll.problems == ("full text of 5 items was not fetched yet: more than 20 in one poll",)
    desk.poll(after=HOUR)
    assert sorted(pages_of(outlet)) == sorted(f"/{name}" for name in names)
    assert sum("behind closed doors" in body for body in desk.bodies().values()) == len(names)


def test_what_was_left_for_later_too_long_is_given_up(desk, outlet):
    outlet["/robots.txt"] = Reply(status=503, headers={"retry-after": "86400"})
    publish(outlet, desk, "Dostyk")
    desk.poll()
    desk.poll(after=LONGEST)
    outlet["/robots.txt"] = Reply(status=404)
    outlet["/Dostyk"] = page("Dostyk")
    desk.poll(after=LONGEST)
    desk.poll(after=HOUR)
    assert pages_of(outlet) == []


# --------------------------------------------------------------------------- what it takes of others


def test_pages_and_robots_txt_count_in_what_a_source_took(desk, outlet):
    outlet["/Dostyk"] = page("Dostyk")
    outlet["/robots.txt"] = Reply(body=b"User-agent: *\nAllow: /\n")
    publish(outlet, desk, "Dostyk")
    desk.poll()
    with closing(desk.store()) as store:
        (status,) = store.sources()
    assert status.spent.requests == 3
    assert status.spent.received_bytes == sum(
        len(outlet[path].body) for path in ("/Dostyk", "/rss", "/robots.txt")
    )


def test_a_host_that_wants_less_on_a_page_is_left_alone_by_feeds_too_and_after_a_restart(desk, outlet):
    outlet["/Dostyk"] = Reply(status=429, headers={"retry-after": "7200"})
    publish(outlet, desk, "Dostyk", "Khorgos")
    desk.poll()
    assert pages_of(outlet) == ["/Dostyk"]
    desk.poll(after=HOUR)
    assert outlet.asked == []
    outlet["/Dostyk"] = outlet["/Khorgos"] = page("Dostyk")
    desk.poll(after=HOUR)
    assert pages_of(outlet) == ["/Khorgos", "/Dostyk"]


def test_where_only_the_source_waits_its_feed_is_asked_and_its_page_is_not(desk, outlet):
    desk.settings = replace(SETTINGS, retry_after=Scope.SOURCE)
    outlet["/Dostyk"] = Reply(status=503, headers={"retry-after": "7200"})
    publish(outlet, desk, "Dostyk", "Khorgos")
    desk.poll()
    asked = [each.path for each in outlet.asked]
    assert asked == ["/rss", "/robots.txt", "/Dostyk"]
    outlet["/Khorgos"] = page("Khorgos")
    desk.poll(after=HOUR)
    assert pages_of(outlet)[1:] == ["/Khorgos"]


def test_pages_and_polls_of_a_host_take_turns(desk, outlet):
    outlet["/Dostyk"] = page("Dostyk")
    publish(outlet, desk, "Dostyk")
    desk.poll()
    with closing(desk.store()) as store:
        pace = HostPace(interval=MINUTE, concurrency=1)
        at = store.take_turn(f"{desk.server.address}/rss", pace)
        assert (
            store.take_turn(f"{desk.server.address}/page", pace, latest=store.now() + MINUTE) == at + MINUTE
        )
        assert (
            store.take_turn(f"{desk.server.address}/page", pace) == at + MINUTE
        )  # what came too late was not taken
        assert store.take_turn(f"{desk.server.address}/x", pace, earliest=at + 9 * MINUTE) == at + 9 * MINUTE


# --------------------------------------------------------------------------- what pages repeat


READING = (
    '<div class="more"><p>Currently reading</p>'
    '<p><a href="/x">The metro of the capital opens two stations</a></p>'
    "<p>Subscribe to the letter of the metro and get the news of the city every morning.</p></div>"
)


def test_what_the_pages_of_one_poll_repeat_is_in_no_item(desk, outlet):
    for name in NAMES:
        outlet[f"/{name}"] = page(name, around=READING)
    publish(outlet, desk, *NAMES)
    desk.poll()
    assert [title for title, body in desk.bodies().items() if "metro" in body or "Currently" in body] == []
    assert all("when the snow has melted" in body for body in desk.bodies().values())


def test_without_pages_to_compare_with_few_pages_keep_what_they_repeat(desk, outlet):
    for number, name in enumerate(NAMES):
        outlet[f"/{name}"] = page(name, around=READING)
        publish(outlet, desk, *NAMES[: number + 1])
        desk.poll(after=2 * PAGE_AGE)
    kept = [name for name in NAMES if "metro" in desk.bodies()[f"Talks in {name}"]]
    assert kept == list(NAMES[:3])
    assert pages_of(outlet) == [f"/{name}" for name in NAMES]


def test_an_item_that_says_what_all_others_say_keeps_its_text(desk, outlet):
    same = page("Dostyk", "The water of the river was the last point on the agenda of that day.")
    for name in NAMES:
        outlet[f"/{name}"] = same
    publish(outlet, desk, *NAMES)
    desk.poll()
    assert {"water" in body for body in desk.bodies().values()} == {True}


def test_evidence_is_of_the_text_that_is_stored(desk, outlet):
    for name in NAMES:
        water = "In the end it was the water of the lake."
        outlet[f"/{name}"] = page(name, around=READING + f"<p>{water} {name} will have to wait for more.</p>")
    publish(outlet, desk, *NAMES)
    desk.poll()
    with closing(desk.store()) as store:
        for found in store.items(ItemFilter()):
            stored = store.stored_match("water", found.item.id)
            hits: Sequence[str] = [found.item.body[hit.start : hit.end] for hit in stored.match.hits]
            assert list(hits) == ["water"]
