"""Sources of every kind, polled from a local server: what is asked, what it gives, who stands in for whom."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from syndicate.http import Client
from syndicate.model import (
    Address,
    Document,
    Kind,
    NetworkSettings,
    Part,
    Poll,
    PollState,
    Recorded,
    Scope,
    Source,
    Validators,
)
from syndicate.rules.index import RuleIndex
from syndicate.rules.rule import Rule
from syndicate.rules.tree import Word
from syndicate.sources.fetch import Answer, NotModified
from syndicate.sources.parts import Parts
from syndicate.sources.poller import Poller
from syndicate.sources.turns import StoreTurns
from syndicate.store.protocol import HostPace, RuleState
from syndicate.store.searching import ItemFilter
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from tests.contract.making import Clock, claimed
from tests.outlets import Article, LocalServer, Outlet, Reply, rss

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SETTINGS = NetworkSettings(allow_private=(ip_network("127.0.0.0/8"),), host_interval=timedelta())
INDEX = RuleIndex([Rule(id="water", title="Water", version="1", query=Word("water"), notify=("desk",))])
DOWN = Reply(status=500)
ANSWER = Answer(status=304, validators=Validators(), asked=None, moved_to=None, length_bytes=0)


@dataclass
class Watch:
    """A source that is watched, hour by hour."""

    store: SqliteStore
    clock: Clock
    source: Source

    def poll(self, by: timedelta = HOUR) -> list[tuple[Poll, Recorded]]:
        """Poll it that much later, whether it is due or not; return what was recorded."""
        self.clock.forward(by)
        self.store.poll_now(None)
        recorded: list[tuple[Poll, Recorded]] = []

        async def run() -> None:
            async with Client(SETTINGS) as client:
                poller = Poller(
                    client=client,
                    store=self.store,
                    call=call,
                    index=INDEX,
                    settings=SETTINGS,
                    random=lambda: 0.0,
                    on_recorded=recorded.extend,
                )
                await poller.drain(self.store.now())

        call = StoreThread()
        asyncio.run(run())
        call.close()
        assert all(each.error is None for _, each in recorded)
        return recorded

    def titles(self) -> list[str]:
        return sorted(each.item.title for each in self.store.items(ItemFilter()))

    def alerted(self) -> int:
        """Return how many alerts were ever raised."""
        return sum(len(delivery.alerts) for delivery in self.store.deliveries())

    @property
    def state(self) -> str:
        (status,) = self.store.sources()
        return status.state


@pytest.fixture
def outlet() -> Outlet:
    return Outlet()


@pytest.fixture
def server(outlet: Outlet) -> Iterator[LocalServer]:
    with LocalServer(outlet.answer) as server:
        yield server


@pytest.fixture
def watch(server: LocalServer, tmp_path: Path):
    """Return a function that watches the paths of the outlet."""
    opened = []

    def begin(*paths: str | Address) -> Watch:
        addresses = [path if isinstance(path, Address) else Address(url=path) for path in paths]
        addresses = [replace(each, url=server.address + each.url) for each in addresses]
        clock = Clock()
        source = Source(
            id="outlet",
            title="Outlet",
            urls=tuple(each.url for each in addresses),
            addresses=tuple(each for each in addresses if each != Address(url=each.url)),
        )
        store = SqliteStore(tmp_path / "syndicate.db", clock)
        opened.append(store)
        store.configure([source], [RuleState(id="water", version="1", feed=False)])
        return Watch(store, clock, source)

    yield begin
    for store in opened:
        store.close()


# --------------------------------------------------------------------------- what the outlet says


def article(number: int, title: str, published: datetime | None = None, text: str = "") -> Article:
    return Article(
        link=f"/news/2026/{number}-the-words-of-its-address",
        title=title,
        text=text,
        guid=f"tag:outlet.example,2026:{number}",
        published=published,
    )


def at(address: str, articles: list[Article]) -> list[Article]:
    return [replace(each, link=address + each.link) for each in articles]


def feed(address: str, *articles: Article) -> Reply:
    return Reply(headers={"content-type": "application/rss+xml"}, body=rss(at(address, list(articles))))


def json_feed(address: str, *articles: Article) -> Reply:
    items = [
        {"id": each.guid, "url": each.link, "title": each.title, "content_text": each.text}
        for each in at(address, list(articles))
    ]
    body = {"version": "https://jsonfeed.org/version/1.1", "title": "An outlet", "items": items}
    return Reply(headers={"content-type": "application/feed+json"}, body=json.dumps(body).encode())


def sitemap(address: str, *articles: Article, **headers: str) -> Reply:
    urls = "".join(
        f"<url><loc>{each.link}</loc><n:news>"
        "<n:publication><n:name>An outlet</n:name><n:language>en</n:language></n:publication>"
        f"<n:publication_date>{each.published:%Y-%m-%dT%H:%M:%SZ}</n:publication_date>"
        f"<n:title>{each.title}</n:title></n:news></url>"
        for each in at(address, list(articles))
    )
    spaces = (
        'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        ' xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"'
    )
    return Reply(headers=headers, body=f"<urlset {spaces}>{urls}</urlset>".encode())


def plain_sitemap(address: str, *articles: Article, **headers: str) -> Reply:
    urls = "".join(f"<url><loc>{each.link}</loc></url>" for each in at(address, list(articles)))
    return Reply(headers=headers, body=f"<urlset>{urls}</urlset>".encode())


def index(address: str, *parts: tuple[str, str | None], **headers: str) -> Reply:
    sitemaps = "".join(
        f"<sitemap><loc>{address}{path}</loc>{f'<lastmod>{date}</lastmod>' if date else ''}</sitemap>"
        for path, date in parts
    )
    return Reply(headers=headers, body=f"<sitemapindex>{sitemaps}</sitemapindex>".encode())


def page(*articles: Article) -> Reply:
    items = "".join(
        f'<article><h2><a href="{each.link}">{each.title}</a></h2>'
        f'<time datetime="{each.published or ""}">x</time></article>'
        for each in articles
    )
    return Reply(headers={"content-type": "text/html"}, body=f"<html><body>{items}</body></html>".encode())


def error_page() -> Reply:
    """Return what some servers say with status 200 while they are down."""
    links = "".join(
        f'<p><a href="/help/topic-{n}/how-to">How to get help with topic {n}</a>' for n in range(9)
    )
    return Reply(headers={"content-type": "text/html"}, body=f"<html><title>Sorry</title>{links}".encode())


# --------------------------------------------------------------------------- one identity


@pytest.fixture
def chain(outlet: Outlet, server: LocalServer, watch):
    """A feed, a sitemap and a page of one outlet, and how to publish on all of them."""
    watched = watch("/feed", "/news-sitemap.xml", Address(url="/news", item="article"))
    start = watched.clock.now
    articles = [
        article(number, f"Water {number}", start - number * HOUR, f"Text {number}.") for number in (1, 2, 3)
    ]

    def publish(*new: Article) -> None:
        articles[:0] = new
        outlet["/feed"] = feed(server.address, *articles)
        outlet["/news-sitemap.xml"] = sitemap(server.address, *articles)
        outlet["/news"] = page(*articles)

    publish()
    return watched, publish


def test_feed_sitemap_and_page_are_one_source_of_the_same_items(chain, outlet):
    watched, publish = chain
    watched.poll()
    assert outlet.paths() == ["/feed"]
    for down, state in ((["/feed"], "fallback"), (["/feed", "/news-sitemap.xml"], "fallback"), ([], "ok")):
        publish()
        outlet |= dict.fromkeys(down, DOWN)
        (*_, (poll, recorded)) = watched.poll()
        assert (recorded.new, recorded.changed, recorded.alerts) == (0, 0, 0)
        assert (poll.error, watched.state) == (None, state)
    assert outlet.paths() == ["/feed", "/news-sitemap.xml", "/feed", "/news-sitemap.xml", "/news", "/feed"]
    assert watched.titles() == ["Water 1", "Water 2", "Water 3"]
    (item, *_) = watched.store.items(ItemFilter())
    assert (item.item.body, item.item.revision) == ("Text 1.", 1)
    assert watched.alerted() == 0


def test_what_is_published_meanwhile_alerts_once_whoever_tells_of_it(chain, outlet):
    watched, publish = chain
    watched.poll()
    for number, down in ((4, ["/feed"]), (5, ["/feed", "/news-sitemap.xml"]), (6, ["/feed"]), (7, [])):
        publish(article(number, f"Water {number}", watched.clock.now + MINUTE, "Text."))
        outlet |= dict.fromkeys(down, DOWN)
        watched.poll()
        assert watched.alerted() == number - 3
    publish()
    watched.poll()
    assert watched.titles() == [f"Water {number}" for number in range(1, 8)]
    assert watched.alerted() == 4
    bodies = {each.item.title: each.item.body for each in watched.store.items(ItemFilter())}
    assert bodies["Water 5"] == "Text."  # what only the page had, the feed has completed


def test_what_another_address_has_of_old_alerts_nobody(chain, outlet, server):
    watched, publish = chain
    watched.poll()
    old = article(9, "Old water", watched.clock.now - 2 * HOUR)
    undated = article(10, "Undated water")
    publish()
    outlet["/feed"] = outlet["/news-sitemap.xml"] = DOWN
    outlet["/news"] = page(old, undated)
    (*_, (_, recorded)) = watched.poll()
    assert (recorded.new, recorded.alerts, recorded.suppressed) == (2, 0, 2)


def test_what_nobody_told_of_while_the_first_address_was_down_alerts_when_it_is_back(chain, outlet, server):
    watched, publish = chain
    watched.poll()
    publish()
    outlet["/feed"] = DOWN
    missed = article(4, "Water missed", watched.clock.now + MINUTE)
    watched.poll()
    watched.poll()
    outlet["/feed"] = feed(server.address, missed, article(9, "Old water", watched.clock.now - 9 * HOUR))
    (*_, (_, recorded)) = watched.poll()
    assert (recorded.new, recorded.alerts, recorded.suppressed) == (2, 1, 1)


def test_a_headline_that_says_nothing_alerts_when_the_feed_is_back_with_its_text(chain, outlet):
    watched, publish = chain
    watched.poll()
    publish(article(4, "Talks in the west", watched.clock.now + MINUTE, "They were about water."))
    outlet["/feed"] = DOWN
    watched.poll()
    assert watched.alerted() == 0
    publish()
    (*_, (_, recorded)) = watched.poll()
    assert (recorded.new, recorded.changed, recorded.alerts) == (0, 1, 1)


def test_an_edited_headline_is_an_edit_of_what_a_sitemap_has_told(outlet, server, watch):
    watched = watch("/news-sitemap.xml")
    outlet["/news-sitemap.xml"] = sitemap(server.address, article(1, "Talks", watched.clock.now))
    watched.poll()
    outlet["/news-sitemap.xml"] = sitemap(server.address, article(1, "Water talks", watched.clock.now))
    ((_, recorded),) = watched.poll()
    assert (recorded.new, recorded.changed, recorded.alerts) == (0, 1, 1)


def test_a_json_feed_and_a_feed_of_the_same_articles_are_one(outlet, server, watch):
    watched = watch("/feed.json", "/feed")
    articles = [article(number, f"Water {number}", text="Text.") for number in (1, 2)]
    outlet["/feed.json"], outlet["/feed"] = (
        json_feed(server.address, *articles),
        feed(server.address, *articles),
    )
    watched.poll()
    outlet["/feed.json"] = DOWN
    (*_, (_, recorded)) = watched.poll()
    assert (recorded.new, recorded.changed) == (0, 0)
    assert watched.titles() == ["Water 1", "Water 2"]


# --------------------------------------------------------------------------- what is taken for what


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/feed.json", Kind.JSON),
        ("/feed.json", None),
        ("/sitemap.xml.gz", Kind.SITEMAP),
        ("/sitemap.xml.gz", None),
        ("/news", Kind.PAGE),
        ("/news", None),
    ],
)
def test_each_kind_is_read_whether_it_is_said_or_not(path, kind, outlet, server, watch):
    watched = watch(Address(url=path, kind=kind))
    articles = [article(number, f"Water in the year {number}", watched.clock.now) for number in range(5)]
    whole = sitemap(server.address, *articles).body
    assert isinstance(whole, bytes)
    packed = gzip.compress(whole)
    outlet |= {"/feed.json": json_feed(server.address, *articles), "/news": page(*articles)}
    outlet["/sitemap.xml.gz"] = Reply(headers={"content-type": "application/x-gzip"}, body=packed)
    ((poll, recorded),) = watched.poll()
    assert (poll.state, recorded.new) == (PollState.OK, 5)
    assert watched.titles() == [f"Water in the year {number}" for number in range(5)]


def test_where_a_feed_was_a_page_is_not_read(outlet, server, watch):
    watched = watch("/feed")
    outlet["/feed"] = feed(server.address, article(1, "Water"))
    watched.poll()
    outlet["/feed"] = error_page()
    ((poll, _),) = watched.poll()
    assert poll.state is PollState.FAILED
    assert "an HTML page titled “Sorry”, where a document of the format rss20 was before" in poll.error
    assert watched.titles() == ["Water"]


def test_other_selectors_read_the_same_page_anew_and_old_articles_alert_nobody(outlet, server, watch):
    watched = watch(Address(url="/news", kind=Kind.PAGE, link_pattern="/news/2026/[12]-*"))
    articles = [article(number, f"Water {number}", watched.clock.now - HOUR) for number in (1, 2, 3)]
    outlet["/news"] = replace(page(*articles), headers={"etag": '"1"'})
    watched.poll()
    assert watched.titles() == ["Water 1", "Water 2"]
    changed = replace(watched.source.addresses[0], link_pattern=None, item="article")
    rules = [RuleState(id="water", version="1", feed=False)]
    watched.store.configure([replace(watched.source, addresses=(changed,))], rules)
    ((poll, recorded),) = watched.poll()
    assert (poll.state, recorded.new, recorded.alerts, recorded.suppressed) == (PollState.OK, 1, 0, 1)
    ((poll, _),) = watched.poll()
    assert poll.state is PollState.UNCHANGED


def test_each_kind_is_asked_for_by_its_media_types(outlet, server, watch):
    watched = watch(
        "/a", *(Address(url=f"/{kind}", kind=kind) for kind in (Kind.JSON, Kind.SITEMAP, Kind.PAGE))
    )
    watched.poll()
    accepted = [asked.headers["accept"].partition(",")[0] for asked in outlet.asked]
    assert accepted == ["application/atom+xml", "application/feed+json", "application/xml", "text/html"]


# --------------------------------------------------------------------------- indexes of sitemaps


def test_of_an_index_the_newest_parts_are_read_and_then_only_what_has_changed(outlet, server, watch):
    watched = watch("/sitemap.xml")
    now = watched.clock.now
    outlet["/new.xml"] = sitemap(server.address, article(1, "Water 1", now), etag='"n1"')
    outlet["/old.xml"] = sitemap(server.address, article(2, "Water 2", now - HOUR), etag='"o1"')
    parts = {"/new.xml": "2026-11-24", "/old.xml": "2026-10-01", "/category-sitemap.xml": "2026-11-24"}
    outlet["/sitemap.xml"] = index(server.address, *parts.items(), etag='"1"')
    ((poll, recorded),) = watched.poll()
    assert (poll.state, recorded.new, poll.spent.requests) == (PollState.OK, 2, 3)
    assert outlet.paths() == ["/sitemap.xml", "/new.xml", "/old.xml"]

    ((poll, _),) = watched.poll()  # the index has not changed, and says that its parts have not
    assert poll.state is PollState.UNCHANGED
    assert outlet.paths() == ["/sitemap.xml"]

    parts["/new.xml"] = "2026-11-25"
    outlet["/sitemap.xml"] = index(server.address, *parts.items(), etag='"2"')
    ((poll, _),) = watched.poll()
    assert [asked.headers.get("if-none-match") for asked in outlet.asked] == ['"1"', '"n1"']
    assert poll.state is PollState.UNCHANGED
    outlet.asked.clear()

    outlet["/new.xml"] = sitemap(server.address, article(3, "Water 3", now + HOUR), etag='"n2"')
    parts["/new.xml"] = "2026-11-26"
    outlet["/sitemap.xml"] = index(server.address, *parts.items(), etag='"3"')
    ((poll, recorded),) = watched.poll()
    assert (poll.state, recorded.new, recorded.alerts) == (PollState.OK, 1, 1)
    assert outlet.paths() == ["/sitemap.xml", "/new.xml"]


def test_where_an_index_does_not_say_when_parts_changed_they_are_asked_conditionally(outlet, server, watch):
    watched = watch("/sitemap.xml")
    outlet["/posts-1.xml"] = plain_sitemap(server.address, article(1, ""), etag='"a"')
    outlet["/sitemap.xml"] = index(server.address, ("/posts-1.xml", None), etag='"1"')
    ((_, recorded),) = watched.poll()
    assert (recorded.new, watched.titles()) == (1, ["1 the words of its address"])
    outlet.asked.clear()
    ((poll, _),) = watched.poll()
    assert poll.state is PollState.UNCHANGED
    assert [asked.headers.get("if-none-match") for asked in outlet.asked] == ['"1"', '"a"']
    outlet["/posts-1.xml"] = plain_sitemap(server.address, article(1, ""), article(2, ""), etag='"b"')
    ((poll, recorded),) = watched.poll()
    assert (poll.state, recorded.new) == (PollState.OK, 1)


def test_a_part_that_fails_is_said_and_tried_again_and_the_others_are_read(outlet, server, watch):
    watched = watch("/sitemap.xml")
    outlet["/a-1.xml"], outlet["/a-2.xml"] = plain_sitemap(server.address, article(1, "")), DOWN
    parts = (("/a-1.xml", "2026-11-24"), ("/a-2.xml", "2026-11-23"))
    outlet["/sitemap.xml"] = index(server.address, *parts)
    ((poll, _),) = watched.poll()
    assert poll.problems == (f"{server.address}/a-2.xml: the server answered 500",)
    outlet.asked.clear()
    outlet["/a-2.xml"] = plain_sitemap(server.address, article(2, ""))
    ((poll, recorded),) = watched.poll()
    assert (outlet.paths(), recorded.new) == (["/sitemap.xml", "/a-2.xml"], 1)


def test_a_part_that_asks_for_time_has_it_though_others_are_read(outlet, server, watch):
    watched = watch("/sitemap.xml")
    outlet["/a-1.xml"] = plain_sitemap(server.address, article(1, ""))
    outlet["/a-2.xml"] = Reply(status=429, headers={"retry-after": "7200"})
    parts = (("/a-1.xml", "2026-11-24"), ("/a-2.xml", "2026-11-23"))
    outlet["/sitemap.xml"] = index(server.address, *parts)
    ((poll, recorded),) = watched.poll()
    assert recorded.new == 1
    assert poll.next_poll_at >= watched.clock.now + timedelta(hours=2)
    assert watched.store.take_turn(server.address, HostPace(interval=timedelta(), concurrency=1)) is None


def test_when_all_parts_fail_so_does_the_index_and_the_next_address_is_asked(outlet, server, watch):
    watched = watch("/sitemap.xml", "/feed")
    outlet["/sitemap.xml"] = index(server.address, ("/a-1.xml", None), ("/a-2.xml", None))
    outlet["/a-1.xml"] = outlet["/a-2.xml"] = Reply(status=429, headers={"retry-after": "60"})
    outlet["/feed"] = feed(server.address, article(1, "Water"))
    ((failed, _),) = watched.poll()
    assert failed.error == f"{server.address}/a-2.xml: the server answered 429"
    assert failed.host_backoff_until is not None
    assert outlet.paths() == ["/sitemap.xml", "/a-2.xml"]  # who asks for less is asked no more
    ((poll, _),) = watched.poll()
    assert poll.claim.url.endswith("/feed")


def test_parts_of_other_sites_are_left_alone(outlet, server, watch):
    watched = watch("/sitemap.xml")
    outlet["/sitemap.xml"] = index("https://elsewhere.example", ("/a.xml", None))
    ((poll, _),) = watched.poll()
    assert "names none of its own site" in poll.error
    assert outlet.paths() == ["/sitemap.xml"]


def test_between_requests_for_parts_the_configured_time_passes(outlet, server, watch):
    watched = watch("/sitemap.xml")
    outlet["/a-1.xml"] = outlet["/a-2.xml"] = plain_sitemap(server.address, article(1, ""))
    named = Document(format="sitemap", parts=tuple(Part(url=f"{server.address}/a-{n}.xml") for n in (1, 2)))
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(round(seconds))
        watched.clock.forward(timedelta(seconds=seconds))

    def seconds() -> float:
        return float(watched.clock.now.timestamp())

    async def run() -> object:
        settings = replace(SETTINGS, host_interval=timedelta(seconds=3))
        async with Client(settings) as client:
            turns = StoreTurns(store=watched.store, call=call, clock=seconds, scope=Scope.HOST)
            parts = Parts(client=client, settings=settings, turns=turns, sleep=sleep, clock=seconds)
            claim = claimed(watched.store, "outlet")
            return await parts.read(claim, NotModified(answer=ANSWER), named, watched.clock.now)

    with closing(StoreThread()) as call:
        assert isinstance(asyncio.run(run()), tuple)
    assert waits == [3, 3]
    # Others of the same host wait meanwhile, as it waits for them.
    pace = HostPace(interval=timedelta(seconds=3), concurrency=1)
    assert watched.store.take_turn(server.address, pace) == watched.clock.now + timedelta(seconds=3)
