"""What is served, over real HTTP: the published bytes to readers, pages to people, nothing to others."""

import asyncio
import hashlib
import os
import signal
import socket
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from syndicate.errors import SyndicateError
from syndicate.feeds.publish import write
from syndicate.web.app import create
from syndicate.web.files import Files, takes_gzip
from syndicate.web.protocol import MAX_HEAD
from syndicate.web.render import ago
from syndicate.web.server import listen, serve
from tests.served import NOW, SomeView, served, visitor

FORMATS = ("atom", "json", "rss", "html")
ATOM = b"<feed>" + b"<entry>Central Asia</entry>" * 100 + b"</feed>"
IDENTITY = {"Accept-Encoding": "identity"}
ZIPPED = {"Accept-Encoding": "gzip, deflate"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("published") / "feeds"
    write(folder / "central-asia.atom", ATOM)
    write(folder / "index.opml", b"<opml/>")
    write(folder / "index.html", b"<p>All feeds</p>")
    for suffix in FORMATS:
        write(folder / f"water.{suffix}", f"water as {suffix}".encode())
        write(folder / f"water/100-1.{suffix}", f"page 1 as {suffix}".encode())
    write(folder / "only.atom", b"only Atom")
    write(folder / "water/.hidden.atom", b"hidden")
    write(folder / "вода.atom", b"<feed/>")
    (folder / ".central-asia.atom.0123456789abcdef.tmp").write_bytes(b"half")
    (folder / ".hidden.atom").write_bytes(b"hidden")
    (folder / "secret.toml").write_bytes(b"secret")
    (folder / "folder.atom").mkdir()
    os.mkfifo(folder / "pipe.atom")
    (folder.parent / "outside.atom").write_bytes(b"outside")
    return folder


@pytest.fixture(scope="module")
def client(folder):
    app = create(SomeView(feeds_folder=folder))
    with (
        served(app) as address,
        visitor(address) as client,
    ):
        yield client


def test_a_feed_is_served_byte_for_byte(client):
    response = client.get("/feeds/central-asia.atom", headers=IDENTITY)
    assert response.status_code == 200
    assert response.content == ATOM
    assert response.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert response.headers["content-length"] == str(len(ATOM))
    assert response.headers["etag"] == f'"{hashlib.sha256(ATOM).hexdigest()[:32]}"'
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "last-modified" in response.headers
    assert "content-encoding" not in response.headers
    assert "server" not in response.headers


def test_a_feed_is_served_compressed_under_a_tag_of_its_own(client):
    plain = client.get("/feeds/central-asia.atom", headers=IDENTITY)
    zipped = client.get("/feeds/central-asia.atom", headers=ZIPPED)
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.content == ATOM
    assert int(zipped.headers["content-length"]) < len(ATOM) / 4
    assert zipped.headers["etag"] == plain.headers["etag"][:-1] + '-gzip"'
    assert zipped.headers["vary"] == "Accept-Encoding"


def test_what_compression_makes_longer_is_served_as_it_is(client):
    assert "content-encoding" not in client.get("/feeds/index.opml", headers=ZIPPED).headers


def test_the_list_of_feeds_has_a_type_of_its_own(client):
    assert client.get("/feeds/index.opml").headers["content-type"] == "text/x-opml; charset=utf-8"


def test_a_name_in_any_script_is_found(client):
    assert client.get("/feeds/вода.atom").content == b"<feed/>"


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip; q=0.5", True),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("identity;q=0, gzip;q=0.1", True),
        ("gzip;q=0, *", False),
        ("br", False),
        ("gzip;q=high", False),
        ("gzip;q=9", False),
        (";;,,=,gzip", True),
    ],
)
def test_compression_follows_what_the_client_prefers(accepted, expected):
    assert takes_gzip(accepted) is expected


@pytest.mark.parametrize("encoding", [IDENTITY, ZIPPED])
def test_what_the_client_has_is_not_sent_again(client, encoding):
    first = client.get("/feeds/central-asia.atom", headers=encoding)
    tag = first.headers["etag"]
    for tags in (tag, f"W/{tag}", f'"other", W/"x y", {tag}', "*", f'"a",{tag}'):
        again = client.get("/feeds/central-asia.atom", headers=encoding | {"If-None-Match": tags})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["vary"] == "Accept-Encoding"
        assert again.headers["cache-control"] == "no-cache"
        assert "content-length" not in again.headers


