"""The client against servers that misbehave in every way there is, and against a few that behave."""

import asyncio
import gzip
import pickle
import socket
import ssl
import threading
import zlib
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from syndicate.errors import LimitError, NetworkError, RefusedError
from syndicate.http import Client
from syndicate.http.transport import Certificates
from syndicate.model import Certificate, NetworkSettings
from tests.addresses import HOSTILE
from tests.servers import Request, answer, raw_server
from tests.support import ROOT

CERTIFICATES = ROOT / "tests/data/addresses"
LOOPBACK = (ip_network("127.0.0.1/32"),)
KIB = 1024


def settings(**changes):
    return NetworkSettings(**{"allow_private": LOOPBACK, "max_bytes": 64 * KIB, **changes})


HURRIED = settings(timeout=timedelta(seconds=0.2))


def get(handler, path="/", *, times=1, within=None, **options):
    """Return what the client makes of a server: a response, or the error."""

    async def run():
        async with Client(within or settings()) as client, raw_server(handler) as url:
            for _ in range(times):
                outcome = await asked(client, url + path, **options)
            return outcome

    return asyncio.run(run())


async def asked(client, url, *arguments, **options):
    try:
        return await client.get(url, *arguments, **options)
    except NetworkError as error:
        return error


def is_error(outcome, kind, words):
    assert (type(outcome), words in str(outcome)) == (kind, True), repr(outcome)


def sends(*data, ends=True):
    """Return a handler that writes this and then closes, or keeps the connection open and says no more."""

    async def handle(request, writer):
        for piece in data:
            writer.write(piece)
            await writer.drain()
        if not ends:
            await asyncio.Event().wait()

    return handle


OK = answer(b"ok")


def records(seen, data=OK):
    async def handle(request, writer):
        seen.append(request)
        writer.write(data)
        return True

    return handle


# --------------------------------------------------------------------------- what is asked


@pytest.mark.parametrize(("url", "words"), HOSTILE)
def test_a_hostile_address_is_never_dialled(url, words):
    async def run():
        async with Client(NetworkSettings()) as client:
            outcome = await asked(client, url)
            assert client.dialled_count == 0
            return outcome

    is_error(asyncio.run(run()), RefusedError, words)


LOCATIONS = [(url, words) for url, words in HOSTILE if url.startswith("http://") and url.isascii()]


@pytest.mark.parametrize(("location", "words"), [case for case in LOCATIONS if case[0].isprintable()])
def test_no_redirect_leads_to_a_hostile_address(location, words):
    async def run():
        within = settings(allow_private=(ip_network("127.0.0.2/32"),))
        moved = answer(b"", b"Location: " + location.encode(), status="302 Found")
        async with Client(within) as client, raw_server(moved, host="127.0.0.2") as url:
            outcome = await asked(client, url)
            assert client.dialled_count == 1
            return outcome

    is_error(asyncio.run(run()), RefusedError, words)


def test_a_redirect_from_an_allowed_to_a_forbidden_address_is_refused():
    outcome = get(sends(answer(b"", b"Location: http://127.0.0.2/", status="301 Moved")))
    is_error(
        outcome,
        RefusedError,
        "127.0.0.2: refused: 127.0.0.2, which is not public (this machine); to allow it",
    )
    assert 'allow_private = ["127.0.0.2/32"] in [network] of config.toml' in str(outcome)


def look_up(host):
    addresses = {
        "private.test": ["10.0.0.1", "127.0.0.2"],
        "mixed.test": ["127.0.0.2", "::1", "127.0.0.1", "169.254.169.254"],
        "mapped.test": ["::ffff:10.0.0.1"],
        "nat64.test": ["64:ff9b::7f00:2"],
        "zone.test": ["fe80::1%lo"],
        "nothing.test": [],
    }
    if host not in addresses:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return addresses[host]


