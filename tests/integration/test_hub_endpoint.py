"""What the address of our hub does with subscribers, and with everybody else."""

import socket
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from syndicate.errors import StoreError
from syndicate.hub.asking import Reply
from syndicate.web.app import create
from syndicate.web.hub import FORM, MAX_BYTES, MOST_ASKED, HubEndpoint
from tests.served import SomeView, served

BASE = "https://desk.example.org"
GOOD = {"content-type": FORM}


@dataclass
class SomeHub:
    """A hub that answers as a test wants."""

    is_open: bool = True
    reply: Reply | StoreError = Reply(status=202, text="We ask.")  # noqa: RUF009  frozen
    asked: list[bytes] = field(default_factory=list)

    def links_of(self, url: str) -> str | None:
        return f"<{url}>" if url.endswith(("eu.atom", "eu.json")) else None

    async def ask(self, form: bytes) -> Reply:
        self.asked.append(form)
        if isinstance(self.reply, StoreError):
            raise self.reply
        return self.reply


@contextmanager
def served_hub(hub: SomeHub, **limits: float):
    async def answer(request):
        return await endpoint(request)

    endpoint = HubEndpoint(lambda: hub, lambda: BASE, **limits)
    app = Starlette(routes=[Route("/hub", answer, methods=["GET", "POST"])])
    with served(app) as address, httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def hub():
    return SomeHub()


@pytest.fixture
def client(hub):
    with served_hub(hub) as client:
        yield client


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=202, text="We ask."),
        Reply(status=400, text="hub.topic is missing <script>"),
        Reply(status=503, text="Full.", retry_after=3600),
    ],
)
def test_what_is_asked_is_answered_in_plain_text(client, hub, reply):
    hub.reply = reply
    answer = client.post("/hub", content=b"hub.mode=subscribe", headers=GOOD)
    assert (answer.status_code, answer.text) == (reply.status, reply.text)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers.get("retry-after") == (str(reply.retry_after) if reply.retry_after else None)
    assert hub.asked == [b"hub.mode=subscribe"]


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded; charset=UTF-8", FORM.upper()])
def test_forms_are_told_by_their_type(client, hub, kind):
    assert client.post("/hub", content=b"a=b", headers={"content-type": kind}).status_code == 202


@pytest.mark.parametrize(
    "headers", [{}, {"content-type": "application/json"}, {"content-type": "text/plain"}]
)
def test_what_is_no_form_is_not_read(client, hub, headers):
    assert client.post("/hub", content=b"{}", headers=headers).status_code == 415
    assert hub.asked == []


def test_a_page_in_a_browser_is_not_led_here_under_its_own_name(client, hub):
    answer = client.post("/hub", content=b"a=b", headers={**GOOD, "host": "evil.example"})
    assert answer.status_code == 421
    assert hub.asked == []
    ours = client.post("/hub", content=b"a=b", headers={**GOOD, "host": "desk.example.org"})
    assert ours.status_code == 202


def test_a_person_who_looks_is_told_what_it_is(client):
    answer = client.get("/hub")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "WebSub" in answer.text
    for method in ("PUT", "DELETE", "PATCH"):
        assert client.request(method, "/hub").status_code == 405


def test_without_a_hub_there_is_nothing_here(client, hub):
    hub.is_open = False
    assert client.post("/hub", content=b"a=b", headers=GOOD).status_code == 404
    assert client.get("/hub").status_code == 404
    assert hub.asked == []


@pytest.mark.parametrize("is_said", [True, False])
def test_a_form_that_is_too_long_is_not_taken(client, hub, is_said):
    body = b"x" * (MAX_BYTES + 1)
    content = body if is_said else iter([body])
    assert client.post("/hub", content=content, headers=GOOD).status_code == 413
    assert client.post("/hub", content=b"x" * MAX_BYTES, headers=GOOD).status_code == 202
    assert len(hub.asked) == 1


def test_a_form_that_takes_too_long_is_not_waited_for(hub):
    with served_hub(hub, max_seconds=0.1) as client:
        where = client.base_url.host, client.base_url.port
        with socket.create_connection(where, 30) as connection:
            head = ("POST /hub HTTP/1.1", "host: localhost", f"content-type: {FORM}", "content-length: 9")
            connection.sendall("\r\n".join([*head, "", "hub"]).encode())
            assert b" 408 " in connection.recv(100)
    assert hub.asked == []


def test_only_so_much_is_asked_in_a_minute(client, hub):
    for _ in range(MOST_ASKED):
        assert client.post("/hub", content=b"a=b", headers=GOOD).status_code == 202
    answer = client.post("/hub", content=b"a=b", headers=GOOD)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert len(hub.asked) == MOST_ASKED


def test_where_the_database_fails_one_may_come_again(client, hub):
    hub.reply = StoreError("/secret/path: disk full")
    answer = client.post("/hub", content=b"a=b", headers=GOOD)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "secret" not in answer.text


# -- what feeds say of it


def test_feeds_name_their_hub_and_their_own_address_in_headers(tmp_path, hub):
    (tmp_path / "a-folder").mkdir()
    for name in ("eu.atom", "eu.json", "eu.html", "kz.atom", "a-folder/eu.atom"):
        (tmp_path / name).write_text("text")
    view = SomeView(feeds_folder=tmp_path, base_url=BASE, hub=hub)
    with served(create(view)) as address, httpx.Client(base_url=address, trust_env=False) as client:

        def link(path, **headers):
            answer = client.get(path, headers=headers)
            assert answer.status_code in (200, 304)
            return answer.headers.get("link")

        atom = f"<{BASE}/feeds/eu.atom>"
        assert link("/feeds/eu.atom") == atom
        assert client.head("/feeds/eu.atom").headers["link"] == atom
        etag = client.get("/feeds/eu.atom").headers["etag"]
        assert link("/feeds/eu.atom", **{"if-none-match": etag}) == atom
        assert link("/feeds/eu") == atom
        assert link("/feeds/eu", accept="application/feed+json") == f"<{BASE}/feeds/eu.json>"
        assert (
            link("/feeds/a-folder/eu")
            == link("/feeds/a-folder/eu.atom")
            == (f"<{BASE}/feeds/a-folder/eu.atom>")
        )
        assert link("/feeds/eu.html") is None
        assert link("/feeds/kz.atom") is None
        assert "link" not in client.get("/feeds/nothing.atom").headers
