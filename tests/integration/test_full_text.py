"""Articles from the pages of real local servers: what is asked, how fast, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from syndicate.errors import LimitError, ParseError
from syndicate.http import Client
from syndicate.model import Entry, NetworkSettings, Source
from syndicate.sources import sites
from syndicate.sources.article import MAX_PAGES, Articles, Completed, Wanted
from syndicate.sources.extract import Extractor
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from tests.contract.making import START
from tests.servers import Request, answer, raw_server
from tests.support import ROOT

SOURCE = Source(id="wire", title="Wire", urls=("https://wire.example/rss",), full_text=True)
PAGE = (ROOT / "tests" / "data" / "articles" / "english.html").read_bytes()
RUSSIAN = (ROOT / "tests" / "data" / "articles" / "russian.html").read_text()
HTML = b"content-type: text/html; charset=utf-8"
ALL = answer(b"User-agent: *\nDisallow:\n", b"content-type: text/plain")
NOTHING_THERE = answer(status="404 Not Found")
SETTINGS = NetworkSettings(
    allow_private=(ip_network("127.0.0.0/8"),),
    host_interval=timedelta(seconds=1),
    timeout=timedelta(seconds=5),
)

Answers = dict[str, bytes | Callable[[], Awaitable[bytes]]]


@dataclass(kw_only=True)
class Time:
    """A clock that goes on only while somebody sleeps."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(round(seconds, 6))
        self.now += seconds


@dataclass(kw_only=True)
class Site:
    """A server that answers each path as told, others with the article, and remembers what was asked when."""

    time: Time
    answers: Answers = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        self.asked.append(request.target)
        self.requests.append(request)
        self.at.append(self.time.now)
        default = NOTHING_THERE if request.target == "/robots.txt" else answer(PAGE, HTML)
        told = self.answers.get(request.target, default)
        writer.write(told if isinstance(told, bytes) else await told())
        await writer.drain()
        return True


def entry(link: str | None, *, body: str = "A teaser.") -> Entry:
    return Entry(guid=link, link=link, title="Ferry", body=body, content_html=f"<p>{body}</p>")


def entries(address: str, *paths: str) -> list[Entry]:
    return [entry(address + path) for path in paths]


Outcome = tuple[list[Entry], tuple[str, ...]]


@asynccontextmanager
async def opened(
    time: Time, settings: NetworkSettings = SETTINGS, folder: Path | None = None
) -> AsyncIterator[Articles]:
    """Yield what fetches articles, with a store whose time is the given one; in a folder to find it again."""
    with (
        TemporaryDirectory() as temporary,
        closing(
            SqliteStore(
                (folder or Path(temporary)) / "s.db", lambda: START + timedelta(seconds=time.now - 1000)
            )
        ) as store,
        closing(StoreThread()) as call,
    ):
        store.configure([SOURCE, replace(SOURCE, id="other", urls=("https://other.example/",))], [])
        async with Client(settings) as client:
            yield Articles(
                client=client, store=store, call=call, settings=settings, sleep=time.sleep, clock=time.clock
            )


async def complete_all(articles: Articles, several: Sequence[Entry], **how: bool) -> Completed:
    return await articles.complete(SOURCE, [Wanted(entry=each, **how) for each in several])


async def completed(
    site: Site, *paths: str, settings: NetworkSettings = SETTINGS, rounds: int = 1, pause: float = 0.0
) -> tuple[list[Outcome], str]:
    """Return what each of some rounds makes of entries that were edited, and the server's name."""
    outcomes = []
    async with raw_server(site) as address, opened(site.time, settings) as articles:
        for _ in range(rounds):
            outcomes.append(
                parts(await complete_all(articles, entries(address, *paths), is_edited=rounds > 1))
            )
            site.time.now += pause
    return outcomes, address.removeprefix("http://")


def parts(done: Completed) -> Outcome:
    return [each.entry for each in done.outcomes], done.problems


def complete(site: Site, *paths: str, settings: NetworkSettings = SETTINGS) -> tuple[Outcome, str]:
    outcomes, host = asyncio.run(completed(site, *paths, settings=settings))
    return outcomes[0], host


def bodies(several: Sequence[Entry]) -> list[str]:
    return ["article" if "Caspian" in each.body else each.body for each in several]


# --------------------------------------------------------------------------- what becomes of entries


def test_articles_take_the_place_of_teasers_and_nothing_else_changes():
    site = Site(time=Time())
    (after, undone), _ = complete(site, "/1", "/2")
    assert undone == ()
    assert bodies(after) == ["article", "article"]
    first = after[0]
    assert first.content_html.startswith("<p>Ferry line across the Caspian")
    assert (first.title, first.summary) == ("Ferry", "")
    assert site.asked == ["/robots.txt", "/1", "/2"]


