"""The machine: how much there is to do and was done, how much room it takes, and what it was told to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response

from syndicate.model.overview import Hour
from syndicate.report_words import length_words, size
from syndicate.web.charts import Chart, chart
from syndicate.web.render import Pages
from syndicate.web.settings import sections
from syndicate.web.standing import concerns, standings
from syndicate.web.view import View

DAYS = 14  # that are shown one by one
HOURS = 24
LATELY = timedelta(hours=HOURS)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done over some hours."""

    day: date
    polls: int
    failed: int
    items: int
    matches: int
    attempts: int
    taken: int
    database_bytes: int  # at their end


class SystemPage:
    """Answers GET of `/system`."""

    def __init__(self, view: View, pages: Pages) -> None:
        self._view = view
        self._pages = pages

    def answer(self, request: Request) -> Response:
        """Return the page."""
        view, now = self._view, self._view.now()
        overview, config = view.store.overview, view.loaded.config
        hours = overview.hours(now - timedelta(days=DAYS))
        room = overview.size()
        values = {
            "now": now,
            "concerns": concerns(view, standings(view)),
            "needs_restart": view.needs_restart,
            "refused": view.refused,
            "uptime": length_words(now - view.started_at),
            "size": size(room.database_bytes),
            "disk_free": None if room.disk_free_bytes is None else size(room.disk_free_bytes),
            "growth": growth(hours, room.database_bytes, now),
            "depths": overview.depths(),
            "rules_to_apply": self._rules_to_apply(overview.applied_rules()),
            "lately": done([hour for hour in hours if hour.begins > now - LATELY]),
            "charts": hour_charts(hours, now),
            "days": days(hours),
            "latency": overview.latency(now - LATELY),
            "counts": [
                ("sources", len(config.sources)),
                ("rules", len(view.loaded.rules)),
                ("feeds", len(config.feeds)),
                ("endpoints", len(config.endpoints)),
            ],
            "sections": list(sections(config)),
            "took_words": took_words,
            "size_words": size,
        }
        return self._pages.page(request, "system.html", values)

    def _rules_to_apply(self, applied: Mapping[str, str | None]) -> int:
        return sum(applied.get(rule.id) != rule.version for rule in self._view.loaded.rules)


def took_words(length: timedelta) -> str:
    """Return how long something took, in words; below ten seconds, in parts of one."""
    seconds = max(length.total_seconds(), 0)
    return f"{seconds:.1f} s" if seconds < 9.95 else length_words(length)


def done(hours: Sequence[Hour]) -> Done | None:
    """Return what was done over these hours, which are in order; None if there are none."""
    if not hours:
        return None
    return Done(
        day=hours[-1].begins.astimezone(UTC).date(),
        polls=sum(hour.polls for hour in hours),
        failed=sum(hour.failed for hour in hours),
        items=sum(hour.items for hour in hours),
        matches=sum(hour.matches for hour in hours),
        attempts=sum(hour.attempts for hour in hours),
        taken=sum(hour.taken for hour in hours),
        database_bytes=hours[-1].database_bytes,
    )


def hour_charts(hours: Sequence[Hour], now: datetime) -> Mapping[str, Chart]:
    """Return how much was done in each of the last hours, by what it is."""
    last = now.replace(minute=0, second=0, microsecond=0)
    shown = [last - timedelta(hours=ago) for ago in range(HOURS - 1, -1, -1)]
    return {
        name: chart(shown, {name: name}, {name: {hour.begins: getattr(hour, name) for hour in hours}})
        for name in ("polls", "items", "matches", "attempts")
    }


def days(hours: Sequence[Hour]) -> list[Done]:
    """Return what was done on each day, in UTC, the last day first."""
    by_day = groupby(hours, key=lambda hour: hour.begins.astimezone(UTC).date())
    found = [done(list(some)) for _, some in by_day]
    return [each for each in reversed(found) if each is not None]


def growth(hours: Sequence[Hour], database_bytes: int, now: datetime) -> list[tuple[str, str]]:
    """Return by how much the database has grown over a day and a week, in words; none where it is unknown."""
    found = []
    for words, length in (("in the last 24 hours", LATELY), ("in the last 7 days", WEEK)):
        before = [hour for hour in hours if hour.begins <= now - length]
        if before:
            grown = database_bytes - before[-1].database_bytes
            found.append((words, f"{'-' if grown < 0 else '+'}{size(abs(grown))}"))
    return found
