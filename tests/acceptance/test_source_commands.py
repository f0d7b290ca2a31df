"""The commands about sources, as their user runs them."""

import json
import os
import re
import subprocess
from contextlib import suppress
from xml.etree import ElementTree

import pytest

from tests.desk import Desk, environment, eventually, network, rule, service, source
from tests.opml_check import mistakes
from tests.outlets import Article, Pages, Reply, feed

HTML = {"content-type": "text/html; charset=utf-8"}
WATER = Article(link="https://outlet.example/1", title="Water in the west", text="There is water.")
RULES = {"water": rule("water")}
PAGE = """<!doctype html><html><head><title>The Outlet: home</title>
<link rel="alternate" type="application/rss+xml" href="/comments/feed" title="Comments">
<link rel="alternate" type="application/rss+xml" href="/feed" title="Articles">
</head><body>News</body></html>"""
LIST = """<?xml version="1.0" encoding="utf-8"?>
<opml version="2.0"><head><title>Mine</title></head><body>
  <outline text="Central Asia">
    <outline type="rss" text="The Outlet" xmlUrl="{address}/feed"/>
    <outline type="rss" text="Вести" xmlUrl="http://vesti.example/rss" category="russian,daily"/>
  </outline>
  <outline type="rss" text="Vesti again" xmlUrl="https://vesti.example/rss/"/>
  <outline type="rss" text="Old" xmlUrl="ftp://old.example/"/>
</body></opml>
"""


@pytest.fixture
def site(pages: Pages, outlets):
    """Return the address of a site with a page that names two feeds."""
    pages["/"] = Reply(headers=HTML, body=PAGE.encode())
    pages["/feed"] = feed([WATER])
    pages["/comments/feed"] = feed([Article(link="https://outlet.example/c", title="Nice")])
    return outlets.address


@pytest.fixture
def first(desk: Desk) -> Desk:
    """Return a desk without sources."""
    desk.write(service(), network(), rules=RULES)
    return desk


@pytest.fixture
def watched(desk: Desk, site: str) -> Desk:
    """Return a desk with a source, polled once, and one that is asleep."""
    asleep = source("asleep", "https://asleep.example/feed", enabled=False)
    desk.write(service(), network(), source("wire", f"{site}/feed", tags=["a", "b"]), asleep, rules=RULES)
    desk.call("once")
    return desk


# -- discover


def test_what_could_be_watched_is_listed_the_best_first(first, site):
    before = first.config.read_text()
    called = first.call("sources", "discover", site)
    lines = called.out.splitlines()
    assert f"{site}/feed " in lines[1]
    assert "RSS 2.0" in lines[1]
    assert "named by the page" in lines[1]
    found = first.json("sources", "discover", site)
    assert list(found) == ["address", "requests", "found", "tried"]
    assert [each["url"] for each in found["found"]] == [f"{site}/feed", f"{site}/comments/feed"]
    assert first.config.read_text() == before
    assert not first.database.exists()


def test_where_there_is_nothing_to_watch_that_is_said(first, site, pages):
    pages["/"] = Reply(headers=HTML, body=b"<html>Hello</html>")
    pages.pop("/feed")
    assert "Nothing to watch was found" in first.call("sources", "discover", site).out
    err = first.call("sources", "add", site, status=1).err
    assert "Nothing to watch was found" in err
    assert "addresses were looked at" in err


# -- after an edit that nobody has taken over


@pytest.mark.parametrize(("edit", "state"), [("enabled", "disabled"), ("gone", "removed")])
def test_a_source_that_is_polled_no_longer_is_shown_so_at_once(watched, site, edit, state):
    wire = source("wire" if edit == "enabled" else "other", f"{site}/feed", enabled=False)
    watched.write(service(), network(), wire, rules=RULES)
    (status,) = [each for each in watched.json("sources") if each["id"] == "wire"]
    assert (status["state"], status["next_poll_at"], status["items"]) == (state, None, 1)


