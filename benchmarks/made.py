"""A made-up language for benchmarks: articles in it, and rules over them.

Words are as frequent as words are (Zipf) and inflected as in English. Rules are one to four phrases joined by
AND, OR, NOT and NEAR, of which about one in a thousand holds for an article of 400 words.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple


class Article(NamedTuple):
    """What is matched."""

    title: str
    body: str


# --------------------------------------------------------------------------- made-up language

WORDS = 50_000
NAMES = 20_000  # words that belong together, as names do
TITLE_WORDS, BODY_WORDS, SENTENCE_WORDS = 10, 390, 15
WORDS_A_NAME = 50  # how many words of an article there are for each name in it
STARTS = (
    *"bcdfghjklmnprstvw", "bl", "br", "cl", "cr", "dr", "fl", "fr", "gl", "gr", "pl", "pr", "sl", "st", "tr",
)  # fmt: skip
VOWELS = (*"aeiou", "ai", "ea", "oo", "ou")
ENDS = (*"nrltmkp", "nd", "rt")
INFLECTIONS = ("s", "ed", "ing")
UNINFLECTED = 100  # commonest words, as `the` and `of`
# What PostgreSQL leaves out of a text, so far as it could come of these; `dur` would make `during`.
STOP_WORDS = {"but", "can", "don", "dur", "for", "from", "her", "him", "nor", "not"}


@dataclass(frozen=True, slots=True)
class Language:
    """Words by their frequency, and names."""

    words: Sequence[str]
    weights: Sequence[float]  # running totals
    names: Sequence[tuple[str, ...]]
    name_weights: Sequence[float]  # running totals
    commonest: frozenset[str]  # which nobody watches by themselves


def make_language(dice: random.Random) -> Language:
    """Return a language in which the n-th word is n times as rare as the first."""
    words = make_words(dice)
    return Language(
        words=words,
        weights=list(accumulate(1 / rank for rank in range(1, WORDS + 1))),
        names=[
            tuple(word_by_rank(words, COMMONEST_BESIDE, dice) for _ in range(dice.choice((2, 2, 3))))
            for _ in range(NAMES)
        ],
        name_weights=list(accumulate(1 / (rank + 20) for rank in range(NAMES))),
        commonest=frozenset(words[:COMMONEST_WATCHED]),
    )


def make_words(dice: random.Random) -> list[str]:
    """Return different words, short ones first; after the commonest two in five are forms of one before."""
    words: dict[str, None] = {}  # a set in order
    plain: list[str] = []
    while len(words) < WORDS:
        if len(words) > UNINFLECTED and dice.random() < 0.4:
            base = plain[dice.randrange(len(plain) // 2, len(plain))]  # a word's forms are about as frequent
            words[base + dice.choice(INFLECTIONS)] = None
        elif (word := make_word(len(words), dice)) not in words and word not in STOP_WORDS:
            words[word] = None
            plain.append(word)
    return list(words)


def make_word(rank: int, dice: random.Random) -> str:
    """Return a word without an ending, the longer the rarer."""
    syllables = 1 if rank < 300 else dice.choice((1, 2, 2)) if rank < 5_000 else dice.choice((2, 2, 3))
    sounds = (dice.choice(STARTS) + dice.choice(VOWELS) for _ in range(syllables))
    return "".join([*sounds, dice.choice(ENDS)])


def make_article(language: Language, dice: random.Random, body_words: int = BODY_WORDS) -> list[str]:
    """Return the words of an article, its title's first."""
    length = TITLE_WORDS + body_words
    words = dice.choices(language.words, cum_weights=language.weights, k=length)
    for name in dice.choices(language.names, cum_weights=language.name_weights, k=length // WORDS_A_NAME):
        place = dice.randrange(length - len(name))
        words[place : place + len(name)] = name
    return words


def written(words: Sequence[str]) -> Article:
    """Return an article as its readers see it, with sentences."""
    title, body = words[:TITLE_WORDS], words[TITLE_WORDS:]
    sentences = (
        " ".join(body[start : start + SENTENCE_WORDS]) for start in range(0, len(body), SENTENCE_WORDS)
    )
    return Article(" ".join(title).capitalize(), " ".join(f"{line.capitalize()}." for line in sentences))


# --------------------------------------------------------------------------- rules

COMMONEST_WATCHED = 5_000  # rank of the commonest word watched by itself: decides how many rules match
COMMONEST_BESIDE = 250  # of those that stand beside another, and so in every article or every tenth
QUOTED_ARTICLES = 3_000  # where phrases of rules come from, and which are the first to be matched
DISTANCES = (3, 5, 10)
MAIN, BESIDE = "main", "beside"
SHAPES: dict[Any, int] = {  # how many of the rules are of which shape
    MAIN: 4,
    ("OR", MAIN, MAIN): 2,
    ("AND", MAIN, BESIDE): 2,
    ("AND", BESIDE, BESIDE): 1,
    ("NEAR", BESIDE, BESIDE): 1,
    ("NEAR", MAIN, BESIDE): 1,
    ("NOT", MAIN, BESIDE): 1,
    ("AND", MAIN, ("OR", BESIDE, BESIDE)): 1,
    ("NOT", ("OR", MAIN, MAIN), BESIDE): 1,
    ("AND", ("NEAR", BESIDE, BESIDE), BESIDE): 1,
    ("AND", ("OR", MAIN, MAIN), ("OR", BESIDE, BESIDE)): 1,
    ("OR", ("NEAR", BESIDE, BESIDE), ("AND", MAIN, BESIDE)): 1,
    ("NOT", ("AND", MAIN, ("OR", BESIDE, BESIDE)), BESIDE): 1,
}


class Phrase(NamedTuple):
    """Words that follow one another."""

    words: tuple[str, ...]


class Joined(NamedTuple):
    """Two rules made one; NOT is the left without the right."""

    operator: str
    left: "Phrase | Joined"
    right: "Phrase | Joined"
    distance: int  # of NEAR: words from the one to the other


Rule = Phrase | Joined


def make_rule(language: Language, articles: Sequence[Sequence[str]], dice: random.Random) -> Rule:
    """Return a rule; the articles are where some of its phrases come from."""
    (shape,) = dice.choices(list(SHAPES), weights=list(SHAPES.values()))
    used: set[str] = set()

    def make(shape: Any) -> Rule:
        if shape not in (MAIN, BESIDE):
            operator, left, right = shape
            return Joined(operator, make(left), make(right), dice.choice(DISTANCES))
        while True:  # `a NOT as` is refused, and rightly so
            words = make_phrase(shape, language, articles, dice)
            beginnings = {word[:3] for word in words}
            if not used & beginnings:
                used.update(beginnings)
                return Phrase(words)

    return make(shape)


def make_phrase(
    place: str, language: Language, articles: Sequence[Sequence[str]], dice: random.Random
) -> tuple[str, ...]:
    """Return a word by its rank, a name, or words as they follow each other in an article."""
    if place == BESIDE:
        return (word_by_rank(language.words, COMMONEST_BESIDE, dice),)
    kind = dice.random()
    if kind < 0.15:
        return (word_by_rank(language.words, COMMONEST_WATCHED, dice),)
    if kind < 0.6:
        return dice.choice(language.names)
    while True:
        article, length = dice.choice(articles), dice.choice((2, 3))
        start = dice.randrange(TITLE_WORDS, len(article) - length)
        words = tuple(article[start : start + length])
        if not language.commonest.issuperset(words):
            return words


def word_by_rank(words: Sequence[str], commonest: int, dice: random.Random) -> str:
    """Return a word of this rank or rarer, of each order of magnitude as likely."""
    return words[int(commonest * (len(words) / commonest) ** dice.random())]


def syndicate_query(rule: Rule) -> str:
    """Return a rule in our own language."""
    if isinstance(rule, Phrase):
        return rule.words[0] if len(rule.words) == 1 else f'"{" ".join(rule.words)}"'
    operator = {"NOT": "AND NOT", "NEAR": f"NEAR/{rule.distance}"}.get(rule.operator, rule.operator)
    return f"({syndicate_query(rule.left)} {operator} {syndicate_query(rule.right)})"


def postgresql_query(rule: Rule) -> str:
    """Return a rule for `to_tsquery`; NEAR, which that lacks, is any of its distances either way.

    They are asked for only where both sides are there, which PostgreSQL does not think of and gains by.
    """
    if isinstance(rule, Phrase):
        return f"({' <-> '.join(rule.words)})"
    left, right = postgresql_query(rule.left), postgresql_query(rule.right)
    if rule.operator == "NEAR":
        pairs = ((left, right), (right, left))
        apart = (f"{a} <{count}> {b}" for count in range(1, rule.distance + 1) for a, b in pairs)
        return f"({left} & {right} & ({' | '.join(apart)}))"
    return f"({left} {({'AND': '&', 'OR': '|', 'NOT': '& !'})[rule.operator]} {right})"


def fts5_query(rule: Rule) -> str:
    """Return a rule for MATCH; its NEAR counts the words between."""
    if isinstance(rule, Phrase):
        return f'"{" ".join(rule.words)}"'
    left, right = fts5_query(rule.left), fts5_query(rule.right)
    if rule.operator == "NEAR":
        return f"NEAR({left} {right}, {rule.distance - 1})"
    return f"({left} {rule.operator} {right})"


DIALECTS = {"syndicate": syndicate_query, "postgresql": postgresql_query, "fts5": fts5_query}
