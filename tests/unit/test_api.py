"""What is sent to the API as text: times and places in lists, whatever somebody makes up."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from syndicate.web.api import deliveries, items, matches, rules, sources
from syndicate.web.api.cursors import Number, Order, cursor_of, place_of
from syndicate.web.api.fields import moment_before
from syndicate.web.api.operation import ApiError, Asked, Fields, Nothing

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SHAPES: list[TypeAdapter[Any]] = [
    items.PLACE,
    items.SOUGHT,
    matches.PLACE,
    matches.ARRIVAL,
    rules.PLACE,
    sources.PLACE,
    deliveries.PLACE,
]
SOME: TypeAdapter[tuple[str, datetime, int, str]] = TypeAdapter(tuple[Literal["some"], Order, Number, str])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h30m", NOW - timedelta(hours=1, minutes=30)),
        ("2w", NOW - timedelta(weeks=2)),
        ("9999999w", datetime.min.replace(tzinfo=UTC)),
        ("2026-11-24T02:00:00Z", NOW - timedelta(hours=10)),
        ("2026-11-24t02:00:00.5z", NOW - timedelta(hours=10) + timedelta(seconds=0.5)),
        ("2026-11-24T07:00:00+05:00", NOW - timedelta(hours=10)),
        ("0001-01-01T00:00:00+01:00", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59-01:00", datetime.max.replace(tzinfo=UTC, microsecond=0)),
    ],
)
def test_a_time_is_given_as_such_or_by_how_long_ago_it_was(text, expected):
    assert moment_before(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "7", "yesterday", "2026-11-24", "2026-11-24T02:00:00", "2026-13-01T00:00:00Z", "-1h"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError):
        moment_before(text, NOW)


@given(st.text() | st.from_regex(r"[0-9T:+Z.-]{1,30}|[0-9]{1,40}[smhdw]", fullmatch=True))
@example("10000000000000000000000000w")
def test_whatever_is_sent_is_a_time_or_no_value(text):
    with suppress(ValueError):
        assert moment_before(text, NOW).tzinfo is UTC


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 2**63 - 1), st.text(max_size=50))
def test_a_place_comes_back_as_it_was(order, number, name):
    place = ("some", order, number, name)
    cursor = cursor_of(SOME, place)
    assert cursor.isascii()
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert place_of(SOME, cursor) == place


@given(st.sampled_from(SHAPES), st.text() | st.binary().map(lambda data: data.hex()))
@example(items.PLACE, "WyJpdGVtcyIsICIwMDAxLTAxLTAxVDAwOjAwOjAwKzIzOjU5IiwgMV0")  # before all times
@example(items.SOUGHT, "WyJzb3VnaHQiLCAxODQ0Njc0NDA3MzcwOTU1MTYxNl0")  # 2**64
def test_what_is_no_place_is_refused(shape, text):
    with pytest.raises(ApiError) as caught:
        place_of(shape, text)
    assert caught.value.status == 400


def test_no_place_is_one_in_a_list_of_another_kind():
    by_id: dict[str, TypeAdapter[Any]] = {
        "rules": rules.PLACE,
        "sources": sources.PLACE,
        "deliveries": deliveries.PLACE,
    }
    for kind, shape in by_id.items():
        cursor = cursor_of(shape, (kind, "a"))
        for other in set(SHAPES) - {shape}:
            with pytest.raises(ApiError):
                place_of(other, cursor)


def test_what_leads_further_keeps_what_was_asked():
    class Query(Fields):
        q: str | None = None
        limit: int = 50

    asked = Asked(names={}, query=Query(q="a b&c"), body=Nothing())
    assert asked.further(cursor="x") == "?q=a+b%26c&cursor=x"
    assert Asked(names={}, query=Query(limit=3), body=Nothing()).further(cursor="x") == "?limit=3&cursor=x"
