"""Measure writing feeds: documents of entries that are all different, in each format, on one core.

    .venv/bin/python benchmarks/publish.py [--feeds 1000] [--entries 100] [--words 250] [--rounds 3]

Each entry has an article of so many words, a passage, a summary, an author, three categories and a picture.
The records are there already, so this is the cost of the documents alone: no database, no files. `one new` is
the cost where all entries but one were written before, and are kept. CPU seconds; the best of the rounds.
"""

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType

from syndicate.feeds import atom, jsonfeed, rss
from syndicate.feeds.documents import FeedDocument
from syndicate.feeds.entries import EntrySettings, Outlet, describe
from syndicate.feeds.select import newest_first, selected
from syndicate.model import Enclosure, Hit, Item, Match, NumberedMatches, Snippet, StoredMatch
from syndicate.model.feeds import Order

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WORDS = (
    *(
        "delegations",
        "from",
        "Central",
        "Asia",
        "met",
        "again",
        "&",
        "agreed",
        "on",
        "water,",
        "energy",
        "and",
    ),
    *("“роль”", "Европейского", "союза"),
)
FORMATS = {"atom": atom, "json": jsonfeed, "rss": rss}
OUTLETS = {
    f"outlet-{number}": Outlet(title=f"Outlet {number}", feed_url=f"https://o{number}.example/rss")
    for number in range(50)
}


def matches(feed: int, entries: int, words: int) -> Iterator[StoredMatch]:
    """Yield matches of a rule for items that no other feed has."""
    sentence = " ".join(WORDS[number % len(WORDS)] for number in range(words // 5)).capitalize()
    for number in range(feed * entries, (feed + 1) * entries):
        text = f"{number} {sentence}."
        instant = NOON + timedelta(seconds=number)
        item = Item(
            id=number + 1,
            source=f"outlet-{number % 50}",
            entry_id=f"https://o{number % 50}.example/{number}",
            revision=1,
            story=number + 1,
            guid=None,
            link=f"https://o{number % 50}.example/{number}",
            title=f"Water talks number {number} open in Almaty",
            body=text * 5,
            summary=text,
            content_html=f"<p>{text.replace('&', '&amp;')}</p>\n" * 5,
            author="Aigerim N.",
            categories=("water", "diplomacy", "Central Asia"),
            language="en",
            published=instant,
            updated=None,
            first_seen=instant,
            changed_at=instant,
            enclosures=(Enclosure(url=f"https://o.example/{number}.jpg", type="image/jpeg", length_bytes=9),),
        )
        match = Match(
            rule=f"rule-{feed}",
            rule_version="1",
            hits=(Hit(term="Central Asia", field="body", start=18, end=30),),
            snippet=Snippet(text=text[:240], field="body", marks=((18, 30),)),
        )
        yield StoredMatch(item=item, match=match, revision=1, matched_at=instant)


def document(feed: int) -> FeedDocument:
    """Return what is said about a feed."""
    return FeedDocument(
        feed_id=f"urn:uuid:00000000-0000-4000-8000-{feed:012}",
        title=f"Rule {feed}",
        description="News",
        self_url=f"https://news.example/feeds/rule-{feed}.atom",
        page_url="https://news.example/",
        version="1",
        updated_when_empty=NOON,
    )


def seconds(module: ModuleType, options: argparse.Namespace) -> tuple[float, float, int]:
    """Return the CPU seconds that all feeds take, whole and with one new entry each, and their bytes."""
    whole, one_new, written = 0.0, 0.0, 0
    for feed in range(options.feeds):
        found = list(matches(feed, options.entries, options.words))
        settings = EntrySettings(rule_titles={f"rule-{feed}": f"Rule {feed}"}, outlets=OUTLETS)
        started = time.process_time()
        entries = (selected(NumberedMatches(number=1, matches=(each,))) for each in found)
        shown = newest_first(entries, Order.PUBLISHED)
        rendered = module.render(document(feed), [describe(each, settings) for each in shown])
        whole += time.process_time() - started
        written += len(rendered)
        kept = [module.render_entry(describe(each, settings)) for each in shown]
        started = time.process_time()
        newest = describe(shown[0], settings)
        again = module.assemble(document(feed), newest.updated, [module.render_entry(newest), *kept[1:]])
        one_new += time.process_time() - started
        assert again == rendered
    return whole, one_new, written


def main() -> None:
    """Measure, and print the best."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--entries", type=int, default=100)
    parser.add_argument("--words", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    count = options.feeds * options.entries
    for name, module in FORMATS.items():
        rounds = [seconds(module, options) for _ in range(options.rounds)]
        whole, one_new, written = map(min, zip(*rounds, strict=True))
        print(
            f"{name:5} {whole:6.2f} s  {count / whole:8,.0f} entries/s  {written / 1e6:6.1f} MB"
            f"   one new {one_new:5.2f} s"
        )


if __name__ == "__main__":
    main()
