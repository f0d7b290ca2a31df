"""Why a rule holds, for people: the passage with the terms in it."""

from collections.abc import Mapping, Sequence

from syndicate.model import Hit, Snippet
from syndicate.rules.tree import LABELS

SNIPPET_LENGTH = 240


def snippet(texts: Mapping[str, str], hits: Sequence[Hit], length: int = SNIPPET_LENGTH) -> Snippet:
    """Return the passage of at most this many characters that shows the most different terms.

    Texts of equal worth are taken from the body rather than the title, which is shown anyway, and from that
    rather than elsewhere. Cut ends are marked by an ellipsis. Marks neither overlap nor touch the ellipses.
    Where no text but only the source or the language made a rule hold, it is the beginning of the text.
    """
    hits = [hit for hit in hits if hit.field not in LABELS]
    if not hits:
        return _beginning(texts, length)
    candidates = [_window(texts[hit.field], hit, length) for hit in hits]
    start, end, first = max(
        ((start, end, hit) for (start, end), hit in zip(candidates, hits, strict=True)),
        key=lambda window: _worth(window, hits),
    )
    text = texts[first.field]
    before, after = "…" if start else "", "…" if end < len(text) else ""
    shift = start - len(before)
    marks = [
        (hit.start - shift, hit.end - shift)
        for hit in hits
        if hit.field == first.field and start <= hit.start and hit.end <= end
    ]
    passage = before + text[start:end].replace("\n", " ") + after
    return Snippet(text=passage, field=first.field, marks=_disjoint(marks))


def _beginning(texts: Mapping[str, str], length: int) -> Snippet:
    field = "body" if texts.get("body") else "title"
    text = texts.get(field, "").replace("\n", " ")
    if len(text) > length:
        text = text[: _previous_word(text, 0, length - 1)] + "…"
    return Snippet(text=text, field=field, marks=())


def _window(text: str, hit: Hit, length: int) -> tuple[int, int]:
    """Return where to cut a text so that the hit stands in it, on words where that is possible."""
    if len(text) <= length:
        return 0, len(text)
    room = max(0, length - 2 - (hit.end - hit.start))  # 2: ellipses
    start = max(0, hit.start - room // 3)
    end = min(len(text), max(hit.end, start + length - 2))
    start = max(0, min(start, end - (length - 2)))
    if start > 0:
        start = _next_word(text, start, hit.start)
    if end < len(text):
        end = _previous_word(text, hit.end, end)
    return (start, end) if end - start <= length - 2 else (hit.start, hit.start + length - 2)


def _next_word(text: str, start: int, limit: int) -> int:
    if text[start - 1].isspace():
        return start
    for position in range(start, limit):
        if text[position].isspace():
            return position + 1
    return start if limit - start > 30 else limit  # a script without spaces is cut anywhere


def _previous_word(text: str, limit: int, end: int) -> int:
    if text[end].isspace():
        return end
    for position in range(end - 1, limit, -1):
        if text[position].isspace():
            return position
    return end


_RANKS = {"body": 2, "title": 1}


def _worth(window: tuple[int, int, Hit], hits: Sequence[Hit]) -> tuple[int, int, int, int]:
    start, end, first = window
    shown = [hit for hit in hits if hit.field == first.field and start <= hit.start and hit.end <= end]
    return len({hit.term for hit in shown}), len(shown), _RANKS.get(first.field, 0), -start


def _disjoint(marks: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    result: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return tuple(result)
