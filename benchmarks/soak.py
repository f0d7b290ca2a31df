"""Run the service for a week by a fast clock: nothing is missed, no alert twice, and the memory stays flat.

    .venv/bin/python benchmarks/soak.py [--days 7] [--sources 200] [--rules 200] [--jump 60] [--tell FILE]

Outlets publish by the hour of the day and the day of the week, and have their accidents (soak_outlets.py,
soak_server.py). The service is the product's own, as `run` composes it, by a clock that goes as all clocks go
while anything is under way, and jumps ahead by `--jump` seconds while nothing is (soak_service.py).
Each hour of that time it notes what it holds; `--tell` keeps these lines. Half of the rules alert a
receiver, which fails now and then, too.

It ends with 1 if

- an item that stood in a complete answer is not stored exactly once;
- something was published that no answer ever had, and no gap is recorded for its source;
- an item that a rule mentions raised no alert or more than one, those of first documents aside, and those
  whose text is on a page that was never had;
- from the third day on, memory grew by more than 5 MiB and by more than 1 % a day, by a straight line through
  all samples; or open files or threads became more.
"""

import argparse
import asyncio
import json
import mmap
import signal
import socket
import sqlite3
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from soak_outlets import DAY, Outlet, World, marker, outlets_of
from soak_server import Ledger, Servers

BEGIN = 1_793_577_600.0  # Monday, 2 November 2026
RECEIVER = "127.2.0.1"
FLAT_AFTER = 2 * DAY  # until caches are full
GROWN_MIB, GROWN_PERCENT = 5, 1
Sample = dict[str, Any]


