"""A hub tells what is new, and sources are polled only to be safe meanwhile."""

import re
import signal
import socket
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.desk import endpoint, eventually, network, rule, service, source
from tests.hubs import running_hub
from tests.outlets import FEED_TYPE, Article, Reply, rss

NOW = datetime.now(UTC)
OLD = [
    Article(
        link=f"https://outlet.example/{number}",
        title=f"Old news {number}",
        guid=str(number),
        published=NOW - timedelta(hours=number),
    )
    for number in range(1, 11)
]
NEW = Article(link="https://outlet.example/new", title="Water in the west", guid="new", published=NOW)
NEWER = Article(link="https://outlet.example/newer", title="Water in the east", guid="newer", published=NOW)


@pytest.fixture
def hub():
    with running_hub() as hub:
        yield hub


@pytest.fixture
def port():
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def wire(desk, pages, outlets, hub, receiver, port):  # noqa: PLR0917  fixtures
    """Write a configuration with a source whose headers name the hub; return how to write it otherwise."""
    topic = f"{outlets.address}/wire"
    links = f'<{hub.address}/>; rel="hub", <{topic}>; rel="self"'
    pages["/wire"] = Reply(headers={"content-type": FEED_TYPE, "link": links}, body=rss(OLD))

    def write(*, is_there=True, settings=None, **keys):
        names = ["wire", *(() if is_there else ("other",))]
        sources = [source(name, f"{outlets.address}/{name}", **keys) for name in names[-1:]]
        pages.setdefault("/other", Reply(headers={"content-type": FEED_TYPE}, body=rss(OLD)))
        desk.write(
            service(
                **{"listen": f"127.0.0.1:{port}", "base_url": f"http://127.0.0.1:{port}", **(settings or {})}
            ),
            network(),
            *sources,
            endpoint("desk", f"{receiver.address}/hook"),
            rules={"water": rule("water", notify=["desk"])},
        )

    write()
    return write


def subscription(desk, name="wire"):
    return next(each for each in desk.json("sources") if each["id"] == name)["subscription"]


def shown(desk, name="wire"):
    return desk.call("sources", "show", name).out


def titles(desk):
    return [item["title"] for item in desk.json("items")]


def test_a_push_is_read_and_alerted_without_asking_the_source(desk, outlets, wire, hub, receiver):
    with desk.running():
        hub.wait_for(lambda hub: hub.verified == [("subscribe", 200)])
        (asked,) = hub.requests
        assert asked["hub.topic"] == f"{outlets.address}/wire"
        assert asked["hub.lease_seconds"] == "864000"
        assert 20 <= len(asked["hub.secret"]) < 200
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/websub/[\w-]{32}", asked["hub.callback"])
        assert hub.publish(rss([NEW])) == [202]
        receiver.wait_for(lambda asked: len(asked) == 1)
        assert titles(desk)[0] == NEW.title
        assert len(outlets.at("/wire")) == 1
        status = next(each for each in desk.json("sources") if each["id"] == "wire")
    assert status["next_poll_why"] == "pushes arrive: polled only to be safe"
    assert status["gaps"] == 0
    assert (status["subscription"]["state"], status["subscription"]["pushes"]) == ("active", 1)
    assert status["subscription"]["relied_upon"]
    words = shown(desk)
    assert "which pushes what is new, relied upon; its lease ends in 10 d" in words
    assert "pushes        1, the last" in words
    assert "websub.subscribed" in desk.log.read_text()
    assert "push.read" in desk.log.read_text()
    assert asked["hub.secret"] not in desk.log.read_text() + words
    assert asked["hub.callback"] not in desk.log.read_text() + words


def test_what_is_not_signed_as_it_should_be_is_ignored_and_told(desk, wire, hub):
    with desk.running():
        hub.wait_for(lambda hub: bool(hub.subscribers))
        assert hub.publish(rss([NEW]), secret="another") == [202]
        (subscriber,) = hub.subscribers.values()
        assert hub.push(replace(subscriber, secret=None), rss([NEW]), FEED_TYPE) == 202
        assert hub.publish(rss([NEWER])) == [202]
        eventually(lambda: NEWER.title in titles(desk))
    assert NEW.title not in titles(desk)
    assert subscription(desk)["rejected"] == 2
    assert "rejected      2 that were not signed as they should be" in shown(desk)
    assert desk.log.read_text().count("push.rejected") == 2


def test_a_push_that_was_answered_survives_a_kill_and_is_alerted_once(desk, outlets, wire, hub, receiver):
    with desk.running():
        hub.wait_for(lambda hub: bool(hub.subscribers))
    for number in range(3):
        news = [replace(NEW, guid=f"k{number}", link=f"https://outlet.example/k{number}")]
        process = desk.start()
        desk.listening(process)
        assert hub.publish(rss(news)) == [202]
        process.send_signal(signal.SIGKILL)
        process.wait()
    with desk.running():
        receiver.wait_for(lambda asked: len(asked) >= 3)
        eventually(lambda: len(desk.json("items")) == 13)
    ids = {asked.headers["webhook-id"] for asked in receiver.asked}
    assert len(ids) == 3
    assert len(outlets.at("/wire")) == 1


