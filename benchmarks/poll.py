"""Measure polling: many sources on a local nginx, polled for the first time and again when nothing changed.

    .venv/bin/python benchmarks/poll.py [--sources 1000] [--items 20] [--rules 1000] [--rounds 3]
                                        [--words 250] [--only syndicate reader newsboat]

The feeds are RSS 2.0 as WordPress writes it, each with `--items` articles of `--words` made-up words (see
made.py): the summary in `description`, all of it in `content:encoded`, as HTML with links; 2 KB an article.
With `--words 40` there is the summary alone, as in the feeds of most agencies. Everybody polls all of them
into a new database, and then again; nginx answers 304 to whoever asks conditionally.

- syndicate: `once --all`, matching as many rules as `--rules`, of which about one in a thousand holds for an
  article. Once they raise alerts, which is recorded, though not sent of a first poll, and once each publishes
  a feed (syndicate, with feeds);
- reader: the PyPI package, `update_feeds`, in an environment of its own with the versions that
  tests/acceptance/reader.lock pins, made where it is missing;
- newsboat: `-x reload`, without pictures or limits.

The last two match no rules. Each figure is of a whole process: wall seconds, CPU seconds, and the most
memory it held; start-up is the same process with nothing to poll, and is subtracted. Medians over the rounds,
in which everybody takes a turn. It ends with 1 if somebody did not store every article once.

Needs nginx (Debian: nginx-light) and, for its part, newsboat; who is not there is left out, and that is said.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from made import (
    QUOTED_ARTICLES,
    Rule,
    make_article,
    make_language,
    make_rule,
    syndicate_query,
    written,
)

from tests.readers import installed

ROOT = Path(__file__).resolve().parents[1]
SUMMARY_WORDS = 40
SYNDICATE, WITH_FEEDS, READER, NEWSBOAT = NAMES = ("syndicate", "syndicate, with feeds", "reader", "newsboat")
STAGES = ("start-up", "first poll", "unchanged poll")

WITH_READER = """
import sys
import reader

what, database, addresses = sys.argv[1:]
subscriptions = reader.make_reader(database)
if what == "add":
    for address in open(addresses).read().split():
        subscriptions.add_feed(address)
elif what == "update":
    subscriptions.update_feeds(scheduled=False)