def main() -> None:
    """Run, print what was seen, and say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--sources", type=int, default=200)
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--jump", type=float, default=60)
    parser.add_argument("--tell", type=Path)
    options = parser.parse_args()
    world = World(
        outlets=options.sources,
        rules=options.rules,
        begin=BEGIN,
        end=BEGIN + options.days * DAY,
        port=free_port(),
    )
    outlets = outlets_of(world)
    with tempfile.TemporaryDirectory() as name:
        folder, started = Path(name), time.monotonic()
        write_configuration(folder, world, outlets)
        ledger = asyncio.run(watch(folder, world, outlets, options.jump))
        samples = [json.loads(line) for line in (folder / "samples").read_text().splitlines()]
        if options.tell:
            options.tell.write_text((folder / "samples").read_text())
        took = time.monotonic() - started
        print(f"{options.days:g} days, {world.outlets} sources, {world.rules} rules in {took:.0f} s")
        problems = [*said_of_items(folder, world, outlets, ledger), *said_of_memory(samples, world)]
    for problem in problems:
        print(f"WRONG: {problem}")
    sys.exit(1 if problems else 0)


def free_port() -> int:
    """Return a port that is free on the receiver's address, so most likely on the others'."""
    with socket.socket() as free:
        free.bind((RECEIVER, 0))
        port: int = free.getsockname()[1]
        return port


def write_configuration(folder: Path, world: World, outlets: Sequence[Outlet]) -> None:
    """Write what the service is to do."""
    (folder / "rules").mkdir()
    lines = ["[network]", 'allow_private = ["127.0.0.0/8"]', 'host_interval = "0s"']
    lines += ["[[endpoint]]", 'id = "desk"', f'url = "http://{RECEIVER}:{world.port}/"']
    for outlet in outlets:
        lines += ["[[source]]", f'id = "outlet-{outlet.number}"']
        lines += [f'url = "http://{outlet.host}:{world.port}{outlet.path}"']
        lines += ["full_text = true"] if outlet.has_pages else []
    (folder / "config.toml").write_text("\n".join(lines) + "\n")
    for rule in range(world.rules):
        alerts = 'notify = ["desk"]\n' if rule % 2 else ""
        (folder / f"rules/rule-{rule}.toml").write_text(f'keywords = ["{marker(rule)}"]\n{alerts}')


async def watch(folder: Path, world: World, outlets: Sequence[Outlet], jump: float) -> Ledger:
    """Serve the outlets until the service has come to the end; return what they saw."""
    with clock(folder / "clock", world.begin) as now:
        servers = Servers(world, outlets, now)
        listening = await servers.serve(RECEIVER)
        words = [folder / "config.toml", folder / "clock", folder / "samples", world.end, jump]
        script = Path(__file__).with_name("soak_service.py")
        service = await asyncio.create_subprocess_exec(
            sys.executable, str(script), *map(str, words), stderr=(folder / "log").open("wb")
        )
        try:
            while service.returncode is None:
                progress((now() - world.begin) / (world.end - world.begin))
                await asyncio.wait([asyncio.create_task(service.wait())], timeout=2)
        finally:
            if service.returncode is None:
                service.send_signal(signal.SIGKILL)
                await service.wait()
            listening.close()
        if service.returncode:
            sys.exit(f"the service ended with {service.returncode}: {(folder / 'log').read_text()[-3000:]}")
        return servers.ledger


def progress(share: float) -> None:
    """Say how far it is, to whom watches."""
    if sys.stderr.isatty():
        print(f"\r{100 * share:.0f} %", end="\r", file=sys.stderr)


@contextmanager
def clock(path: Path, begin: float) -> Iterator[Callable[[], float]]:
    """Make the file of a clock and yield what tells its time."""
    path.write_bytes(struct.pack("d", begin))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 8) as memory:
        yield lambda: float(struct.unpack("d", memory[:8])[0])


# --------------------------------------------------------------------------- what is said


def said_of_items(folder: Path, world: World, outlets: Sequence[Outlet], ledger: Ledger) -> Iterator[str]:
    """Print what became of what was published; yield what is wrong with that."""
    database = folder / "data/syndicate.db"
    with closing(sqlite3.connect(database)) as db:
        stored = db.execute("SELECT slug, link FROM items i JOIN sources s ON s.id = i.source").fetchall()
        gaps = {slug for (slug,) in db.execute("SELECT slug FROM gaps g JOIN sources s ON s.id = g.source")}
        (revisions,) = db.execute("SELECT count(*) FROM revisions").fetchone()
    served = {(f"outlet-{number}", each.link) for number, some in ledger.served.items() for each in some}
    published = {
        (f"outlet-{outlet.number}", each.link)
        for outlet in outlets
        for each in outlet.articles
        if each.at >= world.begin
    }
    unseen = published - served
    sources = {slug for slug, _ in unseen}
    print("answers   " + ", ".join(f"{count} {name}" for name, count in ledger.requests.most_common()))
    print(
        f"items     {len(published)} published, {len(served)} served, {len(stored)} stored, {revisions} edits"
    )
    print(f"database  {database.stat().st_size / 1024 / len(stored):.1f} KiB an item")
    print(f"unseen    {len(unseen)} that no answer had, of {len(sources)} sources; gaps of {len(gaps)}")
    if missing := served - set(stored):
        yield f"{len(missing)} items that were served are not stored, as {sorted(missing)[:3]}"
    if more := set(stored) - served:
        yield f"{len(more)} items that are stored were not served, as {sorted(more)[:3]}"
    if len(stored) > len(set(stored)):
        yield f"{len(stored) - len(set(stored))} items are stored twice"
    if silent := sources - gaps:
        yield f"no gap is recorded for {', '.join(sorted(silent))}, of which items were missed"
    yield from said_of_alerts(outlets, ledger)


def said_of_alerts(outlets: Sequence[Outlet], ledger: Ledger) -> Iterator[str]:
    """Print what was alerted; yield what is wrong with that."""
    first = {link for links in ledger.at_first.values() for link in links}
    served = {(number, each) for number, some in ledger.served.items() for each in some}
    textless = {each.link for number, each in served if outlets[number].has_pages} - ledger.pages
    expected = {
        (f"rule-{each.rule}", each.link)
        for _, each in served
        if each.rule is not None and each.rule % 2 and each.link not in first | textless
    }
    twice = [(about, ids) for about, ids in ledger.taken.items() if len(ids) > 1]
    print(f"texts     {len(ledger.pages)} pages were had, {len(textless)} were not")
    print(f"alerts    {len(expected)} expected, {len(ledger.taken)} taken")
    if missing := expected - ledger.taken.keys():
        yield f"{len(missing)} alerts were never taken, as {sorted(missing)[:3]}"
    if more := ledger.taken.keys() - expected:
        yield f"{len(more)} alerts were not to be, as {sorted(more)[:3]}"
    if twice:
        yield f"{len(twice)} alerts were taken twice, as {twice[:3]}"


def said_of_memory(samples: Sequence[Sample], world: World) -> Iterator[str]:
    """Print what the service held; yield what is wrong with that."""
    last = samples[-1]
    polls = sum(last["polls"].values())
    print("polls     " + ", ".join(f"{count} {state}" for state, count in sorted(last["polls"].items())))
    print(f"CPU       {last['cpu_seconds']:.0f} s, {1000 * last['cpu_seconds'] / polls:.1f} ms a poll")
    names = (
        "rss_mib",
        "own_rss_mib",
        "blocks",
        "objects",
        "files",
        "threads",
        "tasks",
        "wal_mib",
        "database_mib",
    )
    print(f"{'day':10}" + "".join(f"{name:>13}" for name in names))
    for sample in [each for at, each in enumerate(samples) if at % 12 == 0 or each is last]:
        day = (sample["seconds"] - world.begin) / DAY
        print(f"{day:<10.1f}" + "".join(f"{sample[name]:13,.0f}" for name in names))
    late = [each for each in samples if each["seconds"] >= world.begin + FLAT_AFTER]
    if len(late) < 24:
        print("memory    too short to judge: two days are to fill caches")
        return
    days = (late[-1]["seconds"] - late[0]["seconds"]) / DAY
    for name in ("rss_mib", "own_rss_mib", "blocks", "objects"):
        mean = sum(each[name] for each in late) / len(late)
        slope = slope_of([(each["seconds"] / DAY, each[name]) for each in late])
        print(f"{name:12} grew by {slope * days:,.1f} in {days:.1f} days, {100 * slope / mean:.2f} % a day")
        if name == "rss_mib" and slope * days > GROWN_MIB and 100 * slope / mean > GROWN_PERCENT:
            yield f"memory grows by {slope:.1f} MiB a day"
    for name in ("files", "threads"):
        if last[name] > max(each[name] for each in samples[1:25]) + 2:
            yield f"{name} became more: {last[name]}"


def slope_of(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the straight line through points (least squares)."""
    middle = [sum(each) / len(points) for each in zip(*points, strict=True)]
    above = sum((x - middle[0]) * (y - middle[1]) for x, y in points)
    return above / sum((x - middle[0]) ** 2 for x, _ in points)


if __name__ == "__main__":
    main()
