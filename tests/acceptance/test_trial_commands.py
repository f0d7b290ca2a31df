"""The commands by which a rule is trusted before it goes live, as their user runs them."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.desk import Desk, endpoint, eventually, network, rule, service, source
from tests.outlets import Article, LocalServer, Pages, Reply, feed

NOW = datetime.now(UTC).replace(microsecond=0)
WEST = Article(
    link="https://wire.example/1",
    title="Water in the west",
    text="There is water for 40 days.",
    published=NOW - timedelta(hours=3),
)
EAST = Article(link="https://wire.example/2", title="Rain in the east", text="No water has been lost.")
RAIL = Article(link="https://bugle.example/3", title="Поезд в Астану", text="Новый поезд везёт воду.")
FINDING_KEYS = ["id", "source", "title", "link", "published", "evidence", "snippet", "score"]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A desk with three items of two outlets, those of the wire in a baseline. Tests leave it as it is."""
    pages = Pages({"/wire": feed([WEST, EAST]), "/bugle": feed([RAIL])})
    desk = Desk(folder=tmp_path_factory.mktemp("told"))
    with LocalServer(pages.answer) as outlets, LocalServer(lambda _: Reply()) as receiver:
        desk.write(
            service(),
            network(),
            source("wire", f"{outlets.address}/wire", language="en"),
            source("bugle", f"{outlets.address}/bugle", baseline=False, language="ru"),
            endpoint("desk", receiver.address),
            rules={
                "water": "query = '''\n  water AND\n  west\n'''\nnotify = [\"desk\"]\n",
                "rail": rule("поезд", "trains", notify=["desk"]),
            },
        )
        desk.call("once")
    return desk


@pytest.fixture
def desk(told, tmp_path):
    """Return a copy of that, to change."""
    shutil.copytree(told.folder, tmp_path, dirs_exist_ok=True)
    return Desk(folder=tmp_path)


def item(desk, title):
    """Return an item's id, as a word of a command line."""
    (found,) = (each["id"] for each in desk.json("items") if each["title"] == title)
    return str(found)


def untouched(desk, *words):
    """Run a command that must write nothing; return what it did."""
    before = contents(desk)
    called = desk.call(*words)
    assert contents(desk) == before
    return called


def contents(desk):
    with closing(sqlite3.connect(desk.database)) as db:
        tables = ("rules", "matches", "alerts", "deliveries", "feeds", "installation")
        return [db.execute(f"SELECT * FROM {table}").fetchall() for table in tables]


# -- explain


def test_a_match_is_explained(told):
    words = ("explain", item(told, WEST.title), "water")
    called = untouched(told, *words)
    assert "The rule water holds for it." in called.out
    assert '  water: in the title at 0-5 "Water"' in called.out
    assert "  [Water] in the [west]" in called.out
    assert "desk: no alert on " in called.out
    assert "it was in the first document of its source, a baseline." in called.out
    found = told.json(*words)
    assert (found["holds"], found["why_not"]) == (True, None)
    assert found["stored"]["is_current"]
    assert [(each["endpoint"], each["state"], each["reason"]) for each in found["alerts"]] == [
        ("desk", "suppressed", "baseline")
    ]
    assert {(each["term"], each["field"], each["text"]) for each in found["evidence"]} == {
        ("water", "title", "Water"),
        ("water", "body", "water"),
        ("west", "title", "west"),
    }


def test_an_alert_that_was_made_is_named_with_its_delivery(told):
    found = told.json("explain", item(told, RAIL.title), "rail")
    (delivery,) = told.json("deliveries")
    (alert,) = found["alerts"]
    assert (alert["state"], alert["delivery"]) == ("alerted", delivery["id"])


def test_what_does_not_match_is_explained_in_the_query(told):
    words = ("explain", item(told, EAST.title), "water")
    out = untouched(told, *words).out
    assert "  water AND\n  [west]\n" in out
    assert "  west does not occur in title or body" in out  # and what is like it
    assert "No match is stored" in out
    why = told.json(*words)["why_not"]
    query = told.json(*words)["rule"]["query"]
    assert query[slice(*why["place"])] == why["clause"] == "west"


def test_a_score_is_explained_by_its_sum(told, tmp_path):
    draft = tmp_path / "water.toml"
    draft.write_text('[score]\nthreshold = 4\nterms = { water = 3, "title:west" = 2, "40" = -1 }\n')
    words = ("explain", item(told, WEST.title), str(draft))
    assert "Score: 3 + 2 - 1 = 4, at least 4" in told.call(*words).out
    score = told.json(*words)["score"]
    assert [(part["term"], part["weight"]) for part in score["parts"]] == [
        ("water", 3),
        ("title:west", 2),
        ("40", -1),
    ]
    below = told.call("explain", item(told, EAST.title), str(draft)).out
    assert "Score: 3, below 4" in below


