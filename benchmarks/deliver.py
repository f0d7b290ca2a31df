"""Measure deliveries: signed webhooks to a local receiver, each attempt recorded durably, on one core.

    .venv/bin/python benchmarks/deliver.py [--endpoints 10] [--hanging 3] [--items 2000] [--words 250]
                                           [--rounds 3]

A rule holds for every item and alerts every endpoint, so `--items` times `--endpoints` deliveries are due,
each of which is put in words, signed, and kept before it is sent. `syndicate once` delivers them, bound to
one core; the receiver (`receiver.py`) is a process of its own on another, which answers 204 as soon as a
request is there, and verifies all signatures at the end. Loads:

- all endpoints answer;
- some answer, as many as are left beside those that hang;
- the same beside `--hanging` others, which take a request and never answer;
- for comparison, bodies of the first sent alone (`alone.py`), as many at once and from the same core:
  signed, but neither put in words nor kept, and no attempt recorded.

Figures, medians over the rounds:

- deliveries/s: of those to endpoints that answer, from the first request to the end of the process, by when
  every attempt is in the database (synchronous = FULL). Not where some hang: that takes a timeout longer;
- CPU: milliseconds a delivery, of all that the process takes beyond what `check` does;
- once, so many times as many: deliveries/s of the first load beside those sent alone in the same round;
- waited: how long after the first request a delivery was received, in 95 of 100 of those to endpoints that
  answer. Beside those that hang, it should be below twice what it is without them.

It ends with 1 if a delivery to an endpoint that answers was not received once, signed, or its attempt not
recorded, if there were less than 1,500 deliveries/s, or if those that hang doubled what the others waited.

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
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from multiprocessing import Process
from pathlib import Path
from statistics import median

from alone import CLIENTS, Letter
from made import TITLE_WORDS, make_article, make_language, written
from receiver import SECRET, Arrival, receiving

from syndicate.backfill import state_of
from syndicate.loading import load, take_over
from syndicate.model import AlertDraft, Change, Entry, Hit, Match, Poll, PollState, Snippet
from syndicate.rules.archive import WORDS_VERSION
from syndicate.store.protocol import HostPace
from syndicate.store.sqlite import SqliteStore

ROOT = Path(__file__).resolve().parents[1]
MINUTE = timedelta(minutes=1)
WORD = "zephyr"  # which the rule asks for
ITEMS_A_POLL = 100
LEAST_A_SECOND = 1500
MOST_SLOWED_DOWN = 2
MOST_ALONE = 4000  # deliveries sent for comparison


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
    alone: Mapping[str, float]  # by client, deliveries/s; empty where nothing was compared


def main() -> None:
    """Measure, and print a table."""
    loads, rounds = options()
    print(f"{'':20} {'deliveries/s':>13} {'CPU ms':>8} {'waited s':>9}")
    medians = {}
    for load_ in loads:
        runs = [measured(load_, is_compared=load_ == loads[0]) for _ in range(rounds)]
        run = Run(
            a_second=median(each.a_second for each in runs),
            cpu_ms=median(each.cpu_ms for each in runs),
            waited=median(each.waited for each in runs),
            alone={client: median(each.alone[client] for each in runs) for client in runs[0].alone},
        )
        a_second = "" if load_.hanging else f"{run.a_second:.0f}"
        print(f"{load_.name:20} {a_second:>13} {run.cpu_ms:8.3f} {run.waited:9.2f}", flush=True)
        for client, sent in run.alone.items():
            times = median(each.a_second / each.alone[client] for each in runs)
            print(f"{client + ' alone':20} {sent:13.0f}   once: {times:.2f} times as many", flush=True)
        medians[load_] = run
    everybody, alone, beside_them = (medians[load_] for load_ in loads)
    slowed_down = beside_them.waited / alone.waited
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


def measured(load_: Load, *, is_compared: bool) -> Run:
    """Have everything delivered, and return what that took."""
    ours, theirs = sorted(os.sched_getaffinity(0))[:2]
    with tempfile.TemporaryDirectory() as temporary, socket.create_server(("127.0.0.1", 0)) as listening:
        desk = Path(temporary) / "desk"
        port = listening.getsockname()[1]
        prepare(desk, port, load_)
        start = once(desk, ours, "check")
        with receiving(listening, theirs) as received:
            used = once(desk, ours, "once")
            ended = time.monotonic()
            arrivals = received()
        check(desk / "data/syndicate.db", load_, arrivals)
        sent = letters(desk / "data/syndicate.db", port) if is_compared else []
        alone = {}
        for client in CLIENTS if sent else ():
            with receiving(listening, theirs) as received:
                alone[client] = sent_alone(client, sent, ours, received)
    first = arrivals[0].at
    waited = sorted(each.at - first for each in arrivals)
    return Run(
        a_second=load_.deliveries / (ended - first),
        cpu_ms=1000 * (used - start) / load_.deliveries,
        waited=waited[len(waited) * 95 // 100],
        alone=alone,
    )


def letters(database: Path, port: int) -> list[Letter]:
    """Return deliveries that were made, to be sent again by others."""
    with closing(sqlite3.connect(database)) as db:
        rows = db.execute("SELECT id, endpoint, body FROM deliveries ORDER BY number LIMIT ?", [MOST_ALONE])
        return [
            Letter(
                id=identity,
                url=f"http://127.0.0.1:{port}/{endpoint.partition('-')[2]}",
                body=body,
                secret=SECRET,
            )
            for identity, endpoint, body in rows
        ]


def sent_alone(
    client: str, sent: Sequence[Letter], core: int, received: Callable[[], list[Arrival]]
) -> float:
    """Return how many a second a bare client sends."""

    def send() -> None:
        os.sched_setaffinity(0, {core})
        asyncio.run(CLIENTS[client](sent))

    sender = Process(target=send)
    sender.start()
    sender.join()
    arrivals = received()
    if sender.exitcode or sum(each.is_signed for each in arrivals) != len(sent):
        sys.exit(f"{client}: of {len(sent)} deliveries {len(arrivals)} were received")
    return (len(sent) - 1) / (arrivals[-1].at - arrivals[0].at)


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
    received = len({each.id for each in arrivals})
    signed = sum(each.is_signed for each in arrivals)
    if not received == signed == recorded == attempts == len(arrivals) == load_.deliveries:
        sys.exit(
            f"of {load_.deliveries} deliveries {received} were received in {len(arrivals)} requests, "
            f"{signed} of them signed, and {recorded} recorded, with {attempts} attempts"
        )


if __name__ == "__main__":
    main()
