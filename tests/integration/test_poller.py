"""Many sources at once: they are recorded in batches, and none waits for another for long."""

import asyncio
import threading
from contextlib import closing
from dataclasses import replace
from ipaddress import ip_network

import pytest

from syndicate.http import Client
from syndicate.model import NetworkSettings, Source
from syndicate.rules.index import RuleIndex
from syndicate.sources.poller import BATCH, Poller
from syndicate.store.searching import ItemFilter
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from tests.contract.making import Clock
from tests.outlets import Article, Asked, LocalServer, Reply, rss

SETTINGS = NetworkSettings(allow_private=(ip_network("127.0.0.0/8"),), host_concurrency=1000)


@pytest.fixture
def store(tmp_path):
    with closing(SqliteStore(tmp_path / "s.db", Clock())) as store:
        yield store


def poll_all(store, answer, sources, heard=lambda _: None, settings=SETTINGS):
    """Poll as many sources; return the batches in which they were recorded, as numbers."""
    batches: list[list[int]] = []

    def on_recorded(polls):
        assert not any(recorded.error or poll.error for poll, recorded in polls)
        batches.append([int(poll.claim.source.id) for poll, _ in polls])
        heard(batches)

    async def run() -> None:
        async with Client(settings) as client:
            poller = Poller(
                client=client,
                store=store,
                call=call,
                index=RuleIndex([]),
                settings=settings,
                random=lambda: 0.0,
                on_recorded=on_recorded,
            )
            await asyncio.wait_for(poller.drain(store.now()), 60)
            assert poller.in_flight == 0

    with LocalServer(answer) as server, closing(StoreThread()) as call:
        names = map(str, range(sources))
        urls = {name: (f"{server.address}/{name}",) for name in names}
        store.configure([Source(id=name, title=name, urls=urls[name]) for name in urls], [])
        asyncio.run(run())
    return batches


def feed_of(asked: Asked) -> Reply:
    article = Article(link=f"https://outlet.example{asked.path}", title=f"News of {asked.path}")
    return Reply(body=rss([article]))


@pytest.mark.parametrize("concurrency", [1, 7, 64])
def test_every_source_is_recorded_once_in_batches(store, concurrency):
    settings = replace(SETTINGS, concurrency=concurrency, host_interval=SETTINGS.host_interval * 0)
    batches = poll_all(store, feed_of, 70, settings=settings)
    assert sorted(number for batch in batches for number in batch) == list(range(70))
    assert max(map(len, batches)) <= min(BATCH, concurrency)
    assert len(store.items(ItemFilter(limit=1000))) == 70


def test_sources_are_recorded_while_another_takes_long(store):
    others_are_recorded = threading.Event()

    def answer(asked: Asked) -> Reply:
        if asked.path == "/0":
            assert others_are_recorded.wait(30)
        return feed_of(asked)

    def heard(batches):
        if sum(map(len, batches)) == 9:
            others_are_recorded.set()

    settings = replace(SETTINGS, host_interval=SETTINGS.host_interval * 0)
    batches = poll_all(store, answer, 10, heard, settings)
    assert batches[-1] == [0]
