"""How a source publishes, and what follows from that for when to look. Pure.

Times at which items came are all that is known. They are rough: dates lie, and an item without one came at
some time between two polls. So everything here is a median, or a longest or shortest time of many.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import sub

from syndicate.model import Habit

SHORTEST_WAIT = timedelta(minutes=5)  # between polls, unless the owner asks for less
AT_ONCE = timedelta(minutes=1)  # no poll could have come between

ARRIVALS = 100  # kept
ARRIVALS_AGE = timedelta(days=28)  # older ones tell little of today
ARRIVALS_OF_ANY_AGE = 20
DELAYS = 30  # kept
WEEKS = 6  # of which the longest silence is kept
OCCASIONS = 20  # of which the median gap counts
FEWEST_TOLD_FROM = 4  # items of a larger document, from which its turnover is told

HURRY_SHARE = 4  # polls within the time in which a gap came about
HURRY_LASTS = timedelta(days=7)
GIVEN_UP_LASTS = timedelta(days=30)  # when polling could not have been faster

KNOWN = timedelta(days=7)  # from Monday morning to Sunday
HABIT_ARRIVALS = 5  # before that, nothing is said of what is usual
KNOWN_WELL = timedelta(days=14)  # two weekends
SILENT_AT_LEAST = timedelta(days=1)
SILENT_AT_LEAST_AT_FIRST = timedelta(days=4)  # a long weekend
_WEEK = timedelta(weeks=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# --------------------------------------------------------------------------- learning


def learned_from(
    habit: Habit, published: Sequence[datetime | None], depth: int, after: datetime | None, now: datetime
) -> Habit:
    """Return the habit of a source, a document further.

    Args:
        published: of what is new in it, None where there is no date.
        depth: how many entries it has.
        after: when the source was last read; None: never, so that what is undated tells nothing.
        now: when the document came.
    """
    came = _arrivals(published, after, now)
    arrivals = sorted((*came, *habit.arrivals), reverse=True)
    young = [moment for moment in arrivals if now - moment <= ARRIVALS_AGE]
    kept = young if len(young) > ARRIVALS_OF_ANY_AGE else arrivals[:ARRIVALS_OF_ANY_AGE]
    delays = [now - moment for moment in published if moment is not None and after is not None]
    return replace(
        habit,
        since=habit.since or now,
        depth=depth or habit.depth,
        arrivals=tuple(kept[:ARRIVALS]),
        silences=_silences(habit, came, now),
        delays=(*(max(delay, timedelta()) for delay in delays), *habit.delays)[:DELAYS],
    )


def after_gap(habit: Habit, took: timedelta, now: datetime) -> Habit:
    """Return the habit of a source of which items were missed: it is polled more often for a week.

    If the document was another one within the shortest time between polls, nobody could have been faster: for
    a month, its gaps change nothing.

    Args:
        took: the time between the two polls that saw the gap.
    """
    if took <= 2 * SHORTEST_WAIT:
        return replace(habit, hurry=None, hurry_until=now + GIVEN_UP_LASTS)
    if habit.hurry_until is not None and habit.hurry is None and now < habit.hurry_until:
        return habit
    return replace(habit, hurry=max(took / HURRY_SHARE, SHORTEST_WAIT), hurry_until=now + HURRY_LASTS)


def _arrivals(published: Sequence[datetime | None], after: datetime | None, now: datetime) -> list[datetime]:
    """Return when items came: as they say, but not before the last poll; undated ones evenly since then."""
    dated = [min(moment, now) for moment in published if moment is not None]
    if after is None:
        return dated
    after, undated = min(after, now), len(published) - len(dated)
    spread = [now - (now - after) * (number / undated) for number in range(undated)]
    return [*(max(moment, after) for moment in dated), *spread]


def _silences(habit: Habit, came: Iterable[datetime], now: datetime) -> tuple[tuple[int, timedelta], ...]:
    """Return the longest silence of each of the last weeks. An outage counts in part, or it became usual."""
    longest = dict(habit.silences)
    usual = silent_after(habit, now)
    most = timedelta.max if usual is None else usual * 1.5
    moments = sorted((*habit.arrivals[:1], *came))
    for before, moment in pairwise(moments):
        week = _week(moment)
        longest[week] = max(longest.get(week, timedelta()), min(moment - before, most))
    return tuple(sorted(each for each in longest.items() if each[0] > _week(now) - WEEKS))


def _week(moment: datetime) -> int:
    return (moment - _EPOCH) // _WEEK


# --------------------------------------------------------------------------- what is usual


def typical_gap(habit: Habit) -> timedelta | None:
    """Return the median time between the occasions on which something came; None when there are too few."""
    occasions = _occasions(habit.arrivals)[: OCCASIONS + 1]
    if len(occasions) < 3:
        return None
    gaps: list[timedelta] = sorted(map(sub, occasions, occasions[1:]))
    return (gaps[(len(gaps) - 1) // 2] + gaps[len(gaps) // 2]) / 2


def _occasions(arrivals: Sequence[datetime]) -> list[datetime]:
    """Return the times at which something came, newest first; what came close together came together."""
    occasions = list(arrivals[:1])
    for moment in arrivals:
        if occasions[-1] - moment >= SHORTEST_WAIT:
            occasions.append(moment)
    return occasions


def silence(habit: Habit, now: datetime) -> timedelta:
    """Return for how long nothing has come."""
    last = habit.arrivals[0] if habit.arrivals else habit.since or now
    return max(now - last, timedelta())


def turnover(habit: Habit) -> timedelta | None:
    """Return the shortest time in which a whole document's worth of items came; None when that is not known.

    What came at once does not count: no poll comes in between.
    """
    arrivals = habit.arrivals
    items = min(habit.depth, len(arrivals) - 1)
    if items < max(1, min(habit.depth, FEWEST_TOLD_FROM)):
        return None
    longer = [span for span in map(sub, arrivals, arrivals[items:]) if span >= AT_ONCE]
    return min(longer) * (habit.depth / items) if longer else None


def is_known(habit: Habit, now: datetime) -> bool:
    """Return whether its items, or we who watch it, go back for a week, so that every hour was seen once."""
    return now - _beginning(habit, now) >= KNOWN


def longest_silence(habit: Habit) -> timedelta:
    """Return the longest time between two of the newest items; nothing when there are none."""
    return max(map(sub, habit.arrivals, habit.arrivals[1:]), default=timedelta())


def silent_after(habit: Habit, now: datetime) -> timedelta | None:
    """Return how long a silence has to be to be worth telling; None as long as too little is known."""
    if len(habit.arrivals) < HABIT_ARRIVALS:
        return None
    usual = max((longest_silence(habit), *(length for _, length in habit.silences)))
    is_known_well = now - _beginning(habit, now) >= KNOWN_WELL
    return max(2 * usual, SILENT_AT_LEAST if is_known_well else SILENT_AT_LEAST_AT_FIRST)


def _beginning(habit: Habit, now: datetime) -> datetime:
    return min((*habit.arrivals[-1:], habit.since or now))
