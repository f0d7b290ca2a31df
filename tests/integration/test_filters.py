"""What a list is restricted to follows from its address, or the address is refused with what is wrong."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from syndicate.store.pages import Shown
from syndicate.web.filters import FilterError, beyond, filters_of, number_of, place_text
from tests.contract.making import entry
from tests.dashboard import configuration, dashboard
from tests.served import NOW


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with dashboard(configuration(tmp_path_factory.mktemp("desk"))) as view:
        view.report("steppe", *(entry(f"{n}", language=each) for n, each in enumerate(("en", "ru", None))))
        yield view


def test_an_address_without_filters_restricts_nothing(desk):
    found = filters_of(QueryParams("q=a&other=b"), desk.loaded, desk.store)
    assert (found.values, found.shown(NOW)) == ({}, Shown())


def test_filters_are_what_the_address_says(desk):
    found = filters_of(QueryParams("rule=water&source=steppe&language=ru&period=7d"), desk.loaded, desk.store)
    assert found.values == {"rule": "water", "source": "steppe", "language": "ru", "period": "7d"}
    shown = found.shown(NOW)
    assert (shown.rule, shown.source, shown.language) == ("water", "steppe", "ru")
    assert shown.since == datetime(2026, 2, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("rule=watr", 'There is no rule “watr”; did you mean "water"?'),
        ("source=x", "There is no source “x”; known: steppe, vestnik, wahat."),
        ("language=kk", "There is no language “kk”; known: en, ru."),
        ("period=8d", "There is no period “8d”; known: 24h, 30d, 7d."),
        ("rule=<b>", "There is no rule “<b>”; known: central-asia, scored, water."),
    ],
)
def test_what_is_not_there_is_said_so(desk, query, said):
    with pytest.raises(FilterError) as refused:
        filters_of(QueryParams(query), desk.loaded, desk.store)
    assert str(refused.value) == said


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 10**17))
def test_a_place_in_a_list_can_be_told_by_an_address(order, item):
    assert beyond(Shown(), place_text(order, item)).before == (order, item)


@pytest.mark.parametrize(
    "place",
    ["x", "_", "1_2", "2026-01-01", "2026-13-01_1", "2026-01-01_x", "2026-01-01T00:00+01:00_1", "٣_٣"],
)
def test_what_is_no_place_is_refused(place):
    with pytest.raises(FilterError, match="That page of the list does not exist"):
        beyond(Shown(), place)


def test_no_place_is_the_beginning():
    assert beyond(Shown(limit=3), "") == Shown(limit=3)


@pytest.mark.parametrize(
    ("text", "expected"), [("7", 7), ("007", 7), ("", None), ("-1", None), ("٣", None), ("9" * 19, None)]
)
def test_a_number_in_an_address_is_an_id_or_nothing(text, expected):
    assert number_of(text) == expected
