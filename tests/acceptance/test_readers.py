"""Real feed readers subscribe to a served feed: they show each entry once, and ask politely."""

import json
import re
import sqlite3
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.desk import Desk, eventually, network, rule, service, source
from tests.outlets import Article, Asked, LocalServer, Reply, feed
from tests.support import ROOT, require, unavailable

LOCK = Path(__file__).with_name("reader.lock")
NOT_RELAYED = ("connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding")

READ_AND_LIST = """
import json, sys
import reader

database, address = sys.argv[1:]
subscriptions = reader.make_reader(database)
subscriptions.add_feed(address, exist_ok=True)
subscriptions.update_feed(address)
print(json.dumps([entry.title for entry in subscriptions.get_entries()]))
"""

Read = Callable[[str], list[str]]  # asks a feed once; returns the titles of all entries seen so far


@pytest.fixture(scope="session")
def reader_python() -> Path:
    """Return the Python that has the package `reader`: set up once, then there without the network."""
    folder = ROOT / ".venv/readers" / sha256(f"{LOCK.read_text()} {sys.version}".encode()).hexdigest()[:16]
    python, stamp = folder / "bin/python", folder / "stamp"
    if not stamp.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--clear", folder], check=True)
        pip = next(ROOT.glob("tools/pip-*.whl")) / "pip"
        words = ["install", "-qq", "--no-input", "--disable-pip-version-check", "--require-hashes"]
        constraint = ["--build-constraint", str(ROOT / "requirements-build.lock")]
        command = [str(python), "-I", str(pip), *words, "-r", str(LOCK), *constraint]
        if subprocess.run(command, check=False).returncode:
            unavailable("the package reader", "it needs the network, this once; pip's words are above")
        stamp.touch()
    return python


@pytest.fixture
def newsboat(tmp_path: Path) -> Read:
    program, home = require("newsboat", "apt-get install newsboat"), tmp_path / "home"
    home.mkdir()
    for name in ("urls", "config"):
        (home / name).touch()
    files = ["-u", f"{home}/urls", "-C", f"{home}/config", "-c", f"{home}/cache.db"]

    def read(address: str) -> list[str]:
        (home / "urls").write_text(f"{address}\n")
        environ = {"HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
        subprocess.run([program, *files, "-x", "reload"], env=environ, check=True, timeout=60)
        with closing(sqlite3.connect(home / "cache.db")) as db:
            return [title for (title,) in db.execute("SELECT title FROM rss_item WHERE deleted = 0")]

    return read


@pytest.fixture
def package_reader(tmp_path: Path, reader_python: Path) -> Read:
    def read(address: str) -> list[str]:
        command = [str(reader_python), "-c", READ_AND_LIST, str(tmp_path / "reader.db"), address]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60)
        titles: list[str] = json.loads(done.stdout)
        return titles

    return read


@pytest.fixture(params=["newsboat", "package_reader"])
def read(request: pytest.FixtureRequest) -> Read:
    chosen: Read = request.getfixturevalue(request.param)
    return chosen


@dataclass
class Relay:
    """What stands before the service as a proxy would, and sees what readers ask and get."""

    behind: str = ""
    statuses: list[int] = field(default_factory=list)

    def answer(self, asked: Asked) -> Reply:
        headers = {name: value for name, value in asked.headers.items() if name not in NOT_RELAYED}
        with closing(HTTPConnection(urlsplit(self.behind).netloc, timeout=30)) as connection:
            connection.request("GET", asked.path, headers=headers)
            response = connection.getresponse()
            self.statuses.append(response.status)
            fields = {
                name.lower(): value
                for name, value in response.getheaders()
                if name.lower() not in NOT_RELAYED
            }
            return Reply(status=response.status, headers=fields, body=response.read())


@dataclass
class Outlet:
    """An outlet's articles, newest first."""

    articles: list[Article] = field(default_factory=list)

    def publish(self, *titles: str) -> None:
        for title in titles:
            number = len(self.articles)
            link = f"https://outlet.example/{number}"
            published = datetime.now(UTC) - timedelta(days=1) + timedelta(minutes=number)
            article = Article(link=link, guid=link, title=title, text=title, published=published)
            self.articles.insert(0, article)

    def answer(self, _: Asked) -> Reply:
        return feed(self.articles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A service that runs, the outlet it watches, and where readers reach its feed."""

    outlet: Outlet
    relay: Relay
    address: str

    def wait_until_served(self, text: str) -> None:
        def is_served() -> bool:
            with urllib.request.urlopen(f"{self.relay.behind}/feeds/water.atom") as response:
                return text.encode() in response.read()

        eventually(is_served)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    outlet, relay, desk = Outlet(), Relay(), Desk(folder=tmp_path)
    outlet.publish("Water in the west", "Су туралы", "Football", "Вода и водоканал", "Water & <power>")
    with LocalServer(outlet.answer) as outlets, LocalServer(relay.answer) as relays:
        desk.write(
            service(base_url=relays.address),
            network(),
            source("outlet", outlets.address, interval="1s"),
            rules={"water": rule("water", "вода", "су", title="Water, вода, су")},
        )
        with desk.running() as relay.behind:
            scene = Scene(outlet=outlet, relay=relay, address=f"{relays.address}/feeds/water.atom")
            scene.wait_until_served("Water in the west")
            yield scene


def test_a_reader_shows_every_entry_once_and_asks_again_only_for_what_changed(read: Read, scene: Scene):
    first = ["Water in the west", "Су туралы", "Вода и водоканал", "Water & <power>"]
    assert Counter(read(scene.address)) == Counter(first)

    assert Counter(read(scene.address)) == Counter(first)  # newsboat keeps no validators of its first time
    scene.relay.statuses.clear()
    assert Counter(read(scene.address)) == Counter(first)
    assert scene.relay.statuses == [304]

    articles = scene.outlet.articles
    place = next(place for place, each in enumerate(articles) if each.title == "Water in the west")
    articles[place] = replace(articles[place], title="Water in the west, corrected")
    scene.outlet.publish("Water in the east", "More football", "Су тағы да")
    for text in ("corrected", "in the east", "тағы"):
        scene.wait_until_served(text)

    scene.relay.statuses.clear()
    later = Counter(["Water in the west, corrected", *first[1:], "Water in the east", "Су тағы да"])
    assert Counter(read(scene.address)) == later
    assert Counter(read(scene.address)) == later
    assert scene.relay.statuses == [200, 304]


def test_the_lock_names_no_host():
    assert re.findall(r"://|^\s*-(?!-hash=)\S*|[ /]index", LOCK.read_text(), re.MULTILINE) == []
