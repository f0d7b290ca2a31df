"""Measure publishing: feeds of which each has changed, from the database to the files, beside feedgen alone.

    .venv/bin/python benchmarks/publish.py [--feeds 1000] [--entries 100] [--words 250] [--rounds 3] [--folder F]

Every feed has so many entries, of articles of so many words with a passage, an author, three categories
and a picture, and is written as Atom, JSON Feed, RSS and a page for people. `first` writes them all, and the
first page of each archive, which is what a new installation does once; `one new` is the usual case: an article
has come that every feed takes. feedgen renders documents of the same entries as Atom: no database, no files,
no other formats, no reasons.

Each is a process of its own on one core. Medians of the rounds, in CPU seconds and on the clock. The database
and the files lie in a new folder in F (else where temporary files go): a disk takes its time, a tmpfs does not.
"""  # noqa: E501

import argparse
import asyncio
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from feedgen.feed import FeedGenerator

from syndicate.feeds.publisher import Publisher
from syndicate.model import Config, Hit, Match, NetworkSettings, ServiceSettings, Snippet, Source
from syndicate.model.feeds import Feed
from syndicate.store.protocol import RuleState
from syndicate.store.rows import evidence_json, time_text
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ITEMS = 5_000  # that all feeds share
STEP = 37  # from one item of a feed to the next
TEXT = "delegations from Central Asia met again & agreed on water, energy and “роль” Европейского союза"
WORDS = TEXT.split()
WIRE = Source(id="wire", title="Wire", urls=("https://wire.example/feed",))