def test_pages_are_asked_for_once_each_and_without_fragment():
    site = Site(time=Time())
    (after, _), _ = complete(site, "/1?id=7", "/1?id=7#comments", "/1?id=7#top")
    assert site.asked == ["/robots.txt", "/1?id=7"]
    assert set(bodies(after)) == {"article"}


def test_pages_are_asked_for_under_our_name():
    site = Site(time=Time())
    complete(site, "/1")
    names = {(request.header("user-agent") or b"").partition(b"/")[0] for request in site.requests}
    assert names == {b"Syndicate"}


def test_entries_without_a_web_page_stay_as_they_are():
    async def run() -> Outcome:
        async with opened(Time()) as articles:
            links = [None, "ftp://example.org/1", "mailto:desk@example.org", "javascript:alert(1)"]
            return parts(await complete_all(articles, [entry(link) for link in links]))

    after, undone = asyncio.run(run())
    assert set(bodies(after)) == {"A teaser."}
    assert undone == ()


def test_a_page_in_its_own_encoding_is_read():
    page = RUSSIAN.encode("windows-1251", errors="xmlcharrefreplace")
    site = Site(time=Time(), answers={"/1": answer(page, b"content-type: text/html; charset=windows-1251")})
    (after, undone), _ = complete(site, "/1")
    assert "стратегии Европейского союза для Центральной Азии" in after[0].body
    assert undone == ()


def test_a_failing_page_leaves_the_others_alone_and_each_reason_is_said_once():
    site = Site(
        time=Time(),
        answers={
            "/2": NOTHING_THERE,
            "/3": answer(b"%PDF", b"content-type: application/pdf"),
            "/4": answer(b"<html><body><p>We use cookies.</p></body></html>", HTML),
            "/5": b"HTTP/1.1 200 OK\r\ncontent-length: 4000000\r\n\r\n",
            "/6": answer(status="404 Not Found"),
        },
    )
    (after, undone), host = complete(site, *(f"/{number}" for number in range(1, 8)))
    assert bodies(after) == ["article", *["A teaser."] * 5, "article"]
    assert undone == (
        "full text of 2 items was not fetched: the server answered 404",
        "full text of 1 item was not fetched: its link leads to 'application/pdf', not to a web page",
        "full text of 1 item was not found: no article of 200 characters on the page",
        f"full text of 1 item was not fetched: {host}: its body is longer than 3 MiB",
    )


def test_a_site_that_is_down_fails_no_poll():
    async def run() -> Outcome:
        async with raw_server(NOTHING_THERE) as address:
            pass
        async with opened(Time()) as articles:
            return parts(await complete_all(articles, entries(address, "/1", "/2")))

    after, (undone,) = asyncio.run(run())
    assert bodies(after) == ["A teaser.", "A teaser."]
    assert undone.startswith("full text of 2 items was not fetched: robots.txt of 127.0.0.1:")
    assert undone.endswith("no connection: connection refused")


def test_private_addresses_are_not_asked_for_articles():
    site = Site(time=Time())
    (after, (undone,)), _ = complete(site, "/1", settings=NetworkSettings())
    assert bodies(after) == ["A teaser."]
    assert "not a public address" in undone or "refused" in undone
    assert site.asked == []


# --------------------------------------------------------------------------- robots.txt


def test_pages_that_robots_txt_disallows_are_left_alone_and_named():
    robots = answer(b"User-agent: Syndicate\nDisallow: /private/\n")
    site = Site(time=Time(), answers={"/robots.txt": robots})
    (after, undone), host = complete(site, "/1", "/private/2", "/private/3")
    assert bodies(after) == ["article", "A teaser.", "A teaser."]
    assert undone == (f"full text of 2 items was not fetched: robots.txt of {host} does not allow it",)
    assert site.asked == ["/robots.txt", "/1"]


def test_disallowed_pages_do_not_count_among_the_pages_of_a_document():
    robots = answer(b"User-agent: *\nDisallow: /private/\n")
    site = Site(time=Time(), answers={"/robots.txt": robots})
    private = [f"/private/{number}" for number in range(MAX_PAGES)]
    (after, _), _ = complete(site, *private, "/1")
    assert bodies(after)[-1] == "article"


def test_while_robots_txt_cannot_be_read_no_page_is_asked_for():
    site = Site(time=Time(), answers={"/robots.txt": answer(status="503 Service Unavailable")})
    (after, undone), host = complete(site, "/1", "/2")
    assert bodies(after) == ["A teaser.", "A teaser."]
    assert undone == (
        f"full text of 2 items was not fetched: robots.txt of {host} can't be read: the server answered 503",
    )
    assert site.asked == ["/robots.txt"]


