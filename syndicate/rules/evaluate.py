"""Does a tree hold for one item's text, and why, or why not: the plain reading of every node.

Slow beside an index, and obvious: the index has to give what this gives.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, assert_never

from syndicate.config import is_selected
from syndicate.model import Hit, Score
from syndicate.rules.language import is_language
from syndicate.rules.patterns import regex_spans
from syndicate.rules.text import ItemText
from syndicate.rules.tree import (
    DEFAULT_FIELDS,
    FIELDS,
    LABELS,
    All,
    Any,
    AtLeast,
    Exact,
    Folded,
    InField,
    Near,
    Node,
    Not,
    Pattern,
    Phrase,
    Prefix,
    RuleRef,
    Term,
    Weighted,
    Word,
    label,
    total,
    unparse,
    walk,
)
from syndicate.rules.words import Run, pieces

# --------------------------------------------------------------------------- why it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why a tree holds: every place of every term that counts for it, in order of field and offset."""

    hits: tuple[Hit, ...]
    score: Score | None = None  # of a weighted rule


Refer = Callable[[str], Evidence | None]  # a rule's id -> why that rule holds for the same item


class View(NamedTuple):
    """Where and how to look."""

    text: ItemText
    refer: Refer
    fields: tuple[str, ...] = DEFAULT_FIELDS
    is_folded: bool = False


def no_rule(_: str) -> None:
    return None


def evaluate(tree: Node, text: ItemText, refer: Refer = no_rule) -> Evidence | None:
    """Return why a tree holds for a text, None if it does not.

    Args:
        tree: what is asked.
        text: what is asked about.
        refer: tells whether another rule holds for the same item. With circles excluded and each rule
            asked once, it has the answers at hand.
    """
    view, inner = View(text, refer), tree
    if isinstance(tree, Folded):
        view, inner = view._replace(is_folded=True), tree.child
    hits = hits_of(inner, view)
    if hits is None:
        return None
    return Evidence(hits=ordered(hits), score=score_of(inner, view) if isinstance(inner, Weighted) else None)


def ordered(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    return tuple(sorted(dict.fromkeys(hits), key=place))


def place(hit: Hit) -> tuple[int, int, int, str]:
    """Return what hits are ordered by."""
    return FIELDS.index(hit.field), hit.start, hit.end, hit.term


def hits_of(node: Node, view: View) -> list[Hit] | None:
    match node:
        case Word() | Prefix() | Exact() | Phrase() | Pattern() | Near():
            return places_of(node, view) or None
        case All() | Any() | AtLeast():
            return _counted(node, view)
        case Weighted():
            return _weighed(node, view)
        case Not():
            return [] if hits_of(node.child, view) is None else None
        case InField():
            return _hits_in_field(node, view)
        case Folded():
            return hits_of(node.child, view._replace(is_folded=True))
        case RuleRef():
            evidence = view.refer(node.id)
            return None if evidence is None else list(evidence.hits)
        case _:
            assert_never(node)


def _counted(node: All | Any | AtLeast, view: View) -> list[Hit] | None:
    holding: list[list[Hit]] = []
    for child in node.children:
        hits = hits_of(child, view)
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


def _weighed(node: Weighted, view: View) -> list[Hit] | None:
    holding = [(hits, weight) for term, weight in node.terms if (hits := hits_of(term, view)) is not None]
    if total(weight for _, weight in holding) < node.threshold:
        return None
    # A term that counts against the rule is no evidence for it.
    return [hit for hits, weight in holding if weight > 0 for hit in hits]


def score_of(node: Weighted, view: View) -> Score:
    holding = [(term, weight) for term, weight in node.terms if hits_of(term, view) is not None]
    return Score(
        threshold=node.threshold,
        total=total(weight for _, weight in holding),
        parts=tuple((_short(unparse(term)), weight) for term, weight in holding),
    )


def _hits_in_field(node: InField, view: View) -> list[Hit] | None:
    if node.field not in LABELS:
        return hits_of(node.child, view._replace(fields=(node.field,)))
    found = view.text.texts[node.field]
    held = [value for value in labels_of(node) if _is_labelled(node.field, value, view.text)]
    return [Hit(term=value, field=node.field, start=0, end=len(found)) for value in held] or None


_LONGEST_PART = 200  # characters of a term, which may be a whole query


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_PART else text[: _LONGEST_PART - 1] + "…"


def labels_of(node: InField) -> list[str]:
    return [below.text for below in walk(node.child) if isinstance(below, Word)]


def _is_labelled(field: str, value: str, text: ItemText) -> bool:
    if field == "source":
        return is_selected(value, text.subject.source, text.subject.tags)
    return is_language(text.subject.language, value)


# --------------------------------------------------------------------------- where it holds


class Span(NamedTuple):
    """A place in a field's words: positions of the first and last, and what to show."""

    first: int
    last: int
    hit: Hit


def places_of(node: Term | Pattern | Near, view: View) -> list[Hit]:
    return [hit for field in view.fields for hit in _places_in(node, field, view)]


def _places_in(node: Term | Pattern | Near, field: str, view: View) -> Iterator[Hit]:
    match node:
        case Pattern():
            text = view.text.fields[field].text
            return (hit_at(label(node), field, span) for span in regex_spans(node.regex, text))
        case Near():
            left, right = spans_of(node.left, field, view), spans_of(node.right, field, view)
            return (span.hit for span in _close(left, right, node))
        case _:
            return (span.hit for span in spans_of(node, field, view))


def hit_at(term: str, field: str, span: tuple[int, int]) -> Hit:
    return Hit(term=term, field=field, start=span[0], end=span[1])


def spans_of(node: Node, field: str, view: View) -> list[Span]:
    """Return where a term, or any of several, stands in a field."""
    terms = (term for term in walk(node) if isinstance(term, Word | Prefix | Exact | Phrase))
    return [span for term in terms for span in _term_spans(term, field, view)]


def _term_spans(term: Term, field: str, view: View) -> Iterator[Span]:
    found = view.text.fields[field]
    for first, last in found.spans(run_of(term, view)):
        place = (found.words[first].start, found.words[last].end)
        yield Span(found.positions[first], found.positions[last], hit_at(label(term), field, place))


def run_of(term: Term, view: View) -> Run:
    run = pieces(term, view.text.subject.language)
    return tuple(piece._replace(is_folded=True) for piece in run) if view.is_folded else run


def _close(left: Sequence[Span], right: Sequence[Span], node: Near) -> Iterator[Span]:
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
