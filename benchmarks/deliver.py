"""Measure deliveries: signed webhooks to a local receiver, each attempt recorded durably, on one core.

    .venv/bin/python benchmarks/deliver.py [--endpoints 10] [--hanging 3] [--items 2000] [--words 250]
                                           [--rounds 3] [--profile FILE]

A rule holds for every item and alerts every endpoint, so that `--items` times `--endpoints` deliveries are due, each
rendered, signed and kept before it is sent. `syndicate once` delivers them, bound to one core of the machine; the
receiver is a process of its own, bound to another: it answers 204 as soon as a request is there, and keeps
connections open if it is let.

- deliveries/s: of all, over the time from the first request to the end of the process, by when every attempt is in
  the database (synchronous = FULL);
- CPU: of that process, its start included;
- waited: how long after the first request a delivery to an endpoint that answers was received, in 95 of 100 of
  them. Once with the answering endpoints alone, and once beside `--hanging` others, which take a request and never
  answer; the second figure should be below twice the first.

Medians over the rounds. It ends with 1 if a delivery to an endpoint that answers was not received, or its attempt not
recorded, or any received under two ids.

Needs two cores, and Linux.
"""

import argparse
import asyncio
import os
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from multiprocessing import Process, SimpleQueue
from pathlib import Path
from statistics import median

from made import make_language, make_article

from syndicate.loading import load, take_over
from syndicate.model import AlertDraft, Change, Entry, Hit, Match, Poll, PollState, Snippet
from syndicate.store.protocol import HostPace
from syndicate.store.sqlite import SqliteStore

ROOT = Path(__file__).resolve().parents[1]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  of nothing
ITEMS_A_POLL = 100
PATIENCE_SECONDS = 3  # without any request, after which nothing more is expected of the endpoints that answer
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is to be delivered."""

    answering: int  # endpoints
    hanging: int
    items: int
    words: int

    @property
    def deliveries(self) -> int:
        """To endpoints that answer."""
        return self.answering * self.items


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run took."""

    a_second: float
    cpu_seconds: float
    waited: float  # seconds, in 95 of 100


# --------------------------------------------------------------------------- the receiver


class Receiver(asyncio.Protocol):
    """One connection. Whatever is asked below /hang/ is never answered."""

    def __init__(self, arrivals: list[tuple[float, bytes]]) -> None:
        self.arrivals = arrivals
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end].lower()
            length = int(field(head, b"content-length"))
            if len(self.received) < end + 4 + length:
                return
            self.received = self.received[end + 4 + length :]
            if not head.startswith(b"post /hang/"):
                self.arrivals.append((time.monotonic(), field(head, b"webhook-id")))
                self.transport.write(ANSWER)  # type: ignore[attr-defined]


def field(head: bytes, name: bytes) -> bytes:
    """Return a field of the head of a request, in lower case as that is."""
    return head.partition(b"\r\n" + name + b":")[2].partition(b"\r\n")[0].strip()


def receive(port: socket.socket, told: "SimpleQueue[list[tuple[float, bytes]]]", core: int) -> None:
    """Take requests, until none comes for a while; then tell when which came."""
    os.sched_setaffinity(0, {core})

    async def serve() -> list[tuple[float, bytes]]:
        arrivals: list[tuple[float, bytes]] = []
        async with await asyncio.get_running_loop().create_server(lambda: Receiver(arrivals), sock=port):
            while not arrivals or time.monotonic() - arrivals[-1][0] < PATIENCE_SECONDS:
                await asyncio.sleep(0.1)
        return arrivals

    told.put(asyncio.run(serve()))


# --------------------------------------------------------------------------- what is delivered


def prepare(folder: Path, port: int, load_: Load) -> None:
    """Write a configuration, and a database in which everything is due."""
    names = [f"answers-{number}" for number in range(load_.answering)]
    paths = {name: f"/{name}" for name in names}
    paths |= {f"hangs-{number}": f"/hang/{number}" for number in range(load_.hanging)}
    (folder / "rules").mkdir(parents=True)
    lines = ["[network]", 'allow_private = ["127.0.0.0/8"]', "[[source]]", 'id = "wire"']
    lines += ['url = "http://127.0.0.1:1/rss"', "enabled = false"]
    for name, path in paths.items():
        lines += [
            "[[endpoint]]",
            f'id = "{name}"',
            f'url = "http://127.0.0.1:{port}{path}"',
            f'secret = "{SECRET}"',
        ]
    (folder / "config.toml").write_text("\n".join(lines).replace("enabled = false", "") + "\n")
    notify = ", ".join(f'"{name}"' for name in paths)
    (folder / "rules/all.toml").write_text(f'keywords = ["zephyr"]\nnotify = [{notify}]\nfeed = false\n')
    dice = random.Random(7)
    language = make_language(dice)
    loaded = load(folder / "config.toml", {})
    with closing(SqliteStore(loaded.config.service.database)) as store:
        take_over(loaded, store)
        store.skip_backfill([])
        for first in range(0, load_.items, ITEMS_A_POLL):
            numbers = range(first, min(first + ITEMS_A_POLL, load_.items))
            articles = [make_article(language, dice) for _ in numbers]  # lists of words
            record(
                store,
                [
                    change(n, " ".join(a[:10]), " ".join(a[10 : load_.words]), list(paths))
                    for n, a in zip(numbers, articles)
                ],
                is_last=numbers[-1] == load_.items - 1,
            )


