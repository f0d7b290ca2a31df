"""What several pages show of late: stories, and matches per day."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from syndicate.model import ToldStory
from syndicate.web.charts import Chart, chart, days_until
from syndicate.web.view import View

DAYS = 30
SERIES = 5  # rules that a chart tells apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of stories."""

    stories: tuple[ToldStory, ...]
    older: str | None  # where the next page begins; None: there is none


def recent_days(now: datetime) -> tuple[Sequence[date], datetime]:
    """Return the last days, today among them, in UTC; and when the first of them began."""
    days = days_until(now.astimezone(UTC).date(), DAYS)
    return days, datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC)


def rule_chart(view: View, rules: Collection[str] | None, now: datetime) -> Chart:
    """Return how many matches there were on each of the last days.

    Args:
        rules: whose; None: of the busiest ones.
    """
    days, since = recent_days(now)
    pages = view.store.pages
    if rules is None:
        rules = pages.busiest_rules(since, SERIES)
    titles = {rule.id: rule.title for rule in view.loaded.rules}
    return chart(days, {rule: titles.get(rule, rule) for rule in rules}, pages.matches_by_day(since, rules))
