"""What a rule asks, as a tree: its nodes, and their text.

A place is where a node stands in the query's text, in code points; it takes no part in comparing trees.
Which texts a tree holds for is told by `evaluate`; the text of a query becomes a tree in `grammar`.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import assert_never

Place = tuple[int, int]
NOWHERE: Place = (0, 0)

FIELDS = ("title", "body", "author", "category", "link", "source", "lang")
DEFAULT_FIELDS = ("title", "body")  # where words are looked for when the rule names no field
INDEXED_FIELDS = ("title", "body", "author", "category")  # whose words the index sees
LABELS = ("source", "lang")  # not texts: compared as a whole
MAX_DISTANCE = 1_000  # of NEAR and BEFORE


# --------------------------------------------------------------------------- nodes


@dataclass(frozen=True, slots=True)
class Word:
    """A word by its stem; `EU-CA` is two that follow each other."""

    text: str
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Prefix:
    """Words that begin like this; written with a star behind it."""

    text: str  # without the star
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Exact:
    """Words as they stand, letter case included, without stems."""

    text: str
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow one another."""

    parts: tuple[Word | Prefix, ...]
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Near:
    """Two terms in one field that do not overlap, at most so many words from the one to the other."""

    left: "Node"  # Word, Prefix, Exact, Phrase, or Any of those
    right: "Node"
    distance: int
    is_ordered: bool = False  # BEFORE: left comes first
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class All:
    """Every one of these."""

    children: tuple["Node", ...]
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Any:
    """At least one of these."""

    children: tuple["Node", ...]
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Where its child does not hold."""

    child: "Node"
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """So many of these, or more."""

    count: int
    children: tuple["Node", ...]
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class InField:
    """Its child, looked for in this field alone; below source: and lang: are Words and Any of Words."""

    field: str
    child: "Node"
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Pattern:
    """An RE2 regular expression that matches some of a field's text as stored."""

    regex: str
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RuleRef:
    """Where another rule holds."""

    id: str
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Weighted:
    """Where the weights of the terms that hold reach a threshold. From a rule's [score], not a query."""

    threshold: float
    terms: tuple[tuple["Node", float], ...]
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Folded:
    """Its child, with diacritics making no difference. From a rule's `fold`, not a query."""

    child: "Node"
    place: Place = attribute(default=NOWHERE, compare=False, repr=False)


Term = Word | Prefix | Exact | Phrase
Node = Term | Near | All | Any | Not | AtLeast | InField | Pattern | RuleRef | Weighted | Folded


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below one."""
    match node:
        case All() | Any() | AtLeast():
            return node.children
        case Near():
            return (node.left, node.right)
        case Not() | InField() | Folded():
            return (node.child,)
        case Weighted():
            return tuple(term for term, _ in node.terms)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it, in the order of the query's text."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(children(node))


def references(node: Node) -> frozenset[str]:
    """Return the ids of the rules that a tree refers to."""
    return frozenset(found.id for found in walk(node) if isinstance(found, RuleRef))


def referred_first(trees: Mapping[str, Node]) -> list[str]:
    """Return the ids of rules, each after those that it refers to, unless it does so in a circle."""
    order: dict[str, None] = {}
    entered: set[str] = set()
    waiting = list(trees)
    while waiting:  # no recursion, since there may be any number in a row
        rule = waiting[-1]
        if rule in entered:
            order[waiting.pop()] = None
        else:
            entered.add(rule)
            waiting += [other for other in references(trees[rule]) if other in trees and other not in entered]
    return list(order)


def total(weights: Iterable[float]) -> float:
    """Return a sum of weights as a person adds decimals: 0.7 + 0.2 + 0.1 is 1, in any order."""
    return round(math.fsum(weights), 9)


# --------------------------------------------------------------------------- back to text


def label(node: Term | Pattern) -> str:
    """Return a term as its author wrote it, without the quotes."""
    match node:
        case Word():
            return node.text
        case Prefix():
            return node.text + "*"
        case Exact():
            return "=" + node.text
        case Phrase():
            return " ".join(map(label, node.parts))
        case Pattern():
            return f"/{_slashed(node.regex)}/"
        case _:
            assert_never(node)


def unparse(node: Node) -> str:
    """Return the text of a tree; for a tree of the grammar, one that parses to an equal tree."""
    text: dict[int, str] = {}
    for below in reversed(list(walk(node))):  # children before their parents, and no recursion
        text[id(below)] = _text(below, text)
    return text[id(node)]


def _text(node: Node, text: Mapping[int, str]) -> str:
    match node:
        case Word() | Prefix() | Pattern():
            return label(node)
        case Exact():
            return label(node) if node.text.isalnum() else f'="{node.text}"'
        case Phrase():
            return f'"{label(node)}"'
        case RuleRef():
            return f"rule:{node.id}"
        case Weighted():
            terms = ", ".join(f"{text[id(term)]} = {weight:g}" for term, weight in node.terms)
            return f"score of {terms} reaches {node.threshold:g}"
        case _:
            return _compound_text(node, text)


def _compound_text(node: Near | All | Any | Not | AtLeast | InField | Folded, text: Mapping[int, str]) -> str:
    match node:
        case Near():
            operator = "BEFORE" if node.is_ordered else "NEAR"
            return f" {operator}/{node.distance} ".join(_grouped(children(node), text))
        case All():
            return " AND ".join(_grouped(node.children, text, Near, Not))
        case Any():
            return " OR ".join(_grouped(node.children, text, Near, Not))
        case Not():
            return "NOT " + "".join(_grouped(children(node), text))
        case AtLeast():
            return f"{node.count} OF ({', '.join(text[id(child)] for child in node.children)})"
        case InField():
            return f"{node.field}:" + "".join(_grouped(children(node), text))
        case Folded():
            return text[id(node.child)]
        case _:
            assert_never(node)


def _grouped(nodes: Sequence[Node], text: Mapping[int, str], *tight: type[Node]) -> Iterator[str]:
    """Yield texts of nodes, in parentheses unless they bind tightly enough or are of these types."""
    for node in nodes:
        binds = isinstance(node, tight) or not isinstance(node, Near | Not | All | Any | Weighted)
        yield text[id(node)] if binds else f"({text[id(node)]})"


def _slashed(regex: str) -> str:
    """Return a regular expression with its slashes escaped, those that are so already left alone."""
    pairs = iter(regex)
    return "".join(
        letter + next(pairs, "") if letter == "\\" else letter.replace("/", "\\/") for letter in pairs
    )
