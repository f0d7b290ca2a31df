"""Measure a day like any other: many sources held at an interval, of which few have something new.

    .venv/bin/python benchmarks/steady.py [--sources 10000] [--minutes 15] [--interval 15] [--changed 10]
                                          [--items 20] [--rules 1000]

The sources are RSS 2.0 feeds, as in poll.py, on a local nginx, each at an address of its own within
127.0.0.0/8: 10,000 hosts to keep a pace with, and a new connection for each poll, without TLS. As many
rules as `--rules` publish a feed each, `--changed` percent of the polls find one new item, all others a 304.

`once --all` reads everything for the first time. Then the polls are spread evenly over the interval, as they
are after a while, and `syndicate run` works for `--minutes`; figures are of that process, after its start:

- CPU: of one core, in percent, from the counters of the kernel;
- RSS: at the beginning and at the end, and the most it was;
- lateness: how long after it was due a poll was recorded;
- answer: how long /healthz takes, asked four times a second, so how long the event loop lags.

It ends with 1 if a poll was missed, a new item is not stored, or a due feed is not published.

Needs nginx (Debian: nginx-light).
"""

import argparse
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from poll import ROOT, WORDS, cost, entry, serving, write_feeds

TICKS = os.sysconf("SC_CLK_TCK")
SETTLING = timedelta(seconds=45)  # for the start, before the first poll is due
AHEAD = timedelta(seconds=20)  # before its poll, a feed gets its new item
ASK_SECONDS = 0.25
LAST_SECONDS = 5  # for what fell due last


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is to be held."""

    sources: int
    items: int
    rules: int
    interval: timedelta
    changed: float  # share of the polls that find a new item
    lasts: timedelta


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was seen of the process."""

    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    rss_mib: list[float] = field(default_factory=list)
    answer_seconds: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class News:
    """What was given to the feeds, and which polls were to find it."""

    database: Path
    folder: Path
    share: float  # of the feeds
    dice: random.Random = field(default_factory=lambda: random.Random(5))
    items: int = 0
    due_by_source: dict[str, datetime] = field(default_factory=dict)  # the poll that is waited for
    late_seconds: list[float] = field(default_factory=list)  # of the polls before

    def give(self, begin: datetime, end: datetime) -> None:
        """Put a new item into some of the feeds that are due between two times."""
        with reading(self.database) as db:
            rows = db.execute(
                "SELECT slug, next_poll_at, last_polled_at FROM sources"
                " WHERE next_poll_at >= ? AND next_poll_at < ?",
                [time_text(begin), time_text(end)],
            ).fetchall()
        for slug, due, polled in rows:
            if slug in self.due_by_source:
                self._note(slug, polled)
            self.due_by_source[slug] = datetime.fromisoformat(due)
            if self.dice.random() < self.share:
                self.items += 1
                put_first(self.folder / f"{slug.removeprefix('source-')}.xml", self.items)

    def take_stock(self) -> list[str]:
        """Return which sources were not polled when they were due for the last time."""
        with reading(self.database) as db:
            polled_by_source = dict(db.execute("SELECT slug, last_polled_at FROM sources").fetchall())
        before = len(self.late_seconds)
        for slug in self.due_by_source:
            self._note(slug, polled_by_source[slug])
        late = zip(self.due_by_source, self.late_seconds[before:], strict=True)
        return [slug for slug, seconds in late if seconds < 0]

    def _note(self, slug: str, polled: str) -> None:
        late = datetime.fromisoformat(polled) - self.due_by_source[slug]
        self.late_seconds.append(late.total_seconds())


def main() -> None:
    """Measure, and print a table."""
    load = options()
    if shutil.which("nginx") is None:
        sys.exit("nginx is missing: apt-get install nginx-light")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)  # nginx drops root
        write_feeds(root / "www", load.sources, load.items)
        with serving(root, "0.0.0.0") as port:
            web = write_configuration(root / "desk", port, load)
            first = cost(*command(root / "desk", "error"), "once", "--all")
            print(f"first poll: {first.wall:.1f} s, {first.cpu:.1f} s of CPU, {first.mib:.0f} MiB")
            begin = datetime.now(UTC) + SETTLING
            spread(root / "desk/data/syndicate.db", begin, load)
            with running(root / "desk") as service:
                news = News(database=root / "desk/data/syndicate.db", folder=root / "www", share=load.changed)
                seen = watch(service, web, begin, begin + load.lasts, news)
                time.sleep(LAST_SECONDS)
            show(seen, news, load)


def options() -> Load:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--interval", type=float, default=15, help="minutes")
    parser.add_argument("--changed", type=float, default=10, help="percent")
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--rules", type=int, default=1000)
    asked = parser.parse_args()
    return Load(
        sources=asked.sources,
        items=asked.items,
        rules=asked.rules,
        interval=timedelta(minutes=asked.interval),
        changed=asked.changed / 100,
        lasts=timedelta(minutes=asked.minutes),
    )


# --------------------------------------------------------------------------- what is set up


