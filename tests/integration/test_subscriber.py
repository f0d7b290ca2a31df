"""Subscriptions over days, with a hub on this machine and a clock set by hand."""

import asyncio
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from urllib.parse import parse_qsl

import pytest

from syndicate.http import Client
from syndicate.model import Config, Hints, Kept, Learned, NetworkSettings, ServiceSettings, SubscriptionState
from syndicate.rules.index import RuleIndex
from syndicate.sources.poller import Poller
from syndicate.sources.subscriber import PATH, Subscriber, callbacks_base
from syndicate.store.searching import ItemFilter
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from syndicate.web.app import create
from syndicate.web.server import listen, serve
from tests.contract.making import Clock, claim_all, claimed, poll, recorded, source
from tests.hubs import running_hub
from tests.outlets import FEED_TYPE, Article, LocalServer, Reply, rss
from tests.served import SomeView

SETTINGS = NetworkSettings(allow_private=(ip_network("127.0.0.0/8"),), host_interval=timedelta())
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TOPIC = "https://wire.example/wire.xml"
NEWS = rss([Article(link="https://wire.example/1", title="EU news", guid="1")])


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    with closing(SqliteStore(tmp_path / "s.db", clock)) as store:
        store.configure([source()], [])
        yield store


@pytest.fixture
def hub():
    with running_hub() as hub:
        yield hub


def named(store, hub):
    """Have the source's document name a hub."""
    hints = Hints(hubs=(hub,), topic=TOPIC)
    recorded(store, poll(claimed(store), store, learned=Learned(hints=hints)))


@asynccontextmanager
async def subscribing(store, folder, settings=SETTINGS):
    """Yield a subscriber whose callbacks are served."""
    stop = asyncio.Event()
    with listen("127.0.0.1", 0) as listening, closing(StoreThread()) as call:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with Client(settings) as client:
            subscriber = Subscriber(
                client=client,
                store=store,
                call=call,
                settings=settings,
                base=f"{base}{PATH}",
                random=lambda: 0.5,
            )
            view = SomeView(feeds_folder=folder, base_url=base, callbacks=subscriber)
            server = asyncio.create_task(serve(create(view), listening, stop))
            try:
                yield subscriber
            finally:
                await subscriber.close(SECOND)
                stop.set()
                await server


def status(store):
    return store.sources()[0].subscription


async def asked(subscriber, hub, count, *, verified=True):
    """Ask what is due; return when the hub has verified as much in all."""
    await subscriber.settle()
    await subscriber.drain()
    if verified:
        await asyncio.to_thread(hub.wait_for, lambda hub: len(hub.verified) == count)
    assert len(hub.requests) == count


def test_leases_are_renewed_before_they_end_for_months(store, clock, hub, tmp_path):
    async def run() -> None:
        async with subscribing(store, tmp_path) as subscriber:
            await asked(subscriber, hub, 1)
            for count in range(2, 12):
                before = status(store)
                assert before.expires_at - clock.now == 10 * DAY
                clock.now = before.next_ask_at - SECOND
                await asked(subscriber, hub, count - 1)
                assert status(store).state is SubscriptionState.ACTIVE
                clock.now = before.next_ask_at
                assert 8 * DAY <= clock.now - (before.expires_at - 10 * DAY) <= 9 * DAY
                await asked(subscriber, hub, count)
            assert len(hub.subscribers) == 1

    named(store, hub.address)
    asyncio.run(run())


