"""Measure polling: many sources on a local nginx, polled for the first time and again when nothing changed.

    .venv/bin/python benchmarks/poll.py [--sources 1000] [--items 20] [--rules 10] [--rounds 3]

Each figure is of a whole process (`syndicate once --all`): wall seconds, CPU seconds, and the most memory it
held. Medians over the rounds are printed, a line each. Needs nginx (Debian: nginx-light).
"""

import argparse
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WORDS = [
    "agreement", "border", "budget", "central", "cooperation", "corridor", "council", "customs",
    "delegation", "development", "economy", "energy", "european", "exports", "forum", "gas", "glacier",
    "investment", "market", "meeting", "minister", "parliament", "partners", "pipeline", "policy",
    "railway", "region", "river", "strategy", "summit", "trade", "transport", "union", "visa", "water",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--rules", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if shutil.which("nginx") is None:
        sys.exit("nginx is missing: apt-get install nginx-light")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)  # nginx drops root
        write_feeds(root / "www", options.sources, options.items)
        with serving(root) as port:
            rounds = [measure(root / f"round-{number}", port, options) for number in range(options.rounds)]
    for place, name in enumerate(("start-up only", "first poll", "unchanged poll")):
        costs = [costs[place] for costs in rounds]
        print(
            f"{name}: {median(costs, 'wall_seconds'):.2f} s wall, {median(costs, 'cpu_seconds'):.2f} s CPU,"
            f" {median(costs, 'peak_mib'):.0f} MiB"
        )


def measure(folder: Path, port: int, options: argparse.Namespace) -> tuple[Cost, Cost, Cost]:
    """Return what starting up with nothing due, a first and a second poll cost."""
    write_configuration(folder, port, options)
    command = [
        sys.executable,
        "-m",
        "syndicate",
        "--log-level",
        "error",
        "--config",
        str(folder / "config.toml"),
    ]
    first = cost([*command, "once", "--all"])
    second = cost([*command, "once", "--all"])
    return cost([*command, "once"]), first, second


def cost(command: list[str]) -> Cost:
    """Run a command to its end and return what it took."""
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[1])
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(command)} ended with {child.returncode}")
    return Cost(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(costs: list[Cost], name: str) -> float:
    """Return the median of one measure."""
    return statistics.median(getattr(each, name) for each in costs)


def write_feeds(folder: Path, sources: int, items: int) -> None:
    """Write a feed per source, of articles of about 60 words."""
    folder.mkdir(parents=True)
    dice = random.Random(7)
    for source in range(sources):
        entries = "".join(entry(source, number, dice) for number in range(items))
        (folder / f"{source}.xml").write_text(
            '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
            f"<title>Outlet {source}</title><link>https://outlet-{source}.example/</link>"
            f"<description>News of outlet {source}</description>{entries}</channel></rss>"
        )


def entry(source: int, number: int, dice: random.Random) -> str:
    """Return one article."""
    title, body = " ".join(dice.choices(WORDS, k=8)), " ".join(dice.choices(WORDS, k=60))
    address = f"https://outlet-{source}.example/news/{number}"
    return (
        f"<item><title>{title}</title><link>{address}</link><guid>{address}</guid>"
        f"<description>&lt;p&gt;{body}&lt;/p&gt;</description>"
        f"<pubDate>Mon, 23 Nov 2026 {number % 24:02}:00:00 GMT</pubDate></item>"
    )


def write_configuration(folder: Path, port: int, options: argparse.Namespace) -> None:
    """Write a configuration that polls as fast as it can."""
    (folder / "rules").mkdir(parents=True)
    lines = ["[network]", 'allow_private = ["127.0.0.0/8"]', 'host_interval = "0s"', "host_concurrency = 64"]
    for source in range(options.sources):
        lines += ["[[source]]", f'id = "source-{source}"', f'url = "http://127.0.0.1:{port}/{source}.xml"']
    (folder / "config.toml").write_text("\n".join(lines) + "\n")
    dice = random.Random(11)
    for rule in range(options.rules):
        phrase = " ".join(dice.sample(WORDS, 3))
        (folder / "rules" / f"rule-{rule}.toml").write_text(f'keywords = ["{phrase}"]\n')


@contextmanager
def serving(root: Path) -> Iterator[int]:
    """Serve the feeds by nginx, and end it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    (root / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {root}/nginx.pid; error_log stderr error;"
        "events { worker_connections 1024; }"
        "http { access_log off; types { application/rss+xml xml; } keepalive_requests 100000;"
        f" client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;"
        f" uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;"
        f" server {{ listen 127.0.0.1:{port}; root {root}/www; }} }}"
    )
    server = subprocess.Popen(["nginx", "-c", str(root / "nginx.conf"), "-p", str(root)])
    try:
        wait_for(port)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def wait_for(port: int) -> None:
    """Return when the port takes connections; give up after ten seconds."""
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit("nginx did not start")


if __name__ == "__main__":
    main()
