"""Which of the alerts that are held back from an endpoint are told now, and together with which. Pure.

The words are those of Prometheus Alertmanager (https://prometheus.io/docs/alerting/latest/configuration/): a
new group is told `wait` after its first alert, and what it gets later `interval` after it was told last; a
group that got nothing by then is a new one the next time.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.alerts.clock import next_time, quiet_until
from syndicate.model import GroupBy, HeldAlert, Labels, Pace, Past, Route, ToldAlert

HOUR = timedelta(hours=1)

Group = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """Alerts that are told together."""

    alerts: tuple[int, ...]
    due: datetime


def route(
    held: Sequence[HeldAlert], pace: Pace, past: Past, now: datetime, urgent: Collection[str] = ()
) -> Route:
    """Return which alerts become deliveries now, and when to look again.

    Every alert that is held becomes part of one delivery, now or later. Urgent ones are told at once, each by
    itself, in quiet hours as well, and make nothing else wait. When more is due than an hour has room for,
    the last delivery that has room is a summary of all the rest.

    Args:
        held: in any order.
        pace: of the endpoint.
        past: what was told to it before.
        now: any later time, from before the clock was set back, counts as now: nothing waits for it to come.
        urgent: rules whose alerts are.
    """
    held = sorted(held, key=lambda each: each.alert)
    at_once = [(each.alert,) for each in held if each.labels.rule in urgent]
    others = [each for each in held if each.labels.rule not in urgent]
    if not others:
        return Route(deliveries=tuple(at_once))
    units = sorted(_units(others, pace, past, now), key=lambda unit: unit.alerts)
    made = [min(at, now) for at in past.deliveries if at > now - HOUR]
    is_quiet = quiet_until(pace.quiet_hours, now, pace.zone) is not None
    due = [] if is_quiet else [unit.alerts for unit in units if unit.due <= now]
    due = _within(pace.max_per_hour, len(made), due)
    told = {alert for alerts in due for alert in alerts}
    rest = [unit.due for unit in units if not told.issuperset(unit.alerts)]
    look_at = _look_at(min(rest), pace, [*made, *(now for _ in due)], now) if rest else None
    return Route(deliveries=tuple(sorted((*at_once, *due))), look_at=look_at)


def _within(most: int | None, made: int, due: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return what is due as far as the hour has room, the rest as the summary that takes the last of it."""
    if most is None or len(due) <= most - made:
        return due
    if made >= most:
        return []
    alone = most - made - 1
    return [*due[:alone], tuple(sorted(alert for alerts in due[alone:] for alert in alerts))]


def _look_at(due: datetime, pace: Pace, made: Sequence[datetime], now: datetime) -> datetime:
    """Return when what is due then, or was before, can be told at the earliest."""
    at = max(due, now)
    if pace.max_per_hour is not None and len(made) >= pace.max_per_hour:
        at = max(at, sorted(made)[-pace.max_per_hour] + HOUR)
    return quiet_until(pace.quiet_hours, at, pace.zone) or at


def _units(held: Sequence[HeldAlert], pace: Pace, past: Past, now: datetime) -> Iterator[_Unit]:
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


def _groups(held: Sequence[HeldAlert], by: Sequence[GroupBy]) -> Mapping[Group, list[HeldAlert]]:
    groups: dict[Group, list[HeldAlert]] = {}
    for each in held:
        groups.setdefault(_group(each.alert, each.labels, by), []).append(each)
    return groups


def _last_told(told: Sequence[ToldAlert], by: Sequence[GroupBy], now: datetime) -> Mapping[Group, datetime]:
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
