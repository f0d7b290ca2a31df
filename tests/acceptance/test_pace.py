"""A burst of alerts, at each pace that an endpoint can ask for; and through SIGKILL."""

import json
import signal
import sys
import time
from collections import defaultdict
from dataclasses import replace
from itertools import count
from threading import Event
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.desk import Desk, endpoint, eventually, network, rule, service, source
from tests.outlets import Article, Asked, LocalServer, Reply, feed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def article(number: int, words: str = "Water") -> Article:
    return Article(link=f"https://outlet.example/{number}", title=f"{words} no. {number}")


def items(message: dict[str, Any]) -> list[str]:
    """Return the titles of what a webhook tells of."""
    if message["type"] == "alert.summary":
        assert message["data"]["left_out"] == 0
        return [title for each in message["data"]["alerts"] for title in items(each)]
    return [message["data"]["item"]["title"]]


def told(receiver: LocalServer) -> list[list[str]]:
    """Return what each webhook that arrived tells of, after verifying it."""
    return [
        items(Webhook(SECRET).verify(asked.body.decode(), dict(asked.headers))) for asked in receiver.asked
    ]


def _given(keys: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in keys.items() if value is not None}


@pytest.fixture
def burst(desk, pages, outlets, receiver):
    """Poll an outlet that has a baseline, and then five articles at once, to an endpoint with these keys."""

    def poll(number: int = 5, **keys: object) -> None:
        desk.write(
            service(),
            network(),
            source("outlet", f"{outlets.address}/outlet", tags=["kz"]),
            endpoint("desk", f"{receiver.address}/desk", **_given({"secret": SECRET} | keys)),
            rules={
                "water": rule("water", notify=["desk"]),
                "flood": rule("flood", notify=["desk"], urgent=True),
            },
        )
        pages["/outlet"] = feed([article(0, "Nothing")])
        desk.call("once")
        pages["/outlet"] = feed([article(each) for each in range(number, 0, -1)])
        desk.call("once", "--all")

    return poll


def titles(*numbers: int) -> list[str]:
    return [f"Water no. {number}" for number in numbers]


def test_without_a_pace_each_alert_is_told_at_once(burst, receiver):
    burst()
    assert sorted(told(receiver)) == [titles(number) for number in range(1, 6)]


def test_a_group_is_told_together(burst, receiver):
    burst(group_by=["rule"], group_wait="0s")
    assert told(receiver) == [titles(1, 2, 3, 4, 5)]


def test_a_group_that_waits_is_held_and_says_until_when(burst, desk, receiver):
    burst(group_by=["rule"], group_wait="1h")
    assert told(receiver) == []
    deliveries = desk.json("deliveries")
    assert {each["state"] for each in deliveries} == {"held"}
    assert len(desk.json("deliveries", "--state", "held")) == 5
    assert all(each["next_attempt_at"] > each["created_at"] for each in deliveries)


def test_an_hour_that_is_full_ends_in_a_summary(burst, receiver):
    burst(max_per_hour=3)
    assert sorted(told(receiver), key=lambda each: (len(each), each)) == [
        titles(1),
        titles(2),
        titles(3, 4, 5),
    ]


def test_a_flood_is_one_summary_only_where_that_is_asked_for(burst, receiver):
    burst(flood_after=4)
    assert told(receiver) == [titles(1, 2, 3, 4, 5)]


def test_what_is_urgent_waits_for_nobody(burst, desk, pages, receiver):
    burst(quiet_hours=["00:00-12:00", "12:00-23:59"], digest="59 23 31 12 *", time_zone="Asia/Almaty")
    pages["/outlet"] = feed([article(6, "Flood")])
    desk.call("once", "--all")
    assert told(receiver) == [["Flood no. 6"]]
    assert len(desk.json("deliveries", "--state", "held")) == 5
    assert [each["held"] for each in desk.json("endpoints")] == [5]
    assert "0 delivered, 5 held back (`endpoints`)." in desk.call("once").out


def test_a_pace_that_is_taken_back_lets_everything_go(burst, desk, receiver):
    burst(digest="59 23 31 12 *")
    assert told(receiver) == []
    desk.config.write_text(desk.config.read_text().replace("digest", "# digest"))
    desk.call("once")
    assert sorted(told(receiver)) == [titles(number) for number in range(1, 6)]


def test_chat_is_told_of_a_flood_in_one_message(burst, receiver):
    burst(number=21, format="mattermost", secret=None)
    (asked,) = receiver.asked
    assert "21 alerts" in json.loads(asked.body)["text"]


# --------------------------------------------------------------------------- silences


def test_a_silence_keeps_alerts_untold_and_says_so(burst, desk, pages, receiver):
    burst(number=0)
    added = desk.json(
        "silence", "add", "--rule", "water", "--for", "2h", "--reason", "the summit", "--author", "ann"
    )
    assert (added["state"], added["silenced"]) == ("active", 0)
    pages["/outlet"] = feed([article(1), article(2, "Flood")])
    called = desk.call("once", "--all")
    assert "Alerts: 2 new, 1 silenced (`silence list`); deliveries: 1 delivered." in called.out
    assert told(receiver) == [["Flood no. 2"]]
    (silence,) = desk.json("silence", "list")
    assert silence["silenced"] == 1
    (item,) = desk.json("items", "water")
    assert f"silence {silence['id']} held." in desk.call("explain", str(item["id"]), "water").out
    assert "ann" in desk.call("silence", "list").out

    ended = desk.call("silence", "expire", str(silence["id"]))
    assert "1 alert was not told because of it, and will not be" in ended.out
    assert desk.call("silence", "list").out == "No silences.\n"
    assert "expired" in desk.call("silence", "list", "--expired").out
    pages["/outlet"] = feed([article(3)])
    desk.call("once", "--all")
    assert told(receiver) == [["Flood no. 2"], titles(3)]


