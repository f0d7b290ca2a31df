"""What a delivery says, before it is put for a service, and what is to be sent in the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syndicate.model import Score


class Kind(StrEnum):
    """What an alert is about."""

    MATCH = "match"  # an item that a rule holds for
    ESCALATION = "escalation"  # more sources report what was alerted before
    SPIKE = "spike"  # a rule holds for many more items than usual
    SOURCE = "source"  # something is the matter with a source, or is over
    ENDPOINT = "endpoint"  # an endpoint is sent nothing any more, or that is over
    TEST = "test"  # nothing: it shows that alerts arrive


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A piece of a text that stands out as a whole, or not at all."""

    text: str
    is_marked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A text of one line, with places that stand out as (start, end), code points from 0."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()

    @property
    def runs(self) -> tuple[Run, ...]:
        """The text in pieces, none of them empty. Marks that overlap or touch are one, those outside none."""
        runs: list[Run] = []
        position = 0
        for start, end in _joined(self.marks, len(self.text)):
            runs.append(Run(text=self.text[position:start], is_marked=False))
            runs.append(Run(text=self.text[start:end], is_marked=True))
            position = end
        runs.append(Run(text=self.text[position:], is_marked=False))
        return tuple(run for run in runs if run.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertText:
    """One alert in words."""

    kind: Kind
    title: Marked
    outlet: str  # the title of the source
    at: datetime  # of the item or the trouble, in the reader's time zone
    rule: str = ""  # its title; empty when no rule is behind it
    rule_id: str = ""
    passage: Marked | None = None  # None: the title says it all
    link: str | None = None  # http(s); None: there is no page to read
    score: Score | None = None  # of a weighted rule
    also: tuple[str, ...] = ()  # of an escalation: titles of the other sources that report it
    story: int | None = None  # None: it is about no item


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one delivery says: an alert, or a summary of several."""

    id: str  # the delivery's
    at: datetime  # when the delivery was made, in the reader's time zone
    alerts: tuple[AlertText, ...]  # at least one, in the order in which they are told
    more: str | None = None  # the address at which everything can be seen, if there is one
    left_out: int = 0  # further alerts, for which there was no room

    @property
    def is_summary(self) -> bool:
        """Whether it tells of more than one alert."""
        return len(self.alerts) + self.left_out > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request. Its address and headers may be secret."""

    url: str = field(repr=False)
    body: bytes
    method: str = "POST"
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A MIME message and its envelope."""

    sender: str
    recipients: tuple[str, ...]
    body: bytes

    @property
    def needs_smtputf8(self) -> bool:
        """Whether an address is not ASCII, so that the server must offer SMTPUTF8 (RFC 6531)."""
        return not "".join((self.sender, *self.recipients)).isascii()


def _joined(marks: tuple[tuple[int, int], ...], length: int) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        start, end = max(0, start), min(end, length)
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What Apprise is handed. Its address is secret."""

    url: str = field(repr=False)
    title: str
    text: str
