"""Does a tree hold for one item's text, and why, or why not: the plain reading of every node.

Slow beside an index, and obvious: the index has to give what this gives.
"""

import difflib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, assert_never

from syndicate.config import is_selected
from syndicate.model import Hit
from syndicate.rules.language import Token
from syndicate.rules.lexer import regex_spans
from syndicate.rules.tree import (
    DEFAULT_FIELDS,
    FIELDS,
    INDEXED_FIELDS,
    LABELS,
    MAX_DISTANCE,
    All,
    Any,
    AtLeast,
    Exact,
    Folded,
    Form,
    InField,
    Near,
    Node,
    Not,
    Pattern,
    Phrase,
    Piece,
    Place,
    Prefix,
    RuleRef,
    Run,
    Term,
    Weighted,
    Word,
    cased,
    children,
    fold,
    label,
    pieces,
    total,
    unparse,
    walk,
    words,
)

Stem = Callable[[str, str | None], str]  # a normalised word and its text's language -> what its forms share


# --------------------------------------------------------------------------- why it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What the terms of a weighted rule that hold add up to."""

    threshold: float
    total: float
    parts: tuple[tuple[str, float], ...]  # each term that holds and its weight, in the rule's order


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why a tree holds: every place of every term that counts for it, in order of field and offset."""

    hits: tuple[Hit, ...]
    score: Score | None = None  # of a weighted rule


Refer = Callable[[str], Evidence | None]  # a rule's id -> why that rule holds for the same item


class _View(NamedTuple):
    """Where and how to look."""

    text: ItemText
    refer: Refer
    fields: tuple[str, ...] = DEFAULT_FIELDS
    is_folded: bool = False


def _no_rule(_: str) -> None:
    return None


def evaluate(tree: Node, text: ItemText, refer: Refer = _no_rule) -> Evidence | None:
    """Return why a tree holds for a text, None if it does not.

    Args:
        tree: what is asked.
        text: what is asked about.
        refer: tells whether another rule holds for the same item. With circles excluded and each rule
            asked once, it has the answers at hand.
    """
    view = _View(text, refer)
    hits = _hits(tree, view)
    if hits is None:
        return None
    weighted = next((node for node in (tree, *children(tree)) if isinstance(node, Weighted)), None)
    return Evidence(hits=_ordered(hits), score=_score(weighted, view) if weighted else None)


def _ordered(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    return tuple(
        sorted(dict.fromkeys(hits), key=lambda hit: (FIELDS.index(hit.field), hit.start, hit.end, hit.term))
    )


def _hits(node: Node, view: _View) -> list[Hit] | None:
    match node:
        case Word() | Prefix() | Exact() | Phrase() | Pattern() | Near():
            return _places(node, view) or None
        case All() | Any() | AtLeast():
            return _counted(node, view)
        case Weighted():
            return _weighed(node, view)
        case Not():
            return [] if _hits(node.child, view) is None else None
        case InField():
            return _hits_in_field(node, view)
        case Folded():
            return _hits(node.child, view._replace(is_folded=True))
        case RuleRef():
            evidence = view.refer(node.id)
            return None if evidence is None else list(evidence.hits)
        case _:
            assert_never(node)


def _counted(node: All | Any | AtLeast, view: _View) -> list[Hit] | None:
    holding: list[list[Hit]] = []
    for child in node.children:
        hits = _hits(child, view)
        if hits is not None:
            holding.append(hits)
    return [hit for hits in holding for hit in hits] if len(holding) >= _needed(node) else None


def _needed(node: All | Any | AtLeast) -> int:
    """Return how many children must hold."""
    match node:
        case All():
            return len(node.children)
        case Any():
            return 1
        case AtLeast():
            return node.count
        case _:
            assert_never(node)


def _weighed(node: Weighted, view: _View) -> list[Hit] | None:
    holding = [(hits, weight) for term, weight in node.terms if (hits := _hits(term, view)) is not None]
    if total(weight for _, weight in holding) < node.threshold:
        return None
    # A term that counts against the rule is no evidence for it.
    return [hit for hits, weight in holding if weight > 0 for hit in hits]


def _score(node: Weighted, view: _View) -> Score:
    holding = [(term, weight) for term, weight in node.terms if _hits(term, view) is not None]
    return Score(
        threshold=node.threshold,
        total=total(weight for _, weight in holding),
        parts=tuple((unparse(term), weight) for term, weight in holding),
    )


def _hits_in_field(node: InField, view: _View) -> list[Hit] | None:
    if node.field not in LABELS:
        return _hits(node.child, view._replace(fields=(node.field,)))
    found = view.text.texts[node.field]
    held = [value for value in _labels(node) if _is_labelled(node.field, value, view.text)]
    return [Hit(term=value, field=node.field, start=0, end=len(found)) for value in held] or None


def _labels(node: InField) -> list[str]:
    return [below.text for below in walk(node.child) if isinstance(below, Word)]


def _is_labelled(field: str, value: str, text: ItemText) -> bool:
    if field == "source":
        return is_selected(value, text.source, text.tags)
    return f"{(text.language or '').lower()}-".startswith(f"{value.lower()}-")


# --------------------------------------------------------------------------- where it holds


class _Span(NamedTuple):
    """A place in a field's words: positions of the first and last, and what to show."""

    first: int
    last: int
    hit: Hit


def _places(node: Term | Pattern | Near, view: _View) -> list[Hit]:
    return [hit for field in view.fields for hit in _places_in(node, field, view)]


def _places_in(node: Term | Pattern | Near, field: str, view: _View) -> Iterator[Hit]:
    match node:
        case Pattern():
            text = view.text.fields[field].text
            return (_hit(label(node), field, span) for span in regex_spans(node.regex, text))
        case Near():
            left, right = _spans(node.left, field, view), _spans(node.right, field, view)
            return (span.hit for span in _close(left, right, node))
        case _:
            return (span.hit for span in _spans(node, field, view))


def _hit(term: str, field: str, span: tuple[int, int]) -> Hit:
    return Hit(term=term, field=field, start=span[0], end=span[1])


def _spans(node: Node, field: str, view: _View) -> list[_Span]:
    """Return where a term, or any of several, stands in a field."""
    terms = (term for term in walk(node) if isinstance(term, Word | Prefix | Exact | Phrase))
    return [span for term in terms for span in _term_spans(term, field, view)]


def _term_spans(term: Term, field: str, view: _View) -> Iterator[_Span]:
    found = view.text.fields[field]
    for first, last in found.spans(_run(term, view)):
        place = (found.words[first].start, found.words[last].end)
        yield _Span(found.positions[first], found.positions[last], _hit(label(term), field, place))


def _run(term: Term, view: _View) -> Run:
    return tuple(piece._replace(is_folded=view.is_folded) for piece in pieces(term, view.text.language))


def _close(left: Sequence[_Span], right: Sequence[_Span], node: Near) -> Iterator[_Span]:
    """Yield the spans of either side that have one of the other side near enough."""
    for spans, others, is_before in ((left, right, True), (right, left, False)):
        firsts = sorted(span.first for span in others)
        lasts = sorted(span.last for span in others)
        for span in spans:
            has_next = _has(firsts, span.last + 1, span.last + node.distance)
            has_previous = _has(lasts, span.first - node.distance, span.first - 1)
            if node.is_ordered:
                is_close = has_next if is_before else has_previous
            else:
                is_close = has_next or has_previous
            if is_close:
                yield span


def _has(ordered: Sequence[int], least: int, most: int) -> bool:
    """Say whether an ordered sequence has a number from least to most."""
    return bisect_left(ordered, least) < bisect_right(ordered, most)
