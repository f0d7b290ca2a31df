"""Why an entry is in a feed, as values and as HTML."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Self

from syndicate.feeds.xml import legal, line
from syndicate.model import Score, Snippet

SCORE_PARTS = 20
REPORTS = 10  # outlets that are named; more are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A term of a rule that holds for an item."""

    text: str  # one line
    fields: tuple[str, ...]  # where: title, body, ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The text around the best place, as pieces of it, and whether each is a place of a term."""

    field: str
    pieces: tuple[tuple[str, bool], ...]

    @classmethod
    def of(cls, snippet: Snippet) -> Self:
        """Return a snippet's passage. Marks that overlap or are beyond its text are cut or left out."""
        return cls(field=snippet.field, pieces=tuple(_pieces(snippet)))

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.pieces)

    @property
    def marks(self) -> tuple[tuple[int, int], ...]:
        """Where the terms are in the text, as (start, end) in code points."""
        marks, position = [], 0
        for text, is_marked in self.pieces:
            if is_marked:
                marks.append((position, position + len(text)))
            position += len(text)
        return tuple(marks)

    @property
    def html(self) -> str:
        """The passage with its terms in `<mark>`."""
        return "".join(
            f"<mark>{escape(text)}</mark>" if is_marked else escape(text) for text, is_marked in self.pieces
        )


def _pieces(snippet: Snippet) -> Iterator[tuple[str, bool]]:
    position = 0
    for start, end in sorted(snippet.marks):
        start = max(start, position)
        if start < end <= len(snippet.text):
            yield legal(snippet.text[position:start]), False
            yield legal(snippet.text[start:end]), True
            position = end
    yield legal(snippet.text[position:]), False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A rule that holds for an item, and why. Offsets into the item's texts have no meaning to readers."""

    rule: str
    title: str  # one line, never empty
    terms: tuple[Term, ...]
    passage: Passage
    score: Score | None  # of a weighted rule


def explanation(reasons: Sequence[Reason]) -> str:
    """Return why an entry is here, as HTML: for each rule its terms and the passage."""
    return "\n".join(map(_explained, reasons))


def _explained(reason: Reason) -> str:
    why = _terms(reason.terms) + _score(reason.score)
    return (
        f'<p lang="en">Matched by the rule <b>{escape(reason.title)}</b>{why}</p>\n'
        f'<blockquote dir="auto">{reason.passage.html}</blockquote>'
    )


def _terms(terms: Sequence[Term]) -> str:
    """Return `: “EU” in title and body.`"""
    parts = [f"“{escape(term.text)}” in {' and '.join(term.fields)}" for term in terms]
    return f": {', '.join(parts)}." if parts else "."


def _score(score: Score | None) -> str:
    """Return how a weighted rule came to hold: ` Score: “EU” 3, “water” 2: 5, where 4 is enough.`"""
    if score is None:
        return ""
    parts = ", ".join(f"“{escape(line(term))}” {weight:g}" for term, weight in score.parts[:SCORE_PARTS])
    return f" Score: {parts}: {score.total:g}, where {score.threshold:g} is enough."


def reported(outlets: Sequence[tuple[str, str | None]]) -> str:
    """Return who else has the story, as HTML; empty if nobody.

    Args:
        outlets: their titles, and the addresses of their articles.
    """
    if not outlets:
        return ""
    named = [_linked(*outlet) for outlet in outlets[:REPORTS]]
    more = len(outlets) - len(named)
    others = f" and {more} more" if more else ""
    return f'<p lang="en">Also reported by {", ".join(named)}{others}.</p>'


def _linked(outlet: str, link: str | None) -> str:
    name = escape(outlet)
    return f'<a href="{escape(link)}">{name}</a>' if link else name


def paragraphs(text: str) -> str:
    """Return a plain text as HTML, a paragraph for each of its lines."""
    return "".join(f"<p>{escape(part.strip())}</p>\n" for part in text.split("\n") if part.strip())
