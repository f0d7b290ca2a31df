"""Words of agglutinative languages without their endings: tables of endings, and what may stand before each.

Inflection is taken off (plural, possessive, case, the forms of a verb), derivation is not: `қауіпсіздіктің`
meets `қауіпсіздік`, never `қауіп`. First and second person possessives in the singular are left on, since in
the news `-ым` and `-ің` are far more often the end of a noun (`келісім`, `білім`) than an owner.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What must be left of a word for its ending to be one."""

    after: tuple[str, ...]  # the rest ends with one of these
    vowels: str  # and its last vowel is one of these; empty: any
    shortest: int = 3  # and it has so many letters, unless it is known to be shorter


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """A language as far as its endings go, in the letters it is compared in."""

    nominal: Mapping[str, Ending]  # may stand on one another
    verbal: Mapping[str, Ending]  # next to the root, so that nothing is looked for behind them
    vowels: frozenset[str]
    unbound: tuple[str, ...]  # behind these, endings have the vowels of either row
    kept: frozenset[str]  # words that only look as if they had an ending
    short: frozenset[str]  # nouns of two letters
    hardened: Mapping[str, str]  # consonants that are softened before a vowel
    restored: Mapping[str, str]  # words that lose a vowel before an ending, by what is left of them


def without_endings(word: str, grammar: Grammar) -> str:
    """Return a word without what its grammar takes for endings."""
    rest = word
    while rest not in grammar.kept:
        noun = _shorter(rest, grammar.nominal, grammar.short, grammar)
        verb = _shorter(rest, grammar.verbal, _NONE, grammar)
        if len(verb) < len(noun) and noun not in grammar.kept:
            rest = verb
            break
        if noun == rest:
            break
        rest = noun
    return rest[:-1] + grammar.hardened.get(rest[-1:], rest[-1:])


def joined(first: Mapping[str, Ending], then: Mapping[str, Ending]) -> dict[str, Ending]:
    """Return every ending of `first` followed by every ending of `then` that may stand behind it."""
    return {
        left + right: place
        for left, place in first.items()
        for right, following in then.items()
        if left.endswith(following.after) and _agree(place.vowels, following.vowels)
    }


def merged(tables: Iterable[Mapping[str, Ending]]) -> dict[str, Ending]:
    """Return all endings; one that several tables have may stand wherever one of them allows it."""
    found: dict[str, Ending] = {}
    for table in tables:
        for letters, ending in table.items():
            known = found.get(letters, ending)
            found[letters] = Ending(
                after=tuple(dict.fromkeys(known.after + ending.after)),
                vowels=ending.vowels,
                shortest=min(known.shortest, ending.shortest),
            )
    return found


def _agree(left: str, right: str) -> bool:
    return not left or not right or left == right


_NONE: frozenset[str] = frozenset()


def _shorter(word: str, endings: Mapping[str, Ending], short: frozenset[str], grammar: Grammar) -> str:
    """Return the word without its longest ending, or without a shorter one if that leaves a kept word."""
    shortest = word
    for length in range(min(len(word) - 2, _LONGEST), 0, -1):
        ending = endings.get(word[-length:])
        rest = word[:-length]
        if ending and (len(rest) >= ending.shortest or rest in short) and _may_stand(ending, rest, grammar):
            rest = _restored(rest, word[-length], grammar)
            if rest in grammar.kept:
                return rest
            if shortest is word:
                shortest = rest
    return shortest


_LONGEST = 16


def _may_stand(ending: Ending, rest: str, grammar: Grammar) -> bool:
    if not rest.endswith(ending.after):
        return False
    vowel = next((letter for letter in reversed(rest) if letter in grammar.vowels), "")
    return bool(vowel) and (not ending.vowels or vowel in ending.vowels or rest.endswith(grammar.unbound))


def _restored(rest: str, following: str, grammar: Grammar) -> str:
    """Return what is left of a word as it is without the ending that begins with `following`."""
    if following not in grammar.vowels:
        return rest
    if rest in grammar.restored:
        return grammar.restored[rest]
    return rest[:-1] + grammar.hardened.get(rest[-1], rest[-1])
