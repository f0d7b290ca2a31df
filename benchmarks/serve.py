"""Measure the built-in server: published feeds, asked for by readers who have them and by those who have not.

    .venv/bin/python benchmarks/serve.py [--feeds 100] [--entries 100] [--words 40] [--connections 32]
                                         [--seconds 3] [--rounds 3]

A made-up source is polled and published as `--feeds` feeds of `--entries` entries each, of `--words` words.
Then `syndicate run` serves them, and beside it nginx the same folder, with the same types, validators of its
own, and gzip. Each has the same core; wrk, on another, asks one after the other for the Atom of all feeds in
turn, over `--connections` connections that are kept. Loads:

- 304: asked with the entity tag that the answer had, by a reader that takes gzip;
- 200: asked for the first time, without compression;
- 200, gzip: the same by a reader that takes gzip. nginx compresses anew for each, by its own default level;
  what it does with files that lie there compressed (gzip_static) is a line of its own.

Figures, medians over the rounds: requests/s; CPU microseconds of the server's process a request, from the
counters of the kernel; and how many times as many requests/s as Syndicate.

It ends with 1 if an answer was not what was expected before and after, or wrk saw an error.

Needs two cores, Linux, nginx and wrk (Debian: nginx-light, wrk).
"""

import argparse
import gzip
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from poll import ROOT, serving, wait_for, write_feeds

TICKS = os.sysconf("SC_CLK_TCK")
SYNDICATE, NGINX, NGINX_STATIC = SERVERS = ("syndicate", "nginx", "nginx, gzip_static")
ZIPPED, PLAIN = {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"}
UNCHANGED, WHOLE, SMALL = LOADS = ("304", "200", "200, gzip")

# Requests are written once; `response` is not defined, so wrk does not parse more than it has to.
WRK_SCRIPT = """
local requests, next_one = {}, 0
init = function(arguments)
  for line in io.lines(arguments[1]) do
    local path, tag, encoding = line:match("^(%S+) (%S+) (%S+)$")
    local headers = { ["Accept-Encoding"] = encoding }
    if tag ~= "-" then headers["If-None-Match"] = tag end
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
end
request = function()
  next_one = next_one % #requests + 1
  return requests[next_one]
end
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs."""

    port: int
    process: int  # that answers


@dataclass(frozen=True, slots=True)
class Cost:
    """What one server did under one load."""

    a_second: float
    cpu_us: float  # a request


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    numbers = {"feeds": 100, "entries": 100, "words": 40, "connections": 32, "seconds": 3, "rounds": 3}
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    for program, package in (("nginx", "nginx-light"), ("wrk", "wrk")):
        if shutil.which(program) is None:
            sys.exit(f"{program} is missing: apt-get install {package}")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)  # nginx drops root
        publish(root, options)
        with (
            server(SYNDICATE, root) as ours,
            server(NGINX, root) as theirs,
            server(NGINX_STATIC, root) as zipped,
        ):
            servers = dict(zip(SERVERS, (ours, theirs, zipped), strict=True))
            show(measure(servers, root, options), root)


