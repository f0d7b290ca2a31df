"""What README and docs show of running commands and webhooks is what they really say and send."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.documents import DOCS, block_named, blocks_of, codes, rows, section
from tests.support import ROOT

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WAIT_SECONDS = 60
FEED = b"""<rss version="2.0"><channel><title>Steppe Wire</title><item>
<guid>https://steppe-wire.example/trade/timetable</guid>
<link>https://steppe-wire.example/trade/timetable?utm_source=rss</link>
<title>Five railways of Central Asia agree on one timetable</title>
<pubDate>Mon, 23 Nov 2026 08:30:00 GMT</pubDate>
<author>Aigerim Saparbek</author><category>transport</category>
<description>The railways of &lt;b&gt;Central Asia&lt;/b&gt; publish one timetable from March.</description>
</item></channel></rss>"""
PAGE = b"""<html><head><link rel="alternate" type="application/rss+xml" href="/rss">
<link rel="alternate" type="application/rss+xml" href="/gone"></head></html>"""
LIST = """<opml version="2.0"><body><outline text="Central Asia">
<outline type="rss" text="Oasis Daily" xmlUrl="https://oasis-daily.example/rss" category="business"/>
<outline type="rss" text="Steppe Wire" xmlUrl="http://127.0.0.1:{port}/rss"/>
<outline text="An old one"/></outline></body></opml>"""
CONFIGURATION = """
[network]
allow_private = ["127.0.0.0/8"]
host_interval = "0s"

[[source]]
id = "steppe-wire"
title = "Steppe Wire"
url = "http://127.0.0.1:{port}/rss"
language = "en"
baseline = false

[[source]]
id = "failing"
url = "http://127.0.0.1:{port}/nothing"

