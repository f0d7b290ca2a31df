"""Where what hubs push meets several addresses."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from syndicate.model import Address, Confirmed, Kept, Kind, PollState, Source, SubscriptionState
from syndicate.store.sqlite import SqliteStore
from tests.outlets import FEED_TYPE, Article, LocalServer, Outlet, Reply, rss
from tests.stepping import Stepping

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NAMED_HUB = b'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="hub" href="https://hub.example/"/>'
PAGE = b'<div class="news"><h2><a href="https://outlet.example/1">Water 1</a></h2></div>'


@pytest.fixture
def outlet() -> Outlet:
    """Return an outlet with a feed, whose hub pushes, and a page."""
    outlet = Outlet()
    outlet["/rss"] = Reply(headers={"content-type": FEED_TYPE}, body=document(1))
    outlet["/page"] = Reply(headers={"content-type": "text/html"}, body=PAGE)
    return outlet


@pytest.fixture
def desk(outlet: Outlet, tmp_path: Path) -> Iterator[Stepping]:
    with LocalServer(outlet.answer) as server:
        urls = f"{server.address}/rss", f"{server.address}/page"
        addresses = (Address(url=urls[1], kind=Kind.PAGE, item=".news"),)
        yield Stepping(
            path=tmp_path / "s.db",
            sources=[Source(id="wire", title="Wire", urls=urls, addresses=addresses)],
        )


def document(*numbers: int) -> bytes:
    articles = [Article(link=f"https://outlet.example/{n}", title=f"Water {n}", guid=f"{n}") for n in numbers]
    return rss(articles).replace(b"<channel>", b"<channel>" + NAMED_HUB)


def subscribed(desk: Stepping) -> str:
    """Have the hub push from now on; return the end of the callback."""
    with closing(SqliteStore(desk.path, desk.clock)) as store:
        store.subscribe("https://desk.example.org/websub/")
        (asked,) = store.claim_subscriptions(limit=1, lease=MINUTE)
        token, now = asked.callback.rpartition("/")[2], store.now()
        subscription = store.subscription(token)
        assert subscription is not None
        agreed = Confirmed(
            subscription=subscription,
            state=SubscriptionState.ACTIVE,
            next_ask_at=now + 80 * DAY,
            expires_at=now + 90 * DAY,
            since=now,
        )
        assert store.record_confirmed(agreed)
    return token


def push(desk: Stepping, token: str, body: bytes) -> Kept:
    with closing(SqliteStore(desk.path, desk.clock)) as store:
        subscription = store.subscription(token)
        assert subscription is not None
        return store.keep_push(subscription, FEED_TYPE, body, is_signed=True)


def test_what_is_pushed_while_a_page_stands_in_for_the_feed_is_read_as_a_feed(desk, outlet):
    desk.go_on(MINUTE)
    token = subscribed(desk)
    outlet["/rss"] = Reply(status=500, headers={"retry-after": "80000"})  # then the page is asked alone
    desk.go_on(2 * HOUR)
    assert desk.status().state == "fallback"
    assert push(desk, token, document(2)) is Kept.KEPT
    desk.go_on(HOUR)
    assert PollState.PUSHED in [poll.state for poll, _ in desk.recorded]
    assert desk.titles() == ["Water 1", "Water 2"]
