"""httpx's border, crossed by aiohttp: five times as fast as httpx's own, and it shows what it dials.

Written here, not taken from httpx-aiohttp, because two things have to go out as they are: the path (yarl
would unescape %26 and %3B in it) and header values with bytes beyond ASCII (validators are opaque bytes;
aiohttp writes all text as UTF-8).
"""

import asyncio
import socket
import ssl
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

import aiohttp
import certifi
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import AddrInfoType
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL

from syndicate.errors import NetworkError, RefusedError
from syndicate.http.addresses import Address, Network, as_address, refusal
from syndicate.http.resolve import GuardedResolver
from syndicate.http.trouble import in_words
from syndicate.model import Certificate

MAX_FIELD_BYTES = 16 * 1024  # of one header field, and of the status line
MAX_FIELDS = 128
MAX_CERTIFICATES = 10_000  # remembered

UNBOUNDED = 0  # connections in a pool

_KEEP_SECONDS = 4  # idle connections; a host is asked again within a second or two, or much later


class StaleConnectionError(NetworkError):
    """A kept connection was closed before there was an answer to a POST, which may have been acted upon."""


class Trust:
    """What certificates are checked against: the system's authorities, and certifi's."""

    @cached_property
    def context(self) -> ssl.SSLContext:
        """For HTTP. Made when first needed: reading all those certificates takes a while."""
        context = _context()
        context.set_alpn_protocols(["http/1.1"])
        return context

    @cached_property
    def any_protocol(self) -> ssl.SSLContext:
        """For what is not HTTP."""
        return _context()


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class Guard:
    """Opens sockets, if the address to be dialled may be asked: the last to see it, on every hop."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self.dialled_count = 0  # ever
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def __call__(self, dialled: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, sockaddr = dialled
        address = as_address(str(sockaddr[0]))
        reason = "no IP address" if address is None else self.refusal(address)
        if reason is not None:
            raise RefusedError(f"its address is {reason}")
        opened = socket.socket(family=family, type=kind, proto=protocol)
        self._sockets.add(opened)
        self.dialled_count += 1
        return opened

    def refusal(self, address: Address) -> str | None:
        """Return why an address may not be asked, None if it may."""
        return refusal(address, self._allowed)

    def has_more_open_than(self, most: int) -> bool:
        """Return whether more sockets than that are open, idle ones included."""
        # The set is seldom larger, and to go through it takes long.
        return len(self._sockets) > most and sum(opened.fileno() != -1 for opened in self._sockets) > most


class Certificates:
    """When the certificates of the servers that were met lately are valid."""

    def __init__(self, most: int = MAX_CERTIFICATES) -> None:
        self._most = most
        self._certificate_by_host: dict[str, Certificate] = {}

    def note(self, tls: ssl.SSLObject | None) -> None:
        """Note what a new connection shows; nothing where it is not encrypted."""
        shown = tls.getpeercert() if tls is not None and tls.server_hostname else None
        if tls is None or not shown:
            return
        host = str(tls.server_hostname)
        begins, ends = (
            datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown[name])), UTC)
            for name in ("notBefore", "notAfter")
        )
        self._certificate_by_host.pop(host, None)
        self._certificate_by_host[host] = Certificate(host=host, begins=begins, ends=ends)
        if len(self._certificate_by_host) > self._most:
            del self._certificate_by_host[next(iter(self._certificate_by_host))]

    def of(self, host: str) -> Certificate | None:
        """Return the certificate that a host showed last; None when it was not met lately."""
        return self._certificate_by_host.get(host)


class Transport(httpx.AsyncBaseTransport):
    """One pool of connections.

    A request says in its extensions what is sent as its target, and `connect`, the seconds that a connection
    may take; Host and what frames its body are added here. Exceptions are aiohttp's own, and put in words by
    `syndicate.http.trouble`.
    """

    def __init__(
        self, guard: Guard, resolver: GuardedResolver, trust: Trust, size: int, *, keeps: bool
    ) -> None:
        self._trust = trust
        connector = aiohttp.TCPConnector(
            resolver=resolver,
            socket_factory=guard,
            limit=size,
            force_close=not keeps,
            keepalive_timeout=_KEEP_SECONDS if keeps else None,
        )
        self._certificates = Certificates()
        connector._factory = partial(  # type: ignore[assignment]  # there is no other way to say it
            _Connection, loop=asyncio.get_running_loop(), certificates=self._certificates
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            request_class=_ExactRequest,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            max_line_size=MAX_FIELD_BYTES,
            max_field_size=MAX_FIELD_BYTES,
            max_headers=MAX_FIELDS,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return an answer whose body is still to be read, and which must be closed."""
        limit = request.extensions["connect"]
        try:
            response = await self._send(request, limit)
        except aiohttp.ConnectionTimeoutError as error:
            raise NetworkError(f"no connection within {limit:.3g} s") from error
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            # On a new connection _Connection says it in words.
            raise StaleConnectionError(str(in_words(error))) from error
        is_secure = request.url.scheme == "https"
        certificate = self._certificates.of(request.url.raw_host.decode("ascii")) if is_secure else None
        return httpx.Response(
            response.status,
            headers=response.raw_headers,
            stream=_Body(response),
            request=request,
            extensions={"certificate": certificate},
        )

    async def _send(self, request: httpx.Request, connect_limit: float) -> aiohttp.ClientResponse:
        assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101  it came from the client
        target = request.extensions["target"].decode("ascii")
        authority = request.url.netloc.decode("ascii")
        return await self._session.request(
            request.method,
            URL(f"{request.url.scheme}://{authority}{target}", encoded=True),
            headers=CIMultiDict(
                [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
            ),
            data=b"".join([piece async for piece in request.stream]) or None,
            ssl=self._trust.context if request.url.scheme == "https" else True,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=connect_limit),
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._session.close()


def has_no_body(answer: httpx.Response) -> bool:
    """Return whether it is known that an answer has no body, as that of a 304 (RFC 9112 6.3)."""
    assert isinstance(answer.stream, _Body)  # noqa: S101  it came from here
    return answer.stream.is_at_end


@asynccontextmanager
async def pieces_of(answer: httpx.Response) -> AsyncIterator[AsyncIterator[bytes]]:
    """Give an answer's body as it comes, still compressed; stopping half-way is fine."""
    assert isinstance(answer.stream, _Body)  # noqa: S101  it came from here
    pieces = answer.stream.__aiter__()
    try:
        yield pieces
    finally:
        await pieces.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    @property
    def is_at_end(self) -> bool:
        return self._response.content.at_eof()

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        while piece := await self._response.content.readany():
            yield piece

    async def aclose(self) -> None:
        # Keeps the connection if the body was read to its end, and closes it otherwise.
        self._response.release()


class _Connection(ResponseHandler):
    """Mends two habits of aiohttp's.

    It drops an answer when bytes that belong to nothing arrive along with it. But a 304 that brings a body is
    still a 304, and a body that goes on after its Content-Length is to be called that: so the head of an
    answer goes to the parser apart from what follows.

    It asks again whenever a connection ends without an answer. That is right for a kept connection, which
    the server may have been about to close, but on a new one it only makes trouble twice.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, certificates: "Certificates") -> None:
        super().__init__(loop)
        self._certificates = certificates
        self._requests = 0
        self._head_end: bytes | None = None  # the last bytes of a head that has not ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._certificates.note(transport.get_extra_info("ssl_object"))

    def set_response_params(self, **params: Any) -> None:
        self._head_end = b""
        self._requests += 1
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        if self._head_end is not None:
            before = len(self._head_end)
            seen = self._head_end + data
            end = seen.find(b"\r\n\r\n")
            self._head_end = seen[-3:] if end < 0 else None
            if end >= 0:
                super().data_received(data[: end + 4 - before])
                data = data[end + 4 - before :]
        if data:
            super().data_received(data)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        if self._payload is not None and isinstance(exc, HttpProcessingError):
            # Whoever reads the body would not hear of it, and wait.
            is_complete = self._payload.is_eof()
            self._payload.set_exception(
                NetworkError("its body is longer than its Content-Length")
                if is_complete
                else aiohttp.ClientPayloadError(exc.message)
            )
        is_asked_again = isinstance(exc, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)
        super().set_exception(in_words(exc) if is_asked_again and self._requests == 1 else exc, *cause)


class _ExactRequest(aiohttp.ClientRequest):
    """Sends header values byte for byte; here each character of them stands for a byte (Latin-1)."""

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        if all(value.isascii() for value in self.headers.values()):
            return await super().send(conn)
        if self.body:
            return await self._send_as_utf8(conn)
        with _latin1(conn):
            return await super().send(conn)

    async def _send_as_utf8(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        # The head is written later, along with the body, by aiohttp and so as UTF-8.
        try:
            for name, value in list(self.headers.items()):
                self.headers[name] = value.encode("latin-1").decode("utf-8")
        except UnicodeDecodeError as error:
            raise RefusedError("a header of the request is no UTF-8") from error
        return await super().send(conn)


@contextmanager
def _latin1(conn: aiohttp.connector.Connection) -> Iterator[None]:
    """Make aiohttp write a request's head in Latin-1 instead of UTF-8: it offers no way to give bytes."""
    protocol = conn.protocol
    assert protocol is not None  # noqa: S101  a connection that was just handed out
    plain = protocol.transport
    protocol.transport = _Recoding(plain)  # type: ignore[assignment]
    try:
        yield
    finally:
        if protocol.transport is not None:  # closed meanwhile
            protocol.transport = plain


class _Recoding:
    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._transport.write(bytes(data).decode("utf-8").encode("latin-1"))
