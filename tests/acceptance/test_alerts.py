"""Who is alerted of what: once, signed, and never of old news."""

import base64
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from tests.desk import endpoint, network, rule, service, source
from tests.outlets import Article, LocalServer, Reply, feed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WATER = Article(link="https://outlet.example/1", title="Water in the west", text="There is water.")
PLAIN = Article(link="https://outlet.example/2", title="Football", text="A match.")


@pytest.fixture
def watch(desk, outlets, receiver):
    """Write a configuration with one outlet, one endpoint and these rules."""

    def write(rules, *paths, **keys):
        addresses = [outlets.address + path for path in paths or ("/outlet",)]
        desk.write(
            service(),
            network(),
            source("outlet", *addresses, **keys),
            endpoint("desk", f"{receiver.address}/desk", secret=SECRET),
            rules=rules,
        )

    return write


def told(receiver):
    """Return (rule, title) of each alert that arrived, after verifying it."""
    messages = [Webhook(SECRET).verify(asked.body.decode(), dict(asked.headers)) for asked in receiver.asked]
    return [(message["data"]["rule"]["id"], message["data"]["item"]["title"]) for message in messages]


def test_an_item_is_alerted_once_when_it_first_matches_however_often_it_is_edited(
    desk, pages, receiver, watch
):
    watch({"water": rule("water", notify=["desk"])})
    pages["/outlet"] = feed([WATER, PLAIN])
    first = desk.call("once")
    assert told(receiver) == []
    assert "No alerts from outlet: first document of the source, a baseline" in first.out

    new = replace(WATER, link="https://outlet.example/3", title="Water in the east")
    versions = [
        [new, WATER, PLAIN],
        [replace(new, title="Water in the east, edited"), replace(WATER, text="More water."), PLAIN],
        [new, WATER, replace(PLAIN, title="Football and water")],
        [new, WATER, replace(PLAIN, title="Football and more water")],
    ]
    for version in versions:
        pages["/outlet"] = feed(version)
        desk.call("once", "--all")
    assert told(receiver) == [("water", "Water in the east"), ("water", "Football and water")]
    items = {item["id"]: item for item in desk.json("items")}
    assert {item["title"] for item in items.values()} == {
        "Water in the west",
        "Water in the east",
        "Football and more water",
    }
    deliveries = desk.json("deliveries")
    assert [delivery["id"] for delivery in reversed(deliveries)] == [
        asked.headers["webhook-id"] for asked in receiver.asked
    ]
    for delivery in deliveries:
        (alert,) = delivery["alerts"]
        assert alert["rule"] in items[alert["item"]]["matches"]


def test_a_new_rule_is_applied_to_what_is_stored_without_alerts_and_says_so(desk, pages, receiver, watch):
    pages["/outlet"] = feed([WATER, PLAIN])
    watch({"other": rule("cricket")}, baseline=False)
    desk.call("once")
    watch({"water": rule("water", notify=["desk"])}, baseline=False)
    called = desk.call("once")
    said = "Rule water is new or edited: it holds for 1 stored item of the last 30 days; none is alerted."
    assert said in called.out
    assert "rule.backfilled rule=water matches=1" in called.err
    assert WATER.link in (desk.folder / "feeds/water.atom").read_text()
    assert [item["title"] for item in desk.json("items", "--rule", "water")] == [WATER.title]
    assert told(receiver) == []


def test_a_rule_without_a_feed_alerts_all_the_same(desk, pages, receiver, watch):
    pages["/outlet"] = feed([WATER])
    watch({"quiet": rule("water", notify=["desk"], feed=False), "loud": rule("water")}, baseline=False)
    desk.call("once")
    assert told(receiver) == [("quiet", WATER.title)]
    assert {path.stem for path in (desk.folder / "feeds").iterdir()} == {"all", "index", "loud"}
    assert "quiet" not in (desk.folder / "feeds/index.opml").read_text()


def test_when_a_fallback_takes_over_only_what_is_newer_is_alerted(desk, pages, receiver, watch):
    watch({"water": rule("water", notify=["desk"])}, "/first", "/second")
    pages["/first"] = feed([PLAIN])
    desk.call("once")
    pages["/first"] = Reply(status=500)
    soon = datetime.now(UTC) + timedelta(minutes=1)
    pages["/second"] = feed(
        [
            replace(WATER, link="https://outlet.example/new", title="New water", published=soon),
            replace(WATER, link="https://outlet.example/undated", title="Undated water"),
            replace(WATER, link="https://outlet.example/old", published=soon - timedelta(days=1)),
        ]
    )
    called = desk.call("once", "--all")
    assert told(receiver) == [("water", "New water")]
    assert len(desk.json("items", "--rule", "water")) == 3
    assert "took over" in called.err


