"""The service as a guest of others: what a server notes down of it, as the public feed-reader score tests do.

Those (https://rachelbythebay.com/fs/) watch a reader for weeks. Here a server that writes everything down has
an address for each thing that readers get wrong, and the service polls all of them every second.
"""

import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from syndicate import __version__
from tests.desk import eventually, network, rule, service, source
from tests.outlets import FEED_TYPE, Article, Asked, LocalServer, Reply, rss

WATER = {"water": rule("water")}
POLLS = 5  # of each address
OFTEN = {"interval": "1s", "adaptive": False}
FEED = Reply(
    headers={"content-type": FEED_TYPE}, body=rss([Article(link="https://outlet.example/1", title="Water")])
)
NOT_MODIFIED = Reply(status=304)
Answers = Callable[[int, Asked], Reply]  # how many requests there were before, and this one


def giving(reply: Reply = FEED, **fields: str) -> Reply:
    """Return an answer with more header fields."""
    return replace(
        reply, headers={**reply.headers, **{name.replace("_", "-"): fields[name] for name in fields}}
    )


def news(number: int, **fields: str) -> Reply:
    """Return a document that differs from others."""
    article = Article(link=f"https://outlet.example/{number}", title=f"Water {number}")
    return giving(replace(FEED, body=rss([article])), **fields)


def conditions(asked: Sequence[Asked]) -> list[tuple[str | None, str | None]]:
    """Return the If-None-Match and If-Modified-Since of requests."""
    return [(each.headers.get("if-none-match"), each.headers.get("if-modified-since")) for each in asked]


