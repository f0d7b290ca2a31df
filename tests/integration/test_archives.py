"""Gaps are filled from archives: politely, up to the first known item, and within bounds."""

import asyncio
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from syndicate.errors import NetworkError
from syndicate.http import Response
from syndicate.http.messages import Headers
from syndicate.model import Document, Entry, Hints, Learned, Spent, Validators
from syndicate.sources.archives import MAX_PAGES, Archives
from syndicate.sources.changes import Reading
from syndicate.sources.fetch import Answer, Fetched
from syndicate.sources.learn import Filled
from syndicate.store.protocol import HostPace
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from tests.contract.making import HOUR, SECOND, START, Clock, claimed, failed, reading, recorded, source

URL = "https://wire.example/wire.xml"
PACE = HostPace(interval=2 * SECOND, concurrency=2)
DAY = timedelta(days=1)


def entry(number, published=None):
    return Entry(guid=str(number), link=None, title=f"Number {number}", body="", published=published)


def page(*numbers, older=None, dates=""):
    """Return a page of a feed with these entries, newest first."""
    items = "".join(
        f"<item><guid isPermaLink='false'>{number}</guid><title>Number {number}</title>{dates}</item>"
        for number in numbers
    )
    link = f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="{older}"/>' if older else ""
    return f"<rss version='2.0'><channel><title>T</title>{link}{items}</channel></rss>".encode()


@dataclass
class Network:
    """Has some pages; everything else is missing."""

    clock: Clock
    body_by_path: dict[str, bytes | int | NetworkError]
    asked: list[tuple[str, timedelta]] = field(default_factory=list)  # and when, after the start

    async def get(self, url: str, headers: Mapping[str, bytes | str]) -> Response:
        assert set(headers) == {"accept"}
        path = url.removeprefix("https://wire.example")
        self.asked.append((path, self.clock.now - START))
        body = self.body_by_path.get(path, 404)
        if isinstance(body, NetworkError):
            raise body
        status, content = (body, b"") if isinstance(body, int) else (200, body)
        return Response(
            url=url,
            status=status,
            fields=(),
            headers=Headers(()),
            body=content,
            redirects=(),
            elapsed=timedelta(),
            received_bytes=len(content),
        )


class Desk:
    """A source of which the items 1 to 5 are known, of an hour ago."""

    def __init__(self, path):
        self.clock = Clock()
        self.store = SqliteStore(path, self.clock)
        self.store.configure([source()], [])
        known = [entry(number) for number in range(5, 0, -1)]
        listed = ("guid:5", "guid:4", "guid:3")
        recorded(self.store, reading(self.store, claimed(self.store), *known, listed=listed))
        self.clock.forward(HOUR)

    def filled(self, document, body_by_path, *, meanwhile=None):
        """Return the reading of a document once archives were looked at, and what those were asked."""
        claim = claimed(self.store)
        network = Network(self.clock, body_by_path)
        if meanwhile:
            recorded(self.store, meanwhile)

        async def sleep(seconds):
            self.clock.forward(timedelta(seconds=seconds))

        async def run():
            with closing(StoreThread()) as call:
                archives = Archives(
                    client=network,  # type: ignore[arg-type]  # all that is asked of it
                    store=self.store,
                    call=call,
                    pace=PACE,
                    sleep=sleep,
                )
                return await archives.filled(claim, reading_of(document))

        found = asyncio.run(run())
        self.store.release_sources([claim])
        self.clock.forward(HOUR)
        return found, network


def reading_of(document):
    answer = Answer(status=200, validators=Validators(), asked=None, moved_to=None, length_bytes=1)
    return Reading.of(Fetched(answer=answer, url=URL, headers={}, body=b"", body_hash="h"), document)


def document(*numbers, older="https://wire.example/2"):
    return Document(format="rss20", entries=tuple(map(entry, numbers)), hints=Hints(older=older))


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "syndicate.db")
    yield desk
    desk.store.close()


def guids(found):
    return [each.entry.guid for each in found.entries]


GAP = document(20, 19, 18)


