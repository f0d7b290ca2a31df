"""How a source publishes; and that by it, nothing falls out of its document unseen."""

import random
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.model import Habit, Source
from syndicate.sources.habit import (
    ARRIVALS,
    DELAYS,
    WEEKS,
    after_gap,
    is_known,
    learned_from,
    longest_silence,
    silence,
    silent_after,
    turnover,
    typical_gap,
)
from syndicate.sources.schedule import learned_wait, next_poll

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = 24 * HOUR
NEW = Habit()


def ago(*minutes):
    return [NOW - each * MINUTE for each in minutes]


def habit(*minutes_ago, **fields):
    return Habit(**{"since": NOW - 30 * DAY, "depth": 20, "arrivals": tuple(ago(*minutes_ago)), **fields})


# -- learning


def test_the_first_document_teaches_by_its_dates_alone():
    learned = learned_from(NEW, [NOW - HOUR, None, NOW - 3 * HOUR, NOW + DAY, None], 5, None, NOW)
    assert learned.arrivals == (NOW, NOW - HOUR, NOW - 3 * HOUR)
    assert (learned.since, learned.depth, learned.delays) == (NOW, 5, ())


def test_items_came_between_two_polls_whatever_their_dates():
    before = habit(100)
    dates = [NOW + HOUR, NOW - MINUTE, NOW - 300 * DAY]
    learned = learned_from(before, dates, 20, NOW - 10 * MINUTE, NOW)
    assert learned.arrivals == tuple(ago(0, 1, 10, 100))
    assert learned.since == before.since


def test_items_without_dates_came_evenly_between_two_polls():
    assert learned_from(habit(), [None, None], 20, NOW - 10 * MINUTE, NOW).arrivals == tuple(ago(0, 5))


def test_delays_are_from_publication_until_an_item_is_seen():
    learned = learned_from(habit(), [NOW - 5 * MINUTE, None, NOW + HOUR], 20, NOW - HOUR, NOW)
    assert learned.delays == (5 * MINUTE, timedelta())
    assert learned.median_delay == timedelta()
    assert habit(delays=(MINUTE, 3 * MINUTE, HOUR)).median_delay == 3 * MINUTE
    assert habit().median_delay is None


def test_an_empty_document_leaves_the_depth_as_it_was():
    assert learned_from(habit(1), [], 0, NOW - HOUR, NOW).depth == 20


def test_only_so_much_is_kept():
    learned = habit()
    for day in range(200):
        now = NOW + day * DAY
        learned = learned_from(learned, [now] * 3, 20, now - DAY, now)
    assert len(learned.arrivals) == 3 * 29  # of four weeks
    assert len(learned.delays) == DELAYS
    assert len(learned.silences) == WEEKS
    slow = learned_from(NEW, [NOW - number * 90 * DAY for number in range(30)], 30, None, NOW)
    assert len(slow.arrivals) == 20
    assert len(learned_from(NEW, [NOW] * 500, 500, None, NOW).arrivals) == ARRIVALS


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.none() | st.datetimes(timezones=st.just(UTC)), max_size=40),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.integers(0, 40),
)
def test_no_dates_are_too_odd(dates, after, depth):
    learned = learned_from(NEW, dates, depth, after, NOW)
    learned = learned_from(learned, dates, depth, after, NOW + HOUR)
    assert list(learned.arrivals) == sorted(learned.arrivals, reverse=True)
    assert all(moment <= NOW + HOUR for moment in learned.arrivals)
    source = Source(id="a", title="A", urls=())
    assert 5 * MINUTE <= learned_wait(source, learned, NOW + HOUR).length <= HOUR


# -- what is usual


def test_the_typical_gap_is_a_median_of_occasions():
    assert typical_gap(habit()) is None
    assert typical_gap(habit(0, 10)) is None
    assert typical_gap(habit(0, 10, 30)) == 15 * MINUTE
    assert typical_gap(habit(0, 1, 2, 30, 31, 32, 60, 600)) == 30 * MINUTE  # what comes together is one
    assert typical_gap(habit(*range(60))) == 5 * MINUTE


def test_a_silence_is_since_the_last_item_else_since_it_is_watched():
    assert silence(habit(10, 20), NOW) == 10 * MINUTE
    assert silence(Habit(since=NOW - HOUR), NOW) == HOUR
    assert silence(NEW, NOW) == timedelta()
    assert longest_silence(habit(0, 10, 30, 35)) == 20 * MINUTE


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (habit(depth=3), None),
        (habit(0, depth=1), None),
        (habit(0, 10, depth=1), 10 * MINUTE),
        (habit(0, 10, 30, 35, depth=1), 5 * MINUTE),
        (habit(0, 10, 30, 35, depth=2), 25 * MINUTE),
        (habit(*range(0, 100, 10), depth=20), 200 * MINUTE),  # told from those that are known
        (habit(0, 10, depth=20), None),  # too few for that
        (habit(*[0] * 50, *range(60, 600, 60), depth=10), HOUR),  # what came at once cannot be polled between
        (habit(*[0] * 50, depth=10), None),
        (habit(0, 1, depth=0), None),
    ],
)
def test_a_document_turns_over_in_the_time_in_which_as_many_items_came(known, expected):
    assert turnover(known) == expected


def test_a_week_makes_it_known():
    assert is_known(habit(), NOW)
    assert not is_known(Habit(since=NOW - DAY), NOW)
    assert is_known(Habit(since=NOW, arrivals=(NOW, NOW - 8 * DAY)), NOW)


# -- silences


