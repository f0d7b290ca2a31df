"""Measure how well texts that tell one story are recognised, and what that costs.

    .venv/bin/python benchmarks/near.py [--misses]

The pairs are those of tests/data/stories, which the tests hold to least figures; the README there says what
the parts are. Texts of fewer than 40 words are left out, since they join by link or equal text only.
Precision is the share of pairs joined that tell one story, recall the share of pairs of one story that are
joined: found by a band, and then alike enough. Strangers are texts that have nothing to do with one another;
how many of 20,000 a text would be compared with is shown. Times are of the processor, in milliseconds for 250
words.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import cycle, islice
from typing import NamedTuple

from syndicate.near import CANDIDATES, Fingerprint, Likeness, band_keys, closest, fingerprint_from, likeness
from syndicate.rules.fingerprints import fingerprint, text_key
from tests.told import LANGUAGES, Pair, Part, Text, pairs, strangers, texts

REWRITTEN = ("lightly rewritten", "rewritten")
WORDS, TEXTS, OTHERS = 250, 400, 20_000


class Figures(NamedTuple):
    """How well pairs are told apart."""

    same: int
    different: int
    joined: int  # of the same
    mistaken: int  # of the different

    @property
    def precision(self) -> float:
        """Share of pairs joined that tell one story; 1 if none is."""
        return self.joined / (self.joined + self.mistaken) if self.joined else 1.0

    @property
    def recall(self) -> float:
        """Share of pairs of one story that are joined; 1 if there are none."""
        return self.joined / self.same if self.same else 1.0


@cache
def found(text: Text) -> tuple[Fingerprint | None, frozenset[int]]:
    """Return the fingerprint of a text and its keys."""
    made = fingerprint(text.title, text.body, text.language)
    return made, frozenset(band_keys(made)) if made else frozenset()


def compared(one: Text, other: Text) -> Likeness | None:
    """Return how alike two texts are; None if no band finds them, or one is too short."""
    (first, keys), (second, others) = found(one), found(other)
    return likeness(first, second) if first and second and keys & others else None


def is_joined(pair: Pair) -> bool:
    """Say whether the texts of a pair become one story."""
    alike = compared(pair.one, pair.other)
    return alike is not None and alike.is_one_story


def is_long(pair: Pair) -> bool:
    """Say whether both texts are long enough to be compared."""
    return None not in (found(pair.one)[0], found(pair.other)[0])


def figures(chosen: Iterable[Pair]) -> Figures:
    """Return how well some pairs are told apart, those of short texts aside."""
    long = [(pair.is_same, is_joined(pair)) for pair in chosen if is_long(pair)]
    return Figures(
        same=sum(is_same for is_same, _ in long),
        different=sum(not is_same for is_same, _ in long),
        joined=long.count((True, True)),
        mistaken=long.count((False, True)),
    )


def rows() -> Iterator[tuple[str, str, str, Figures]]:
    """Yield language, part, kind and figures; `all`, where they are of everything."""
    every = [(language, pair) for language in LANGUAGES for pair in pairs(language)]
    for part in Part:
        for language in LANGUAGES:
            yield (
                language, part, "rewritten, all else different",
                figures(
                    pair for of, pair in every
                    if of == language and pair.part is part and (pair.kind in REWRITTEN or not pair.is_same)
                ),
            )  # fmt: skip
        yield "all", part, "all", figures(pair for _, pair in every if pair.part is part)
    for kind in dict.fromkeys(pair.kind for _, pair in every):
        yield "all", "all", kind, figures(pair for _, pair in every if pair.kind == kind)


def met() -> Iterator[tuple[str, int, int, int]]:
    """Yield language, pairs of strangers, those that a band finds, and those that are joined."""
    for language in LANGUAGES:
        alike = [compared(one, other) for one, other in strangers(language)]
        compared_ones = [one for one in alike if one is not None]
        yield language, len(alike), len(compared_ones), sum(one.is_one_story for one in compared_ones)


def misses() -> Iterator[str]:
    """Yield what goes wrong in the parts that may be looked at."""
    for pair in (pair for language in LANGUAGES for pair in pairs(language)):
        if pair.part is not Part.LAST and is_long(pair) and is_joined(pair) != pair.is_same:
            alike = compared(pair.one, pair.other)
            yield f"{pair.kind}: {pair.one.name} {pair.other.name}: {alike or 'no band in common'}"


def milliseconds(work: Callable[[str], object], bodies: list[str]) -> float:
    """Return what a piece of work costs for each text, its words known."""
    for body in bodies:
        work(body)
    start = time.process_time()
    for body in bodies:
        work(body)
    return (time.process_time() - start) / len(bodies) * 1000


def costs(language: str) -> Iterator[tuple[str, float]]:
    """Yield each step and what it costs for a text of 250 words, made of sentences of the labelled ones."""
    known = cycle([word for text in texts(language).values() for word in text.body.split(" ")])
    bodies = [" ".join(islice(known, WORDS)) for _ in range(TEXTS)]
    made = {body: fingerprint("", body, language) for body in bodies}
    prints = {body: one for body, one in made.items() if one is not None}
    others = dict(enumerate(list(prints.values())[:CANDIDATES]))
    yield "fingerprint", milliseconds(lambda body: fingerprint("", body, language), bodies)
    yield "bands", milliseconds(lambda body: band_keys(prints[body]), bodies)
    yield "text key", milliseconds(lambda body: text_key("", body), bodies)
    stored = {body: one.to_bytes() for body, one in prints.items()}
    yield "read one", milliseconds(lambda body: fingerprint_from(stored[body]).distinct, bodies)
    yield f"closest of {CANDIDATES}", milliseconds(lambda body: closest(prints[body], others), bodies)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--misses", action="store_true", help="also show what goes wrong")
    options = parser.parse_args()
    print(f"{'':5}{'part':12}{'kind':32}{'same':>6}{'different':>11}{'precision':>11}{'recall':>9}")
    for language, part, kind, of in rows():
        print(
            f"{language:5}{part:12}{kind:32}{of.same:6}{of.different:11}{of.precision:11.1%}{of.recall:9.1%}"
        )
    for language, count, bands, joined in met():
        print(
            f"{language}: of {count} pairs of strangers {bands} met, which is {bands / count * OTHERS:.0f} "
            f"of {OTHERS}; {joined} were joined"
        )
    for language in LANGUAGES:
        print(language, *(f"{step} {cost:.3f}" for step, cost in costs(language)), sep="  ")
    for miss in misses() if options.misses else ():
        print(f"    {miss}")


if __name__ == "__main__":
    main()
