"""Deliveries to receivers that lie, hang, die or close connections: what counts, and who suffers for it."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from standardwebhooks import Webhook

from syndicate.alerts.totals import Totals
from syndicate.model import DeliveryState
from tests.integration.test_outbox import SECRET, Desk
from tests.servers import Handler, Request, answer, raw_server

NEW_SECRET = "whsec_c2VjcmV0IG9mIHRoZSBwaG9uZSwgbG9uZyBlbm91Z2g="
SOON = timedelta(milliseconds=300)
LONG = timedelta(seconds=60)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    nobody: Any = SimpleNamespace(address="http://127.0.0.1:1")
    made = Desk(path=tmp_path / "syndicate.db", receiver=nobody)
    yield made
    made.close()


def delivered(desk: Desk, handler: Handler, *, timeout: timedelta = LONG, **endpoint: object) -> Totals:
    """Deliver what is due for `desk` to a server; return what became of it."""

    async def work() -> Totals:
        async with raw_server(handler) as address, desk.client() as client:
            desk.endpoints = (desk.endpoint("desk", url=f"{address}/desk", **endpoint),)
            return await desk.outbox(client, timeout=timeout).drain()

    return asyncio.run(work())


def saying(*pieces: bytes) -> Handler:
    """Return a handler that says something, and closes."""

    async def say(_: Request, writer: asyncio.StreamWriter) -> bool:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return False

    return say


async def endlessly(_: Request, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    with suppress(ConnectionError):
        while True:
            writer.write(b"thanks " * 10_000)
            await writer.drain()
    return False


async def in_drops(_: Request, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    with suppress(ConnectionError):
        while True:
            writer.write(b"x-a: b\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)  # the drop itself
    return False


async def never(_: Request, writer: asyncio.StreamWriter) -> bool:
    await asyncio.Event().wait()
    return False


TAKEN = {
    "closes within the body": saying(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nthanks"),
    "sends more than it says": saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nthanks, and more"),
    "breaks off its chunks": saying(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\ntha"),
    "answers twice": saying(answer() + answer(status="500 No")),
    "never ends": endlessly,
}
FAILED = {
    "closes without a word": saying(),
    "closes within the head": saying(b"HTTP/1.1 200 OK\r\ncontent-le"),
    "speaks no HTTP": saying(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "sends a head that never ends": in_drops,
    "hangs": never,
    "redirects to itself": saying(b"HTTP/1.1 307 No\r\nlocation: /desk\r\ncontent-length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("how", TAKEN)
def test_a_receiver_that_says_2xx_has_taken_it_whatever_comes_then(desk, how):
    desk.alert("desk")
    assert delivered(desk, TAKEN[how]) == Totals(delivered=1)


@pytest.mark.parametrize("how", FAILED)
def test_a_receiver_that_does_not_say_2xx_has_not_taken_it(desk, how):
    desk.alert("desk")
    totals = delivered(desk, FAILED[how], timeout=SOON)
    assert (totals.delivered, totals.failed) == (0, 1)
    assert desk.delivery().state is DeliveryState.WAITING
    assert desk.wait() == timedelta(seconds=5)


# --------------------------------------------------------------------------- connections


def counting(ids: list[bytes], requests: Counter[object], closes_at: int | None = None) -> Handler:
    """Return a handler that notes ids, and how many requests each connection had.

    Args:
        closes_at: the request of a connection at which it is closed without an answer; None: it never is.
    """

    async def take(request: Request, writer: asyncio.StreamWriter) -> bool:
        ids.append(request.header("webhook-id") or b"")
        requests[writer] += 1
        if requests[writer] == closes_at:
            return False
        writer.write(answer())
        await writer.drain()
        return True

    return take


def test_connections_are_kept_and_used_again(desk):
    desk.alert("desk", count=60)
    ids: list[bytes] = []
    requests: Counter[object] = Counter()
    assert delivered(desk, counting(ids, requests)) == Totals(delivered=60)
    assert len(ids) == len(set(ids)) == 60
    assert len(requests) <= 4


def test_what_met_a_connection_that_was_just_closed_is_sent_on_a_new_one_in_the_same_attempt(desk):
    desk.alert("desk", count=30)
    ids: list[bytes] = []
    assert delivered(desk, counting(ids, Counter(), closes_at=2)) == Totals(delivered=30)
    assert len(set(ids)) == 30
    assert max(Counter(ids).values()) == 2  # which receivers tell by the id
    assert desk.rows("SELECT max(attempts), min(state) FROM deliveries") == [(1, "delivered")]


def test_a_receiver_that_always_closes_a_new_connection_is_asked_once(desk):
    desk.alert("desk")
    ids: list[bytes] = []
    assert delivered(desk, counting(ids, Counter(), closes_at=1)).failed == 1
    assert len(ids) == 1


# --------------------------------------------------------------------------- order, signatures


def test_with_one_at_a_time_deliveries_arrive_in_the_order_they_were_made(desk):
    desk.alert("desk", count=40)
    made = [status.id.encode() for status in reversed(desk.store.deliveries())]
    ids: list[bytes] = []
    delivered(desk, counting(ids, Counter()), concurrency=1)
    assert ids == made


def test_a_request_is_signed_with_each_secret_and_either_is_enough(desk):
    desk.alert("desk")
    requests: list[Request] = []

    async def keep(request: Request, writer: asyncio.StreamWriter) -> bool:
        requests.append(request)
        writer.write(answer())
        return True

    delivered(desk, keep, secrets=(NEW_SECRET, SECRET))
    (request,) = requests
    headers = {name.decode().lower(): value.decode() for name, value in request.fields}
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (NEW_SECRET, SECRET):
        assert Webhook(secret).verify(request.body, headers)["type"] == "alert.match"


# --------------------------------------------------------------------------- who does not suffer for it


def test_once_an_endpoint_has_not_answered_so_many_it_is_left_alone_for_now(desk):
    hanging: list[bytes] = []

    async def hang(request: Request, writer: asyncio.StreamWriter) -> bool:
        if request.target == "/other":
            writer.write(answer())
            return True
        hanging.append(request.header("webhook-id") or b"")
        return await never(request, writer)

    desk.alert("desk", "other", count=20)

    async def work() -> Totals:
        async with raw_server(hang) as address, desk.client() as client:
            desk.endpoints = tuple(desk.endpoint(name, url=f"{address}/{name}") for name in ("desk", "other"))
            totals: Totals = await desk.outbox(client, timeout=SOON).drain()
            return totals

    totals = asyncio.run(work())
    assert (totals.delivered, totals.failed) == (20, 4)
    assert totals.errors[-1] == "desk: 16 deliveries wait for the next time, as it does not answer"
    assert len(hanging) == 4
    untried = desk.store.deliveries(endpoint="desk", state=DeliveryState.WAITING)
    assert Counter(status.attempts for status in untried) == {0: 16, 1: 4}


def test_however_many_endpoints_hang_one_that_answers_is_served(desk):
    names = [f"hangs-{number}" for number in range(60)]  # 240 connections, more than [network] concurrency
    desk.alert(*names, "desk", count=4)

    async def hang_or_answer(request: Request, writer: asyncio.StreamWriter) -> bool:
        if request.target != "/desk":
            await asyncio.Event().wait()
        writer.write(answer())
        return True

    async def work() -> None:
        async with raw_server(hang_or_answer) as address, desk.client() as client:
            desk.endpoints = tuple(desk.endpoint(name, url=f"{address}/{name}") for name in (*names, "desk"))
            outbox = desk.outbox(client)
            while len(done(desk)) < 4 or outbox.in_flight < 240:
                await outbox.run_due()
                await asyncio.sleep(0.01)
            await outbox.close(timedelta())

    asyncio.run(work())
    assert {status.attempts for status in desk.store.deliveries(endpoint=names[0])} == {0}


def done(desk: Desk) -> list[object]:
    return list(desk.store.deliveries(endpoint="desk", state=DeliveryState.DELIVERED))
