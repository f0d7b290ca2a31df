"""The service of soak.py: the product's own, by a clock that jumps ahead while there is nothing to do.

    python benchmarks/soak_service.py CONFIG CLOCK SAMPLES END JUMP

CLOCK is a file of eight bytes, where others read the time (seconds since 1970) and find it at the start.
SAMPLES gets a line of JSON for each hour of that time. At END, the service stops as at SIGTERM. JUMP is in
seconds.
"""

import asyncio
import gc
import json
import mmap
import os
import random
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from syndicate.cli import set_up_logging
from syndicate.loading import load
from syndicate.model import Poll, Recorded
from syndicate.service import Service
from syndicate.web.server import listen

TICK = timedelta(seconds=0.02)
HOUR = 3600


class Clock:
    """Goes as all clocks go while anything is under way; while nothing is, it jumps ahead once in a tick.

    So leases, timeouts and the pace of hosts mean what they mean, and nothing is faster than it could be.
    """

    def __init__(self, memory: mmap.mmap, jump: float) -> None:
        self._memory = memory
        self._jump = jump
        (self.seconds,) = struct.unpack("d", memory[:8])
        self._went_at = time.monotonic()

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def go(self, *, is_idle: bool) -> None:
        """Move on."""
        now = time.monotonic()
        self.seconds += self._jump if is_idle else now - self._went_at
        self._went_at = now
        self._memory[:8] = struct.pack("d", self.seconds)


class Counts:
    """What the service did."""

    def __init__(self) -> None:
        self.by_state: dict[str, int] = {}

    def hear(self, poll: Poll, recorded: Recorded) -> None:
        """Count a poll."""
        state = "lost" if recorded.was_stale or recorded.error else poll.state.value
        self.by_state[state] = self.by_state.get(state, 0) + 1


async def run(config: Path, clock: Clock, end: float, sample: Callable[[], None], counts: Counts) -> None:
    """Run the service until the clock says that it is the end, with a sample at every hour."""
    loaded = load(config, os.environ)
    stop = asyncio.Event()
    service = Service(loaded, random=random.random, heard=counts.hear, clock=clock, tick=TICK)
    with listen("127.0.0.1", 0) as listening:
        async with service as running:
            work = asyncio.create_task(running.run(stop, listening))
            hour = clock.seconds
            while clock.seconds < end and not work.done():
                await asyncio.sleep(TICK.total_seconds() * 1.5)
                clock.go(is_idle=running.is_idle)
                if clock.seconds >= hour:
                    sample()
                    hour += HOUR
            sample()
            stop.set()
            await work


def sampler(config: Path, clock: Clock, counts: Counts, samples: Path) -> Callable[[], None]:
    """Return what notes how much the process holds."""
    database = config.parent / "data/syndicate.db"

    def sample() -> None:
        line = {
            "seconds": clock.seconds,
            "rss_mib": sum(map(rss_mib, [os.getpid(), *children()])),
            "own_rss_mib": rss_mib(os.getpid()),
            "blocks": sys.getallocatedblocks(),
            "objects": len(gc.get_objects()),
            "files": len(list(Path("/proc/self/fd").iterdir())),
            "threads": threading.active_count(),
            "tasks": len(asyncio.all_tasks()),
            "database_mib": database.stat().st_size / 2**20,
            "wal_mib": database.with_name(database.name + "-wal").stat().st_size / 2**20,
            "cpu_seconds": time.process_time(),
            "polls": dict(counts.by_state),
        }
        with samples.open("a") as file:
            file.write(json.dumps(line) + "\n")

    return sample


def children() -> list[int]:
    """Return the processes that this one has started."""
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def rss_mib(pid: int) -> float:
    """Return how much memory a process holds; nothing of one that has ended."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * mmap.PAGESIZE / 2**20
    return 0.0


@contextmanager
def shared(path: Path) -> Iterator[mmap.mmap]:
    """Open the file of a clock."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 8) as memory:
        yield memory


def main() -> None:
    """Run, as the command line says."""
    config, clock_file, samples = map(Path, sys.argv[1:4])
    end, jump = map(float, sys.argv[4:6])
    set_up_logging("warning")
    counts = Counts()
    with shared(clock_file) as memory:
        clock = Clock(memory, jump)
        sample = sampler(config, clock, counts, samples)
        asyncio.run(run(config, clock, end, sample, counts))


if __name__ == "__main__":
    main()
