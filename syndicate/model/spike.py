"""That far more than usual happens to a rule."""

from dataclasses import dataclass
from datetime import datetime

LEAST = 10
SCORE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeSettings:
    """`spike` of a rule: what counts as far more than usual."""

    least: int = LEAST  # stories in an hour, with fewer than which there is no spike
    score: float = SCORE  # how many times its usual deviation the volume must be above the usual one


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A length of time: its beginning is part of it, its end is not."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ongoing:
    """A spike that is not over."""

    began_at: datetime
    calm_since: datetime | None = None  # when the volume came back to normal; None: it is still above


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """A rule holds for far more stories than is usual at this time of the week."""

    rule: str
    hour: Window  # in which they came
    count: int  # stories
    usual: float  # the median of the same hours of past weeks
    score: float  # the distance between the two, in deviations
    weeks: int  # that the usual volume is known from


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeStep:
    """What becomes of a rule's spike: one begins, goes on, or is over."""

    rule: str
    began: Spike | None = None  # None: `ongoing` is meant
    endpoints: tuple[str, ...] = ()  # that are told of one that begins
    ongoing: Ongoing | None = None  # as it is from now on
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """A story in short: the first item of it that came."""

    story: int
    item: int
    source: str
    title: str
    link: str | None  # None: it has none
    first_seen: datetime
