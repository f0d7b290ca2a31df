"""Measure matching: many rules over one item at a time, beside PostgreSQL and FTS5 doing the same.

    .venv/bin/python benchmarks/match.py [--rules 100 1000 10000 100000] [--items 3000] [--rounds 3]
                                         [--seconds 5] [--only syndicate PostgreSQL]

The items are articles of 400 made-up words, as frequent as words are (Zipf) and inflected as in English; the
rules are one to four phrases joined by AND, OR, NOT and NEAR, of which about one in a thousand holds for an
article. Everybody gets the same rules, each in its own language, and stems by itself:

- syndicate: `RuleIndex.match`, so words, stems, matches and their evidence;
- syndicate, pure Python: the same without the compiled part;
- PostgreSQL: a table of `tsquery`, `@@` on all of it for each article, on a private server without fsync;
- FTS5: a table of MATCH expressions, each tried on a table in memory that holds the one article.

Each figure is of a whole process, on one core that PostgreSQL's server shares; medians over the rounds, which
take turns. Who needs more than `--seconds` for `--items` is measured over those done by then. `build` goes
from the rules' texts to the first answer; `index` is the part of it after parsing; `grown` is the memory that
took. PostgreSQL's peak is that of the one server process that answers, and what grew is the table. It has
title and body as one text, so that a phrase may go from the one into the other.

It ends with 1 if the two Syndicates differ in a match or its evidence, and says how far the others agree.
Without PostgreSQL (Debian: postgresql) it goes on, and says so. All of it takes about eight minutes.
"""

import argparse
import json
import os
import platform
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from made import DIALECTS, QUOTED_ARTICLES, Article, make_article, make_language, make_rule, written

WARM_UP_ITEMS = 200  # so that nobody is measured while filling caches, or a fifth of --seconds
CHECKED_ITEMS = 50  # whose answers are compared
NATIVE, PURE, POSTGRESQL, FTS5 = COMPETITORS = ("syndicate", "syndicate, pure Python", "PostgreSQL", "FTS5")
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def main() -> None:
    """Measure every size, print a table each, and end with 1 if the two Syndicates differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rules", type=int, nargs="+", default=(100, 1_000, 10_000, 100_000))
    parser.add_argument("--items", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="to give up after, each time")
    parser.add_argument("--only", nargs="+", choices=COMPETITORS, default=COMPETITORS)
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[1]))
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # goes for every process that we start
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL refuses to be root
        is_asked = POSTGRESQL in options.only
        with serving_postgresql(folder / SERVER) if is_asked else nullcontext() as version:
            print(about(version), flush=True)
            names = present(options.only, version)
            is_same = [measure_size(folder, names, size, options) for size in options.rules]
    if not all(is_same):
        sys.exit(1)


def present(asked: Sequence[str], postgresql_version: str | None) -> list[str]:
    """Return the competitors that can be measured, and say which can not."""
    missing: dict[str, str] = {}
    if not postgresql_version:
        missing[POSTGRESQL] = "apt-get install postgresql"
    if not import_module("syndicate.rules.compiled").is_there():
        missing[NATIVE] = "compile its core by tools/build_core.py"
    for name in asked:
        if name in missing:
            print(f"MISSING, so left out: {name} ({missing[name]})", flush=True)
    return [name for name in COMPETITORS if name in asked and name not in missing]


def about(postgresql_version: str | None) -> str:
    """Return what the figures hold for."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return (
        f"one core of {cpu[1] if cpu else platform.machine()}, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version}, {postgresql_version or 'no PostgreSQL'}"
    )


def measure_size(folder: Path, names: Sequence[str], size: int, options: argparse.Namespace) -> bool:
    """Measure everybody with so many rules and print it; return whether the two Syndicates agree."""
    write_workload(folder, size, options.items)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name, found in outcomes.items():
            found.append(alone(measure, name, folder, options.seconds))
    print_table(outcomes, size)
    works = {name: found[-1].work for name, found in outcomes.items()}
    for name in names[1:]:
        print(f"{names[0]} and {name} agree on {agreement(works[names[0]], works[name])}")
    both = [works[name] for name in (NATIVE, PURE) if name in works]
    different = first_difference(*both) if len(both) > 1 else None
    if different is not None:
        print(f"{NATIVE} and {PURE} DIFFER in article {WARM_UP_ITEMS + different}, or in its evidence")
    return different is None