# -- on a terminal


def test_no_word_is_broken_on_a_narrow_terminal(watched, site, pages):
    pages.pop("/feed")
    both = source("wire", f"{site}/feed", f"{site}/comments/feed")
    watched.write(service(), network(), both, rules=RULES)
    watched.call("once", "--all")
    listed = on_terminal(watched, "sources", columns=80)
    assert listed.startswith("wire  working, at another address\n")
    assert f"\n  {site}/feed: the server answered 404\n" in listed
    found = on_terminal(watched, "sources", "discover", f"{site}/comments/feed", columns=50)
    assert f"{site}/comments/feed\n  An outlet: RSS 2.0, 1 entry" in found


def test_a_wide_terminal_shows_a_table(watched):
    titles, wire, _ = on_terminal(watched, "sources", columns=300).splitlines()
    assert " ".join(titles.split()) == "id state items a day last success next poll spent"
    assert wire.startswith("wire ")


def on_terminal(desk: Desk, *words: str, columns: int) -> str:
    """Return what a command says to a terminal, without colours."""
    ours, theirs = os.openpty()
    done = subprocess.Popen(
        [*desk.command, "--config", str(desk.config), *words],
        env=environment(COLUMNS=str(columns), TERM="xterm"),
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    with suppress(OSError):  # EIO at its end
        while part := os.read(ours, 4096):
            said += part
    os.close(ours)
    assert done.wait(60) == 0, said
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode()).replace("\r\n", "\n")


# -- add


def test_a_source_is_added_and_nothing_else_in_the_file_changes(first, site):
    before = first.config.read_text() + "\n# the end"
    first.config.write_text(before)
    words = ("--tag", "asia", "--tag", "daily", "--tag", "asia", "--interval", "30m", "--full-text")
    trial = first.call("sources", "add", site, *words, "--dry-run")
    assert first.config.read_text() == before
    called = first.call("sources", "add", site, *words)
    after = first.config.read_text()
    table = after.removeprefix(before + "\n\n")
    assert table == (
        f'[[source]]\nid = "an-outlet"\ntitle = "An outlet"\nurl = "{site}/feed"\ninterval = "30m"\n'
        'tags = ["asia", "daily"]\nfull_text = true\n'
    )
    assert table in trial.out
    assert table in called.out
    assert "Nothing was written." in trial.out
    line = before.count("\n") + 3
    assert f"1 source added to {first.config}, line {line}." in called.out
    assert "Polled: 1 source: 1 read." in first.call("once").out


def test_what_was_added_is_told_as_json(first, site):
    added = first.json("sources", "add", f"{site}/feed", "--id", "wire")
    assert (added["source"]["id"], added["source"]["urls"]) == ("wire", [f"{site}/feed"])
    assert (added["found"]["via"], added["written"]) == ("given", True)
    assert [each["id"] for each in first.json("sources")] == ["wire"]


def test_a_source_that_is_there_is_refused_and_named(watched, site):
    before = watched.config.read_text()
    best = f"The best at {site}/ is {site}/feed, which is there already, as wire. Nothing was changed."
    assert best in watched.call("sources", "add", site, status=1).err
    given = watched.call("sources", "add", f"{site}/feed", status=1)
    assert f"{site}/feed is there already, as wire. Nothing was changed." in given.err
    taken = watched.call("sources", "add", site, "--id", "wire", status=2).err
    assert f"wire is taken by wire, {site}/feed" in taken
    assert watched.config.read_text() == before