def record(store, changes, is_last):
    store.poll_now(None)
    (claim,) = store.claim_sources(
        limit=1,
        due_by=store.now(),
        lease=timedelta(minutes=1),
        pace=HostPace(interval=timedelta(), concurrency=1),
    )
    now = store.now()
    (done,) = store.record_polls(
        [
            Poll(
                claim=claim,
                ended_at=now,
                state=PollState.OK,
                status=200,
                next_poll_at=now + timedelta(days=30),
                changes=tuple(changes),
            )
        ]
    )
    assert not done.error and done.alerts, done


def change(number: int, title: str, body: str, endpoints: Sequence[str]) -> Change:
    title = f"Zephyr {title}"
    link = f"https://wire.example/{number}"
    return Change(
        item=None,
        entry=Entry(guid=link, link=link, title=title, body=body, summary=body[:300]),
        keys=(link,),
        story_keys=(link,),
        content_hash=sha256(body.encode()).hexdigest(),
        language="en",
        words={"words": "zephyr", "stems": "zephyr"},
        words_version=1,
        matches=(
            Match(
                rule="all",
                rule_version="1",
                hits=(Hit(term="zephyr", field="title", start=0, end=6),),
                snippet=Snippet(text=title, field="title", marks=((0, 6),)),
            ),
        ),
        alerts=tuple(AlertDraft(rule="all", endpoint=endpoint) for endpoint in endpoints),
    )


# --------------------------------------------------------------------------- measuring


def deliver(folder: Path, load_: Load, profile: Path | None) -> Run:
    """Have everything delivered, and return what that took."""
    ours, theirs = sorted(os.sched_getaffinity(0))[:2]
    told: SimpleQueue[list[tuple[float, bytes]]] = SimpleQueue()
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as port:
        prepare(folder, port.getsockname()[1], load_)
        receiver = Process(target=receive, args=(port, told, theirs))
        receiver.start()
    profiling = ["-m", "cProfile", "-o", str(profile)] if profile else []
    words = [sys.executable, *profiling, "-m", "syndicate", "--config", str(folder / "config.toml")]
    child = subprocess.Popen(
        [*words, "--log-level", "error", "once"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {ours}),
    )
    _, status, usage = os.wait4(child.pid, 0)
    ended = time.monotonic()
    child.returncode = os.waitstatus_to_exitcode(status)
    arrivals = told.get()
    receiver.join()
    check(folder / "data/syndicate.db", load_, arrivals)
    first = arrivals[0][0]
    waited = sorted(when - first for when, _ in arrivals)
    return Run(
        a_second=load_.deliveries / (ended - first),
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        waited=waited[len(waited) * 95 // 100],
    )


def check(database: Path, load_: Load, arrivals: list[tuple[float, bytes]]) -> None:
    """End if something was not received, or not recorded."""
    with closing(sqlite3.connect(database)) as db:
        (recorded,) = db.execute(
            "SELECT count(*) FROM deliveries WHERE state = 'delivered' AND attempts = 1 AND endpoint LIKE 'answers-%'"
        ).fetchone()
        (attempts,) = db.execute("SELECT count(*) FROM attempts WHERE status = 204").fetchone()
    received = len({identity for _, identity in arrivals})
    if not received == recorded == attempts == len(arrivals) == load_.deliveries:
        sys.exit(
            f"of {load_.deliveries} deliveries {received} were received, {recorded} recorded ({attempts} attempts)"
        )


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--endpoints", type=int, default=10)
    parser.add_argument("--hanging", type=int, default=3)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--words", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", type=Path)
    asked = parser.parse_args()
    some = asked.endpoints - asked.hanging
    loads = {
        f"{asked.endpoints} that answer": Load(
            answering=asked.endpoints, hanging=0, items=asked.items, words=asked.words
        ),
        f"{some} that answer": Load(answering=some, hanging=0, items=asked.items, words=asked.words),
        f"{some} that answer, {asked.hanging} that hang": Load(
            answering=some, hanging=asked.hanging, items=asked.items, words=asked.words
        ),
    }
    for name, load_ in list(loads.items())[: 1 if asked.profile else 3]:
        runs = []
        for _ in range(asked.rounds):
            with tempfile.TemporaryDirectory() as folder:
                runs.append(deliver(Path(folder) / "desk", load_, asked.profile))
        print(
            name, [(round(r.a_second), round(r.cpu_seconds, 2), round(r.waited, 2)) for r in runs], flush=True
        )


if __name__ == "__main__":
    main()
