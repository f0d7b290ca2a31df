"""Why a tree does not hold for one item's text: the clause that failed, and what came nearest."""

import difflib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from syndicate.model import Hit, Score
from syndicate.rules.evaluate import (
    Refer,
    Span,
    View,
    hit_at,
    hits_of,
    labels_of,
    no_rule,
    ordered,
    places_of,
    run_of,
    score_of,
    spans_of,
)
from syndicate.rules.language import is_language
from syndicate.rules.rule import Rule
from syndicate.rules.text import FieldText, ItemText, Subject
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
    Place,
    Prefix,
    RuleRef,
    Term,
    Weighted,
    Word,
    children,
    label,
    unparse,
)
from syndicate.rules.words import Piece, Run


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


def why_not(tree: Node, text: ItemText, refer: Refer = no_rule) -> Failure | None:
    """Return why a tree does not hold for a text, None if it does."""
    return _failure(tree, View(text, refer))


def why_not_about(rule: Rule, text: ItemText, now: datetime, refer: Refer = no_rule) -> str | None:
    """Return in words why a rule does not hold for an item, None if it does."""
    return _elsewhere(rule, text.subject, now) or _sentence(why_not(rule.query, text, refer))


def _elsewhere(rule: Rule, subject: Subject, now: datetime) -> str | None:
    """Return why a rule does not look at an item, None if it does."""
    sources, languages, since = rule.scope
    if sources is not None and subject.source not in sources:
        return f"it looks at other sources than {subject.source or 'this'}"
    if languages and not any(is_language(subject.language, wanted) for wanted in languages):
        known = f"is {subject.language}" if subject.language else "is unknown"
        return f"the language {known}, not {' or '.join(languages)}"
    published = subject.published
    if since is not None and published is not None and published < now - since:
        return f"it was published on {published:%Y-%m-%d %H:%M}, which is too long ago for `since`"
    return None


def _sentence(failure: Failure | None) -> str | None:
    return failure.sentence if failure else None


def _failure(node: Node, view: View) -> Failure | None:
    if hits_of(node, view) is not None:
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


def _plain_failure(node: Not | Pattern | RuleRef, view: View) -> Failure:
    clause = unparse(node)
    match node:
        case Not():
            hits = ordered(hits_of(node.child, view) or ())
            found = f": {_there(hits[0], view)}" if hits else ", which holds"
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


_LABEL_NAMES = {"source": "source", "lang": "language"}


def _there(hit: Hit, view: View) -> str:
    if hit.field in LABELS:
        return f"the {_LABEL_NAMES[hit.field]} is {view.text.texts[hit.field]}"
    return f"{_quoted(hit, view)} is in the {hit.field}"


def _field_failure(node: InField, view: View) -> Failure | None:
    if node.field not in LABELS:
        return _failure(node.child, view._replace(fields=(node.field,)))
    found, name = view.text.texts[node.field], _LABEL_NAMES[node.field]
    expected = " or ".join(labels_of(node))
    sentence = f"the {name} is {found}, not {expected}" if found else f"the {name} is unknown, not {expected}"
    return Failure(clause=unparse(node), place=node.place, reason=Reason.LABEL, sentence=sentence)


def _parts_failure(node: All | Any | AtLeast | Weighted, view: View) -> Failure:
    parts = children(node)
    if isinstance(node, Weighted):  # what counts against it is not missed
        parts = tuple(term for term, weight in node.terms if weight > 0)
    failures: list[Failure | None] = []
    for child in parts:
        failures.append(_failure(child, view))
    failed = tuple(failure for failure in failures if failure)
    if len(failed) == 1 and not isinstance(node, Weighted):
        return failed[0]
    said = "; ".join(failure.sentence for failure in failed[:_SHOWN_PARTS])
    if len(failed) > _SHOWN_PARTS:
        said += f"; and {len(failed) - _SHOWN_PARTS} more"
    score = score_of(node, view) if isinstance(node, Weighted) else None
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


def _term_failure(term: Term, view: View) -> Failure:
    run = run_of(term, view)
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


def _other_case(term: Term, run: Run, view: View) -> _Found | None:
    if not isinstance(term, Exact):
        return None
    hits = ordered(places_of(Word(term.text), view))
    if not hits:
        return None
    sentence = f"{unparse(term)} stands in {_asked(view)} only as {_quoted(hits[0], view)}"
    return Reason.CASE, sentence, hits, None


def _other_field(term: Term, run: Run, view: View) -> _Found | None:
    others = tuple(field for field in INDEXED_FIELDS if field not in view.fields)
    hits = ordered(places_of(term, view._replace(fields=others)))
    if not hits:
        return None
    return Reason.ELSEWHERE, f"{unparse(term)} is in the {hits[0].field}, not in {_asked(view)}", hits, None


def _missing_words(term: Term, run: Run, view: View) -> _Found | None:
    fields = [view.text.fields[field] for field in view.fields]
    missing = [piece for piece in run if not any(field.starts(piece) for field in fields)]
    if not missing and run:
        return None
    similar, nearest = _similar(missing, view)
    shown = " and ".join(piece.cased or piece.text for piece in missing)
    which = unparse(term) if len(missing) == len(run) else f"{unparse(term)}: {shown}"
    verb = "do" if 1 < len(missing) < len(run) else "does"
    return Reason.ABSENT, f"{which} {verb} not occur in {_asked(view)}{similar}", nearest, None


def _similar(missing: Sequence[Piece], view: View) -> tuple[str, tuple[Hit, ...]]:
    """Return the word of the text that looks most like the first that is missing."""
    for field in view.fields if missing else ():
        found = view.text.fields[field]
        known = {word.text: word for word in reversed(found.words)}
        for name in difflib.get_close_matches(missing[0].text, known, 1, 0.75):
            hit = hit_at(name, field, known[name][1:])
            return f"; the closest word is {_quoted(hit, view)}", (hit,)
    return "", ()


def _scattered(term: Term, run: Run, view: View) -> _Found:
    chains = [(chain, field) for field in view.fields if (chain := _chain(view.text.fields[field], run))]
    if not chains:
        sentence = f"the words of {unparse(term)} occur in {_asked(view)}, but not together in this order"
        return Reason.APART, sentence, (), None
    chain, field = min(chains, key=lambda found: found[0][-1] - found[0][0])
    found = view.text.fields[field]
    hits = tuple(
        hit_at(piece.text, field, found.words[index][1:]) for piece, index in zip(run, chain, strict=True)
    )
    whole = hit_at(label(term), field, (hits[0].start, hits[-1].end))
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


def _near_failure(node: Near, view: View) -> Failure:
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
        nearest=ordered([one.hit, other.hit]),
        distance=distance,
    )


def _gaps(node: Near, field: str, view: View) -> Iterator[tuple[int, Span, Span]]:
    """Yield for each place of the one side how far the next of the other is, and the other way round."""
    left, right = spans_of(node.left, field, view), spans_of(node.right, field, view)
    for spans, others in ((left, right), (right, left)):
        following = sorted(others, key=lambda span: span.first)
        firsts = [span.first for span in following]
        for span in spans:
            place = bisect_right(firsts, span.last)
            if place < len(following):
                yield following[place].first - span.last, span, following[place]


def _asked(view: View) -> str:
    return " or ".join(view.fields)


def _quoted(hit: Hit, view: View) -> str:
    text = " ".join(view.text.texts[hit.field][hit.start : hit.end].split())
    return f'"{text}"' if len(text) <= _SHOWN_TEXT else f'"{text[: _SHOWN_TEXT - 1]}…"'
