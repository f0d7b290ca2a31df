"""Which trees are of no use, since they could only match everything or nothing, and why."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from syndicate.rules.stems import stem
from syndicate.rules.tree import (
    DEFAULT_FIELDS,
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
    Phrase,
    Place,
    Weighted,
    Word,
    children,
    total,
    unparse,
    walk,
)
from syndicate.rules.words import pieces, stretches


class Refusal(NamedTuple):
    """Why a tree is of no use, and which part of it."""

    place: Place
    reason: str


def refusal(tree: Node) -> Refusal | None:
    """Return why a tree can only match everything or nothing, None if nothing shows that.

    Sound, not complete. It sees whether something has to be there, and a term that is both asked for and
    excluded, through phrases, NEAR, fields, AND and OR; not that `a OR NOT a` beside another term adds
    nothing, nor what regular expressions or other rules contradict.
    """
    for node in walk(tree):
        if found := _contradiction(node):
            return found
    idle = _idle(tree)
    if idle is None:
        return None
    if isinstance(idle, Weighted):
        return Refusal(idle.place, "the threshold can be reached without any term that has to be there")
    if any(idle is part for node in walk(tree) if isinstance(node, Any | AtLeast) for part in walk(node)):
        return Refusal(
            idle.place, "this alternative holds for nearly every item, and with it the whole query"
        )
    return Refusal(
        idle.place, "this only excludes, so nearly every item would match: add what has to be there"
    )


def look_alikes(tree: Node) -> Iterator[tuple[Node, str]]:
    """Yield words that are excluded although one asked for has the same stem, so that little may be left."""
    for node in walk(tree):
        joined = list(_conjuncts(node)) if isinstance(node, All) else []
        asked = {key: word for word in joined if isinstance(word, Word) for key in _stems(word)}
        for exclusion in joined:
            word = exclusion.child if isinstance(exclusion, Not) else None
            found = [asked[key] for key in _stems(word) if key in asked] if isinstance(word, Word) else []
            if found and isinstance(word, Word):
                same = f"{word.text} and {found[0].text} have the same stem"
                yield (
                    exclusion,
                    f"{same}, so this excludes what is asked for; for the word as it is write ={word.text}",
                )


def _stems(word: Word) -> list[str]:
    return [stem(piece.text, None) for piece in pieces(word, None)]


def _idle(node: Node) -> Node | None:
    """Return what makes a node hold although nothing particular is there, None if something has to be."""
    match node:
        case Not():
            return node
        case All():
            found = [_idle(child) for child in node.children]
            return found[0] if all(found) else None
        case Any():
            return next((idle for child in node.children if (idle := _idle(child))), None)
        case AtLeast():
            idle_children = [idle for child in node.children if (idle := _idle(child))]
            return idle_children[0] if len(idle_children) >= node.count else None
        case Weighted():
            free = total(weight for term, weight in node.terms if weight > 0 and _idle(term))
            return node if free >= node.threshold else None
        case InField() | Folded():
            return _idle(node.child)
        case _:
            return None


def _contradiction(node: Node) -> Refusal | None:
    match node:
        case All():
            return _opposed(node)
        case AtLeast():
            return _repeated(node)
        case Weighted():
            return _unreachable(node)
        case _:
            return None


def _repeated(node: AtLeast) -> Refusal | None:
    twice = [child for child, count in Counter(map(_canonical, node.children)).items() if count > 1]
    for child in reversed(node.children):
        if _canonical(child) in twice:
            return Refusal(child.place, f"{unparse(child)} stands here twice, but counts only once")
    return None


def _unreachable(node: Weighted) -> Refusal | None:
    most = total(weight for _, weight in node.terms if weight > 0)
    if most < node.threshold:
        reason = f"all terms together weigh {most:g}, so the threshold {node.threshold:g} is never reached"
        return Refusal(node.place, reason)
    return None


def _opposed(node: All) -> Refusal | None:
    """Return what is asked for and excluded at once."""
    joined = list(_conjuncts(node))
    excluded = [child for child in joined if isinstance(child, Not)]
    if not excluded and not any(_is_of_language(child) for child in joined):
        return None
    held = {key for child in joined for key in _held(child, None)}
    for exclusion in excluded:
        if _is_held(exclusion.child, None, held):
            shown = unparse(exclusion.child)
            return Refusal(exclusion.place, f"{shown} is asked for and excluded, so nothing could match")
    out = {key for exclusion in excluded for key in _excluded(exclusion.child, None)}
    for child in joined:
        if isinstance(child, Any) and all(out.intersection(_held(part, None)) for part in child.children):
            return Refusal(child.place, "each of these is excluded as well, so nothing could match")
    languages = [key for key in held if isinstance(key[1], _Language)]
    if len(languages) > 1:
        return Refusal(node.place, "an item has one language, so nothing could match: write lang:(a OR b)")
    return None


def _is_of_language(node: Node) -> bool:
    return isinstance(node, InField) and node.field == "lang"


class _Language(NamedTuple):
    primary: str


_Key = tuple[str | None, object]  # a field, None for where words are looked for by default; what is there


def _conjuncts(node: All) -> Iterator[Node]:
    for child in node.children:
        if isinstance(child, All):
            yield from _conjuncts(child)
        else:
            yield child


def _held(node: Node, field: str | None) -> Iterator[_Key]:
    """Yield what certainly holds where a node does."""
    yield field, _canonical(node)
    match node:
        case Word() | Exact():
            yield from ((field, (piece.text,)) for run in stretches(node) for piece in run)
        case Phrase():
            for part in node.parts:
                yield from _held(part, field)
        case All() | Near():
            for child in children(node):
                yield from _held(child, field)
        case InField():
            yield from _held_in_field(node)
        case _:
            pass


def _held_in_field(node: InField) -> Iterator[_Key]:
    if node.field == "lang" and isinstance(node.child, Word):
        yield None, _Language(node.child.text.partition("-")[0].lower())
    elif node.field not in LABELS:
        yield from _held(node.child, node.field)
        if node.field in DEFAULT_FIELDS:
            yield from _held(node.child, None)


def _is_held(node: Node, field: str | None, held: set[_Key]) -> bool:
    match node:
        case _ if (field, _canonical(node)) in held:
            return True
        case Any():
            return any(_is_held(child, field, held) for child in node.children)
        case All():
            return all(_is_held(child, field, held) for child in node.children)
        case InField():
            return _is_held(node.child, node.field, held)
        case _:
            return False


def _excluded(node: Node, field: str | None) -> Iterator[_Key]:
    """Yield what cannot hold where a node does not."""
    yield field, _canonical(node)
    if isinstance(node, Any):
        for alternative in node.children:
            yield from _excluded(alternative, field)
    elif isinstance(node, InField):
        yield from _excluded(node.child, node.field)


def _canonical(node: Node) -> object:
    """Return the same for nodes that are sure to hold for the same texts, where that is easy to tell."""
    if isinstance(node, Word) or (
        isinstance(node, Phrase) and all(isinstance(part, Word) for part in node.parts)
    ):
        run = pieces(node, None)
        if stretches(node) == (run,):  # no ending that only some languages drop
            return tuple(piece.text for piece in run)
    return node
