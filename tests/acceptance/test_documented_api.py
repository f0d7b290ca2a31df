"""What docs/api.md shows of the API is what it answers; its commands and its program run as they stand."""

import json
import os
import re
import subprocess
import sys
import time

import pytest

from syndicate.model import TokenScope
from syndicate.web import access, tries
from syndicate.web.api import deliveries, fields, trials
from syndicate.web.api.routes import BASE, operations
from tests.api import program
from tests.contract.making import HOUR, entry
from tests.dashboard import configuration, dashboard
from tests.documents import DOCS, block_named, blocks_of, codes, rows, section

PAGE = DOCS / "api.md"
SOURCES = """
[[source]]
id = "steppe-wire"
url = "https://steppe-wire.example/rss"

[[endpoint]]
id = "desk"
url = "https://desk.example/hook"
"""
RULES = {"central-asia": 'keywords = ["Central Asia"]\nnotify = ["desk"]\n'}
WAIT_SECONDS = 30.0


@pytest.fixture
def desk(tmp_path):
    with dashboard(configuration(tmp_path, sources=SOURCES, rules=RULES)) as view:
        view.clock.forward(24 * HOUR)
        link = "https://steppe-wire.example/trade/timetable"
        title = "Five railways of Central Asia agree on one timetable"
        view.report("steppe-wire", entry("one", title, guid=link, link=link, language="en"))
        yield view


@pytest.fixture
def api(desk):
    with program(desk) as asking:
        yield asking


def environment(api):
    token = api.found.headers["Authorization"].removeprefix("Bearer ")
    return {
        "PATH": os.environ["PATH"],
        "API": f"{api.found.base_url}{BASE}".replace("//api", "/api"),
        "TOKEN": token,
    }


def shape(value):
    """Return the names in a JSON value, without its texts and numbers; of a list, those of its first."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return [shape(part) for part in value[:1]] if isinstance(value, list) else None


COMMANDS = [block for block in blocks_of(PAGE) if block.kind == "sh" and "curl" in block.text]
ANSWERS = [block for block in blocks_of(PAGE) if block.kind.startswith("json ")]


@pytest.mark.parametrize("block", COMMANDS, ids=str)
def test_every_command_shown_runs_and_gets_an_answer(api, block):
    done = subprocess.run(
        ["bash", "-euc", block.text],
        env=environment(api),
        capture_output=True,
        check=False,
        timeout=WAIT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in json.loads(done.stdout)


def test_commands_are_shown_for_everything_that_is_changed():
    shown = " ".join(block.text for block in COMMANDS)
    assert all(
        f"$API{path}" in shown for path in ("/test", "/sources/steppe-wire/refresh", "/deliveries/replay")
    )


@pytest.mark.parametrize("block", ANSWERS, ids=str)
def test_every_answer_shown_has_the_names_of_the_real_one(api, block):
    path, shown = block.kind.removeprefix("json "), json.loads(block.text)
    if path == "/deliveries/replay":
        real = api.post(path, {"endpoint": "desk", "since": "1h"})
    else:
        real = api.get(path, shown.get("status", 200))
    assert shape(real) == shape(shown)
    if "errors" in shown:
        assert real == shown


def test_the_program_that_follows_prints_what_is_new_and_that_alone(tmp_path, desk, api):
    script = tmp_path / "follow.py"
    script.write_text(block_named("follow.py:").text.replace("time.sleep(5)", "time.sleep(0.05)"))
    printed = tmp_path / "printed.txt"
    until = time.monotonic() + WAIT_SECONDS
    with printed.open("wb") as out:
        process = subprocess.Popen([sys.executable, str(script)], env=environment(api), stdout=out)
    try:
        while not printed.read_bytes():  # it has to have begun before there is anything new
            assert process.poll() is None
            assert time.monotonic() < until
            desk.report("steppe-wire", entry(f"{time.monotonic()}", "Water in Central Asia"))
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    assert set(printed.read_text().splitlines()) == {"central-asia Water in Central Asia"}


def test_what_can_be_asked_is_as_said(desk):
    named = {
        (codes(asked)[0], codes(scope)[0]) for asked, _, scope in rows(PAGE.read_text().split("## Tokens")[0])
    }
    paths = [(each, re.sub(r"\{(.*?)\}", r"<\1>", each.path)) for each in operations(desk)]
    there = {(f"{each.method} {path}", each.scope.value) for each, path in paths}
    assert named == there


def test_the_scopes_are_as_said():
    said = [codes(row[0])[0] for row in rows(section(PAGE, "Tokens"))]
    assert said == list(TokenScope)


def test_the_bounds_are_as_said():
    text = " ".join(PAGE.read_text().split())
    assert f"a `limit` ({fields.USUAL}, at most {fields.MOST})" in text
    assert f"and for {deliveries.MOST_REPLAYED:,} at most" in text
    assert (
        f"longer than {access.MAX_SECONDS:g} seconds, or has more than {access.MAX_BYTES // 1024**2} MiB"
        in text
    )
    assert f"More than {tries.MOST_FAILED} wrong tokens a minute" in text
    assert f"or {tries.MOST_FAILED_IN_ALL} from all" in text
    assert (trials.SECONDS, trials.AT_ONCE, trials.LONGEST.days) == (5, 2, 366)
