"""What the index may look for: words, some of which any text that a tree holds for must have."""

from collections.abc import Mapping, Sequence
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


def anchors(node: Node, known: Mapping[str, Anchors] | None = None, *, is_folded: bool = False) -> Anchors:
    """Return runs of words, at least one of which stands in every text for which the node holds.

    None when there is no such set; an empty one belongs to a node that never holds. A run stands in a
    text if its words follow one another in one of INDEXED_FIELDS, each compared as its form says; that of a
    regular expression is one PATTERN alone, which matches some of a field's text, the link's too.

    Args:
        node: a tree.
        known: the anchors of the rules that it refers to; a reference to any other has none.
        is_folded: whether diacritics make no difference.
    """
    return _anchors(node, _Scope(known or {}, is_folded))


class _Scope(NamedTuple):
    known: Mapping[str, Anchors]
    is_folded: bool
    is_indexed: bool = True  # whether the field's words are seen by the index


def _anchors(node: Node, scope: _Scope) -> Anchors:
    match node:
        case Word() | Prefix() | Exact() | Phrase():
            return _term_anchors(node, scope) if scope.is_indexed else None
        case Pattern():
            return ((Piece(Form.PATTERN, node.regex),),)
        case Near() | All():
            return _rarest([_anchors(child, scope) for child in children(node)])
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
    found = [tuple(piece._replace(is_folded=scope.is_folded) for piece in run) for run in stretches(term)]
    return (min(found, key=lambda run: _commonness((run,))),) if found else ()


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


def _rarest(sets: Sequence[Anchors]) -> Anchors:
    return min((found for found in sets if found is not None), key=_commonness, default=None)


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
    found.sort(key=lambda pair: (pair[0] is not None, [-number for number in _commonness(pair[0] or ())]))
    spared: list[float] = []
    while found and total([*spared, found[0][1]]) < needed:
        spared.append(found.pop(0)[1])
    return None if needed <= 0 else _joined([anchor for anchor, _ in found])


def _commonness(runs: tuple[Run, ...]) -> tuple[int, int, int]:
    # Few runs are rarer than many, whole words rarer than the rest, and long words rarer than short ones.
    longest = [max((_is_whole(piece), len(piece.text)) for piece in run) for run in runs]
    parts = sum(not is_whole for is_whole, _ in longest)
    return len(runs), parts, -min((length for _, length in longest), default=0)


def _is_whole(piece: Piece) -> bool:
    return piece.form in (Form.STEM, Form.EXACT)