def test_a_failed_delivery_is_tried_again_under_its_id_with_the_same_body(desk, pages, outlets):
    replies = iter([Reply(status=500, headers={"retry-after": "1"}), Reply(status=204)])
    with LocalServer(lambda _: next(replies)) as receiver:
        pages["/outlet"] = feed([WATER])
        desk.write(
            service(),
            network(),
            source("outlet", f"{outlets.address}/outlet", baseline=False),
            endpoint("desk", receiver.address, secret=SECRET, headers={"X-Desk": "7"}),
            rules={"water": rule("water", notify=["desk"])},
        )
        called = desk.call("once", "--strict", status=1)
        assert "desk: the endpoint answered 500" in called.out
        (waiting,) = desk.json("deliveries")
        assert (waiting["state"], waiting["attempts"]) == ("waiting", 1)
        assert waiting["next_attempt_at"] is not None
        with desk.running():
            receiver.wait_for(lambda asked: len(asked) == 2)
        (delivered,) = desk.json("deliveries")
        assert (delivered["state"], delivered["attempts"]) == ("delivered", 2)
        assert delivered["next_attempt_at"] is None
        first, second = receiver.asked
        assert told(receiver) == [("water", WATER.title)] * 2
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivered["id"]
        assert first.body == second.body
        assert second.headers["x-desk"] == "7"


def test_what_matched_is_said_with_its_place(desk, pages, receiver, watch):
    pages["/outlet"] = feed([WATER])
    watch({"water": rule("water", notify=["desk"], title="Water!")}, baseline=False)
    desk.call("once")
    (asked,) = receiver.asked
    message = json.loads(asked.body)
    assert message.keys() == {"type", "timestamp", "data"}
    data = message["data"]
    assert (data["rule"]["id"], data["rule"]["title"]) == ("water", "Water!")
    assert [(term["field"], term["start"], term["text"]) for term in data["terms"]] == [
        ("title", 0, "Water"),
        ("body", 9, "water"),
    ]
    assert "water" in data["snippet"].casefold()


def test_a_test_is_signed_and_marked_and_tells_what_came_back(desk, pages, receiver, watch):
    watch({"water": rule("water")})
    called = desk.call("endpoints", "test", "desk")
    assert "desk took the sample: it answered 204" in called.out
    (asked,) = receiver.asked
    message = Webhook(SECRET).verify(asked.body.decode(), dict(asked.headers))
    assert message["type"] == "alert.test"
    assert message["data"]["test"] is True
    assert "did you mean desk?" in desk.call("endpoints", "test", "desc", status=2).err


def test_a_test_that_fails_is_said_and_strictly_a_failure(desk):
    with LocalServer(lambda _: None) as mute:
        desk.write(
            service(),
            network(),
            source("outlet", "http://127.0.0.1:9/"),
            endpoint("mute", mute.address),
            rules={"water": rule("water")},
        )
        assert "mute: the sample was not delivered" in desk.call("endpoints", "test", "mute").out
        (answer,) = json.loads(desk.call("endpoints", "test", "mute", "--strict", "--json", status=1).out)
    assert (answer["endpoint"], answer["delivered"], answer["status"]) == ("mute", False, None)


def test_no_secret_is_ever_said_or_kept(desk, pages, outlets):
    key = base64.b64encode(b"planted-signing-key-of-the-desk").decode()
    environ = {"DESK_TOKEN": "planted-token-from-the-environment"}
    planted = [key, "planted-"]
    pages["/outlet"] = feed([WATER])
    (desk.folder / "phone.secret").write_text(f"whsec_{key}\n")
    with LocalServer(lambda _: Reply(status=500)) as broken, LocalServer(lambda _: None) as mute:
        desk.write(
            service(),
            network(),
            source("outlet", f"{outlets.address}/outlet", baseline=False, interval="1s"),
            endpoint(
                "desk",
                f"{broken.address}/hooks/planted-path?token=planted-query",
                secret=f"whsec_{key}",
                headers={"Authorization": "Bearer ${DESK_TOKEN}"},
            ),
            endpoint("phone", f"{mute.address}/planted-path", secret_file="phone.secret"),
            endpoint("nowhere", "http://127.0.0.1:9/planted-path"),
            endpoint("refused", "http://10.0.0.1/planted-path"),
            rules={"water": rule("water", notify=["desk", "phone", "nowhere", "refused"])},
        )
        calls = [
            desk.call("--log-level", "debug", *words, **environ)
            for words in (
                ["once", "--all"],
                ["deliveries"],
                ["deliveries", "--json"],
                ["endpoints"],
                ["endpoints", "--json"],
                ["endpoints", "test", "desk"],
            )
        ]
        with desk.running(**environ):
            polls = len(outlets.asked)
            outlets.wait_for(lambda asked: len(asked) > polls + 1)
        assert broken.asked[0].headers["authorization"] == "Bearer planted-token-from-the-environment"
    desk.config.write_text(desk.config.read_text().replace(f"whsec_{key}", f"whsec_{key}*"))
    wrong = desk.call("check", status=2, **environ)
    assert "config.toml:" in wrong.err
    said = [call.out + call.err for call in (*calls, wrong)] + [desk.log.read_text(), dump(desk)]
    said += [path.read_text() for path in (desk.folder / "feeds").iterdir()]
    assert "Traceback" not in "".join(said)
    for text in said:
        assert [secret for secret in planted if secret in text] == []


def dump(desk):
    """Return everything that the database keeps, as text."""
    with closing(sqlite3.connect(desk.database)) as db:
        tables = [
            name
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if name != "items_fts"  # has what the tables behind it have
        ]
        rows = (row for table in tables for row in db.execute(f'SELECT * FROM "{table}"'))
        texts = [
            value.decode(errors="replace") if isinstance(value, bytes) else str(value)
            for row in rows
            for value in row
        ]
    assert WATER.title in texts
    return "\n".join(texts)
