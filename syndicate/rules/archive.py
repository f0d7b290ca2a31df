"""Rules over what is stored: the words under which an item is kept, and what to look up for a rule.

A full-text index finds candidates, by the same words and stems as live matching; they are verified on the
item's text.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from syndicate.model import Wanted
from syndicate.rules.anchors import Anchors
from syndicate.rules.lexicon import compared
from syndicate.rules.stems import canonical_language
from syndicate.rules.text import FieldText, ItemText
from syndicate.rules.tree import INDEXED_FIELDS
from syndicate.rules.words import Form, Piece, Run

WORDS_VERSION = 2  # raised when the same text may have other words or stems, so that all are kept anew
KEPT_COLUMNS = ("words", "stems")
GAP = "\ue000"  # stands where words do not follow one another
MOST_WANTED = 500  # what is wanted beyond that is found faster by looking at everything


def kept_words(text: ItemText) -> Mapping[str, str]:
    """Return an item's words and their stems, each separated by spaces, in order."""
    fields = [text.fields[name] for name in INDEXED_FIELDS]
    return {
        column: f" {GAP} ".join(" ".join(_with_gaps(field, form)) for field in fields)
        for column, form in zip(KEPT_COLUMNS, (Form.PREFIX, Form.STEM), strict=True)
    }


def _with_gaps(field: FieldText, form: Form) -> Iterator[str]:
    following = 0
    for position, key in zip(field.positions, field.keys(form, is_folded=False), strict=True):
        if position != following:
            yield GAP
        yield key
        following = position + 1


def wanted(found: Anchors, languages: Iterable[str | None]) -> tuple[Wanted, ...] | None:
    """Return what to look up so that no item with one of these anchors is missed; None: look at everything.

    Args:
        found: as `anchors` returns them.
        languages: all those that stored items have.
    """
    if found is None:
        return None
    every = tuple(dict.fromkeys(map(canonical_language, languages)))
    looked_up: dict[Wanted, None] = {}
    for run in found:
        part = _longest_part(run)
        if not part:
            return None
        looked_up |= dict.fromkeys(_wanted(part, every))
        if len(looked_up) > MOST_WANTED:
            return None
    return tuple(looked_up)


def _longest_part(run: Run) -> Sequence[Piece]:
    """Return the most words in a row that can be looked up together; none if there are none at all."""
    parts = [part for part in _parts(run) if _column(part[0])]
    return max(parts, key=lambda part: sum(len(piece.text) for piece in part), default=[])


def _parts(run: Run) -> Iterator[list[Piece]]:
    """Yield the words in a row that are of one column, of which only the last may be a beginning."""
    part: list[Piece] = []
    for piece in run:
        if part and (part[-1].form is Form.PREFIX or _column(piece) != _column(part[-1])):
            yield part
            part = []
        part.append(piece)
    yield part


def _column(piece: Piece) -> str | None:
    if piece.is_folded or piece.form is Form.PATTERN:
        return None
    return "stems" if piece.form is Form.STEM else "words"


def _wanted(part: Sequence[Piece], languages: Sequence[str | None]) -> Iterator[Wanted]:
    if part[0].form is Form.STEM:
        for language in languages:
            yield Wanted(column="stems", words=tuple(compared(piece, language) for piece in part))
    else:
        words = tuple(piece.text for piece in part)
        yield Wanted(column="words", words=words, is_beginning=part[-1].form is Form.PREFIX)
