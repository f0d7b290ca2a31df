"""What a rule asks: a tree over phrases; the query language builds the same tree as `keywords` does.

A node answers two questions: where it holds in a text (`find`), and which runs of tokens a text must have
at least one of for it to hold at all (`anchors`, which the index goes by).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import regex

from syndicate.model import Hit
from syndicate.rules.language import TokenText, tokens


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow one another, in any of the fields, in any letter case."""

    term: str  # as its author wrote it
    tokens: tuple[str, ...]  # at least one


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these."""

    children: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these."""

    children: tuple["Node", ...]


Node = Phrase | AnyOf | AllOf


def phrase(term: str) -> Phrase | None:
    """Return a term as a phrase, None if there is no word in it."""
    words = tuple(token.text for token in tokens(term))
    return Phrase(term, words) if words else None


def keywords(terms: Sequence[str]) -> AnyOf:
    """Return the simple form: any of these terms; those without a word are left out."""
    return AnyOf(tuple(found for found in map(phrase, terms) if found))


def search_terms(text: str) -> AllOf:
    """Return what a person searches for: every word, and every "quoted phrase"."""
    terms = (quoted or word for quoted, word in regex.findall(r'"([^"]*)"?|([^\s"]+)', text))
    return AllOf(tuple(found for found in map(phrase, terms) if found))


def find(node: Node, text: TokenText) -> list[Hit] | None:
    """Return every place that makes the node hold, None if it does not hold."""
    match node:
        case Phrase():
            return _find_phrase(node, text) or None
        case AnyOf():
            found = [hits for child in node.children if (hits := find(child, text)) is not None]
            return [hit for hits in found for hit in hits] if found else None
        case AllOf():
            found = [hits for child in node.children if (hits := find(child, text)) is not None]
            return [hit for hits in found for hit in hits] if len(found) == len(node.children) else None
        case _:
            assert_never(node)


def anchors(node: Node) -> tuple[tuple[str, ...], ...]:
    """Return runs of tokens, at least one of which is in every text for which the node holds."""
    match node:
        case Phrase():
            return (node.tokens,)
        case AnyOf():
            return tuple(dict.fromkeys(run for child in node.children for run in anchors(child)))
        case AllOf():
            return min(map(anchors, node.children), key=_commonness, default=())
        case _:
            assert_never(node)


def _commonness(runs: tuple[tuple[str, ...], ...]) -> tuple[int, int]:
    # Few runs are rarer than many, and long words rarer than short ones.
    return len(runs), -min((max(map(len, run)) for run in runs), default=0)


def _find_phrase(node: Phrase, text: TokenText) -> list[Hit]:
    last = len(node.tokens) - 1
    return [
        Hit(term=node.term, field=field, start=words[start].start, end=words[start + last].end)
        for field, words in text.fields.items()
        for start in text.occurrences(field, node.tokens)
    ]