def alone(function: Callable[..., "Outcome"], *arguments: Any) -> "Outcome":
    """Return what a function returns in a process of its own, so that memory is what it took."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


# --------------------------------------------------------------------------- one measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How matching went."""

    items: int
    items_per_second: float
    matches_per_item: float
    answers: list[frozenset[str]]  # the ids of the rules that hold, for each of the first articles
    evidence: list[bytes]  # a hash of everything that was said about each of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one competitor did in one process."""

    build_seconds: float
    index_seconds: float  # of these
    grown_mib: float
    peak_mib: float
    work: Work


def measure(name: str, folder: Path, seconds: float) -> Outcome:
    """Return how one competitor does, over as many articles as it can in so many seconds."""
    articles = [Article(*each) for each in json.loads((folder / "articles.json").read_text())]
    engine = make_engine(name, folder)
    before, started = engine.memory_mib()[0], time.perf_counter()
    engine.parse()
    parsed = time.perf_counter()
    engine.index()
    engine.match(articles[0])
    built, after = time.perf_counter(), engine.memory_mib()[0]
    deque(answers(engine, articles[:WARM_UP_ITEMS], seconds / 5), maxlen=0)
    return Outcome(
        build_seconds=built - started,
        index_seconds=built - parsed,
        grown_mib=after - before,
        work=work(engine, articles[WARM_UP_ITEMS:], seconds),
        peak_mib=engine.memory_mib()[1],
    )


def work(engine: "Engine", articles: Sequence[Article], seconds: float) -> Work:
    """Match until time is up; return how it went."""
    kept: list[Sequence[Any]] = []
    items = matches = 0
    started = time.perf_counter()
    for found in answers(engine, articles, seconds):
        items += 1
        matches += len(found)
        if items <= CHECKED_ITEMS:
            kept.append(found)
    ended = time.perf_counter()
    return Work(
        items=items,
        items_per_second=items / (ended - started),
        matches_per_item=matches / items,
        answers=[frozenset(map(engine.rule_id, found)) for found in kept],
        evidence=[sha256(repr(found).encode()).digest() for found in kept],
    )


def answers(engine: "Engine", articles: Sequence[Article], seconds: float) -> Iterator[Sequence[Any]]:
    """Yield what matches each article, until time is up."""
    end = time.perf_counter() + seconds
    for article in articles:
        yield engine.match(article)
        if time.perf_counter() > end:
            return


# --------------------------------------------------------------------------- what came out


def print_table(outcomes: Mapping[str, Sequence[Outcome]], size: int) -> None:
    """Print the medians of one size."""
    matches = next(iter(outcomes.values()))[0].work.matches_per_item
    print(
        f"\n{size:,} rules, of which {matches:.1f} ({matches / size:.3%}) hold for an article;"
        f" load {os.getloadavg()[0]:.1f}, of which about 1 is ours"
    )
    heads = ("items/s", "to PostgreSQL", "build s", "index s", "peak MiB", "grown MiB", "items")
    print(f"{'':22}" + "".join(f"{head:>{len(head) + 2}}" for head in heads))
    base = rate(outcomes[POSTGRESQL]) if POSTGRESQL in outcomes else None
    for name, found in outcomes.items():
        cells = (
            f"{rate(found):,.0f}" if rate(found) >= 100 else f"{rate(found):.1f}",
            f"{rate(found) / base:.2f}" if base else "-",
            f"{median(each.build_seconds for each in found):.2f}",
            f"{median(each.index_seconds for each in found):.2f}",
            f"{median(each.peak_mib for each in found):,.0f}",
            f"{median(each.grown_mib for each in found):,.1f}",
            f"{median(each.work.items for each in found):,.0f}",
        )
        row = (f"{cell:>{len(head) + 2}}" for cell, head in zip(cells, heads, strict=True))
        print(f"{name:22}" + "".join(row), flush=True)


def rate(outcomes: Sequence[Outcome]) -> float:
    """Return the median of items per second."""
    return median(each.work.items_per_second for each in outcomes)