def test_a_hub_that_is_away_is_asked_later_and_later_and_the_lease_lapses(store, clock, hub, tmp_path):
    async def run() -> None:
        async with subscribing(store, tmp_path) as subscriber:
            await asked(subscriber, hub, 1)
            hub.refuses = Reply(status=503, headers={"retry-after": "3600"})
            waits = []
            for count in range(2, 12):
                clock.now = status(store).next_ask_at
                await asked(subscriber, hub, count, verified=False)
                waits.append(status(store).next_ask_at - clock.now)
            assert waits == sorted(waits)
            assert (waits[0] // MINUTE, waits[-1] // HOUR) == (63, 25)
            assert status(store).error == "the hub answered 503"
            assert not store.sources()[0].subscription.is_relied_upon
            hub.refuses = None
            clock.now = status(store).next_ask_at
            await asked(subscriber, hub, 12, verified=False)
            await asyncio.to_thread(hub.wait_for, lambda hub: len(hub.verified) == 2)
            assert status(store).expires_at == clock.now + 10 * DAY
            assert status(store).error is None

    named(store, hub.address)
    asyncio.run(run())


def test_a_hub_that_never_verifies_is_asked_again(store, clock, hub, tmp_path):
    async def run() -> None:
        async with subscribing(store, tmp_path) as subscriber:
            hub.verifies = False
            await asked(subscriber, hub, 1, verified=False)
            assert (status(store).state, status(store).error) == (SubscriptionState.ASKED, None)
            clock.forward(HOUR)
            await asked(subscriber, hub, 1, verified=False)
            hub.verifies = True
            clock.forward(HOUR)
            await asked(subscriber, hub, 2, verified=False)
            await asyncio.to_thread(hub.wait_for, lambda hub: hub.verified == [("subscribe", 200)])

    named(store, hub.address)
    asyncio.run(run())


def test_what_was_not_asked_for_is_not_verified(store, clock, hub, tmp_path):
    async def run() -> None:
        async with subscribing(store, tmp_path) as subscriber:
            await asked(subscriber, hub, 1)
            (request,) = hub.requests
            for other in (
                {**request, "hub.mode": "unsubscribe"},
                {**request, "hub.topic": f"{TOPIC}#"},
                {**request, "hub.callback": request["hub.callback"][:-1] + "_"},
            ):
                await asyncio.to_thread(hub.verify, other)
            assert hub.verified[1:] == [("unsubscribe", 404), ("subscribe", 404), ("subscribe", 404)]
            await asyncio.to_thread(hub.verify, request)  # our answer was lost
            assert hub.verified[-1] == ("subscribe", 200)
            clock.forward(2 * DAY)
            await asyncio.to_thread(hub.verify, request)
            assert hub.verified[-1] == ("subscribe", 404)
            assert status(store).state is SubscriptionState.ACTIVE

    named(store, hub.address)
    asyncio.run(run())


def test_a_hub_may_send_us_on_to_another(store, hub, tmp_path):
    async def run(address: str) -> None:
        named(store, address)
        async with subscribing(store, tmp_path) as subscriber:
            await asked(subscriber, hub, 1)

    with LocalServer(lambda _: Reply(status=307, headers={"location": hub.address})) as first:
        asyncio.run(run(first.address))
        (asked_first,) = first.asked
        assert dict(parse_qsl(asked_first.body.decode())) == hub.requests[0]
    assert status(store).state is SubscriptionState.ACTIVE


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("/", "more than 3 redirects"),
        ("https://10.0.0.1/", "refused: "),
        ("http://hub.example/", "the hub sends us on to where a secret can be read"),
    ],
)
def test_but_not_anywhere(store, hub, tmp_path, location, error):
    async def run(address: str) -> None:
        named(store, address)
        async with subscribing(store, tmp_path) as subscriber:
            await subscriber.settle()
            await subscriber.drain()

    with LocalServer(lambda _: Reply(status=308, headers={"location": location})) as first:
        asyncio.run(run(first.address))
    assert error in status(store).error


def test_a_hub_at_a_private_address_is_not_asked(store, hub, tmp_path):
    async def run() -> None:
        async with subscribing(store, tmp_path, replace(SETTINGS, allow_private=())) as subscriber:
            await subscriber.settle()
            await subscriber.drain()

    named(store, hub.address)
    asyncio.run(run())
    assert "not public (this machine)" in status(store).error
    assert hub.requests == []