else:
    subscriptions.get_feed_counts()
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took."""

    wall: float  # seconds
    cpu: float
    mib: float  # the most it held

    def above(self, other: "Cost") -> "Cost":
        """Return what it took more; the memory is its own."""
        return Cost(self.wall - other.wall, self.cpu - other.cpu, self.mib)


@dataclass(frozen=True, slots=True)
class Feeds:
    """What is polled."""

    port: int
    sources: int
    items: int

    @property
    def addresses(self) -> list[str]:
        """Return where the feeds are."""
        return [f"http://127.0.0.1:{self.port}/{source}.xml" for source in range(self.sources)]


Turn = Callable[[Path, Feeds], list[Cost]]  # what each stage costs, in a folder that is not there yet


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--words", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    options = parser.parse_args()
    if shutil.which("nginx") is None:
        sys.exit("nginx is missing: apt-get install nginx-light")
    turns = competitors(options.only, options.rules)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)  # nginx drops root
        write_feeds(root / "www", options.sources, options.items, options.words)
        with serving(root) as port:
            feeds = Feeds(port, options.sources, options.items)
            costs = measure(turns, root, feeds, options.rounds)
    show(costs)


def competitors(wanted: Sequence[str], rules: int) -> dict[str, Turn]:
    """Return everybody who is there and takes part."""
    everybody: dict[str, Turn] = {
        SYNDICATE: lambda folder, feeds: poll_by_syndicate(folder, feeds, rules, publishes=False),
        WITH_FEEDS: lambda folder, feeds: poll_by_syndicate(folder, feeds, rules, publishes=True),
        READER: poll_by_reader,
        NEWSBOAT: poll_by_newsboat,
    }
    missing = {}
    if READER in wanted and reader_python() is None:
        missing[READER] = "its packages could not be installed (see above)"
    if NEWSBOAT in wanted and shutil.which("newsboat") is None:
        missing[NEWSBOAT] = "apt-get install newsboat"
    for name, remedy in missing.items():
        print(f"NOT MEASURED, {name} is missing: {remedy}", file=sys.stderr)
    return {name: turn for name, turn in everybody.items() if name in wanted and name not in missing}


def measure(turns: dict[str, Turn], root: Path, feeds: Feeds, rounds: int) -> dict[str, list[list[Cost]]]:
    """Return the costs of each stage in each round, by who took them."""
    costs: dict[str, list[list[Cost]]] = {name: [] for name in turns}
    for number in range(rounds):
        for place, (name, turn) in enumerate(turns.items()):
            costs[name].append(turn(root / f"{number}-{place}", feeds))
            print(f"round {number + 1} of {rounds}, {name}: load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    return costs


def show(costs: dict[str, list[list[Cost]]]) -> None:
    """Print the medians, and how many times as much everybody takes as Syndicate."""
    print(f"{'':22} {'':14} {'wall s':>8} {'CPU s':>8} {'MiB':>6} {'wall':>8} {'CPU':>8}")
    for place, stage in enumerate(STAGES):
        middles = {name: middle([each[place] for each in rounds]) for name, rounds in costs.items()}
        if place:
            middles = {
                name: middle([each[place].above(each[0]) for each in rounds])
                for name, rounds in costs.items()
            }
        for name, cost in middles.items():
            times = ratios(cost, middles.get(SYNDICATE)) if place else ""
            print(f"{name:22} {stage:14} {cost.wall:8.2f} {cost.cpu:8.2f} {cost.mib:6.0f} {times}")


def ratios(cost: Cost, ours: Cost | None) -> str:
    """Return how many times as long it took as Syndicate."""
    return "" if ours is None else f"{cost.wall / ours.wall:7.1f}x {cost.cpu / ours.cpu:7.1f}x"


def middle(costs: Sequence[Cost]) -> Cost:
    """Return the medians."""
    return Cost(*(median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "mib")))


def cost(*command: object, home: Path | None = None) -> Cost:
    """Run a command to its end and return what it took."""
    words = [str(word) for word in command]
    environ = {**os.environ, **({"HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8"} if home else {})}
    started = time.monotonic()
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, cwd=ROOT, env=environ)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(words)} ended with {child.returncode}")
    return Cost(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def check(database: Path, query: str, feeds: Feeds) -> None:
    """End if there is not every article once."""
    with closing(sqlite3.connect(database)) as db:
        (found,) = db.execute(query).fetchone()
    if found != feeds.sources * feeds.items:
        sys.exit(f"{database.name} holds {found} articles of {feeds.sources * feeds.items}")


# --------------------------------------------------------------------------- who polls


def poll_by_syndicate(folder: Path, feeds: Feeds, rules: int, *, publishes: bool) -> list[Cost]:
    """Return what starting up with nothing due, a first and a second poll cost."""
    write_configuration(folder, feeds, rules, publishes=publishes)
    command = [sys.executable, "-m", "syndicate", "--log-level", "error", "--config", folder / "config.toml"]
    first = cost(*command, "once", "--all")
    second = cost(*command, "once", "--all")
    check(folder / "data/syndicate.db", "SELECT count(*) FROM items", feeds)
    return [cost(*command, "once"), first, second]


def write_configuration(folder: Path, feeds: Feeds, rules: int, *, publishes: bool) -> None:
    """Write a configuration that polls as fast as it can."""
    (folder / "rules").mkdir(parents=True)
    lines = ["[network]", 'allow_private = ["127.0.0.0/8"]', 'host_interval = "0s"', "host_concurrency = 64"]
    for source, address in enumerate(feeds.addresses):
        lines += ["[[source]]", f'id = "source-{source}"', f'url = "{address}"']
    if not publishes:
        lines += ["[[endpoint]]", 'id = "desk"', 'url = "http://127.0.0.1:9/"']
    (folder / "config.toml").write_text("\n".join(lines) + "\n")
    does = "" if publishes else 'feed = false\nnotify = ["desk"]\n'
    for number, rule in enumerate(make_rules(rules)):
        (folder / "rules" / f"rule-{number}.toml").write_text(f"query = '{syndicate_query(rule)}'\n{does}")


def make_rules(count: int) -> list[Rule]:
    """Return rules over the language of the articles."""
    dice = random.Random(7)
    language = make_language(dice)
    quoted = [make_article(language, dice) for _ in range(QUOTED_ARTICLES)]
    return [make_rule(language, quoted, dice) for _ in range(count)]


def reader_python() -> Path | None:
    """Return the Python that has the package `reader`, as tests/acceptance/test_readers.py has it."""
    programs = installed()
    return programs and programs / "python"


def poll_by_reader(folder: Path, feeds: Feeds) -> list[Cost]:
    """Return what opening a database, a first and a second update cost."""
    folder.mkdir()
    addresses, database = folder / "addresses", folder / "reader.db"
    addresses.write_text("\n".join(feeds.addresses))
    command = [reader_python(), "-c", WITH_READER]
    cost(*command, "add", database, addresses)
    costs = [cost(*command, what, database, addresses) for what in ("open", "update", "update")]
    check(database, "SELECT count(*) FROM entries", feeds)
    return costs


def poll_by_newsboat(folder: Path, feeds: Feeds) -> list[Cost]:
    """Return what starting up, a first and a second reload cost."""
    folder.mkdir()
    (folder / "urls").write_text("\n".join(feeds.addresses) + "\n")
    (folder / "config").write_text("")
    files = ["-u", folder / "urls", "-C", folder / "config", "-c", folder / "cache.db"]
    costs = [
        cost("newsboat", *files, "-x", what, home=folder) for what in ("print-unread", "reload", "reload")
    ]
    check(folder / "cache.db", "SELECT count(*) FROM rss_item WHERE deleted = 0", feeds)
    return costs


# --------------------------------------------------------------------------- what is polled


def write_feeds(folder: Path, sources: int, items: int, words: int) -> None:
    """Write a feed per source."""
    folder.mkdir(parents=True)
    dice = random.Random(7)
    language = make_language(dice)
    for source in range(sources):
        entries = "".join(
            entry(source, number, make_article(language, dice, words), dice) for number in range(items)
        )
        (folder / f"{source}.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"'
            ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
            ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">\n'
            f"<channel>\n<title>Outlet {source}</title>\n<link>https://outlet-{source}.example/</link>\n"
            f'<atom:link href="https://outlet-{source}.example/feed/" rel="self"/>\n'
            f"<description>News of outlet {source}</description>\n<language>en-US</language>\n"
            f"{entries}</channel>\n</rss>\n"
        )


def entry(source: int, number: int, words: Sequence[str], dice: random.Random) -> str:
    """Return one article, its whole text only if that is longer than a summary."""
    title, body = written(words)
    address = f"https://outlet-{source}.example/news/{number}"
    summary = " ".join(body.split()[:SUMMARY_WORDS])
    lines = [
        f"<title>{title}</title>",
        f"<link>{address}/</link>",
        f"<dc:creator><![CDATA[{' '.join(words[:2]).title()}]]></dc:creator>",
        f"<pubDate>Mon, 23 Nov 2026 {number % 24:02}:00:00 +0000</pubDate>",
        *(f"<category><![CDATA[{word}]]></category>" for word in words[2:5]),
        f'<guid isPermaLink="false">https://outlet-{source}.example/?p={number}</guid>',
        f"<description><![CDATA[{summary}]]></description>",
    ]
    if len(words) > 2 * SUMMARY_WORDS:
        sentences = body.split(". ")
        groups = (". ".join(sentences[start : start + 4]) for start in range(0, len(sentences), 4))
        paragraphs = "\n".join(f"<p>{with_link(group, address, dice)}</p>" for group in groups)
        lines.append(f"<content:encoded><![CDATA[{paragraphs}]]></content:encoded>")
    return "<item>\n" + "\n".join(lines) + "\n</item>\n"


def with_link(text: str, address: str, dice: random.Random) -> str:
    """Return a text in which one of the words leads elsewhere."""
    words = text.split()
    place = dice.randrange(len(words))
    words[place] = f'<a href="{address}/{words[place]}" target="_blank" rel="noopener">{words[place]}</a>'
    return " ".join(words)


@contextmanager
def serving(root: Path, address: str = "127.0.0.1") -> Iterator[int]:
    """Serve the feeds by nginx to this machine alone, and end it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    (root / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {root}/nginx.pid; error_log stderr error;"
        "events { worker_connections 1024; }"
        "http { access_log off; types { application/rss+xml xml; } keepalive_requests 100000;"
        f" client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;"
        f" uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;"
        f" server {{ listen {address}:{port}; allow 127.0.0.0/8; deny all; root {root}/www; }} }}"
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
