"""What docs/hosting.md shows works as it is: real servers serve the folder as it says, rsync copies it."""

import gzip
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from syndicate.feeds.publish import write
from syndicate.web.app import FEED_TYPES
from tests.desk import eventually
from tests.documents import DOCS, block_named, blocks_of, codes, rows, section
from tests.outlets import LocalServer, Reply
from tests.support import require

HOSTING = DOCS / "hosting.md"
TOKEN = "9f2c4e6a8b0d1f3a"
LONG = "Вода и водоканал. " * 200
FILES = {
    **{f"feeds/water{suffix}": f"water as {suffix}: {LONG}".encode() for suffix in FEED_TYPES},
    "feeds/index.html": f"<p>All feeds. {LONG}</p>".encode(),
    "feeds/index.opml": f"<opml>{LONG}</opml>".encode(),
    "feeds/water/100-1.atom": f"page 1: {LONG}".encode(),
    f"feeds/{TOKEN}/health.atom": f"health: {LONG}".encode(),
}
HALF = "feeds/.water.atom.0123456789abcdef.tmp"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that has feeds/ in it."""
    for name, body in FILES.items():
        write(tmp_path / name, body)
    (tmp_path / HALF).write_bytes(b"half")
    (tmp_path / "config.toml").write_bytes(b"secret")
    return tmp_path


def free_port() -> int:
    with LocalServer(lambda _: Reply()) as server:
        return int(server.address.rpartition(":")[2])


@contextmanager
def running(*command: object, port: int, **environ: str) -> Iterator[str]:
    """Run a server in the foreground; yield its address once it answers."""
    words = [str(word) for word in command]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env={**os.environ, **environ})
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, process.stderr and process.stderr.read()
        try:
            return bool(httpx.get(f"{address}/none", trust_env=False).status_code)
        except httpx.TransportError:
            return False

    try:
        eventually(answers)
        yield address
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture
def nginx(folder: Path) -> Iterator[str]:
    program = require("nginx", "apt-get install nginx-light")
    port = free_port()
    shown = block_named("etc/nginx/conf.d/news.conf").text
    server = shown.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("/srv/news", str(folder))
    assert server.count(str(folder)) == server.count(f"127.0.0.1:{port}") == 1
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/temporary;" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""  # the folder of a test is its owner's alone
    whole = folder / "nginx.conf"
    whole.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log stderr; {user} events {{}}\n"
        f"http {{ access_log off; {temporary}\n{server}}}\n"
    )
    with running(program, "-c", whole, "-p", folder, "-e", "stderr", port=port) as address:
        yield address


@pytest.fixture
def caddy(folder: Path) -> Iterator[str]:
    program = require("caddy", "apt-get install caddy")
    port = free_port()
    shown = block_named("etc/caddy/Caddyfile").text
    site = shown.replace("news.example.org {", f"http://127.0.0.1:{port} {{").replace(
        "/srv/news", str(folder)
    )
    assert site.count(str(folder)) == site.count(f"127.0.0.1:{port}") == 1
    whole = folder / "Caddyfile"
    whole.write_text(f"{{\nadmin off\n}}\n{site}")
    words = [program, "run", "--config", whole, "--adapter", "caddyfile"]
    with running(*words, port=port, HOME=str(folder), XDG_DATA_HOME=str(folder)) as address:
        yield address


@pytest.fixture(params=["nginx", "caddy"])
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    address = request.getfixturevalue(request.param)
    headers = {"Accept-Encoding": "identity", "Host": "news.example.org"}
    if request.param == "caddy":
        del headers["Host"]  # it serves the site by its name alone
    with httpx.Client(base_url=address, trust_env=False, headers=headers) as client:
        yield client


def test_a_server_of_files_serves_the_folder_as_the_built_in_one_does(client):
    for name, body in FILES.items():
        plain = client.get(f"/{name}")
        assert (plain.status_code, plain.content) == (200, body), name
        assert plain.headers["content-type"].lower() == FEED_TYPES[Path(name).suffix], name
        assert plain.headers["cache-control"] == "no-cache", name
        assert plain.headers["x-content-type-options"] == "nosniff", name

        with client.stream("GET", f"/{name}", headers={"Accept-Encoding": "gzip"}) as zipped:
            sent = b"".join(zipped.iter_raw())
        assert (zipped.headers["content-encoding"], gzip.decompress(sent)) == ("gzip", body), name
        assert "accept-encoding" in zipped.headers["vary"].lower(), name

        for encoding, first in (("identity", plain), ("gzip", zipped)):
            known = {"If-None-Match": first.headers["etag"], "Accept-Encoding": encoding}
            again = client.get(f"/{name}", headers=known)
            assert (again.status_code, again.content) == (304, b""), (name, encoding)
        dated = client.get(f"/{name}", headers={"If-Modified-Since": plain.headers["last-modified"]})
        assert dated.status_code == 304, name
        assert client.head(f"/{name}").headers["content-type"] == plain.headers["content-type"], name

    listing = client.get("/feeds/")
    assert (listing.status_code, listing.content) == (200, FILES["feeds/index.html"])
    assert listing.headers["content-type"].lower() == FEED_TYPES[".html"]


def test_a_server_of_files_lists_no_folder_and_shows_nothing_else(client):
    paths = (f"/feeds/{TOKEN}/", "/feeds/water/", f"/{HALF}", "/config.toml", "/", "/feeds/..%2fconfig.toml")
    for path in paths:
        response = client.get(path)
        assert response.status_code in (400, 403, 404), path
        assert "health" not in response.text
        assert "secret" not in response.text


def copied(folder: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Return what the command for rsync did, to a folder of this machine."""
    require("rsync", "apt-get install rsync")
    command = block_named("publish.sh").text.replace("news.example.org:/srv/news/feeds/", f"{target}/")
    assert command.count(str(target)) == 1
    words = ["sh", "-c", command.replace("rsync ", "rsync --itemize-changes ")]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_rsync_brings_what_is_published_and_takes_away_what_is_not(folder, tmp_path_factory):
    target = tmp_path_factory.mktemp("there") / "feeds"
    target.mkdir()
    (target / ".htaccess").write_text("theirs")
    published = {name.removeprefix("feeds/") for name in FILES}
    assert copied(folder, target).returncode == 0
    assert names(target) == published | {".htaccess"}
    water = target / "water.atom"
    assert water.stat().st_mtime_ns == (folder / "feeds/water.atom").stat().st_mtime_ns
    assert water.stat().st_mode & 0o777 == 0o644

    assert copied(folder, target).stdout == ""  # nothing is sent twice

    (folder / f"feeds/{TOKEN}/health.atom").unlink()
    (folder / f"feeds/{TOKEN}").rmdir()
    write(folder / "feeds/water.atom", b"another")
    assert copied(folder, target).returncode == 0
    assert names(target) == published - {f"{TOKEN}/health.atom"} | {".htaccess"}
    assert water.read_bytes() == b"another"
    assert not (target / TOKEN).exists()


