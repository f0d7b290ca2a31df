"""What is held back is told once, in order, at the pace that was asked for; whatever comes, at any clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.alerts.clock import next_time, quiet_until
from syndicate.alerts.pace import HOUR, route
from syndicate.model import (
    Cron,
    GroupBy,
    Grouping,
    HeldAlert,
    Labels,
    Pace,
    Past,
    QuietHours,
    Route,
    ToldAlert,
)

BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
MORNING = Cron(minutes=(0,), hours=(8,))
NIGHT = QuietHours(begins=22 * 60, ends=7 * 60)


URGENT = "sanctions"


def held(alert: int, since: datetime = NOW, rule: str = "eu") -> HeldAlert:
    labels = Labels(rule=rule, source="wire", story=alert)
    return HeldAlert(alert=alert, since=since, labels=labels)


def told(alert: int, at: datetime, rule: str = "eu") -> ToldAlert:
    return ToldAlert(alert=alert, at=at, labels=Labels(rule=rule, source="wire", story=alert))


def after(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


# --------------------------------------------------------------------------- one thing at a time


def test_without_a_pace_each_is_told_at_once():
    assert route([held(2), held(1)], Pace(), Past(), NOW) == Route(deliveries=((1,), (2,)))


def test_nothing_held_is_nothing_to_look_at():
    assert route([], Pace(digest=MORNING), Past(), NOW) == Route()


BY_RULE = Pace(grouping=Grouping(by=(GroupBy.RULE,)))


def test_a_new_group_waits_for_more():
    assert route([held(1), held(2)], BY_RULE, Past(), NOW) == Route(look_at=NOW + 30 * SECOND)
    later = NOW + 30 * SECOND
    three = [held(1), held(2, later), held(3, NOW, "asia")]
    assert route(three, BY_RULE, Past(), later) == Route(deliveries=((1, 2), (3,)))


def test_what_a_group_gets_later_waits_for_the_interval():
    past = Past(told=(told(1, NOW),), deliveries=(NOW,))
    new = [held(2, after(1)), held(3, after(4))]
    assert route(new, BY_RULE, past, after(4)) == Route(look_at=after(5))
    assert route(new, BY_RULE, past, after(5)) == Route(deliveries=((2, 3),))


def test_a_group_that_got_nothing_in_its_interval_is_new_again():
    past = Past(told=(told(1, NOW),), deliveries=(NOW,))
    assert route([held(2, after(5))], BY_RULE, past, after(5)).look_at == after(5) + 30 * SECOND


def test_groups_are_told_apart_by_what_they_are_grouped_by():
    two = [held(1), held(2), held(3, rule="asia")]
    then = NOW + 30 * SECOND

    def grouped(*by: GroupBy) -> tuple[tuple[int, ...], ...]:
        return route(two, Pace(grouping=Grouping(by=by)), Past(), then).deliveries

    assert grouped() == ((1, 2, 3),)
    assert grouped(GroupBy.SOURCE) == ((1, 2, 3),)
    assert grouped(GroupBy.RULE) == ((1, 2), (3,))
    assert grouped(GroupBy.RULE, GroupBy.STORY) == ((1,), (2,), (3,))
    assert grouped(GroupBy.EACH) == ((1,), (2,), (3,))


def test_what_is_about_no_rule_is_a_group_as_well():
    about_source = HeldAlert(alert=2, since=NOW, labels=Labels(source="wire"))
    assert route([held(1), about_source], BY_RULE, Past(), after(1)).deliveries == ((1,), (2,))


def test_a_burst_beyond_the_hour_ends_in_a_summary():
    pace = Pace(max_per_hour=3)
    routed = route([held(number) for number in range(1, 8)], pace, Past(), NOW)
    assert routed == Route(deliveries=((1,), (2,), (3, 4, 5, 6, 7)))


def test_a_full_hour_holds_back_until_the_first_of_it_is_an_hour_old():
    pace, past = Pace(max_per_hour=2), Past(deliveries=(after(-50), after(-20)))
    assert route([held(1), held(2)], pace, past, NOW) == Route(look_at=after(10))
    assert route([held(1), held(2)], pace, past, after(10)) == Route(deliveries=((1, 2),))


def test_a_digest_tells_everything_since_the_one_before():
    pace = Pace(digest=MORNING, zone=BRUSSELS)
    three = [held(number, after(number)) for number in (1, 2, 3)]
    morning = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
    assert route(three, pace, Past(), after(3)) == Route(look_at=morning)
    assert route(three, pace, Past(), morning) == Route(deliveries=((1, 2, 3),))


def test_a_digest_that_was_missed_comes_late_rather_than_a_day_later():
    late = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
    assert route([held(1)], Pace(digest=MORNING, zone=BRUSSELS), Past(), late).deliveries == ((1,),)


def test_a_digest_may_have_a_part_for_each_group():
    pace = Pace(digest=MORNING, grouping=Grouping(by=(GroupBy.RULE,)))
    past = Past(told=(told(9, NOW),))
    three = [held(1), held(2, rule="asia"), held(3)]
    morning = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
    assert route(three, pace, past, morning).deliveries == ((1, 3), (2,))


def test_quiet_hours_hold_back_until_they_end():
    pace = Pace(quiet_hours=(NIGHT,), zone=BRUSSELS)
    night = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    morning = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
    assert route([held(1, night)], pace, Past(), night) == Route(look_at=morning)
    assert route([held(1, night), held(2, night)], pace, Past(), morning).deliveries == ((1,), (2,))


@pytest.mark.parametrize(
    "pace",
    [
        BY_RULE,
        Pace(digest=MORNING),
        Pace(max_per_hour=1),
        Pace(quiet_hours=(QuietHours(begins=11 * 60, ends=13 * 60),)),
    ],
)
def test_what_is_urgent_is_told_at_once_and_by_itself(pace):
    past = Past(deliveries=(after(-1),))
    routed = route([held(1), held(2, rule=URGENT), held(3, rule=URGENT)], pace, past, NOW, {URGENT})
    assert routed.deliveries == ((2,), (3,))
    assert routed.look_at is not None


def test_what_is_urgent_takes_no_room_of_its_hour():
    routed = route([held(1), held(2, rule=URGENT), held(3)], Pace(max_per_hour=2), Past(), NOW, {URGENT})
    assert routed.deliveries == ((1,), (2,), (3,))


def test_nothing_waits_for_a_clock_that_was_set_back():
    ahead = NOW + timedelta(days=400)
    past = Past(told=(told(1, ahead),), deliveries=(ahead,))
    assert route([held(2, ahead)], Pace(), Past(), NOW).deliveries == ((2,),)
    assert route([held(2, ahead)], BY_RULE, past, NOW).look_at == after(5)
    assert route([held(2, ahead)], Pace(max_per_hour=1), past, NOW).look_at == NOW + HOUR


# --------------------------------------------------------------------------- whatever comes


@dataclass
class Endpoint:
    """An endpoint's alerts over time, as a database holds them."""

    pace: Pace
    waiting: list[HeldAlert] = field(default_factory=list)
    made: list[tuple[datetime, tuple[HeldAlert, ...]]] = field(default_factory=list)

    def look(self, now: datetime) -> datetime | None:
        interval = self.pace.grouping.interval if self.pace.grouping else timedelta()
        counted = [(at, alerts) for at, alerts in self.made if alerts[0].labels.rule != URGENT]
        past = Past(
            told=tuple(
                ToldAlert(alert=each.alert, at=at, labels=each.labels)
                for at, alerts in counted
                if at > now - interval
                for each in alerts
            ),
            deliveries=tuple(at for at, _ in counted if at > now - HOUR),
        )
        routed = route(self.waiting, self.pace, past, now, {URGENT})
        by_number = {each.alert: each for each in self.waiting}
        for alerts in routed.deliveries:
            self.made.append((now, tuple(by_number.pop(alert) for alert in alerts)))
        self.waiting = list(by_number.values())
        return routed.look_at


