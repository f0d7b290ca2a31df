"""Dates as documents and pages write them."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.sources.dates import attribute_date, is_plausible, iso_date, spoken_date

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
FIRST, LAST = datetime(1971, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-11-21T10:15:00Z", "2026-11-21T10:15"),
        ("2026-11-21T10:15:30.123+05:00", "2026-11-21T05:15:30"),
        ("2026-11-21 10:15:00 -0330", "2026-11-21T13:45"),
        ("2026-11-21T10:15+05", "2026-11-21T05:15"),
        (" 2026-11-21t10:15z ", "2026-11-21T10:15"),
        ("2026-11-21", "2026-11-21"),
        ("2026-1-2", "2026-01-02"),
        ("2026-11", "2026-11-01"),
        ("2026-12-31T23:59:60Z", "2026-12-31T23:59:59"),
        ("2026-11-21T24:00:00Z", None),
        ("2026-02-30", None),
        ("2026-13-01", None),
        ("1969-12-31", None),
        ("0000-00-00T00:00:00Z", None),
        ("99999-01-01", None),
        ("2026-11-21T10:15:00+99:99", None),
        ("٢٠٢٦-١١-٢١", None),
        ("2026", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_for_machines(written, expected):
    assert iso_date(written) == moment(expected)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1795342500", "2026-11-22T10:15"),
        ("1795342500123", "2026-11-22T10:15"),
        ("1795342500.5", "2026-11-22T10:15"),
        ("20261121", "2026-11-21"),
        ("20261121T101500Z", "2026-11-21T10:15"),
        ("2026-11-21T10:15:00+05:00", "2026-11-21T05:15"),
        ("Sat, 21 Nov 2026 10:15:00 +0500", "2026-11-21T05:15"),
        ("вчера", "2026-11-23"),
        ("179534250", None),
        ("17953425001234567", None),
        ("true", None),
    ],
)
def test_dates_in_attributes(written, expected):
    assert attribute_date(written, NOW) == moment(expected)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        # numbers
        ("21.11.2026", "2026-11-21"),
        ("21.11.2026, 10:15", "2026-11-21T10:15"),
        ("10:15 | 21.11.2026", "2026-11-21T10:15"),
        ("21.11.26 10:15", "2026-11-21T10:15"),
        ("21/11/2026", "2026-11-21"),
        ("11/21/2026", "2026-11-21"),
        ("3/4/2026", "2026-04-03"),
        ("2026/11/21", "2026-11-21"),
        ("2026.11.21 10:15", "2026-11-21T10:15"),
        ("at 2026-11-21 10:15 +05:00", "2026-11-21T05:15"),
        # English
        ("21 November 2026", "2026-11-21"),
        ("Published: November 21, 2026 at 3:05 pm", "2026-11-21T15:05"),
        ("Nov. 21, 2026 12:05 a.m.", "2026-11-21T00:05"),
        ("21st of November 2026", "2026-11-21"),
        ("Sept 1, 2026", "2026-09-01"),
        ("May 21", "2026-05-21"),
        ("2 hours ago", "2026-11-24T07:30"),
        ("an hour ago", "2026-11-24T08:30"),
        ("3d ago", "2026-11-21T09:30"),
        ("Yesterday, 10:15", "2026-11-23T10:15"),
        ("just now", "2026-11-24T09:30"),
        # Russian
        ("21 ноября 2026, 10:15", "2026-11-21T10:15"),
        ("Опубликовано: 1 мая 2026 г. в 7:05", "2026-05-01T07:05"),
        ("21 нояб. 2026", "2026-11-21"),
        ("21 Ноября", "2026-11-21"),
        ("31 декабря, 23:50", "2025-12-31T23:50"),
        ("сегодня в 08:05", "2026-11-24T08:05"),
        ("вчера, 10:15", "2026-11-23T10:15"),
        ("5 мин. назад", "2026-11-24T09:25"),
        ("2 часа назад", "2026-11-24T07:30"),
        ("неделю назад", "2026-11-17T09:30"),
        ("только что", "2026-11-24T09:30"),
        # Kazakh
        ("21 қараша 2026", "2026-11-21"),
        ("2026 жылғы 21 қараша 10:15", "2026-11-21T10:15"),
        ("2026 ж. 21 қарашада", "2026-11-21"),
        ("21-қараша, 2026 ж.", "2026-11-21"),
        ("1 мамыр 2026", "2026-05-01"),
        ("9 мау. 2026", "2026-06-09"),
        ("бүгін 09:10", "2026-11-24T09:10"),
        ("кеше", "2026-11-23"),
        ("3 сағат бұрын", "2026-11-24T06:30"),
        ("10 минут бұрын", "2026-11-24T09:20"),
        # what only looks like one
        ("1,234 views", None),
        ("version 12.5.3", None),
        ("10:15", None),
        ("in May 2026", None),
        ("в ноябре 2026", None),
        ("99.99.2026", None),
        ("21 ноября 0000", None),
        ("tel. 7172 21-11-2026-55", None),
        ("", None),
    ],
)
def test_dates_as_people_write_them(written, expected):
    assert spoken_date(written, NOW) == moment(expected)


def test_where_the_month_comes_first_it_is_read_so():
    assert spoken_date("3/4/2026", month_first=True) == moment("2026-03-04")
    assert spoken_date("13/4/2026", month_first=True) == moment("2026-04-13")
    assert spoken_date("3.4.2026", month_first=True) == moment("2026-04-03")


@pytest.mark.parametrize("written", ["21 ноября", "May 21", "yesterday", "2 hours ago", "just now"])
def test_without_knowing_when_it_was_written_some_dates_cannot_be_told(written):
    assert spoken_date(written) is None


def test_today_in_a_zone_further_east_is_not_in_the_future():
    assert spoken_date("сегодня, 14:00", NOW) == NOW


@settings(max_examples=300)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                [*"0123456789 .:-/+", "мая", "ago", "hours", "т", "november", "pm", "жылғы", "назад"]
            ),
            max_size=20,
        ).map("".join),
    )
)
def test_any_text_is_a_date_or_none(written):
    for found in (iso_date(written), attribute_date(written, NOW), spoken_date(written, NOW)):
        assert found is None or datetime(1970, 1, 1, tzinfo=UTC) <= found


# --------------------------------------------------------------------------- what lenient readers find


@pytest.mark.parametrize(
    ("found", "written"),
    [
        ("9999-11-01T00:00", "99999-01-01T00:00:00Z"),
        ("9999-11-01T00:00", "9" * 200),
        ("2026-01-04T00:00", "-0044-03-15T00:00:00Z"),
        ("2026-03-02T00:00", "2026-02-30T00:00:00Z"),
        ("2027-01-01T00:00", "2026-13-01"),
        ("2026-03-06T03:00", "2026-03-02T99:00:00Z"),
        ("2026-03-02T11:39", "2026-03-02T10:99:00Z"),
        ("2026-03-02T00:00", "Mon, 02 Mar 2031 10:00:00 GMT"),
        ("2026-03-02T00:00", "yesterday"),
    ],
)
def test_a_date_that_nobody_can_have_meant_is_not_plausible(found, written):
    assert not is_plausible(datetime.fromisoformat(found).replace(tzinfo=UTC), written)


@given(
    st.datetimes(*(day.replace(tzinfo=None) for day in (FIRST, LAST))),
    st.integers(-12 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters))),
)
def test_a_date_is_plausible_however_it_is_written(naive, zone):
    local = naive.replace(tzinfo=zone)
    for written in (
        local.isoformat(),
        local.isoformat(" ", "minutes"),
        format_datetime(local),
        f"{local:%A, %d-%b-%y %H:%M:%S %z}",
        f"{local:%a %b %e %H:%M:%S %Y}",
        f"{local:%Y%m%dT%H%M%S%z}",
        f"{local:%Y%m%d}",
        f"{local:%Y-%j}",
        f"{local:%d.%m.%Y}",
        f"{local:%Y년 %m월 %d일 %H:%M:%S}",
    ):
        assert is_plausible(local.astimezone(UTC), written), written