def test_a_gap_is_filled_up_to_the_first_known_item(desk):
    pages = {
        "/2": page(18, 17, 16, 15, older="/3"),
        "/3": page(14, 13, 5, 4, 0, older="/4"),
        "/4": page(99),
    }
    found, network = desk.filled(GAP, pages)
    assert guids(found) == ["20", "19", "18", "17", "16", "15", "14", "13"]
    size = len(pages["/2"]) + len(pages["/3"])
    assert found.filled == Filled(items=5, is_closed=True, spent=Spent(requests=2, received_bytes=size))
    assert [path for path, _ in network.asked] == ["/2", "/3"]
    assert found.document.problems == ()
    assert found.document.entries == GAP.entries


def test_the_pace_of_the_host_is_kept(desk):
    pages = {"/2": page(17, older="/3"), "/3": page(16, older="/4"), "/4": page(5)}
    _, network = desk.filled(GAP, pages)
    assert [when - HOUR for _, when in network.asked] == [timedelta(), 2 * SECOND, 4 * SECOND]


def test_a_host_that_wants_to_be_left_alone_is(desk):
    desk.store.configure([source(), source("post", "wire.example")], [])
    busy = failed(claimed(desk.store, "post"), desk.store, host_backoff_until=desk.clock.now + DAY)
    found, network = desk.filled(GAP, {"/2": page(17)}, meanwhile=busy)
    assert network.asked == []
    assert "its host wants to be left alone" in found.document.problems[0]


@pytest.mark.parametrize(
    "given",
    [
        document(20, 5, 4),  # no gap
        document(20, 19, older=None),
        document(),
    ],
)
def test_where_nothing_is_missing_or_there_is_no_archive_nothing_is_asked(desk, given):
    found, network = desk.filled(given, {})
    assert (found, network.asked) == (reading_of(given), [])


def test_a_first_document_has_no_gap(tmp_path):
    clock = Clock()
    with closing(SqliteStore(tmp_path / "other.db", clock)) as store:
        store.configure([source()], [])
        claim = claimed(store)
        archives = Archives(client=None, store=store, call=None, pace=PACE)  # type: ignore[arg-type]  # not asked
        assert claim.learned == Learned()
        assert asyncio.run(archives.filled(claim, reading_of(GAP))) == reading_of(GAP)


@pytest.mark.parametrize(
    ("pages", "problem"),
    [
        ({}, "its archive https://wire.example/2 was not read: the server answered 404"),
        ({"/2": NetworkError("no answer")}, "its archive https://wire.example/2 was not read: no answer"),
        ({"/2": b"<html><title>Page</title></html>"}, "an HTML page"),
        ({"/2": page(17, older="/3"), "/3": 500}, "its archive https://wire.example/3 was not read"),
    ],
)
def test_what_cannot_be_had_leaves_the_gap_open_and_is_told(desk, pages, problem):
    found, network = desk.filled(GAP, pages)
    assert not found.filled.is_closed
    assert found.filled.spent.requests == len(network.asked)
    (told,) = found.document.problems
    assert problem in told
    assert guids(found)[:3] == ["20", "19", "18"]


def test_an_archive_that_ends_leaves_the_gap_open(desk):
    for last in (page(17), page()):
        found, _ = desk.filled(GAP, {"/2": last})
        assert (found.filled.is_closed, found.document.problems) == (False, ())


def test_an_endless_archive_is_left_after_twenty_pages(desk):
    pages = {f"/{number}": page(1000 - number, older=f"/{number + 1}") for number in range(2, 100)}
    found, network = desk.filled(GAP, pages)
    assert len(network.asked) == MAX_PAGES == found.filled.items
    assert found.document.problems == ("its archives do not lead back to a known item within 20 pages",)


def test_an_archive_that_goes_round_in_circles_is_left(desk):
    found, network = desk.filled(GAP, {"/2": page(17, older="/3"), "/3": page(16, older="/2")})
    assert (len(network.asked), found.filled.items) == (2, 2)
    _, network = desk.filled(GAP, {"/2": page(17, older=URL)})
    assert len(network.asked) == 1


def test_what_is_dated_before_the_gap_ends_it(desk):
    old = "<pubDate>Sat, 21 Nov 2026 00:00:00 GMT</pubDate>"
    new = "<pubDate>Tue, 24 Nov 2026 02:30:00 GMT</pubDate>"
    pages = {"/2": page(17, 16, older="/3", dates=new), "/3": page(9, 8, older="/4", dates=old)}
    found, network = desk.filled(GAP, pages)
    assert found.filled.is_closed
    assert guids(found)[3:] == ["17", "16"]
    assert len(network.asked) == 2
