"""Making a message as long as a service allows: shorter passages first, then fewer alerts."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from syndicate.alerts.channels.message import AlertText, Marked, Message
from syndicate.alerts.channels.text import line, marked_line, units, web_address
from syndicate.alerts.webhook import cut
from syndicate.model import Hit
from syndicate.rules.snippet import snippet

Rendered = TypeVar("Rendered")

ALERTS = 500  # that are told at once; nobody reads as many
TITLE_LENGTH = 200
NAME_LENGTH = 80
ALSO = 5  # names that are listed
ALSO_LENGTH = 40
LINK_BYTES = 2_000
MORE_BYTES = 500
MARKS = 20  # of a text; what is beyond does not stand out
PASSAGE_LENGTH = 2_000  # that is looked at
BEFORE = 600  # of that, at most, in front of the first mark
PASSAGES = (1_000, 480, 240, 120, 60)  # characters
SUMMARY_PASSAGES = (160, 80)
UNTITLED = "Untitled"


def fitted(
    message: Message, render: Callable[[Message], Rendered], fits: Callable[[Rendered], bool]
) -> Rendered:
    """Return what `render` makes of as much of the message as `fits`.

    Texts are shortened before they are rendered, on words, so that no markup is ever cut. All alerts without
    passages come before fewer alerts with them, and at least one comes, if need be without its link.
    """
    message = _first(replace(message, more=web_address(message.more, MORE_BYTES)), ALERTS)
    message = replace(message, alerts=tuple(map(_clean, message.alerts)))
    for length in SUMMARY_PASSAGES if message.is_summary else PASSAGES:
        rendered = render(_with_passages(message, length))
        if fits(rendered):
            return rendered
    for simplify in (_without_passage, _without_marks, _without_link):
        message = replace(message, alerts=tuple(map(simplify, message.alerts)))
        rendered = _as_many_as_fit(message, render, fits)
        if fits(rendered):
            break
    return rendered


def _as_many_as_fit(
    message: Message, render: Callable[[Message], Rendered], fits: Callable[[Rendered], bool]
) -> Rendered:
    return render(
        _first(message, _most(len(message.alerts), lambda count: fits(render(_first(message, count)))))
    )


def _first_marks(text: Marked) -> Marked:
    return replace(text, marks=tuple(sorted(text.marks)[:MARKS]))


def _looked_at(passage: Marked) -> Marked:
    """Return the part of a passage that may be shown, so that no text takes long."""
    if len(passage.text) <= PASSAGE_LENGTH:
        return _first_marks(passage)
    begin = max(0, min((start for start, _ in passage.marks), default=0) - BEFORE)
    marks = tuple((start - begin, end - begin) for start, end in passage.marks)
    return _first_marks(Marked(text=passage.text[begin : begin + PASSAGE_LENGTH], marks=marks))


def cut_marked(marked: Marked, length: int) -> Marked:
    """Return at most this many characters of a text, cut on a word, with the marks that are still in it."""
    text = cut(marked.text, length)
    kept = len(text) - (text != marked.text)  # the ellipsis is part of no mark
    return Marked(text=text, marks=tuple((start, end) for start, end in marked.marks if end <= kept))


def cut_units(text: str, most: int) -> str:
    """Return a text cut on a word to at most this many UTF-16 units."""
    length = most
    while units(shown := cut(text, length)) > most:
        length -= (units(shown) - most + 1) // 2
    return shown


def _most(most: int, holds: Callable[[int], bool]) -> int:
    """Return the greatest number up to `most` for which it holds, 1 if for none."""
    low, high = 1, most
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _first(message: Message, count: int) -> Message:
    rest = max(0, len(message.alerts) - count)
    return replace(message, alerts=message.alerts[:count], left_out=message.left_out + rest)


def _clean(alert: AlertText) -> AlertText:
    """Return the alert with lines for texts, none of them longer than a person reads."""
    title = cut_marked(marked_line(_first_marks(alert.title)), TITLE_LENGTH)
    passage = None if alert.passage is None else marked_line(_looked_at(alert.passage))
    return replace(
        alert,
        title=title if title.text else Marked(text=UNTITLED),
        outlet=cut(line(alert.outlet), NAME_LENGTH),
        rule=cut(line(alert.rule), NAME_LENGTH),
        passage=passage if passage and passage.text else None,
        link=web_address(alert.link, LINK_BYTES),
        also=tuple(cut(name, ALSO_LENGTH) for name in map(line, alert.also) if name),
    )


def _with_passages(message: Message, length: int) -> Message:
    return replace(message, alerts=tuple(_with_passage(alert, length) for alert in message.alerts))


def _with_passage(alert: AlertText, length: int) -> AlertText:
    passage = alert.passage
    if passage is None or len(passage.text) <= length:
        return alert
    return replace(alert, passage=_shortened(passage, length))


def _without_passage(alert: AlertText) -> AlertText:
    return replace(alert, passage=None)


def _without_marks(alert: AlertText) -> AlertText:
    return replace(alert, title=Marked(text=alert.title.text))


def _without_link(alert: AlertText) -> AlertText:
    return replace(alert, link=None, also=())


def _shortened(passage: Marked, length: int) -> Marked:
    """Return the part of a passage that shows the most different marks."""
    hits = [
        Hit(term=passage.text[start:end].casefold(), field="body", start=start, end=end)
        for start, end in passage.marks
    ]
    shown = snippet({"body": passage.text}, hits, length)
    return Marked(text=shown.text, marks=shown.marks)