def test_a_rule_that_looks_elsewhere_is_explained(told, tmp_path):
    draft = tmp_path / "water.toml"
    draft.write_text('query = "west"\nsources = ["bugle"]\n')
    words = ("explain", item(told, WEST.title), str(draft))
    assert "it looks at other sources than wire. Its query would hold." in told.call(*words).out
    assert told.json(*words)["why_not"]["reason"] == "out of scope"


def test_a_query_is_explained_without_a_rule(told):
    found = told.json("explain", item(told, WEST.title), "--query", "rule:water NOT desert")
    assert (found["holds"], found["rule"]["id"], found["stored"], found["alerts"]) == (True, None, None, [])


# -- try


def test_what_a_query_would_match_is_shown_and_nothing_is_written(told):
    called = untouched(told, "try", "--query", "water OR поезда")
    assert "  Rain in the east\n    No [water] has been lost.\n" in called.out
    assert "  [Поезд] в Астану\n" in called.out
    assert "It holds for 3 items of the last 30d." in called.out
    found = told.json("try", "--query", "water OR поезда")
    assert list(found) == ["total", "items", "per_source", "per_day"]
    assert [list(each) for each in found["items"]] == [FINDING_KEYS] * 3
    assert (found["total"], found["per_source"]) == (3, {"wire": 2, "bugle": 1})
    assert sum(found["per_day"].values()) == 3


@pytest.mark.parametrize(
    ("words", "total", "shown"),
    [
        (["--query", "water"], 2, 2),
        (["--query", "water", "--limit", "1"], 2, 1),
        (["--query", "water", "--limit", "0"], 2, 2),
        (["--query", "water", "--since", "1h"], 1, 1),
        (["--query", "water", "--source", "bugle"], 0, 0),
        (["--query", "rule:water AND west"], 1, 1),
        (["water"], 1, 1),
        (["rail"], 1, 1),
    ],
)
def test_it_is_tried_on_what_is_asked_for(words, total, shown, told):
    found = told.json("try", *words)
    assert (found["total"], len(found["items"])) == (total, shown)


def test_a_rule_file_need_not_be_live(told, tmp_path):
    draft = tmp_path / "drafts.toml"
    draft.write_text(
        '[[rule]]\nid = "water"\nquery = "rain"\n[[rule]]\nid = "both"\nquery = "rule:water OR rule:rail"\n'
    )
    assert [each["title"] for each in told.json("try", str(draft), "--rule", "water")["items"]] == [
        EAST.title
    ]
    titles = {each["title"] for each in told.json("try", str(draft), "--rule", "both")["items"]}
    assert titles == {EAST.title, RAIL.title}
    live = told.folder / "rules/water.toml"
    assert [each["title"] for each in told.json("try", str(live))["items"]] == [WEST.title]
    assert [each["title"] for each in told.json("try", "rules/water.toml")["items"]] == [WEST.title]


# -- diff


def test_what_an_edit_changes_is_shown_and_nothing_is_written(told, tmp_path):
    draft = tmp_path / "water.toml"
    draft.write_text('query = "water NOT west OR вода"\nnotify = ["desk"]\n')
    out = untouched(told, "diff", str(draft)).out
    assert f"- {item(told, WEST.title)}  " in out
    assert "    now: " in out
    assert "Rule water, of the last 30d: +2 items, -1 item, 0 as before." in out
    assert "+2 alerts that it would have made had it been live (desk 2)." in out
    found = told.json("diff", str(draft))
    assert {each["title"] for each in found["added"]["items"]} == {EAST.title, RAIL.title}
    (removed,) = found["removed"]["items"]
    assert list(removed) == [*FINDING_KEYS, "why_not"]
    assert (removed["title"], found["kept"]) == (WEST.title, 0)
    assert found["alerts"] == {"total": 2, "per_endpoint": {"desk": 2}}


def test_a_rule_that_is_as_it_was_changes_nothing_and_a_new_one_only_adds(told, tmp_path):
    same = told.json("diff", "water")
    assert (same["kept"], same["added"]["total"], same["removed"]["total"]) == (1, 0, 0)
    (tmp_path / "new.toml").write_text('query = "water"\n')
    new = told.json("diff", str(tmp_path / "new.toml"))
    assert (new["kept"], new["added"]["total"], new["removed"]["total"]) == (0, 2, 0)


# -- backfill


