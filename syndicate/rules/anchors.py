"""What the index may look for: words, some of which any text that a tree holds for must have."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, assert_never

from syndicate.rules.tree import (
    INDEXED_FIELDS,
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
    children,
    total,
)
from syndicate.rules.words import Form, Piece, Run, stretches

Anchors = tuple[Run, ...] | None
Commonness = Callable[[Piece], float]  # about how often a word of a rule occurs, by any measure


def by_length(piece: Piece) -> float:
    """Return how common a word is likely to be: short ones are, and so is what is no whole word."""
    share: float = 0.7 ** len(piece.text)
    return share if piece.form in (Form.STEM, Form.EXACT) else 20 * share


def anchors(
    node: Node,
    known: Mapping[str, Anchors] | None = None,
    *,
    is_folded: bool = False,
    commonness: Commonness = by_length,
) -> Anchors:
    """Return runs of words, at least one of which stands in every text for which the node holds.

    None when there is no such set; an empty one belongs to a node that never holds. A run stands in a
    text if its words follow one another in one of INDEXED_FIELDS, each compared as its form says; that of a
    regular expression is one PATTERN alone, which matches some of a field's text, the link's too.

    Args:
        node: a tree.
        known: the anchors of the rules that it refers to; a reference to any other has none.
        is_folded: whether diacritics make no difference.
        commonness: of several such sets, the one that is likely to be found least often is returned.
    """
    return _anchors(node, _Scope(known or {}, commonness, is_folded))


def rarest(run: Run, commonness: Commonness = by_length) -> int:
    """Return which word of a run occurs least often."""
    return min(range(len(run)), key=lambda number: commonness(run[number]))


def companions(node: Node) -> Mapping[Run, frozenset[Piece]]:
    """Return for runs that may be anchors of a node what is there too where it holds because of that run.

    Those of the run itself are among them. For the caller it is enough to look for any one of them. A run
    that is not among the keys has none.
    """
    found = _companions(node)
    return {} if found is None else found


_Companions = Mapping[Run, frozenset[Piece]] | None  # None: other rules' runs may be anchors
_MOST_BESIDE = 64  # nodes that are looked at for each other; of more, those of the run itself will do


def _companions(node: Node) -> _Companions:
    match node:
        case Word() | Prefix() | Exact() | Phrase():
            runs = stretches(node)
            return dict.fromkeys(runs, frozenset(piece for each in runs for piece in each))
        case All() | Near():
            return _beside(children(node))
        case Any() | AtLeast() | Weighted():
            return _merged([_companions(child) for child in children(node)])
        case InField():
            return {} if node.field in LABELS else _companions(node.child)
        case Folded():
            return _folded(_companions(node.child))
        case RuleRef():
            return None
        case Not() | Pattern():
            return {}
        case _:
            assert_never(node)


def _merged(several: Sequence[_Companions]) -> _Companions:
    """Return what is sure whichever of some nodes a run is an anchor of."""
    merged: dict[Run, frozenset[Piece]] = {}
    for found in several:
        if found is None:
            return None
        for run, pieces in found.items():
            merged[run] = merged[run] & pieces if run in merged else pieces
    return merged


def _beside(nodes: Sequence[Node]) -> _Companions:
    """Return the companions in nodes all of which hold."""
    if len(nodes) > _MOST_BESIDE:
        return _merged([_companions(node) for node in nodes])
    required = [_required(node) for node in nodes]
    several: list[_Companions] = []
    for number, node in enumerate(nodes):
        found = _companions(node)
        others = frozenset().union(*required[:number], *required[number + 1 :])
        several.append(found and {run: pieces | others for run, pieces in found.items()})
    return _merged(several)


def _folded(found: _Companions) -> _Companions:
    return found and {
        tuple(piece._replace(is_folded=True) for piece in run): frozenset(
            piece._replace(is_folded=True) for piece in pieces
        )
        for run, pieces in found.items()
    }


def _required(node: Node) -> frozenset[Piece]:
    """Return words without which a node holds nowhere; there may be more."""
    match node:
        case Word() | Prefix() | Exact() | Phrase():
            return frozenset(piece for run in stretches(node) for piece in run)
        case All() | Near():
            return frozenset(piece for child in children(node) for piece in _required(child))
        case InField():
            is_indexed = node.field in INDEXED_FIELDS
            return _required(node.child) if is_indexed else frozenset()
        case _:
            return frozenset()


class _Scope(NamedTuple):
    known: Mapping[str, Anchors]
    commonness: Commonness
    is_folded: bool
    is_indexed: bool = True  # whether the field's words are seen by the index

    def frequency(self, found: tuple[Run, ...]) -> float:
        return sum(min(map(self.commonness, run)) for run in found)


def _anchors(node: Node, scope: _Scope) -> Anchors:
    match node:
        case Word() | Prefix() | Exact() | Phrase():
            return _term_anchors(node, scope) if scope.is_indexed else None
        case Pattern():
            return ((Piece(Form.PATTERN, node.regex),),)
        case Near() | All():
            return _rarest([_anchors(child, scope) for child in children(node)], scope)
        case Any():
            return _joined([_anchors(child, scope) for child in node.children])
        case AtLeast() | Weighted():
            return _enough(node, scope)
        case InField() | Folded() | RuleRef():
            return _anchors_within(node, scope)
        case Not():
            return None
        case _:
            assert_never(node)


def _term_anchors(term: Term, scope: _Scope) -> Anchors:
    found = stretches(term)
    if scope.is_folded:
        found = tuple(tuple(piece._replace(is_folded=True) for piece in run) for run in found)
    if len(found) < 2:
        return found
    return (min(found, key=lambda run: scope.frequency((run,))),)


def _anchors_within(node: InField | Folded | RuleRef, scope: _Scope) -> Anchors:
    match node:
        case InField():
            if node.field in LABELS:
                return None
            return _anchors(node.child, scope._replace(is_indexed=node.field in INDEXED_FIELDS))
        case Folded():
            return _anchors(node.child, scope._replace(is_folded=True))
        case RuleRef():
            return scope.known.get(node.id)
        case _:
            assert_never(node)


def _rarest(sets: Sequence[Anchors], scope: _Scope) -> Anchors:
    return min((found for found in sets if found is not None), key=scope.frequency, default=None)


def _joined(sets: Sequence[Anchors]) -> Anchors:
    found = [anchor for anchor in sets if anchor is not None]
    if len(found) < len(sets):
        return None
    return tuple(dict.fromkeys(run for anchor in found for run in anchor))


def _enough(node: AtLeast | Weighted, scope: _Scope) -> Anchors:
    """Return the anchors of the rarest terms without any of which all others would not do."""
    match node:
        case AtLeast():
            parts, needed = [(child, 1.0) for child in node.children], float(node.count)
        case Weighted():
            parts, needed = [(term, weight) for term, weight in node.terms if weight > 0], node.threshold
        case _:
            assert_never(node)
    found = [(_anchors(part, scope), weight) for part, weight in parts]
    found.sort(key=lambda pair: -scope.frequency(pair[0]) if pair[0] is not None else -math.inf)
    spared: list[float] = []
    while found and total([*spared, found[0][1]]) < needed:
        spared.append(found.pop(0)[1])
    return None if needed <= 0 else _joined([anchor for anchor, _ in found])
