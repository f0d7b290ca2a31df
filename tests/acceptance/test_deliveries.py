"""Deliveries: by a service that is killed, sent again when asked, verified by other people's code."""

import json
import random
import re
import signal
import sqlite3
import subprocess
import time
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from tests.desk import Desk, endpoint, eventually, network, rule, service, source
from tests.outlets import Article, Asked, LocalServer, Reply, feed
from tests.support import node_modules, require

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW_SECRET = "whsec_c2VjcmV0IG9mIHRoZSBwaG9uZSwgbG9uZyBlbm91Z2g="
NPM_PACKAGE = "standardwebhooks@1.1.1"


def articles(count: int, name: str = "outlet") -> list[Article]:
    return [
        Article(link=f"https://{name}.example/{number}", title=f"Water no. {number}", text="Of water.")
        for number in range(count)
    ]


def write(
    desk: Desk, outlets: LocalServer, *endpoints: str, notify: list[str], told: list[str] | None = None
) -> None:
    """Write a configuration whose outlet's first document is news, polled once an hour."""
    desk.write(
        service(notify=told or []),
        network(),
        source("outlet", f"{outlets.address}/outlet", baseline=False),
        *endpoints,
        rules={"water": rule("water", notify=notify)},
    )


# --------------------------------------------------------------------------- killed


@dataclass
class Receiver:
    """Takes what is sent, some only at the second or third try, and takes a few milliseconds for it."""

    chance: random.Random
    taken: list[Asked] = field(default_factory=list)
    refused: list[Asked] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)

    def answer(self, asked: Asked) -> Reply | None:
        delivery = asked.headers["webhook-id"]
        self.tries[delivery] += 1
        Webhook(SECRET).verify(asked.body.decode(), dict(asked.headers))  # or nothing is answered, ever
        if self.tries[delivery] < 3 and self.chance.random() < 0.1:
            self.refused.append(asked)
            # A second failure that does not say when to come again would take five minutes.
            busy = Reply(status=503, headers={"retry-after": "1"})
            return busy if self.tries[delivery] > 1 else self.chance.choice([None, busy])
        self.taken.append(asked)
        return Reply(status=200, body=b"thanks", pause_seconds=0.004)


def kill_delivering(desk: Desk, receiver: LocalServer, chance: random.Random) -> None:
    """Start the service, and kill it while it delivers."""
    before = len(receiver.asked)
    process = desk.start()
    try:
        wanted = before + chance.randint(1, 30)
        eventually(lambda: len(receiver.asked) >= wanted or process.poll() is not None)
        time.sleep(chance.uniform(0, 0.02))  # the moment itself, not a wait for something
    finally:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, desk.log.read_text()[-3000:]
    said = desk.log.read_text()
    assert "Traceback" not in said
    assert "level=error" not in said


