"""Servers that say exactly what a test wants, byte for byte: on sockets, without an HTTP library."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client sent."""

    method: str
    target: str
    fields: tuple[tuple[bytes, bytes], ...]  # as they came
    body: bytes

    def header(self, name: str) -> bytes | None:
        """Return the first value of a header, in any case."""
        return next((value for field, value in self.fields if field.lower() == name.lower().encode()), None)


# Gets a request and writes whatever it likes; returns whether the connection is kept.
Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[bool | None]]


def answer(body: bytes = b"", *fields: bytes, status: str = "200 OK") -> bytes:
    """Return a whole, honest answer; each field without its line end."""
    head = [f"HTTP/1.1 {status}".encode(), *fields, b"content-length: %d" % len(body)]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


@asynccontextmanager
async def raw_server(
    handler: Handler | bytes, *, host: str = "127.0.0.1", port: int = 0, context: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve on a loopback address; yield its URL without a trailing slash.

    Args:
        handler: bytes are given to every request, and the connection is kept.
    """
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        connections.add(task)
        with suppress(ConnectionError, asyncio.CancelledError):
            while request := await _request(reader):
                if not await _handle(handler, request, writer):
                    break
        writer.transport.abort() if writer.transport.is_closing() else writer.close()
        connections.discard(task)

    server = await asyncio.start_server(serve, host, port, ssl=context, backlog=1024)
    try:
        yield f"{'https' if context else 'http'}://{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections)
        await server.wait_closed()


async def _handle(handler: Handler | bytes, request: Request, writer: asyncio.StreamWriter) -> bool | None:
    if not isinstance(handler, bytes):
        return await handler(request, writer)
    writer.write(handler)
    await writer.drain()
    return True


async def _request(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request of a connection; None when there is none."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip(b"\r\n").split(b"\r\n")
    method, target, _ = first.decode("ascii").split(" ")
    pairs = [line.partition(b":") for line in lines]
    fields = tuple((name, value.strip()) for name, _, value in pairs)
    length = next((int(value) for name, value in fields if name.lower() == b"content-length"), 0)
    return Request(method=method, target=target, fields=fields, body=await reader.readexactly(length))
