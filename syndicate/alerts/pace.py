"""Which of the alerts that are held back from an endpoint are told now, and together with which. Pure.

The words are those of Prometheus Alertmanager (https://prometheus.io/docs/alerting/latest/configuration/): a new
group is told `wait` after its first alert, and what it gets later `interval` after it was told last; a group that
got nothing by then is a new one the next time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.alerts.clock import next_time, quiet_until
from syndicate.model import GroupBy, Pace

HOUR = timedelta(hours=1)

Group = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What an alert is grouped by. An alert about no item has no story, one about a source no rule."""

    rule: str | None = None
    source: str | None = None
    story: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An alert that waits."""

    alert: int  # its number; later ones are higher
    since: datetime
    labels: Labels
    is_urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert that was told: how groups know when they were."""

    alert: int
    at: datetime
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was told to the endpoint before."""

    told: Sequence[Told] = ()  # within the grouping's interval
    deliveries: Sequence[datetime] = ()  # when each was made, within the last hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What becomes of the alerts that were held."""

    deliveries: tuple[tuple[int, ...], ...] = ()  # to make now: the alerts of each, first ones first
    look_at: datetime | None = None  # when the rest has to be looked at again; None: there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """Alerts that are told together."""

    alerts: tuple[int, ...]
    due: datetime


def route(held: Sequence[Held], pace: Pace, past: Past, now: datetime) -> Routed:
    """Return which alerts become deliveries now, and when to look again.

    Every alert that is held becomes part of one delivery, now or later. Urgent ones are told at once, each by
    itself, in quiet hours as well; they count as deliveries of their hour, but wait for nobody. When more is
    due than an hour has room for, the last delivery that has room is a summary of all the rest.

    Args:
        held: in any order.
        pace: of the endpoint.
        past: what was told to it before.
        now: a time at which the clock was set back counts as now, so nothing waits for a clock to catch up.
    """
    held = sorted(held, key=lambda each: each.alert)
    urgent = tuple((each.alert,) for each in held if each.is_urgent)
    units = sorted(
        _units([each for each in held if not each.is_urgent], pace, past, now), key=lambda unit: unit.alerts
    )
    if not units:
        return Routed(deliveries=urgent)
    made = sorted([*(min(at, now) for at in past.deliveries if at > now - HOUR), *(now for _ in urgent)])
    quiet = quiet_until(pace.quiet_hours, now, pace.zone)
    due = (
        () if quiet else _within(pace.max_per_hour, made, [unit.alerts for unit in units if unit.due <= now])
    )
    told = {alert for alerts in due for alert in alerts}
    rest = [unit.due for unit in units if not told.issuperset(unit.alerts)]
    look_at = _look_at(min(rest), pace, [*made, *(now for _ in due)], now) if rest else None
    return Routed(deliveries=tuple(sorted((*urgent, *due))), look_at=look_at)


def _within(
    most: int | None, made: Sequence[datetime], due: Sequence[tuple[int, ...]]
) -> Sequence[tuple[int, ...]]:
    """Return what is due as far as the hour has room, the rest as the summary that takes the last of it."""
    if most is None or len(due) <= most - len(made):
        return due
    if len(made) >= most:
        return ()
    alone = most - len(made) - 1
    return [*due[:alone], tuple(sorted(alert for alerts in due[alone:] for alert in alerts))]


def _look_at(due: datetime, pace: Pace, made: Sequence[datetime], now: datetime) -> datetime:
    """Return when what is due then, or was before, can be told at the earliest."""
    at = max(due, now)
    if pace.max_per_hour is not None and len(made) >= pace.max_per_hour:
        at = max(at, sorted(made)[-pace.max_per_hour] + HOUR)
    return quiet_until(pace.quiet_hours, at, pace.zone) or at


def _units(held: Sequence[Held], pace: Pace, past: Past, now: datetime) -> Iterator[_Unit]:
    if pace.grouping is None and pace.digest is None:
        yield from (_Unit(alerts=(each.alert,), due=min(each.since, now)) for each in held)
        return
    by = pace.grouping.by if pace.grouping else ()
    last_told = _last_told(past.told, by, now)
    for group, members in _groups(held, by).items():
        first = min(now, *(each.since for each in members))
        yield _Unit(alerts=tuple(each.alert for each in members), due=_due(first, last_told.get(group), pace))


def _due(first: datetime, last_told: datetime | None, pace: Pace) -> datetime:
    """Return when a group is told whose first alert came then."""
    if pace.digest is not None:
        return next_time(pace.digest, first, pace.zone)
    assert pace.grouping is not None  # noqa: S101  else each alert is by itself
    if last_told is not None and first < last_told + pace.grouping.interval:
        return last_told + pace.grouping.interval
    return first + pace.grouping.wait


def _groups(held: Sequence[Held], by: Sequence[GroupBy]) -> Mapping[Group, list[Held]]:
    groups: dict[Group, list[Held]] = {}
    for each in held:
        groups.setdefault(_group(each.alert, each.labels, by), []).append(each)
    return groups


def _last_told(told: Sequence[Told], by: Sequence[GroupBy], now: datetime) -> Mapping[Group, datetime]:
    last: dict[Group, datetime] = {}
    for each in told:
        group = _group(each.alert, each.labels, by)
        last[group] = max(last.get(group, min(each.at, now)), min(each.at, now))
    return last


def _group(alert: int, labels: Labels, by: Sequence[GroupBy]) -> Group:
    values = {
        GroupBy.RULE: labels.rule,
        GroupBy.SOURCE: labels.source,
        GroupBy.STORY: labels.story,
        GroupBy.EACH: alert,
    }
    return tuple("" if values[label] is None else str(values[label]) for label in by)
