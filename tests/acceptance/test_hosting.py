"""The recipes of docs/hosting.md, with the servers and programs that they are for."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from syndicate.model.feeds import FeedSettings
from tests.documents import DOCS, blocks_of
from tests.publishing import OF_EU, desk_in
from tests.support import require

PAGE = DOCS / "hosting.md"
TYPES = {
    "eu.atom": "application/atom+xml; charset=utf-8",
    "eu.json": "application/feed+json",
    "eu.rss": "application/rss+xml; charset=utf-8",
    "eu.html": "text/html; charset=utf-8",
    "index.opml": "text/x-opml; charset=utf-8",
    "": "text/html; charset=utf-8",
    "eu/3-1.atom": "application/atom+xml; charset=utf-8",
    "0123456789abcdef/quiet.json": "application/feed+json",
}
HIDDEN = "feeds/.eu.atom.0123456789abcdef.tmp"


@pytest.fixture
def site(tmp_path) -> Path:
    """Return a folder with feeds/ in it: one with an archive, a secret one, and a file being written."""
    quiet = replace(OF_EU, id="quiet", settings=FeedSettings(token="0123456789abcdef"))
    (tmp_path / "news").mkdir()
    with desk_in(tmp_path / "news") as desk:
        desk.configure(OF_EU, quiet)
        desk.read(*(f"EU item {number}" for number in range(5)))
        assert desk.publish() == 2
    (tmp_path / "news" / HIDDEN).write_text("half of")
    news: Path = tmp_path / "news"
    return news


Serve = Callable[[Path, Path], AbstractContextManager[httpx.Client]]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def block(language: str, *, having: str = "") -> str:
    (found,) = (each.text for each in blocks_of(PAGE) if each.kind == language and having in each.text)
    return found


@contextmanager
def running(*command: str | Path, cwd: Path, address: str) -> Iterator[httpx.Client]:
    """Run a server, and yield who asks it."""
    with (
        (cwd / "log").open("wb") as log,
        subprocess.Popen(
            command, cwd=cwd, stdout=log, stderr=log, env={**os.environ, "HOME": str(cwd)}
        ) as process,
        httpx.Client(base_url=address, headers={"Host": "news.example.org"}, trust_env=False) as client,
    ):
        try:
            for _ in range(100):
                try:
                    client.get("/")
                    break
                except httpx.TransportError:
                    assert process.poll() is None, (cwd / "log").read_text()
                    time.sleep(0.1)
            yield client
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def nginx(site: Path, folder: Path) -> Iterator[httpx.Client]:
    program, port = require("nginx", "apt-get install nginx-light"), free_port()
    server = block("nginx").replace("listen 80;", f"listen 127.0.0.1:{port};").replace("/srv/news", str(site))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"user root; daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {paths}\n{server}}}"
    )
    command = (program, "-c", configuration, "-p", folder)
    with running(*command, cwd=folder, address=f"http://127.0.0.1:{port}") as client:
        yield client


@contextmanager
def caddy(site: Path, folder: Path) -> Iterator[httpx.Client]:
    program, port = require("caddy", "apt-get install caddy"), free_port()
    server = block("caddy").replace("/srv/news", str(site))
    server = server.replace("news.example.org {", f"http://news.example.org:{port} {{", 1)
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n}}\n{server}")
    command = (program, "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile")
    with running(*command, cwd=folder, address=f"http://127.0.0.1:{port}") as client:
        yield client


@pytest.mark.parametrize("serve", [nginx, caddy])
def test_a_server_of_files_sends_what_ours_does(serve: Serve, site, tmp_path):
    (tmp_path / "server").mkdir()
    with serve(site, tmp_path / "server") as client:
        for path, kind in TYPES.items():
            answer = client.get(f"/feeds/{path}")
            assert (answer.status_code, answer.headers["content-type"]) == (200, kind), path
            assert answer.content == (site / "feeds" / (path or "index.html")).read_bytes()
            assert answer.headers["cache-control"] == "no-cache"
            assert answer.headers["x-content-type-options"] == "nosniff"
            again = client.get(f"/feeds/{path}", headers={"If-None-Match": answer.headers["etag"]})
            assert again.status_code == 304, path
        assert (
            client.get("/feeds/eu.atom", headers={"Accept-Encoding": "gzip"}).headers["content-encoding"]
            == "gzip"
        )
        for path in ("feeds/0123456789abcdef/", "feeds/eu/", "feeds/none.atom", HIDDEN):
            assert client.get(f"/{path}").status_code in (403, 404), path


def shell(script: str, cwd: Path) -> None:
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=cwd, check=True, timeout=60)


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def published(site: Path) -> dict[str, bytes]:
    return {path: data for path, data in files(site).items() if path.startswith("feeds/") and path != HIDDEN}


def test_rsync_copies_what_is_there_and_removes_what_is_no_more(site, tmp_path):
    require("rsync", "apt-get install rsync")
    script = block("sh", having="# publish.sh").replace("news.example.org:/srv/news", str(tmp_path / "copy"))
    (tmp_path / "copy").mkdir()
    shell(script, site)
    assert files(tmp_path / "copy") == published(site)
    before = files(tmp_path / "copy")
    shutil.rmtree(site / "feeds/eu")
    (site / "feeds/eu.rss").unlink()
    shell(script, site)
    assert files(tmp_path / "copy") == published(site) != before


def test_where_nothing_was_published_rsync_removes_nothing(site, tmp_path):
    require("rsync", "apt-get install rsync")
    script = block("sh", having="# publish.sh").replace("news.example.org:/srv/news", str(tmp_path / "copy"))
    (tmp_path / "copy").mkdir()
    shell(script, site)
    before = files(tmp_path / "copy")
    shutil.rmtree(site / "feeds")
    with pytest.raises(subprocess.CalledProcessError):
        shell(script, site)
    assert files(tmp_path / "copy") == before


def test_a_workflow_refuses_to_publish_a_secret_address(site):
    (check,) = re.findall(r"run: \|\n((?: {10}.*\n)+)", block("yaml"))
    with pytest.raises(subprocess.CalledProcessError):
        shell(check, site)
    shutil.rmtree(site / "feeds/0123456789abcdef")
    shell(check, site)


def test_each_kind_of_file_is_put_to_s3_as_what_it_is(site):
    script = block("sh", having="# publish-s3.sh")
    put = {
        name: kind.strip("'")
        for name, kind in re.findall(r"^put (\w+) ([^&\n]+?)(?: &&)?$", script, re.MULTILINE)
    }
    assert put == {path.rpartition(".")[2]: kind for path, kind in TYPES.items() if path}
    published_kinds = {path.rpartition(".")[2] for path in published(site)}
    assert put.keys() == published_kinds