def test_nothing_is_lost_and_no_id_changes_however_often_it_is_killed_while_it_delivers(
    desk, pages, outlets, slow
):
    rounds = 200 if slow else 12
    chance, answering = random.Random(20261127), Receiver(chance=random.Random(3))
    names = [f"outlet-{number}" for number in range(-(-rounds // 4))]
    for name in names:
        pages[f"/{name}"] = feed(articles(100, name))
    with LocalServer(answering.answer) as receiver:
        desk.write(
            service(),
            network(host_concurrency=8),
            *(source(name, f"{outlets.address}/{name}", baseline=False, interval="24h") for name in names),
            endpoint("desk", f"{receiver.address}/desk", secrets=[NEW_SECRET, SECRET]),
            endpoint("phone", f"{receiver.address}/phone", secret=SECRET),
            rules={"water": rule("water", notify=["desk", "phone"])},
        )
        for _ in range(rounds):
            kill_delivering(desk, receiver, chance)
        assert desk.json("deliveries", "--state", "waiting"), "there was nothing left to deliver"
        with desk.running():
            eventually(lambda: not desk.json("deliveries", "--state", "waiting"), seconds=300)
        check(desk, answering, 100 * len(names))


def check(desk: Desk, receiver: Receiver, items: int) -> None:
    """Check what arrived against what is recorded."""
    deliveries = desk.json("deliveries", "--limit", "1000000")
    assert {delivery["state"] for delivery in deliveries} == {"delivered"}
    about = Counter((one["endpoint"], one["alerts"][0]["item"]) for one in deliveries)
    assert len(about) == 2 * items
    assert set(about.values()) == {1}
    contents: defaultdict[str, set[tuple[str, bytes]]] = defaultdict(set)
    for asked in (*receiver.taken, *receiver.refused):
        contents[asked.headers["webhook-id"]].add((asked.path, asked.body))
    assert {len(some) for some in contents.values()} == {1}
    taken = {asked.headers["webhook-id"] for asked in receiver.taken}
    assert taken == contents.keys() == {delivery["id"] for delivery in deliveries}
    assert max(receiver.tries.values()) > 1, "nothing was sent twice, so nothing was shown"


# --------------------------------------------------------------------------- sent again


def test_a_dead_letter_is_found_looked_at_and_sent_again(desk, pages, outlets):
    pages["/outlet"] = feed(articles(2))
    replies = {"/desk": Reply(status=500, body=b"no room\x1b[31m"), "/phone": Reply(status=204)}
    with LocalServer(lambda asked: replies[asked.path]) as receiver:
        endpoints = [
            endpoint(name, f"{receiver.address}/{name}", secret=SECRET) for name in ("desk", "phone")
        ]
        write(desk, outlets, *endpoints, notify=["desk", "phone"])
        desk.call("once")
        bury(desk)
        one, two = desk.json("deliveries", "--dead")
        assert {one["endpoint"], two["endpoint"]} == {"desk"}
        shown = desk.call("deliveries", "show", one["id"]).out
        assert "answered 500 after" in shown
        assert "    no room[31m\n" in shown
        replies["/desk"] = Reply(status=204)
        assert (
            "2 deliveries are due now"
            in desk.call("deliveries", "replay", "--endpoint", "desk", "--since", "1h", "--dead").out
        )
        assert "2 delivered" in desk.call("once").out
        bodies = defaultdict(set)
        signatures = defaultdict(set)
        for asked in receiver.at("/desk"):
            bodies[asked.headers["webhook-id"]].add(asked.body)
            signatures[asked.headers["webhook-id"]].add(asked.headers["webhook-timestamp"])
            Webhook(SECRET).verify(asked.body.decode(), dict(asked.headers))
        assert bodies.keys() == {one["id"], two["id"]}
        assert {len(some) for some in bodies.values()} == {1}
        again = desk.json("deliveries", "show", one["id"])
        assert [attempt["status"] for attempt in again["attempts"]] == [500, 204]
        assert again["delivery"]["state"] == "delivered"
        delivered = desk.json("deliveries", "--endpoint", "phone")[0]["id"]
        assert "1 delivery is due now" in desk.call("deliveries", "replay", delivered).out
        desk.call("once")
        assert Counter(asked.headers["webhook-id"] for asked in receiver.at("/phone"))[delivered] == 2


def test_the_feed_of_health_serves_dead_letters_until_they_are_sent_again(desk, pages, outlets):
    pages["/outlet"] = feed(articles(2))
    reply = [Reply(status=500)]
    with LocalServer(lambda asked: reply[0]) as receiver:
        write(desk, outlets, endpoint("desk", f"{receiver.address}/desk"), notify=["desk"])
        desk.call("once")
        bury(desk)
        with desk.running() as address:
            health = desk.json("feeds")[-1]
            assert (health["id"], health["is_listed"]) == ("health", False)
            shown = desk.call("feeds").out.splitlines()
            assert [line.split()[0] for line in shown] == ["id", "water", "all", "health", "The"]
            assert "who knows its address" in shown[3]
            assert shown[3].endswith(health["atom"])

            def served() -> list[dict[str, Any]]:
                answer = httpx.get(f"{address}/feeds/{health['json'].partition('/feeds/')[2]}")
                assert answer.headers["content-type"].startswith("application/feed+json")
                return list(answer.json()["items"])

            assert [each["title"] for each in served()] == ["Endpoint desk: a delivery was given up"] * 2
            reply[0] = Reply(status=204)
            desk.call("deliveries", "replay", "--endpoint", "desk", "--since", "1h", "--dead")
            eventually(lambda: not served())


def bury(desk: Desk) -> None:
    """Make dead letters of what waits, as three days of failures would."""
    with closing(sqlite3.connect(desk.database)) as db, db:
        db.execute("UPDATE deliveries SET state = 'dead', next_attempt_at = NULL WHERE state = 'waiting'")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "msg_nobody"], "there is no delivery msg_nobody; `deliveries` lists those there are"),
        (["replay", "msg_nobody"], "there is no delivery msg_nobody"),
        (["replay"], "give ids, or --endpoint and --since"),
        (["replay", "msg_nobody", "--endpoint", "desk"], "give ids, or --endpoint and --since"),
        (["replay", "msg_nobody", "--dead"], "go with --endpoint"),
        (["replay", "--endpoint", "desk"], "say how far back"),
        (["replay", "--endpoint", "dask", "--since", "1h"], "did you mean desk?"),
        (["replay", "--endpoint", "desk", "--since", "1h", "--dead", "--state", "waiting"], "--dead is"),
        (["--endpoint", "dask"], "did you mean desk?"),
    ],
)
def test_what_cannot_be_shown_or_replayed_is_said(desk, pages, outlets, words, said):
    write(desk, outlets, endpoint("desk", "http://127.0.0.1:1/"), notify=["desk"])
    called = desk.call("deliveries", *words, status=2)
    assert said in " ".join(called.err.split())