def test_the_tag_of_one_encoding_does_not_stand_for_the_other(client):
    tag = client.get("/feeds/central-asia.atom", headers=ZIPPED).headers["etag"]
    assert (
        client.get("/feeds/central-asia.atom", headers=IDENTITY | {"If-None-Match": tag}).status_code == 200
    )


@pytest.mark.parametrize("tags", ['"other"', "nonsense", "", '"', "W/", '""'])
def test_other_tags_get_the_feed(client, tags):
    assert client.get("/feeds/central-asia.atom", headers={"If-None-Match": tags}).status_code == 200


def test_a_date_counts_where_there_is_no_tag(client, folder):
    date = client.get("/feeds/central-asia.atom").headers["last-modified"]

    def status(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return int(client.get("/feeds/central-asia.atom", headers=named).status_code)

    assert status(if_modified_since=date) == 304
    assert status(if_modified_since="Fri, 31 Dec 2100 23:59:59 GMT") == 304
    assert status(if_modified_since="Thu, 01 Jan 1970 00:00:00 GMT") == 200
    assert status(if_modified_since="yesterday") == 200
    assert status(if_modified_since="Thu, 01 Jan 99999999999 00:00:00 GMT") == 200
    assert status(if_modified_since=date, if_none_match='"other"') == 200


def test_head_says_the_same_without_the_bytes(client):
    got, asked = (client.request(method, "/feeds/central-asia.atom") for method in ("GET", "HEAD"))
    assert asked.content == b""
    assert {**asked.headers, "date": ""} == {**got.headers, "date": ""}
    tag = got.headers["etag"]
    assert client.head("/feeds/central-asia.atom", headers={"If-None-Match": tag}).status_code == 304


def test_a_new_version_is_served_at_once_and_a_removed_feed_no_longer(client, folder):
    write(folder / "changing.atom", b"<feed>1</feed>")
    first = client.get("/feeds/changing.atom")
    write(folder / "changing.atom", b"<feed>2</feed>")
    second = client.get("/feeds/changing.atom", headers={"If-None-Match": first.headers["etag"]})
    assert (first.content, second.content) == (b"<feed>1</feed>", b"<feed>2</feed>")
    (folder / "changing.atom").unlink()
    assert client.get("/feeds/changing.atom").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/none.atom",
        "/feeds/.hidden.atom",
        "/feeds/.central-asia.atom.0123456789abcdef.tmp",
        "/feeds/secret.toml",
        "/feeds/folder.atom",
        "/feeds/pipe.atom",
        "/feeds/../outside.atom",
        "/feeds/..%2foutside.atom",
        "/feeds/%2e%2e%2foutside.atom",
        "/feeds/..%5coutside.atom",
        "/feeds/%2e%2e/outside.atom",
        "/feeds//central-asia.atom",
        "/feeds/central-asia.atom/",
        "/feeds/central-asia.atom%00",
        "/feeds/%00.atom",
        "/feeds/%ff%fe.atom",
        "/feeds/%ed%a0%80.atom",
        "/feeds/central-asia.atom%0a",
        f"/feeds/{'a' * 300}.atom",
        "/feeds/central-asia.ATOM",
        "/feeds/.atom",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/",
        "//evil.example/feeds",
        "/etc/passwd",
        "/<script>alert(1)</script>",
        "/feeds/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    ],
)
def test_nothing_else_is_served_and_nothing_echoed(client, path):
    request = client.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=path.encode())
    response = client.send(request)
    assert response.status_code == 404
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is nothing at this address" in response.text
    assert "alert(" not in response.text
    assert "evil" not in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/feeds/", "/feeds/central-asia.atom", "/static/style.css", "/healthz"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_can_be_changed(client, path, method):
    response = client.request(method, path, content=b"<payload>")
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert "can only be read" in response.text
    assert "payload" not in response.text


def test_feeds_without_a_slash_lead_to_the_listing(client):
    response = client.get("/feeds", headers={"Host": "evil.example"})
    assert (response.status_code, response.headers["location"]) == (308, "/feeds/")