DATE = "Tue, 24 Nov 2026 02:00:00 GMT"
ODD_ETAGS = {
    "weak": 'W/"1"',
    "unquoted": "abc",
    "quoted-nothing": '""',
    "single-quotes": "'abc'",
    "only-half-quoted": '"abc',
    "spaces-and-commas": '"a, b" , "c"',
    "backslash": '"a\\"b"',
    "bytes": '"\xe9\xff\x80"',
    "star": "*",
    "long": f'"{"x" * 4000}"',
    "gzip": '"abc-gzip"',
    "case": '"AbC"',
}
ODD_DATES = {
    "another-zone": "Tue, 24 Nov 2026 04:00:00 +0200",
    "old-form": "Tuesday, 24-Nov-26 02:00:00 GMT",
    "wrong-day": "Mon, 24 Nov 2026 02:00:00 GMT",
    "future": "Fri, 31 Dec 9999 23:59:59 GMT",
    "long-ago": "Thu, 01 Jan 1970 00:00:00 GMT",
    "no-date": "yesterday",
    "number": "1732413600",
    "lower-case": "tue, 24 nov 2026 02:00:00 gmt",
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """How an address answers, and what it must have been asked with, in order."""

    answers: Answers
    conditions: Sequence[tuple[str | None, str | None]]


def always(etag: str | None = None, date: str | None = None) -> Case:
    """Return a case of validators that hold."""
    fields = {name: value for name, value in (("etag", etag), ("last_modified", date)) if value is not None}
    return Case(
        answers=lambda before, _: NOT_MODIFIED if before and fields else giving(FEED, **fields),
        conditions=[(None, None), *[(etag, date)] * (POLLS - 1)],
    )


CASES = {
    "/both": always('"1"', DATE),
    "/etag-alone": always('"1"'),
    "/date-alone": always(date=DATE),
    "/neither": always(),
    **{f"/etag-{name}": always(etag) for name, etag in ODD_ETAGS.items()},
    **{f"/date-{name}": always(date=date) for name, date in ODD_DATES.items()},
    # what is not given, is not sent
    "/empty": Case(
        answers=lambda _, __: giving(etag="", last_modified=""), conditions=[(None, None)] * POLLS
    ),
    # each 200 brings new ones
    "/changing": Case(
        answers=lambda before, _: news(before, etag=f'"{before}"'),
        conditions=[(None, None), *[(f'"{number}"', None) for number in range(POLLS - 1)]],
    ),
    # the same document under new ones
    "/same-but-renamed": Case(
        answers=lambda before, _: giving(etag=f'"{before}"', last_modified=f"date {before}"),
        conditions=[(None, None), *[(f'"{number}"', f"date {number}") for number in range(POLLS - 1)]],
    ),
    # a 304 that brings another validator, and one that brings none (RFC 9111 4.3.4)
    "/renamed-by-304": Case(
        answers=lambda before, _: giving(
            NOT_MODIFIED if before else FEED, **({"etag": f'"{before}"'} if before != 2 else {})
        ),
        conditions=[(None, None), ('"0"', None), ('"1"', None), ('"1"', None), ('"3"', None)],
    ),
    # a document without what the one before had
    "/forgotten": Case(
        answers=lambda before, _: news(before, etag='"1"') if not before else news(before),
        conditions=[(None, None), ('"1"', None), *[(None, None)] * (POLLS - 2)],
    ),
    # an error says nothing of what we have
    "/error-between": Case(
        answers=lambda before, _: (
            giving(etag='"1"') if not before else Reply(status=404) if before == 1 else NOT_MODIFIED
        ),
        conditions=[(None, None), *[('"1"', None)] * (POLLS - 1)],
    ),
    # cookies are not kept
    "/cookies": Case(
        answers=lambda _, __: giving(set_cookie="reader=1; Path=/", etag='"1"'),
        conditions=[(None, None), *[('"1"', None)] * (POLLS - 1)],
    ),
    "/query?format=rss&b=%20&a=1": always('"1"'),
}


@pytest.fixture(scope="module")
def noted(tmp_path_factory):
    """Return all that the service asked while it polled every case some times, by path."""
    from tests.desk import Desk

    desk = Desk(folder=tmp_path_factory.mktemp("guest"))
    by_path: dict[str, list[Asked]] = {path: [] for path in CASES}

    def answer(asked: Asked) -> Reply:
        before = by_path.setdefault(asked.path, [])
        before.append(asked)
        case = CASES.get(asked.path)
        return case.answers(len(before) - 1, asked) if case else Reply(status=404)

    with LocalServer(answer) as server:
        sources = [source(f"s{n}", f"{server.address}{path}", **OFTEN) for n, path in enumerate(CASES)]
        desk.write(service(), network(), *sources, rules=WATER)
        with desk.running():
            server.wait_for(lambda _: all(len(by_path[path]) >= POLLS for path in CASES), seconds=120)
    return by_path


@pytest.mark.parametrize("path", CASES)
def test_validators_are_echoed_as_they_were_given_and_only_the_first_request_has_none(noted, path):
    assert conditions(noted[path][:POLLS]) == CASES[path].conditions


def test_only_what_was_configured_is_asked_for_and_by_get(noted):
    assert set(noted) == set(CASES)  # no favicon, no robots.txt, nothing added to a query
    assert {asked.method for each in noted.values() for asked in each} == {"GET"}


def test_requests_say_who_asks_for_what_and_nothing_else(noted):
    every = [asked for each in noted.values() for asked in each]
    assert {asked.headers["user-agent"] for asked in every} == {
        f"Syndicate/{__version__} (+a self-hosted news watcher)"
    }
    assert {asked.headers["accept-encoding"] for asked in every} == {every[0].headers["accept-encoding"]}
    assert "gzip" in every[0].headers["accept-encoding"]
    assert re.match("application/atom.xml, application/rss.xml", every[0].headers["accept"])
    allowed = {"host", "user-agent", "accept", "accept-encoding", "connection", *CONDITIONAL}
    assert set().union(*(asked.headers for asked in every)) <= allowed
    assert {asked.body for asked in every} == {b""}


CONDITIONAL = {"if-none-match", "if-modified-since"}


def test_no_address_is_asked_more_often_than_was_configured(noted):
    for path, asked in noted.items():
        gaps = [later.at - earlier.at for earlier, later in pairwise(asked)]
        assert min(gaps) > 0.95, path  # a second from the end of one poll


def test_a_name_of_ones_own_is_said_and_so_is_where_one_can_be_found(desk, outlets, pages):
    pages["/outlet"] = FEED
    for keys in ({}, {"user_agent": "Desk/1 (+mailto:desk@desk.example)"}):
        desk.write(
            service(base_url="https://desk.example/news"),
            network(**keys),
            source("outlet", f"{outlets.address}/outlet"),
            rules=WATER,
        )
        desk.call("once", "--all")
    assert [asked.headers["user-agent"] for asked in outlets.asked] == [
        f"Syndicate/{__version__} (+https://desk.example/news)",
        "Desk/1 (+mailto:desk@desk.example)",
    ]


# -- redirects


@pytest.mark.parametrize(
    ("status", "moves"), [(301, True), (308, True), (302, False), (307, False), (303, False)]
)
def test_a_permanent_redirect_is_taken_to_heart_a_temporary_one_is_not(desk, status, moves):
    target_asked: list[Asked] = []

    def feed_of(asked: Asked) -> Reply:
        target_asked.append(asked)
        return giving(etag='"1"', set_cookie="a=b") if len(target_asked) == 1 else NOT_MODIFIED

    with LocalServer(feed_of) as target:
        there = f"{target.address}/new?a=1"
        with LocalServer(
            lambda _: Reply(status=status, headers={"location": there, "set-cookie": "x=y"})
        ) as old:
            desk.write(service(), network(), source("outlet", f"{old.address}/old"), rules=WATER)
            for _ in range(POLLS):
                desk.call("once", "--all")
    assert len(target_asked) == POLLS
    assert len(old.asked) == (3 if moves else POLLS)
    # Validators go to whom they are from, and to nobody else; so does everything that is said of us.
    assert conditions(target_asked) == [(None, None), *[('"1"', None)] * (POLLS - 1)]
    assert conditions(old.asked) == [(None, None)] * len(old.asked)
    for asked in (*target_asked, *old.asked):
        assert not {"cookie", "referer", "authorization", "origin"} & set(asked.headers)
    assert {asked.path for asked in target_asked} == {"/new?a=1"}


# -- when


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"cache_control": "max-age=4"}, 4),
        ({"cache_control": "public, max-age=6", "age": "2"}, 4),
        ({"expires": 5, "date": 0}, 4),
    ],
)
def test_who_says_for_how_long_an_answer_holds_is_not_asked_before(desk, fields, seconds):
    def answer(_: Asked) -> Reply:
        now = datetime.now(UTC)
        dates = {
            name: format_datetime(now + timedelta(seconds=value), usegmt=True)
            for name, value in fields.items()
            if isinstance(value, int)
        }
        return giving(**{**fields, **dates})

    with LocalServer(answer) as server:
        desk.write(service(), network(), source("outlet", f"{server.address}/outlet", **OFTEN), rules=WATER)
        with desk.running():
            server.wait_for(lambda asked: len(asked) == 3)
    first, second, third = (asked.at for asked in server.asked[:3])
    assert second - first >= seconds
    assert third - second >= seconds


