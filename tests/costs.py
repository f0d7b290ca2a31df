"""What reading a huge document costs a service: memory of all its processes, and how long its loop stops.

`python -m tests.costs NAME BYTES` polls such a document by the real poller from a server of its own, and
prints JSON: the most that this process has grown by, the longest that nothing else could run, and what came
of it. Who starts it watches the processes that read documents, as only they can be watched from outside.
"""

import asyncio
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

from syndicate.http import Client
from syndicate.model import NetworkSettings, Poll, Recorded, Source
from syndicate.rules.index import RuleIndex
from syndicate.sources.poller import Poller
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from tests.huge import HUGE, MAX_BYTES
from tests.servers import Request, raw_server
from tests.support import ROOT

SETTINGS = NetworkSettings(allow_private=(ip_network("127.0.0.0/8"),))
TICK_SECONDS = 0.005
WATCH_SECONDS = 0.005
PIECE = 64 * 1024
FEW = b'<rss version="2.0"><channel><title>T</title><item><title>first</title></item></channel></rss>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one document took; MiB and seconds."""

    own: float  # by which the process that polls has grown, at most
    other: float  # of the largest process that reads, all of it
    lag: float  # the longest that the loop stood still
    took: float
    status: str  # what is recorded of the source
    items: int

    @property
    def memory(self) -> float:
        return self.own + self.other


def cost(name: str, size: int = MAX_BYTES) -> Cost:
    """Return what polling a document takes, in a new process."""
    command = [sys.executable, "-m", "tests.costs", name, str(size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        other = 0.0
        while process.poll() is None:
            other = max(other, *map(_peak, _children(process.pid)), 0.0)
            time.sleep(WATCH_SECONDS)
        assert process.stdout
        told = json.loads(process.stdout.read())
    assert process.returncode == 0
    return Cost(other=other, **told)


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        threads = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for thread in threads for child in thread.read_text().split()]
    return []


def _peak(pid: int | str) -> float:
    """Return the most MiB that a process has held so far."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _begin_peak() -> float:
    """Return what this process holds now, from where its peak begins anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak("self")


class _Clock:
    def __call__(self) -> datetime:
        return datetime.now(UTC)


async def _poll(name: str, size: int, folder: Path) -> None:
    bodies = {"/few": FEW, "/huge": HUGE[name].body(size)}

    async def serve(request: Request, writer: asyncio.StreamWriter) -> bool:
        body = bodies[request.target]
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body))
        for start in range(0, len(body), PIECE):  # so that it is nowhere twice
            writer.write(body[start : start + PIECE])
            await writer.drain()
        return True

    assert len(bodies["/huge"]) <= size

    async with raw_server(serve) as server, Client(SETTINGS) as client:
        with closing(SqliteStore(folder / "s.db", _Clock())) as store, closing(StoreThread()) as call:
            recorded: list[tuple[Poll, Recorded]] = []
            poller = Poller(
                client=client,
                store=store,
                call=call,
                index=RuleIndex([]),
                settings=SETTINGS,
                random=lambda: 0.0,
                on_recorded=recorded.extend,
            )
            few = Source(id="few", title="few", urls=(f"{server}/few",))
            store.configure([few], [])
            await poller.drain(store.now())  # what is imported and opened once is no document's doing
            url = f"{server}/huge"
            address = HUGE[name].address_at(url)
            store.configure([few, Source(id="huge", title="huge", urls=(url,), addresses=(address,))], [])
            before = _begin_peak()
            lag, took = await _timed(poller, store)
            own = _peak("self") - before
    poll, result = recorded[-1]
    print(
        json.dumps(
            {
                "own": own,
                "lag": lag,
                "took": took,
                "status": poll.error or result.error or " ".join(poll.problems),
                "items": _items(folder / "s.db"),
            }
        )
    )


def _items(database: Path) -> int:
    with closing(sqlite3.connect(database)) as db:
        (count,) = db.execute("SELECT count(*) FROM items").fetchone()
    return int(count) - 1  # without the few


async def _timed(poller: Poller, store: SqliteStore) -> tuple[float, float]:
    lag = 0.0

    async def tick() -> None:
        nonlocal lag
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK_SECONDS)
            lag = max(lag, time.perf_counter() - before - TICK_SECONDS)

    ticking = asyncio.create_task(tick())
    started = time.perf_counter()
    await poller.drain(store.now())
    took = time.perf_counter() - started
    ticking.cancel()
    return lag, took


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(_poll(sys.argv[1], int(sys.argv[2]), Path(temporary)))