def test_of_an_endless_robots_txt_the_beginning_holds():
    robots = b"User-agent: *\nDisallow: /private/\n" + b"Disallow: /x\n" * 100_000 + b"Disallow: /\n"
    site = Site(time=Time(), answers={"/robots.txt": answer(robots)})
    (after, _), _ = complete(site, "/private/1", "/2")
    assert bodies(after) == ["A teaser.", "article"]
    assert site.asked == ["/robots.txt", "/2"]


def test_robots_txt_is_asked_for_once_a_day():
    site = Site(time=Time(), answers={"/robots.txt": ALL})
    asyncio.run(completed(site, "/1", rounds=4, pause=9 * 3600.0))
    assert site.asked == ["/robots.txt", "/1", "/1", "/1", "/robots.txt", "/1"]


def test_a_robots_txt_that_could_not_be_read_is_asked_for_again_soon():
    site = Site(time=Time(), answers={"/robots.txt": answer(status="500 Internal Server Error")})
    asyncio.run(completed(site, "/1", rounds=4, pause=sites.ROBOTS_RETRY.total_seconds() / 2))
    assert site.asked == ["/robots.txt", "/robots.txt"]


def test_what_robots_txt_said_holds_while_it_cannot_be_read():
    told = [answer(b"User-agent: *\nDisallow: /2\n"), answer(status="500 Internal Server Error")]

    async def next_one() -> bytes:
        return told.pop(0)

    site = Site(time=Time(), answers={"/robots.txt": next_one})
    asyncio.run(completed(site, "/1", "/2", rounds=2, pause=sites.ROBOTS_AGE.total_seconds()))
    assert site.asked == ["/robots.txt", "/1", "/robots.txt", "/1"]


def test_a_robots_txt_that_redirects_to_another_host_holds_where_it_was_asked_for():
    async def run() -> Outcome:
        async with raw_server(answer(b"User-agent: *\nDisallow: /2\n")) as away:
            way = answer(b"", f"location: {away}/robots.txt".encode(), status="301 Moved Permanently")
            site = Site(time=Time(), answers={"/robots.txt": way})
            async with raw_server(site) as address, opened(site.time) as articles:
                return parts(await complete_all(articles, entries(address, "/1", "/2")))

    after, _ = asyncio.run(run())
    assert bodies(after) == ["article", "A teaser."]


def test_robots_txt_holds_where_a_page_redirects_to():
    async def run() -> tuple[Outcome, Site, str]:
        time = Time()
        target = Site(time=time, answers={"/robots.txt": answer(b"User-agent: *\nDisallow: /paid\n")})
        async with raw_server(target) as away:
            way = {
                path: answer(b"", f"location: {away}{path}".encode(), status="302 Found")
                for path in ("/free", "/paid")
            }
            async with raw_server(Site(time=time, answers={**way})) as address, opened(time) as articles:
                outcome = parts(await complete_all(articles, entries(address, "/free", "/paid")))
        return outcome, target, away.removeprefix("http://")

    (after, undone), target, host = asyncio.run(run())
    assert bodies(after) == ["article", "A teaser."]
    assert undone == (f"full text of 1 item was not fetched: robots.txt of {host} does not allow it",)
    assert target.asked == ["/free", "/robots.txt", "/paid"]


# --------------------------------------------------------------------------- pace


def test_requests_to_a_host_begin_one_interval_apart():
    site = Site(time=Time())
    complete(site, "/1", "/2", "/3")
    assert site.time.waits == [1.0] * 4  # the feed itself may just have been asked for
    assert site.at == [1001.0, 1002.0, 1003.0, 1004.0]


def test_a_crawl_delay_is_kept_to():
    site = Site(time=Time(), answers={"/robots.txt": answer(b"User-agent: *\nCrawl-delay: 7\n")})
    complete(site, "/1", "/2")
    assert site.time.waits == [1.0, 7.0, 7.0]


def test_polls_side_by_side_share_the_pace_of_a_host():
    site = Site(time=Time())

    async def run() -> None:
        async with raw_server(site) as address, opened(site.time) as articles:
            await asyncio.gather(
                *(complete_all(articles, entries(address, f"/{one}a", f"/{one}b")) for one in "123")
            )

    asyncio.run(run())
    assert site.at == [1001.0 + number for number in range(7)]


def test_a_host_that_asks_for_a_pause_gets_one():
    busy = answer(status="429 Too Many Requests")
    site = Site(time=Time(), answers={"/1": busy})
    outcomes, host = asyncio.run(completed(site, "/1", "/2", rounds=2, pause=400.0))
    assert outcomes[0][1] == (
        "full text of 1 item was not fetched: the server answered 429",
        f"full text of 1 item was not fetched yet: {host} asked for a pause",
    )
    assert site.asked == ["/robots.txt", "/1", "/1"]


