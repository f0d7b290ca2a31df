"""Whether there is far more than usual, and what follows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.alerts.spikes import (
    HOUR,
    LEAST_WEEKS,
    PAUSE,
    WEEK,
    WEEKS,
    Judgement,
    Watched,
    judge,
    last_hour,
    past_hours,
    step,
    usual,
)
from syndicate.model import Ongoing, Spike, SpikeSettings, SpikeStep, Window

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BRUSSELS, KATHMANDU = ZoneInfo("Europe/Brussels"), ZoneInfo("Asia/Kathmandu")
SETTINGS = SpikeSettings()
WATCHED = Watched(rule="eu", settings=SETTINGS, endpoints=("desk", "chat"))
HOURS = 3  # that are looked at in each week

moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from([UTC, BRUSSELS, KATHMANDU, ZoneInfo("America/New_York")])
volumes = st.integers(0, 500)
weeks_known = st.lists(
    st.lists(volumes, min_size=HOURS, max_size=HOURS), min_size=LEAST_WEEKS, max_size=WEEKS
)
settings = st.builds(SpikeSettings, least=st.integers(2, 100), score=st.floats(2, 20))


def flat(weeks):
    return [count for week in weeks for count in week]


def every(count, weeks=WEEKS):
    """Return the history of a rule that always had so many stories an hour, for so many weeks."""
    return [count] * HOURS * weeks + [None] * HOURS * (WEEKS - weeks)


def judged(count, past=None, settings=SETTINGS):
    return judge(count, every(6) if past is None else past, settings)


# --------------------------------------------------------------------------- hours


def test_the_last_hour_ends_now():
    assert last_hour(NOW) == Window(begins=NOW - HOUR, ends=NOW)


def test_the_hours_of_a_week_are_the_same_one_and_those_beside_it():
    assert past_hours(NOW, UTC)[:HOURS] == (
        last_hour(NOW - WEEK - HOUR),
        last_hour(NOW - WEEK),
        last_hour(NOW - WEEK + HOUR),
    )
    assert past_hours(NOW, UTC)[HOURS:] == tuple(
        last_hour(hour.ends - WEEK) for hour in past_hours(NOW, UTC)[:-HOURS]
    )


@given(moments, zones)
def test_hours_are_those_of_the_same_time_of_the_week_where_the_owner_is(now, zone):
    hours = past_hours(now, zone)
    assert len(hours) == HOURS * WEEKS
    assert all(hour.ends - hour.begins == HOUR and hour.ends.tzinfo is UTC for hour in hours)
    wall = now.astimezone(zone).replace(tzinfo=None)
    for number, hour in enumerate(hours[1::HOURS], 1):
        same, wanted = hour.ends.astimezone(zone).replace(tzinfo=None), wall - number * WEEK
        is_skipped = (
            wanted.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wanted
        )
        assert abs(same - wanted) == (HOUR if is_skipped else timedelta())


@given(moments, zones)
def test_no_two_hours_overlap_and_none_reaches_into_the_last(now, zone):
    hours = [last_hour(now), *past_hours(now, zone)]
    assert all(
        later.begins >= earlier.ends
        for earlier, later in pairwise(sorted(hours, key=lambda hour: hour.begins))
    )


def test_summer_time_does_not_shift_what_is_compared():
    now = datetime(2026, 11, 3, 7, 0, tzinfo=UTC)  # 08:00 in Brussels, where clocks went back on 25 October
    ends = [hour.ends.astimezone(BRUSSELS).hour for hour in past_hours(now, BRUSSELS)[1::HOURS]]
    assert ends == [8] * WEEKS
    assert [hour.ends.hour for hour in past_hours(now, BRUSSELS)[1::HOURS]] == [7] + [6] * 7


# --------------------------------------------------------------------------- usual


def test_usual_is_the_median_and_its_deviation_that_of_the_distances():
    found = usual([10, 20, 30] * WEEKS)
    assert found is not None
    assert found.deviation == pytest.approx(14.826)
    assert (found.volume, found.weeks) == (20, WEEKS)


@pytest.mark.parametrize(("count", "deviation"), [(0, 1), (1, 1), (4, 2), (100, 10)])
def test_what_never_deviates_is_taken_to_deviate_as_counts_do_by_chance(count, deviation):
    found = usual(every(count))
    assert found is not None
    assert (found.volume, found.deviation) == (count, deviation)


@given(st.lists(st.lists(st.none() | volumes, min_size=HOURS, max_size=HOURS), max_size=WEEKS))
def test_nothing_is_usual_until_four_weeks_are_known_in_full(weeks):
    known = [week for week in weeks if None not in week]
    found = usual(flat(weeks))
    assert (found is None) == (len(known) < LEAST_WEEKS)
    if found is not None:
        assert found == usual(flat(known))
        assert found.weeks == len(known)


@given(weeks_known, st.randoms())
def test_the_order_of_the_weeks_makes_no_difference(weeks, random):
    shuffled = random.sample(weeks, len(weeks))
    assert usual(flat(weeks)) == usual(flat(shuffled))


@given(weeks_known, st.data())
def test_what_is_odd_in_less_than_half_of_the_hours_moves_what_is_usual_no_further_than_the_others_go(
    weeks, data
):
    counts = flat(weeks)
    odd = data.draw(st.sets(st.integers(0, len(counts) - 1), max_size=(len(counts) - 1) // 2))
    others = [count for place, count in enumerate(counts) if place not in odd]
    found = usual([1_000_000 if place in odd else count for place, count in enumerate(counts)])
    assert found is not None
    assert min(others) <= found.volume <= max(others)
    assert found.deviation <= max(1.4826 * (max(others) - min(others)), found.volume**0.5, 1)


# --------------------------------------------------------------------------- judging


def test_what_is_far_above_what_is_usual_is_said_in_words():
    far = judged(42)
    assert far.is_far_above
    assert far.score == pytest.approx(36 / 6**0.5)
    assert far.words == "42 stories in the last hour; usual at this time: 6 (of 8 weeks)"
    assert judged(1, [2, 3] * 12).words == "1 story in the last hour; usual at this time: 2.5 (of 8 weeks)"


def test_too_little_history_is_silent_and_says_so():
    silent = judged(1_000, every(6, weeks=3))
    assert not silent.is_far_above
    assert silent.words == (
        "1000 stories in the last hour; what is usual at this time is not known yet: 3 of the last 8 weeks "
        "are, 4 are needed"
    )
    assert judged(1_000, every(6, weeks=4)).is_far_above


@pytest.mark.parametrize(("usual_count", "first"), [(0, 10), (1, 10), (4, 14), (6, 19), (25, 50), (100, 150)])
def test_a_spike_begins_five_deviations_above_and_at_ten_stories(usual_count, first):
    assert not judged(first - 1, every(usual_count)).is_far_above
    assert judged(first, every(usual_count)).is_far_above


def test_settings_say_how_many_and_how_far():
    assert judged(3, every(0), SpikeSettings(least=3, score=3)).is_far_above
    assert not judged(2, every(0), SpikeSettings(least=3, score=2)).is_far_above
    assert not judged(42, settings=SpikeSettings(score=15)).is_far_above


def test_a_volume_that_always_deviates_needs_more():
    assert judged(30, [2, 6, 10] * WEEKS).is_far_above is False
    assert judged(36, [2, 6, 10] * WEEKS).is_far_above


@given(volumes, weeks_known, settings)
def test_more_is_never_less_of_a_spike(count, weeks, chosen):
    less, more = (judge(each, flat(weeks), chosen) for each in (count, count + 1))
    assert more.is_far_above >= less.is_far_above
    assert more.is_calm <= less.is_calm


@given(volumes, weeks_known, settings)
def test_what_is_far_above_is_not_calm_and_what_is_usual_is(count, weeks, chosen):
    found = judge(count, flat(weeks), chosen)
    assert not (found.is_far_above and found.is_calm)
    assert found.usual is not None
    assert judge(int(found.usual.volume), flat(weeks), chosen).is_calm
    assert not found.is_far_above or count >= chosen.least


# --------------------------------------------------------------------------- what follows

CALM, WAVERING, FAR = judged(6), judged(15), judged(42)
SILENT = judged(42, every(6, weeks=1))


def test_a_spike_that_begins_is_told_with_what_it_is():
    spike = Spike(rule="eu", hour=last_hour(NOW), count=42, usual=6, score=36 / 6**0.5, weeks=8)
    assert step(WATCHED, FAR, None, NOW) == SpikeStep(rule="eu", began=spike, endpoints=("desk", "chat"))


@pytest.mark.parametrize("judgement", [CALM, WAVERING, SILENT])
def test_without_one_nothing_begins_below_it(judgement):
    assert step(WATCHED, judgement, None, NOW) is None


@pytest.mark.parametrize("judgement", [FAR, WAVERING])
def test_one_goes_on_as_long_as_the_volume_is_half_as_far_above(judgement):
    assert step(WATCHED, judgement, Ongoing(began_at=NOW - HOUR), NOW) is None


@pytest.mark.parametrize("judgement", [CALM, SILENT])
def test_one_is_over_when_the_volume_was_normal_for_three_hours(judgement):
    ongoing = Ongoing(began_at=NOW - 9 * HOUR)
    calm = replace(ongoing, calm_since=NOW)
    assert step(WATCHED, judgement, ongoing, NOW) == SpikeStep(rule="eu", ongoing=calm)
    assert step(WATCHED, judgement, calm, NOW + PAUSE - MINUTE) is None
    over = SpikeStep(rule="eu", ongoing=calm, is_over=True)
    assert step(WATCHED, judgement, calm, NOW + PAUSE) == over


@pytest.mark.parametrize("judgement", [FAR, WAVERING])
def test_one_that_rises_again_before_that_is_the_same(judgement):
    ongoing = Ongoing(began_at=NOW - 9 * HOUR, calm_since=NOW - HOUR)
    assert step(WATCHED, judgement, ongoing, NOW) == SpikeStep(
        rule="eu", ongoing=replace(ongoing, calm_since=None)
    )


def after(taken: SpikeStep | None, ongoing: Ongoing | None, now: datetime) -> Ongoing | None:
    """Return the spike that there is when a step was written."""
    if taken is None:
        return ongoing
    if taken.began is not None:
        return Ongoing(began_at=now)
    return None if taken.is_over else taken.ongoing


@given(st.lists(st.tuples(st.sampled_from([CALM, WAVERING, FAR, SILENT]), st.integers(1, 200)), max_size=60))
def test_between_two_spikes_the_volume_was_normal_for_three_hours_at_every_look(looks):
    now, ongoing = NOW, None
    calm_for: timedelta | None = None  # how long it was seen to be so, since the last spike began
    previous: tuple[Judgement, datetime] | None = None
    for judgement, minutes in looks:
        now += minutes * MINUTE
        if judgement.is_calm and previous and previous[0].is_calm and calm_for is not None:
            calm_for += now - previous[1]
        elif calm_for is not None and calm_for < PAUSE:
            calm_for = timedelta()
        taken = step(WATCHED, judgement, ongoing, now)
        if taken is not None and taken.began is not None:
            assert judgement.is_far_above
            assert ongoing is None
            assert calm_for is None or calm_for >= PAUSE
            calm_for = timedelta()
        elif ongoing is None:
            assert taken is None
            assert not judgement.is_far_above  # nothing far above is kept from anybody
        ongoing, previous = after(taken, ongoing, now), (judgement, now)