# Around the nights in which clocks change in Brussels and on Lord Howe Island, and a night like any other.
starts = st.sampled_from([datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2027, 3, 27, 20, tzinfo=UTC), NOW])
groupings = st.builds(
    Grouping,
    by=st.lists(st.sampled_from(GroupBy), unique=True, max_size=2).map(tuple),
    wait=st.integers(0, 600).map(lambda seconds: seconds * SECOND),
    interval=st.integers(1, 7200).map(lambda seconds: seconds * SECOND),
)
crons = st.builds(Cron, minutes=st.tuples(st.integers(0, 59)), hours=st.tuples(st.integers(0, 23)))
nights = st.builds(QuietHours, begins=st.integers(20 * 60, 1439), ends=st.integers(0, 9 * 60)).map(
    lambda each: (each,)
)
paces = st.builds(
    Pace,
    grouping=st.none() | groupings,
    digest=st.none() | crons,
    max_per_hour=st.none() | st.integers(1, 4),
    quiet_hours=st.just(()) | nights,
    zone=st.sampled_from([UTC, BRUSSELS, ZoneInfo("Australia/Lord_Howe")]),
)
arrivals = st.lists(
    st.tuples(
        st.integers(0, 48 * 3600),
        st.sampled_from(["eu", "asia", URGENT]),
    ),
    max_size=25,
).map(sorted)
# When someone happens to look as well: at a start, or because of another endpoint.
looks = st.lists(st.integers(0, 48 * 3600), max_size=8)


