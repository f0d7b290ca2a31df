"""At which pace alerts go to an endpoint, and what is silenced."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum


class GroupBy(StrEnum):
    """What alerts of one group have in common."""

    RULE = "rule"
    SOURCE = "source"
    STORY = "story"
    EACH = "..."  # everything, so that each alert is a group of its own; as Alertmanager writes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Alerts that are told together, with the meaning that Alertmanager gives these words."""

    by: tuple[GroupBy, ...] = ()  # empty: all are one group
    wait: timedelta = timedelta(seconds=30)  # from the first alert of a new group until it is told
    interval: timedelta = timedelta(minutes=5)  # from telling a group until telling what it has got since


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """Times of the day on some days, by wall clocks, in the numbers that these and calendars show."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...] = tuple(range(1, 32))
    months: tuple[int, ...] = tuple(range(1, 13))
    weekdays: tuple[int, ...] = tuple(range(7))  # Monday is 0
    is_either_day: bool = False  # a day of the month or of the week is enough: crontab says so of two lists


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """A time of the day by wall clocks, in minutes from midnight."""

    weekdays: tuple[int, ...] = tuple(range(7))  # on which it begins; Monday is 0
    begins: int
    ends: int  # not above `begins`: on the next day; 1440 is midnight at the end of the day


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How alerts are held back from an endpoint; without any of it each is told at once."""

    grouping: Grouping | None = None  # None: each alert by itself
    digest: Cron | None = None  # when everything is told; None: whenever it is due
    max_per_hour: int | None = None  # deliveries within any hour; None: as many as there are
    quiet_hours: tuple[QuietHours, ...] = ()
    zone: tzinfo = UTC  # of the wall clocks

    @property
    def holds_back(self) -> bool:
        """Whether an alert may have to wait."""
        return bool(self.grouping or self.digest or self.max_per_hour or self.quiet_hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What an alert is grouped by. One about a source has no rule and no story."""

    rule: str | None = None
    source: str | None = None
    story: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAlert:
    """An alert that waits."""

    alert: int  # its number in the ledger; later ones are higher
    since: datetime
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldAlert:
    """An alert that was told: how groups know when they were."""

    alert: int
    at: datetime
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was told to an endpoint before, but for what was urgent: that makes nothing else wait."""

    told: tuple[ToldAlert, ...] = ()  # within the grouping's interval
    deliveries: tuple[datetime, ...] = ()  # when each was made, within the last hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What becomes of the alerts that are held back from an endpoint."""

    deliveries: tuple[tuple[int, ...], ...] = ()  # to make now: the alerts of each, first ones first
    look_at: datetime | None = None  # when the rest has to be looked at again; None: there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What was done with the alerts that were held back from an endpoint, in numbers."""

    silenced: int  # alerts that are not told at all
    made: int  # deliveries
    held: int  # alerts that go on waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceDraft:
    """Which alerts are not told for a time, who says so, and why. What is None does not restrict."""

    author: str
    reason: str
    expires_at: datetime
    rule: str | None = None  # ids; with * for any letters
    source: str | None = None
    tag: str | None = None  # of the source
    endpoint: str | None = None
    text: str | None = None  # that stands in the item's title or text, in any case


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A silence as it is kept."""

    id: int
    draft: SilenceDraft
    created_at: datetime
    ends_at: datetime  # when it was said to, or sooner, when a person had it expire
    silenced: int  # alerts that were not told because of it
