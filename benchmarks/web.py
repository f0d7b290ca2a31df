"""Measure the pages and the API: how long the server takes for each with a million items, what each weighs.

    .venv/bin/python benchmarks/web.py [--items 1000000] [--words 60] [--sources 1000] [--rules 1000]
                                       [--rounds 7] [--folder FOLDER]

A desk is filled (web_desk.py; about ten minutes for a million items) and the product's own service runs over
it: nothing is due, so that it has nothing else to do. One client asks for each page, over one connection,
some times in a row.

- first: milliseconds until the last byte, the first time;
- median: the same over `--rounds` more. The lab looks back for 220 ms at most for one answer, and then says
  how far it has come: so there each round asks for another word, as common as the one before, and `whole`
  says for how many that was all that there was to find;
- CPU: milliseconds of the server's process a request, of all its threads, as the kernel counts them, in
  hundredths of a second: what is left of a page's time when nobody else uses the machine;
- kB: of the page itself; and with its style sheet and scripts, once they are not in the browser yet.

It ends with 1 if a page takes more than 100 ms (the lab 300 ms) or weighs more than 150 kB with all of that.

`--folder` keeps the desk for the next time.
"""

import argparse
import http.client
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from made import WORDS, make_language

ROOT = Path(__file__).parents[1]
MOST_MILLISECONDS, MOST_IN_THE_LAB = 100.0, 300.0
MOST_KILOBYTES = 150.0
STATIC = ("style.css", "htmx.min.js", "pages.js", "icon.svg")
# Ranks of words: of the first, every other article has one; of the last, one in some thousands.
RANKS = {"common": 150, "usual": 2_000, "rare": 20_000}
PAGES = (
    "/",
    "/?rule=rule-5",
    "/?source=outlet-5",
    "/?language=en",
    "/?period=24h",
    "/?rule=rule-5&source=outlet-7&period=30d",
    "/rules",
    "/rules?q=rule",
    "/rules/rule-5",
    "/items",
    "/items?source=outlet-5",
    "/items?rule=rule-5",
    "/items/{item}",
    "/items/{item}?rule=rule-5",
    "/sources",
    "/sources?q=outlet&from=500",
    "/sources/outlet-5",
    "/add",
    "/alerts",
    "/alerts?endpoint=desk",
    "/alerts?state=dead",
    "/alerts?endpoint=desk&state=waiting",
    "/alerts/endpoints/desk",
    "/alerts/silences",
    "/system",
    "/lab",
    "/lab?edit=rule-5",
    "/api/v1/items",
    "/api/v1/items?rule=rule-5&since=30d",
    "/api/v1/items?source=outlet-5&language=en",
    "/api/v1/items/{item}",
    "/api/v1/items/{item}/explain?rule=rule-5",
    "/api/v1/matches",
    "/api/v1/matches?rule=rule-5",
    "/api/v1/matches?after=WyJhcnJpdmFscyIsMV0",  # all of them
    "/api/v1/matches?after=WyJhcnJpdmFscyIsMV0&rule=rule-5",
    "/api/v1/rules",
    "/api/v1/rules/rule-5",
    "/api/v1/sources",
    "/api/v1/sources/outlet-5",
    "/api/v1/deliveries",
    "/api/v1/deliveries?endpoint=desk&state=waiting",
    "/api/v1/deliveries?state=dead",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What a page took."""

    label: str
    first: float  # milliseconds
    median: float
    cpu: float
    kilobytes: float  # of itself
    with_all: float  # with what it needs beside it
    note: str = ""


def main() -> None:
    """Measure every page, print a table, and end with 1 if one takes too long or weighs too much."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--words", type=int, default=60, help="of the text of an article")
    parser.add_argument("--sources", type=int, default=1_000)
    parser.add_argument("--rules", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        port = free_port()
        fill(folder, port, options)
        with service(folder, port) as pid:
            figures = list(measured(Desk(port, pid), options))
    print_table(figures, options)
    if any(is_too_much(figure) for figure in figures):
        sys.exit(1)


def fill(folder: Path, port: int, options: argparse.Namespace) -> None:
    """Fill a desk, unless it is there."""
    config = folder / "config.toml"
    if not config.exists():
        sizes = [f"--{name}={getattr(options, name)}" for name in ("items", "sources", "rules", "words")]
        command = [sys.executable, str(Path(__file__).with_name("web_desk.py")), str(folder), *sizes]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    text = config.read_text(encoding="utf-8")
    config.write_text(re.sub(r'listen = ".*"', f'listen = "127.0.0.1:{port}"', text), encoding="utf-8")


@contextmanager
def service(folder: Path, port: int) -> Iterator[int]:
    """Run the service; it has published everything when it is asked."""
    command = [sys.executable, "-m", "syndicate", "--config", str(folder / "config.toml"), "run"]
    log = (folder / "service.log").open("w")
    with log, subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log) as process:
        try:
            wait_until_idle(process, port)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def wait_until_idle(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until the server answers, and then until the process does nothing any more."""
    while True:
        try:
            if ask(http.client.HTTPConnection("127.0.0.1", port, timeout=60), "/healthz")[0] == 200:
                break
        except OSError:
            if process.poll() is not None:
                sys.exit("The service ended: see service.log in the folder.")
            time.sleep(0.2)
    spent = None
    while (now := round(cpu_seconds(process.pid), 1)) != spent:
        spent = now
        time.sleep(3)


def cpu_seconds(pid: int) -> float:
    """Return what a process has spent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Desk:
    """A service that is asked for pages."""

    def __init__(self, port: int, pid: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._pid = pid
        self._static = sum(len(self._ask(f"/static/{name}")) for name in STATIC) / 1000

    def measure(self, label: str, paths: Sequence[str], *, is_page: bool = True) -> Figure:
        """Return what it takes to ask for these, one after the other: the first, and the others."""
        spent, times, weight, wholes = cpu_seconds(self._pid), [], 0.0, 0
        for path in paths:
            start = time.perf_counter()
            body = self._ask(path)
            times.append((time.perf_counter() - start) * 1000)
            weight = max(weight, len(body) / 1000)
            wholes += b"Looked at" not in body
        return Figure(
            label=label,
            first=times[0],
            median=median(times[1:]),
            cpu=(cpu_seconds(self._pid) - spent) * 1000 / len(paths),
            kilobytes=weight,
            with_all=weight + (self._static if is_page else 0),
            note=f"whole: {wholes} of {len(paths)}" if label.startswith("/lab?q") else "",
        )

    def _ask(self, path: str) -> bytes:
        status, body = ask(self._connection, path)
        if status != 200:
            sys.exit(f"{path} was answered {status}.")
        return body


def measured(desk: Desk, options: argparse.Namespace) -> Iterator[Figure]:
    """Yield what each page takes."""
    times = options.rounds + 1
    for pattern in PAGES:
        path = pattern.format(item=options.items // 2)
        yield desk.measure(path, [path] * times, is_page=not path.startswith("/api/"))
    words = make_language(random.Random(1)).words
    for name, rank in RANKS.items():
        some = words[rank : rank + times]
        for kind in ("/items?q=", "/api/v1/items?q=", "/lab?q="):
            asked = [f"{kind}{word}" for word in some]
            yield desk.measure(f"{kind}({name} word)", asked, is_page=not kind.startswith("/api/"))
    both = [f"/lab?q={one}+AND+{other}" for one, other in pairs(words, times)]
    yield desk.measure("/lab?q=(usual AND usual)", both)


def pairs(words: Sequence[str], number: int) -> Iterator[tuple[str, str]]:
    """Yield words of the middle ranks, by twos."""
    first = RANKS["usual"] + 100
    for at in range(first, first + 2 * number, 2):
        yield words[at % WORDS], words[(at + 1) % WORDS]


def ask(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    """Return the answer to a request."""
    connection.request("GET", path, headers={"Accept": "text/html"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def is_too_much(found: Figure) -> bool:
    """Say whether a page takes too long or weighs too much."""
    most = MOST_IN_THE_LAB if found.label.startswith("/lab?q") else MOST_MILLISECONDS
    return found.median > most or found.with_all > MOST_KILOBYTES


def print_table(figures: Sequence[Figure], options: argparse.Namespace) -> None:
    """Print what was measured."""
    print(
        f"{options.items:,} items of {options.words} words, {options.sources:,} sources,"
        f" {options.rules:,} rules; load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'page':56} {'first':>8} {'median':>8} {'CPU':>8} {'kB':>7} {'with all':>9}")
    for each in figures:
        mark = "  TOO MUCH" if is_too_much(each) else ""
        print(
            f"{each.label:56} {each.first:6.1f}ms {each.median:6.1f}ms {each.cpu:6.1f}ms"
            f" {each.kilobytes:7.1f} {each.with_all:9.1f}  {each.note}{mark}"
        )


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main()
