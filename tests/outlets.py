"""Outlets and webhook receivers: real HTTP servers on ports of their own, which say what a test wants."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from xml.sax.saxutils import escape

FEED_TYPE = "application/rss+xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that arrived whole."""

    at: float  # time.monotonic()
    path: str
    headers: Mapping[str, str]  # by lower-case name; Latin-1, so that every byte can be seen
    body: bytes = b""
    method: str = "GET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""  # pieces are sent as they come, without saying how many
    pause_seconds: float = 0  # before each piece
    is_cut: bool = False  # more is promised than is sent, and then the connection is closed
    hangs: bool = False  # nothing is ever said


Answer = Callable[[Asked], Reply | None]  # None: the connection is closed without a word


class LocalServer:
    """Answers every request as a function says, and keeps what was asked.

    Args:
        tls: by which connections are encrypted; certificates that it loads later are shown from then on.
    """

    def __init__(self, answer: Answer, *, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._answer = answer
        self._changed = threading.Condition()
        self._http = _Http(("127.0.0.1", 0), partial(_Handler, self))
        self._scheme = "https" if tls else "http"
        if tls:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.hang_up()
        self._http.server_close()

    @property
    def address(self) -> str:
        """Its URL, without a trailing slash."""
        return f"{self._scheme}://127.0.0.1:{self._http.server_address[1]}"

    def at(self, path: str) -> list[Asked]:
        """Return what a path was asked, in order."""
        return [asked for asked in self.asked if asked.path == path]

    def wait_for(self, what: Callable[[Sequence[Asked]], bool], *, seconds: float = 60) -> None:
        """Wait until what was asked fulfils a condition; looked at with each request."""
        with self._changed:
            assert self._changed.wait_for(lambda: what(self.asked), timeout=seconds), what

    def take(self, asked: Asked) -> Reply | None:
        """Keep a request; return what to answer."""
        with self._changed:
            self.asked.append(asked)
            self._changed.notify_all()
        return self._answer(asked)


class _Http(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = False  # so that closing waits for them

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.open: set[socket.socket] = set()
        self.opening = threading.Lock()

    def hang_up(self) -> None:
        with self.opening:
            for connection in self.open:
                _quietly(partial(connection.shutdown, socket.SHUT_RDWR))

    def handle_error(self, *_: object) -> None:
        pass  # clients are killed, and hang up: that is what is tested


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def __init__(self, owner: LocalServer, *args: object) -> None:
        self.owner = owner
        super().__init__(*args)  # type: ignore[arg-type]

    def setup(self) -> None:
        super().setup()
        with self.server.opening:
            self.server.open.add(self.connection)

    def finish(self) -> None:
        with self.server.opening:
            self.server.open.discard(self.connection)
        _quietly(super().finish)

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return  # whoever sent it was killed meanwhile
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(at=time.monotonic(), path=self.path, headers=headers, body=body, method=self.command)
        self._send(self.owner.take(asked))

    def do_POST(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def do_PATCH(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def _send(self, reply: Reply | None) -> None:
        whole = reply is not None and isinstance(reply.body, bytes) and not reply.is_cut
        self.close_connection = self.close_connection or not whole
        if reply is None or (reply.hangs and self.owner.closing.wait()):
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status in (204, 304):
            pass  # which have no body, and so say no length (RFC 9110 8.6)
        elif isinstance(reply.body, bytes):
            self.send_header("content-length", str(len(reply.body) + 1000 * reply.is_cut))
        else:
            self.send_header("connection", "close")
        self.end_headers()
        for piece in (reply.body,) if isinstance(reply.body, bytes) else reply.body:
            if self.owner.closing.wait(reply.pause_seconds):
                return
            self.wfile.write(piece)

    def log_message(self, *_: object) -> None:
        pass


def _quietly(act: Callable[[], object]) -> None:
    with suppress(OSError):  # the other side was quicker
        act()


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What an outlet publishes."""

    link: str
    title: str
    text: str = ""
    guid: str | None = None
    published: datetime | None = None


def rss(articles: Iterable[Article], *, title: str = "An outlet") -> bytes:
    """Return a document of articles, in the order given."""
    items = "".join(map(_item, articles))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(title)}</title><link>https://outlet.example/</link>"
        f"<description>News</description>{items}</channel></rss>"
    ).encode()


def _item(article: Article) -> str:
    parts = [
        f"<title>{escape(article.title)}</title>",
        f"<link>{escape(article.link)}</link>",
        f"<description>{escape(article.text)}</description>",
    ]
    if article.guid is not None:
        parts.append(f'<guid isPermaLink="false">{escape(article.guid)}</guid>')
    if article.published is not None:
        parts.append(f"<pubDate>{format_datetime(article.published)}</pubDate>")
    return f"<item>{''.join(parts)}</item>"


def feed(articles: Iterable[Article], **headers: str) -> Reply:
    """Return a good answer; `last_modified` is the header last-modified."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(headers={"content-type": FEED_TYPE, **named}, body=rss(articles))


class Pages(dict[str, Reply]):
    """What is at which path; elsewhere is nothing."""

    def answer(self, asked: Asked) -> Reply:
        return self.get(asked.path, Reply(status=404, body=b"nothing here"))


@dataclass
class Outlet(Pages):
    """An outlet that honours conditional requests, and keeps what was asked since somebody looked."""

    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        reply = super().answer(asked)
        etag = reply.headers.get("etag")
        return Reply(status=304) if etag and asked.headers.get("if-none-match") == etag else reply

    def paths(self) -> list[str]:
        """Return what was asked since the last time."""
        paths = [asked.path for asked in self.asked]
        self.asked.clear()
        return paths
