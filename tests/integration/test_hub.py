"""Each step that a hub must do (WebSub), over real connections, with a clock set by hand."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from urllib.parse import parse_qs, urlencode

import pytest

from syndicate.http import Client
from syndicate.hub.asking import NOT_PUSHED
from syndicate.hub.hub import Hub
from syndicate.model import Config, NetworkSettings, ServiceSettings
from syndicate.model.feeds import Feed
from syndicate.model.hub import Limits
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from tests.contract.making import Clock
from tests.hub_readers import Reader, reading
from tests.hubs import signature
from tests.outlets import LocalServer, Reply

LOCAL = NetworkSettings(allow_private=(ip_network("127.0.0.0/8"),))
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BASE = "https://desk.example"
TOPIC = f"{BASE}/feeds/eu.atom"
SECRET = "never told to anybody else"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    with closing(SqliteStore(tmp_path / "s.db", clock)) as store:
        yield store


@pytest.fixture
def reader():
    with reading() as reader:
        yield reader


@pytest.fixture
def config(tmp_path):
    folder = tmp_path / "feeds"
    folder.mkdir()
    settings = ServiceSettings(database=tmp_path / "s.db", rules=tmp_path, feeds=folder, base_url=BASE)
    return Config(
        path=tmp_path / "config.toml",
        service=settings,
        network=LOCAL,
        sources=(),
        endpoints=(),
        rules=(),
        feeds=tuple(Feed(id=name, title=name, about="") for name in ("eu", "kz")),
    )


def write(config: Config, text: str, name: str = "eu.atom") -> bytes:
    body = f"<feed>{text}</feed>".encode()
    (config.service.feeds / name).write_bytes(body)
    return body


@asynccontextmanager
async def hub_of(config: Config, store: SqliteStore, **fields) -> AsyncIterator[Hub]:
    with closing(StoreThread()) as call:
        async with Client(config.network) as client:
            hub = Hub(
                client=client,
                store=store,
                call=call,
                config=config,
                random=lambda: 0.5,
                timeout=fields.pop("timeout", 10 * SECOND),
                **fields,
            )
            yield hub
            await hub.close(SECOND)


async def ask(hub: Hub, reader: Reader, topic: str = TOPIC, **said: str) -> int:
    """Send a request, and have it verified."""
    reply = await hub.ask(urlencode(reader.form(topic, **said)).encode())
    await hub.drain()
    return reply.status


async def told(hub: Hub, config: Config, text: str) -> bytes:
    """Have a feed change, and everybody be told who is to be told now."""
    body = write(config, text)
    await hub.announce([TOPIC, "https://other.example/"])
    await hub.drain()
    return body


def run(test):
    asyncio.run(test)


def test_who_means_it_is_told_and_who_unsubscribes_is_not(config, store, clock, reader):
    async def test() -> None:
        async with hub_of(config, store) as hub:
            assert await ask(hub, reader, secret=SECRET, lease_seconds="7200") == 202
            (question,) = reader.questions
            assert (question["hub.mode"], question["hub.topic"]) == ("subscribe", TOPIC)
            assert (question["hub.lease_seconds"], question["of"]) == ("7200", "water")
            assert reader.pushed == []
            body = await told(hub, config, "two")
            await hub.announce([TOPIC])
            await hub.drain()
            (push,) = reader.pushed
            assert push.body == body
            assert push.path == "/callback?of=water"
            assert push.headers["content-type"] == "application/atom+xml; charset=utf-8"
            assert push.headers["link"] == f'<{BASE}/hub>; rel="hub", <{TOPIC}>; rel="self"'
            assert push.headers["x-hub-signature"] == signature(SECRET, body)
            clock.forward(SECOND)
            assert await ask(hub, reader, mode="unsubscribe") == 202
            goodbye = reader.questions[-1]
            assert goodbye["hub.mode"] == "unsubscribe"
            assert "hub.lease_seconds" not in goodbye
            await told(hub, config, "three")
            assert len(reader.pushed) == 1

    write(config, "one")
    run(test())


def test_challenges_are_never_the_same(config, store, clock, reader):
    async def test() -> None:
        async with hub_of(config, store) as hub:
            for _ in range(5):
                await ask(hub, reader)
                clock.forward(SECOND)

    run(test())
    challenges = {question["hub.challenge"] for question in reader.questions}
    assert len(challenges) == 5
    assert all(len(challenge) == 32 for challenge in challenges)


@pytest.mark.parametrize(
    "verdict",
    [
        Reply(status=404),
        Reply(body=b"something else"),
        Reply(body=b""),
        Reply(status=302, headers={"location": "/elsewhere"}),
        Reply(body=b"x" * 100_000),
    ],
    ids=["404", "another text", "nothing", "a redirect", "too much"],
)
@pytest.mark.parametrize("mode", ["subscribe", "unsubscribe"])
def test_who_does_not_mean_it_changes_nothing(config, store, clock, reader, verdict, mode):  # noqa: PLR0917
    async def test() -> None:
        async with hub_of(config, store) as hub:
            if mode == "unsubscribe":
                await ask(hub, reader, secret=SECRET)
                clock.forward(SECOND)
            reader.verdict = verdict
            assert await ask(hub, reader, mode=mode) == 202
            asked = len(reader.questions)
            clock.forward(DAY)
            await told(hub, config, "two")
            assert len(reader.questions) == asked
            assert len(reader.pushed) == (mode == "unsubscribe")
            assert reader.server.at("/elsewhere") == []

    write(config, "one")
    run(test())


def test_who_renews_with_another_secret_and_does_not_mean_it_keeps_the_first(config, store, clock, reader):
    async def test() -> None:
        async with hub_of(config, store) as hub:
            await ask(hub, reader, secret=SECRET)
            clock.forward(SECOND)
            reader.verdict = Reply(status=404)
            await ask(hub, reader, secret="an attacker's")
            body = await told(hub, config, "two")
            assert reader.pushed[0].headers["x-hub-signature"] == signature(SECRET, body)

    write(config, "one")
    run(test())


def test_a_callback_that_is_down_is_asked_again(config, store, clock, reader):
    async def test() -> None:
        async with hub_of(config, store) as hub:
            reader.verdict = Reply(status=503)
            assert await ask(hub, reader) == 202
            assert store.hub.subscribers() == []
            reader.verdict = None
            clock.forward(10 * SECOND)
            await hub.drain()
            assert len(store.hub.subscribers()) == 1

    run(test())


def test_a_topic_that_is_not_ours_is_denied(config, store, reader):
    async def test() -> None:
        async with hub_of(config, store) as hub:
            assert await ask(hub, reader, f"{BASE}/feeds/none.atom") == 202
            (denial,) = reader.questions
            assert denial == {
                "of": "water",
                "hub.mode": "denied",
                "hub.topic": f"{BASE}/feeds/none.atom",
                "hub.reason": NOT_PUSHED,
            }
            assert store.hub.subscribers() == []

    run(test())


def test_a_feed_that_is_not_published_any_more_is_denied_to_its_subscribers(config, store, clock, reader):
    async def test() -> None:
        async with hub_of(config, store) as hub:
            await ask(hub, reader)
        async with hub_of(replace(config, feeds=config.feeds[1:]), store) as hub:
            clock.forward(SECOND)
            await hub.drain()
            assert reader.questions[-1]["hub.mode"] == "denied"
            assert store.hub.subscribers() == []

    run(test())


def test_private_addresses_are_refused_also_behind_names(config, store, reader, tmp_path):
    public = replace(config, network=NetworkSettings())

    async def test() -> None:
        async with hub_of(public, store) as hub:
            assert await ask(hub, reader) == 400
            port = reader.server.address.rpartition(":")[2]
            assert await ask(hub, reader, callback=f"http://localhost:{port}/") == 202

    run(test())
    assert reader.server.asked == []
    assert store.hub.subscribers() == []


def test_who_answers_410_is_left_alone(config, store, clock, reader):
    async def test() -> None:
        async with hub_of(config, store) as hub:
            await ask(hub, reader)
            reader.reply = Reply(status=410)
            await told(hub, config, "two")
            clock.forward(DAY)
            await told(hub, config, "three")
            assert len(reader.pushed) == 1
            assert store.hub.subscribers() == []

    write(config, "one")
    run(test())


@pytest.mark.parametrize("status", [302, 400, 404, 500])
def test_who_fails_is_tried_by_the_schedule_and_gets_the_newest_once(config, store, clock, reader, status):
    async def test() -> None:
        async with hub_of(config, store) as hub:
            await ask(hub, reader)
            reader.reply = Reply(status=status, headers={"location": "/elsewhere"})
            for number, wait in enumerate((5 * SECOND, 5 * MINUTE, 30 * MINUTE)):
                await told(hub, config, f"news {number}")
                assert len(reader.pushed) == number + 1
                (subscriber,) = store.hub.subscribers()
                assert subscriber.next_try_at == clock.now + wait
                assert str(status) in subscriber.error
                clock.forward(wait)
            reader.reply = Reply()
            last = await told(hub, config, "news 3")
            assert [push.body for push in reader.pushed[3:]] == [last]
            clock.forward(DAY)
            await hub.drain()
            assert len(reader.pushed) == 4
            assert reader.server.at("/elsewhere") == []

    write(config, "one")
    run(test())


def test_who_never_takes_anything_is_dropped_after_ten_tries(config, store, clock, reader):
    async def test() -> None:
        async with hub_of(config, store) as hub:
            await ask(hub, reader, lease_seconds=str(30 * 86400))
            reader.reply = Reply(status=500)
            await told(hub, config, "two")
            for _ in range(20):
                clock.forward(DAY)
                await hub.drain()
            assert len(reader.pushed) == 10
            assert store.hub.subscribers() == []

    write(config, "one")
    run(test())


def test_a_lease_ends(config, store, clock, reader):
    async def test() -> None:
        async with hub_of(config, store) as hub:
            await ask(hub, reader)
            clock.forward(10 * DAY)
            await told(hub, config, "two")
            assert reader.pushed == []

    write(config, "one")
    run(test())


def test_what_changed_while_nobody_was_here_is_told_at_the_next_start(config, store, reader):
    async def test() -> None:
        async with hub_of(config, store) as hub:
            await ask(hub, reader)
        body = write(config, "two")  # by who was killed before he could say so
        async with hub_of(config, store) as hub:
            await hub.drain()
            assert [push.body for push in reader.pushed] == [body]
        async with hub_of(config, store) as hub:
            await hub.drain()
            assert len(reader.pushed) == 1

    write(config, "one")
    run(test())


@asynccontextmanager
async def at_work(config: Config, store: SqliteStore) -> AsyncIterator[Hub]:
    """A hub that does what is due whenever there may be something."""

    async def work(hub: Hub) -> None:
        while True:
            await wake.wait()
            wake.clear()
            await hub.run_due()

    wake = asyncio.Event()
    async with hub_of(config, store, on_changed=wake.set, timeout=60 * SECOND) as hub:
        working = asyncio.create_task(work(hub))
        yield hub
        working.cancel()


def once(released: threading.Event) -> Iterator[bytes]:
    """Yield the body of an answer when something has happened."""
    assert released.wait(60)
    yield b"x"


def test_a_slow_subscriber_delays_no_other_and_changes_meanwhile_become_one(config, store, reader):
    async def test() -> None:
        with reading() as slow:
            async with hub_of(config, store) as hub:
                await ask(hub, reader)
                await ask(hub, slow)
            async with at_work(config, store) as hub:
                released = threading.Event()
                slow.reply = Reply(body=once(released))
                for number in range(3):
                    last = write(config, f"news {number}")
                    await hub.announce([TOPIC])
                    await asyncio.to_thread(reader.wait_for, pushes=number + 1)
                assert len(slow.pushed) == 1
                slow.reply = Reply()
                released.set()
                await asyncio.to_thread(slow.wait_for, pushes=2)
                assert [push.body for push in slow.pushed[1:]] == [last]
                assert len(reader.pushed) == 3

    write(config, "one")
    run(test())


def test_what_does_not_end_in_time_is_given_back(config, store, reader):
    async def test() -> None:
        async with hub_of(config, store) as hub:
            await ask(hub, reader)
            reader.reply = Reply(hangs=True)
            write(config, "two")
            await hub.announce([TOPIC])
            await hub.run_due()
            await asyncio.to_thread(reader.wait_for, pushes=1)
            assert hub.in_flight == 1
            await hub.close(timedelta())
            assert hub.in_flight == 0
        reader.reply = Reply()
        async with hub_of(config, store) as hub:
            await hub.drain()
        assert len(reader.pushed) == 2

    write(config, "one")
    run(test())


def test_only_so_much_is_taken(config, store, reader):
    async def test() -> None:
        async with hub_of(config, store, limits=Limits(per_topic=1)) as hub:
            assert await ask(hub, reader) == 202
            reply = await hub.ask(urlencode(reader.form(TOPIC, callback=f"{reader.callback}2")).encode())
            assert (reply.status, reply.retry_after) == (503, 3600)

    run(test())


def test_one_host_is_asked_once_a_second(config, store, clock, reader):
    async def test() -> None:
        async with hub_of(config, store) as hub:
            for number in range(3):
                await ask(hub, reader, callback=f"{reader.callback}{number}")
            assert len(reader.questions) == 1
            clock.forward(SECOND)
            await hub.drain()
            assert len(reader.questions) == 2

    run(test())


@contextmanager
def hub_of_others(status: int = 204):
    replies = [Reply(status=status)]
    with LocalServer(lambda _: replies[0]) as server:
        yield server, replies


def test_a_hub_of_others_is_told_with_retries(config, store, clock):
    async def test() -> None:
        with hub_of_others() as (server, replies):
            outside = replace(config, hub=f"{server.address}/", feeds=config.feeds[:1])
            async with hub_of(outside, store) as hub:
                assert not hub.is_open
                await hub.drain()
                assert [parse_qs(asked.body.decode()) for asked in server.asked] == [
                    {"hub.mode": ["publish"], "hub.topic": [TOPIC], "hub.url": [TOPIC]}
                ]
                replies[0] = Reply(status=503)
                await told(hub, outside, "two")
                assert len(server.asked) == 2
                replies[0] = Reply(status=202)
                await hub.drain()
                assert len(server.asked) == 2
                clock.forward(5 * SECOND)
                await hub.drain()
                assert len(server.asked) == 3
                assert [each.error for each in store.hub.subscribers()] == [None] * 3
            async with hub_of(outside, store) as hub:
                await hub.drain()
                assert len(server.asked) == 3

    write(config, "one")
    run(test())


def test_without_a_hub_nobody_is_told_and_nothing_is_asked_for(config, store, reader):
    async def test() -> None:
        async with hub_of(replace(config, hub=False), store) as hub:
            assert not hub.is_open
            assert hub.links_of(TOPIC) is None
            await hub.announce([TOPIC])
            await hub.drain()
        async with hub_of(config, store) as hub:
            assert hub.links_of(TOPIC) == f'<{BASE}/hub>; rel="hub", <{TOPIC}>; rel="self"'
            assert hub.links_of(f"{BASE}/feeds/eu/100-1.atom") is None

    run(test())