def agreement(work: Work, other: Work) -> str:
    """Return how far two agree on which rules hold, over the articles that both have seen."""
    pairs = list(zip(work.answers, other.answers, strict=False))
    both = sum(len(ours & theirs) for ours, theirs in pairs)
    ours = sum(len(ours - theirs) for ours, theirs in pairs)
    theirs = sum(len(theirs - ours) for ours, theirs in pairs)
    share = both / max(1, both + ours + theirs)
    return (
        f"{share:.2%} of the matches in {len(pairs)} articles: {both} common,"
        f" {ours} only the former's, {theirs} only the latter's"
    )


def first_difference(work: Work, other: Work) -> int | None:
    """Return the first article whose matches or evidence differ, of those that both have seen."""
    ours, theirs = (zip(each.answers, each.evidence, strict=True) for each in (work, other))
    pairs = enumerate(zip(ours, theirs, strict=False))
    return next((place for place, (here, there) in pairs if here != there), None)


# --------------------------------------------------------------------------- competitors


class Syndicate:
    """The index of the product."""

    def __init__(self, folder: Path, *, native: bool) -> None:
        # Here, so that the others' memory is their own.
        model, self._compile, self._index_module, self._text = map(
            import_module,
            ("syndicate.model", "syndicate.rules.compile", "syndicate.rules.index", "syndicate.rules.text"),
        )
        self._native = native
        texts = json.loads((folder / "syndicate.json").read_text())
        queries = (model.Written(text=text, places=((1, 0),)) for text in texts)
        self._texts = [
            model.RuleText(id=str(at), title="", file="", line=1, query=query)
            for at, query in enumerate(queries)
        ]

    def parse(self) -> None:
        self._rules, problems = self._compile.compile_rules(self._texts, ())
        if problems:
            raise ValueError(f"rules that do not compile: {problems[:3]}")

    def index(self) -> None:
        self._index = self._index_module.RuleIndex(self._rules, native=self._native)
        import_module("syndicate.rules.collecting").settle()  # as the service does with many rules

    def match(self, article: Article) -> Sequence[Any]:
        subject = self._text.Subject(title=article.title, body=article.body, language="en", source="wire")
        return self._index.match(subject, NOW)  # type: ignore[no-any-return]

    def rule_id(self, found: Any) -> str:
        return str(found.rule)

    def memory_mib(self) -> tuple[float, float]:
        return process_mib("VmRSS"), process_mib("VmHWM")


class FTS5Table:
    """A table of MATCH expressions, which are tried one by one on a table of one row."""

    def __init__(self, folder: Path) -> None:
        self._queries = json.loads((folder / "fts5.json").read_text())
        self._database = sqlite3.connect(":memory:", isolation_level=None)

    def parse(self) -> None:
        pass

    def index(self) -> None:
        run = self._database.execute
        run("CREATE TABLE rules (id INTEGER PRIMARY KEY, query TEXT)")
        self._database.executemany("INSERT INTO rules VALUES (?, ?)", enumerate(self._queries))
        run("CREATE VIRTUAL TABLE item USING fts5(title, body, content='', tokenize='porter unicode61')")

    def match(self, article: Article) -> Sequence[Any]:
        run = self._database.execute
        run("INSERT INTO item(item) VALUES ('delete-all')")
        run("INSERT INTO item(rowid, title, body) VALUES (1, ?, ?)", article)
        return run("SELECT id FROM rules CROSS JOIN item WHERE item MATCH rules.query").fetchall()

    def rule_id(self, found: Any) -> str:
        return str(found[0])

    def memory_mib(self) -> tuple[float, float]:
        return process_mib("VmRSS"), process_mib("VmHWM")


