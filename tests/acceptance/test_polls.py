"""How sources are asked: conditionally, not before their time, and not where they said not to be."""

from datetime import datetime, timedelta

import pytest

from tests.desk import network, rule, service, source
from tests.outlets import Article, Reply, feed

NEWS = [Article(link="https://outlet.example/1", title="Water in the west", guid="1")]
WATER = {"water": rule("water")}


@pytest.fixture
def watch(desk, outlets):
    """Write a configuration of sources whose ids are their paths."""

    def write(*names, **keys):
        sources = (source(name, f"{outlets.address}/{name}", **keys) for name in names)
        desk.write(service(), network(), *sources, rules=WATER)

    return write


def states(polls):
    return {poll["source"]: poll["state"] for poll in polls}


def test_validators_are_sent_back_byte_for_byte_as_long_as_they_hold(desk, pages, outlets, watch):
    etag, date = 'W/"\xe9t\xe9, ;=\\ \t\xff"', "Tue, 24-Nov-26 2:00:00 (whenever)"
    pages["/outlet"] = feed(NEWS, etag=etag, last_modified=date)
    watch("outlet")
    desk.call("once")
    pages["/outlet"] = Reply(status=304)
    assert [states(desk.json("once", "--all")) for _ in range(2)] == [{"outlet": "unchanged"}] * 2
    first, *later = outlets.at("/outlet")
    assert not {"if-none-match", "if-modified-since"} & first.headers.keys()
    for asked in later:
        assert asked.headers["if-none-match"] == etag
        assert asked.headers["if-modified-since"] == date


def test_the_same_bytes_are_unchanged_also_without_validators(desk, pages, watch):
    pages["/outlet"] = feed(NEWS)
    watch("outlet")
    assert states(desk.json("once")) == {"outlet": "ok"}
    assert states(desk.json("once", "--all")) == {"outlet": "unchanged"}


def test_a_restart_polls_nothing_early(desk, pages, outlets, watch):
    pages["/old"] = pages["/new"] = feed(NEWS)
    watch("old")
    desk.call("once")
    assert "nothing was due" in desk.call("once").out
    watch("old", "new")
    with desk.running():
        outlets.wait_for(lambda _: outlets.at("/new"))
    assert states(desk.json("once")) == {}
    assert [len(outlets.at(path)) for path in ("/old", "/new")] == [1, 1]


def test_who_asks_for_time_gets_it_from_its_whole_host_also_after_a_restart(desk, pages, outlets, watch):
    pages["/busy"] = Reply(status=429, headers={"retry-after": "3600"})
    pages["/neighbour"] = feed(NEWS)
    watch("busy", interval="1s")
    (poll,) = desk.json("once")
    assert (poll["state"], poll["status"]) == ("failed", 429)
    watch("busy", "neighbour", interval="1s")
    assert desk.json("once", "--all") == []
    assert len(outlets.asked) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_it_is_asked_again_when_that_time_is_over(status, desk, pages, outlets, watch):
    pages["/busy"] = Reply(status=status, headers={"retry-after": "2"})
    watch("busy", interval="1s")
    desk.call("once")
    with desk.running():
        outlets.wait_for(lambda asked: len(asked) == 2)
    first, second = outlets.asked
    assert second.at - first.at >= 2


def test_what_is_gone_is_shown_and_not_asked_again_until_it_is_configured_anew(desk, pages, outlets, watch):
    pages["/outlet"] = feed(NEWS)
    watch("outlet", interval="1s")
    desk.call("once")
    pages["/outlet"] = Reply(status=410)
    assert states(desk.json("once", "--all")) == {"outlet": "gone"}
    assert desk.json("once", "--all") == []
    assert len(outlets.asked) == 2
    (shown,) = desk.json("sources")
    assert (shown["state"], shown["next_poll_at"]) == ("gone", None)
    assert "410" in shown["last_error"]
    assert shown["items"] == 1

    pages["/moved"] = feed(NEWS)
    desk.write(service(), network(), source("outlet", f"{outlets.address}/moved"), rules=WATER)
    assert states(desk.json("once")) == {"outlet": "ok"}
    assert len(desk.json("items")) == 1


def test_when_an_address_fails_the_next_one_is_asked_at_once_and_later_the_first_again(desk, pages, outlets):
    addresses = [f"{outlets.address}/{name}" for name in ("first", "second")]
    desk.write(service(), network(), source("outlet", *addresses), rules=WATER)
    pages["/first"], pages["/second"] = Reply(status=500), feed(NEWS)
    polls = desk.json("once")
    assert [(poll["address"], poll["state"]) for poll in polls] == [
        (addresses[0], "failed"),
        (addresses[1], "ok"),
    ]
    (shown,) = desk.json("sources")
    assert (shown["state"], shown["items"]) == ("fallback", 1)
    assert any(addresses[0] in problem and "500" in problem for problem in shown["problems"])

    pages["/first"] = feed(NEWS)
    assert states(desk.json("once", "--all")) == {"outlet": "ok"}
    (shown,) = desk.json("sources")
    assert (shown["state"], shown["items"]) == ("ok", 1)


def test_a_failing_source_is_asked_less_and_less_and_never_given_up(desk, watch):
    watch("missing", interval="1h")
    polls = [poll for _ in range(3) for poll in desk.json("once", "--all")]
    assert [(poll["state"], poll["status"]) for poll in polls] == [("failed", 404)] * 3
    first, second, third = (datetime.fromisoformat(poll["next_poll_at"]) for poll in polls)
    assert second - first > timedelta(minutes=45)  # twice the hour, then four times, with some jitter
    assert third - second > timedelta(minutes=90)
    (shown,) = desk.json("sources")
    assert (shown["failures"], shown["next_poll_at"]) == (3, polls[-1]["next_poll_at"])
