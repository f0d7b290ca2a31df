"""What can be watched is found on local sites, politely, whatever the sites do."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from syndicate.errors import NetworkError, RefusedError
from syndicate.http import Client
from syndicate.model import NetworkSettings
from syndicate.sources.discover import MAX_REQUESTS, Discovery, Explorer, addresses
from syndicate.sources.leads import MAX_LINKED, MAX_NAMED, Via
from tests.outlets import Article, rss
from tests.servers import Request, answer, raw_server

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SETTINGS = NetworkSettings(
    allow_private=(ip_network("127.0.0.0/8"),),
    host_interval=timedelta(seconds=1),
    timeout=timedelta(seconds=5),
)
HTML = b"content-type: text/html; charset=utf-8"
XML = b"content-type: application/xml"
NOTHING_THERE = answer(b"<html><title>404</title></html>", HTML, status="404 Not Found")


@dataclass(kw_only=True)
class Site:
    """A server that answers each path as told, and remembers what was asked when, on a clock of its own."""

    answers: Mapping[str, bytes]
    now: float = 1000.0
    asked: list[tuple[float, Request]] = field(default_factory=list)

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        self.asked.append((self.now, request))
        writer.write(self.answers.get(request.target, NOTHING_THERE))
        await writer.drain()
        return True

    @property
    def targets(self) -> list[str]:
        return [request.target for _, request in self.asked]

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def page(*feeds: str, body: str = "") -> bytes:
    links = "".join(f'<link rel="alternate" type="application/rss+xml" href="{feed}">' for feed in feeds)
    return answer(f"<html><head><title>Outlet</title>{links}</head><body>{body}</body></html>".encode(), HTML)


def feed(title: str, *, hours: float = 1, entries: int = 2) -> bytes:
    articles = [
        Article(
            link=f"https://outlet.example/{title}/{number}",
            title=f"{title} {number}",
            published=NOW - timedelta(hours=hours + number),
        )
        for number in range(entries)
    ]
    return answer(rss(articles, title=title), b"content-type: application/rss+xml")


def redirect(to: str, status: str = "301 Moved Permanently") -> bytes:
    return answer(b"", b"location: " + to.encode(), status=status)


def robots(*lines: str) -> bytes:
    return answer("\n".join(("User-agent: *", *lines)).encode(), b"content-type: text/plain")


async def looked(site: Site, path: str, settings: NetworkSettings) -> Discovery:
    async with raw_server(site) as address, Client(settings) as client:
        explorer = Explorer(client=client, settings=settings, sleep=site.sleep, clock=site.clock)
        return await explorer.look(address + path, NOW)


def look(site: Site, path: str = "/", settings: NetworkSettings = SETTINGS) -> Discovery:
    return asyncio.run(looked(site, path, settings))


def found(discovery: Discovery) -> list[tuple[str, str, str]]:
    """Return the path of each thing that was found, its title, and how it was found."""
    return [(f"/{each.url.split('/', 3)[3]}", each.title, each.via.value) for each in discovery.found]


# --------------------------------------------------------------------------- what is found


def test_a_feed_is_what_was_meant_and_nothing_else_is_asked():
    site = Site(answers={"/rss": feed("Outlet", entries=3)})
    discovery = look(site, "/rss")
    (only,) = discovery.found
    assert (only.via, only.title, only.format, only.entries) == (Via.GIVEN, "Outlet", "rss20", 3)
    assert only.newest == NOW - timedelta(hours=1)
    assert (site.targets, discovery.requests, discovery.tried) == (["/rss"], 1, ())


def test_what_a_page_names_and_links_to_is_looked_at_and_the_best_comes_first():
    site = Site(
        answers={
            "/": page("/comments/feed", "/stale", "/feed", "/gone", body='<a href="/rss/sport">Sport</a>'),
            "/comments/feed": feed("Comments on Outlet"),
            "/stale": feed("Old", hours=10_000),
            "/feed": feed("Outlet"),
            "/rss/sport": feed("Sport"),
        }
    )
    discovery = look(site)
    assert found(discovery) == [
        ("/feed", "Outlet", "named"),
        ("/rss/sport", "Sport", "linked"),
        ("/stale", "Old", "named"),
        ("/comments/feed", "Comments on Outlet", "named"),
    ]
    assert [(each.url.endswith("/gone"), each.why) for each in discovery.tried] == [
        (True, "the server answered 404")
    ]
    assert site.targets == ["/", "/robots.txt", "/comments/feed", "/stale", "/feed", "/gone", "/rss/sport"]


def test_where_a_page_names_nothing_common_paths_are_tried_until_one_is_right():
    site = Site(answers={"/en/": page(), "/en/rss.xml": feed("In English"), "/feed": feed("Everything")})
    assert found(look(site, "/en/")) == [("/en/rss.xml", "In English", "guessed")]
    assert site.targets == ["/en/", "/robots.txt", "/en/feed", "/en/rss", "/en/rss.xml"]


def test_a_page_at_a_common_path_that_lists_feeds_is_followed():
    site = Site(
        answers={
            "/": page(),
            "/rss": page(body='<a href="/rss/all.xml">All</a> <a href="/rss/eu.xml">EU</a>'),
            "/rss/all.xml": feed("All"),
            "/rss/eu.xml": feed("EU"),
        }
    )
    assert found(look(site)) == [("/rss/all.xml", "All", "linked"), ("/rss/eu.xml", "EU", "linked")]


def test_an_address_that_is_not_there_still_leads_to_its_site():
    site = Site(answers={"/atom.xml": feed("Outlet")})
    assert found(look(site, "/old/page.html")) == [("/atom.xml", "Outlet", "guessed")]


def test_json_feeds_are_found():
    items = [
        {
            "id": "1",
            "url": "https://outlet.example/1",
            "title": "One",
            "date_published": "2026-11-27T10:00:00Z",
        }
    ]
    body = {"version": "https://jsonfeed.org/version/1.1", "title": "Outlet", "items": items}
    site = Site(
        answers={
            "/": page(),
            "/feed.json": answer(json.dumps(body).encode(), b"content-type: application/feed+json"),
        }
    )
    (only,) = look(site).found
    assert (only.format, only.title, only.entries) == ("json11", "Outlet", 1)
    assert only.newest == datetime(2026, 11, 27, 10, tzinfo=UTC)


SITEMAP = answer(
    b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    b' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>https://outlet.example/1</loc><news:news>'
    b"<news:publication><news:name>Outlet</news:name><news:language>en</news:language></news:publication>"
    b"<news:publication_date>2026-11-27T10:00:00Z</news:publication_date><news:title>One</news:title>"
    b"</news:news></url></urlset>",
    XML,
)
INDEX = answer(
    b'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap>'
    b"<loc>http://127.0.0.1/a.xml</loc></sitemap></sitemapindex>",
    XML,
)


def test_sitemaps_that_robots_txt_names_are_found_news_first():
    site = Site(
        answers={
            "/": page(),
            "/robots.txt": robots(
                "Disallow:", "Sitemap: /pages.xml", "Sitemap: /news.xml", "Sitemap: /none.xml"
            ),
            "/pages.xml": INDEX,
            "/news.xml": SITEMAP,
        }
    )
    discovery = look(site)
    assert [(each.url.rpartition("/")[2], each.format, each.entries) for each in discovery.found] == [
        ("news.xml", "sitemap", 1),
        ("pages.xml", "sitemap index", 1),
    ]
    assert discovery.found[0].title == "Outlet"
    assert site.targets[-3:] == ["/news.xml", "/pages.xml", "/none.xml"]


def test_a_feed_is_better_than_a_sitemap():
    site = Site(
        answers={
            "/": page("/feed"),
            "/feed": feed("Outlet"),
            "/robots.txt": robots("Sitemap: /s"),
            "/s": SITEMAP,
        }
    )
    assert [each.format for each in look(site).found] == ["rss20", "sitemap"]


def test_where_there_is_nothing_else_a_page_with_a_list_of_articles_has_to_do():
    links = "".join(
        f'<article><h2><a href="/2026/11/2{day}/{words}">{words.replace("-", " ")}</a></h2></article>'
        for day, words in enumerate(
            [
                "five-railways-agree-on-one-timetable",
                "a-bridge-over-the-river-is-opened",
                "parliament-adopts-the-budget-for-water",
                "the-old-port-will-be-dredged-in-spring",
                "new-rules-for-trade-between-the-neighbours",
                "a-ferry-from-aktau-to-baku-once-a-day",
            ]
        )
    )
    site = Site(answers={"/": page("/broken", body=f"<main>{links}</main>")})
    (only,) = look(site).found
    assert (only.format, only.via, only.entries) == ("page", Via.GIVEN, 6)


def test_where_there_is_nothing_that_is_said():
    site = Site(answers={"/": page("/feed", body="Hello"), "/feed": answer(b"<html>soon</html>", HTML)})
    discovery = look(site)
    assert discovery.found == ()
    assert discovery.requests == len(site.targets) - 1  # robots.txt apart


# --------------------------------------------------------------------------- addresses


def test_a_permanent_redirect_is_taken_over_and_another_is_not():
    answers = {"/feed": redirect("/feed/"), "/feed/": feed("Outlet")}
    assert found(look(Site(answers=answers), "/feed")) == [("/feed/", "Outlet", "given")]
    answers["/feed"] = redirect("/feed/", "302 Found")
    assert found(look(Site(answers=answers), "/feed")) == [("/feed", "Outlet", "given")]


def test_what_leads_to_the_same_feed_is_found_once():
    site = Site(
        answers={
            "/": page("/a", "/b", "/c", "/feed"),
            "/a": redirect("/feed"),
            "/b": redirect("/feed", "302 Found"),
            "/c": feed("Outlet"),
            "/feed": feed("Outlet"),
        }
    )
    assert found(look(site)) == [("/feed", "Outlet", "named")]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("https://outlet.example/", ("https://outlet.example/",)),
        ("HTTP://outlet.example", ("HTTP://outlet.example",)),
        (" outlet.example/news ", ("https://outlet.example/news", "http://outlet.example/news")),
        ("localhost:8080/rss", ("https://localhost:8080/rss", "http://localhost:8080/rss")),
        ("mailto:desk@outlet.example", ("mailto:desk@outlet.example",)),
    ],
)
def test_an_address_may_be_typed_without_its_scheme(typed, meant):
    assert addresses(typed) == meant


def test_without_a_scheme_http_is_tried_where_https_fails():
    async def typed(site: Site) -> Discovery:
        async with raw_server(site) as address, Client(SETTINGS) as client:
            explorer = Explorer(client=client, settings=SETTINGS, sleep=site.sleep, clock=site.clock)
            return await explorer.look(address.removeprefix("http://") + "/rss", NOW)

    assert found(asyncio.run(typed(Site(answers={"/rss": feed("Outlet")})))) == [("/rss", "Outlet", "given")]


# --------------------------------------------------------------------------- being a good guest


def test_robots_txt_is_obeyed_for_all_but_the_address_that_a_person_gave():
    site = Site(
        answers={
            "/": page("/feed", "/private/feed"),
            "/robots.txt": robots("Disallow: /private", "Disallow: /$", "Crawl-delay: 5"),
            "/feed": feed("Outlet"),
            "/private/feed": feed("Private"),
        }
    )
    discovery = look(site)
    assert found(discovery) == [("/feed", "Outlet", "named")]
    (tried,) = discovery.tried
    assert "robots.txt of" in tried.why
    assert "does not allow it" in tried.why
    assert site.targets == ["/", "/robots.txt", "/feed"]
    assert [at - site.asked[0][0] for at, _ in site.asked] == [0, 1, 6]


def test_where_robots_txt_forbids_everything_nothing_more_is_asked():
    site = Site(answers={"/": page("/feed"), "/robots.txt": robots("Disallow: /"), "/feed": feed("Outlet")})
    assert look(site).found == ()
    assert site.targets == ["/", "/robots.txt"]


def test_a_site_is_asked_one_by_one_at_the_pace_of_the_configuration():
    site = Site(answers={"/": page()})
    look(site)
    pauses = [later - earlier for (earlier, _), (later, _) in zip(site.asked, site.asked[1:], strict=False)]
    assert len(pauses) > 8
    assert set(pauses) == {1.0}


def test_however_much_a_site_names_only_so_much_is_asked():
    names = [f"/rss/{number}" for number in range(200)]
    pages = {name: page(*(f"{name}/{other}" for other in range(50))) for name in names[:30]}
    links = "".join(f'<a href="{name}">{name}</a>' for name in names)
    site = Site(answers={"/": page(*names, body=links), **pages})
    discovery = look(site)
    assert discovery.requests <= MAX_REQUESTS
    assert len(site.targets) <= MAX_REQUESTS + 1
    assert MAX_NAMED + MAX_LINKED <= MAX_REQUESTS


def test_a_site_that_asks_for_a_pause_gets_it():
    site = Site(
        answers={"/": page("/a", "/b"), "/a": answer(status="429 Too Many Requests"), "/b": feed("B")}
    )
    discovery = look(site)
    assert discovery.found == ()
    assert [each.why.partition(" ")[2] for each in discovery.tried] == [
        "server answered 429",
        "asked for a pause",
    ]
    assert site.targets == ["/", "/robots.txt", "/a"]


def test_nothing_tells_on_us():
    site = Site(answers={"/": page("/feed"), "/feed": feed("Outlet")})
    look(site)
    for _, request in site.asked:
        assert (
            request.header("cookie") is request.header("referer") is request.header("authorization") is None
        )
        assert b"Syndicate" in (request.header("user-agent") or b"")


# --------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("status", ["403 Forbidden", "401 Unauthorized", "429 Too Many Requests", "503 Busy"])
def test_a_site_that_does_not_want_us_is_left_alone(status):
    site = Site(answers={"/": answer(status=status)})
    with pytest.raises(NetworkError, match=f"the server answered {status[:3]}"):
        look(site)
    assert site.targets == ["/"]


def test_private_addresses_are_refused():
    site = Site(answers={"/": page()})
    with pytest.raises(RefusedError):
        look(site, settings=NetworkSettings())
    assert site.targets == []


def test_a_page_cannot_lead_us_inside():
    site = Site(
        answers={
            "/": page("http://169.254.169.254/rss", "http://[::1]/rss", "file:///etc/passwd", "/feed"),
            "/feed": feed("Outlet"),
        }
    )
    discovery = look(site)
    assert found(discovery) == [("/feed", "Outlet", "named")]
    assert len(discovery.tried) == 2
    assert all("robots.txt" in each.why for each in discovery.tried)


def test_a_broken_feed_is_named_with_the_reason():
    site = Site(
        answers={
            "/": page("/feed", "/zip"),
            "/feed": answer(b"<rss><channel><item>", XML),
            "/zip": answer(b"PK\x03\x04"),
        }
    )
    assert [each.why for each in look(site).tried] == [
        "a feed that stops before its first entry ends: the answer was cut off",
        "a ZIP archive, not a feed: the server labels its answer wrongly, or the address is not the feed's",
    ]