# --------------------------------------------------------------------------- bounds


def test_no_more_than_some_pages_are_asked_for_at_once():
    site = Site(time=Time())
    (after, undone), _ = complete(site, *(f"/{number}" for number in range(MAX_PAGES + 12)))
    assert bodies(after) == ["article"] * MAX_PAGES + ["A teaser."] * 12
    assert undone == ("full text of 12 items was not fetched yet: more than 20 in one poll",)
    assert len(site.asked) == 1 + MAX_PAGES


def test_what_a_slow_pace_leaves_no_time_for_is_left():
    site = Site(time=Time(), answers={"/robots.txt": answer(b"User-agent: *\nCrawl-delay: 25\n")})
    (after, undone), _ = complete(site, "/1", "/2", "/3", "/4")
    assert bodies(after) == ["article", "article", "A teaser.", "A teaser."]
    assert undone == ("full text of 2 items was not fetched yet: there was no time left for it",)


def test_pages_that_come_too_slowly_end_the_round():
    time = Time()

    async def slow() -> bytes:
        time.now += 61
        return answer(PAGE, HTML)

    site = Site(time=time, answers={"/1": slow})
    (after, undone), _ = complete(site, "/1", "/2", "/3")
    assert bodies(after) == ["article", "A teaser.", "A teaser."]
    assert undone == ("full text of 2 items was not fetched yet: all together took more than 60 s",)


def test_sites_that_nobody_asks_for_are_forgotten():
    async def run() -> int:
        async with Client(SETTINGS) as client:
            every = sites.Sites(client=client, settings=SETTINGS, clock=lambda: 0.0)
            for number in range(sites.MAX_SITES + 10):
                await every.get(f"http://site-{number}.example/", 1000, sites.Window(opens=0.0, closes=0.0))
            return len(every._sites)

    assert asyncio.run(run()) == sites.MAX_SITES


def test_no_more_robots_txt_are_remembered_than_there_is_room_for():
    length = 500 * 1024
    count = sites.MAX_ROBOTS_BYTES // length + 2

    async def run() -> int:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(Client(SETTINGS))
            every = sites.Sites(client=client, settings=SETTINGS, clock=lambda: 0.0, sleep=Time().sleep)
            for number in range(1, count + 1):
                site = Site(time=Time(), answers={"/robots.txt": answer(b"#" * length)})
                address = await stack.enter_async_context(raw_server(site, host=f"127.0.0.{number}"))
                await every.get(f"{address}/", 1024 * 1024, sites.Window(opens=0.0, closes=100.0))
            return len(every._sites)

    assert asyncio.run(run()) < count


# --------------------------------------------------------------------------- the process that reads pages


def test_a_page_that_takes_too_long_is_given_up_and_the_next_is_read():
    async def run() -> str:
        async with Extractor() as extractor:
            with pytest.raises(LimitError, match="takes more than 0 s"):
                await extractor.article(PAGE.decode(), deadline_seconds=0)
            return (await extractor.article(PAGE.decode())).text

    assert "Caspian" in asyncio.run(run())


def test_a_selector_that_takes_too_long_is_given_up_and_the_next_page_is_read():
    async def run() -> str:
        async with Extractor() as extractor:
            await extractor.article("")
            with pytest.raises(LimitError, match="takes more than 1 s"):
                await extractor.article("<i></i>" * 200_000, ["i:nth-last-child(2n+1)"], deadline_seconds=1)
            return (await extractor.article(PAGE.decode(), [".related"])).text

    assert "Caspian" in asyncio.run(run())


def test_a_cancelled_reading_leaves_no_answer_for_the_next():
    async def run() -> str:
        async with Extractor() as extractor:
            await extractor.article(PAGE.decode())
            first = asyncio.create_task(extractor.article(RUSSIAN))
            await asyncio.sleep(0)
            first.cancel()
            await asyncio.wait([first])
            return (await extractor.article(PAGE.decode())).text

    assert "Caspian" in asyncio.run(run())


def test_a_process_that_was_killed_is_said_and_replaced():
    async def run() -> str:
        async with Extractor() as extractor:
            await extractor.article(PAGE.decode())
            assert extractor._process
            extractor._process.kill()
            await extractor._process.wait()
            with pytest.raises(ParseError, match="the process that reads pages ended"):
                await extractor.article(PAGE.decode())
            return (await extractor.article(PAGE.decode())).text

    assert "Caspian" in asyncio.run(run())


def test_the_process_ends_when_nobody_needs_it():
    async def run() -> int | None:
        extractor = Extractor()
        async with extractor:
            async with extractor:
                await extractor.article(PAGE.decode())
            process = extractor._process
            assert process
            assert process.returncode is None
        return process.returncode

    assert asyncio.run(run()) is not None
