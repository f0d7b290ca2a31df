"""The demo over real HTTP: outlets answer like good servers, the receiver like a careful one."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import unescape
from io import StringIO
from pathlib import Path

import httpx
import pytest
from rich.console import Console
from starlette.types import ASGIApp, Receive, Scope, Send

from syndicate import demo
from syndicate.alerts import signing, webhook
from syndicate.demo.demo import USUAL_PORT
from syndicate.demo.documents import MEDIA_TYPES, Site
from syndicate.demo.newsroom import Event, Outlet, front, old_news, read_outlets, timetable
from syndicate.demo.outlets import create
from syndicate.demo.receiver import PATH, Postponed, Receipt, Receiver, Refused, Verified
from syndicate.errors import SyndicateError
from syndicate.model import Endpoint
from syndicate.sources.feed import parse
from syndicate.web.server import listen
from tests.served import served

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STARTED = datetime(2026, 3, 2, 9, tzinfo=UTC)
OUTLETS = read_outlets()
EVENTS = timetable(OUTLETS, STARTED, timedelta(seconds=4))
OLD = old_news(OUTLETS, STARTED)


@dataclass
class Server:
    """An outlet that is served, and the time that it goes by."""

    outlet: Outlet
    now: datetime = STARTED
    app: ASGIApp | None = None
    url: str = ""
    events: list[Event] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app
        await self.app(scope, receive, send)

    @property
    def site(self) -> Site:
        return Site(outlet=self.outlet, url=self.url + "/")


@contextmanager
def serving(outlet: Outlet) -> Iterator[Server]:
    server = Server(outlet, events=[event for event in EVENTS if event.outlet == outlet])
    with served(server) as server.url:
        server.app = create(server.site, OLD[outlet.id], server.events, lambda: server.now)
        yield server


@pytest.fixture(params=OUTLETS, ids=lambda outlet: outlet.id)
def server(request) -> Iterator[Server]:
    with serving(request.param) as server:
        yield server


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=30) as client:
        yield client


def test_a_feed_is_sent_again_only_when_it_has_changed(server, client):
    url = server.site.feed_url
    first = client.get(url)
    assert first.status_code == 200
    assert first.headers["content-type"] == MEDIA_TYPES[server.outlet.format]
    validators = {
        "If-None-Match": first.headers["etag"],
        "If-Modified-Since": first.headers["last-modified"],
    }
    for headers in (validators, *({name: value} for name, value in validators.items())):
        unchanged = client.get(url, headers=headers)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["etag"] == first.headers["etag"]
    assert client.get(url, headers={"If-None-Match": '"other"'}).content == first.content

    server.now = server.events[0].at
    for headers in (validators, *({name: value} for name, value in validators.items())):
        assert client.get(url, headers=headers).status_code == 200
    second = client.get(url)
    assert second.headers["etag"] != first.headers["etag"]
    assert second.headers["last-modified"] == format_datetime(server.events[0].at, usegmt=True)


def test_an_edit_changes_the_validators_too(server, client):
    edit = next(event for event in server.events if event.is_edit)
    server.now = edit.at - timedelta(seconds=1)
    before = client.get(server.site.feed_url)
    server.now = edit.at
    after = client.get(server.site.feed_url)
    for name in ("etag", "last-modified"):
        assert before.headers[name] != after.headers[name]


def test_head_is_answered_as_get_without_a_body(server, client):
    whole, head = client.get(server.site.feed_url), client.head(server.site.feed_url)
    assert head.content == b""
    assert head.headers["etag"] == whole.headers["etag"]
    assert head.headers["content-length"] == str(len(whole.content))


def test_every_link_of_a_feed_opens_an_article(server, client):
    server.now = EVENTS[-1].at
    response = client.get(server.site.feed_url)
    document = parse(response.content, response.headers, server.site.feed_url)
    shown = front(OLD[server.outlet.id], server.events, server.now)
    assert len(shown) == len(server.outlet.articles)
    for entry, each in zip(document.entries, shown, strict=True):
        page = client.get(entry.link or "")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert each.article.title in unescape(page.text)


def test_the_front_page_shows_what_is_out_and_nothing_else(server, client):
    event = server.events[0]
    coming = server.site.article_url(front([], [event], event.at)[0])
    assert coming not in client.get(server.url).text
    assert client.get(coming).status_code == 404
    server.now = event.at
    assert coming in client.get(server.url).text
    assert client.get(coming).status_code == 200


def test_what_is_not_there_is_not_found(server, client):
    for path in ("/articles/", "/articles/nothing", "/favicon.ico", "/articles/../config.toml"):
        assert client.get(server.url + path).status_code == 404
    assert client.post(server.site.feed_url).status_code == 405


def message(identity: str) -> tuple[dict[str, str], bytes]:
    now = datetime.now(UTC)  # signatures are good for five minutes only
    body = webhook.render_sample(now).replace(b'"id":"sample"', f'"id":"{identity}"'.encode(), 1)
    return signing.headers(
        Endpoint(id="desk", url="http://127.0.0.1/", secrets=(SECRET,)), identity, body, now
    ), body


def test_the_receiver_answers_by_what_it_makes_of_a_message(client):
    heard: list[Receipt] = []
    with served(Receiver(SECRET, heard.append).app()) as address:

        def post(headers: dict[str, str], body: bytes) -> int:
            status: int = client.post(address + PATH, content=body, headers=headers).status_code
            return status

        first, second = message("msg_1"), message("msg_2")
        assert post(*first) == 204
        assert post(*second) == 503
        assert post(*second) == 204
        assert post(first[0], second[1]) == 401
        assert client.get(address + PATH).status_code == 405
    assert [type(receipt) for receipt in heard] == [Verified, Postponed, Verified, Refused]


def play(options: demo.Options) -> str:
    """Return what a demo that is stopped at once prints."""

    async def run() -> None:
        stop = asyncio.Event()
        stop.set()
        await demo.run(Console(file=out, width=100), stop, options)

    out = StringIO()
    asyncio.run(run())
    return out.getvalue()


def test_a_demo_that_is_stopped_at_once_still_tells_its_figures_and_keeps_a_named_folder(tmp_path):
    text = play(demo.Options(folder=tmp_path / "new" / "demo"))
    assert "items           45" in text
    assert "duplicates       0" in text
    kept = {path.name for path in (tmp_path / "new" / "demo").iterdir()}
    assert {"config.toml", "rules", "feeds", "syndicate.db"} <= kept


def test_a_temporary_folder_is_removed():
    text = play(demo.Options())
    folder = Path(text.partition("Files")[2].split()[0])
    assert folder.name.startswith("syndicate-demo-")
    assert not folder.exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SyndicateError, match="is not empty"):
        play(demo.Options(folder=tmp_path))
    with pytest.raises(SyndicateError, match="cannot be used"):
        play(demo.Options(folder=tmp_path / "mine.txt"))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_taken_port_is_said_so_when_it_was_asked_for():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SyndicateError, match=f"127.0.0.1:{port} cannot be listened on"):
            play(demo.Options(port=port))


def test_a_taken_usual_port_is_replaced():
    with ExitStack() as stack:
        with suppress(SyndicateError):  # then somebody else has it already
            stack.enter_context(listen("127.0.0.1", USUAL_PORT))
        text = play(demo.Options())
    assert f"Port {USUAL_PORT} is taken" in text
    assert f"127.0.0.1:{USUAL_PORT}" not in text


@pytest.mark.parametrize(("seconds", "interval"), [(0.3, 1), (1, 2), (4, 5), (60, 5)])
def test_outlets_are_polled_about_as_often_as_they_publish(seconds, interval):
    assert demo.Options(pace=timedelta(seconds=seconds)).interval == timedelta(seconds=interval)
