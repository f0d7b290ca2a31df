"""What is said of sources: how each is, when it is polled next and why, what was missed, what it took."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syndicate.model import Gap, SourceStatus, Spent, Trouble, TroubleKind
from syndicate.report import SOURCE_TITLES, source_json, source_row, state_words
from syndicate.report_words import STATES, size

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SILENT = Trouble(kind=TroubleKind.SILENT, since=NOW - DAY, text="it has published nothing for 3 days")
GAP = Gap(begins=NOW - 4 * HOUR, ends=NOW - 3 * HOUR, found_at=NOW - 3 * HOUR, filled=7, is_closed=True)
NEW = SourceStatus(
    id="wire",
    title="Wire",
    urls=("https://wire.example/rss",),
    enabled=True,
    state="new",
    next_poll_at=None,
    last_polled_at=None,
    last_success_at=None,
    last_status=None,
    last_error=None,
    problems=(),
    failures=0,
    items=0,
)
BUSY = replace(
    NEW,
    state="ok",
    next_poll_at=NOW + 20 * MINUTE,
    next_poll_why="it publishes about every 20 min",
    last_success_at=NOW - 5 * MINUTE,
    problems=("cut: 1",),
    items=1240,
    items_per_day=72.04,
    median_delay=4 * MINUTE,
    gaps=2,
    last_gap=GAP,
    spent=Spent(requests=310, received_bytes=5 * 1024 * 1024),
)


def row(status):
    return dict(zip(SOURCE_TITLES, source_row(status, NOW), strict=True))


def test_a_source_is_shown_with_all_there_is_to_know():
    assert row(BUSY) == {
        "id": "wire",
        "state": "working",
        "items": "1240",
        "a day": "72",
        "seen after": "4 min",
        "gaps": "2, the last 3 h ago",
        "last success": "5 min ago",
        "next poll": "in 20 min: it publishes about every 20 min",
        "spent": "310 requests, 5 MiB",
        "remarks": "cut: 1",
    }


def test_of_a_new_source_there_is_nothing_to_know():
    shown = row(NEW)
    assert {name for name, value in shown.items() if value} == {"id", "state", "items", "last success"}
    assert (shown["state"], shown["last success"]) == ("not polled yet", "never")


@pytest.mark.parametrize(
    ("state", "trouble", "words"),
    [
        ("ok", None, "working"),
        ("ok", TroubleKind.SILENT, "working, silent"),
        ("ok", TroubleKind.CERTIFICATE, "working, its certificate expires soon"),
        ("fallback", None, "working, at another address"),
        ("failing", TroubleKind.FAILING, "failing, for long"),
        ("failing", TroubleKind.UNREADABLE, "failing, unreadable"),
        ("gone", TroubleKind.GONE, "gone, for good"),
    ],
)
def test_its_state_is_told_in_words(state, trouble, words):
    troubles = (replace(SILENT, kind=trouble),) if trouble else ()
    assert state_words(replace(NEW, state=state, troubles=troubles)) == words


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", TroubleKind)
def test_every_state_and_trouble_has_words(state, kind):
    assert state_words(replace(NEW, state=state, troubles=(replace(SILENT, kind=kind),)))


def test_what_is_the_matter_is_a_remark_once():
    failing = replace(BUSY, state="failing", last_error="no answer", troubles=(SILENT,))
    assert row(failing)["remarks"] == "no answer; it has published nothing for 3 days"
    same = replace(failing, troubles=(replace(SILENT, text="no answer"),))
    assert row(same)["remarks"] == "no answer"


def test_what_is_not_polled_has_no_reason():
    assert row(replace(BUSY, next_poll_at=None))["next poll"] == ""
    assert source_json(replace(BUSY, next_poll_at=None))["next_poll_why"] == ""


def test_the_same_as_json():
    printed = source_json(replace(BUSY, troubles=(SILENT,)))
    assert json.loads(json.dumps(printed)) == printed
    assert printed["items_per_day"] == 72.0
    assert (printed["median_delay_seconds"], printed["requests"]) == (240, 310)
    assert printed["troubles"] == [{"kind": "silent", "since": "2026-11-23T02:00:00Z", "text": SILENT.text}]
    assert printed["last_gap"] == {
        "begins": "2026-11-23T22:00:00Z",
        "ends": "2026-11-23T23:00:00Z",
        "found_at": "2026-11-23T23:00:00Z",
        "filled": 7,
        "closed": True,
    }
    assert source_json(replace(BUSY, median_delay=timedelta()))["median_delay_seconds"] == 0
    assert json.dumps(source_json(NEW))


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (1000 * 1024, "1000 KiB"),
        (5 * 1024**2, "5 MiB"),
        (3 * 1024**3, "3 GiB"),
    ],
)
def test_sizes_are_told_in_words(length, words):
    assert size(length) == words
