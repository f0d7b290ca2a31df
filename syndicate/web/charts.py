"""Matches by day, as bars: where each is and how high, for an SVG without scripts or styles of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

HEIGHT = 100.0
SLOT = 10.0  # a day's width
GAP = 2.0
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
