"""What the commands print, and the status they exit with."""

import json
import re
import shutil
import socket
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.desk import SYNDICATE, Desk, endpoint, environment, network, rule, service, source
from tests.outlets import Article, LocalServer, Pages, Reply, feed

ITEM_KEYS = [
    "id",
    "source",
    "guid",
    "title",
    "link",
    "language",
    "published",
    "first_seen",
    "story",
    "matches",
]
DELIVERY_KEYS = ["id", "endpoint", "alerts", "state", "attempts", "next_attempt_at"]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
PUBLISHED = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A desk with two items of two outlets, one alerted; one outlet fails. Tests leave it as it is."""
    water = Article(
        link="https://wire.example/1", guid="wire-1", title="Water in the west", published=PUBLISHED
    )
    rail = Article(link="https://bugle.example/2", title="Поезд в Астану", text="Новый поезд.")
    pages = Pages({"/wire": feed([water]), "/bugle": feed([rail]), "/broken": Reply(status=500)})
    desk = Desk(folder=tmp_path_factory.mktemp("told"))
    with LocalServer(pages.answer) as outlets, LocalServer(lambda _: Reply()) as receiver:
        desk.write(
            service(),
            network(),
            source("wire", f"{outlets.address}/wire", baseline=False),
            source("bugle", f"{outlets.address}/bugle", baseline=False, language="ru"),
            source("broken", f"{outlets.address}/broken"),
            endpoint("desk", receiver.address),
            rules={"water": rule("water", notify=["desk"]), "rail": rule("поезд", "trains")},
        )
        desk.call("once")
    return desk


def titles(desk, *words):
    return {item["title"] for item in desk.json("items", *words)}


def test_items_are_listed_with_exactly_these_keys(told):
    items = {item["source"]: item for item in told.json("items")}
    assert [list(item) for item in items.values()] == [ITEM_KEYS] * 2
    wire, bugle = items["wire"], items["bugle"]
    assert isinstance(wire["id"], int)
    assert (wire["guid"], wire["link"]) == ("wire-1", "https://wire.example/1")
    assert datetime.fromisoformat(wire["published"]) == PUBLISHED
    assert TIME.fullmatch(wire["published"])
    assert TIME.fullmatch(wire["first_seen"])
    assert (wire["matches"], bugle["matches"]) == (["water"], ["rail"])
    assert (bugle["guid"], bugle["published"], bugle["language"]) == (None, None, "ru")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["west water"], {"Water in the west"}),
        (['"west water"'], set()),
        (["ПОЕЗД", "--rule", "rail"], {"Поезд в Астану"}),
        (["--source", "wire"], {"Water in the west"}),
        (["--since", "2h"], {"Поезд в Астану"}),
        (["--limit", "1"], {"Поезд в Астану"}),
    ],
)
def test_items_are_found(words, found, told):
    assert titles(told, *words) == found


def test_deliveries_say_which_alerts_and_how_far_they_are(told):
    (delivery,) = told.json("deliveries")
    assert list(delivery)[: len(DELIVERY_KEYS)] == DELIVERY_KEYS
    (item,) = told.json("items", "--rule", "water")
    assert delivery["alerts"] == [{"rule": "water", "item": item["id"]}]
    assert delivery["id"].startswith("msg_")
    values = [delivery[name] for name in ("endpoint", "state", "attempts", "next_attempt_at")]
    assert values == ["desk", "delivered", 1, None]


def test_sources_say_how_each_is(told):
    sources = {each["id"]: each for each in told.json("sources")}
    assert {name: each["state"] for name, each in sources.items()} == {
        "wire": "ok",
        "bugle": "ok",
        "broken": "failing",
    }
    assert "500" in sources["broken"]["last_error"]
    assert [sources[name]["items"] for name in ("wire", "broken")] == [1, 0]


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("items", "Water in the west"),
        ("sources", "broken"),
        ("deliveries", "delivered"),
        ("endpoints", "desk"),
    ],
)
def test_people_get_tables(word, shown, told):
    called = told.call(word)
    assert shown in called.out
    assert called.err == ""


def test_once_exits_with_0_when_a_source_fails_and_with_1_if_that_is_strictly_a_failure(told, tmp_path):
    shutil.copytree(told.folder, tmp_path, dirs_exist_ok=True)
    desk = Desk(folder=tmp_path)  # whose outlets are gone by now
    called = desk.call("once", "--all")
    assert "Polled: 3 sources: 3 failed." in called.out
    polls = json.loads(desk.call("once", "--all", "--json", "--strict", status=1).out)
    assert {poll["source"]: poll["state"] for poll in polls} == dict.fromkeys(
        ("wire", "bugle", "broken"), "failed"
    )
    assert all(poll["error"] for poll in polls)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["items", "--rule", "watr"], "did you mean water?"),
        (["items", "--since", "yesterday"], "--since"),
        (["poll"], "No such command"),
    ],
)
def test_a_wrong_command_line_exits_with_2(words, said, told):
    assert said in told.call(*words, status=2).err


def test_check_names_every_problem_of_every_file_by_its_line(desk):
    desk.write(
        "[service]",  # 1
        'titel = "Desk"',  # 2
        "[[source]]",  # 3
        'id = "wire"',  # 4
        'url = "ftp://wire.example/"',  # 5
        rules={
            "water": 'keywords = ["water"]\nnotify = ["desk"]\n',
            "rail": 'keywords = ["rail"]\n\n[examples]\nmatch = ["A train."]\n',
        },
    )
    called = desk.call("check", status=2)
    problems = re.findall(r"^(.+):(\d+): (.+)$", called.err, re.MULTILINE)
    assert [(Path(file).name, line) for file, line, _ in problems] == [
        ("config.toml", "2"),
        ("config.toml", "5"),
        ("rail.toml", "4"),
        ("water.toml", "2"),
    ]
    assert 'did you mean "title"?' in problems[0][2]
    assert called.out == ""
    as_json = json.loads(desk.call("check", "--json", status=2).out)
    assert [[str(each[key]) for key in ("file", "line", "problem")] for each in as_json] == [
        list(problem) for problem in problems
    ]
    for word in ("once", "run"):
        assert desk.call(word, status=2).err == called.err
    assert not desk.database.exists()


def test_check_is_content_with_what_is_right(told):
    assert "no problems: 3 sources, 2 rules, 1 endpoint." in told.call("check").out
    assert told.json("check") == []


def test_a_configuration_that_is_not_there_exits_with_2(desk):
    assert "config.toml" in desk.call("check", status=2).err


def test_the_environment_names_the_configuration_and_overrides_it(told, tmp_path):
    other = tmp_path / "elsewhere/other.db"
    done = subprocess.run(
        [*SYNDICATE, "items", "--json"],
        cwd=tmp_path,
        env=environment(SYNDICATE_CONFIG=str(told.config), SYNDICATE_SERVICE__DATABASE=str(other)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == []
    assert other.exists()
    assert "SYNDICATE_SERVICE__DATABSE" in told.call("check", status=2, SYNDICATE_SERVICE__DATABSE="x").err


def test_what_cannot_be_done_exits_with_1_and_says_what_to_do(told, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        called = told.call("run", status=1, SYNDICATE_SERVICE__LISTEN=where)
        assert f"{where} cannot be listened on" in called.err
    (tmp_path / "file").touch()
    called = told.call("items", status=1, SYNDICATE_SERVICE__DATABASE=str(tmp_path / "file/news.db"))
    assert "check [service] database" in called.err


def test_a_database_of_a_newer_version_is_left_alone(told, tmp_path):
    newer = tmp_path / "newer.db"
    shutil.copy(told.database, newer)
    with closing(sqlite3.connect(newer)) as db, db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('syndicate', 'm9999_later', '2030-01-01')"
        )
    before = newer.read_bytes()
    called = told.call("once", status=1, SYNDICATE_SERVICE__DATABASE=str(newer))
    assert "newer Syndicate (it has m9999_later)" in called.err
    assert newer.read_bytes() == before


def test_without_a_command_it_tells_what_there_is():
    done = subprocess.run(SYNDICATE, capture_output=True, text=True, env=environment(), check=False)
    said = done.stdout + done.stderr
    for word in ("run", "once", "check", "items", "sources", "deliveries", "endpoints", "demo"):
        assert word in said
