"""Measure stems: do the forms of a word meet, and do different words stay apart, per language and script.

    .venv/bin/python benchmarks/stems.py [--misses]

The words are those of tests/data/stems, which the tests hold to least figures. Of all pairs of words that
have the same stem, precision is the share that are forms of one lemma; of all pairs of forms of one lemma,
recall is the share that have the same stem. `apart` is the share of pairs of different words, alike on
purpose, that have different stems. Every third line of a list is held out: nobody looks at what fails there
to make it pass, so --misses shows what fails in the others only.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from syndicate.rules.language import normalise
from syndicate.rules.stems import stem

WORDS = Path(__file__).resolve().parent.parent / "tests" / "data" / "stems"


class Figures(NamedTuple):
    """How good stems are."""

    forms: int  # beside the lemmas
    precision: float
    recall: float
    apart: float | None  # None: there is no list of different words


def lists() -> list[str]:
    """Return the names of the lists, each of a language and perhaps a script: `kk-cyrl`."""
    return sorted(path.stem for path in WORDS.glob("*.txt") if not path.stem.endswith("-different"))


def lines(name: str, *, held_out: bool) -> list[list[str]]:
    """Return the words of each line of a list that is held out, every third, or of the others."""
    text = (WORDS / f"{name}.txt").read_text(encoding="utf-8")
    entries = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [
        line.replace(":", "").split() for number, line in enumerate(entries) if (number % 3 == 2) is held_out
    ]


def stemmed(name: str, word: str) -> str:
    """Return the stem of a word of a list."""
    return stem(normalise(word), name.partition("-")[0])


def figures(name: str, *, held_out: bool) -> Figures:
    """Return how good stems are for one part of a list."""
    families = [[stemmed(name, form) for form in line] for line in lines(name, held_out=held_out)]
    of_lemma = _pairs(len(family) for family in families)
    met = sum(_pairs(Counter(family).values()) for family in families)
    of_stem = _pairs(Counter(found for family in families for found in family).values())
    forms = sum(map(len, families)) - len(families)
    return Figures(forms, met / of_stem, met / of_lemma, _apart(name, held_out=held_out))


def _pairs(counts: Iterable[int]) -> int:
    return sum(count * (count - 1) // 2 for count in counts)


def _apart(name: str, *, held_out: bool) -> float | None:
    if not (WORDS / f"{name}-different.txt").exists():
        return None
    pairs = lines(f"{name}-different", held_out=held_out)
    return sum(stemmed(name, one) != stemmed(name, other) for one, other in pairs) / len(pairs)


def misses(name: str) -> Iterator[str]:
    """Yield what goes wrong in the part of a list that may be looked at."""
    for lemma, *forms in lines(name, held_out=False):
        apart = [form for form in forms if stemmed(name, form) != stemmed(name, lemma)]
        if apart:
            yield f"{lemma} ({stemmed(name, lemma)}) misses {' '.join(apart)}"
    stems = [{stemmed(name, form) for form in line} for line in lines(name, held_out=False)]
    for (number, one), (other_number, other) in combinations(enumerate(stems), 2):
        if shared := one & other:
            lemmas = [lines(name, held_out=False)[place][0] for place in (number, other_number)]
            yield f"{' and '.join(lemmas)} meet in {' '.join(sorted(shared))}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--misses", action="store_true", help="also show what goes wrong")
    options = parser.parse_args()
    print(f"{'list':14}{'part':10}{'forms':>7}{'precision':>11}{'recall':>9}{'apart':>9}")
    for name in lists():
        for part, held_out in (("tuned", False), ("held out", True)):
            found = figures(name, held_out=held_out)
            apart = "" if found.apart is None else f"{found.apart:9.1%}"
            print(f"{name:14}{part:10}{found.forms:7}{found.precision:11.1%}{found.recall:9.1%}{apart}")
        for miss in misses(name) if options.misses else ():
            print(f"    {miss}")


if __name__ == "__main__":
    main()
