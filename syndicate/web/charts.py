"""Matches and polls by day: where each bar is and how high, for an SVG without scripts or styles."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from syndicate.model import PollDay

HEIGHT = 100.0
SLOT = 10.0  # a day's width
GAP = 2.0
ALL_GOOD = 60.0  # the height of a day of which nothing failed
LEAST = 1.5  # the height of what is more than nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What one series has on one day."""

    series: int  # its place among all of them
    day: date
    count: int
    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What is counted."""

    id: str
    title: str
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars over days, stacked."""

    days: tuple[date, ...]
    series: tuple[Series, ...]
    bars: tuple[Bar, ...]
    highest: int  # the count of the day that has most
    count_by_day: Mapping[date, tuple[int, ...]]  # of each series, in their order

    @property
    def width(self) -> float:
        return SLOT * len(self.days)

    @property
    def bar_width(self) -> float:
        return SLOT - GAP

    @property
    def outline(self) -> str:
        """All bars as one path, for where they are many and small."""
        width = f"{self.bar_width:g}"
        return "".join(f"M{bar.x:g} {bar.y:g}h{width}v{bar.height:g}h-{width}z" for bar in self.bars)

    @property
    def total(self) -> int:
        return sum(series.total for series in self.series)


def days_until(last: date, number: int) -> tuple[date, ...]:
    """Return so many days, of which this is the last."""
    return tuple(last - timedelta(days=ago) for ago in range(number - 1, -1, -1))


def chart(days: Sequence[date], titles: Mapping[str, str], counts: Mapping[str, Mapping[date, int]]) -> Chart:
    """Return the bars of counts by day.

    Args:
        titles: by id, of what is counted, the lowest in each bar first.
        counts: by id and day; what is missing is nothing.
    """
    by_day = {day: tuple(counts.get(name, {}).get(day, 0) for name in titles) for day in days}
    highest = max((sum(each) for each in by_day.values()), default=0)
    series = tuple(
        Series(id=name, title=title, total=sum(each[at] for each in by_day.values()))
        for at, (name, title) in enumerate(titles.items())
    )
    bars = tuple(_bars(by_day, highest)) if highest else ()
    return Chart(days=tuple(days), series=series, bars=bars, highest=highest, count_by_day=by_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a strip shows of one day: the lower part is what was good, what stands above it what was not."""

    day: PollDay
    x: float
    good: float  # heights; together as high as the strip where anything failed, else lower
    failed: float

    @property
    def words(self) -> str:
        """What it is about, for people."""
        polls = self.day.good + self.day.failed
        failed = f", {self.day.failed} failed" if self.day.failed else ""
        new = f", {self.day.items} new" if self.day.items else ""
        return f"{self.day.day:%d %b}: {polls} {'poll' if polls == 1 else 'polls'}{failed}{new}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The polls of a source over days: whether any failed is told by height, and not by colour alone."""

    cells: tuple[Cell, ...]  # of days with any
    days: int

    @property
    def width(self) -> float:
        return SLOT * self.days

    @property
    def cell_width(self) -> float:
        return SLOT - GAP

    @property
    def good_outline(self) -> str:
        """What was good, as one path, for where there are many strips."""
        return "".join(_outlined(cell.x, HEIGHT - cell.good, cell.good) for cell in self.cells if cell.good)

    @property
    def failed_outline(self) -> str:
        """What was not, as one path."""
        return "".join(_outlined(cell.x, 0.0, cell.failed) for cell in self.cells if cell.failed)

    @property
    def words(self) -> str:
        """All of it in a few words."""
        bad = sum(cell.day.failed > 0 for cell in self.cells)
        polls = sum(cell.day.good + cell.day.failed for cell in self.cells)
        if not polls:
            return f"not polled in the last {self.days} days"
        failed = f"failures on {bad} {'day' if bad == 1 else 'days'}" if bad else "none failed"
        return f"{polls:,} {'poll' if polls == 1 else 'polls'} in the last {self.days} days, {failed}"


def strip(days: Sequence[date], polled: Sequence[PollDay]) -> Strip:
    """Return the polls of a source, by day."""
    place = {day: number for number, day in enumerate(days)}
    cells = tuple(
        _cell(day, SLOT * place[day.day] + GAP / 2)
        for day in polled
        if day.day in place and day.good + day.failed
    )
    return Strip(cells=cells, days=len(days))


def _outlined(x: float, y: float, height: float) -> str:
    width = f"{SLOT - GAP:g}"
    return f"M{x:g} {y:g}h{width}v{height:g}h-{width}z"


def _cell(day: PollDay, x: float) -> Cell:
    if not day.failed:
        return Cell(day=day, x=x, good=ALL_GOOD, failed=0.0)
    share = day.failed / (day.good + day.failed)
    failed = max(HEIGHT * share, HEIGHT - ALL_GOOD)
    return Cell(day=day, x=x, good=round(HEIGHT - failed, 2), failed=round(failed, 2))


def _bars(by_day: Mapping[date, Sequence[int]], highest: int) -> Iterator[Bar]:
    for number, (day, counts) in enumerate(by_day.items()):
        top = HEIGHT
        for series, count in enumerate(counts):
            if count:
                height = max(HEIGHT * count / highest, LEAST)
                top -= height
                yield Bar(
                    series=series,
                    day=day,
                    count=count,
                    x=round(SLOT * number + GAP / 2, 2),
                    y=round(max(top, 0.0), 2),
                    height=round(height, 2),
                )
