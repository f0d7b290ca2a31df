"""Measure reading feeds: our own path for usual ones beside feedparser, to the same documents.

    .venv/bin/python benchmarks/read.py [--feeds 300] [--items 20] [--words 250] [--rounds 5]

The feeds are those of poll.py. Each figure is of a whole process, CPU milliseconds a feed, with what the same
process takes without reading any taken off; medians over the rounds, which take turns. `parsed` is what
stands between the bytes and values, `read` all up to the document, sanitised texts included.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from poll import cost, write_feeds

READ = """
import sys
from pathlib import Path
from syndicate.sources import fast, feed
import feedparser

folder, what = sys.argv[1:]
headers = {"content-type": "application/rss+xml"}
for path in Path(folder).glob("*.xml"):
    body = path.read_bytes()
    if what == "parsed, ours":
        assert fast.read(body)
    elif what == "parsed, feedparser":
        assert feed._by_feedparser(body)["entries"]
    elif what.startswith("read"):
        feed.parse(body, headers, "https://outlet.example/feed", by_feedparser=what.endswith("feedparser"))
"""
NOTHING = "nothing"
STAGES = ("parsed", "read")
PARSERS = ("ours", "feedparser")


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--feeds", type=int, default=300)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--words", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    asked = [NOTHING, *(f"{stage}, {parser}" for stage in STAGES for parser in PARSERS)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "feeds"
        write_feeds(folder, options.feeds, options.items, options.words)
        rounds = [
            {what: cost(sys.executable, "-c", READ, folder, what).cpu for what in asked}
            for _ in range(options.rounds)
        ]
    for stage in STAGES:
        ours, theirs = (
            median(each[f"{stage}, {parser}"] - each[NOTHING] for each in rounds) * 1000 / options.feeds
            for parser in PARSERS
        )
        print(f"{stage:8} ours {ours:6.2f} ms   feedparser {theirs:6.2f} ms   {theirs / ours:5.1f}x")


if __name__ == "__main__":
    main()
