"""Count what items say in the end of the pages in tests/data/articles, and what they must not say.

    .venv/bin/python benchmarks/full_text.py

For each kind of page: how many of the phrases that must be in the item are, and how many of those that must
not be there are not; first as Syndicate does it, then by trafilatura alone, with the longer of both texts. It
ends with 1 if a phrase is wrong in the first.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from syndicate.sources.extract import article
from tests.pages import PAGES, Judged, outcome_of


def plainly(file: Path) -> tuple[int, int]:
    """Return how many phrases are missing and unwanted where the longer text is taken as it is."""
    expected = json.loads(file.with_suffix(".json").read_text())
    text = article(file.read_text()).text
    body = text if len(text) > max(len(expected["teaser"]), 200) else expected["teaser"]
    missing = sum(phrase not in body for phrase in expected["has"])
    return missing, sum(phrase in body for phrase in expected["lacks"])


def row(name: str, judged: list[Judged], plain: list[tuple[int, int]]) -> str:
    """Return a line of the table."""
    must, must_not = sum(each.phrases for each in judged), sum(each.unwelcome for each in judged)
    missing, unwanted = (
        sum(len(each.missing) for each in judged),
        sum(len(each.unwanted) for each in judged),
    )
    plainly_missing, plainly_unwanted = (sum(column) for column in zip(*plain, strict=True))
    return (
        f"{name:<12} {len(judged):>5} {must - missing:>7}/{must:<4} {must_not - unwanted:>7}/{must_not:<4}"
        f" {must - plainly_missing:>9}/{must:<4} {must_not - plainly_unwanted:>7}/{must_not:<4}"
    )


def main() -> int:
    """Print the table; return the exit status."""
    kinds: defaultdict[str, list[Path]] = defaultdict(list)
    for file in PAGES:
        kinds[file.stem.partition("_")[0]].append(file)
    judged = {file: outcome_of(file) for file in PAGES}
    print(f"{'kind':<12} {'pages':>5} {'must':>12} {'must not':>12} {'alone: must':>14} {'must not':>12}")
    for kind, files in sorted(kinds.items()):
        print(row(kind, [judged[file] for file in files], [plainly(file) for file in files]))
    print(row("all", list(judged.values()), [plainly(file) for file in PAGES]))
    return int(any(each.missing or each.unwanted for each in judged.values()))


if __name__ == "__main__":
    sys.exit(main())
