"""Edited files take effect while the service runs; mistakes in them change nothing."""

import json
import os
import pty
import signal
import subprocess
import urllib.request
from dataclasses import replace
from urllib.error import HTTPError

import pytest

from tests.desk import endpoint, environment, eventually, network, rule, service, source
from tests.outlets import Article, feed

WATER = Article(link="https://outlet.example/1", title="Water in the west", text="There is water.")
RAIL = Article(link="https://outlet.example/2", title="A new railway", text="It is long.")
FAILING = 'keywords = ["rail"]\n\n[examples]\nmatch = ["A steamer."]\n'


@pytest.fixture
def tables(outlets, receiver):
    return [
        service(),
        network(),
        source("outlet", f"{outlets.address}/outlet", interval="1s"),
        endpoint("desk", f"{receiver.address}/desk"),
    ]


@pytest.fixture
def served(desk, pages, tables):
    """Run the service with a rule about water; yield its address once it has polled."""
    pages["/outlet"] = feed([WATER, RAIL])
    desk.write(*tables, rules={"water": rule("water", notify=["desk"])})
    with desk.running() as address:
        eventually(lambda: "poll.read" in desk.log.read_text())
        yield address


def entries(address, name):
    """Return the published feed, None while there is none."""
    try:
        with urllib.request.urlopen(f"{address}/feeds/{name}.atom") as answer:
            return answer.read().decode()
    except HTTPError as error:
        if error.code == 404:
            return None
        raise


def titles(receiver):
    return [json.loads(asked.body)["data"]["item"]["title"] for asked in receiver.asked]


def test_a_rule_that_appears_gets_a_full_feed_without_alerts_and_alerts_of_what_comes_next(
    desk, pages, served, receiver
):
    desk.write_rule("rails", rule("railway", notify=["desk"]))
    eventually(lambda: (text := entries(served, "rails")) and RAIL.title in text)
    assert titles(receiver) == []
    pages["/outlet"] = feed([replace(RAIL, link="https://outlet.example/3", title="More railways"), WATER])
    receiver.wait_for(lambda asked: asked)
    assert titles(receiver) == ["More railways"]


@pytest.mark.parametrize(
    "mistake",
    [
        (FAILING, "example should match rule"),
        ('query = "water AND ("', "rules/water.toml:1:20: this ( is never closed"),
        ("keywords = [", "rules/water.toml:1: is not TOML"),
    ],
)
def test_a_file_with_mistakes_is_refused_and_the_old_rules_stay(desk, pages, served, receiver, mistake):
    text, said = mistake
    desk.write_rule("water", text)
    eventually(lambda: "config.refused" in desk.log.read_text())
    assert said in desk.log.read_text()
    pages["/outlet"] = feed(
        [replace(WATER, link="https://outlet.example/3", title="Water in the east"), RAIL]
    )
    receiver.wait_for(lambda asked: asked)
    assert titles(receiver) == ["Water in the east"]
    desk.write_rule("water", rule("water", "railway", notify=["desk"]))
    eventually(lambda: "config.reloaded" in desk.log.read_text())
    eventually(lambda: RAIL.title in (entries(served, "water") or ""))


def test_a_rule_that_goes_takes_its_feed_along(desk, served):
    eventually(lambda: entries(served, "water"))
    desk.write_rule("rails", rule("railway"))
    (desk.folder / "rules/water.toml").unlink()
    eventually(lambda: entries(served, "water") is None)
    eventually(lambda: entries(served, "rails"))


def test_a_new_source_is_polled_and_sighup_asks_for_it_at_once(desk, outlets, pages, served, tables):
    pages["/other"] = feed([replace(WATER, link="https://other.example/1", title="Water elsewhere")])
    desk.write(*tables, source("other", f"{outlets.address}/other"))
    os.kill(int(desk.pid.read_text()), signal.SIGHUP)
    eventually(lambda: "Water elsewhere" in (entries(served, "water") or ""))


def test_what_cannot_change_while_it_runs_is_said_and_kept(desk, served, tables):
    desk.write(service(database="data/another.db"), *tables[1:])
    eventually(lambda: "config.needs_restart settings=database" in desk.log.read_text())
    assert not (desk.folder / "data/another.db").exists()
    assert entries(served, "water")


def test_it_ends_when_its_terminal_is_closed(desk, outlets):
    desk.write(service(), network(), source("outlet", f"{outlets.address}/outlet"), rules={"a": rule("a")})
    ours, theirs = pty.openpty()
    inherited = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # not as nohup has it, should that run us
    with desk.log.open("wb") as log:
        process = subprocess.Popen(
            [*desk.command, "--config", str(desk.config)],  # without a command it runs the service
            cwd=desk.folder,
            env=environment(),
            stdin=theirs,
            stdout=log,
            stderr=log,
        )
    try:
        desk.listening(process)
        process.send_signal(signal.SIGHUP)
        try:
            status = process.wait(60)
        except subprocess.TimeoutExpired:
            pytest.fail(f"it still runs: {desk.log.read_text()}")
        assert status == 0
        assert "service.stopped" in desk.log.read_text()
    finally:
        signal.signal(signal.SIGHUP, inherited)
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


def test_a_folder_of_rules_that_is_replaced_is_read_and_so_is_what_changes_in_it_later(desk, served):
    new = desk.folder / "rules.new"
    new.mkdir()
    (new / "rails.toml").write_text(rule("railway"))
    (desk.folder / "rules").rename(desk.folder / "rules.old")
    new.rename(desk.folder / "rules")
    eventually(lambda: RAIL.title in (entries(served, "rails") or ""))
    desk.write_rule("water", rule("water"))
    eventually(lambda: WATER.title in (entries(served, "water") or ""))
