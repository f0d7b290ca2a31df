"""A desk for web.py: rules, sources, and items of the last sixty days, stored as polls store them.

    python benchmarks/web_desk.py FOLDER --items 1000000 --sources 1000 --rules 1000 --words 60

Articles and rules are those of made.py. Nothing is fetched: documents are made up, and everything from
there on (matching, stories, deliveries, the index of words) is the product's own, by a clock that jumps. Of
ten deliveries eight are taken, one is given up and one waits for its next attempt.
Prints progress on standard error.
"""

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from made import Language, make_article, make_language, make_rule, syndicate_query, written

from syndicate.loading import Loaded, load, take_over
from syndicate.model import (
    Attempt,
    Claim,
    Delivery,
    DeliveryState,
    Document,
    Entry,
    Poll,
    PollState,
)
from syndicate.rules.index import RuleIndex
from syndicate.sources.changes import Seen, change_of
from syndicate.sources.identity import identify, lists
from syndicate.store.protocol import HostPace
from syndicate.store.sqlite import SqliteStore

DAYS = 60
PER_POLL = 20
POLLS_AT_ONCE = 100
AT_ONCE = 1_000  # deliveries
BODY = b'{"type": "alert.match", "data": "' + b"x" * 1_000 + b'"}'
ARTICLES = 20_000  # different texts; each item has one, under a title of its own
CONFIG = """
[service]
title = "Desk"
listen = "127.0.0.1:{port}"

[network]
allow_private = ["127.0.0.0/8"]

[[endpoint]]
id = "desk"
url = "http://127.0.0.1:{receiver}/"
"""


class Clock:
    """The store's time, set by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def main() -> None:
    """Fill a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--sources", type=int, default=1_000)
    parser.add_argument("--rules", type=int, default=1_000)
    parser.add_argument("--words", type=int, default=390, help="of the text of an article")
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args()
    dice = random.Random(1)
    language = make_language(dice)
    articles = [make_article(language, dice, options.words) for _ in range(min(ARTICLES, options.items))]
    write(options.folder, options, language, articles, dice)
    fill(load(options.folder / "config.toml", {}), articles, options.items, dice)


def write(
    folder: Path,
    options: argparse.Namespace,
    language: Language,
    articles: list[list[str]],
    dice: random.Random,
) -> None:
    """Write a configuration: one rule in ten has an endpoint."""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    sources = "".join(
        f'\n[[source]]\nid = "outlet-{n}"\ntitle = "Outlet {n}"\nurl = "http://127.0.0.1:9/{n}"\n'
        'interval = "24h"\n'
        for n in range(options.sources)
    )
    head = CONFIG.format(port=options.port, receiver=9)
    (folder / "config.toml").write_text(head + sources, encoding="utf-8")
    for n in range(options.rules):
        query = syndicate_query(make_rule(language, articles, dice))
        notify = 'notify = ["desk"]\n' if n % 10 == 0 else ""
        text = f"title = \"Rule {n}\"\nquery = '''{query}'''\n{notify}"
        (folder / f"rules/rule-{n}.toml").write_text(text, encoding="utf-8")


def fill(loaded: Loaded, articles: Sequence[Sequence[str]], items: int, dice: random.Random) -> None:
    """Poll all sources in turn until so many items are stored; the last polls are just now."""
    end = datetime.now(UTC)
    clock = Clock(end - timedelta(days=DAYS))
    store = SqliteStore(loaded.config.service.database, clock)
    index = RuleIndex(list(loaded.rules))
    texts = [written(words) for words in articles]
    try:
        take_over(loaded, store)
        rounds = -(-items // (PER_POLL * len(loaded.config.sources)))
        numbers = iter(range(items))
        for turn in range(rounds):
            clock.now = end - timedelta(days=DAYS) * (rounds - 1 - turn) / rounds
            store.poll_now(None)
            for claims in claimed(store):
                polls = [
                    poll(claim, entries(numbers, texts, clock.now, rounds, dice), index, clock.now)
                    for claim in claims
                ]
                store.record_polls(polls)
            deliver(store)
            print(f"{min((turn + 1) * items // rounds, items):,} items", file=sys.stderr, flush=True)
    finally:
        store.close()


def deliver(store: SqliteStore) -> None:
    """Try whatever is due, once."""
    while due := store.claim_deliveries(limit=AT_ONCE, room={"desk": AT_ONCE}, lease=timedelta(hours=1)):
        store.freeze_bodies([(each.id, each.token, BODY) for each in due])
        store.record_attempts([attempt(each, n % 10, store.now()) for n, each in enumerate(due)])


def attempt(delivery: Delivery, chance: int, now: datetime) -> Attempt:
    """Return an attempt that was taken, but for two of ten."""
    states = {0: DeliveryState.DEAD, 1: DeliveryState.WAITING}
    state = states.get(chance, DeliveryState.DELIVERED)
    return Attempt(
        delivery=delivery.id,
        endpoint=delivery.endpoint,
        token=delivery.token,
        started_at=now,
        duration=timedelta(milliseconds=35),
        status=200 if state is DeliveryState.DELIVERED else 500,
        error=None if state is DeliveryState.DELIVERED else "the receiver answered 500",
        answer="A page that says what went wrong. " * 10,
        state=state,
        next_attempt_at=now + timedelta(days=2 * DAYS) if state is DeliveryState.WAITING else None,
    )


def claimed(store: SqliteStore) -> Iterator[list[Claim]]:
    """Yield what is due, some at a time."""
    pace = HostPace(interval=timedelta(), concurrency=1_000_000)
    while claims := store.claim_sources(
        limit=POLLS_AT_ONCE, due_by=store.now(), lease=timedelta(hours=1), pace=pace
    ):
        yield claims


def entries(
    numbers: Iterator[int], texts: Sequence[tuple[str, str]], now: datetime, rounds: int, dice: random.Random
) -> list[Entry]:
    """Return what came out since the round before."""
    span = timedelta(days=DAYS) / rounds
    found = []
    for _, number in zip(range(PER_POLL), numbers, strict=False):
        title, body = texts[dice.randrange(len(texts))]
        published = now - span * dice.random()
        found.append(
            Entry(
                guid=f"guid-{number}",
                link=f"https://news.example/{number}",
                title=f"{title} {number}",
                body=body,
                content_html=f"<p>{body}</p>",
                published=published,
                language="en",
            )
        )
    return found


def poll(claim: Claim, found: list[Entry], index: RuleIndex, now: datetime) -> Poll:
    """Return the poll of a document with these entries."""
    identified = tuple(identify(found))
    seen = Seen(
        claim=replace(claim, has_baseline=True),  # so that alerts are made from the first poll on
        document=Document(format="atom10", title="Outlet", entries=tuple(found)),
        index=index,
        now=now,
        lists=lists(identified),
    )
    return Poll(
        claim=claim,
        ended_at=now,
        state=PollState.OK,
        next_poll_at=now + timedelta(hours=24),
        status=200,
        changes=tuple(change_of(each, None, seen) for each in identified),
    )


if __name__ == "__main__":
    main()
