"""Our hub: who subscribes to a feed has what is new within a second, whoever else is slow."""

import signal
import socket
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import pytest

from tests.desk import Desk, eventually, network, rule, service, source
from tests.hub_readers import Reader, reading
from tests.hubs import signature
from tests.outlets import FEED_TYPE, Article, LocalServer, Reply, rss

NOW = datetime.now(UTC)
OLD = [
    Article(
        link=f"https://outlet.example/{number}",
        title=f"Water news {number}",
        guid=str(number),
        published=NOW - timedelta(hours=number),
    )
    for number in range(1, 11)
]
SECRET = "never told to anybody else"


def new(number: int) -> Article:
    return Article(
        link=f"https://outlet.example/new-{number}",
        title=f"Water in the west, {number}",
        guid=f"new-{number}",
        published=NOW,
    )


@pytest.fixture
def reader():
    with reading() as reader:
        yield reader


def free_port() -> int:
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def wire(desk, pages, outlets):
    """Write a configuration with one source and one rule; return how to write it otherwise."""
    pages["/wire"] = Reply(headers={"content-type": FEED_TYPE}, body=rss(OLD))
    port = free_port()

    def write(*tables: str, names=("water",)):
        desk.write(
            service(listen=f"127.0.0.1:{port}", base_url=f"http://127.0.0.1:{port}"),
            network(),
            *tables,
            source("wire", f"{outlets.address}/wire"),
            rules={name: rule("water") for name in names},
        )

    write()
    return write


def publish(desk: Desk, pages, outlets, number: int) -> float:
    """Have the outlet publish an article, and the source be polled; return when it arrived."""
    pages["/wire"] = Reply(headers={"content-type": FEED_TYPE}, body=rss([new(number), *OLD]))
    asked = len(outlets.at("/wire"))
    desk.call("sources", "refresh", "wire")
    outlets.wait_for(lambda _: len(outlets.at("/wire")) > asked)
    return float(outlets.at("/wire")[-1].at)


def has_old_news(desk: Desk) -> bool:
    path = desk.folder / "feeds/water.rss"
    return path.exists() and OLD[-1].title in path.read_text()


def subscribe(address: str, reader: Reader, name: str = "water.atom", **said: str) -> httpx.Response:
    form = reader.form(f"{address}/feeds/{name}", **said)
    return httpx.post(f"{address}/hub", data=form, trust_env=False)


def subscribed(desk: Desk, count: int) -> None:
    eventually(lambda: desk.log.read_text().count("hub.subscribed") >= count)