def write_configuration(folder: Path, port: int, load: Load) -> int:
    """Write a configuration with every source on a host of its own; return the port that it listens on."""
    (folder / "rules").mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listening: int = free.getsockname()[1]
    lines = ["[service]", f'listen = "127.0.0.1:{listening}"', "[network]", 'allow_private = ["127.0.0.0/8"]']
    for source in range(load.sources):
        address = f"http://127.{source // 65536 + 1}.{source // 256 % 256}.{source % 256}:{port}/{source}.xml"
        lines += ["[[source]]", f'id = "source-{source}"', f'url = "{address}"']
        lines += [f'interval = "{load.interval.total_seconds():.0f}s"', "adaptive = false"]
    (folder / "config.toml").write_text("\n".join(lines) + "\n")
    dice = random.Random(11)
    for rule in range(load.rules):
        phrase = " ".join(dice.sample(WORDS, 3))
        (folder / "rules" / f"rule-{rule}.toml").write_text(f'keywords = ["{phrase}"]\n')
    return listening


def command(folder: Path, log_level: str) -> list[object]:
    """Return the beginning of every command."""
    return [sys.executable, "-m", "syndicate", "--config", folder / "config.toml", "--log-level", log_level]


def spread(database: Path, begin: datetime, load: Load) -> None:
    """Have the sources fall due evenly over the interval, in an order of chance."""
    order = list(range(load.sources))
    random.Random(3).shuffle(order)
    step = load.interval / load.sources
    moments = [(time_text(begin + step * place), f"source-{source}") for place, source in enumerate(order)]
    with closing(sqlite3.connect(database)) as db, db:
        db.executemany("UPDATE sources SET next_poll_at = ? WHERE slug = ?", moments)


def time_text(moment: datetime) -> str:
    """Return a time as the database has it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@contextmanager
def running(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service, its log in a file beside its configuration."""
    words = [str(word) for word in (*command(folder, "info"), "run")]
    with (folder / "run.log").open("wb") as log:
        service = subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield service
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait()


# --------------------------------------------------------------------------- what is seen


def watch(service: subprocess.Popen[bytes], web: int, begin: datetime, end: datetime, news: News) -> Seen:
    """Return what the process took between two times, while feeds get new items."""
    news.give(begin, begin + AHEAD)
    given = begin + AHEAD
    time.sleep(max((begin - datetime.now(UTC)).total_seconds(), 0))
    if not is_answered(web):
        sys.exit(f"the service did not start within {SETTLING}")
    seen = Seen(cpu_seconds=-cpu_seconds(service.pid), wall_seconds=-time.monotonic())
    while (now := datetime.now(UTC)) < end:
        until = min(now + AHEAD, end)
        if until - given > AHEAD / 4 or (until == end and given < end):
            news.give(given, until)
            given = until
        seen.rss_mib.append(rss_mib(service.pid))
        asked = time.monotonic()
        if not is_answered(web):
            sys.exit("the service does not answer; it may have ended")
        seen.answer_seconds.append(time.monotonic() - asked)
        time.sleep(ASK_SECONDS)
    seen.cpu_seconds += cpu_seconds(service.pid)
    seen.wall_seconds += time.monotonic()
    return seen


def put_first(path: Path, number: int) -> None:
    """Put a new item into a feed, which then has one of the old ones less."""
    head, item, rest = path.read_text().partition("<item>")
    new = entry(int(path.stem), 1_000_000 + number, random.Random(number))
    beside = path.with_suffix(".new")
    beside.write_text(head + new + item + rest[: rest.rindex("<item>")] + "</channel></rss>")
    beside.rename(path)


@contextmanager
def reading(database: Path) -> Iterator[sqlite3.Connection]:
    """Read a database that belongs to somebody else."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        yield db


def is_answered(port: int) -> bool:
    """Say whether the service says that it is well."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def cpu_seconds(pid: int) -> float:
    """Return what a process has used of the processor, in its threads too."""
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / TICKS


def rss_mib(pid: int) -> float:
    """Return how much memory a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


# --------------------------------------------------------------------------- what is said


def show(seen: Seen, news: News, load: Load) -> None:
    """Print the figures; end with 1 if anything was left undone."""
    missed = news.take_stock()
    with reading(news.database) as db:
        (items,) = db.execute("SELECT count(*) FROM items").fetchone()
        (stale,) = db.execute("SELECT count(*) FROM feeds WHERE generation > published").fetchone()
    missing = load.sources * load.items + news.items - items
    polls, rss = len(news.late_seconds), seen.rss_mib
    late, answers = sorted(news.late_seconds), sorted(seen.answer_seconds)
    print(f"{load.sources} sources, one poll each in {load.interval}; {polls} polls in {load.lasts}")
    print(f"{'CPU':12} {100 * seen.cpu_seconds / seen.wall_seconds:8.1f} % of one core")
    print(f"{'':12} {1000 * seen.cpu_seconds / polls:8.1f} ms a poll")
    print(f"{'RSS':12} {rss[0]:8.0f} MiB at the beginning, {rss[-1]:.0f} at the end, {max(rss):.0f} at most")
    for name, sample in (("lateness", late), ("answer", answers)):
        nearly = sample[len(sample) * 99 // 100]
        print(f"{name:12} {median(sample):8.3f} s, {nearly:.3f} in 99 of 100, {sample[-1]:.3f} at most")
    print(f"{'left undone':12} {len(missed):8} polls, {missing} of {news.items} new items, {stale} feeds")
    if missed or missing or stale:
        sys.exit(1)


if __name__ == "__main__":
    main()
