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


# --------------------------------------------------------------------------- one item's text


class FieldText:
    """The words of one field, and where they stand in each form."""

    __slots__ = ("_indexes", "_keys", "_stem", "positions", "text", "words")

    def __init__(self, values: Sequence[str], language: str | None, stem: Callable[[str], str]) -> None:
        self.text = "\n".join(values)
        self.words: list[Token] = []
        self.positions: list[int] = []  # of each word; those of two values are too far apart for any NEAR
        self._stem = stem
        self._keys: dict[tuple[Form, bool], list[str]] = {}
        self._indexes: dict[tuple[Form, bool], dict[str, list[int]]] = {}
        start = 0
        for value in values:
            found = words(value, language)
            first = self.positions[-1] + MAX_DISTANCE + 2 if self.positions else 0
            self.positions += range(first, first + len(found))
            self.words += [Token(word.text, start + word.start, start + word.end) for word in found]
            start += len(value) + 1

    def spans(self, run: Run) -> list[tuple[int, int]]:
        """Return the first and last word (as indexes) of each place where a run stands, in order."""
        if not run:
            return []
        keys = [(self.keys(piece.form, piece.is_folded), self._key(piece), piece.form) for piece in run]
        return [
            (first, first + len(run) - 1)
            for first in self.starts(run[0])
            if self._is_unbroken(first, len(run))
            and all(
                found[first + step].startswith(key) if form is Form.PREFIX else found[first + step] == key
                for step, (found, key, form) in enumerate(keys)
            )
        ]

    def starts(self, piece: Piece) -> list[int]:
        """Return the indexes of the words that one word of a rule stands for, in order."""
        indexes = self._indexes_by_key(piece.form, piece.is_folded)
        key = self._key(piece)
        if piece.form is not Form.PREFIX:
            return indexes.get(key, [])
        return sorted(index for word, found in indexes.items() if word.startswith(key) for index in found)

    def keys(self, form: Form, is_folded: bool) -> list[str]:
        """Return what each word is compared as."""
        if (form, is_folded) not in self._keys:
            surfaces = (self.text[word.start : word.end] for word in self.words)
            self._keys[form, is_folded] = [
                self._key(Piece(form, word.text, cased(surface) if form is Form.EXACT else "", is_folded))
                for word, surface in zip(self.words, surfaces, strict=True)
            ]
        return self._keys[form, is_folded]

    def _key(self, piece: Piece) -> str:
        match piece.form:
            case Form.STEM:
                key = self._stem(piece.text)
            case Form.EXACT:
                key = f"{piece.cased}\n{piece.text}"
            case Form.PREFIX:
                key = piece.text
            case _:
                assert_never(piece.form)
        return fold(key) if piece.is_folded else key

    def _indexes_by_key(self, form: Form, is_folded: bool) -> dict[str, list[int]]:
        if (form, is_folded) not in self._indexes:
            found: dict[str, list[int]] = {}
            for index, key in enumerate(self.keys(form, is_folded)):
                found.setdefault(key, []).append(index)
            self._indexes[form, is_folded] = found
        return self._indexes[form, is_folded]

    def _is_unbroken(self, first: int, length: int) -> bool:
        last = first + length - 1
        return last < len(self.words) and self.positions[last] - self.positions[first] == length - 1


class ItemText:
    """What the rules see of an item.

    Evidence offsets are code points into `texts`; there a field of several values, as category, has each on
    a line of its own.
    """

    def __init__(
        self,
        texts: Mapping[str, str | Sequence[str]],
        stem: Stem,
        *,
        language: str | None = None,
        source: str = "",
        tags: Iterable[str] = (),
    ) -> None:
        def stem_here(word: str) -> str:
            return stem(word, language)

        self.language, self.source, self.tags = language, source, tuple(tags)
        self.fields: Mapping[str, FieldText] = {
            field: FieldText(_values(texts.get(field, "")), language, str if field == "link" else stem_here)
            for field in FIELDS
            if field not in LABELS
        }
        self.texts: Mapping[str, str] = {
            **{field: found.text for field, found in self.fields.items()},
            "source": source,
            "lang": language or "",
        }

    def has(self, run: Run) -> bool:
        """Say whether a run, as `anchors` returns them, stands in a field that the index sees."""
        return any(self.fields[field].spans(run) for field in INDEXED_FIELDS)