def article(number: int, words: int) -> str:
    """Return the text of an article."""
    sentence = " ".join(WORDS[place % len(WORDS)] for place in range(words // 5)).capitalize()
    return f"{number} {sentence}. " * 5


def html(text: str) -> str:
    """Return a text as its publisher has it."""
    return f"<p>{text.replace('&', '&amp;')}</p>\n"


def items_of(feed: int, entries: int) -> list[int]:
    """Return the items of a feed; the newest is of none yet."""
    return [(place * STEP + feed * 53) % (ITEMS - 1) + 1 for place in range(entries)]


# --------------------------------------------------------------------------- ours


def fill(path: Path, feeds: int, entries: int, words: int) -> None:
    """Put items and matches into a new database."""
    times = [time_text(NOON - timedelta(minutes=ITEMS - number)) for number in range(ITEMS)]
    texts = [article(number, words) for number in range(ITEMS)]
    picture = json.dumps([{"url": "https://wire.example/1.jpg", "type": "image/jpeg", "length_bytes": 9}])
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany("INSERT INTO stories (id, first_seen) VALUES (?, ?)", enumerate(times, 1))
        db.executemany(
            "INSERT INTO items (id, source, entry_id, story, revision, first_seen, changed_at, sort_at,"
            " noticed_at, content_hash, link, title, body, summary, content_html, author, categories,"
            " enclosures)"
            " VALUES (?1, 1, 'urn:x:' || ?1, ?1, 1, ?2, ?2, ?2, ?2, '', 'https://wire.example/' || ?1,"
            " 'Water talks number ' || ?1 || ' open in Almaty', ?3, substr(?3, 1, 300), ?4, 'Aigerim N.',"
            ' \'["water", "diplomacy", "Central Asia"]\', ?5)',
            (
                (number, at, text, html(text), picture)
                for number, (at, text) in enumerate(zip(times, texts, strict=True), 1)
            ),
        )
        for feed in range(feeds):
            add_matches(db, feed, items_of(feed, entries), texts[0])


def add_matches(db: sqlite3.Connection, feed: int, items: list[int], text: str) -> None:
    """Have a rule hold for items."""
    match = Match(
        rule=f"rule-{feed}",
        rule_version="1",
        hits=(Hit(term="Central Asia", field="body", start=19, end=31),),
        snippet=Snippet(text=text[:240], field="body", marks=((19, 31),)),
    )
    evidence = evidence_json(match)
    db.executemany(
        "INSERT INTO matches (rule, item, revision, evidence, matched_at)"
        " SELECT ?, id, 1, ?, first_seen FROM items WHERE id = ?",
        [(match.rule, evidence, item) for item in items],
    )


async def timed(publisher: Publisher, folder: Path) -> dict[str, float]:
    """Publish what is stale; return the seconds it took, and what there is then."""
    cpu, clock = time.process_time(), time.perf_counter()
    changed = await publisher.publish_stale()
    took = {"cpu": time.process_time() - cpu, "clock": time.perf_counter() - clock, "changed": changed}
    return took | written(folder)


def written(folder: Path) -> dict[str, float]:
    """Return how many heads there are, in all formats, and how large they are."""
    sizes = [path.stat().st_size for path in folder.glob("rule-*.*")]
    return {"files": len(sizes), "megabytes": sum(sizes) / 1e6}


def ours(feeds: int, entries: int, words: int, folder: Path) -> dict[str, dict[str, float]]:
    """Return what it takes to publish all feeds, and again when each has a new entry."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    published = tuple(
        Feed(id=f"rule-{number}", title=f"Rule {number}", about="News", rules=(f"rule-{number}",))
        for number in range(feeds)
    )
    config = Config(
        path=folder / "config.toml",
        service=ServiceSettings(database=folder / "s.db", rules=folder, feeds=folder / "feeds"),
        network=NetworkSettings(),
        sources=(WIRE,),
        endpoints=(),
        rules=(),
        feeds=published,
    )
    now = [NOON]

    async def publish() -> dict[str, dict[str, float]]:
        with closing(Publisher(store=store, call=call, config=config)) as publisher:
            await publisher.open()
            found = {"first": await timed(publisher, config.service.feeds)}
            now[0] += timedelta(minutes=1)
            with closing(sqlite3.connect(config.service.database)) as db, db:
                for number in range(feeds):
                    add_matches(db, number, [ITEMS], article(ITEMS - 1, words))
                db.execute("UPDATE feeds SET generation = generation + 1")
            return found | {"one new": await timed(publisher, config.service.feeds)}

    with (
        closing(SqliteStore(config.service.database, lambda: now[0])) as store,
        closing(StoreThread()) as call,
    ):
        rules = [RuleState(id=feed.id, version="1", feed=True) for feed in published]
        store.configure([WIRE], rules, feeds=published)
        fill(config.service.database, feeds, entries, words)
        return asyncio.run(publish())


# --------------------------------------------------------------------------- the peer


def feedgens(feeds: int, entries: int, words: int, _folder: Path) -> dict[str, dict[str, float]]:
    """Return what feedgen takes for documents of the same entries as Atom."""
    cpu, clock, size = time.process_time(), time.perf_counter(), 0
    for feed in range(feeds):
        document = FeedGenerator()
        document.id(f"urn:x:rule-{feed}")
        document.title(f"Rule {feed}")
        document.link(href=f"https://news.example/feeds/rule-{feed}.atom", rel="self")
        for number in items_of(feed, entries):
            text = article(number, words)
            entry = document.add_entry(order="append")
            entry.id(f"urn:x:{number}")
            entry.title(f"Water talks number {number} open in Almaty")
            entry.link(href=f"https://wire.example/{number}")
            entry.author(name="Aigerim N.")
            entry.category([{"term": term} for term in ("water", "diplomacy", "Central Asia")])
            entry.published(NOON)
            entry.updated(NOON)
            entry.summary(text[:300])
            entry.content(html(text), type="html")
        size += len(document.atom_str(pretty=True))
    took = {"cpu": time.process_time() - cpu, "clock": time.perf_counter() - clock}
    return {"feedgen": took | {"changed": feeds, "files": 0, "megabytes": size / 1e6}}


# --------------------------------------------------------------------------- both

PARTS: dict[str, Callable[[int, int, int, Path], dict[str, dict[str, float]]]] = {
    "ours": ours,
    "feedgen": feedgens,
}


def child(part: str, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure in a process of its own, on one core."""
    command = [sys.executable, __file__, "--part", part, "--feeds", str(options.feeds)]
    command += ["--entries", str(options.entries), "--words", str(options.words)]
    with TemporaryDirectory(dir=options.folder) as folder:
        command += ["--folder", folder]
        answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=900)
    found: dict[str, dict[str, float]] = json.loads(answer.stdout)
    return found


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--entries", type=int, default=100)
    parser.add_argument("--words", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        measure = PARTS[options.part]
        print(json.dumps(measure(options.feeds, options.entries, options.words, options.folder)))
        return
    rounds = [
        {name: took for part in PARTS for name, took in child(part, options).items()}
        for _ in range(options.rounds)
    ]
    middles = {
        name: {key: statistics.median(each[name][key] for each in rounds) for key in rounds[0][name]}
        for name in rounds[0]
    }
    for name, middle in middles.items():
        rate, share = middle["changed"] / middle["clock"], middle["cpu"] / middles["feedgen"]["cpu"]
        print(
            f"{name:8} {middle['changed']:6,.0f} feeds {middle['cpu']:7.2f} s CPU"
            f" {middle['clock']:7.2f} s clock {rate:7,.0f} feeds/s {middle['files']:6,.0f} files"
            f" {middle['megabytes']:7.1f} MB  {share:.2f}x feedgen's CPU"
        )


if __name__ == "__main__":
    main()
