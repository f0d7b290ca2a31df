"""What the one path that takes a POST does with hubs, and with everybody else."""

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from syndicate.errors import StoreError
from syndicate.model import Kept
from syndicate.web.callbacks import (
    BODIES_AT_ONCE,
    MOST_REJECTED,
    MOST_UNKNOWN,
    CallbackEndpoint,
    is_our_host,
)
from tests.served import served

TOKEN = "t" * 32
PATH = f"/websub/{TOKEN}"


@dataclass
class SomeCallbacks:
    """One callback, that answers as a test wants."""

    kept: Kept | StoreError | None = Kept.KEPT
    asked: list[str] = field(default_factory=list)  # whether they are known
    taken: list[tuple[str, str | None, bytes]] = field(default_factory=list)

    async def knows(self, token: str) -> bool:
        self.asked.append(token)
        return token == TOKEN

    async def confirm(self, token: str, query: str) -> str | None:
        return query or None

    async def take(self, token: str, content_type: str, signature: str | None, body: bytes) -> Kept | None:
        self.taken.append((content_type, signature, body))
        if isinstance(self.kept, StoreError):
            raise self.kept
        return self.kept


@contextmanager
def served_callbacks(callbacks, **limits):
    async def answer(request):
        return await endpoint(request)

    endpoint = CallbackEndpoint(lambda: callbacks, lambda: "https://desk.example.org", **limits)
    app = Starlette(routes=[Route("/websub/{token}", answer, methods=["GET", "POST"])])
    with served(app) as address, httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def callbacks():
    return SomeCallbacks()


@pytest.fixture
def client(callbacks):
    with served_callbacks(callbacks) as client:
        yield client


@contextmanager
def connected(client):
    """Open a connection of our own to the server, to send what no client sends."""
    with socket.create_connection((client.base_url.host, client.base_url.port), 30) as connection:
        yield connection


def head(length, path=PATH):
    return f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {length}\r\n\r\n".encode()


