"""Whether two texts tell one story: fingerprints, how those alike are found, and how they are compared.

A fingerprint is all that is needed later, so that a text may be deleted. Bands find the few fingerprints that
may be alike (MinHash with one permutation for each row, of Li, Owen and Zhang, 2012; bands as of Leskovec,
Rajaraman and Ullman, Mining of Massive Datasets, 3.4); `likeness` then compares exactly.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import chain

FINGERPRINT_VERSION = 1  # raised when what a text's fingerprint or bands are changes; only equal ones compare
BANDS = 32  # keys of a fingerprint
CANDIDATES = 32  # fingerprints that one is compared with, at most

_ROWS = 3  # of a band: all must be the same
_LONGEST = 400  # distinct words of a text; what comes behind is no part of its fingerprint
_SKETCHED = 100  # of these that the bands see: the news comes first
_LEAD = 24  # distinct words that a text begins with


class Kind(IntEnum):
    """What a word of a text tells: little, or which event this is."""

    SHORT = 0
    LONG = 1
    NAME = 2
    NUMBER = 3


_COPIES = {Kind.SHORT: 0, Kind.LONG: 1, Kind.NAME: 4, Kind.NUMBER: 4}  # how much each counts for the bands


@dataclass(frozen=True)
class Fingerprint:
    """The distinct words of a text in order, as hashes of 30 bits, and the kind of each."""

    words: tuple[int, ...]
    kinds: bytes

    @cached_property
    def bands(self) -> tuple[int, ...]:
        """The keys that it is found by."""
        return tuple(band_keys(self))

    @cached_property
    def distinct(self) -> frozenset[int]:
        """All words, to be looked up."""
        return frozenset(self.words)

    @cached_property
    def names(self) -> frozenset[int]:
        """Words that are written like names in the midst of a sentence."""
        return self._of(Kind.NAME)

    @cached_property
    def numbers(self) -> frozenset[int]:
        """Numbers."""
        return self._of(Kind.NUMBER)

    def _of(self, wanted: Kind) -> frozenset[int]:
        return frozenset(word for word, kind in zip(self.words, self.kinds, strict=True) if kind == wanted)

    def to_bytes(self) -> bytes:
        """Return what is stored, the same everywhere: four bytes for each word, then one for each kind."""
        return struct.pack(f"<{len(self.words)}I", *self.words) + self.kinds


@lru_cache(maxsize=1 << 16)  # the words of the news are few
def mark_of(word: str, kind: Kind) -> int:
    """Return a word, as it is compared, and its kind in one number, hash << 2 | kind; never 0."""
    digest = blake2b(word.encode(errors="surrogatepass"), digest_size=4).digest()
    return (int.from_bytes(digest) & ~3 or 4) | kind


def fingerprint_of(marks: Iterable[int]) -> Fingerprint | None:
    """Return the fingerprint of a text whose words have these marks, in order, None if there are none.

    A word that is a name in one place is one everywhere.
    """
    found: dict[int, int] = {}
    for mark in marks:
        word = mark >> 2
        if found.get(word, -1) < mark:
            found[word] = mark
    if not found:
        return None
    return Fingerprint(tuple(found)[:_LONGEST], bytes([mark & 3 for mark in found.values()][:_LONGEST]))


def fingerprint_from(stored: bytes) -> Fingerprint:
    """Return what `Fingerprint.to_bytes` gave.

    Raises:
        ValueError: that gave no such bytes.
    """
    count, rest = divmod(len(stored), 5)
    kinds = stored[4 * count :]
    if rest or not count or max(kinds) > max(Kind):
        raise ValueError(f"No fingerprint: {len(stored)} bytes that are not five for each word")
    return Fingerprint(struct.unpack_from(f"<{count}I", stored), kinds)


# --------------------------------------------------------------------------- finding


def band_keys(fingerprint: Fingerprint) -> list[int]:
    """Return the keys that a fingerprint is found by, below 2**63: one for each band, which it begins with.

    There are none for a text of nothing but short words. Two texts have at least one key in common in
    1 - (1 - s**3)**32 of all cases, where s is the share of common words among all of both; a name or a
    number counts as four words.
    """
    places = chain.from_iterable(map(_places, fingerprint.words[:_SKETCHED], fingerprint.kinds))
    least = {place >> 32: place & 0xFFFFFFFF for place in sorted(places, reverse=True)}
    if not least:
        return []
    rows = [_filled([least.get(row * BANDS + band) for band in range(BANDS)]) for row in range(_ROWS)]
    return [band << 56 | _mixed(ranks) for band, ranks in enumerate(zip(*rows, strict=True))]


@lru_cache(maxsize=1 << 15)
def _places(word: int, kind: int) -> tuple[int, ...]:
    """Return where a word stands in the sketch, place << 32 | rank, for each of its copies and each row."""
    copies = _COPIES[Kind(kind)]
    digest = blake2b(word.to_bytes(4, "little"), digest_size=64).digest()
    draws = [int.from_bytes(digest[at : at + 5]) for at in range(0, 5 * _ROWS * copies, 5)]
    return tuple(
        (number % _ROWS * BANDS + draw % BANDS) << 32 | draw // BANDS & 0xFFFFFFFF
        for number, draw in enumerate(draws)
    )


def _filled(ranks: list[int | None]) -> list[int]:
    """Return the ranks of a row, where a place that no word fell on has that of the next one that has any."""
    known = [(place, rank) for place, rank in enumerate(ranks) if rank is not None]
    found, after = [], 0
    for place in range(len(ranks)):
        while after < len(known) and known[after][0] < place:
            after += 1
        at, rank = known[after % len(known)]
        found.append(rank if at == place else rank + ((at - place) % len(ranks) << 32))
    return found


def _mixed(ranks: Iterable[int]) -> int:
    mixed = 0
    for rank in ranks:
        mixed = (mixed * 0x9E3779B97F4A7C15 + rank) % ((1 << 61) - 1)
    return mixed & ((1 << 56) - 1)


def candidates(found: Iterable[int]) -> list[int]:
    """Return whom to compare with, those of most bands first and the newest of these, CANDIDATES at most.

    Args:
        found: the ids found by each key, one as often as keys have found it; a larger one is newer.
    """
    counted = Counter(found)
    return sorted(counted, key=lambda item: (-counted[item], -item))[:CANDIDATES]


# --------------------------------------------------------------------------- comparing

# How they were chosen, and what they give: docs/decisions/0018-stories-by-words-names-and-numbers.md
_MANY, _SOME = 4, 2  # names and numbers in common
_WORDS_WITH_MANY, _WORDS_WITH_SOME, _WORDS_WITH_FEW = 0.36, 0.42, 0.6  # which have to be in common then
_LEAD_WORDS = 0.25
_NAMES, _NAMES_WITH_NUMBERS = 0.8, 0.6  # the latter where many numbers are in common
_NUMBERS = 0.75
_EQUAL = 0.85  # of the words: only numbers can tell such texts apart, and have to agree more
_NUMBERS_OF_EQUAL = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How far one text tells what another does: the evidence for a story of both. Shares are from 0 to 1."""

    words: float  # share of the words of the text with fewer that stand in the other
    lead: float  # the same of the words that this text begins with
    names: float  # share of the names of one text that are words of the other, the larger one
    numbers: float  # share of the numbers of the text with fewer that stand in the other; 1 if it has none
    names_shared: int
    numbers_shared: int

    @property
    def is_one_story(self) -> bool:
        """Say whether both texts tell one story.

        A missed one costs a second alert, a wrong one costs an alert: so numbers that differ, or names, are
        enough to say no. They tell a bulletin from that of the day before.
        """
        return (
            self.words >= self._least_words()
            and self.lead >= _LEAD_WORDS
            and self.names >= (_NAMES_WITH_NUMBERS if self.numbers_shared >= _MANY else _NAMES)
            and self.numbers >= (_NUMBERS_OF_EQUAL if self.words >= _EQUAL else _NUMBERS)
        )

    def _least_words(self) -> float:
        shared = self.names_shared + self.numbers_shared
        if shared >= _MANY:
            return _WORDS_WITH_MANY
        return _WORDS_WITH_SOME if shared >= _SOME else _WORDS_WITH_FEW

    def __str__(self) -> str:
        """Return the evidence in words."""
        return (
            f"{self.words:.0%} of the words, {self.lead:.0%} of the first {_LEAD}, "
            f"{self.names:.0%} of the names ({self.names_shared}), "
            f"{self.numbers:.0%} of the numbers ({self.numbers_shared})"
        )