def test_a_new_rule_is_applied_before_the_service_has_met_it(desk):
    (desk.folder / "rules/rain.toml").write_text(rule("rain", notify=["desk"]))
    called = desk.call("backfill", "rain", "--since", "1d")
    assert "new here, so it was applied to all of the last 30 days" in called.out
    assert ", 1 of them new. No alerts." in called.out
    assert [each["title"] for each in desk.json("items", "--rule", "rain")] == [EAST.title]
    assert desk.json("diff", "rain")["kept"] == 1
    assert "rain is new or edited" not in desk.call("once").out
    assert EAST.link in (desk.folder / "feeds/rain.atom").read_text()


def test_an_edited_rule_is_applied_and_its_old_matches_end(desk):
    (desk.folder / "rules/water.toml").write_text('query = "rain"\n')
    found = desk.json("backfill", "water")
    assert list(found) == ["rule", "since", "matched", "new", "ended", "alerts"]
    assert [found[name] for name in ("matched", "new", "ended", "alerts")] == [1, 1, 1, 0]
    assert [each["title"] for each in desk.json("items", "--rule", "water")] == [EAST.title]
    assert [desk.json("backfill", "water")[name] for name in ("matched", "new", "ended")] == [1, 0, 0]


def test_a_service_that_runs_publishes_and_delivers_what_a_backfill_finds(desk):
    with LocalServer(lambda _: Reply(status=204)) as receiver:
        text = desk.config.read_text()
        before = text[text.index("[[endpoint]]") :]
        desk.config.write_text(text.replace(before, endpoint("desk", receiver.address)))
        (desk.folder / "rules/rain.toml").write_text(rule("nothing", notify=["desk"]))
        with desk.running():
            (desk.folder / "rules/rain.toml").write_text(rule("rain", "поезд", notify=["desk"]))
            assert desk.json("backfill", "rain", "--alert")["alerts"] == 2
            receiver.wait_for(lambda asked: len(asked) == 2)
            told = [json.loads(asked.body)["data"]["item"]["title"] for asked in receiver.asked]
            assert set(told) == {EAST.title, RAIL.title}
            assert eventually(lambda: EAST.link in (desk.folder / "feeds/rain.atom").read_text())
            assert desk.json("backfill", "rain", "--alert")["alerts"] == 0
            assert desk.json("backfill", "water", "--alert")["alerts"] == 1  # of the baseline
            receiver.wait_for(lambda asked: len(asked) == 3)
            assert desk.json("backfill", "water", "--alert")["alerts"] == 0


# -- what is wrong


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["explain", "999", "water"], "there is no item 999"),
        (["explain", "one", "water"], "valid integer"),
        (["explain", "1", "watr"], "did you mean water?"),
        (["explain", "1"], "give a rule or a --query"),
        (["explain", "1", "water", "--query", "water"], "give a rule or a --query"),
        (["try", "watr"], "did you mean water?"),
        (["try", "drafts/none.toml"], "drafts/none.toml: there is no such file"),
        (["try", "--query", ""], "the query is empty"),
        (["try", "--query", "water AND"], "1:10: expected"),
        (
            ["try", "--query", "rule:watr"],
            'there is no rule watr; did you mean "water"?\n    rule:watr\n    ^',
        ),
        (["try", "--query", "NOT water"], "only excludes"),
        (["try", "water", "--source", "wir"], "did you mean wire?"),
        (["try", "water", "--since", "yesterday"], "--since"),
        (["try", "water", "--rule", "water"], "--rule: is for the path of a file"),
        (["diff", "watr"], "did you mean water?"),
        (["backfill", "watr"], "did you mean water?"),
        (["backfill", "water", "--since", "soon"], "--since"),
        (["items", "rule:query"], "there is no rule query"),
        (["items", '"water'], "1:1: this quote is never closed"),
    ],
)
def test_a_wrong_command_line_exits_with_2_and_says_why(words, said, told):
    assert said in told.call(*words, status=2).err


def test_a_mistake_in_a_file_is_shown_where_it_is(told, tmp_path):
    draft = tmp_path / "draft.toml"
    draft.write_text("query = '''\n  water AND\n  (west OR\n'''\n")
    for word in ("try", "diff"):
        err = told.call(word, str(draft), status=2).err
        assert f"{draft}:3:11: expected" in err
        assert "(west OR\n              ^" in err


def test_of_a_file_with_several_rules_one_must_be_named(told, tmp_path):
    draft = tmp_path / "two.toml"
    draft.write_text('[[rule]]\nid = "a"\nquery = "rain"\n[[rule]]\nid = "b"\nquery = "west"\n')
    assert "name one: a, b" in told.call("try", str(draft), status=2).err
    assert "there is no 'c'" in told.call("try", str(draft), "--rule", "c", status=2).err


def test_alerts_to_nobody_are_refused(desk):
    (desk.folder / "rules/rain.toml").write_text(rule("rain"))
    assert "names no endpoint" in desk.call("backfill", "rain", "--alert", status=2).err