def test_rsync_does_not_empty_the_other_side_where_nothing_was_published(folder, tmp_path_factory):
    target = tmp_path_factory.mktemp("there")
    copied(folder, target)
    before = names(target)
    (folder / "feeds/index.opml").unlink()
    assert copied(folder, target).returncode != 0
    assert names(target) == before


def test_the_workflow_refuses_secret_addresses_and_no_others(folder):
    workflow = yaml.safe_load(block_named(".github/workflows/news.yml").text)
    steps = workflow["jobs"]["publish"]["steps"]
    (refuse,) = (step["run"] for step in steps if "Refuse" in step.get("name", ""))
    place = steps.index(next(step for step in steps if step.get("run") == refuse))
    assert "once" in steps[place - 1]["run"]
    assert "upload-pages-artifact" in steps[place + 2]["uses"]

    def status() -> int:
        return subprocess.run(
            ["bash", "-e", "-c", refuse], cwd=folder, check=False, capture_output=True
        ).returncode

    assert status() == 1
    (folder / f"feeds/{TOKEN}/health.atom").unlink()
    (folder / f"feeds/{TOKEN}").rmdir()
    assert status() == 0  # the pages of an archive are no secret
    (folder / "feeds/water/100-1.atom").unlink()
    (folder / "feeds/water").rmdir()
    assert status() == 0


AWS = """#!/bin/sh
printf '%s|' "$@" >> asked
echo >> asked
"""


def test_s3_is_sent_each_kind_with_its_type(folder):
    (folder / "aws").write_text(AWS)
    (folder / "aws").chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    command = ["sh", "-c", block_named("publish-s3.sh").text]

    subprocess.run(command, cwd=folder, env={"PATH": path}, check=True)
    asked = [line.split("|") for line in (folder / "asked").read_text().splitlines()]
    types = {
        words[words.index("--include") + 1].removeprefix("*"): words[words.index("--content-type") + 1]
        for words in asked
    }
    assert types == FEED_TYPES
    assert {tuple(words[:4]) for words in asked} == {("s3", "sync", "feeds/", "s3://news.example.org/feeds/")}

    (folder / "feeds/index.opml").unlink()
    assert subprocess.run(command, cwd=folder, env={"PATH": path}, check=False).returncode == 1
    assert len((folder / "asked").read_text().splitlines()) == len(asked)


def test_the_types_are_those_of_the_built_in_server():
    named = {codes(row[0])[0]: codes(row[1])[0] for row in rows(section(HOSTING, "Hosting the folder"))[6:]}
    assert named == {suffix: full.partition(";")[0] for suffix, full in FEED_TYPES.items()}


def test_where_only_files_are_served_no_hub_of_ours_is_named():
    blocks = [tomllib.loads(block.text) for block in blocks_of(HOSTING) if block.kind == "toml"]
    assert [block["feeds"]["hub"] for block in blocks] == [False, False]
    assert blocks[1]["feeds"]["health"] is False
    assert re.fullmatch(r"https://[a-z.]+/news", blocks[1]["service"]["base_url"])