def test_there_may_be_nothing_to_replay(desk, pages, outlets):
    write(desk, outlets, endpoint("desk", "http://127.0.0.1:1/"), notify=["desk"])
    called = desk.call("deliveries", "replay", "--endpoint", "desk", "--since", "1h")
    assert called.out == "There is nothing to replay.\n"


# --------------------------------------------------------------------------- endpoints


def test_a_disabled_endpoint_is_told_of_shown_and_gets_everything_when_it_is_enabled(desk, pages, outlets):
    pages["/outlet"] = feed(articles(3))
    replies = {"/desk": Reply(status=410), "/phone": Reply(status=204)}
    with LocalServer(lambda asked: replies[asked.path]) as receiver:
        endpoints = [endpoint(name, f"{receiver.address}/{name}") for name in ("desk", "phone")]
        write(desk, outlets, *endpoints, notify=["desk"], told=["desk", "phone"])
        with desk.running():
            (begun,) = told(receiver, 1)
            assert (begun["data"]["endpoint"], begun["data"]["state"]) == ({"id": "desk"}, "begun")
            desk_now = desk.json("endpoints")[0]
            assert (desk_now["state"], desk_now["waiting"], desk_now["taken"]) == ("disabled", 3, 0)
            assert "answered 410" in desk_now["reason"]
            asked = len(receiver.at("/desk"))
            replies["/desk"] = Reply(status=204)
            held = desk.json("deliveries", "--endpoint", "desk")
            called = desk.call("deliveries", "replay", held[0]["id"])
            assert "desk is disabled: what is for it waits until `endpoints enable desk`." in called.out
            shown = desk.call("deliveries", "show", held[0]["id"]).out
            for said in (shown, desk.call("deliveries").out):
                assert "desk is disabled: what is for it waits until `endpoints enable desk`." in said
            assert "next attempt" not in shown
            assert len(receiver.at("/desk")) == asked
            called = desk.call("endpoints", "enable", "desk")
            assert called.out == "desk is enabled; 3 deliveries are due now.\n"
            _, over = told(receiver, 2)
            assert (over["data"]["state"], over["data"]["since"]) == ("over", begun["data"]["since"])
            eventually(lambda: not desk.json("deliveries", "--state", "waiting"))
        assert {one["id"] for one in held} <= {each.headers["webhook-id"] for each in receiver.at("/desk")}
        assert desk.json("endpoints")[0]["state"] == "ok"
        assert desk.call("endpoints", "enable", "desk").out == "desk is not disabled.\n"


