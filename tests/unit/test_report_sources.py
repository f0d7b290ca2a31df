"""What the commands about sources say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syndicate.loading import new_source
from syndicate.model import AddressStatus, Source, Spent, SubscriptionState, SubscriptionStatus
from syndicate.report_sources import (
    Extension,
    Shown,
    extension_json,
    extension_lines,
    format_words,
    found_line,
    found_lines,
    import_lines,
    refresh_line,
    shown_lines,
    source_lines,
    subscription_words,
)
from syndicate.report_words import Line
from syndicate.sources.leads import Found, Via

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SOURCE = Source(id="wire", title="Wire", urls=("https://wire.example/rss",))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rss20", "RSS 2.0"),
        ("rss10", "RSS 1.0"),
        ("rss091n", "RSS 0.91"),
        ("rss090", "RSS 0.90"),
        ("rss", "RSS"),
        ("atom10", "Atom 1.0"),
        ("atom03", "Atom 0.3"),
        ("json10", "JSON Feed 1.0"),
        ("json11", "JSON Feed 1.1"),
        ("cdf", "CDF"),
        ("sitemap", "sitemap"),
        ("sitemap index", "sitemap index"),
        ("page", "page"),
        ("", ""),
    ],
)
def test_a_format_has_the_name_that_people_use(name, words):
    assert format_words(name) == words


def test_what_was_found_is_one_sentence():
    found = Found(
        url="https://wire.example/rss",
        via=Via.NAMED,
        title="Wire",
        format="rss20",
        entries=1,
        newest=NOW - timedelta(hours=3),
    )
    assert found_line(found, NOW) == (
        "https://wire.example/rss: RSS 2.0, 1 entry, the newest 3 h ago (named by the page)"
    )
    undated = replace(found, newest=None, entries=0, via=Via.GIVEN)
    assert found_line(undated, NOW) == "https://wire.example/rss: RSS 2.0, 0 entries (the address itself)"


def test_what_was_found_takes_two_lines_where_one_has_no_room():
    found = Found(
        url="https://wire.example/rss", via=Via.GIVEN, title="Wire", format="rss20", entries=9, newest=None
    )
    words = "RSS 2.0, 9 entries (the address itself)"
    first, second = found_lines(found, NOW)
    assert first == Line(found.url, marks=((0, len(found.url)),))
    assert second == Line(f"Wire: {words}", indent=2)
    assert list(found_lines(replace(found, title=""), NOW))[1] == Line(words, indent=2)


def test_a_source_takes_a_few_lines_where_a_row_has_no_room():
    status = replace(
        new_source(SOURCE),
        state="fallback",
        items=13,
        items_per_day=3.46,
        median_delay=timedelta(minutes=4),
        last_success_at=NOW - timedelta(hours=1),
        next_poll_at=NOW + timedelta(minutes=20),
        next_poll_why="it publishes often",
        problems=("https://wire.example/rss: the server answered 404", "cut: 1"),
        spent=Spent(requests=23, received_bytes=2048),
    )
    first, *others = source_lines(status, NOW)
    assert first == Line("wire  working, at another address", marks=((0, 4),))
    assert others == [
        Line("last success 60 min ago, next poll in 20 min: it publishes often", indent=2),
        Line("13 items, 3.46 a day, seen after 4 min; 23 requests, 2 KiB", indent=2),
        Line("https://wire.example/rss: the server answered 404", indent=2),
        Line("cut: 1", indent=2),
    ]
    assert [line.text for line in source_lines(new_source(SOURCE), NOW)] == [
        "wire  not polled yet",
        "last success never",
        "0 items",
    ]


def test_nothing_added_says_so():
    nothing = Extension(path=Path("config.toml"), line=0, sources=(), is_trial=False)
    assert list(extension_lines(nothing)) == []
    assert extension_json(nothing) == {"file": "config.toml", "line": None, "written": False}
    assert list(import_lines(nothing, (), ())) == ["0 sources added, 0 skipped, 0 of no use."]


@pytest.mark.parametrize(
    ("state", "next_poll_at", "said"),
    [
        ("ok", NOW, "wire: due now"),
        ("ok", NOW + timedelta(hours=2), "wire: its host wants to be left alone; due in 2 h"),
        ("gone", None, "wire: said that it is gone (410); it is asked again once its address is changed"),
        ("disabled", None, "wire: is disabled, so it is not polled"),
        ("new", None, "wire: is new, and polled first when the configuration is taken over"),
    ],
)
def test_a_refreshed_source_says_what_becomes_of_it(state, next_poll_at, said):
    status = replace(new_source(SOURCE), state=state, next_poll_at=next_poll_at)
    assert refresh_line(status, NOW) == said


def test_where_an_address_has_moved_to_is_shown():
    address = AddressStatus(
        url=SOURCE.urls[0],
        state="ok",
        adopted="https://new.example/",
        moved_to="https://newer.example/",
        moved_count=2,
        etag='"x"',
    )
    status = replace(new_source(SOURCE), failures=3, last_error="no answer", problems=("cut: 1",))
    shown = Shown(source=SOURCE, status=status, title="", link=None, addresses=[address], items=())
    lines = "\n".join(shown_lines(shown, NOW)).splitlines()
    for line in (
        "wire: Wire",
        "  last error    no answer",
        "  remark        cut: 1",
        '  url = "https://wire.example/rss"',
        "Address https://wire.example/rss",
        "  asked at      https://new.example/, where it has moved for good",
        "  moves to      https://newer.example/, said 2 answers in a row",
        '  ETag          "x"',
    ):
        assert line in lines
    assert any(line.startswith("  state ") and line.endswith("3 times in a row") for line in lines)


# -- subscriptions

HOUR = timedelta(hours=1)
PUSHED = SubscriptionStatus(
    hub="https://hub.example/",
    topic="https://wire.example/rss",
    state=SubscriptionState.ACTIVE,
    asked_at=NOW - 24 * HOUR,
    expires_at=NOW + 96 * HOUR,
    next_ask_at=NOW + 80 * HOUR,
    error=None,
    pushes=12,
    last_push_at=NOW - 3 * HOUR,
    rejected=2,
    last_rejected_at=NOW - 5 * HOUR,
    is_relied_upon=True,
)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "which pushes what is new, relied upon; its lease ends in 4 d"),
        ({"is_relied_upon": False}, "which pushes what is new; its lease ends in 4 d"),
        ({"expires_at": NOW}, "whose lease has ended; asked again in 3 d"),
        ({"state": SubscriptionState.ASKED}, "asked 24 h ago, which has not agreed yet; asked again in 3 d"),
        (
            {"state": SubscriptionState.ASKED, "asked_at": None, "next_ask_at": NOW},
            "not asked yet; asked now",
        ),
        ({"state": SubscriptionState.DENIED}, "which does not want to push; asked again in 3 d"),
        ({"state": SubscriptionState.ENDING}, "which is told that it need not push any more"),
        ({"state": SubscriptionState.ENDED}, "which is told that it need not push any more"),
    ],
)
def test_a_subscription_is_put_in_words(fields, words):
    assert subscription_words(replace(PUSHED, **fields), NOW) == words


def test_what_came_from_a_hub_is_shown():
    status = replace(new_source(SOURCE), subscription=replace(PUSHED, error="no room"))
    shown = Shown(source=SOURCE, status=status, title="", link=None, addresses=(), items=())
    lines = list(shown_lines(shown, NOW))
    assert "  pushes        12, the last 3 h ago" in lines
    assert "  rejected      2 that were not signed as they should be, the last 5 h ago" in lines
    assert "  hub error     no room" in lines