def test_a_subscriber_has_what_is_new_within_a_second(  # noqa: PLR0917  fixtures
    desk, wire, pages, outlets, reader, capsys
):
    with desk.running() as address:
        eventually(lambda: has_old_news(desk))
        assert subscribe(address, reader, secret=SECRET).status_code == 202
        subscribed(desk, 1)
        (question,) = reader.questions
        assert question["hub.mode"] == "subscribe"
        assert question["hub.topic"] == f"{address}/feeds/water.atom"
        assert question["hub.lease_seconds"] == "864000"
        assert question["of"] == "water"
        assert len(question["hub.challenge"]) >= 32
        took = []
        for number in range(1, 4):
            arrived = publish(desk, pages, outlets, number)
            reader.wait_for(pushes=number)
            took.append(reader.pushed[-1].at - arrived)
        pushed = reader.pushed[-1]
        served = httpx.get(f"{address}/feeds/water.atom", trust_env=False)
    assert pushed.body == served.content
    assert b"Water in the west, 3" in pushed.body
    assert pushed.path == "/callback?of=water"
    assert pushed.headers["content-type"] == served.headers["content-type"]
    links = f'<{address}/hub>; rel="hub", <{address}/feeds/water.atom>; rel="self"'
    assert pushed.headers["link"] == served.headers["link"] == links
    assert pushed.headers["x-hub-signature"] == signature(SECRET, pushed.body)
    assert f'<link href="{address}/hub" rel="hub"/>' in pushed.body.decode()
    assert SECRET not in desk.log.read_text()
    with capsys.disabled():
        print(f"\nfrom the outlet's answer to the subscriber: {', '.join(f'{each:.3f}' for each in took)} s")
    assert sorted(took)[len(took) // 2] < 1  # the others may have waited for a busy machine


def test_one_syndicate_subscribes_to_another(desk, wire, pages, outlets, tmp_path):
    other = Desk(folder=tmp_path / "other")
    other.folder.mkdir()
    port = free_port()
    with desk.running() as address:
        eventually(lambda: has_old_news(desk))
        other.write(
            service(listen=f"127.0.0.1:{port}", base_url=f"http://127.0.0.1:{port}"),
            network(),
            source("atom", f"{address}/feeds/water.atom"),
            source("json", f"{address}/feeds/water.json"),
            source("rss", f"{address}/feeds/water.rss"),
            rules={"water": rule("water")},
        )
        with other.running():
            subscribed(desk, 3)
            publish(desk, pages, outlets, 1)

            def arrived():
                found = {each["source"] for each in other.json("items") if each["title"] == new(1).title}
                return found == {"atom", "json", "rss"}

            eventually(arrived)
            assert other.log.read_text().count("push.read") >= 3
            assert "push.rejected" not in other.log.read_text()
            states = [each["subscription"]["state"] for each in other.json("sources")]
            assert states == ["active"] * 3
            other.write(
                service(listen=f"127.0.0.1:{port}", base_url=f"http://127.0.0.1:{port}"),
                network(),
                source("atom", f"{address}/feeds/water.atom"),
            )
            eventually(lambda: desk.log.read_text().count("hub.unsubscribed") == 2)


def test_what_was_published_before_a_kill_is_told_after_it(desk, wire, pages, outlets, reader):
    process = desk.start()
    address = f"http://{desk.listening(process)}"
    eventually(lambda: has_old_news(desk))
    assert subscribe(address, reader).status_code == 202
    subscribed(desk, 1)
    reader.reply = Reply(hangs=True)
    publish(desk, pages, outlets, 1)
    reader.wait_for(pushes=1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    reader.reply = Reply()
    pages["/wire"] = Reply(headers={"content-type": FEED_TYPE}, body=rss([new(2), new(1), *OLD]))
    with desk.running():
        reader.wait_for(pushes=2)
        desk.call("sources", "refresh", "wire")
        eventually(lambda: new(2).title.encode() in reader.pushed[-1].body)


def test_a_reload_tells_who_is_pushed_to_no_longer(desk, wire, reader):
    wire(names=("water", "rivers"))
    with desk.running() as address:
        eventually(lambda: has_old_news(desk))
        subscribe(address, reader, "rivers.atom")
        subscribed(desk, 1)
        (desk.folder / "rules/rivers.toml").unlink()
        reader.wait_for(questions=2)
        assert reader.questions[-1]["hub.mode"] == "denied"
        served = httpx.get(f"{address}/feeds/water.atom", trust_env=False)
        assert "link" in served.headers
        wire("[feeds]\nhub = false\n")
        eventually(lambda: "link" not in httpx.get(f"{address}/feeds/water.atom", trust_env=False).headers)
        assert subscribe(address, reader).status_code == 404
        eventually(lambda: "/hub" not in (desk.folder / "feeds/water.atom").read_text())


def test_a_hub_of_others_is_told_and_named(desk, wire, pages, outlets):
    with LocalServer(lambda _: Reply(status=204)) as hub:
        wire(f'[feeds]\nhub = "{hub.address}/"\n')

        def topics(asked):
            forms = [parse_qs(each.body.decode()) for each in asked]
            assert all(form["hub.mode"] == ["publish"] for form in forms)
            return {form["hub.url"][0].rpartition("/")[2] for form in forms}

        formats = {f"water.{extension}" for extension in ("atom", "json", "rss")}
        desk.call("once")
        assert formats <= topics(hub.asked)
        before = len(hub.asked)
        with desk.running() as address:
            pages["/wire"] = Reply(headers={"content-type": FEED_TYPE}, body=rss([new(1), *OLD]))
            desk.call("sources", "refresh", "wire")
            hub.wait_for(lambda asked: formats <= topics(asked[before:]))
            served = httpx.get(f"{address}/feeds/water.atom", trust_env=False)
            assert f'<{hub.address}/>; rel="hub"' in served.headers["link"]
            assert f'<link href="{hub.address}/" rel="hub"/>' in served.text
            assert httpx.post(f"{address}/hub", trust_env=False).status_code == 404
