"""Whether far more than usual happens to a rule, and what follows. Pure.

The volume of the last hour is compared with that of the same hour, the one before and the one after it, on
the same weekday of the past eight weeks. Usual is their median. How much they usually deviate from it is
1.4826 times the median of the distances, which for a normal distribution is its standard deviation. By chance
alone, counts deviate by the root of their mean (as Poisson's do), so no less is taken, and one at least.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from math import sqrt
from statistics import median

from syndicate.model import Ongoing, Spike, SpikeSettings, SpikeStep, Window

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)
WEEKS = 8
BESIDE = (-HOUR, timedelta(), HOUR)  # the hours of each week that are looked at
LEAST_WEEKS = 4  # below which there is too little history
PAUSE = timedelta(hours=3)  # for which the volume has to be normal before a spike is over
NORMAL = 1.4826  # deviations in a median distance, of a normal distribution

Counts = Sequence[int | None]  # stories in each of `past_hours`; None: unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """How much there is at this time of the week, in stories an hour."""

    volume: float
    deviation: float
    weeks: int  # that this is known from


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the volume of the last hour means."""

    count: int
    usual: Usual | None  # None: too few weeks are known
    weeks: int  # that are known
    score: float | None  # in deviations above the usual volume; None: nothing is usual
    is_far_above: bool
    is_calm: bool  # it is back at, or near, what is usual

    @property
    def words(self) -> str:
        """The judgement in a sentence."""
        if self.usual is None:
            return (
                f"{stories(self.count)} in the last hour; what is usual at this time is not known yet: "
                f"{self.weeks} of the last {WEEKS} weeks are, {LEAST_WEEKS} are needed"
            )
        return beside_usual(self.count, self.usual.volume, self.usual.weeks)


def beside_usual(count: int, usual: float, weeks: int) -> str:
    """Return a volume beside the usual one, such as "42 stories in the last hour; usual at this time: 6"."""
    return f"{stories(count)} in the last hour; usual at this time: {usual:g} (of {weeks} weeks)"


def stories(count: int) -> str:
    """Return how many stories there are, in words."""
    return f"{count} {'story' if count == 1 else 'stories'}"


def last_hour(now: datetime) -> Window:
    """Return the hour that ends now."""
    return Window(begins=now - HOUR, ends=now)


def past_hours(now: datetime, zone: tzinfo) -> tuple[Window, ...]:
    """Return the hours to compare the last one with: three for each week, the latest week first.

    Args:
        zone: in which it has to be the same time of the day, whatever summer time does.
    """
    there = now.astimezone(zone)
    ends = ((there - number * WEEK).astimezone(UTC) for number in range(1, WEEKS + 1))
    return tuple(last_hour(end + beside) for end in ends for beside in BESIDE)


def usual(counts: Counts) -> Usual | None:
    """Return what is usual, None if too few weeks are known; those are known of which each hour is."""
    weeks = known_weeks(counts)
    if len(weeks) < LEAST_WEEKS:
        return None
    known = [count for week in weeks for count in week]
    middle = median(known)
    distance = median(abs(count - middle) for count in known)
    deviation = max(NORMAL * distance, sqrt(middle), 1.0)
    return Usual(volume=middle, deviation=deviation, weeks=len(weeks))


def known_weeks(counts: Counts) -> list[list[int]]:
    """Return the counts of each week of which all are known."""
    weeks = (counts[start : start + len(BESIDE)] for start in range(0, len(counts), len(BESIDE)))
    return [known for week in weeks if len(known := [each for each in week if each is not None]) == len(week)]


def judge(count: int, past: Counts, settings: SpikeSettings) -> Judgement:
    """Return what it means that this many stories came in the last hour.

    Half of what makes a spike is enough for it to go on, so that one that wavers is one.
    """
    found = usual(past)
    score = None if found is None else (count - found.volume) / found.deviation
    return Judgement(
        count=count,
        usual=found,
        weeks=len(known_weeks(past)),
        score=score,
        is_far_above=score is not None and count >= settings.least and score >= settings.score,
        is_calm=score is None or count < settings.least / 2 or score < settings.score / 2,
    )


def may_be_spike(count: int, settings: SpikeSettings, ongoing: Ongoing | None) -> bool:
    """Return whether it has to be known what is usual: else nothing begins, goes on, or ends."""
    return count >= settings.least or ongoing is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A rule of which it is to be told when there is far more than usual."""

    rule: str
    settings: SpikeSettings
    endpoints: tuple[str, ...]


def step(watched: Watched, judged: Judgement, ongoing: Ongoing | None, now: datetime) -> SpikeStep | None:
    """Return what becomes of a rule's spike, None if all is as before.

    One that begins is told, once: it is over when the volume has been normal for `PAUSE`, and until then
    none begins.
    """
    if ongoing is None:
        return _begun(watched, judged, now)
    if not judged.is_calm:
        return None if ongoing.calm_since is None else _going_on(watched, ongoing, calm_since=None)
    if ongoing.calm_since is None:
        return _going_on(watched, ongoing, calm_since=now)
    if now - ongoing.calm_since < PAUSE:
        return None
    return SpikeStep(rule=watched.rule, ongoing=ongoing, is_over=True)


def _begun(watched: Watched, judged: Judgement, now: datetime) -> SpikeStep | None:
    if not judged.is_far_above or judged.usual is None or judged.score is None:
        return None
    spike = Spike(
        rule=watched.rule,
        hour=last_hour(now),
        count=judged.count,
        usual=judged.usual.volume,
        score=judged.score,
        weeks=judged.usual.weeks,
    )
    return SpikeStep(rule=watched.rule, began=spike, endpoints=watched.endpoints)


def _going_on(watched: Watched, ongoing: Ongoing, *, calm_since: datetime | None) -> SpikeStep:
    return SpikeStep(rule=watched.rule, ongoing=Ongoing(began_at=ongoing.began_at, calm_since=calm_since))