def in_seconds(seconds: int) -> str:
    return str(seconds)


def at_a_date(seconds: int) -> str:
    # Dates have no fractions, so this is up to a second later.
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds + 1), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("asking", [in_seconds, at_a_date])
def test_who_asks_for_time_gets_it_from_its_whole_host_though_the_service_is_killed(desk, status, asking):
    seconds = 8

    def answer(asked: Asked) -> Reply:
        is_first = len(server.at("/busy")) == 1
        return Reply(status=status, headers={"retry-after": asking(seconds)}) if is_first else FEED

    with LocalServer(answer) as server:
        names = ("busy", "neighbour")
        watched = [source(name, f"{server.address}/{name}", **OFTEN) for name in names]
        desk.write(service(), network(host_interval="1s"), *watched, rules=WATER)
        process = desk.start()
        try:
            server.wait_for(lambda _: bool(server.at("/busy")))
            wait_until_recorded(desk)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        with desk.running():
            server.wait_for(lambda _: len(server.at("/busy")) == 2)
            server.wait_for(lambda asked: asked[-1].path == "/neighbour")
    first = server.at("/busy")[0].at
    later = [asked.at for asked in server.asked if asked.at > first]
    assert min(later) - first >= seconds


def test_a_refresh_says_that_a_host_wants_to_be_left_alone_and_leaves_it_alone(desk, pages, outlets):
    pages["/busy"] = Reply(status=429, headers={"retry-after": "7200"})
    with LocalServer(lambda _: FEED) as elsewhere:
        watched = [
            source("busy", f"{outlets.address}/busy", **OFTEN),
            source("other", elsewhere.address, **OFTEN),
        ]
        desk.write(service(), network(), *watched, rules=WATER)
        with desk.running():
            wait_until_recorded(desk)
            said = desk.call("sources", "refresh", "busy").out
            asked_before = len(elsewhere.asked)
            elsewhere.wait_for(lambda asked: len(asked) >= asked_before + 3)
    assert "busy: its host wants to be left alone; due in 2 h" in said
    assert len(outlets.asked) == 1


def test_where_only_the_source_waits_a_refresh_does_not_disturb_it_either(desk, pages, outlets):
    pages["/busy"] = Reply(status=503, headers={"retry-after": "7200"})
    pages["/neighbour"] = FEED
    watched = [source(name, f"{outlets.address}/{name}", **OFTEN) for name in ("busy", "neighbour")]
    desk.write(service(), network(retry_after="source"), *watched, rules=WATER)
    desk.call("once", status=None)
    said = desk.call("sources", "refresh", "--all").out
    assert "busy: its host wants to be left alone; due in 2 h" in said
    assert "neighbour: due now" in said
    desk.call("once", "--all")
    assert [len(outlets.at(path)) for path in ("/busy", "/neighbour")] == [1, 2]


def wait_until_recorded(desk) -> None:
    """Wait until a poll of the source `busy` is in the database."""
    eventually(lambda: desk.json("sources")[0]["last_status"])
