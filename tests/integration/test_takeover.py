"""An address that works and has nothing new any more: the next takes over, nothing is told twice."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from syndicate.model import PollState, Source, Suppressed
from tests.contract.making import START
from tests.outlets import Article, Asked, LocalServer, Pages, Reply, feed, rss
from tests.stepping import Stepping

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LISTED = 30
EVERY = 2 * HOUR


class Outlet:
    """Publishes about water every two hours, in some documents, which may stop being renewed one by one."""

    def __init__(self, *paths: str, is_dated: bool = True) -> None:
        self.pages = Pages()
        self.articles: list[Article] = []
        self.renewed = set(paths)
        self.paths = paths
        self.is_dated = is_dated

    def publish(self, number: int) -> None:
        published = START + number * EVERY
        self.articles.insert(
            0,
            Article(
                link=f"https://outlet.example/{number}",
                title=f"Water {number:04}",
                published=published if self.is_dated else None,
            ),
        )
        self.renew()

    def renew(self) -> None:
        for path in self.renewed:
            self.pages[path] = feed(self.articles[:LISTED], etag=f'"{self.articles[0].link}"')

    def answer(self, asked: Asked) -> Reply:
        reply = self.pages.answer(asked)
        is_same = asked.headers.get("if-none-match", "none") == reply.headers.get("etag")
        return Reply(status=304, headers=reply.headers) if is_same else reply

    def over(self, begins: datetime, days: float):
        """Return what it publishes from then on, as deeds at times."""
        first = -(-(begins - START) // EVERY)
        return [(START + n * EVERY, partial(self.publish, n)) for n in range(first, first + round(days * 12))]

    def back(self, path: str) -> None:
        self.renewed.add(path)
        self.renew()


@pytest.fixture
def world(tmp_path):
    """Return an outlet and who watches it, after a month in which both its addresses were good."""
    outlet = Outlet("/rss", "/sitemap")
    with LocalServer(outlet.answer) as server:
        urls = tuple(f"{server.address}{path}" for path in outlet.paths)
        source = Source(id="outlet", title="Outlet", urls=urls, interval=2 * HOUR)
        desk = Stepping(path=tmp_path / "s.db", sources=[source])
        for _, publish in outlet.over(START - 20 * DAY, 20):
            publish()
        desk.go_on(15 * DAY, also=outlet.over(START, 15))
        yield outlet, desk, server
        # Whatever happened: no item is there twice, and none was told twice.
        titles = desk.titles()
        assert len(titles) == len(set(titles))
        assert max(told(desk).values()) == 1


def told(desk):
    """Return how often each title raised an alert."""
    return Counter(
        change.entry.title
        for poll, _ in desk.recorded
        for change in poll.changes
        for draft in change.alerts
        if draft.suppressed is None
    )


def asked_in(server, act):
    """Return how often each path was asked meanwhile."""
    before = len(server.asked)
    act()
    return Counter(asked.path for asked in server.asked[before:])


def days(world, count):
    outlet, desk, _ = world
    desk.go_on(count * DAY, also=outlet.over(desk.clock.now, count))


def test_as_long_as_the_first_address_has_news_no_other_is_asked(world):
    _, desk, server = world
    assert server.at("/sitemap") == []
    assert desk.status().state == "ok"


def test_when_the_first_has_nothing_new_for_long_the_next_takes_over_and_nothing_is_missed(world):
    outlet, desk, server = world
    outlet.renewed = {"/sitemap"}
    asked = asked_in(server, lambda: days(world, 10))
    assert desk.status().state == "fallback"
    assert "it answers, but has had nothing new since 2026-12-0" in desk.status().problems[0]
    assert desk.status().last_success_at is not None
    assert desk.clock.now - desk.status().last_success_at <= 2.1 * HOUR
    assert desk.status().troubles == ()
    since = {article.title for article in outlet.articles[1:] if article.published > START}
    assert since <= set(desk.titles())  # but for the last, which may have come after the last poll
    assert since <= set(told(desk))
    # A day long only the first, ever after the next, and the first a few times a day.
    assert asked["/sitemap"] >= 9 * 11
    assert asked["/rss"] <= 14 + 9 * 4.5


def test_the_first_takes_back_once_it_lists_what_is_new(world):
    outlet, desk, server = world
    outlet.renewed = {"/sitemap"}
    days(world, 3)
    assert desk.status().state == "fallback"
    outlet.back("/rss")
    days(world, 1)
    assert (desk.status().state, desk.status().problems) == ("ok", ())
    assert asked_in(server, lambda: days(world, 2))["/sitemap"] == 0
    assert {article.title for article in outlet.articles[1:200]} <= set(told(desk))


def test_where_all_addresses_are_quiet_the_first_stays_and_the_next_is_looked_at_seldom(world):
    outlet, desk, server = world
    asked = asked_in(server, lambda: desk.go_on(5 * DAY))
    assert desk.status().state == "ok"
    assert [trouble.kind for trouble in desk.status().troubles] == ["silent"]
    assert 1 <= asked["/sitemap"] <= 4 * 4 + 1
    # What comes first, comes through the next address only.
    outlet.renewed = {"/sitemap"}
    days(world, 1)
    assert desk.status().state == "fallback"
    assert desk.status().troubles == ()
    notices = [(notice.kind.value, notice.is_over) for poll, _ in desk.recorded for notice in poll.notices]
    assert notices == [("silent", False), ("silent", True)]


def test_a_next_address_that_fails_changes_nothing(world):
    outlet, desk, server = world
    outlet.pages["/sitemap"] = Reply(status=500)
    asked = asked_in(server, lambda: desk.go_on(5 * DAY))
    status = desk.status()
    assert (status.state, status.failures, status.last_error) == ("ok", 0, None)
    assert [trouble.kind for trouble in status.troubles] == ["silent"]
    assert 1 <= asked["/sitemap"] <= 4 * 4 + 1
    assert asked["/rss"] >= 5 * 11


def test_when_the_next_fails_after_it_took_over_the_first_is_asked_again_at_once(world):
    outlet, desk, _ = world
    outlet.renewed = {"/sitemap"}
    days(world, 3)
    outlet.renewed = {"/rss"}
    outlet.renew()
    outlet.pages["/sitemap"] = Reply(status=500)
    days(world, 0.5)
    assert desk.status().state == "ok"
    assert {article.title for article in outlet.articles[1:50]} <= set(desk.titles())


def test_what_has_no_date_takes_over_and_raises_no_alert_until_the_next_poll(world):
    outlet, desk, _ = world
    outlet.is_dated, outlet.renewed = False, {"/sitemap"}
    days(world, 4)
    assert desk.status().state == "fallback"
    fallback = [
        change
        for poll, _ in desk.recorded
        for change in poll.changes
        if any(draft.suppressed is Suppressed.FALLBACK for draft in change.alerts)
    ]
    assert fallback
    assert told(desk)[outlet.articles[1].title] == 1


def test_an_address_that_is_only_looked_at_words_nothing_anew(world):
    outlet, desk, server = world
    outlet.pages["/sitemap"] = feed([replace(each, text="In brief.") for each in outlet.articles[:LISTED]])
    asked = asked_in(server, partial(desk.go_on, 20 * DAY))  # nothing comes
    assert asked["/sitemap"] > 0
    assert sum(done.changed for _, done in desk.recorded) == 0


def test_an_index_of_older_news_takes_nothing_over(world):
    outlet, desk, server = world
    older = [
        Article(link=f"https://outlet.example/old/{n}", title=f"Old water {n}", published=START - n * DAY)
        for n in range(300)
    ]
    outlet.pages["/sitemap"] = Reply(body=rss(older))
    outlet.renewed = {"/rss"}
    desk.go_on(4 * DAY)
    assert desk.status().state == "ok"
    assert {title for title in told(desk) if title.startswith("Old")} == set()
    assert server.at("/sitemap")
    days(world, 1)
    assert desk.status().state == "ok"
    polls = [poll for poll, _ in desk.recorded if poll.state is PollState.OK]
    assert max(len(poll.changes) for poll in polls[1:]) == 300


def test_a_third_address_is_looked_at_when_the_second_has_nothing_newer(tmp_path):
    outlet = Outlet("/rss", "/sitemap", "/page")
    with LocalServer(outlet.answer) as server:
        urls = tuple(f"{server.address}{path}" for path in outlet.paths)
        source = Source(id="outlet", title="Outlet", urls=urls, interval=2 * HOUR)
        desk = Stepping(path=tmp_path / "s.db", sources=[replace(source, adaptive=False)])
        for _, publish in outlet.over(START - 20 * DAY, 20):
            publish()
        desk.go_on(2 * DAY, also=outlet.over(START, 2))
        outlet.renewed = {"/page"}
        asked = asked_in(server, lambda: desk.go_on(6 * DAY, also=outlet.over(desk.clock.now, 6)))
    assert desk.status().state == "fallback"
    assert max(article.title for article in outlet.articles[1:]) in desk.titles()
    assert asked["/page"] >= 2 * 12 - 1  # after four days, as long as it is not known well
    assert asked["/sitemap"] <= 4  # with the first: once a day
    assert max(told(desk).values()) == 1
