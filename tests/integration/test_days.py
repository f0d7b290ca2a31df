"""What is said of a source is what happened: days of polling, counted on the other side."""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from statistics import median

import pytest

from syndicate.model import Source
from tests.contract.making import START
from tests.outlets import Article, Asked, LocalServer, Reply, feed
from tests.stepping import Stepping

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Outlet:
    """Publishes, and counts what it is asked and gives.

    Args:
        lies: it says that nothing has changed to whoever asks for that.
    """

    def __init__(self, *, lies: bool = False, depth: int = 20) -> None:
        self.lies, self.depth = lies, depth
        self.articles: list[Article] = []
        self.number = 0
        self.sent_bytes = 0
        self.asked: list[tuple[datetime, bool]] = []  # when, and whether conditionally
        self.clock: Callable[[], datetime] = lambda: START

    def publish(self, at: datetime, count: int = 1) -> None:
        for _ in range(count):
            self.number += 1
            link = f"https://outlet.example/{self.number}"
            self.articles.insert(0, Article(link=link, title=f"Water {self.number}", published=at))

    def answer(self, asked: Asked) -> Reply:
        given = asked.headers.get("if-none-match")
        self.asked.append((self.clock(), given is not None))
        reply = feed(self.articles[: self.depth], etag=f'"{0 if self.lies else self.number}"')
        if given is not None and (self.lies or given == reply.headers["etag"]):
            return Reply(status=304)
        self.sent_bytes += len(reply.body)  # type: ignore[arg-type]  # of a feed they are bytes
        return reply

    def every(self, gap: timedelta, begins: datetime, length: timedelta):
        """Return what it publishes from then on, as deeds at times."""
        moments = [begins + number * gap for number in range(1, int(length / gap) + 1)]
        return [(moment, partial(self.publish, moment)) for moment in moments]


@pytest.fixture
def days(tmp_path):
    """Return what watches an outlet, which a test makes."""
    servers: list[LocalServer] = []

    def watch(outlet: Outlet, **fields) -> Stepping:
        server = LocalServer(outlet.answer)
        servers.append(server)
        server.__enter__()
        source = Source(id="outlet", title="Outlet", urls=(f"{server.address}/rss",), **fields)
        desk = Stepping(path=tmp_path / "s.db", sources=[source])
        outlet.clock = desk.clock
        return desk

    yield watch
    for server in servers:
        server.__exit__()


def test_what_sources_say_of_ten_days_is_what_the_outlet_has_seen(days):
    outlet = Outlet()
    outlet.publish(START - HOUR, 3)
    desk = days(outlet)
    desk.go_on(10 * DAY, also=outlet.every(2 * HOUR, START + MINUTE, 10 * DAY - HOUR))
    status = desk.status()
    assert status.items == outlet.number == len(desk.titles())
    assert status.spent.requests == len(outlet.asked)
    assert status.spent.received_bytes == outlet.sent_bytes
    assert status.items_per_day == pytest.approx(12, abs=0.2)
    assert (status.gaps, status.state, status.failures, status.troubles) == (0, "ok", 0, ())
    assert status.last_success_at == status.last_polled_at == outlet.asked[-1][0]
    assert [conditional for _, conditional in outlet.asked].count(False) == 1
    seen = [at for at, _ in outlet.asked]
    last = [START + MINUTE + 2 * HOUR * number for number in range(1, 120)][-30:]
    delays = [min(at for at in seen if at >= moment) - moment for moment in last]
    assert status.median_delay is not None
    expected = timedelta(seconds=median(delay.total_seconds() for delay in delays))
    assert abs(status.median_delay - expected) <= MINUTE
    # The next poll comes when it was said.
    announced, count = status.next_poll_at, len(outlet.asked)
    assert announced is not None
    desk.go_on(announced - desk.clock.now - timedelta(seconds=1))
    assert len(outlet.asked) == count
    desk.go_on(timedelta(seconds=1))
    assert outlet.asked[count:] == [(announced, True)]


def test_a_gap_is_counted_and_what_it_cost_was_never_seen(days):
    outlet = Outlet(depth=5)
    outlet.publish(START - HOUR, 5)
    desk = days(outlet)
    desk.go_on(8 * DAY, also=outlet.every(12 * HOUR, START, 8 * DAY))
    assert desk.status().gaps == 0
    before = len(desk.titles())
    outlet.publish(desk.clock.now, 12)
    desk.go_on(DAY)
    status = desk.status()
    assert status.gaps == 1
    assert status.items == len(desk.titles()) == before + 5
    assert status.last_gap is not None
    assert (status.last_gap.filled, status.last_gap.is_closed) == (0, False)


def test_who_says_for_ever_that_nothing_has_changed_is_found_out_and_not_asked_so_again(days):
    outlet = Outlet(lies=True)
    outlet.publish(START - HOUR)
    desk = days(outlet, interval=2 * HOUR)
    desk.go_on(20 * DAY, also=outlet.every(2 * HOUR, START, 20 * DAY))
    unconditional = [at for at, conditional in outlet.asked if not conditional]
    caught = max(at for at, conditional in outlet.asked if conditional)
    assert caught - START <= 10 * DAY  # of a source of which nothing is known, a week is awaited
    early = [at for at in unconditional if at <= caught]
    assert len(early) <= 3
    assert all(later - earlier >= DAY for earlier, later in itertools.pairwise(early))
    assert outlet.asked[-1] == (max(unconditional), False)
    assert set(desk.titles()) >= {article.title for article in outlet.articles[1:40]}


def test_an_honest_server_is_asked_plainly_once_a_day_at_most_while_it_is_quiet(days):
    outlet = Outlet()
    outlet.publish(START - HOUR, 3)
    desk = days(outlet)
    desk.go_on(10 * DAY, also=outlet.every(2 * HOUR, START, 10 * DAY))
    count = len(outlet.asked)
    desk.go_on(6 * DAY)
    quiet = outlet.asked[count:]
    plain = [at for at, conditional in quiet if not conditional]
    assert 5 <= len(plain) <= 6
    assert all(later - earlier >= DAY for earlier, later in itertools.pairwise(plain))
    assert len(quiet) >= 6 * 24