def test_a_subscription_outlives_a_restart_and_is_renewed_under_the_same_callback(desk, wire, hub):
    with desk.running():
        hub.wait_for(lambda hub: bool(hub.subscribers))
    with desk.running():
        assert hub.publish(rss([NEW])) == [202]
        eventually(lambda: NEW.title in titles(desk))
        assert len(hub.requests) == 1
    with closing(sqlite3.connect(desk.database)) as database, database:
        database.execute("UPDATE subscriptions SET next_ask_at = '2026-01-01T00:00:00.000000Z'")
    with desk.running():
        hub.wait_for(lambda hub: len(hub.verified) == 2)
    first, second = hub.requests
    assert first == second


@pytest.mark.parametrize("how", ["removed", "off", "off for the source"])
def test_what_is_not_wanted_any_more_is_given_up(how, desk, wire, hub):
    with desk.running():
        hub.wait_for(lambda hub: bool(hub.subscribers))
        (subscriber,) = hub.subscribers.values()
        match how:
            case "removed":
                wire(is_there=False)
            case "off":
                wire(settings={"websub": False})
            case _:
                wire(websub=False)
        hub.wait_for(lambda hub: hub.verified[1:] == [("unsubscribe", 200)])
        assert hub.subscribers == {}
        assert hub.push(subscriber, rss([NEW]), FEED_TYPE) == 410
    assert [each["hub.mode"] for each in hub.requests] == ["subscribe", "unsubscribe"]
    assert "hub.secret" not in hub.requests[1]


def test_who_denies_is_left_alone_for_days(desk, wire, hub):
    hub.denies = "no more room"
    with desk.running():
        hub.wait_for(lambda hub: hub.verified == [("denied", 200)])
        eventually(lambda: subscription(desk)["state"] == "denied")
    words = shown(desk)
    assert re.search(r"which does not want to push; asked again in [78] d", words)
    assert "hub error     no more room" in words
    assert "websub.denied" in desk.log.read_text()


def test_a_hub_that_refuses_is_asked_again_and_what_it_says_is_shown(desk, wire, hub):
    hub.refuses = Reply(status=400, body=b"topic\n<b>unknown</b>")
    with desk.running():
        eventually(lambda: (subscription(desk) or {}).get("error"))
    assert "the hub answered 400: topic" in subscription(desk)["error"]
    assert re.search(r"which has not agreed yet; asked again in \d+ (s|min)", shown(desk))
    assert "websub.failed" in desk.log.read_text()


def test_nobody_is_asked_to_push_to_where_nobody_can(desk, wire, hub, outlets):
    wire(settings={"base_url": "http://10.0.0.1"})
    with desk.running():
        outlets.wait_for(lambda _: bool(outlets.at("/wire")))
        eventually(lambda: len(desk.json("items")) == 10)
    assert hub.requests == []
    assert subscription(desk) is None


def test_only_a_callback_takes_a_post(desk, wire, hub):
    with desk.running() as address, httpx.Client(base_url=address, trust_env=False) as client:
        hub.wait_for(lambda hub: bool(hub.subscribers))
        (subscriber,) = hub.subscribers.values()
        token = subscriber.callback.rpartition("/")[2]
        for path in ("/feeds/", "/feeds/water.atom", "/static/style.css", "/healthz", "/websub/"):
            assert client.post(path, content=b"x").status_code in (404, 405)
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
            assert client.request(method, f"/websub/{token}").status_code == 405
        for path in (f"/websub/{token}x", f"/websub/{token[:-1]}", f"/websub/{token}/"):
            answer = client.post(path, content=b"x")
            assert answer.status_code == 404
            assert not answer.cookies
        answer = client.post(f"/websub/{token}", content=b"x", headers={"host": "evil.example"})
        assert answer.status_code == 421
        asked = {"hub.mode": "subscribe", "hub.topic": subscriber.topic, "hub.challenge": "<script>"}
        good = client.get(f"/websub/{token}", params=asked)
        assert (good.status_code, good.text) == (200, "<script>")
        assert good.headers["content-type"].startswith("text/plain")
        assert good.headers["x-content-type-options"] == "nosniff"
        for other in (
            {"hub.topic": f"{subscriber.topic}/"},
            {"hub.mode": "unsubscribe"},
            {"hub.mode": "publish"},
        ):
            assert client.get(f"/websub/{token}", params={**asked, **other}).status_code == 404
        assert client.get(f"/websub/{token}").status_code == 404
        large = b"x" * (15 * 1024 * 1024 + 1)
        assert client.post(f"/websub/{token}", content=large).status_code == 413
        assert client.post(f"/websub/{token}", content=iter([large])).status_code == 413