def measure(
    servers: Mapping[str, Served], root: Path, options: argparse.Namespace
) -> dict[tuple[str, str], list[Cost]]:
    """Return what each server did under each load in each round."""
    costs: dict[tuple[str, str], list[Cost]] = {}
    paths = [f"/feeds/{path.name}" for path in sorted((root / "feeds").glob("feed-*.atom"))]
    assert len(paths) == options.feeds, paths
    for number in range(options.rounds):
        for load in LOADS:
            for name, served in servers.items():
                if name == NGINX_STATIC and load != SMALL:
                    continue
                expect(served, load, paths[0])
                cost = asked(served, requests(served, load, paths, root / "requests"), root, options)
                expect(served, load, paths[-1])
                costs.setdefault((load, name), []).append(cost)
        print(f"round {number + 1} of {options.rounds}: load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    return costs


def show(costs: Mapping[tuple[str, str], Sequence[Cost]], root: Path) -> None:
    """Print the medians."""
    body = (root / "feeds/feed-0.atom").read_bytes()
    print(f"a feed is {len(body) / 1000:.0f} kB, {len(gzip.compress(body, 6)) / 1000:.0f} kB with gzip")
    print(f"{'':12} {'':20} {'requests/s':>11} {'CPU us':>8} {'times':>7}")
    for (load, name), rounds in costs.items():
        ours = costs[load, SYNDICATE]
        times = median(each.a_second / our.a_second for each, our in zip(rounds, ours, strict=True))
        a_second, cpu = (median(getattr(each, what) for each in rounds) for what in ("a_second", "cpu_us"))
        print(f"{load:12} {name:20} {a_second:11.0f} {cpu:8.1f} {times:6.2f}x")


# --------------------------------------------------------------------------- what is served


def publish(root: Path, options: argparse.Namespace) -> None:
    """Poll a source and publish all of it in every feed."""
    write_feeds(root / "www", 1, options.entries, options.words)
    (root / "rules").mkdir()
    for number in range(options.feeds):
        (root / f"rules/feed-{number}.toml").write_text("query = 'source:wire'\n")
    with serving(root) as port:
        (root / "config.toml").write_text(
            '[service]\nlisten = "127.0.0.1:0"\n[network]\nallow_private = ["127.0.0.0/8"]\n'
            f'[[source]]\nid = "wire"\nurl = "http://127.0.0.1:{port}/0.xml"\ninterval = "1d"\n'
        )
        subprocess.run([*syndicate(root), "once", "--all"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    zipped = root / "zipped"
    shutil.copytree(root / "feeds", zipped / "feeds")
    for path in zipped.rglob("*.atom"):
        path.with_suffix(".atom.gz").write_bytes(gzip.compress(path.read_bytes(), 6, mtime=0))


def syndicate(root: Path, level: str = "error") -> list[str]:
    """Return the words that run our command."""
    command = [sys.executable, "-m", "syndicate", "--config", str(root / "config.toml")]
    return [*command, "--log-level", level]


@contextmanager
def server(name: str, root: Path) -> Iterator[Served]:
    """Run a server on a core of its own, to its end."""
    core = str(min(os.sched_getaffinity(0)))
    with (root / f"{name}.log").open("wb") as log:
        if name == SYNDICATE:
            command = [*syndicate(root, "info"), "run"]
        else:
            command = ["nginx", "-c", str(configure_nginx(name, root)), "-p", str(root)]
        process = subprocess.Popen(
            ["taskset", "--cpu-list", core, *command], cwd=ROOT, stdout=log, stderr=log
        )
        try:
            yield started(name, root, process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def started(name: str, root: Path, process: subprocess.Popen[bytes]) -> Served:
    """Return where a server is, once it answers."""
    if name != SYNDICATE:
        port = int(re.findall(r":(\d+);", (root / f"{name}.conf").read_text())[0])
        wait_for(port)
        (worker,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return Served(port, int(worker))
    for _ in range(300):
        found = re.findall(r"service\.started.* listening=\S+:(\d+)", (root / f"{name}.log").read_text())
        if found:
            return Served(int(found[0]), process.pid)
        time.sleep(0.1)
    sys.exit("syndicate did not start:\n" + (root / f"{name}.log").read_text())


def configure_nginx(name: str, root: Path) -> Path:
    """Write how nginx serves the folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    files, zips = (root / "zipped", "gzip_static on;") if name == NGINX_STATIC else (root, "gzip on;")
    temporary = " ".join(
        f"{what}_temp_path {root}/{what};" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = root / f"{name}.conf"
    path.write_text(
        f"daemon off; worker_processes 1; pid '{root}/{name}.pid'; error_log stderr error;"
        "events { worker_connections 1024; } http {"
        " access_log off; keepalive_requests 100000000; sendfile on; tcp_nopush on;"
        " open_file_cache max=10000; types { application/atom+xml atom; } gzip_types application/atom+xml;"
        f" gzip_vary on; {zips} {temporary}"
        " add_header Cache-Control no-cache; add_header X-Content-Type-Options nosniff;"
        f" server {{ listen 127.0.0.1:{port}; root {files}; }} }}"
    )
    return path


# --------------------------------------------------------------------------- asking


def requests(served: Served, load: str, paths: Sequence[str], file: Path) -> Path:
    """Write what is asked: for each feed its path, the entity tag or -, and the encoding."""
    encoding = PLAIN if load == WHOLE else ZIPPED
    tags = [tag_of(served, path, encoding) if load == UNCHANGED else "-" for path in paths]
    lines = [f"{path} {tag} {encoding['Accept-Encoding']}" for path, tag in zip(paths, tags, strict=True)]
    file.write_text("\n".join(lines) + "\n")
    return file


def tag_of(served: Served, path: str, headers: Mapping[str, str]) -> str:
    """Return the entity tag of an answer."""
    with ask(served, path, headers) as answer:
        return str(answer.headers["ETag"])


def ask(served: Served, path: str, headers: Mapping[str, str]):  # type: ignore[no-untyped-def]
    """Return the answer to a request, whatever its status."""
    request = urllib.request.Request(f"http://127.0.0.1:{served.port}{path}", headers=dict(headers))
    try:
        return urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError as answer:
        return answer


def expect(served: Served, load: str, path: str) -> None:
    """End if an answer is not what the load is about."""
    headers = dict(PLAIN if load == WHOLE else ZIPPED)
    if load == UNCHANGED:
        headers["If-None-Match"] = tag_of(served, path, headers)
    with ask(served, path, headers) as answer:
        got = (str(answer.status), answer.headers["Content-Encoding"])
    if got != (load.partition(",")[0], "gzip" if load == SMALL else None):
        sys.exit(f"{path}, {load}: the answer was {got}")


def asked(served: Served, file: Path, root: Path, options: argparse.Namespace) -> Cost:
    """Have wrk ask for a while, and return what the server did."""
    script = root / "wrk.lua"
    script.write_text(WRK_SCRIPT)
    bounds = ["-t", "1", "-c", str(options.connections), "-d", f"{options.seconds}s", "-s", str(script)]
    command = ["wrk", *bounds, f"http://127.0.0.1:{served.port}", "--", str(file)]
    core = str(max(os.sched_getaffinity(0)))
    used = cpu_seconds(served.process)
    done = subprocess.run(
        ["taskset", "--cpu-list", core, *command], capture_output=True, text=True, check=True
    )
    used = cpu_seconds(served.process) - used
    if re.search(r"Non-2xx|Socket errors", done.stdout):
        sys.exit(done.stdout)
    count, seconds = re.findall(r"(\d+) requests in ([\d.]+)s", done.stdout)[0]
    return Cost(int(count) / float(seconds), 1e6 * used / int(count))


def cpu_seconds(process: int) -> float:
    """Return what a process has used until now, in all its threads (proc_pid_stat(5): utime and stime)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    main()