def test_an_endpoint_of_which_nobody_else_is_told_is_hinted_at_logged_and_shown(desk, pages, outlets):
    pages["/outlet"] = feed(articles(3))
    with LocalServer(lambda _: Reply(status=410)) as receiver:
        desks = [endpoint(name, f"{receiver.address}/{name}") for name in ("desk", "phone")]
        hint = "hint: config.toml: if desk is disabled, nobody is told: name a second endpoint in notify"
        write(desk, outlets, *desks, notify=["desk"], told=["desk", "phone"])
        assert "hint" not in desk.call("check").out
        write(desk, outlets, *desks, notify=["phone"], told=["desk"])
        assert "hint" not in desk.call("check").out
        write(desk, outlets, *desks, notify=["desk"], told=["desk"])
        assert hint in desk.call("check").out
        called = desk.call("once")
        assert re.search(r"error .*endpoint\.disabled .*endpoint=desk .*told=nobody", called.err)
        assert "desk: 3 deliveries wait: it is disabled until you enable it" in called.out + called.err
        table = " ".join(desk.call("endpoints").out.split())
        assert "disabled" in table
        assert "endpoints enable desk" in table
        assert of_endpoints(receiver) == []


def told(receiver: LocalServer, count: int) -> list[dict[str, Any]]:
    """Return what was told of endpoints, once it is so much."""
    receiver.wait_for(lambda _: len(of_endpoints(receiver)) >= count)
    return of_endpoints(receiver)


def of_endpoints(receiver: LocalServer) -> list[dict[str, Any]]:
    bodies = [json.loads(asked.body) for asked in receiver.at("/phone")]
    return [body for body in bodies if body["type"] == "alert.endpoint"]


def test_an_endpoint_that_hangs_holds_up_once_for_one_timeout_and_no_other(desk, pages, outlets):
    pages["/outlet"] = feed(articles(30))
    hanging = Reply(hangs=True)
    with LocalServer(lambda asked: hanging if asked.path == "/hang" else Reply(status=204)) as receiver:
        endpoints = [endpoint(name, f"{receiver.address}/{name}") for name in ("hang", "desk")]
        write(desk, outlets, *endpoints, notify=["hang", "desk"])
        called = desk.call("once")
        assert "30 delivered, 4 failed" in called.out
        assert "hang: 26 deliveries wait for the next time, as it does not answer" in called.out
        assert len(receiver.at("/hang")) == 4
        last, first = receiver.at("/desk")[-1].at, receiver.at("/hang")[0].at
        assert last - first < 10, "the others waited for the one that hangs"


# --------------------------------------------------------------------------- verified by others

VERIFY = """
const { Webhook } = require("standardwebhooks");
const asked = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const verdict = ({ secret, body, headers }) => {
  try {
    return new Webhook(secret).verify(body, headers).type;
  } catch (error) {
    return error.message;
  }
};
console.log(JSON.stringify(asked.map(verdict)));
"""


def test_signatures_are_verified_by_the_library_for_node_with_the_new_secret_and_the_old(
    desk, pages, outlets, receiver
):
    node, modules = require("node", "apt-get install nodejs"), node_modules(NPM_PACKAGE)
    pages["/outlet"] = feed(articles(1))
    write(
        desk,
        outlets,
        endpoint("desk", f"{receiver.address}/desk", secrets=[NEW_SECRET, SECRET]),
        endpoint("phone", f"{receiver.address}/phone", secret=SECRET),
        notify=["desk", "phone"],
    )
    desk.call("once")
    (both,), (one,) = receiver.at("/desk"), receiver.at("/phone")
    cases = [
        case(both, NEW_SECRET),
        case(both, SECRET),
        case(one, SECRET),
        case(one, NEW_SECRET),
        {**case(one, SECRET), "body": one.body.decode().replace("Water", "Fire")},
    ]
    done = subprocess.run(
        [node, "-e", VERIFY],
        input=json.dumps(cases),
        env={"NODE_PATH": str(modules)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    refused = "No matching signature found"
    assert json.loads(done.stdout) == ["alert.match", "alert.match", "alert.match", refused, refused]


def case(asked: Asked, secret: str) -> dict[str, Any]:
    return {"secret": secret, "body": asked.body.decode(), "headers": dict(asked.headers)}