def test_a_silence_is_worth_telling_when_it_is_twice_the_longest():
    assert silent_after(habit(0, 1, 2, 3), NOW) is None
    daily = habit(*(day * 1440 for day in range(20)))
    assert silent_after(daily, NOW) == 2 * DAY
    assert silent_after(habit(*range(0, 100, 10)), NOW) == DAY
    assert silent_after(habit(*range(0, 100, 10), since=NOW - DAY), NOW) == 4 * DAY  # over a long weekend
    assert silent_after(habit(*range(0, 100, 10), silences=((2900, 3 * DAY),)), NOW) == 6 * DAY


def test_a_weekend_is_no_alarm_once_it_was_seen():
    learned, now = NEW, NOW
    for hour in range(28 * 24):  # an office, from Tuesday on
        now = NOW + hour * HOUR
        if 8 <= now.hour < 18 and now.weekday() < 5:
            learned = learned_from(learned, [now], 20, now - HOUR if hour > 10 else None, now)
        usual = silent_after(learned, now)
        assert usual is None or silence(learned, now) < usual, now


def test_an_outage_becomes_usual_by_degrees_only():
    daily = habit(*(day * 1440 for day in range(20)))
    later = learned_from(daily, [None], 20, NOW + 60 * DAY, NOW + 60 * DAY)
    assert max(length for _, length in later.silences) == 3 * DAY


# -- gaps


def test_a_gap_makes_polls_more_frequent_for_a_week():
    hurried = after_gap(habit(), HOUR, NOW)
    assert (hurried.hurry, hurried.hurry_until) == (15 * MINUTE, NOW + 7 * DAY)
    assert after_gap(hurried, 15 * MINUTE, NOW).hurry == 5 * MINUTE


def test_where_no_poll_could_be_in_time_a_gap_changes_nothing_for_a_month():
    given_up = after_gap(habit(), 10 * MINUTE, NOW)
    assert (given_up.hurry, given_up.hurry_until) == (None, NOW + 30 * DAY)
    assert after_gap(given_up, HOUR, NOW + 29 * DAY) == given_up
    assert after_gap(given_up, HOUR, NOW + 31 * DAY).hurry == 15 * MINUTE


# -- seven days, by a clock that runs fast


@dataclass
class Week:
    """What became of a week: how many items there were, how many polls, how many items were never seen."""

    items: int = 0
    polls: int = 0
    missed: int = 0
    waits: list[timedelta] = field(default_factory=list)  # from publication until an item is seen

    @property
    def median_wait(self):
        return sorted(self.waits)[len(self.waits) // 2]


MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
SOURCE = Source(id="wire", title="Wire", urls=())


def publications(per_hour, dice, share):
    """Return when a source publishes, by a Poisson process whose rate changes, from three days before on."""
    times, now = [], MONDAY - 3 * DAY
    while now < MONDAY + 7 * DAY:
        now += dice.expovariate(per_hour) * HOUR
        if dice.random() < share(now):
            times.append(now)
    return times


def watched(times, depth, dice, *, is_dated=True):
    """Poll a source for a week, whose document has so many of its newest items."""
    week = Week(items=sum(moment >= MONDAY for moment in times))
    learned, now, last, seen = NEW, MONDAY, None, 0
    while now < MONDAY + 7 * DAY:
        week.polls += 1
        published = bisect_right(times, now)
        first = max(published - depth, 0)
        new = times[max(first, seen) : published][::-1]
        if last is None:
            new = times[first:published][::-1]
        else:
            week.missed += max(first - seen, 0)
            week.waits += [now - moment for moment in new]
        if new or last is None:
            dates = [moment if is_dated else None for moment in new]
            learned = learned_from(learned, dates, published - first, last, now)
        if last is not None and 0 < seen < first:
            learned = after_gap(learned, now - last, now)
        seen, last = published, now
        now = next_poll(now, learned_wait(SOURCE, learned, now), 0, [], dice.random()).at
    return week


def steady(_):
    return 1.0


def office(moment):
    return 1.0 if 8 <= moment.hour < 18 and moment.weekday() < 5 else 0.02


@pytest.mark.parametrize("is_dated", [True, False], ids=["dated", "undated"])
@pytest.mark.parametrize("share", [steady, office])
@pytest.mark.parametrize(
    ("per_hour", "depth"), [(1 / 48, 10), (1 / 4, 10), (1, 10), (4, 15), (12, 20), (30, 30), (60, 50)]
)
def test_nothing_falls_out_unseen_in_a_week_and_polls_stay_few(per_hour, depth, share, is_dated):
    for seed in range(2):
        dice = random.Random(seed)
        week = watched(publications(per_hour, dice, share), depth, dice, is_dated=is_dated)
        assert week.missed == 0
        # Three an hour while it is new, and about one for each item; never more than each five minutes.
        assert week.polls <= min(7 * 24 * 3.1 + 1.2 * week.items, 7 * 24 * 12 + 1)


@pytest.mark.parametrize(("per_hour", "minutes"), [(1, 12), (4, 10), (12, 6), (60, 4)])
def test_items_are_seen_soon(per_hour, minutes):
    dice = random.Random(1)
    assert watched(publications(per_hour, dice, steady), 50, dice).median_wait <= minutes * MINUTE


def test_what_publishes_faster_than_anyone_may_ask_is_asked_each_five_minutes():
    dice = random.Random(1)
    week = watched(publications(200, dice, steady), 5, dice)
    assert week.missed > 0
    assert 7 * 24 * 11 < week.polls <= 7 * 24 * 12 + 1


def test_a_known_source_that_is_slow_is_asked_each_hour_only():
    learned = replace(habit(*(day * 1440 for day in range(20))), depth=20)
    polls, now = 0, NOW
    while now < NOW + DAY:
        polls += 1
        now = next_poll(now, learned_wait(SOURCE, learned, now), 0, [], 0).at
    assert polls == 24
