"""Measure deliveries: signed webhooks to a local receiver, each attempt recorded durably, on one core.

    .venv/bin/python benchmarks/deliver.py [--endpoints 10] [--hanging 3] [--items 2000] [--words 250]
                                           [--rounds 3]

A rule holds for every item and alerts every endpoint, so `--items` times `--endpoints` deliveries are due,
each of which is put in words, signed, and kept before it is sent. `syndicate once` delivers them, bound to
one core; the receiver is a process of its own on another, which answers 204 as soon as a request is there,
and checks no signature. Loads:

- all endpoints answer;
- some answer, as many as are left beside those that hang;
- the same beside `--hanging` others, which take a request and never answer.

Figures, medians over the rounds:

- deliveries/s: of those to endpoints that answer, from the first request to the end of the process, by when
  every attempt is in the database (synchronous = FULL). Not where some hang: that takes a timeout longer;
- CPU: milliseconds a delivery, of all that the process takes beyond what `check` does;
- waited: how long after the first request a delivery was received, in 95 of 100 of those to endpoints that
  answer. Beside those that hang, it should be below twice what it is without them.

It ends with 1 if a delivery to an endpoint that answers was not received once or its attempt not recorded, if
there were less than 1,500 deliveries/s, or if those that hang doubled what the others waited.

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
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from multiprocessing import Process, SimpleQueue
from pathlib import Path
from statistics import median

from made import TITLE_WORDS, make_article, make_language, written

from syndicate.backfill import state_of
from syndicate.loading import load, take_over
from syndicate.model import AlertDraft, Change, Entry, Hit, Match, Poll, PollState, Snippet
from syndicate.rules.archive import WORDS_VERSION
from syndicate.store.protocol import HostPace
from syndicate.store.sqlite import SqliteStore

ROOT = Path(__file__).resolve().parents[1]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MINUTE = timedelta(minutes=1)
WORD = "zephyr"  # which the rule asks for
ITEMS_A_POLL = 100
PATIENCE_SECONDS = 3  # without any request, after which nothing more is expected
LEAST_A_SECOND = 1500
MOST_SLOWED_DOWN = 2
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"

Arrival = tuple[float, bytes]  # time.monotonic(), webhook-id


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

    @property
    def name(self) -> str:
        """What the table calls it."""
        return f"{self.answering} answer" + (f", {self.hanging} hang" if self.hanging else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run took."""

    a_second: float
    cpu_ms: float  # a delivery
    waited: float  # seconds, in 95 of 100


def main() -> None:
    """Measure, and print a table."""
    loads, rounds = options()
    print(f"{'':20} {'deliveries/s':>13} {'CPU ms':>8} {'waited s':>9}")
    medians = {}
    for load_ in loads:
        runs = [measured(load_) for _ in range(rounds)]
        run = Run(
            a_second=median(each.a_second for each in runs),
            cpu_ms=median(each.cpu_ms for each in runs),
            waited=median(each.waited for each in runs),
        )
        a_second = "" if load_.hanging else f"{run.a_second:.0f}"
        print(f"{load_.name:20} {a_second:>13} {run.cpu_ms:8.3f} {run.waited:9.2f}", flush=True)
        medians[load_] = run
    everybody, alone, beside = (medians[load_] for load_ in loads)
    slowed_down = beside.waited / alone.waited
    print(f"those that hang make the others wait {slowed_down:.2f} times as long")
    if everybody.a_second < LEAST_A_SECOND or slowed_down >= MOST_SLOWED_DOWN:
        sys.exit(1)


