"""What is said of who is told what is new in feeds."""

from datetime import UTC, datetime, timedelta

import pytest

from syndicate.model.hub import SubscriberKind, SubscriberStatus
from syndicate.report_hub import subscriber_json, subscriber_row

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def status(**fields) -> SubscriberStatus:
    good = {
        "kind": SubscriberKind.CALLBACK,
        "topic": "https://desk.example/feeds/a-folder/eu.atom",
        "host": "reader.example:443",
        "expires_at": NOW + 72 * HOUR,
        "is_signed": False,
        "lacks_newest": False,
        "told": 0,
        "last_told_at": None,
        "failures": 0,
        "next_try_at": None,
        "error": None,
    }
    return SubscriberStatus(**{**good, **fields})


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ({}, ("the document", "not told of anything yet; its lease ends in 3 d")),
        (
            {"is_signed": True, "last_told_at": NOW - 2 * HOUR},
            ("the document, signed", "told 2 h ago; its lease ends in 3 d"),
        ),
        (
            {"error": "it answered 503", "failures": 1, "next_try_at": NOW + HOUR},
            ("the document", "not told of anything yet; it answered 503; tried again in 60 min"),
        ),
        (
            {"kind": SubscriberKind.HUB, "expires_at": None, "last_told_at": NOW - HOUR},
            ("a form", "told 60 min ago"),
        ),
        (
            {"kind": SubscriberKind.HUB, "expires_at": None, "error": "it answered 500"},
            ("a form", "not told of anything yet; it answered 500; told of the next change"),
        ),
    ],
)
def test_a_row_says_how_it_stands(fields, row):
    feed, host, *rest = subscriber_row(status(**fields), NOW)
    assert (feed, host) == ("a-folder/eu.atom", "reader.example:443")
    assert tuple(rest) == row


def test_json_has_everything_and_no_callback():
    said = subscriber_json(status(told=3, lacks_newest=True, next_try_at=NOW))
    assert (said["kind"], said["told"], said["up_to_date"]) == ("callback", 3, False)
    assert said["expires_at"] == "2026-11-27T02:00:00Z"
    assert "callback" not in said
