"""That a rule holds, and why."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place where a term of a rule holds; offsets are code points into the named field's plain text."""

    term: str  # as the rule has it
    field: str  # title, body
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """Up to 240 characters around the best place, with the terms' places in it as (start, end)."""

    text: str
    field: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What the terms of a weighted rule that hold add up to."""

    threshold: float
    total: float
    parts: tuple[tuple[str, float], ...]  # each term that holds and its weight, in the rule's order


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A rule that holds for an item, and why."""

    rule: str
    rule_version: str  # content hash of the rule
    hits: tuple[Hit, ...]
    snippet: Snippet
    score: Score | None = None  # of a weighted rule


class Suppressed(StrEnum):
    """Why a match raises no alert."""

    BASELINE = "baseline"  # in the first document of its source
    BACKFILL = "backfill"  # a new or edited rule over stored items
    SILENCED = "silenced"  # a person wanted to hear nothing of it
    FALLBACK = "fallback"  # another address took over, and the item may be older than the switch
