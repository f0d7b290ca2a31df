"""Deliveries from a real store to a real receiver: what arrives, what is recorded, what is tried again."""

import asyncio
import json
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

import pytest
import structlog
from standardwebhooks import Webhook

from syndicate.alerts.outbox import LEASE, Outbox
from syndicate.alerts.outcome import Later, Taken
from syndicate.alerts.router import Router
from syndicate.alerts.sending import TIMEOUT, Answer, Sender, send_sample, told
from syndicate.alerts.totals import Totals
from syndicate.http import Client
from syndicate.model import (
    AlertDraft,
    Change,
    Config,
    DeliveryState,
    DeliveryStatus,
    Endpoint,
    EndpointState,
    Entry,
    Hit,
    Match,
    NetworkSettings,
    Poll,
    PollState,
    RuleText,
    ServiceSettings,
    Snippet,
    Source,
)
from syndicate.model.channels import Mattermost
from syndicate.store.protocol import HostPace, RuleState
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LOOPBACK = (ip_network("127.0.0.0/8"),)
MIDDLE = 0.5
SECOND = timedelta(seconds=1)
AT_ONCE = 4
WIRE = Source(id="wire", title="Steppe Wire", urls=("https://wire.example/rss",), interval=SECOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How the receiver answers; a hanging one waits until the test is over."""

    status: int = 204
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    hangs: bool = False


class Receiver:
    """A webhook receiver on a port of its own, which answers each path as it is told."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.replies: dict[str, list[Reply]] = {}  # the last one stays
        self.changed = threading.Condition()
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def at(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    def wait_for(self, path: str, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.at(path)) >= count, timeout=60)

    def take(self, request: Received) -> Reply:
        with self.changed:
            self.received.append(request)
            self.changed.notify_all()
            replies = self.replies.get(request.path, [Reply()])
            return replies.pop(0) if len(replies) > 1 else replies[0]

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = receiver.take(Received(path=self.path, headers=headers, body=body))
            if reply.hangs:
                receiver.released.wait()
            with suppress(ConnectionError):  # whoever asked may have stopped waiting
                self.answer(reply)

        def answer(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in (*reply.headers, ("content-length", str(len(reply.body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@dataclass
class Desk:
    """A store with alerts in it, its clock, and the endpoints they go to."""

    path: Path
    receiver: Receiver
    now: datetime = field(default_factory=lambda: datetime.now(UTC))  # receivers refuse old signatures
    rule_title: str = "The EU"
    allow_private: tuple[object, ...] = LOOPBACK
    made: int = 0

    endpoints: tuple[Endpoint, ...] = ()

    def __post_init__(self) -> None:
        self.call = StoreThread()
        self.store = SqliteStore(self.path, clock=lambda: self.now)
        self.store.configure([WIRE], [RuleState(id="eu", version="1", feed=True)])
        self.endpoints = (self.endpoint("desk"), self.endpoint("other"))

    def close(self) -> None:
        self.call.close()
        self.store.close()

    def endpoint(self, name: str, **changed: object) -> Endpoint:
        plain = Endpoint(id=name, url=f"{self.receiver.address}/{name}", secrets=(SECRET,))
        return replace(plain, **changed)  # type: ignore[arg-type]

    def config(self) -> Config:
        return Config(
            path=self.path.with_name("config.toml"),
            service=ServiceSettings(
                database=self.path, rules=self.path.with_name("rules"), feeds=self.path.with_name("feeds")
            ),
            network=NetworkSettings(allow_private=self.allow_private),  # type: ignore[arg-type]
            sources=(WIRE,),
            endpoints=self.endpoints,
            rules=(RuleText(id="eu", title=self.rule_title, file="eu.toml", line=1, keywords=("EU",)),),
        )

    def alert(self, *endpoints: str, count: int = 1) -> None:
        """Make alerts about so many new items, for each of these endpoints."""
        first, self.made = self.made, self.made + count
        self.record([change(None, f"{number}", endpoints) for number in range(first, self.made)])

    def edit(self, item: int) -> None:
        """Record a new revision of an item."""
        self.record([change(item, f"{item - 1}", (), title="The EU, edited")])

    def record(self, changes: Sequence[Change]) -> None:
        (claim,) = self.store.claim_sources(
            limit=1,
            due_by=self.now,
            lease=SECOND,
            pace=HostPace(interval=timedelta(), concurrency=1),
        )
        poll = Poll(
            claim=claim,
            ended_at=self.now,
            state=PollState.OK,
            next_poll_at=self.now,
            status=200,
            changes=tuple(changes),
        )
        (recorded,) = self.store.record_polls([poll])
        assert recorded.error is None
        assert not recorded.was_stale

    def outbox(self, client: Client, **options: object) -> Outbox:
        return Outbox(
            client=client,
            store=self.store,
            call=self.call,
            config=self.config(),
            random=lambda: MIDDLE,
            **options,  # type: ignore[arg-type]
        )

    def client(self) -> Client:
        return Client(self.config().network)

    def drain(self, **options: object) -> Totals:
        async def work() -> Totals:
            async with self.client() as client:
                return await self.outbox(client, **options).drain()

        return asyncio.run(work())

    def sample(self, name: str, **changed: object) -> Answer:
        async def work() -> Answer:
            async with self.client() as client:
                sender = Sender(client, self.config())
                return await send_sample(sender, self.endpoint(name, **changed), self.now)

        return asyncio.run(work())

    def delivery(self, endpoint: str = "desk") -> DeliveryStatus:
        (found,) = self.store.deliveries(endpoint=endpoint)
        return found

    def wait(self) -> timedelta | None:
        """Return how long the one delivery to the desk waits."""
        at = self.delivery().next_attempt_at
        return at - self.now if at else None

    def rows(self, query: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.path)
        try:
            with connection:
                return connection.execute(query).fetchall()
        finally:
            connection.close()


def change(item: int | None, name: str, endpoints: Sequence[str], title: str = "The EU decides") -> Change:
    hits = (Hit(term="EU", field="title", start=4, end=6),)
    match = Match(
        rule="eu",
        rule_version="1",
        hits=hits,
        snippet=Snippet(text=title, field="title", marks=((4, 6),)),
    )
    return Change(
        item=item,
        entry=Entry(guid=name, link=f"https://wire.example/{name}", title=title, body="Something."),
        keys=(f"guid {name}",),
        story_keys=(f"https://wire.example/{name}",),
        content_hash=f"{name} {title}",
        language="en",
        words={"words": "the eu decides something", "stems": "the eu decid someth"},
        words_version=1,
        matches=(match,),
        alerts=tuple(AlertDraft(rule="eu", endpoint=endpoint) for endpoint in endpoints),
    )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def desk(tmp_path: Path, receiver: Receiver) -> Iterator[Desk]:
    made = Desk(path=tmp_path / "syndicate.db", receiver=receiver)
    yield made
    made.close()


# --------------------------------------------------------------------------- what arrives


def test_an_alert_arrives_once_and_signed(desk, receiver):
    desk.alert("desk")
    assert desk.drain() == Totals(delivered=1)
    assert desk.drain() == Totals()
    (request,) = receiver.received
    message = Webhook(SECRET).verify(request.body, request.headers)
    assert message["type"] == "alert.match"
    assert message["data"]["rule"]["title"] == "The EU"
    assert message["data"]["item"]["source"] == {"id": "wire", "title": "Steppe Wire"}
    assert message["data"]["terms"][0]["text"] == "EU"
    assert message["data"]["feed"] == "http://127.0.0.1:8080/feeds/eu.atom"
    assert request.headers["webhook-id"] == desk.delivery().id
    assert request.headers["content-type"] == "application/json"
    assert desk.delivery().state is DeliveryState.DELIVERED


def test_without_a_secret_it_arrives_unsigned_with_the_endpoints_own_headers(desk, receiver):
    desk.endpoints = (desk.endpoint("desk", secrets=(), headers={"Authorization": "Bearer abc"}),)
    desk.alert("desk")
    desk.drain()
    (request,) = receiver.received
    assert "webhook-signature" not in request.headers
    assert request.headers["authorization"] == "Bearer abc"


def test_every_try_says_the_same_under_the_same_id_whatever_changed_meanwhile(desk, receiver):
    receiver.replies["/desk"] = [Reply(status=500), Reply(status=503), Reply(status=404), Reply(status=200)]
    desk.alert("desk")
    sent_at = []
    for wait in (timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), None):
        sent_at.append(desk.now)
        totals = desk.drain()
        assert desk.wait() == wait
        assert totals.failed == (1 if wait else 0)
        desk.now += wait or timedelta()
        desk.rule_title += " edited"
        desk.edit(1)
    assert {request.body for request in receiver.received} == {receiver.received[0].body}
    assert {request.headers["webhook-id"] for request in receiver.received} == {desk.delivery().id}
    for request, when in zip(receiver.received, sent_at, strict=True):
        assert request.headers["webhook-timestamp"] == str(int(when.timestamp()))
        signed = Webhook(SECRET).sign(desk.delivery().id, when, request.body.decode())
        assert request.headers["webhook-signature"] == signed
    assert desk.delivery().attempts == 4
    assert desk.delivery().state is DeliveryState.DELIVERED


def test_what_was_frozen_before_a_crash_is_what_is_sent_after_it(desk, receiver):
    desk.alert("desk")
    (lost,) = desk.store.claim_deliveries(limit=1, room={"desk": 1}, lease=LEASE)
    desk.store.freeze_bodies([(lost.id, lost.token, b'{"frozen":true}')])
    assert desk.drain() == Totals()
    desk.now += LEASE
    assert desk.drain() == Totals(delivered=1)
    assert [request.body for request in receiver.received] == [b'{"frozen":true}']


def test_a_sample_arrives_signed_and_says_that_it_is_one(desk, receiver):
    assert desk.sample("desk") == Answer(outcome=Taken(), status=204)
    (request,) = receiver.received
    message = Webhook(SECRET).verify(request.body, request.headers)
    assert message["type"] == "alert.test"
    assert message["data"]["test"] is True


# --------------------------------------------------------------------------- what fails


def test_a_redirect_is_a_failure_and_not_followed(desk, receiver):
    receiver.replies["/desk"] = [Reply(status=307, headers=(("Location", "/elsewhere"),))]
    desk.alert("desk")
    assert desk.drain().failed == 1
    assert receiver.at("/elsewhere") == []
    assert desk.delivery().last_status == 307
    assert "redirects are not followed" in (desk.delivery().last_error or "")
    assert desk.wait() == timedelta(seconds=5)


def test_a_private_address_is_refused_until_it_is_allowed(desk, receiver):
    desk.alert("desk")
    desk.allow_private = ()
    assert desk.drain().failed == 1
    assert receiver.received == []
    assert desk.delivery().last_status is None
    assert desk.delivery().last_error
    desk.allow_private = LOOPBACK
    desk.now += timedelta(seconds=5)
    assert desk.drain() == Totals(delivered=1)


def test_410_disables_an_endpoint_and_what_waits_for_it_is_delivered_when_it_is_enabled(desk, receiver):
    receiver.replies["/desk"] = [Reply(status=410), Reply()]
    desk.alert("desk")
    waits = "desk: 1 delivery waits: it is disabled until you enable it (endpoints enable desk)"
    assert desk.drain().errors == ("desk: the endpoint answered 410: it wants no more deliveries", waits)
    desk.now += timedelta(days=30)
    assert desk.drain() == Totals(errors=(waits,))
    assert desk.delivery().state is DeliveryState.WAITING
    assert len(receiver.received) == 1
    assert desk.store.enable_endpoint("desk") == 1
    assert desk.drain() == Totals(delivered=1)
    first, second = receiver.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)


def test_after_410_nothing_more_is_begun(desk, receiver):
    receiver.replies["/desk"] = [*[Reply()] * 40, Reply(status=410)]
    desk.alert("desk", count=200)
    at_once = desk.endpoint("desk").concurrency
    desk.drain()
    assert 41 <= len(receiver.received) <= 40 + at_once
    (status,) = desk.store.endpoints(["desk"])
    assert (status.state, status.waiting) == (EndpointState.DISABLED, 160)


def test_the_tenth_failure_makes_a_dead_letter(desk, receiver):
    receiver.replies["/desk"] = [Reply(status=500)]
    desk.alert("desk")
    tries = 0
    while (wait := desk.wait()) is not None:
        desk.now += wait
        assert desk.drain().failed == 1
        tries += 1
    assert tries == len(receiver.received) == desk.delivery().attempts == 10
    assert desk.delivery().state is DeliveryState.DEAD


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(desk, receiver, status):
    receiver.replies["/desk"] = [Reply(status=status, headers=(("Retry-After", "3600"),)), Reply()]
    desk.alert("desk")
    desk.drain()
    assert desk.wait() == timedelta(hours=1)
    desk.now += timedelta(minutes=59)
    assert desk.drain() == Totals()
    desk.now += timedelta(minutes=1)
    assert desk.drain() == Totals(delivered=1)


def test_an_endpoint_that_is_sent_too_much_is_left_alone_as_long_as_it_asks(desk, receiver):
    receiver.replies["/desk"] = [Reply(status=429, headers=(("Retry-After", "60"),)), Reply()]
    desk.alert("desk", count=20)
    desk.alert("other")

    async def work() -> tuple[Totals, Totals, Totals]:
        async with desk.client() as client:
            outbox = desk.outbox(client)
            first = await outbox.drain()
            desk.now += timedelta(seconds=59)
            second = await outbox.drain()
            desk.now += SECOND
            return first, second, await outbox.drain()

    first, second, third = asyncio.run(work())
    assert 1 <= first.failed <= AT_ONCE
    assert first.delivered <= AT_ONCE  # what was under way, and the other endpoint's
    assert re.fullmatch(r"desk: 1\d deliveries wait for the next time, as it asks for that", first.errors[-1])
    assert (second.delivered, second.failed) == (0, 0)
    assert third.delivered == 21 - first.delivered
    assert (third.failed, third.errors) == (0, ())


def test_no_answer_in_time_is_a_failure(desk, receiver):
    receiver.replies["/desk"] = [Reply(hangs=True)]
    desk.alert("desk")
    assert desk.drain(timeout=timedelta(milliseconds=100)).failed == 1
    assert desk.delivery().last_error
    assert desk.wait() == timedelta(seconds=5)


def test_failures_with_one_reason_are_told_in_one_line(desk, receiver):
    receiver.replies["/desk"] = [Reply(status=500)]
    desk.alert("desk", "other", count=5)
    assert desk.drain() == Totals(
        delivered=5, failed=5, errors=("desk: the endpoint answered 500 (5 deliveries)",)
    )


def test_the_address_of_an_endpoint_is_not_told(desk):
    secret_part = "T0/B0/token"
    desk.endpoints = (desk.endpoint("desk", url=f"http://127.0.0.1:1/{secret_part}"),)
    desk.alert("desk")
    with structlog.testing.capture_logs() as logs:
        totals = desk.drain()
    assert totals.failed == 1
    assert secret_part not in f"{totals} {logs} {desk.delivery()}"


def test_a_kept_answer_is_short_and_fit_for_every_database(desk, receiver):
    receiver.replies["/desk"] = [Reply(status=500, body=b"no\0 \xff " + b"x" * 5000)]
    desk.alert("desk")
    desk.drain()
    ((answer,),) = desk.rows("SELECT answer FROM attempts")
    assert answer == "no � " + "x" * (1024 - 6)


def test_a_success_with_a_long_answer_is_a_success(desk, receiver):
    receiver.replies["/desk"] = [Reply(status=200, body=b"x" * 100_000)]
    desk.alert("desk")
    assert desk.drain() == Totals(delivered=1)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip", "nonsense"])
def test_a_success_with_an_unreadable_answer_is_a_success(desk, receiver, encoding):
    receiver.replies["/desk"] = [Reply(status=200, headers=(("Content-Encoding", encoding),), body=b"plain")]
    desk.alert("desk")
    assert desk.drain() == Totals(delivered=1)


# --------------------------------------------------------------------------- who does not suffer for it


def test_a_hanging_endpoint_delays_no_other(desk, receiver):
    receiver.replies["/desk"] = [Reply(hangs=True)]
    desk.alert("desk", "other", count=20)

    async def work() -> None:
        recorded = asyncio.Event()
        async with desk.client() as client:
            outbox = desk.outbox(client, on_recorded=recorded.set)
            while len(desk.store.deliveries(endpoint="other", state=DeliveryState.DELIVERED)) < 20:
                recorded.clear()
                await outbox.run_due()
                await recorded.wait()
            await asyncio.to_thread(receiver.wait_for, "/desk", AT_ONCE)
            assert outbox.in_flight == AT_ONCE
            assert len(receiver.at("/desk")) == AT_ONCE
            receiver.released.set()
            assert await outbox.drain() == Totals(delivered=20)

    asyncio.run(work())
    assert len(receiver.at("/desk")) == 20


def test_two_that_deliver_from_one_store_send_nothing_twice(desk, receiver):
    desk.alert("desk", "other", count=30)

    async def work() -> list[Totals]:
        async with desk.client() as client:
            first, second = desk.outbox(client), desk.outbox(client)
            return list(await asyncio.gather(first.drain(), second.drain()))

    first, second = asyncio.run(work())
    assert first.delivered + second.delivered == 60
    assert (
        len(receiver.received) == len({request.headers["webhook-id"] for request in receiver.received}) == 60
    )


def test_a_defect_in_one_delivery_is_logged_counted_and_stops_no_other(desk, receiver):
    desk.endpoints = (desk.endpoint("desk", secrets=("whsec_",)), desk.endpoint("other"))
    desk.alert("desk", "other")
    with structlog.testing.capture_logs() as logs:
        totals = desk.drain()
    assert (totals.delivered, totals.failed) == (1, 1)
    assert [log["exc_info"] for log in logs if log["event"] == "delivery.crashed"] == [True]
    assert desk.delivery().attempts == 1
    assert desk.wait() == timedelta(seconds=5)


def test_a_delivery_that_cannot_be_put_in_words_stops_no_other(desk, receiver):
    desk.alert("desk", "other")
    desk.rows("UPDATE alerts SET delivery = NULL WHERE endpoint = 'desk'")
    totals = desk.drain()
    assert (totals.delivered, totals.failed) == (1, 1)
    assert [request.path for request in receiver.received] == ["/other"]
    assert desk.wait() == timedelta(seconds=5)


def test_what_waits_for_an_endpoint_that_is_configured_no_longer_keeps_waiting(desk, receiver):
    desk.alert("desk", "other")
    everything = desk.endpoints
    desk.endpoints = everything[1:]
    assert desk.drain() == Totals(delivered=1)
    assert desk.delivery().state is DeliveryState.WAITING
    assert desk.delivery().attempts == 0
    desk.endpoints = everything
    assert desk.drain() == Totals(delivered=1)
    assert [request.path for request in receiver.received] == ["/other", "/desk"]


# --------------------------------------------------------------------------- the end


def test_closing_waits_for_what_is_in_flight(desk, receiver):
    receiver.replies["/desk"] = [Reply(hangs=True)]
    desk.alert("desk")

    async def work() -> None:
        async with desk.client() as client:
            outbox = desk.outbox(client)
            await outbox.run_due()
            await asyncio.to_thread(receiver.wait_for, "/desk", 1)
            closing = asyncio.create_task(outbox.close(timedelta(minutes=1)))
            receiver.released.set()
            await closing

    asyncio.run(work())
    assert desk.delivery().state is DeliveryState.DELIVERED


def test_closing_gives_back_what_does_not_end_in_time(desk, receiver):
    receiver.replies["/desk"] = [Reply(hangs=True), Reply()]
    desk.alert("desk")

    async def work() -> None:
        async with desk.client() as client:
            outbox = desk.outbox(client)
            await outbox.run_due()
            await asyncio.to_thread(receiver.wait_for, "/desk", 1)
            await outbox.close(timedelta())
            assert outbox.in_flight == 0

    asyncio.run(work())
    assert desk.delivery().attempts == 0
    assert desk.drain() == Totals(delivered=1)
    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


@pytest.mark.parametrize(("count", "sent"), [(4, 4), (5, 1)])
def test_a_flood_is_one_delivery_whenever_it_came(desk, receiver, count, sent):
    desk.endpoints = (desk.endpoint("desk", flood_after=4), desk.endpoint("other"))

    async def work() -> None:
        async with desk.client() as client:
            outbox = desk.outbox(client)
            await Router(store=desk.store, call=desk.call, config=desk.config()).run_due()
            desk.alert("desk", "other", count=count)  # a poll that was recorded just then
            await outbox.run_due()
            await outbox.drain()

    asyncio.run(work())
    told = [json.loads(request.body)["type"] for request in receiver.received if request.path == "/desk"]
    assert told == (["alert.match"] * sent if sent > 1 else ["alert.summary"])


def test_after_an_outage_a_chat_is_told_once_of_all_that_it_has_missed(desk, receiver):
    receiver.replies["/desk"] = [*[Reply(status=503)] * 7, Reply(status=410), Reply(status=200, body=b"ok")]
    channel = Mattermost(url=f"{receiver.address}/desk")
    desk.endpoints = (
        desk.endpoint("desk", format="mattermost", channel=channel, flood_after=4, concurrency=1),
    )
    for _ in range(8):
        desk.alert("desk")  # one after another, so no flood as yet
        desk.drain()
    assert desk.store.enable_endpoint("desk") == 8
    receiver.received.clear()
    assert desk.drain() == Totals(delivered=1)
    (told,) = receiver.received
    assert b"8 alerts" in told.body
    assert desk.delivery().attempts == 9


def test_a_lease_is_longer_than_an_attempt():
    assert LEASE > 2 * TIMEOUT


def test_a_sample_that_cannot_be_sent_says_why_but_not_where(desk):
    answer = desk.sample("desk", url="http://127.0.0.1:1/token")
    assert isinstance(answer.outcome, Later)
    assert answer.status is None
    assert "token" not in answer.outcome.reason
    desk.allow_private = ()
    answer = desk.sample("desk", url="http://127.0.0.1:1/token")
    assert isinstance(answer.outcome, Later)
    assert "refused: 127.0.0.1, which is not public" in answer.outcome.reason


def test_what_an_endpoint_echoes_is_told_without_secrets_and_escape_codes():
    endpoint = Endpoint(
        id="desk",
        url="https://desk.example/hooks/T0KEN?key=Y",
        secrets=("whsec_c2VjcmV0",),
        headers={"authorization": "Bearer T0P"},
    )
    assert (
        told(b"got Bearer T0P and whsec_c2VjcmV0\x1b[31m\0 \xff ok", endpoint) == "got *** and ***[31m � ok"
    )
    assert told(b"Cannot POST /hooks/T0KEN?key=Y", endpoint) == "Cannot POST ***"