REFUSED = [
    (["--for", "2h", "--reason", "r"], "say what is silenced"),
    (["--everything", "--rule", "water", "--for", "2h", "--reason", "r"], "say what is silenced"),
    (["--rule", "watr", "--for", "2h", "--reason", "r"], "did you mean water?"),
    (["--tag", "kx", "--for", "2h", "--reason", "r"], "there is no 'kx'"),
    (["--rule", "water", "--reason", "r"], "by one of --for and --until"),
    (
        ["--rule", "water", "--for", "2h", "--until", "2099-01-01", "--reason", "r"],
        "by one of --for and --until",
    ),
    (["--rule", "water", "--for", "0s", "--reason", "r"], "must end later than now"),
    (["--rule", "water", "--until", "2020-01-01", "--reason", "r"], "must end later than now"),
    (["--rule", "water", "--until", "tomorrow", "--reason", "r"], "is no time: write one such as"),
    (["--rule", "water", "--for", "2h", "--reason", " "], "must not be blank"),
    (["--rule", "water", "--for", "2h"], "Missing option '--reason'"),
]


def test_a_silence_that_says_too_little_or_too_much_is_refused(burst, desk):
    burst(number=0)
    for words, why in REFUSED:
        refused = desk.call("silence", "add", *words, status=2)
        assert why in " ".join(refused.err.replace("│", " ").split())
    assert desk.json("silence", "list", "--expired") == []


def test_who_has_no_name_must_say_it(burst, desk):
    burst(number=0)
    words = ["silence", "add", "--everything", "--for", "2h", "--reason", "r"]
    nobody = dict.fromkeys(["LOGNAME", "USER", "LNAME", "USERNAME"], "")
    # As in a container whose user is a mere number.
    nameless = (
        "import pwd, runpy; pwd.getpwuid = {}.__getitem__; "
        "runpy.run_module('syndicate', run_name='__main__', alter_sys=True)"
    )
    refused = replace(desk, command=(sys.executable, "-c", nameless)).call(*words, status=2, **nobody)
    assert "your user has no name here: say who wants it" in " ".join(refused.err.replace("│", " ").split())
    desk.call(*words, "--author", "ann", **nobody)
    assert [each["author"] for each in desk.json("silence", "list")] == ["ann"]


def test_only_what_holds_can_be_ended(burst, desk):
    burst(number=0)
    desk.call("silence", "add", "--everything", "--until", "2099-01-01 08:00", "--reason", "r")
    desk.call("silence", "expire", "1")
    assert "has ended already" in desk.call("silence", "expire", "1", status=2).err
    assert "there is no silence 7" in desk.call("silence", "expire", "7", status=2).err


# --------------------------------------------------------------------------- killed


def test_nothing_held_is_lost_or_told_under_two_ids_when_the_service_is_killed(desk, slow):
    numbers, is_over = count(1), Event()
    published: list[Article] = []

    def answer(asked: Asked) -> Reply:
        if not is_over.is_set():
            published.extend(article(next(numbers)) for _ in range(3))
        return feed(published[::-1])

    with LocalServer(answer) as outlet, LocalServer(lambda _: Reply(status=204)) as receiver:
        group = {"group_by": ["rule"], "group_wait": "1s", "group_interval": "2s"}
        desk.write(
            service(),
            network(),
            source("outlet", outlet.address, interval="1s", adaptive=False, baseline=False),
            endpoint("group", f"{receiver.address}/group", secret=SECRET, **group),
            endpoint("flood", f"{receiver.address}/flood", secret=SECRET, flood_after=2),
            rules={"water": rule("water", notify=["group", "flood"])},
        )
        for number in range(200 if slow else 12):
            process = desk.start()
            desk.listening(process)
            time.sleep(0.3 + 0.37 * (number % 5))  # not to wait for anything: to be killed at another moment
            process.send_signal(signal.SIGKILL)
            process.wait()
        is_over.set()
        eventually(lambda: everything_is_told(desk, len(published)))
        for path in ("/group", "/flood"):
            arrived = [asked for asked in receiver.asked if asked.path == path]
            ids_by_title, bodies_by_id = defaultdict(set), defaultdict(set)
            for asked in arrived:
                bodies_by_id[asked.headers["webhook-id"]].add(asked.body)
                for title in items(json.loads(asked.body)):
                    ids_by_title[title].add(asked.headers["webhook-id"])
            assert set(ids_by_title) == {each.title for each in published}
            assert {len(ids) for ids in ids_by_title.values()} == {1}
            assert {len(bodies) for bodies in bodies_by_id.values()} == {1}
            assert len(bodies_by_id) < len(published)


def everything_is_told(desk: Desk, articles: int) -> bool:
    """Work once more; return whether that many items are stored and nothing is under way."""
    desk.call("once", "--all")
    under_way = [desk.json("deliveries", "--state", state) for state in ("held", "waiting")]
    return under_way == [[], []] and len(desk.json("items", "--limit", "100000")) == articles