def likeness(one: Fingerprint, other: Fingerprint) -> Likeness:
    """Return how alike two texts are, whichever comes first. Any two texts may be compared."""
    shorter, longer = sorted((one, other), key=lambda text: (len(text.words), text.words))
    few, many = sorted((one.numbers, other.numbers), key=len)
    names = [(text.names & against.distinct, text.names) for text, against in ((one, other), (other, one))]
    return Likeness(
        words=_share(shorter.distinct, longer.distinct),
        lead=_share(frozenset(shorter.words[:_LEAD]), longer.distinct),
        names=max((len(met) / len(all_names) for met, all_names in names if all_names), default=1.0),
        numbers=_share(few, many),
        names_shared=max(len(met) for met, _ in names),
        numbers_shared=len(few & many),
    )


def _share(some: frozenset[int], others: frozenset[int]) -> float:
    return len(some & others) / len(some) if some else 1.0


def closest(text: Fingerprint, others: Mapping[int, Fingerprint]) -> tuple[int, Likeness] | None:
    """Return which of some texts tells the same story as this one, and the evidence; None if none does.

    Of several it is the one with most of its words, of these the first by id.
    """
    return min(alike(text, others), key=lambda pair: (-pair[1].words, pair[0]), default=None)


def alike(text: Fingerprint, others: Mapping[int, Fingerprint]) -> Iterator[tuple[int, Likeness]]:
    """Yield each of some texts that tells the same story as this one, and the evidence."""
    for item, other in others.items():
        shared = len(text.distinct & other.distinct)
        if shared >= _WORDS_WITH_MANY * min(len(text.words), len(other.words)):
            found = likeness(text, other)
            if found.is_one_story:
                yield item, found