def options() -> tuple[list[Load], int]:
    """Return the loads that the command line asks for, and how many rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--endpoints", type=int, default=10)
    parser.add_argument("--hanging", type=int, default=3)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--words", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    some = asked.endpoints - asked.hanging
    made = partial(Load, items=asked.items, words=asked.words)
    loads = [
        made(answering=asked.endpoints, hanging=0),
        made(answering=some, hanging=0),
        made(answering=some, hanging=asked.hanging),
    ]
    return loads, asked.rounds


# --------------------------------------------------------------------------- the receiver


class Receiver(asyncio.Protocol):
    """One connection. Whatever is asked below /hang/ is never answered."""

    transport: asyncio.Transport

    def __init__(self, arrivals: list[Arrival]) -> None:
        self.arrivals = arrivals
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end].lower()
            length = int(field_of(head, b"content-length"))
            if len(self.received) < end + 4 + length:
                return
            self.received = self.received[end + 4 + length :]
            if not head.startswith(b"post /hang/"):
                self.arrivals.append((time.monotonic(), field_of(head, b"webhook-id")))
                self.transport.write(ANSWER)


def field_of(head: bytes, name: bytes) -> bytes:
    """Return a field of the head of a request, in lower case as that is."""
    return head.partition(b"\r\n" + name + b":")[2].partition(b"\r\n")[0].strip()


def receive(listening: socket.socket, told: "SimpleQueue[list[Arrival]]", core: int) -> None:
    """Take requests, until none comes for a while; then tell when which came."""
    os.sched_setaffinity(0, {core})

    async def serve() -> list[Arrival]:
        arrivals: list[Arrival] = []
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Receiver(arrivals), sock=listening)
        while not arrivals or time.monotonic() - arrivals[-1][0] < PATIENCE_SECONDS:  # noqa: ASYNC110  its end is a silence
            await asyncio.sleep(0.1)
        server.close()  # connections of those that hang stay open until this process ends
        return arrivals

    arrivals = asyncio.run(serve())
    told.put(arrivals)


# --------------------------------------------------------------------------- what is delivered


def prepare(folder: Path, port: int, load_: Load) -> None:
    """Write a configuration, and a database in which everything is due."""
    paths = {f"answers-{number}": f"/{number}" for number in range(load_.answering)}
    paths |= {f"hangs-{number}": f"/hang/{number}" for number in range(load_.hanging)}
    (folder / "rules").mkdir(parents=True)
    lines = ["[network]", 'allow_private = ["127.0.0.0/8"]', "[[source]]", 'id = "wire"']
    lines.append('url = "http://127.0.0.1:1/rss"')  # is never due
    for name, path in paths.items():
        lines += ["[[endpoint]]", f'id = "{name}"', f'url = "http://127.0.0.1:{port}{path}"']
        lines.append(f'secret = "{SECRET}"')
    (folder / "config.toml").write_text("\n".join(lines) + "\n")
    notify = ", ".join(f'"{name}"' for name in paths)
    (folder / "rules/all.toml").write_text(f'keywords = ["{WORD}"]\nnotify = [{notify}]\nfeed = false\n')
    dice = random.Random(7)
    language = make_language(dice)
    loaded = load(folder / "config.toml", {})
    with closing(SqliteStore(loaded.config.service.database)) as store:
        take_over(loaded, store)
        store.skip_backfill([state_of(rule) for rule in loaded.rules])
        for first in range(0, load_.items, ITEMS_A_POLL):
            record(
                store,
                [
                    change(number, make_article(language, dice, load_.words - TITLE_WORDS), list(paths))
                    for number in range(first, min(first + ITEMS_A_POLL, load_.items))
                ],
            )


def record(store: SqliteStore, changes: list[Change]) -> None:
    """Record a poll that found these."""
    store.poll_now(None)
    pace = HostPace(interval=timedelta(), concurrency=1)
    (claim,) = store.claim_sources(limit=1, due_by=store.now(), lease=MINUTE, pace=pace)
    poll = Poll(
        claim=claim,
        ended_at=store.now(),
        state=PollState.OK,
        status=200,
        next_poll_at=store.now() + timedelta(days=30),
        changes=tuple(changes),
    )
    (recorded,) = store.record_polls([poll])
    if recorded.error or not recorded.alerts:
        sys.exit(f"nothing was recorded that could be delivered: {recorded}")


def change(number: int, words: list[str], endpoints: Sequence[str]) -> Change:
    """Return a new item that the rule holds for."""
    article = written([WORD, *words])
    link = f"https://wire.example/{number}"
    return Change(
        item=None,
        entry=Entry(guid=link, link=link, title=article.title, body=article.body, summary=article.body[:300]),
        keys=(link,),
        story_keys=(link,),
        content_hash=sha256(article.body.encode()).hexdigest(),
        language="en",
        words={"words": WORD, "stems": WORD},
        words_version=WORDS_VERSION,
        matches=(
            Match(
                rule="all",
                rule_version="1",
                hits=(Hit(term=WORD, field="title", start=0, end=len(WORD)),),
                snippet=Snippet(text=article.title, field="title", marks=((0, len(WORD)),)),
            ),
        ),
        alerts=tuple(AlertDraft(rule="all", endpoint=endpoint) for endpoint in endpoints),
    )


# --------------------------------------------------------------------------- measuring


def measured(load_: Load) -> Run:
    """Have everything delivered, and return what that took."""
    ours, theirs = sorted(os.sched_getaffinity(0))[:2]
    told: SimpleQueue[list[Arrival]] = SimpleQueue()
    with tempfile.TemporaryDirectory() as temporary, socket.create_server(("127.0.0.1", 0)) as listening:
        desk = Path(temporary) / "desk"
        prepare(desk, listening.getsockname()[1], load_)
        start = once(desk, ours, "check")
        receiver = Process(target=receive, args=(listening, told, theirs))
        receiver.start()
        used = once(desk, ours, "once")
        ended = time.monotonic()
        arrivals = told.get()
        receiver.join()
        check(desk / "data/syndicate.db", load_, arrivals)
    first = arrivals[0][0]
    waited = sorted(when - first for when, _ in arrivals)
    return Run(
        a_second=load_.deliveries / (ended - first),
        cpu_ms=1000 * (used - start) / load_.deliveries,
        waited=waited[len(waited) * 95 // 100],
    )


def once(desk: Path, core: int, command: str) -> float:
    """Run a command on one core, and return the seconds of CPU that it took."""
    words = [sys.executable, "-m", "syndicate", "--config", str(desk / "config.toml")]
    child = subprocess.Popen(
        ["taskset", "--cpu-list", str(core), *words, "--log-level", "error", command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command} ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime


def check(database: Path, load_: Load, arrivals: Sequence[Arrival]) -> None:
    """End if something was not received once, or not recorded."""
    with closing(sqlite3.connect(database)) as db:
        (recorded,) = db.execute(
            "SELECT count(*) FROM deliveries WHERE state = 'delivered' AND attempts = 1"
        ).fetchone()
        (attempts,) = db.execute("SELECT count(*) FROM attempts WHERE status = 204").fetchone()
    received = len({identity for _, identity in arrivals})
    if not received == recorded == attempts == len(arrivals) == load_.deliveries:
        sys.exit(
            f"of {load_.deliveries} deliveries {received} were received in {len(arrivals)} requests, and "
            f"{recorded} recorded, with {attempts} attempts"
        )


if __name__ == "__main__":
    main()