def played(
    pace: Pace, start: datetime, arriving: Sequence[tuple[int, str]], looks: Sequence[int]
) -> Endpoint:
    """Let alerts arrive, look whenever it was said, and now and then besides, until nothing waits."""
    endpoint = Endpoint(pace)
    events = sorted(
        [(second, 0, number) for number, (second, _) in enumerate(arriving)] + [(at, 1, 0) for at in looks]
    )
    look_at = None
    for second, kind, number in events:
        now = start + second * SECOND
        while look_at is not None and look_at < now:
            before, look_at = look_at, endpoint.look(look_at)
            assert look_at is None or look_at > before
        if kind == 0:
            _, rule = arriving[number]
            endpoint.waiting.append(held(number + 1, now, rule))
        look_at = endpoint.look(now)
    rounds = 0
    while look_at is not None:
        before, look_at = look_at, endpoint.look(look_at)
        assert look_at is None or look_at > before
        rounds += 1
        assert rounds < 200
    return endpoint


@given(pace=paces, start=starts, arriving=arrivals, looks=looks)
def test_everything_is_told_exactly_once_and_in_order(pace, start, arriving, looks):
    endpoint = played(pace, start, arriving, looks)
    assert endpoint.waiting == []
    alerts = [each.alert for _, alerts in endpoint.made for each in alerts]
    assert sorted(alerts) == list(range(1, len(arriving) + 1))
    for _, together in endpoint.made:
        numbers = [each.alert for each in together]
        assert numbers == sorted(numbers)
    for rule in ("eu", "asia"):  # one after the other, within what is told together anyway
        mine = [[each.alert for each in alerts if each.labels.rule == rule] for _, alerts in endpoint.made]
        told_in_order = [numbers for numbers in mine if numbers]
        if pace.grouping is None or pace.grouping.by in ((), (GroupBy.RULE,), (GroupBy.SOURCE,)):
            assert all(before[-1] < behind[0] for before, behind in pairwise(told_in_order))


@given(pace=paces, start=starts, arriving=arrivals, looks=looks)
def test_what_is_urgent_never_waits_and_the_rest_keeps_to_the_pace(pace, start, arriving, looks):
    endpoint = played(pace, start, arriving, looks)
    for place, (at, alerts) in enumerate(endpoint.made):
        if alerts[0].labels.rule == URGENT:
            assert len(alerts) == 1
            assert at == alerts[0].since
            continue
        assert all(each.labels.rule != URGENT for each in alerts)
        assert quiet_until(pace.quiet_hours, at, pace.zone) is None
        if pace.max_per_hour:
            same_hour = [
                when
                for when, others in endpoint.made[: place + 1]
                if when > at - HOUR and others[0].labels.rule != URGENT
            ]
            assert len(same_hour) <= pace.max_per_hour


@given(pace=paces, start=starts, arriving=arrivals, looks=looks)
def test_nothing_waits_longer_than_its_pace_asks_for(pace, start, arriving, looks):
    endpoint = played(pace, start, arriving, looks)
    for at, alerts in endpoint.made:
        for each in alerts:
            due = each.since
            if pace.digest:
                due = next_time(pace.digest, due, pace.zone)
            elif pace.grouping:
                due += max(pace.grouping.wait, pace.grouping.interval)
            # Quiet hours, and a full hour, each may come on top once, or again after one another.
            slack = (11 * HOUR if pace.quiet_hours else timedelta()) + (
                3 * HOUR if pace.max_per_hour else timedelta()
            )
            assert each.since <= at <= due + 2 * slack


@given(pace=paces, start=starts, arriving=arrivals, looks=looks)
def test_to_look_before_it_was_said_tells_nothing(pace, start, arriving, looks):
    endpoint = Endpoint(pace)
    for number, (second, rule) in enumerate(arriving, 1):
        now = start + second * SECOND
        endpoint.waiting.append(held(number, now, rule))
        look_at = endpoint.look(now)
        if look_at is not None and look_at > now:
            told_before, between = len(endpoint.made), now + 0.5 * (look_at - now)
            assert endpoint.look(between) == look_at
            assert len(endpoint.made) == told_before
