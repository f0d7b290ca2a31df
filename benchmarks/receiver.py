"""A receiver of signed webhooks in a process of its own, which costs as little as it can while they come."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Process, SimpleQueue

from standardwebhooks import Webhook, WebhookVerificationError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATIENCE_SECONDS = 3  # without any request, after which nothing more is expected
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"

Received = tuple[float, bytes, bytes]  # time.monotonic(), the head, the body


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request that was received."""

    at: float  # time.monotonic()
    id: str
    is_signed: bool


class Receiver(asyncio.Protocol):
    """One connection. Whatever is asked below /hang/ is never answered."""

    transport: asyncio.Transport

    def __init__(self, received: list[Received]) -> None:
        self.received = received
        self.unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.unread += data
        while (end := self.unread.find(b"\r\n\r\n")) >= 0:
            head, begins = self.unread[:end], end + 4
            ends = begins + int(field_of(head, b"content-length"))
            if len(self.unread) < ends:
                return
            body, self.unread = self.unread[begins:ends], self.unread[ends:]
            if not head.startswith(b"POST /hang/"):
                self.received.append((time.monotonic(), head, body))
                self.transport.write(ANSWER)


def field_of(head: bytes, name: bytes) -> bytes:
    """Return a field of the head of a request."""
    begins = head.lower().index(b"\r\n" + name + b":") + len(name) + 3
    return head[begins:].partition(b"\r\n")[0].strip()


def receive(listening: socket.socket, told: "SimpleQueue[list[Arrival]]", core: int) -> None:
    """Take requests, until none comes for a while; then tell when which came, and which were signed."""
    os.sched_setaffinity(0, {core})

    async def serve() -> list[Received]:
        received: list[Received] = []
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Receiver(received), sock=listening)
        while not received or time.monotonic() - received[-1][0] < PATIENCE_SECONDS:  # noqa: ASYNC110  its end is a silence
            await asyncio.sleep(0.1)
        server.close()  # connections of those that hang stay open until this process ends
        return received

    told.put([arrival(*each) for each in asyncio.run(serve())])


def arrival(at: float, head: bytes, body: bytes) -> Arrival:
    """Return what came, its signature verified as receivers do."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    headers = {name: field_of(head, name.encode()).decode() for name in names}
    try:
        Webhook(SECRET).verify(body, headers)
    except WebhookVerificationError:
        return Arrival(at=at, id=headers["webhook-id"], is_signed=False)
    return Arrival(at=at, id=headers["webhook-id"], is_signed=True)


@contextmanager
def receiving(listening: socket.socket, core: int) -> Iterator[Callable[[], list[Arrival]]]:
    """Have a receiver; what is given returns all that came, once nothing more does."""
    told: SimpleQueue[list[Arrival]] = SimpleQueue()
    receiver = Process(target=receive, args=(listening, told, core))
    receiver.start()
    yield told.get
    receiver.join()
