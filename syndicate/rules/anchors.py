"""What the index may look for: words, some of which any text that a tree holds for must have."""


Anchors = tuple[Run, ...] | None


def anchors(node: Node, known: Mapping[str, Anchors] | None = None, *, is_folded: bool = False) -> Anchors:
    """Return runs of words, at least one of which stands in every text for which the node holds.

    None when there is no such set; an empty one belongs to a node that never holds. A run stands in a
    text if its words follow one another in one of INDEXED_FIELDS, each compared as its form says.

    Args:
        node: a tree.
        known: the anchors of the rules that it refers to; a reference to any other has none.
        is_folded: whether diacritics make no difference.
    """
    return _anchors(node, _Scope(known or {}, is_folded))


class _Scope(NamedTuple):
    known: Mapping[str, Anchors]
    is_folded: bool


def _anchors(node: Node, scope: _Scope) -> Anchors:
    match node:
        case Word() | Prefix() | Exact() | Phrase():
            return _term_anchors(node, scope)
        case Near() | All():
            return _rarest([_anchors(child, scope) for child in children(node)])
        case Any():
            return _joined([_anchors(child, scope) for child in node.children])
        case AtLeast() | Weighted():
            return _enough(node, scope)
        case InField() | Folded() | RuleRef():
            return _anchors_within(node, scope)
        case Not() | Pattern():
            return None
        case _:
            assert_never(node)


def _term_anchors(term: Term, scope: _Scope) -> Anchors:
    found = [tuple(piece._replace(is_folded=scope.is_folded) for piece in run) for run in stretches(term)]
    return (min(found, key=lambda run: _commonness((run,))),) if found else ()


def _anchors_within(node: InField | Folded | RuleRef, scope: _Scope) -> Anchors:
    match node:
        case InField():
            return _anchors(node.child, scope) if node.field in INDEXED_FIELDS else None
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


def total(weights: Iterable[float]) -> float:
    """Return a sum of weights as a person adds decimals: 0.7 + 0.2 + 0.1 is 1, in any order."""
    return round(math.fsum(weights), 9)


def _commonness(runs: tuple[Run, ...]) -> tuple[int, int, int]:
    # Few runs are rarer than many, words rarer than beginnings, and long words rarer than short ones.
    longest = [max((len(piece.text), piece.form is not Form.PREFIX) for piece in run) for run in runs]
    beginnings = sum(not is_word for _, is_word in longest)
    return len(runs), beginnings, -min((length for length, _ in longest), default=0)