def test_health_is_answered(client):
    response = client.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok\n")


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("style.css", "text/css; charset=utf-8"),
        ("pages.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_the_pages_own_files_are_served(client, path, media_type):
    response = client.get(f"/static/{path}")
    assert (response.status_code, response.headers["content-type"]) == (200, media_type)


def test_the_listing_is_the_published_one(client):
    listing = client.get("/feeds/")
    assert (listing.text, listing.headers["content-type"]) == ("<p>All feeds</p>", "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("accepted", "suffix"),
    [
        (None, "atom"),
        ("*/*", "atom"),
        ("application/*", "atom"),
        ("application/atom+xml", "atom"),
        ("application/feed+json", "json"),
        ("application/rss+xml, application/atom+xml;q=0.9", "rss"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),  # as browsers ask
        ("application/rss+xml;q=0.3, application/feed+json;q=0.4, text/html;q=0", "json"),
        ("APPLICATION/RSS+XML", "rss"),
        ("*/*, application/atom+xml;q=0.1", "json"),
        ("application/json", "json"),
        ("application/xml", "atom"),
        ("text/xml, text/html;q=0.5", "atom"),
        ("image/png", "atom"),  # who takes nothing of it
    ],
)
def test_without_a_suffix_a_client_gets_the_format_that_it_likes_best(client, accepted, suffix):
    request = client.build_request("GET", "/feeds/water")
    del request.headers["accept"]
    if accepted:
        request.headers["accept"] = accepted
    response = client.send(request)
    assert (response.status_code, response.text) == (200, f"water as {suffix}")
    assert response.headers["vary"] == "Accept, Accept-Encoding"
    assert response.headers["content-location"] == f"water.{suffix}"


def test_a_format_that_is_not_there_gives_way_to_the_next(client):
    accepted = {"Accept": "text/html, application/atom+xml;q=0.5"}
    assert client.get("/feeds/only", headers=accepted).text == "only Atom"
    assert client.get("/feeds/only", headers={"Accept": "application/feed+json"}).status_code == 404


def test_with_a_suffix_nothing_is_negotiated(client):
    response = client.get("/feeds/water.json", headers={"Accept": "text/html"})
    assert (response.text, response.headers["vary"]) == ("water as json", "Accept-Encoding")
    assert response.headers["content-type"] == "application/feed+json"


def test_pages_of_an_archive_are_served(client):
    assert client.get("/feeds/water/100-1.rss").text == "page 1 as rss"
    for path in ("/feeds/water/.hidden.atom", "/feeds/water/", "/feeds/water/%2e%2e/only.atom/x"):
        request = client.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=path.encode())
        assert client.send(request).status_code == 404


def test_only_pages_for_people_may_be_shown_with_a_style(client):
    page, feed = client.get("/feeds/water.html"), client.get("/feeds/water.atom")
    assert "style-src 'sha256-" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "style-src" not in feed.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=400), "400 days ago"),
        (-timedelta(seconds=30), "in a moment"),
        (-timedelta(minutes=90), "in 1 hour"),
    ],
)
def test_times_are_told_as_people_tell_them(before, expected):
    assert ago(NOW - before, NOW) == expected


def test_memory_for_kept_files_is_bounded(tmp_path):
    files = Files(lambda: tmp_path, {".atom": "application/atom+xml"}, keep_bytes=3000)

    async def ask(name: str) -> Response | None:
        scope = {"type": "http", "method": "GET", "headers": [], "path": "/"}
        return await files.response(Request(scope), name)

    for number in range(5):
        write(tmp_path / f"{number}.atom", os.urandom(1000))
        assert asyncio.run(ask(f"{number}.atom")) is not None
    assert asyncio.run(ask("2.atom")) is not None
    assert [Path(path).name for path in files._kept] == ["3.atom", "4.atom", "2.atom"]


def test_an_address_in_use_is_said_so():
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(
            SyndicateError, match=rf"127\.0\.0\.1:{port} cannot be listened on: .*in use.*listen"
        ):
            listen("127.0.0.1", port)


def test_answers_are_sent_without_waiting_for_acknowledgements():
    """Nagle's algorithm and delayed acknowledgements together cost 40 ms an answer."""
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP  # what asyncio goes by when it sets TCP_NODELAY


