"""`syndicate demo`, the installed command: everything works together, is shown, and ends when told to."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from tests.support import ROOT

SYNDICATE = [sys.executable, "-m", "syndicate"]
LATEST_END_SECONDS = 10


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SYNDICATE_")}
    return subprocess.Popen(
        [*SYNDICATE, "demo", *options],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def listed(folder: Path, command: str, *options: str) -> list[dict[str, object]]:
    """Return what a command says of the demo's database."""
    result = subprocess.run(
        [*SYNDICATE, "--config", str(folder / "config.toml"), command, "--json", *options],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: list[dict[str, object]] = json.loads(result.stdout)
    return found


def figure(summary: str, name: str) -> int:
    found = re.search(rf"^ *{name} +(\d+)", summary, re.MULTILINE)
    assert found, summary
    return int(found[1])


def read_until(process: subprocess.Popen[str], *wanted: str) -> str:
    """Return what a process printed until all of these words had come."""
    assert process.stdout
    read = ""
    for line in process.stdout:
        read += line
        if all(words in read for words in wanted):
            return read
    raise AssertionError(f"it ended without one of {wanted}:\n{read}")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A demo at a fast pace until everything was to be seen: where, what it printed, what it logged."""
    folder = tmp_path_factory.mktemp("demo")
    process = start(folder, "--seconds", "120", "--pace", "1s", "--folder", "shown")
    try:
        out = read_until(
            process, "at the second try", "edited an article", "ALERT Sanctions", "ALERT Central"
        )
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, err
    return folder / "shown", out + rest, err


def test_it_shows_verified_alerts_and_none_twice(played):
    _, out, err = played
    summary = out.partition("The demo is over")[2]
    assert out.count("signature verified") == figure(summary, "verified") >= 4
    assert figure(summary, "duplicates") == 0
    assert figure(summary, "alerts raised") >= figure(summary, "verified")
    for text in (out, err):
        assert "Traceback" not in text
        assert "REFUSED" not in text
        assert "could not be polled" not in text


def test_it_shows_a_retry_under_the_same_id(played):
    folder, out, _ = played
    postponed = re.search(r"answers 503 to (msg_[\w-]+)", out)
    assert postponed
    assert "signature verified, at the second try" in out
    delivery = next(each for each in listed(folder, "deliveries") if each["id"] == postponed[1])
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)


def test_it_says_what_is_published_and_why_the_first_poll_alerts_nobody(played):
    _, out, _ = played
    for words in ("Steppe Wire published: ", "Дала хабары published: ", "FEED  EU strategy: ", "baseline"):
        assert words in out
    assert out.count("polled for the first time: ") == 5
    assert out.index("polled for the first time: ") < out.index("ALERT")


def test_its_database_holds_every_item_once_in_three_languages(played):
    folder, out, _ = played
    items = listed(folder, "items", "--limit", "1000")
    languages = Counter(item["language"] for item in items)
    assert languages.keys() == {"en", "ru", "kk"}
    assert min(languages.values()) >= 10
    assert len({item["link"] for item in items}) == len(items) == figure(out, "items")


def test_its_feeds_hold_what_its_rules_match(played):
    folder, out, _ = played
    items = listed(folder, "items", "--limit", "1000")
    matches = Counter(rule for item in items for rule in item["matches"])  # type: ignore[attr-defined]
    assert figure(out, "matches") == matches.total()
    for rule in ("central-asia", "eu-strategy", "kazakhstan-transport", "water"):
        feed = (folder / "feeds" / f"{rule}.atom").read_text(encoding="utf-8")
        assert feed.count("<entry") == matches[rule] >= 3
        assert "<script" not in feed
        assert "&lt;script" not in feed
        assert "onclick" not in feed
    assert not (folder / "feeds" / "sanctions.atom").exists()
    assert matches["sanctions"] >= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_soon_and_leaves_nothing(tmp_path, number):
    process = start(tmp_path)
    try:
        out = read_until(process, "baseline)")
        address = re.search(r"Pages +(http://\S+)", out)
        folder = re.search(r"Files +(\S+)", out)
        assert address
        assert folder
        with urllib.request.urlopen(address[1], timeout=30) as response:
            assert "Степной вестник" in response.read().decode()
        told = time.monotonic()
        process.send_signal(number)
        rest, err = process.communicate(timeout=60)
        assert time.monotonic() - told < LATEST_END_SECONDS
    finally:
        process.kill()
    assert process.returncode == 0
    assert "The demo is over" in rest
    assert "Traceback" not in err
    assert not Path(folder[1]).exists()
    assert list(tmp_path.iterdir()) == []


def test_it_ends_by_itself_when_told_for_how_long(tmp_path):
    out, err = start(tmp_path, "--seconds", "1").communicate(timeout=60)
    assert "The demo ends after 1 s." in out
    assert figure(out, "items") >= 45
    assert err == ""


def test_a_folder_in_use_is_a_plain_refusal(tmp_path):
    (tmp_path / "mine.txt").touch()
    process = start(tmp_path, "--folder", ".")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.strip() == ". is not empty, and the demo overwrites nothing. Name a new folder."
