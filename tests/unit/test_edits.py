"""Readers are told again of what they should notice, and of nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.edits import essence, noticed_at_first

NOON, HOUR = datetime(2026, 3, 2, 12, tzinfo=UTC), timedelta(hours=1)
LINK, BODY = "https://wire.example/a", "Talks opened, and 12 people came."


@pytest.mark.parametrize(
    ("published", "claimed", "expected"),
    [
        (None, None, NOON),
        (NOON - HOUR, None, NOON - HOUR),
        (NOON + HOUR, None, NOON),
        (NOON - 2 * HOUR, NOON - HOUR, NOON - HOUR),
        (NOON - 2 * HOUR, NOON - 3 * HOUR, NOON - 2 * HOUR),
        (NOON - 2 * HOUR, NOON + HOUR, NOON),
        (None, NOON - 3 * HOUR, NOON - 3 * HOUR),
        (None, NOON + HOUR, NOON),
    ],
)
def test_a_new_item_is_as_new_as_the_publisher_says_but_not_newer_than_we_saw_it(
    published, claimed, expected
):
    assert noticed_at_first(published, claimed, NOON) == expected


instants = st.none() | st.datetimes(timezones=st.just(UTC))


@given(instants, instants)
def test_a_new_item_is_never_newer_than_we_saw_it(published, claimed):
    assert noticed_at_first(published, claimed, NOON) <= NOON


@pytest.mark.parametrize(
    ("title", "body", "link", "enclosures"),
    [
        ("Talks open in Almaty!", BODY, LINK, ["https://a.example/1.mp3"]),
        ("TALKS OPEN IN ALMATY", BODY, LINK, ["https://a.example/1.mp3"]),
        ("Talks open in Almaty", BODY.replace(" ", "\n\n"), LINK, ["https://a.example/1.mp3"]),
        ("Talks open — in “Almaty”", BODY, f"{LINK}?utm_source=rss#top", ["http://www.a.example/1.mp3"]),
    ],
)
def test_punctuation_case_white_space_and_tracking_are_not_noticed(title, body, link, enclosures):
    before = essence("Talks open in Almaty", BODY, LINK, ["https://a.example/1.mp3"])
    assert essence(title, body, link, enclosures) == before


@pytest.mark.parametrize(
    ("title", "body", "link", "enclosures"),
    [
        ("Talks end in Almaty", BODY, LINK, ()),
        ("Talks open in Almaty", BODY.replace("12", "13"), LINK, ()),
        ("Talks open in Almaty", f"{BODY} More soon.", LINK, ()),
        ("Talks open in Almaty", BODY, f"{LINK}-2", ()),
        ("Talks open in Almaty", BODY, None, ()),
        ("Talks open in Almaty", BODY, LINK, ["https://a.example/1.mp3"]),
        ("Talks open in Almaty Talks", BODY.removeprefix("Talks "), LINK, ()),
    ],
)
def test_words_numbers_and_addresses_are_noticed(title, body, link, enclosures):
    assert essence(title, body, link, enclosures) != essence("Talks open in Almaty", BODY, LINK, ())