@pytest.mark.parametrize(
    ("host", "kind", "words"),
    [
        ("private.test", RefusedError, "refused: its name leads to 10.0.0.1, which is not public"),
        ("mapped.test", RefusedError, "leads to ::ffff:a00:1, which stands for 10.0.0.1 and is not public"),
        ("nat64.test", RefusedError, "stands for 127.0.0.2"),
        ("zone.test", RefusedError, "fe80::1, which is not public"),
        ("nothing.test", NetworkError, "nothing.test: its name can't be resolved"),
        (
            "unknown.test",
            NetworkError,
            "unknown.test: its name can't be resolved (name or service not known)",
        ),
    ],
)
def test_a_name_is_judged_by_what_it_leads_to(host, kind, words):
    async def run():
        async with Client(settings(), look_up=look_up) as client:
            outcome = await asked(client, f"http://{host}/")
            assert client.dialled_count == 0
            return outcome

    is_error(asyncio.run(run()), kind, words)


def test_of_many_addresses_only_those_that_may_be_asked_are_dialled():
    async def run():
        async with Client(settings(), look_up=look_up) as client, raw_server(answer(b"here")) as url:
            response = await client.get(url.replace("127.0.0.1", "mixed.test"))
            assert (response.body, client.dialled_count) == (b"here", 1)

    asyncio.run(run())


def test_a_name_that_takes_too_long_holds_up_nobody_and_not_the_end():
    until = threading.Event()

    def slow(host):
        if host != "good.test":
            until.wait()
        return ["127.0.0.1"]

    async def run():
        within = settings(timeout=timedelta(seconds=5), concurrency=100)
        async with Client(within, look_up=slow) as client, raw_server(answer(b"here")) as url:
            stuck = [asyncio.create_task(asked(client, f"http://stuck{n}.test/")) for n in range(20)]
            await asyncio.sleep(0)
            assert (await client.get(url.replace("127.0.0.1", "good.test"))).body == b"here"
            assert await asyncio.to_thread(lambda: "free") == "free"
            for task in stuck:
                task.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
        async with Client(HURRIED, look_up=slow) as client:
            return await asked(client, "http://stuck.test/")

    try:
        is_error(asyncio.run(run()), NetworkError, "stuck.test: looking its name up took longer than 0.16 s")
    finally:
        until.set()


# --------------------------------------------------------------------------- what is sent


def test_a_request_says_who_we_are_and_no_more():
    seen: list[Request] = []
    get(records(seen, answer(b"", b"Set-Cookie: a=b; Path=/")), times=2, within=settings(user_agent="Desk/1"))
    for request in seen:
        fields = {name.lower(): value for name, value in request.fields}
        assert fields.pop(b"host").startswith(b"127.0.0.1:")
        assert fields == {b"user-agent": b"Desk/1", b"accept-encoding": b"gzip, deflate", b"accept": b"*/*"}


