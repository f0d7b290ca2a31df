"""Weeks of a rule, by the clock of the service: of far more than usual, its endpoint is told once."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from syndicate.loading import load
from syndicate.service import SPIKE_TICKS, TICK, Service
from syndicate.web.server import listen
from tests.contract.making import Clock
from tests.outlets import Article, Asked, LocalServer, Reply, feed

NOON = datetime.fromisoformat("2026-11-24T12:00:00Z")
MINUTE, HOUR, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(weeks=1)
CONFIGURATION = """
[network]
allow_private = ["127.0.0.0/8"]
host_interval = "0s"

[[source]]
id = "wire"
title = "Steppe Wire"
url = "{address}/wire"

[[source]]
id = "mirror"
url = "{address}/mirror"

[[endpoint]]
id = "desk"
url = "{address}/desk"
"""
RULE = 'title = "Water"\nkeywords = ["water"]\nnotify = ["desk"]\nspike = true\n'


@dataclass
class Outlet:
    """A wire, another that has the same articles, and a receiver of alerts."""

    articles: list[Article] = field(default_factory=list)

    def publish(self, count: int) -> None:
        for _ in range(count):
            number = len(self.articles) + 1
            self.articles.insert(0, Article(link=f"https://wire.example/{number}", title=f"Water {number}"))

    def answer(self, asked: Asked) -> Reply:
        return Reply(status=204) if asked.method == "POST" else feed(self.articles[:200])


class Ticking(Clock):
    """Each who asks for the time is a little later."""

    def __call__(self) -> datetime:
        self.forward(timedelta(milliseconds=1))
        return self.now


@dataclass
class Desk:
    """A configured folder, an outlet, and the time."""

    folder: Path
    outlet: Outlet
    server: LocalServer
    clock: Clock = field(default_factory=lambda: Ticking(NOON))

    def configure(self, rule: str = RULE) -> None:
        (self.folder / "rules").mkdir(exist_ok=True)
        (self.folder / "rules/water.toml").write_text(rule)
        (self.folder / "config.toml").write_text(CONFIGURATION.format(address=self.server.address))

    def service(self, tick: timedelta = TICK) -> Service:
        loaded = load(self.folder / "config.toml", {})
        return Service(loaded, random=lambda: 0.0, clock=self.clock, tick=tick)

    def look(self, at: datetime, count: int = 0) -> None:
        """Have the outlet publish so much, and the service, started anew, do all there is to do."""
        self.clock.now = at
        self.outlet.publish(count)

        async def once() -> None:
            async with self.service() as service:
                await service.once(everything=True)

        asyncio.run(once())

    def weeks(self, *numbers: int, count: int = 2) -> None:
        """Live through so many weeks before now, of each only what is looked at."""
        for number in sorted(numbers, reverse=True):
            begins = NOON - number * WEEK - 5 * HOUR / 2
            for hour in range(5):
                self.look(begins + hour * HOUR, count)

    def spikes(self) -> list[dict[str, object]]:
        """Return the data of all that was told of spikes."""
        bodies = [json.loads(asked.body) for asked in self.server.at("/desk")]
        return [body["data"] for body in bodies if body["type"] == "alert.spike"]


@pytest.fixture
def desk(tmp_path):
    outlet = Outlet()
    with LocalServer(outlet.answer) as server:
        made = Desk(folder=tmp_path, outlet=outlet, server=server)
        made.configure()
        yield made


def test_far_more_than_usual_is_told_once_across_restarts_and_again_when_it_was_over(desk):
    desk.weeks(1, 2, 3, 4)
    desk.look(NOON - 2 * HOUR, 2)
    desk.look(NOON - HOUR, 2)
    assert desk.spikes() == []
    desk.look(NOON - MINUTE, 15)
    (told,) = desk.spikes()
    assert told["text"] == "17 stories in the last hour; usual at this time: 2 (of 4 weeks)"
    assert (told["stories"], told["usual"], told["weeks"]) == (17, 2, 4)
    assert (told["begins"], told["ends"]) == ("2026-11-24T10:59:00Z", "2026-11-24T11:59:00Z")
    titles = [headline["title"] for headline in told["headlines"]]
    assert titles == [f"Water {len(desk.outlet.articles) - number}" for number in range(5)]
    assert {headline["source"]["id"] for headline in told["headlines"]} <= {"wire", "mirror"}

    desk.look(NOON, 5)
    desk.look(NOON + HOUR / 2, 30)
    assert len(desk.spikes()) == 1
    for half_hours in range(2, 10):  # back to normal from the fourth on, for three hours
        desk.look(NOON + half_hours * HOUR / 2)
    assert len(desk.spikes()) == 1
    desk.look(NOON + WEEK - HOUR)
    desk.look(NOON + WEEK, 20)
    assert len(desk.spikes()) == 2


def test_nothing_is_told_while_too_few_weeks_are_known(desk):
    desk.weeks(1, 2, 3)
    desk.look(NOON - HOUR, 2)
    desk.look(NOON, 50)
    assert desk.spikes() == []


def test_what_has_piled_up_in_a_pause_is_no_spike(desk):
    desk.weeks(1, 2, 3, 4)
    desk.look(NOON - 2 * HOUR - MINUTE)
    desk.look(NOON, 50)
    assert desk.spikes() == []


def test_a_rule_that_begins_to_watch_knows_what_was_before(desk):
    desk.configure(RULE.replace("spike = true", ""))
    desk.weeks(1, 2, 3, 4)
    desk.look(NOON - HOUR, 2)
    desk.configure(RULE.replace("true", "{ least = 40, score = 3 }"))
    desk.look(NOON - MINUTE, 39)
    assert desk.spikes() == []
    desk.look(NOON, 1)
    assert len(desk.spikes()) == 1


def test_a_rule_that_is_new_learns_from_what_is_stored(desk):
    desk.configure(RULE.replace("water", "desert"))
    desk.weeks(1, 2, 3, 4)
    desk.look(NOON - HOUR, 2)
    desk.configure()
    desk.look(NOON - MINUTE, 10)
    assert desk.spikes() == []
    desk.look(NOON, 2)
    assert [told["text"] for told in desk.spikes()] == [
        "12 stories in the last hour; usual at this time: 2 (of 4 weeks)"
    ]


def test_a_running_service_looks_every_minute(desk):
    desk.weeks(1, 2, 3, 4)
    desk.look(NOON - 2 * HOUR, 2)
    desk.look(NOON - HOUR, 2)
    desk.clock.now = NOON - MINUTE
    tick = timedelta(seconds=0.005)

    async def run(until: Callable[[], bool]) -> None:
        stop = asyncio.Event()
        with listen("127.0.0.1", 0) as listening:
            async with desk.service(tick=tick) as service:
                running = asyncio.create_task(service.run(stop, listening))
                await asyncio.sleep(0)
                desk.outlet.publish(20)
                await service.call(service.store.poll_now, None)
                try:
                    await asyncio.to_thread(desk.server.wait_for, lambda _: until())
                finally:
                    stop.set()
                    await running

    asyncio.run(run(lambda: bool(desk.spikes())))
    assert SPIKE_TICKS * TICK == MINUTE
    assert [told["stories"] for told in desk.spikes()] == [22]