def _values(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


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


# --------------------------------------------------------------------------- why it does not hold


class Reason(StrEnum):
    """What kept a clause from holding."""

    ABSENT = "absent"  # a word does not occur
    ELSEWHERE = "elsewhere"  # only in a field that was not asked about
    CASE = "case"  # only in other letter case, or as another form
    APART = "apart"  # the words of a phrase occur, but not next to each other
    TOO_FAR = "too far"  # the sides of NEAR or BEFORE occur, but not within the distance
    ORDER = "order"  # the sides of BEFORE occur, but the other way round
    PATTERN = "pattern"  # the regular expression matches nowhere
    LABEL = "label"  # another source or language
    EXCLUDED = "excluded"  # what must not hold does
    RULE = "rule"  # the other rule does not hold
    TOO_FEW = "too few"  # of several clauses; see `parts`
    SCORE = "score"  # below the threshold; see `parts`


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The clause that failed, and what came nearest to it."""

    clause: str
    place: Place  # of the clause in the query's text
    reason: Reason
    sentence: str
    nearest: tuple[Hit, ...] = ()
    distance: int | None = None  # words from the one to the other at the nearest, for APART and TOO_FAR
    parts: tuple["Failure", ...] = ()  # of the clauses below, where several failed
    score: Score | None = None  # for SCORE


_SHOWN_PARTS = 3
_SHOWN_TEXT = 80


def why_not(tree: Node, text: ItemText, refer: Refer = _no_rule) -> Failure | None:
    """Return why a tree does not hold for a text, None if it does."""
    return _failure(tree, _View(text, refer))


def _failure(node: Node, view: _View) -> Failure | None:
    if _hits(node, view) is not None:
        return None
    match node:
        case Word() | Prefix() | Exact() | Phrase():
            return _term_failure(node, view)
        case Near():
            return _near_failure(node, view)
        case All() | Any() | AtLeast() | Weighted():
            return _parts_failure(node, view)
        case InField():
            return _field_failure(node, view)
        case Folded():
            return _failure(node.child, view._replace(is_folded=True))
        case Not() | Pattern() | RuleRef():
            return _plain_failure(node, view)
        case _:
            assert_never(node)


def _plain_failure(node: Not | Pattern | RuleRef, view: _View) -> Failure:
    clause = unparse(node)
    match node:
        case Not():
            hits = _ordered(_hits(node.child, view) or ())
            found = f": {_quoted(hits[0], view)} is in the {hits[0].field}" if hits else ", which holds"
            reason, sentence = Reason.EXCLUDED, f"excluded by {clause}{found}"
        case Pattern():
            hits = ()
            reason, sentence = Reason.PATTERN, f"{clause} matches nothing in {_asked(view)}"
        case RuleRef():
            hits = ()
            reason, sentence = Reason.RULE, f"the rule {node.id} does not hold"
        case _:
            assert_never(node)
    return Failure(clause=clause, place=node.place, reason=reason, sentence=sentence, nearest=hits)


def _field_failure(node: InField, view: _View) -> Failure | None:
    if node.field not in LABELS:
        return _failure(node.child, view._replace(fields=(node.field,)))
    found = view.text.texts[node.field]
    name = "source" if node.field == "source" else "language"
    expected = " or ".join(_labels(node))
    sentence = f"the {name} is {found}, not {expected}" if found else f"the {name} is unknown, not {expected}"
    return Failure(clause=unparse(node), place=node.place, reason=Reason.LABEL, sentence=sentence)


def _parts_failure(node: All | Any | AtLeast | Weighted, view: _View) -> Failure:
    failures: list[Failure | None] = []
    for child in children(node):
        failures.append(_failure(child, view))
    failed = tuple(failure for failure in failures if failure)
    if len(failed) == 1 and not isinstance(node, Weighted):
        return failed[0]
    said = "; ".join(failure.sentence for failure in failed[:_SHOWN_PARTS])
    if len(failed) > _SHOWN_PARTS:
        said += f"; and {len(failed) - _SHOWN_PARTS} more"
    score = _score(node, view) if isinstance(node, Weighted) else None
    return Failure(
        clause=unparse(node),
        place=node.place,
        reason=Reason.SCORE if score else Reason.TOO_FEW,
        sentence=_parts_sentence(node, len(failures) - len(failed), said, score),
        parts=failed,
        score=score,
    )


def _parts_sentence(
    node: All | Any | AtLeast | Weighted, holding: int, said: str, score: Score | None
) -> str:
    match node:
        case All():
            return said
        case Any():
            return f"none of {len(node.children)} alternatives holds: {said}"
        case AtLeast():
            return f"{holding} of the {node.count} that are needed: {said}"
        case Weighted() if score:
            terms = ", ".join(f"{term} {weight:+g}" for term, weight in score.parts) or "nothing that counts"
            missing = f"; {said}" if said else ""
            return f"the score is {score.total:g}, below {score.threshold:g}: {terms}{missing}"
        case _:
            return said


# --------------------------------------------------------------------------- what was nearest to a term


def _term_failure(term: Term, view: _View) -> Failure:
    run = _run(term, view)
    ways = (_other_case, _other_field, _missing_words, _scattered)
    reason, sentence, nearest, distance = next(found for way in ways if (found := way(term, run, view)))
    return Failure(
        clause=unparse(term),
        place=term.place,
        reason=reason,
        sentence=sentence,
        nearest=nearest,
        distance=distance,
    )


_Found = tuple[Reason, str, tuple[Hit, ...], int | None]


def _other_case(term: Term, run: Run, view: _View) -> _Found | None:
    if not isinstance(term, Exact):
        return None
    hits = _ordered(_places(Word(term.text), view))
    if not hits:
        return None
    sentence = f"{unparse(term)} stands in {_asked(view)} only as {_quoted(hits[0], view)}"
    return Reason.CASE, sentence, hits, None


def _other_field(term: Term, run: Run, view: _View) -> _Found | None:
    others = tuple(field for field in INDEXED_FIELDS if field not in view.fields)
    hits = _ordered(_places(term, view._replace(fields=others)))
    if not hits:
        return None
    return Reason.ELSEWHERE, f"{unparse(term)} is in the {hits[0].field}, not in {_asked(view)}", hits, None


def _missing_words(term: Term, run: Run, view: _View) -> _Found | None:
    fields = [view.text.fields[field] for field in view.fields]
    missing = [piece for piece in run if not any(field.starts(piece) for field in fields)]
    if not missing and run:
        return None
    similar, nearest = _similar(missing, view)
    shown = " and ".join(piece.cased or piece.text for piece in missing)
    which = unparse(term) if len(missing) == len(run) else f"{unparse(term)}: {shown}"
    verb = "do" if 1 < len(missing) < len(run) else "does"
    return Reason.ABSENT, f"{which} {verb} not occur in {_asked(view)}{similar}", nearest, None


def _similar(missing: Sequence[Piece], view: _View) -> tuple[str, tuple[Hit, ...]]:
    """Return the word of the text that looks most like the first that is missing."""
    for field in view.fields if missing else ():
        found = view.text.fields[field]
        known = {word.text: word for word in reversed(found.words)}
        for name in difflib.get_close_matches(missing[0].text, known, 1, 0.75):
            hit = _hit(name, field, known[name][1:])
            return f"; the closest word is {_quoted(hit, view)}", (hit,)
    return "", ()


def _scattered(term: Term, run: Run, view: _View) -> _Found:
    chains = [(chain, field) for field in view.fields if (chain := _chain(view.text.fields[field], run))]
    if not chains:
        sentence = f"the words of {unparse(term)} occur in {_asked(view)}, but not together in this order"
        return Reason.APART, sentence, (), None
    chain, field = min(chains, key=lambda found: found[0][-1] - found[0][0])
    found = view.text.fields[field]
    hits = tuple(
        _hit(piece.text, field, found.words[index][1:]) for piece, index in zip(run, chain, strict=True)
    )
    whole = _hit(label(term), field, (hits[0].start, hits[-1].end))
    distance = found.positions[chain[-1]] - found.positions[chain[0]]
    sentence = (
        f"the words of {unparse(term)} are not next to each other: {_quoted(whole, view)} in the {field}"
    )
    return Reason.APART, sentence, hits, distance


def _chain(field: FieldText, run: Run) -> list[int]:
    """Return the words closest together that a run's words stand for in their order; empty if none are."""
    starts = [field.starts(piece) for piece in run]
    chains: list[list[int]] = []
    for first in starts[0]:
        chain = [first]
        for following in starts[1:]:
            place = bisect_right(following, chain[-1])
            if place == len(following):
                break
            chain.append(following[place])
        if len(chain) == len(run):
            chains.append(chain)
    return min(chains, key=lambda chain: chain[-1] - chain[0], default=[])


def _near_failure(node: Near, view: _View) -> Failure:
    sides = [_failure(side, view) for side in children(node)]
    absent = next((side for side in sides if side), None)
    if absent:
        return absent
    found = [(gap, field) for field in view.fields for gap in _gaps(node, field, view)]
    clause, (left, right) = unparse(node), map(unparse, children(node))
    if not found:
        sentence = f"no field has both {left} and {right}, apart from each other"
        return Failure(clause=clause, place=node.place, reason=Reason.TOO_FAR, sentence=sentence)
    (distance, one, other), field = min(found, key=lambda pair: pair[0][0])
    is_turned = node.is_ordered and distance <= node.distance
    if is_turned:
        sentence = f"{left} stands behind {right} in the {field}, not before it"
    else:
        sentence = f"{left} and {right} are {distance} words apart at the nearest, in the {field}; "
        sentence += f"at most {node.distance} are asked for"
    return Failure(
        clause=clause,
        place=node.place,
        reason=Reason.ORDER if is_turned else Reason.TOO_FAR,
        sentence=sentence,
        nearest=_ordered([one.hit, other.hit]),
        distance=distance,
    )


def _gaps(node: Near, field: str, view: _View) -> Iterator[tuple[int, _Span, _Span]]:
    """Yield for each place of the one side how far the next of the other is, and the other way round."""
    left, right = _spans(node.left, field, view), _spans(node.right, field, view)
    for spans, others in ((left, right), (right, left)):
        following = sorted(others, key=lambda span: span.first)
        firsts = [span.first for span in following]
        for span in spans:
            place = bisect_right(firsts, span.last)
            if place < len(following):
                yield following[place].first - span.last, span, following[place]


def _asked(view: _View) -> str:
    return " or ".join(view.fields)


def _quoted(hit: Hit, view: _View) -> str:
    text = " ".join(view.text.texts[hit.field][hit.start : hit.end].split())
    return f'"{text}"' if len(text) <= _SHOWN_TEXT else f'"{text[: _SHOWN_TEXT - 1]}…"'
