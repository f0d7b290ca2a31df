"""What is fuzzed, over what the tests know, whole and damaged at random. tests/fuzz/run.py goes further."""

import random

from tests.fuzz import target
from tests.support import ROOT

SEEDS = list(target.seeds())
WORDS = [
    line[1:-1].encode().decode("unicode_escape").encode("latin-1")
    for line in (ROOT / "tests/fuzz/words.dict").read_text().splitlines()
    if line.startswith('"')
]


def damaged(dice: random.Random) -> bytes:
    """Return a seed in which something was put in, taken out, written over, or taken from another."""
    data = bytearray(dice.choice(SEEDS))
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        length = dice.choice((0, 0, 1, 8, 200))
        other = dice.choice(SEEDS)
        begins = dice.randrange(len(other))
        data[at : at + length] = dice.choice(
            (dice.choice(WORDS), dice.randbytes(2), other[begins : begins + 300], b"")
        )
    return bytes(data).ljust(3, b"\0")


def test_what_the_tests_know_is_read_as_it_should_be():
    assert len(SEEDS) > 500
    for seed in SEEDS:
        target.check(seed)


def test_damaged_documents_are_read_as_they_should_be(slow):
    for number in range(20_000 if slow else 500):
        data = damaged(random.Random(number))
        try:
            target.check(data)
        except Exception as error:
            error.add_note(f"damaged(random.Random({number}))")
            raise