class PostgreSQL:
    """A table of `tsquery` in a server that is running, asked through psql."""

    def __init__(self, folder: Path) -> None:
        self._rows = folder / "postgresql.tsv"
        queries = json.loads((folder / "postgresql.json").read_text())
        self._rows.write_text("".join(f"{at}\t{query}\n" for at, query in enumerate(queries)))
        self._psql = Psql(folder / SERVER)
        self._psql.ask("SET client_min_messages TO warning")
        self._psql.ask("DROP TABLE IF EXISTS rules")

    def parse(self) -> None:
        self._psql.ask("CREATE TEMPORARY TABLE texts (id int, query text)")
        self._psql.ask(f"COPY texts FROM {quoted(str(self._rows))}")

    def index(self) -> None:
        self._psql.ask("CREATE TABLE rules AS SELECT id, to_tsquery('english', query) AS query FROM texts")
        self._psql.ask("VACUUM ANALYZE rules")
        # In a SELECT of its own the text is taken apart once, not once per rule.
        self._psql.ask(
            "PREPARE ask(text) AS SELECT id FROM rules WHERE (SELECT to_tsvector('english', $1)) @@ query"
        )

    def match(self, article: Article) -> Sequence[Any]:
        return self._psql.ask(f"EXECUTE ask({quoted(' '.join(article))})")

    def rule_id(self, found: Any) -> str:
        return str(found)

    def memory_mib(self) -> tuple[float, float]:
        (length_bytes,) = self._psql.ask("SELECT coalesce(pg_total_relation_size(to_regclass('rules')), 0)")
        (pid,) = self._psql.ask("SELECT pg_backend_pid()")
        return int(length_bytes) / 2**20, process_mib("VmHWM", int(pid))


# Each can `parse` and then `index` the rules, so that it can `match`. What that returns is whatever it has;
# `rule_id` makes an id of each. `memory_mib` is what is held now, the rules among it, and the most ever held.
Engine = Syndicate | FTS5Table | PostgreSQL


def make_engine(name: str, folder: Path) -> Engine:
    """Return a competitor with the rules' texts at hand."""
    if name in (NATIVE, PURE):
        return Syndicate(folder, native=name == NATIVE)
    return PostgreSQL(folder) if name == POSTGRESQL else FTS5Table(folder)


def process_mib(name: str, pid: int | None = None) -> float:
    """Return a process's memory, or ours: VmRSS, what it holds; VmHWM, the most it ever held."""
    lines = Path(f"/proc/{pid or os.getpid()}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def quoted(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


# --------------------------------------------------------------------------- PostgreSQL's server and client

SERVER = "postgresql"  # the folder in ours
END = "--end--"
SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "shared_buffers": "512MB",  # so that it reads a table this large from its own memory
    "autovacuum": "off",
    "max_parallel_workers_per_gather": "0",  # there is one core
}


class Psql:
    """One session."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [
                (programs() or Path()) / "psql",
                "-XAtq",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                folder,
                "-U",
                "bench",
                "postgres",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, statement: str) -> list[str]:
        """Return the rows of an answer, of one column."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{statement};\n\\echo {END}\n")
        self._process.stdin.flush()
        rows: list[str] = []
        for line in self._process.stdout:
            if line == f"{END}\n":
                return rows
            rows.append(line.rstrip("\n"))
        raise RuntimeError(f"PostgreSQL refused: {statement[:200]}")


@contextmanager
def serving_postgresql(folder: Path) -> Iterator[str | None]:
    """Start a server of our own, give its version, and end it afterwards; None if there is none to start."""
    found = programs()
    if found is None:
        yield None
        return
    folder.mkdir()
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> str:
        command = [str(found / program), *arguments]
        done = subprocess.run(command, cwd=folder, user=user, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    data = ("-D", str(folder / "data"))
    run("initdb", *data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    settings = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
    run("pg_ctl", *data, "-w", "-l", str(folder / "log"), "-o", f"{settings} -k {folder}", "start")
    try:
        yield run("postgres", "--version").strip()
    finally:
        run("pg_ctl", *data, "-m", "immediate", "stop")


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, None if there is none."""
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    packaged = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    return packaged[-1].parent if packaged else None


# --------------------------------------------------------------------------- the workload


def write_workload(folder: Path, rules: int, items: int) -> None:
    """Write articles, those for warming up first, and the rules in every language."""
    dice = random.Random(7)
    language = make_language(dice)
    quoted_articles = [make_article(language, dice) for _ in range(QUOTED_ARTICLES)]
    made = [make_rule(language, quoted_articles, dice) for _ in range(rules)]
    others = (make_article(language, dice) for _ in range(WARM_UP_ITEMS + items - QUOTED_ARTICLES))
    articles = [*quoted_articles, *others][: WARM_UP_ITEMS + items]
    (folder / "articles.json").write_text(json.dumps([written(words) for words in articles]))
    for dialect, query in DIALECTS.items():
        (folder / f"{dialect}.json").write_text(json.dumps([query(rule) for rule in made]))


if __name__ == "__main__":
    main()