def test_a_hub_that_cannot_be_told_a_secret_only_has_the_source_polled(store, clock, hub, tmp_path):
    async def run() -> None:
        async with subscribing(store, tmp_path) as subscriber:
            await asked(subscriber, hub, 1)
            clock.forward(2 * MINUTE)
            assert await asyncio.to_thread(hub.publish, NEWS) == [202]

    named(store, hub.address.replace("127.0.0.1", "localhost"))
    asyncio.run(run())
    assert "hub.secret" not in hub.requests[0]
    assert store.sources()[0].next_poll_why == "its hub says that there is news"
    assert store.sources()[0].next_poll_at == clock.now
    assert [claim.push for claim in claim_all(store)] == [None]


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_pushes_are_signed_as_the_hub_likes(store, hub, tmp_path, method):
    async def run() -> None:
        async with subscribing(store, tmp_path) as subscriber:
            await asked(subscriber, hub, 1)
            hub.method = method
            assert await asyncio.to_thread(hub.publish, NEWS) == [202]
            await asyncio.to_thread(hub.publish, NEWS + b" ", secret="another")

    named(store, hub.address)
    asyncio.run(run())
    assert (status(store).pushes, status(store).rejected) == (1, 1)


def test_a_push_while_its_source_is_polled_neither_doubles_nor_loses_items(store, tmp_path):
    """The source is asked; before it answers, its hub pushes the same entry and another."""
    both = rss([Article(link=f"https://wire.example/{n}", title=f"News {n}", guid=f"{n}") for n in (2, 1)])
    heard: list[tuple[str, int]] = []

    async def run(address: str) -> None:
        async with Client(SETTINGS) as client:
            poller = Poller(
                client=client,
                store=store,
                call=call,
                index=RuleIndex([]),
                settings=SETTINGS,
                random=lambda: 0.0,
                on_recorded=lambda polls: heard.extend((poll.state.value, done.new) for poll, done in polls),
            )
            await asyncio.wait_for(poller.drain(store.now()), 60)

    def answer(_asked):
        subscription = store.subscription(token)
        kept = store.keep_push(subscription, FEED_TYPE, both, is_signed=True)
        assert kept is Kept.KEPT
        return Reply(body=NEWS)

    with LocalServer(answer) as server, closing(StoreThread()) as call:
        store.configure([replace(source(), urls=(f"{server.address}/rss",))], [])
        named(store, "https://hub.example/")
        store.subscribe("https://desk.example.org/")
        (subscription,) = store.claim_subscriptions(limit=1, lease=MINUTE)
        token = subscription.callback.rpartition("/")[2]
        store.poll_now(None)
        asyncio.run(run(server.address))
    assert heard == [("ok", 1), ("pushed", 1)]
    assert sorted(found.item.guid for found in store.items(ItemFilter())) == ["1", "2"]


@pytest.mark.parametrize(
    ("keys", "base"),
    [
        ({"base_url": "https://news.example.org"}, "https://news.example.org/websub/"),
        ({"base_url": "https://news.example.org/desk"}, "https://news.example.org/desk/websub/"),
        ({"base_url": "https://новости.example:8443"}, "https://xn--b1amnebsh.example:8443/websub/"),
        ({"base_url": "https://news.example.org", "websub": False}, None),
        ({"base_url": "http://10.0.0.1:8080"}, None),
        ({"base_url": "http://0x7f000001/"}, None),
        ({}, None),
    ],
)
def test_callbacks_begin_with_the_address_that_hubs_can_reach(tmp_path, keys, base):
    service = ServiceSettings(database=tmp_path / "s.db", rules=tmp_path, feeds=tmp_path, **keys)
    config = Config(
        path=tmp_path, service=service, network=NetworkSettings(), sources=(), endpoints=(), rules=()
    )
    assert callbacks_base(config) == base
