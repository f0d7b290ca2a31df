"""Listening, and answering until told to stop."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from syndicate.errors import SyndicateError
from syndicate.web.protocol import BoundedProtocol

GRACE_SECONDS = 2  # for answers under way when the server ends


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that clients can connect to from now on; they are answered once it is served.

    Raises:
        SyndicateError: the address cannot be had.
    """
    try:
        return _bound(host, port)
    except OSError as error:
        raise SyndicateError(
            f"{host}:{port} cannot be listened on: {error.strerror}. "
            "Stop the program that uses it, or set another `listen`, and `base_url` with it, under [service]."
        ) from error


def _bound(host: str, port: int) -> socket.socket:
    where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    # The protocol has to be named: asyncio sets TCP_NODELAY only then, which is worth 40 ms an answer.
    listening = socket.socket(where[0], socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where[4])
        listening.listen(512)
    except OSError:
        listening.close()
        raise
    return listening


async def serve(app: ASGIApp, listening: socket.socket, stop: asyncio.Event) -> None:
    """Answer requests until told to stop, then let answers under way finish, for about two seconds."""
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_config=None,
            http=BoundedProtocol,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    watch = asyncio.create_task(_end(server, stop))
    try:
        await server.serve(sockets=[listening])
    finally:
        watch.cancel()
        for connection in list(server.server_state.connections):  # whose client does not read its answer
            if connection.transport is not None:
                connection.transport.abort()


async def _end(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to whoever owns the process; it offers no other way to say so."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
