"""Measure looking for spikes: how long a look takes beside many items, matches and rules.

    .venv/bin/python benchmarks/spikes.py [--rounds 5]

Nine weeks of made items lie in a database of their own, spread over the hours; rules hold for some of them.
Figures, medians over the rounds, in milliseconds:

- look: what the service does each minute, when no rule has more than a few stories in the last hour;
- usual: the same with what is usual asked of every rule, as `./run spikes` does.

The rows are written by SQL, as it would take long to poll them. Needs some 500 MB of disk for a while.
"""

import argparse
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection, connect
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from syndicate.alerts.spike_watch import volumes
from syndicate.alerts.spikes import Watched
from syndicate.model import Source
from syndicate.model.spike import LEAST, SCORE, SpikeSettings
from syndicate.store.protocol import RuleState
from syndicate.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
WEEKS = 9
SETTINGS = SpikeSettings(least=LEAST, score=SCORE)


class Load(NamedTuple):
    """What lies in the database."""

    items: int
    matches: int  # spread over the rules
    rules: int
    of_one: int = 0  # further matches, all of the first rule


LOADS = (
    Load(100_000, 100_000, 1),
    Load(100_000, 100_000, 1_000),
    Load(100_000, 100_000, 1_000, 100_000),
    Load(400_000, 100_000, 1_000),
    Load(100_000, 500_000, 1_000),
)


def fill(db: Connection, load: Load) -> None:
    """Write items that are a story each, and the matches of rules."""
    seconds = int(timedelta(weeks=WEEKS).total_seconds())
    hours = [NOW - timedelta(hours=hour) for hour in range(seconds // 3600 + 2)]
    db.executemany("INSERT INTO watched_hours VALUES (?)", [(f"{hour:%Y-%m-%dT%H}",) for hour in hours])
    db.execute("UPDATE installation SET created_at = ?", [text(NOW - timedelta(weeks=WEEKS + 1))])
    times = [
        text(NOW - timedelta(seconds=seconds * (load.items - number) // load.items))
        for number in range(load.items)
    ]
    db.executemany("INSERT INTO stories (id, first_seen) VALUES (?, ?)", enumerate(times, 1))
    db.executemany(
        "INSERT INTO items (id, source, entry_id, story, revision, first_seen, changed_at, sort_at,"
        " content_hash, title, body, summary, content_html, author, categories, enclosures)"
        " VALUES (?1, 1, 'urn:' || ?1, ?1, 1, ?2, ?2, ?2, '', 'Title', 'Body', '', '', '', '[]', '[]')",
        enumerate(times, 1),
    )
    db.execute("UPDATE rules SET version = 'v'")
    each = load.matches // load.items or 1
    pairs = [
        (f"rule-{(item * 7 + number) % load.rules}", item)
        for item in range(1, min(load.items, load.matches) + 1)
        for number in range(each)
    ]
    pairs += [("rule-0", item) for item in range(1, load.of_one + 1)]
    db.executemany(
        "INSERT OR IGNORE INTO matches (rule, item, revision, evidence, matched_at)"
        " VALUES (?1, ?2, 1, '{}', ?3)",
        ((rule, item, times[item - 1]) for rule, item in pairs),
    )
    db.commit()
    db.execute("ANALYZE")


def text(moment: datetime) -> str:
    """Return a time as the database has it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def median_ms(function: Callable[[], object], rounds: int) -> float:
    """Return how long a call takes, the first one aside, which reads from the disk."""
    function()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        function()
        taken.append(time.perf_counter() - started)
    return median(taken) * 1000


def measure(load: Load, rounds: int) -> tuple[float, float]:
    """Return the milliseconds of a look, and of asking what is usual of all rules."""
    with TemporaryDirectory(prefix="spikes-") as folder:
        path = Path(folder, "syndicate.db")
        with closing(SqliteStore(path, lambda: NOW)) as store:
            names = [f"rule-{number}" for number in range(load.rules)]
            wire = Source(id="wire", title="Wire", urls=("https://wire.example/feed",))
            store.configure([wire], [RuleState(id=name, version="v", feed=False) for name in names])
            with closing(connect(path)) as db:
                fill(db, load)
            watched = [Watched(rule=name, settings=SETTINGS, endpoints=("desk",)) for name in names]

            def look(*, only_doubtful: bool) -> None:
                volumes(store, watched, NOW, UTC, only_doubtful=only_doubtful)

            return (
                median_ms(lambda: look(only_doubtful=True), rounds),
                median_ms(lambda: look(only_doubtful=False), rounds),
            )


def main() -> None:
    """Measure each load."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    rounds = parser.parse_args().rounds
    print(f"{'items':>8} {'matches':>8} {'of one':>8} {'rules':>6} {'look':>8} {'usual':>8}  ms")
    for load in LOADS:
        look, usual = measure(load, rounds)
        print(
            f"{load.items:8} {load.matches:8} {load.of_one:8} {load.rules:6} {look:8.1f} {usual:8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