def test_a_service_that_runs_takes_a_new_source_over(watched, site, pages):
    pages["/ru/feed"] = feed([Article(link="https://outlet.example/2", title="Water in the east")])
    with watched.running():
        watched.call("sources", "add", f"{site}/ru/feed", "--id", "ru")
        eventually(lambda: "config.reloaded" in watched.log.read_text())
        eventually(lambda: "source=ru" in watched.log.read_text())
        assert eventually(lambda: watched.json("items", "--source", "ru"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "outlet.example", "--id", "No Id"], "is no id"),
        (["add", "outlet.example", "--interval", "30"], "needs a unit"),
        (["add", "ftp://outlet.example"], "must begin with http"),
        (["discover", "http://user@outlet.example"], "user name"),
        (["import", "nowhere.opml"], "nowhere.opml can't be read"),
        (["show", "wir"], "did you mean wire?"),
        (["refresh", "wir"], "did you mean wire?"),
        (["refresh"], "name sources, or give --all"),
        (["refresh", "wire", "--all"], "name sources, or give --all"),
        (["discover"], "Missing argument"),
    ],
)
def test_a_wrong_command_line_exits_with_2_and_says_why(watched, words, said):
    assert said in watched.call("sources", *words, status=2).err


def test_a_mistake_that_an_addition_would_make_is_shown_and_nothing_is_written(first, site):
    before = first.config.read_text()
    err = first.call("sources", "add", site, "--interval", "90d", status=2).err
    assert "interval: must be between 1s and 30d (as it would be; nothing was changed)" in err
    first.config.write_text(before + "[servic]\n")
    assert 'did you mean "service"?' in first.call("sources", "add", site, status=2).err


def test_an_address_that_may_not_be_asked_is_said(first):
    first.write(service(), rules=RULES)
    assert "refused" in first.call("sources", "discover", "http://127.0.0.1:9/", status=1).err


# -- refresh and show


def test_a_refreshed_source_is_due_and_a_service_polls_it(watched, outlets):
    called = watched.call("sources", "refresh", "wire")
    assert "wire: due now" in called.out
    assert "No service runs: `once` polls what is due." in called.out
    assert "Polled: 1 source" in watched.call("once").out
    with watched.running():
        asked = len(outlets.at("/feed"))
        assert "The service polls what is due." in watched.call("sources", "refresh", "wire").out
        outlets.wait_for(lambda _: len(outlets.at("/feed")) > asked)


def test_what_cannot_be_refreshed_says_why(watched):
    found = {each["id"]: each for each in watched.json("sources", "refresh", "--all")}
    assert (found["wire"]["due"], found["asleep"]["due"]) == (True, False)
    assert found["asleep"]["state"] == "disabled"
    watched.config.write_text(watched.config.read_text() + source("new", "https://new.example/"))
    out = watched.call("sources", "refresh", "asleep", "new").out
    assert "asleep: is disabled" in out
    assert "new: is new, and polled first when the configuration is taken over" in out


def test_everything_known_of_a_source_is_shown(watched, site):
    out = watched.call("sources", "show", "wire").out
    for part in ("wire: wire", "answered 200", "Configured as", 'tags = ["a", "b"]', f"Address {site}/feed"):
        assert part in out
    assert "Water in the west  [water]" in out
    shown = watched.json("sources", "show", "wire")
    assert list(shown) == ["configuration", "status", "document", "addresses", "items"]
    assert shown["configuration"]["tags"] == ["a", "b"]
    assert (shown["status"]["id"], shown["status"]["items"]) == ("wire", 1)
    assert shown["document"] == {"title": "An outlet", "link": "https://outlet.example/"}
    assert [(each["url"], each["state"]) for each in shown["addresses"]] == [(f"{site}/feed", "ok")]
    assert [each["title"] for each in shown["items"]] == ["Water in the west"]


def test_a_source_that_fails_or_was_never_polled_or_is_configured_no_longer_is_shown(watched, pages):
    pages["/feed"] = Reply(status=500)
    watched.call("once", "--all")
    failing = watched.call("sources", "show", "wire").out
    assert "last error    the server answered 500" in failing
    assert "error         the server answered 500" in failing
    assert "last poll     never" in watched.call("sources", "show", "asleep").out
    watched.write(service(), network(), source("other", "https://other.example/"), rules=RULES)
    assert "It is configured no longer" in watched.call("sources", "show", "wire").out
    assert watched.json("sources", "show", "wire")["configuration"] is None


