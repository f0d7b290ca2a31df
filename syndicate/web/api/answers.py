"""What answers are made of: the shapes of what `--json` prints of items, evidence and problems."""

from pydantic import Field

from syndicate.web.api.fields import Time
from syndicate.web.api.operation import Answer


class Evidence(Answer):
    """A place where a term of a rule holds."""

    term: str
    """As the rule has it."""
    field: str
    """Of the item: `title`, `body`, `author`, `category`, `link`, `source`, `lang`."""
    start: int
    """The first code point of it in the field's plain text, counted from 0."""
    end: int
    """The code point after it."""
    text: str | None
    """What stands there; null where the item has another text by now."""


class Snippet(Answer):
    """A passage of up to 240 characters around the best place."""

    text: str
    field: str
    marks: list[tuple[int, int]]
    """The places of terms in the passage, as code points: where each begins, and where it has ended."""


class ScorePart(Answer):
    """A term of a weighted rule that holds."""

    term: str
    weight: float


class Score(Answer):
    """What the terms of a weighted rule add up to."""

    total: float
    threshold: float
    parts: list[ScorePart]


class ItemHead(Answer):
    """An item, without its texts."""

    id: int
    source: str
    guid: str | None
    title: str
    link: str | None
    language: str | None
    """As BCP 47 has it."""
    published: Time | None
    """When its publisher says that it was published."""
    first_seen: Time
    story: int
    """Items of one story report the same thing."""


class Item(ItemHead):
    """An item, with the rules that hold for it."""

    matches: list[str]
    """The ids of the rules that hold for it."""


class Match(Answer):
    """That a rule holds for an item, and why."""

    rule: str
    version: str
    """Of the rule, when it was found to hold."""
    revision: int
    """Of the item, that the evidence is of."""
    matched_at: Time
    ended_at: Time | None
    """Null: it holds."""
    evidence: list[Evidence]
    snippet: Snippet
    score: Score | None
    """Of a weighted rule."""


class Problem(Answer):
    """Something that is wrong in a configuration or a query."""

    file: str
    line: int
    """From 1; 0 where no line is meant."""
    column: int
    """From 1; 0 where the whole line is meant."""
    problem: str
    excerpt: str
    """The place itself, with a caret below it; empty where there is none."""


class WrongPart(Answer):
    """What is wrong with one of the things that were sent."""

    name: str
    """The parameter, or the field of the body; empty where all of it is meant."""
    problem: str


class Error(Answer):
    """What was not done, and why (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    """In a sentence."""
    errors: list[WrongPart] = Field(default_factory=list)
    """What is wrong with each of the things that were sent; not there where nothing is."""
