"""Bars: as high as what they count, one on the other, none where there is nothing."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from syndicate.web.charts import HEIGHT, LEAST, chart, days_until

DAYS = days_until(date(2026, 3, 1), 3)


def test_the_last_days_end_with_the_last():
    assert (date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)) == DAYS


def test_bars_are_stacked_by_their_counts():
    made = chart(
        DAYS, {"eu": "EU", "water": "Water"}, {"eu": {DAYS[0]: 1, DAYS[2]: 3}, "water": {DAYS[2]: 1}}
    )
    assert [(bar.series, bar.count, bar.x, bar.y, bar.height) for bar in made.bars] == [
        (0, 1, 1.0, 75.0, 25.0),
        (0, 3, 21.0, 25.0, 75.0),
        (1, 1, 21.0, 0.0, 25.0),
    ]
    assert (made.highest, made.total, made.width) == (4, 5, 30.0)
    assert [(series.id, series.title, series.total) for series in made.series] == [
        ("eu", "EU", 4),
        ("water", "Water", 1),
    ]
    assert made.outline == "M1 75h8v25h-8zM21 25h8v75h-8zM21 0h8v25h-8z"
    assert made.count_by_day == {DAYS[0]: (1, 0), DAYS[1]: (0, 0), DAYS[2]: (3, 1)}


def test_nothing_has_no_bars():
    made = chart(DAYS, {"eu": "EU"}, {})
    assert (made.bars, made.highest, made.total) == ((), 0, 0)
    assert chart(DAYS, {}, {}).bars == ()


@given(st.dictionaries(st.sampled_from("abc"), st.dictionaries(st.sampled_from(DAYS), st.integers(0, 10**6))))
def test_every_bar_can_be_seen_and_is_within_the_picture(counts):
    made = chart(DAYS, {"a": "A", "b": "B", "c": "C"}, counts)
    assert sum(bar.count for bar in made.bars) == made.total
    for bar in made.bars:
        assert LEAST <= bar.height <= HEIGHT
        assert 0 <= bar.y <= HEIGHT
        assert 0 <= bar.x <= made.width - made.bar_width