# -- lists


def test_a_list_is_imported_with_its_folders_as_tags_and_a_word_on_each_feed(watched, site):
    path = watched.folder / "mine.opml"
    path.write_text(LIST.format(address=site))
    before = watched.config.read_text()
    trial = watched.call("sources", "import", str(path), "--tag", "mine", "--dry-run").out
    assert watched.config.read_text() == before
    out = watched.call("sources", "import", "mine.opml", "--tag", "mine").out
    assert trial.splitlines()[:-2] == out.splitlines()[:-2]
    assert "+ vesti: Вести, http://vesti.example/rss [Central Asia, russian, daily, mine]" in out
    assert f"= line 4: The Outlet ({site}/feed) is there already, as wire" in out
    assert "= line 7: Vesti again (https://vesti.example/rss/) is listed twice, and was added as vesti" in out
    assert "! line 8: Old xmlUrl must begin with http:// or https://: ftp://old.example/" in out
    assert "1 source added to" in out
    assert "2 skipped, 1 of no use." in out
    added = watched.config.read_text().removeprefix(before)
    assert added == (
        '\n[[source]]\nid = "vesti"\ntitle = "Вести"\nurl = "http://vesti.example/rss"\n'
        'tags = ["Central Asia", "russian", "daily", "mine"]\n'
    )


def test_a_list_is_imported_from_an_address_and_from_standard_input(first, site, pages):
    text = LIST.format(address=site)
    pages["/mine.opml"] = Reply(headers={"content-type": "text/x-opml"}, body=text.encode())
    trial = first.json("sources", "import", f"{site}/mine.opml", "--dry-run")
    assert list(trial) == ["file", "line", "written", "added", "skipped", "unusable"]
    assert [each["id"] for each in trial["added"]] == ["outlet", "vesti"]
    assert not trial["written"]
    done = subprocess.run(
        [*first.command, "--config", str(first.config), "sources", "import", "-", "--json"],
        input=text,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert json.loads(done.stdout) == trial | {"written": True}
    assert [each["id"] for each in first.json("sources")] == ["outlet", "vesti"]


def test_what_is_no_list_is_refused(watched, site, pages):
    (watched.folder / "bad.opml").write_text("<opml><body><outline")
    assert (
        "an OPML list that can't be read to its end"
        in watched.call("sources", "import", "bad.opml", status=1).err
    )
    assert "its root is <rss>" in watched.call("sources", "import", f"{site}/feed", status=1).err
    assert "the server answered 404" in watched.call("sources", "import", f"{site}/none", status=1).err


def test_a_list_goes_out_and_comes_in_as_it_was(watched, site, tmp_path_factory):
    watched.call("sources", "add", f"{site}/comments/feed", "--id", "comments", "--tag", "a", "--tag", "x/y")
    called = watched.call("sources", "export")
    assert "The tag 'x/y' is left out" in called.err
    assert mistakes(called.out.encode()) == []
    body = ElementTree.fromstring(called.out.encode()).find("body")
    assert body is not None
    assert [[outline.get("text") for outline in folder] for folder in body] == [["wire", "An outlet"]]
    written = watched.folder / "out.opml"
    watched.call("sources", "export", "--output", "out.opml")
    assert written.read_text() == called.out
    other = Desk(folder=tmp_path_factory.mktemp("other"))
    other.write(service(), network(), rules=RULES)
    other.call("sources", "import", str(written))
    assert other.call("sources", "export").out == called.out


def test_a_list_that_cannot_be_written_is_said(watched):
    (watched.folder / "file").touch()
    err = watched.call("sources", "export", "--output", "file/out.opml", status=1).err
    assert "out.opml could not be written" in err