[[endpoint]]
id = "desk"
url = "http://127.0.0.1:{endpoint_port}/"
secret = "{secret}"
"""


@dataclass
class Request:
    """What a receiver was sent."""

    headers: dict[str, str]
    body: bytes


@dataclass
class Desk:
    """A configured folder, and an outlet that is also an endpoint."""

    folder: Path
    port: int
    received: list[Request] = field(default_factory=list)

    def configure(self, endpoint_port: int) -> None:
        text = CONFIGURATION.format(port=self.port, endpoint_port=endpoint_port, secret=SECRET)
        (self.folder / "config.toml").write_text(text)

    def run(self, *words: str) -> str:
        """Return what a command prints."""
        result = subprocess.run(
            [sys.executable, "-m", "syndicate", "--log-level", "error", *words],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=WAIT_SECONDS,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout


@contextmanager
def outlet(received: list[Request]) -> Iterator[int]:
    """Serve the feed, and take what is posted; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = PAGE if self.path == "/" else FEED if self.path in ("/rss", "/other") else b""
            self.send_response(200 if body else 404)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append(Request({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """The desk after its first `once`, which is kept in `once.txt`."""
    folder = tmp_path_factory.mktemp("desk")
    received: list[Request] = []
    with outlet(received) as port:
        desk = Desk(folder=folder, port=port, received=received)
        (folder / "rules").mkdir()
        (folder / "rules/central-asia.toml").write_text(
            block_text("docs/webhooks.md", "rules/central-asia.toml") + "spike = true\n"
        )
        (folder / "list.opml").write_text(LIST.format(port=port))
        desk.configure(endpoint_port=port)
        (folder / "once.txt").write_text(desk.run("once"))
        yield desk


def block_text(page: str, name: str) -> str:
    (found,) = (block.text for block in blocks_of(ROOT / page) if block.name == name)
    return found


def shape(value: Any) -> Any:
    """Return the names in a JSON value, without its texts and numbers; of a list, those of its first."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value[:1]]
    return None


def paths(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every value in a JSON value that holds no further names."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from paths(part, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield path
        yield from paths(value[0], f"{path}[]")
    else:
        yield path


# --------------------------------------------------------------------------- what is printed


def test_the_summary_of_once_reads_as_shown(desk):
    shown = next(block.text for block in blocks_of(DOCS / "commands.md") if block.text.startswith("Polled"))
    real = (desk.folder / "once.txt").read_text().replace(str(desk.folder), "/opt/syndicate")

    def worded(text: str) -> list[str]:
        return [re.sub(r"\d+", "N", line) for line in text.splitlines()[:4]]

    assert worded(shown) == worded(real)
    assert (
        "No alerts: no rule names an endpoint. Add an [[endpoint]], and `notify = [...]` to a rule." in shown
    )


SHOWN_JSON = [block for block in blocks_of(DOCS / "commands.md") if block.kind.startswith("json ")]


WORDS_BY_KIND = {
    "json once": ["once", "--all"],
    "json items": ["items"],
    "json explain": ["explain", "1", "central-asia"],
    "json explain, not": ["explain", "1", "--query", "title:irrigation"],
    "json try": ["try", "rules/central-asia.toml", "--since", "3650d"],
    "json diff": ["diff", "rules/central-asia.toml", "--since", "3650d"],
    "json backfill": ["backfill", "central-asia"],
    "json spikes": ["spikes"],
    "json sources": ["sources"],
    "json sources discover": ["sources", "discover", "http://127.0.0.1:{port}/"],
    "json sources add": ["sources", "add", "http://127.0.0.1:{port}/other", "--tag", "a", "--dry-run"],
    "json sources refresh": ["sources", "refresh", "steppe-wire"],
    "json sources show": ["sources", "show", "steppe-wire"],
    "json sources import": ["sources", "import", "list.opml", "--dry-run"],
    "json deliveries": ["deliveries"],
    "json deliveries show": ["deliveries", "show", "{delivery}"],
    "json deliveries replay": ["deliveries", "replay", "{delivery}"],
    "json endpoints": ["endpoints"],
    "json silence add": [
        *("silence", "add", "--rule", "central-asia", "--text", "road works"),
        *("--for", "2h", "--reason", "known", "--author", "ann"),
    ],
    "json silence list": ["silence", "list"],
    "json silence expire": ["silence", "expire", "1"],
    "json endpoints test": ["endpoints", "test", "desk"],
}


def shown_json(kind: str) -> Any:
    (shown,) = (json.loads(block.text) for block in SHOWN_JSON if block.kind == kind)
    if kind == "json sources show":  # which has all that `sources` has, shown there
        (shown["status"],) = shown_json("json sources")
    return shown


@pytest.mark.parametrize("kind", WORDS_BY_KIND)
def test_json_has_the_names_shown(desk, kind):
    shown = shown_json(kind)
    (delivery,) = json.loads(desk.run("deliveries", "--json", "--limit", "1"))
    words = [word.format(port=desk.port, delivery=delivery["id"]) for word in WORDS_BY_KIND[kind]]
    printed = json.loads(desk.run(*words, "--json"))
    # Of what explains why not, the part alone is shown that the rest has nothing of.
    assert shape(printed["why_not"] if kind == "json explain, not" else printed) == shape(shown)


def test_problems_have_the_names_shown(tmp_path):
    (block,) = (block for block in SHOWN_JSON if block.kind == "json check")
    wrong = next(block for block in blocks_of(DOCS / "configuration.md") if "mistakes" in block.name)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/some-rule.toml").write_text('keywords = ["Some"]\n')
    (tmp_path / "config.toml").write_text(wrong.text)
    result = subprocess.run(
        [sys.executable, "-m", "syndicate", "check", "--json"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
        timeout=WAIT_SECONDS,
    )
    assert result.returncode == 2
    assert json.loads(result.stdout)[:1] == json.loads(block.text)


def test_every_command_that_prints_json_is_shown_doing_so():
    page = (DOCS / "commands.md").read_text()
    assert page.count("| `--json` |") == len({block.kind.partition(",")[0] for block in SHOWN_JSON})
    assert {block.kind for block in SHOWN_JSON} == {*WORDS_BY_KIND, "json check"}


def test_the_backup_without_the_tool_of_sqlite_works(desk):
    (command,) = re.findall(r"^python3 (-c .*backup.*)$", (DOCS / "operating.md").read_text(), re.MULTILINE)
    subprocess.run(
        f"{sys.executable} {command}", shell=True, cwd=desk.folder, check=True, timeout=WAIT_SECONDS
    )
    before = desk.run("items", "--json")
    kept = desk.folder / "data/syndicate.db"
    kept.rename(kept.with_name("kept.db"))
    shutil.move(desk.folder / "backup.db", kept)
    for rest in desk.folder.glob("data/syndicate.db-*"):
        rest.unlink()
    assert desk.run("items", "--json") == before != "[]\n"


# --------------------------------------------------------------------------- what is sent


def first_alert(desk: Desk) -> dict[str, Any]:
    found = (json.loads(request.body) for request in desk.received)
    return next(body for body in found if body["type"] == "alert.match")


def test_the_body_shown_is_the_one_that_is_sent(desk):
    (shown,) = (json.loads(block.text) for block in blocks_of(DOCS / "webhooks.md") if block.kind == "json")
    sent = first_alert(desk)
    for body in (shown, sent):  # what differs from day to day
        body["timestamp"] = body["data"]["item"]["first_seen"] = None
    assert shown == sent


def test_every_field_of_the_body_is_documented_and_no_other(desk):
    documented = [codes(field)[0] for field, _ in rows(section(DOCS / "webhooks.md", "Body"))]
    assert documented == list(paths(first_alert(desk)))


def test_the_headers_are_those_documented(desk):
    documented = {codes(name)[0] for name, _ in rows(section(DOCS / "webhooks.md", "Headers"))}
    framing = {"host", "accept", "accept-encoding", "content-length", "connection"}
    assert set(desk.received[0].headers) - framing == documented


# --------------------------------------------------------------------------- receivers


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def receiver(folder: Path, name: str, *interpreter: str) -> Iterator[tuple[int, Path]]:
    """Run a documented receiver as it stands; yield its port, and the file that it prints into."""
    port, printed = free_port(), folder / "printed.txt"
    (folder / name).write_text(block_named(name).text)
    with printed.open("wb") as out:
        process = subprocess.Popen(
            [*interpreter, name],
            cwd=folder,
            env=os.environ | {"DESK_SECRET": SECRET, "PORT": str(port)},
            stdout=out,
        )
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, f"{name} ended"
                assert time.monotonic() < deadline
        yield port, printed
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)


INTERPRETERS = {"receiver.py": sys.executable, "receiver.mjs": "node"}


@pytest.mark.parametrize("name", INTERPRETERS)
def test_a_receiver_takes_what_is_signed_and_refuses_the_rest(desk, tmp_path, name):
    interpreter = shutil.which(INTERPRETERS[name])
    if interpreter is None:
        pytest.skip(f"NOT TESTED, {INTERPRETERS[name]} is missing")
    with receiver(tmp_path, name, interpreter) as (port, printed):
        desk.configure(endpoint_port=port)
        (taken,) = json.loads(desk.run("endpoints", "test", "desk", "--json"))
        config = desk.folder / "config.toml"
        config.write_text(config.read_text().replace(SECRET, SECRET.replace("MfKQ", "NfKQ")))
        (refused,) = json.loads(desk.run("endpoints", "test", "desk", "--json"))
        desk.configure(endpoint_port=desk.port)
        assert (taken["status"], refused["status"]) == (204, 401)
        assert "A test of Syndicate" in printed.read_text()


@pytest.mark.parametrize("name", INTERPRETERS)
def test_a_receiver_takes_every_type_of_message(tmp_path, name):
    interpreter = shutil.which(INTERPRETERS[name])
    if interpreter is None:
        pytest.skip(f"NOT TESTED, {INTERPRETERS[name]} is missing")
    bodies = [block.text for block in blocks_of(DOCS / "webhooks.md") if block.kind.startswith("json")]
    types = [json.loads(body)["type"] for body in bodies]
    assert len(types) == 5
    assert "alert.summary" in types
    with receiver(tmp_path, name, interpreter) as (port, _):
        for number, body in enumerate(bodies):
            assert signed_post(port, f"msg_{number}", body) == 204, types[number]


def signed_post(port: int, identity: str, body: str) -> int:
    """Return what a receiver answers to a body that is signed with its secret."""
    now = datetime.now(UTC)
    headers = {
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(identity, now, body),
    }
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", body.encode(), headers)
    with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
        return int(answer.status)


def test_the_shell_tells_what_is_signed_from_the_rest(desk, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("NOT TESTED, openssl is missing")
    desk.run("endpoints", "test", "desk")
    request = desk.received[-1]
    (script,) = (block.text for block in blocks_of(DOCS / "webhooks.md") if "# verify.sh" in block.text)
    (tmp_path / "verify.sh").write_text(script)
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    values = [request.headers[name] for name in names]

    def verdict(body: bytes, *words: str) -> tuple[int, str]:
        command = ["sh", tmp_path / "verify.sh", *words]
        environ = os.environ | {"DESK_SECRET": SECRET}
        result = subprocess.run(command, input=body, env=environ, capture_output=True, check=False)
        return result.returncode, (result.stdout or result.stderr).decode().strip()

    assert verdict(request.body, *values) == (0, "genuine")
    assert verdict(request.body + b" ", *values) == (1, "not genuine")
    assert verdict(request.body, values[0], str(int(values[1]) + 1), values[2]) == (1, "not genuine")


def test_receivers_and_configuration_name_one_address_and_one_secret():
    readme = (ROOT / "README.md").read_text()
    assert 'url = "http://127.0.0.1:9000/"\nsecret_file = "desk.secret"' in readme
    assert "DESK_SECRET=$(cat desk.secret) .venv/bin/python receiver.py" in readme
    for name in INTERPRETERS:
        text = block_named(name).text
        assert all(part in text for part in ("DESK_SECRET", "9000", "127.0.0.1"))