def all_of(connection):
    """Return everything that is answered until the connection is closed."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def test_what_is_sent_is_taken_as_it_came(client, callbacks):
    body = bytes(range(256)) * 100
    fields = {"content-type": "application/rss+xml", "x-hub-signature": "sha256=00"}
    for answer in (
        client.post(PATH, content=body, headers=fields),
        client.post(PATH, content=iter([body[:9], body[9:]]), headers=fields),
    ):
        assert (answer.status_code, answer.content, answer.cookies.jar._cookies) == (202, b"", {})
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert callbacks.taken == [("application/rss+xml", "sha256=00", body)] * 2


@pytest.mark.parametrize(
    ("kept", "status"), [(Kept.POLLED, 202), (Kept.FULL, 503), (Kept.UNWANTED, 410), (None, 202)]
)
def test_hubs_are_told_what_they_need_to_know(client, callbacks, kept, status):
    callbacks.kept = kept
    answer = client.post(PATH, content=b"x")
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == (kept is Kept.FULL)


def test_of_an_unknown_address_no_body_is_read(client, callbacks):
    with connected(client) as connection:
        connection.sendall(head(10_000_000, "/websub/" + "u" * 32) + b"x" * 1000)
        answer = all_of(connection)
    assert answer.startswith(b"HTTP/1.1 404")
    assert callbacks.taken == []


def test_what_is_no_address_of_ours_is_not_even_looked_up(client, callbacks):
    for token in ("x", "u" * 65, "u" * 31 + ".", "%27%20OR%201=1--%20%20%20%20%20%20%20"):
        assert client.post(f"/websub/{token}", content=b"x").status_code == 404
    assert callbacks.asked == []


def test_who_guesses_addresses_is_not_listened_to_but_hubs_are(client, callbacks):
    assert client.post(PATH, content=b"x").status_code == 202
    guesses = [client.get(f"/websub/{number:032}").status_code for number in range(MOST_UNKNOWN + 20)]
    assert guesses == [404] * MOST_UNKNOWN + [429] * 20
    assert len(callbacks.asked) == 1 + MOST_UNKNOWN
    assert client.post(PATH, content=b"x").status_code == 202


def test_who_tries_signatures_is_not_listened_to_for_long(client, callbacks):
    callbacks.kept = None
    tries = [client.post(PATH, content=b"x").status_code for _ in range(MOST_REJECTED + 5)]
    assert tries == [202] * MOST_REJECTED + [429] * 5
    assert len(callbacks.taken) == MOST_REJECTED
    assert client.get(PATH, params={"a": "b"}).status_code == 200


def test_too_much_is_not_read():
    callbacks = SomeCallbacks()
    with served_callbacks(callbacks, max_bytes=1000) as client:
        assert client.post(PATH, content=b"x" * 1000).status_code == 202
        assert client.post(PATH, content=b"x" * 1001).status_code == 413
        assert client.post(PATH, content=iter([b"x" * 600] * 2)).status_code == 413
        with connected(client) as connection:  # what is promised counts, not a byte of it is needed
            connection.sendall(head(10**12))
            assert all_of(connection).startswith(b"HTTP/1.1 413")
    assert [len(body) for _, _, body in callbacks.taken] == [1000]


def test_who_takes_too_long_is_not_waited_for():
    callbacks = SomeCallbacks()
    with served_callbacks(callbacks, max_seconds=0.2) as client, connected(client) as connection:
        connection.sendall(head(100) + b"x")
        assert all_of(connection).startswith(b"HTTP/1.1 408")
        assert client.post(PATH, content=b"x").status_code == 202
    assert len(callbacks.taken) == 1


def test_who_hangs_up_has_sent_nothing(client, callbacks):
    with connected(client) as connection:
        connection.sendall(head(100) + b"x")
    assert client.post(PATH, content=b"whole").status_code == 202
    assert [body for _, _, body in callbacks.taken] == [b"whole"]


def test_only_so_many_bodies_are_read_at_once(client, callbacks):
    slow = [
        socket.create_connection((client.base_url.host, client.base_url.port), 30)
        for _ in range(BODIES_AT_ONCE)
    ]
    for connection in slow:
        connection.sendall(head(2) + b"x")
    deadline = time.monotonic() + 30
    while (answer := client.post(PATH, content=b"x")).status_code != 503:
        assert time.monotonic() < deadline
    assert answer.headers["retry-after"] == "10"
    for connection in slow:
        connection.sendall(b"y")
        assert connection.recv(100).startswith(b"HTTP/1.1 202")
        connection.close()
    assert client.post(PATH, content=b"x").status_code == 202
    assert [body for _, _, body in callbacks.taken].count(b"xy") == BODIES_AT_ONCE


def test_other_methods_are_refused(client):
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        assert client.request(method, PATH).status_code == 405


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("desk.example.org", True),
        ("DESK.example.org:443", True),
        ("127.0.0.1:8080", True),
        ("[::1]:8080", True),
        ("localhost", True),
        ("xn--b1amnebsh.example", False),
        ("evil.example", False),
        ("desk.example.org.evil.example", False),
        ("", False),
        ("[::1", False),
        ("desk.example.org@evil.example", False),
    ],
)
def test_a_name_that_is_not_ours_is_not_answered_to(client, host, is_ours):
    assert is_our_host(host, "https://desk.example.org/below") is is_ours
    if host and is_ours != ("[" in host and "]" not in host):
        assert client.post(PATH, content=b"x", headers={"host": host}).status_code == (
            202 if is_ours else 421
        )


def test_a_name_beyond_ascii_is_ours_as_hubs_spell_it():
    assert is_our_host("xn--b1amnebsh.example:8443", "https://новости.example/")
    assert not is_our_host("news.example", "https://новости.example/")


def test_a_database_that_does_not_answer_has_hubs_come_again(client, callbacks):
    callbacks.kept = StoreError("disk full")
    answer = client.post(PATH, content=b"x")
    assert (answer.status_code, answer.text) == (503, "Try again later.")


def test_many_at_once_are_all_answered(client):
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(client.post(PATH, content=b"x" * 1000).status_code for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses) == 80
    assert set(statuses) <= {202, 503}