def test_an_address_of_nobody_is_said_so():
    with pytest.raises(SyndicateError, match="cannot be listened on"):
        listen("host.invalid", 0)


def exchanged(address: str, *sent: bytes) -> bytes:
    """Return what a server says to these bytes until it closes the connection, nothing where it breaks it."""
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=30) as connection:
        try:
            for part in sent:
                connection.sendall(part)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except ConnectionError:
            return b""


def test_a_method_that_there_is_not_is_refused(client):
    response = client.request("BREW", "/")
    assert (response.status_code, response.text) == (400, "Invalid HTTP request received.")


def test_a_head_that_does_not_end_is_refused(tmp_path):
    first = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: "
    most = b"x" * (MAX_HEAD - len(first))
    with served(create(SomeView(feeds_folder=tmp_path))) as address:
        assert exchanged(address, first, most[:-4], b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        assert exchanged(address, first, most, b"x").startswith(b"HTTP/1.1 400 ")
        assert b" 200 " not in exchanged(address, b"\r\n" * MAX_HEAD)  # which begins no request
        ok = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        assert exchanged(address, ok, first, b"x" * 2**20).count(b"HTTP/1.1 200 ") <= 1


def test_trailers_that_do_not_end_are_refused():
    async def patient(scope, receive, send):
        """Read all of a body, and only then answer."""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                left.set()
                return
            read.append(message["body"])

    read: list[bytes] = []
    left = threading.Event()
    with served(patient) as address:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        body = b"10000\r\n" + b"y" * 0x10000 + b"\r\n"
        assert exchanged(address, head, body, body, b"0\r\nX: ", b"x" * 2**20) == b""
        assert left.wait(30)
    assert len(b"".join(read)) == 2 * 0x10000


async def endless(scope, receive, send):
    """An answer that never ends."""

    async def body():
        while True:
            yield b"x" * 65536

    await StreamingResponse(body())(scope, receive, send)


@pytest.mark.parametrize("app", ["pages", "endless"])
def test_the_server_stops_in_seconds_whatever_clients_do(tmp_path, app):
    """One client keeps its connection open, one says nothing, one stops in its request, one does not read."""
    application = create(SomeView(feeds_folder=tmp_path)) if app == "pages" else endless

    async def run() -> float:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        listening = listen("127.0.0.1", 0)
        port = listening.getsockname()[1]
        serving = asyncio.create_task(serve(application, listening, stop))
        clients = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        clients[0][1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        clients[2][1].write(b"GET / HTTP/1.1\r\nHo")
        clients[3][1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await clients[0][0].readline()).startswith(b"HTTP/1.1 200")
        asked = loop.time()
        stop.set()
        await serving
        for _, writer in clients:
            writer.transport.abort()
        return loop.time() - asked

    assert asyncio.run(run()) < 5


def test_an_answer_under_way_is_finished_when_the_server_ends():
    async def slow(scope, receive, send):
        async def body():
            yield b"one "
            began.set()
            await go_on.wait()
            yield b"two"

        await StreamingResponse(body())(scope, receive, send)

    async def run() -> bytes:
        stop = asyncio.Event()
        listening = listen("127.0.0.1", 0)
        serving = asyncio.create_task(serve(slow, listening, stop))
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.getsockname()[1])
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await began.wait()
        stop.set()
        await asyncio.to_thread(refused, listening)
        go_on.set()
        answer = await reader.read()
        await serving
        writer.close()
        return answer

    began, go_on = asyncio.Event(), asyncio.Event()
    answer = asyncio.run(run())
    assert b"one " in answer
    assert b"two" in answer


def refused(listening: socket.socket) -> None:
    """Return once the server has closed its socket."""
    while listening.fileno() != -1:
        threading.Event().wait(0.01)


def test_signals_stay_with_their_owner():
    async def run() -> bool:
        heard, stop = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, heard.set)
        serving = asyncio.create_task(serve(endless, listen("127.0.0.1", 0), stop))
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGTERM)
        await heard.wait()
        still_serving = not serving.done()
        stop.set()
        await serving
        return still_serving

    assert asyncio.run(run())
