"""What a rule asks, as a tree: its nodes, their text, the words they need, and what the index may look for.

A place is where a node stands in the query's text, in code points; it takes no part in comparing trees.
Which texts a tree holds for is told by `evaluate`; the text of a query becomes a tree in `grammar`.
"""

import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from enum import StrEnum
from functools import lru_cache
from itertools import product
from typing import NamedTuple, assert_never

from syndicate.rules.language import _UNIFIED, Token, tokens

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


# --------------------------------------------------------------------------- the words of a term


class Form(StrEnum):
    """How a word of a rule is compared with a word of a text."""

    STEM = "stem"  # stems in the item's language are equal
    EXACT = "exact"  # letters and their case are equal
    PREFIX = "prefix"  # the text's word begins like this


class Piece(NamedTuple):
    """One word of a term."""

    form: Form
    text: str  # normalised as `language.normalise` does, not stemmed
    cased: str = ""  # for EXACT: as `cased` gives it
    is_folded: bool = False


Run = tuple[Piece, ...]  # words that follow one another


def pieces(term: Term, language: str | None) -> Run:
    """Return the words of a term that must follow one another in a text of this language."""
    match term:
        case Word():
            return tuple(_stems(term.text, language))
        case Prefix():
            *before, last = tokens(term.text)
            return (*_stems(term.text[: before[-1].end] if before else "", language), _prefix(last))
        case Exact():
            return tuple(
                Piece(Form.EXACT, word.text, cased(term.text[word.start : word.end]))
                for word in _words(term.text, language)
            )
        case Phrase():
            return tuple(piece for part in term.parts for piece in pieces(part, language))
        case _:
            assert_never(term)


def _stems(text: str, language: str | None) -> Iterator[Piece]:
    return (Piece(Form.STEM, word.text) for word in _words(text, language))


def _prefix(word: Token) -> Piece:
    return Piece(Form.PREFIX, word.text)


@lru_cache(maxsize=1 << 16)
def _words(text: str, language: str | None) -> tuple[Token, ...]:
    return tuple(words(text, language))


def cased(word: str) -> str:
    """Return what a word is compared as where letter case counts; possessive 's is no part of it."""
    composed = unicodedata.normalize("NFKC", word.translate(_UNIFIED)).strip("'")
    while composed.endswith(("'s", "'S")):
        composed = composed[:-2].rstrip("'")
    return composed


@lru_cache(maxsize=1 << 16)
def fold(word: str) -> str:
    """Return a normalised word without the diacritics of Latin and Greek; in й or が they make the letter."""
    if word.isascii():
        return word
    kept: list[str] = []
    is_bare = False
    for letter in unicodedata.normalize("NFD", word):
        if not unicodedata.combining(letter):
            is_bare = unicodedata.name(letter, "").startswith(("LATIN", "GREEK"))
        elif is_bare:
            continue
        kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept)).translate(_BARE)


_BARE = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H", "ı": "i"}
)


# --------------------------------------------------------------------------- endings behind a hyphen

# Kazakh and Uzbek write the case ending of an abbreviation or a foreign name behind a hyphen: ЕО-ның.
_HYPHENS = "-‐‑–"
_PLURALS = {
    "kk": "лар лер дар дер тар тер lar ler dar der tar ter",
    "uz": "lar лар",
}
_POSSESSIVES = {"kk": "ы і сы сі y i sy si", "uz": "i si и си"}
_CASES = {
    "kk": "ның нің дың дің тың тің ға ге қа ке на не ны ні ды ді ты ті да де та те нда нде "
    "дан ден тан тен нан нен мен бен пен дағы дегі тағы тегі ндағы ндегі дай дей тай тей "
    "дық дік тық тік лық лік н шы ші ншы нші ыншы інші "
    "nyñ niñ dyñ diñ tyñ tiñ nyń niń dyń diń tyń tiń ğa ǵa ge qa ke na ne ny ni dy di ty ti da de ta te "
    "dan den tan ten nan nen men ben pen dağy daǵy degi tağy taǵy tegi shy shi şy şi",
    "uz": "ning ni ga ka qa da dan dagi gacha dek day cha нинг ни га ка қа да дан даги гача дек дай ча",
}
# Any plural before any possessive before any case: more than there are, which does no harm behind a hyphen.
_ENDINGS: Mapping[str, frozenset[str]] = {
    language: frozenset(
        "".join(parts)
        for parts in product(*(["", *rows[language].split()] for rows in (_PLURALS, _POSSESSIVES, _CASES)))
        if len("".join(parts)) > 1
    )
    for language in _CASES
}
_ANY_ENDING = frozenset().union(*_ENDINGS.values())


def words(text: str, language: str | None) -> list[Token]:
    """Return the words of a text in a language, without the case endings that stand behind hyphens."""
    endings = _ENDINGS.get((language or "").partition("-")[0].lower())
    found = tokens(text)
    return _without(endings, text, found) if endings else found


def _without(endings: frozenset[str], text: str, found: Sequence[Token]) -> list[Token]:
    return [
        word
        for position, word in enumerate(found)
        if word.text not in endings or not _is_attached(text, found, position)
    ]


def _is_attached(text: str, found: Sequence[Token], position: int) -> bool:
    """Say whether a hyphen and nothing else stands between a word and the one before."""
    before = found[position].start - 1
    return position > 0 and found[position - 1].end == before and text[before] in _HYPHENS


@lru_cache(maxsize=1 << 16)
def stretches(term: Term) -> tuple[Run, ...]:
    """Return the words of a term, cut wherever some language drops an ending; none is empty.

    Each stretch stands in every text that the term holds for, whatever its language.
    """
    result: list[list[Piece]] = [[]]
    for text, run in _texts(term):
        found = tokens(text)
        for position, piece in enumerate(run):
            is_last_of_prefix = piece.form is Form.PREFIX
            if piece.text in _ANY_ENDING and _is_attached(text, found, position) and not is_last_of_prefix:
                result.append([])
            else:
                result[-1].append(piece)
    return tuple(tuple(stretch) for stretch in result if stretch)


def _texts(term: Term) -> Iterator[tuple[str, Run]]:
    for part in term.parts if isinstance(term, Phrase) else (term,):
        yield part.text, pieces(part, None)


# --------------------------------------------------------------------------- what the index may look for


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