def test_the_environment_says_nothing(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert get(answer(b"direct")).body == b"direct"


VALIDATORS = [
    b'"plain"',
    b'W/"weak"',
    b"unquoted, with a comma",
    b'"\xd0\xb6\xd1\x83\xd0\xba"',
    b'"\xe9\xff\x80"',
    b'"\xc3("',
    bytes(range(0x80, 0x100)),
    b'"a\tb"',
]


@pytest.mark.parametrize("etag", VALIDATORS)
def test_validators_come_and_go_byte_for_byte(etag):
    async def run():
        seen: list[Request] = []
        served = records(seen, answer(b"", b"ETag: " + etag, b"Last-Modified: \xff" + etag))
        async with Client(settings()) as client, raw_server(served) as url:
            first = await client.get(url)
            conditions = {
                "if-none-match": first.raw_header("etag") or b"",
                "If-Modified-Since": first.raw_header("Last-Modified") or b"",
            }
            await client.get(url, conditions)
            await client.get(url, conditions)  # on the same connection
        for request in seen[1:]:
            assert (request.header("if-none-match"), request.header("if-modified-since")) == (
                etag,
                b"\xff" + etag,
            )
        assert first.headers["ETAG"].encode("latin-1") == etag

    asyncio.run(run())


def test_a_validator_that_nobody_may_send_is_left_out():
    seen: list[Request] = []
    assert (
        get(records(seen), headers={"if-none-match": b"a\x00b", "if-modified-since": "now\r\nx: y"}).status
        == 200
    )
    assert seen[0].header("if-none-match") is None
    assert seen[0].header("if-modified-since") is None


@pytest.mark.parametrize(
    "headers", [{"x": "a\r\nb: c"}, {"x\r\ny": "a"}, {"x y": "a"}, {"": "a"}, {"x": b"\x00"}, {"ж": "a"}]
)
def test_no_header_can_end_the_head(headers):
    is_error(get(answer(), headers=headers), RefusedError, "header")


def test_headers_that_frame_a_message_are_not_the_callers():
    seen: list[Request] = []
    get(
        records(seen),
        headers={"Host": "x", "Content-Length": "5", "Connection": "x", "Accept-Encoding": "br"},
    )
    assert seen[0].header("content-length") is None
    assert seen[0].header("connection") is None
    assert seen[0].header("accept-encoding") == b"gzip, deflate"
    assert seen[0].header("host") != b"x"


def test_an_address_is_sent_as_it_was_written():
    seen: list[Request] = []
    path = "/a%26b%3Bc%7e/../x//?q=%41+%2B&empty&y=%zz"
    assert get(records(seen), path).status == 200
    assert seen[0].target == path


# --------------------------------------------------------------------------- redirects


def redirects(seen, *steps):
    """Return a handler for /0, /1, ...; each step is a status line and a Location."""

    async def handle(request, writer):
        seen.append(request)
        step = int(request.target.strip("/") or 0)
        if step < len(steps):
            status, location = steps[step]
            writer.write(answer(b"moved", b"Location: " + location.encode(), status=status))
        else:
            writer.write(answer(b"there"))
        return True

    return handle


def test_five_redirects_are_followed_and_shown():
    seen: list[Request] = []
    steps = [(f"{status} Moved", f"/{n + 1}") for n, status in enumerate((301, 302, 303, 307, 308))]
    response = get(redirects(seen, *steps), "/0#part")
    assert response.body == b"there"
    assert response.url.endswith("/5")
    assert [hop.status for hop in response.redirects] == [301, 302, 303, 307, 308]
    assert response.redirects[0].url_from.endswith("/0")
    assert [hop.url_to for hop in response.redirects[:-1]] == [hop.url_from for hop in response.redirects[1:]]
    assert not any(hop.is_downgrade for hop in response.redirects)


def test_a_sixth_redirect_is_not_followed():
    seen: list[Request] = []
    outcome = get(redirects(seen, *[("302 Found", f"/{n + 1}") for n in range(6)]), "/0")
    is_error(outcome, LimitError, "more than 5 redirects (redirects: http://127.0.0.1:")
    assert len(seen) == 6


@pytest.mark.parametrize(
    "steps", [[("302 Found", "/0")], [("301 Moved", "/1"), ("301 Moved", "/0")], [("307 T", "")]]
)
def test_redirects_in_circles_are_noticed(steps):
    is_error(
        get(redirects([], *steps), "/0"), NetworkError, "its redirects go round in circles (redirects: http"
    )


def test_a_redirect_to_nowhere_is_an_error():
    outcome = get(answer(b"", status="301 Moved"))
    is_error(outcome, NetworkError, "it answered 301 without saying where to (no Location)")


@pytest.mark.parametrize(
    "location", ["ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "http://["]
)
def test_a_redirect_to_something_else_than_the_web_is_refused(location):
    outcome = get(redirects([], ("302 Found", location)))
    is_error(outcome, RefusedError, f"refused: it redirects to {location}, and its address ")


@pytest.mark.parametrize("status", ["300 Choices", "304 Not Modified", "305 Proxy", "306 Unused"])
def test_other_statuses_lead_nowhere(status):
    response = get(answer(b"", b"Location: /1", status=status))
    assert (str(response.status), response.redirects) == (status[:3], ())


def test_secrets_stay_with_their_origin_and_validators_with_their_url():
    async def run():
        home: list[Request] = []
        away: list[Request] = []
        async with Client(settings()) as client, raw_server(records(away)) as other:
            steps = [("302 Found", "/1"), ("302 Found", other)]
            async with raw_server(redirects(home, *steps)) as url:
                headers = {
                    "authorization": "Bearer x",
                    "cookie": "a=b",
                    "x-key": "k",
                    "accept": "text/xml",
                } | {"if-none-match": '"v"', "if-modified-since": "then"}
                await client.get(f"{url}/0", headers)
                await client.get(f"{url}/0", headers, validators_of=other)
        return home, away

    home, away = asyncio.run(run())
    secrets = ("authorization", "cookie", "x-key")
    assert all(request.header(name) for request in home for name in secrets)
    assert not any(request.header(name) for request in away for name in (*secrets, "referer"))
    assert all(request.header("accept") == b"text/xml" for request in home + away)
    told = [request.header("if-none-match") for request in (*home, *away)]
    assert told == [b'"v"', None, None, None, None, b'"v"']
    assert away[1].header("if-modified-since") == b"then"


def test_secrets_do_not_come_back_with_a_detour():
    async def run():
        seen: list[Request] = []

        async def home(request, writer):
            seen.append(request)
            moved = answer(b"", b"Location: " + other.encode(), status="302 Found")
            writer.write(moved if request.target == "/" else OK)

        async def away(request, writer):
            writer.write(answer(b"", f"Location: {url}/back".encode(), status="302 Found"))

        async with Client(settings()) as client, raw_server(home) as url, raw_server(away) as other:
            assert (await client.get(url, {"authorization": "Bearer x"})).body == b"ok"
        return [request.header("authorization") for request in seen]

    assert asyncio.run(run()) == [b"Bearer x", None]


# --------------------------------------------------------------------------- bodies


ZEROS = gzip.compress(bytes(10_000_000))
TEXT = b"news " * 1000


def deflated(data, wbits):
    packer = zlib.compressobj(wbits=wbits)
    return packer.compress(data) + packer.flush()


COMPRESSED = {
    "gzip": (gzip.compress(TEXT), b"gzip"),
    "gzip in capitals": (gzip.compress(TEXT), b"GZip"),
    "x-gzip": (gzip.compress(TEXT), b"x-gzip"),
    "three members": (gzip.compress(TEXT[:7]) + gzip.compress(b"") + gzip.compress(TEXT[7:]), b"gzip"),
    "padded": (gzip.compress(TEXT) + bytes(512), b"gzip"),
    "with a comment": (gzip.compress(TEXT) + b"<!-- served by -->", b"gzip"),
    "deflate": (deflated(TEXT, 15), b"deflate"),
    "bare deflate": (deflated(TEXT, -15), b"deflate"),
    "identity": (TEXT, b"identity"),
    "an empty field": (TEXT, b""),
    "identity and gzip": (gzip.compress(TEXT), b"identity, gzip"),
}


@pytest.mark.parametrize(("body", "encoding"), COMPRESSED.values(), ids=COMPRESSED)
@pytest.mark.parametrize("piece", [1, 1000, 100_000])
def test_a_compressed_body_is_unpacked(body, encoding, piece):
    pieces = [body[at : at + piece] for at in range(0, min(len(body), 100), piece)]
    rest = body[sum(map(len, pieces)) :]
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: " + encoding + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [b"%x\r\n%s\r\n" % (len(data), data) for data in (*pieces, rest) if data]
    assert get(sends(head, *chunks, b"0\r\n\r\n")).body == TEXT


def test_an_empty_body_need_not_be_compressed():
    assert get(answer(b"", b"Content-Encoding: gzip")).body == b""


DECEITFUL = {
    "a bomb": (ZEROS, [b"gzip"], LimitError, "its body is longer than 64 KiB after decompression"),
    "many bombs": (ZEROS * 20, [b"gzip"], LimitError, "its body is longer than 64 KiB"),
    "a deflate bomb": (
        deflated(bytes(10_000_000), 15),
        [b"deflate"],
        LimitError,
        "64 KiB after decompression",
    ),
    "gzip in gzip": (gzip.compress(ZEROS), [b"gzip, gzip"], LimitError, "its body is encoded 2 times over"),
    "gzip in gzip, in two fields": (gzip.compress(ZEROS), [b"gzip"] * 2, LimitError, "encoded 2 times over"),
    "three encodings": (gzip.compress(TEXT), [b"deflate, br, gzip"], LimitError, "encoded 3 times over"),
    "brotli": (b"x", [b"br"], LimitError, "its body has a content encoding we did not ask for: 'br'"),
    "zstd": (b"x", [b"zstd"], LimitError, "did not ask for"),
    "an encoding with parameters": (b"x", [b"gzip;q=1"], LimitError, "did not ask for"),
    "one byte too many": (b"x" * 64 * KIB + b"y", [], LimitError, "its body is longer than 64 KiB"),
    "thousands of members": (gzip.compress(b"") * 3000, [b"gzip"], LimitError, "more than 1000 gzip members"),
    "text as gzip": (TEXT, [b"gzip"], NetworkError, "its body is no valid gzip data"),
    "text as deflate": (TEXT, [b"deflate"], NetworkError, "its body is no valid deflate data"),
    "half of gzip": (gzip.compress(TEXT)[:-4], [b"gzip"], NetworkError, "in the middle of its gzip data"),
    "half of deflate": (
        deflated(TEXT, 15)[:9],
        [b"deflate"],
        NetworkError,
        "in the middle of its deflate data",
    ),
    "one byte of deflate": (b"x", [b"deflate"], NetworkError, "in the middle of its deflate data"),
    "a wrong checksum": (gzip.compress(TEXT)[:-8] + bytes(8), [b"gzip"], NetworkError, "no valid gzip data"),
}


@pytest.mark.parametrize(("body", "fields", "kind", "words"), DECEITFUL.values(), ids=DECEITFUL)
def test_a_body_that_is_not_what_it_says_is_dropped(body, fields, kind, words):
    outcome = get(answer(body, *(b"Content-Encoding: " + value for value in fields)))
    is_error(outcome, kind, words)


def test_gzip_within_gzip_is_unpacked_once():
    assert get(answer(gzip.compress(ZEROS), b"Content-Encoding: gzip")).body == ZEROS


def test_a_body_may_be_exactly_as_long_as_allowed():
    assert len(get(answer(b"x" * 64 * KIB)).body) == 64 * KIB
    assert len(get(answer(b"xy"), max_bytes=2).body) == 2
    is_error(get(answer(b"xyz"), max_bytes=2), LimitError, "longer than 2 bytes")


async def endless(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
        await writer.drain()


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


TOO_LONG = "a header of its answer is too long"
NO_HTTP = "it did not answer in HTTP"
CLOSED = "it closed the connection without a complete answer"
BROKEN = {
    "an endless body": (endless, LimitError, "its body is longer than 64 KiB"),
    "announcing too much": (
        sends(HEAD + b"Content-Length: 99999\r\n\r\n", ends=False),
        LimitError,
        "than 64 KiB",
    ),
    "sending too little": (
        sends(HEAD + b"Content-Length: 10\r\n\r\nabc"),
        NetworkError,
        "its body ended before its Content-Length",
    ),
    "sending too much": (
        sends(HEAD + b"Content-Length: 3\r\n\r\nabcdef"),
        NetworkError,
        "its body is longer than its Content-Length",
    ),
    "a length in letters": (sends(HEAD + b"Content-Length: x\r\n\r\nabc"), NetworkError, NO_HTTP),
    "a negative length": (sends(HEAD + b"Content-Length: -1\r\n\r\nabc"), NetworkError, NO_HTTP),
    "two lengths": (
        sends(HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
        NetworkError,
        NO_HTTP,
    ),
    "half a chunk": (sends(CHUNKED + b"5\r\nabc"), NetworkError, "its body ended before its last chunk"),
    "no last chunk": (sends(CHUNKED + b"3\r\nabc\r\n"), NetworkError, "its body ended before its last chunk"),
    "no chunk size": (
        sends(CHUNKED + b"zz\r\nabc\r\n", ends=False),
        NetworkError,
        "its body is broken: Invalid",
    ),
    "too much in a chunk": (
        sends(CHUNKED, b"3\r\nabcdef\r\n", ends=False),
        NetworkError,
        "its body is broken: ",
    ),
    "a chunk beyond numbers": (
        sends(CHUNKED + b"f" * 17 + b"\r\n", ends=False),
        NetworkError,
        "body is broken: ",
    ),
    "nothing": (sends(), NetworkError, CLOSED),
    "half a status": (sends(b"HTTP/1.1 2"), NetworkError, CLOSED),
    "half a head": (sends(HEAD + b"A: b\r\n"), NetworkError, CLOSED),
    "SSH": (sends(b"SSH-2.0-OpenSSH_9.2\r\n"), NetworkError, NO_HTTP),
    "TLS": (sends(b"\x15\x03\x01\x00\x02\x02\x16"), NetworkError, NO_HTTP),
    "a status beyond numbers": (sends(b"HTTP/1.1 999999 OK\r\n\r\n"), NetworkError, NO_HTTP),
    "a flood of headers": (
        sends(HEAD + b"A: b\r\n" * 100_000),
        LimitError,
        "its answer has too many headers",
    ),
    "a long value": (sends(HEAD + b"A: " + b"b" * 100_000), LimitError, TOO_LONG),
    "a long name": (sends(HEAD + b"A" * 100_000), LimitError, TOO_LONG),
    "a long status": (sends(b"HTTP/1.1 200 " + b"A" * 100_000), LimitError, TOO_LONG),
}


@pytest.mark.parametrize(("handler", "kind", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_told_in_words(handler, kind, words):
    is_error(get(handler), kind, words)


def test_a_body_may_end_with_its_connection():
    assert get(sends(b"HTTP/1.0 200 OK\r\n\r\nabc")).body == b"abc"


def test_an_interim_answer_is_not_the_answer():
    assert get(sends(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(b"abc"))).body == b"abc"


@pytest.mark.parametrize(
    "rest", [b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"]
)
def test_a_304_with_a_body_is_still_a_304(rest):
    served = sends(b'HTTP/1.1 304 Not Modified\r\nETag: "v"\r\n' + rest)
    response = get(served, times=2)
    assert (response.status, response.body, response.raw_header("etag")) == (304, b"", b'"v"')


INCOMPLETE = {
    "short": (b"Content-Length: 9\r\n\r\ngone", b"gone"),
    "no gzip": (b"Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\nxy", b""),
    "brotli": (b"Content-Length: 2\r\nContent-Encoding: br\r\n\r\nxy", b""),
    "long": (b"Content-Length: 99999999\r\n\r\n" + b"x" * 100_000, b"x" * 64 * KIB),
}


@pytest.mark.parametrize(("rest", "body"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_where_the_status_counts_a_broken_body_does_not(rest, body):
    response = get(sends(b"HTTP/1.1 503 Unavailable\r\nRetry-After: 9\r\n" + rest))
    assert (response.status, response.headers["retry-after"], response.body) == (503, "9", body)


# --------------------------------------------------------------------------- time and connections


async def drip(request, writer):
    writer.write(HEAD + b"Content-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


def test_a_slow_drip_ends_at_the_limit_of_the_whole_request():
    is_error(get(drip, within=HURRIED), NetworkError, "timed out after 0.2 s, with ")


def test_no_answer_at_all_ends_at_the_limit():
    is_error(get(sends(ends=False), within=HURRIED), NetworkError, "timed out after 0.2 s, without an answer")


def test_redirects_share_one_limit():
    async def slow(request, writer):
        await asyncio.sleep(0.09)
        writer.write(answer(b"", b"Location: " + request.target.encode() + b"x", status="302 Found"))
        return True

    is_error(get(slow, within=HURRIED), NetworkError, "timed out after 0.2 s, without an answer (redirects: ")


def test_a_stuck_host_holds_up_nobody():
    async def run():
        few = settings(concurrency=4)
        async with (
            Client(few) as client,
            raw_server(sends(ends=False)) as stuck,
            raw_server(answer(b"ok")) as good,
        ):
            waiting = [asyncio.create_task(client.get(stuck)) for _ in range(4)]
            await asyncio.sleep(0)
            responses = await asyncio.gather(*(client.get(good) for _ in range(4)))
            assert [response.body for response in responses] == [b"ok"] * 4
            for task in waiting:
                task.cancel()
            ends = await asyncio.gather(*waiting, return_exceptions=True)
            assert all(isinstance(end, asyncio.CancelledError) for end in ends)

    asyncio.run(run())


def test_connections_are_kept_but_not_after_a_broken_answer():
    async def run():
        ports = []

        async def handle(request, writer):
            ports.append(writer.get_extra_info("peername")[1])
            writer.write(answer(b"abc") + (b"more" if request.target == "/broken" else b""))
            return True

        async with Client(settings()) as client, raw_server(handle) as url:
            for path in ("/", "/", "/broken", "/", "/"):
                await asked(client, url + path)
        return ports

    first, second, third, fourth, fifth = asyncio.run(run())
    assert first == second == third
    assert third != fourth == fifth


def test_a_connection_that_the_server_closed_meanwhile_is_replaced():
    async def run():
        ports = []

        async def handle(request, writer):
            port = writer.get_extra_info("peername")[1]
            is_new = port not in ports
            ports.append(port)
            writer.write(OK if is_new else b"")
            return is_new

        async with Client(settings()) as client, raw_server(handle) as url:
            for _ in range(3):
                assert (await client.get(url)).body == b"ok"
        return ports

    first, again, second, again_second, third = asyncio.run(run())
    assert first == again != second == again_second != third


def test_a_server_that_closes_at_once_is_asked_once():
    async def run():
        seen = []

        async def closes(request, writer):
            seen.append(request)

        async with Client(settings()) as client, raw_server(closes) as url:
            is_error(await asked(client, url), NetworkError, CLOSED)
        return len(seen)

    assert asyncio.run(run()) == 1


def test_idle_connections_do_not_pile_up():
    async def run():
        kept = []

        async def polite(request, writer):
            is_last = request.header("connection") == b"close"
            writer.write(answer(b"", *([b"Connection: close"] if is_last else [])))
            kept.append(not is_last)
            return not is_last

        everywhere = settings(concurrency=2, allow_private=(ip_network("127.0.0.0/8"),))
        async with Client(everywhere) as client, AsyncExitStack() as servers:
            for last in range(1, 15):
                url = await servers.enter_async_context(raw_server(polite, host=f"127.0.0.{last}"))
                await client.get(url)
        return kept

    kept = asyncio.run(run())
    assert kept.count(True) == 5  # more than twice the concurrency
    assert kept[-1] is False


def test_nobody_listening_is_told_in_words():
    async def run():
        async with Client(settings()) as client:
            return await asked(client, "http://127.0.0.1:1/")

    is_error(asyncio.run(run()), NetworkError, "127.0.0.1:1: no connection: connection refused")


# --------------------------------------------------------------------------- TLS


def secure(certificate, monkeypatch, *, trusts=True):
    if trusts:
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "authority.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")

    async def run():
        async with Client(settings()) as client, raw_server(answer(b"ok"), context=context) as url:
            return await asked(client, url)

    return asyncio.run(run())


def test_a_good_certificate_of_a_known_authority_is_accepted_and_shown(monkeypatch):
    response = secure("good", monkeypatch)
    assert response.body == b"ok"
    begins, ends = (datetime(year, 1, 1, tzinfo=UTC) for year in (2020, 2120))
    assert response.certificate == Certificate(host="127.0.0.1", begins=begins, ends=ends)
    assert get(answer(b"ok")).certificate is None


def test_certificates_of_those_met_longest_ago_are_forgotten():
    shown = {"notBefore": "Jan  1 00:00:00 2020 GMT", "notAfter": "Jan  1 00:00:00 2120 GMT"}

    class Tls:
        def __init__(self, name):
            self.server_hostname = name

        def getpeercert(self):
            return shown if self.server_hostname != "unverified" else {}

    certificates = Certificates(most=2)
    for name in ("a", "b", "a", "c", "unverified", None):
        certificates.note(Tls(name))  # type: ignore[arg-type]  # all that is asked of it
    certificates.note(None)
    assert [bool(certificates.of(name)) for name in ("a", "b", "c", "unverified")] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("certificate", "trusts", "words"),
    [
        ("good", False, "its certificate is signed by an authority we do not trust"),
        ("expired", True, "its certificate has expired"),
        ("other-name", True, "its certificate is for another address"),
    ],
)
def test_a_bad_certificate_is_told_in_words(monkeypatch, certificate, trusts, words):
    is_error(secure(certificate, monkeypatch, trusts=trusts), NetworkError, words)


def test_no_tls_where_tls_was_asked_for_is_told_in_words():
    async def greets(reader, writer):
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()
        writer.close()

    async def run():
        server = await asyncio.start_server(greets, "127.0.0.1", 0)
        async with Client(settings()) as client, server:
            return await asked(client, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")

    is_error(asyncio.run(run()), NetworkError, "no connection: TLS failed (wrong version number)")


def test_going_from_https_to_http_shows(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "authority.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / "good.pem")

    async def run():
        async with Client(settings()) as client, raw_server(answer(b"ok")) as plain:
            moved = answer(b"", b"Location: " + plain.encode(), status="301 Moved")
            async with raw_server(moved, context=context) as url:
                return await client.get(url)

    response = asyncio.run(run())
    assert [hop.is_downgrade for hop in response.redirects] == [True]
    assert response.body == b"ok"


# --------------------------------------------------------------------------- what is given


def test_a_response_says_what_came():
    assert get(answer(b"four")).received_bytes == 4
    response = get(answer(b"", b"X-Twice: a", b"x-twice: b", b"X-Latin: \xe9"))
    assert response.headers["X-TWICE"] == "a, b"
    assert response.headers.get("x-none") is None
    assert response.raw_header("X-Latin") == response.headers["x-latin"].encode("latin-1") == b"\xe9"
    assert response.raw_header("x-none") is None
    assert list(response.headers) == ["x-twice", "x-latin", "content-length"]
    assert (b"X-Twice", b"a") in response.fields
    assert timedelta() < response.elapsed < timedelta(minutes=1)
    assert pickle.loads(pickle.dumps(response)).headers == response.headers  # another process may read it


# --------------------------------------------------------------------------- posting


def post(handler, body=b"{}", headers=None, **options):
    async def run():
        async with Client(settings()) as client, raw_server(handler) as url:
            within = options.pop("timeout", timedelta(seconds=10))
            try:
                return await client.post(f"{url}/hook", body, headers or {}, timeout=within, **options)
            except NetworkError as error:
                return error

    return asyncio.run(run())


def test_a_post_arrives_as_it_was_given():
    seen: list[Request] = []
    response = post(records(seen), b"{\xff}", {"Content-Type": "application/json", "X-Title": "Новости"})
    assert (response.status, response.body) == (200, b"ok")
    (request,) = seen
    assert (request.method, request.target, request.body) == ("POST", "/hook", b"{\xff}")
    assert request.header("content-type") == b"application/json"
    assert request.header("x-title") == "Новости".encode()


def test_a_post_is_made_once_whatever_happens():
    seen: list[Request] = []

    async def closes(request, writer):
        seen.append(request)

    is_error(post(closes), NetworkError, "it closed the connection without a complete answer")
    assert len(seen) == 1


def test_a_post_follows_no_redirect():
    seen: list[Request] = []
    response = post(records(seen, answer(b"", b"Location: /elsewhere", status="307 Moved")))
    assert (response.status, response.headers["location"], len(seen)) == (307, "/elsewhere", 1)


CUT = {
    "long": (sends(answer(b"x" * 1000)), b"x" * 100),
    "a bomb": (sends(answer(ZEROS, b"Content-Encoding: gzip")), bytes(100)),
    "brotli": (sends(answer(b"?", b"Content-Encoding: br")), b""),
    "short": (sends(HEAD + b"Content-Length: 9\r\n\r\nabc"), b"abc"),
    "stuck": (sends(HEAD + b"Content-Length: 9\r\n\r\nabc", ends=False), b"abc"),
    "endless": (endless, b"x" * 100),
}


@pytest.mark.parametrize(("handler", "body"), CUT.values(), ids=CUT)
def test_an_answer_to_a_post_is_cut_not_refused(handler, body):
    response = post(handler, max_answer_bytes=100, timeout=timedelta(seconds=0.3))
    assert (response.status, response.body) == (200, body)


def test_a_post_has_its_own_limit():
    outcome = post(sends(ends=False), timeout=timedelta(seconds=0.1))
    is_error(outcome, NetworkError, "timed out after 0.1 s, without an answer")


def test_a_post_goes_to_no_hostile_address():
    async def run():
        async with Client(NetworkSettings()) as client:
            return await client.post("http://127.0.0.1/", b"", {}, timeout=timedelta(seconds=1))

    with pytest.raises(RefusedError, match=r"^127\.0\.0\.1: refused"):
        asyncio.run(run())
