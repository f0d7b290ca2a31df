"""What follows from what a hub has sent."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import (
    Document,
    Entry,
    Habit,
    Hints,
    KnownItem,
    Learned,
    Part,
    PollState,
    Push,
    Pushing,
    Source,
    Suppressed,
    Validators,
)
from syndicate.rules.index import RuleIndex
from syndicate.sources.changes import Reading
from syndicate.sources.decide import Moment, decide_reading, decide_unchanged
from syndicate.sources.fetch import Answer, Failed, Fetched, NotModified
from syndicate.sources.identity import identify
from syndicate.sources.learn import MOST_LISTED
from syndicate.sources.pushes import decide_push, decide_unreadable_push, read_push
from syndicate.sources.schedule import Wait, learned_wait, safety_wait
from syndicate.sources.websub import DOUBTS
from tests.claims import FIRST_CLAIM
from tests.outlets import Article, rss

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MOMENT = Moment(now=NOW, duration=SECOND, jitter=0)
URL = "https://a.example/rss"
WIRE = Source(id="wire", title="Wire", urls=(URL, "https://b.example/rss"), interval=HOUR)
PUSH = Push(id=1, topic=URL, received_at=NOW - SECOND, content_type="application/rss+xml", body=b"")
RELIED = Pushing(since=NOW - 3 * DAY, until=NOW + 7 * DAY, doubts=0, last_poll_at=NOW - HOUR)
QUIET = Habit(since=NOW - 60 * DAY, depth=20, arrivals=tuple(NOW - number * DAY for number in range(1, 40)))
CLAIM = replace(
    FIRST_CLAIM,
    source=WIRE,
    body_hash="before",
    last_success_at=NOW - HOUR,
    last_success_url=URL,
    has_baseline=True,
    due_at=NOW + MINUTE,
    learned=Learned(habit=QUIET, listed=(7, 8)),
    pushing=RELIED,
    push=PUSH,
)
INDEX = RuleIndex([])
ANSWER = Answer(status=200, validators=Validators(), asked=None, moved_to=None, length_bytes=9)
ENTRY = Entry(guid="g", link="https://a.example/1", title="News", body="", published=NOW - MINUTE)


def reading(*entries, headers=(), hints=Hints(), **fields):  # noqa: B008  frozen
    fetched = Fetched(answer=ANSWER, url=URL, headers=dict(headers), body=b"", body_hash="now")
    return Reading.of(fetched, Document(format="rss20", entries=entries, hints=hints, **fields))


def known(entry, number=5, **fields):
    (identified,) = identify([entry])
    item = KnownItem(id=number, content_hash=identified.content_hash, revision=1, **fields)
    return dict.fromkeys(identified.keys, item)


def pushed(*entries, claim=CLAIM, items=()):
    return decide_push(claim, reading(*entries), dict(items), INDEX, MOMENT)


# -- reading


def read(body, claim=CLAIM, content_type="application/rss+xml"):
    return asyncio.run(read_push(claim, replace(PUSH, body=body, content_type=content_type)))


def test_what_is_sent_is_read_as_what_is_asked_for():
    _, document = read(rss([Article(link="https://a.example/1", title="News")]))
    assert [entry.title for entry in document.entries] == ["News"]


def test_what_cannot_be_read_says_why():
    assert "an empty body" in read(b"").error
    assert "JSON" in read(b"{", content_type="application/json").error
    index = b"<sitemapindex><sitemap><loc>https://a.example/s.xml</loc></sitemap></sitemapindex>"
    assert read(index).error == "an index of sitemaps"
    links = "".join(f'<p><a href="/news/{n}">A long headline number {n} of the day</a></p>' for n in range(9))
    page = f"<html><body>{links}</body></html>".encode()
    assert (
        "where a document of the format rss20 was before" in read(page, replace(CLAIM, format="rss20")).error
    )


# -- what follows


def test_a_push_of_one_entry_is_no_gap_and_tells_nothing_of_the_address():
    poll = pushed(ENTRY)
    assert poll.state is PollState.PUSHED
    assert [change.item for change in poll.changes] == [None]
    assert (poll.gap, poll.status, poll.adopted, poll.notices, poll.spent.requests) == (
        None,
        None,
        None,
        (),
        0,
    )
    assert poll.listed == ("guid:g", 7, 8)
    assert poll.learned.habit.arrivals[0] == NOW
    assert poll.learned.habit.depth == 20
    assert poll.learned.habit.delays[0] == MINUTE


def test_what_is_known_changes_nothing():
    poll = pushed(ENTRY, items=known(ENTRY))
    assert (poll.changes, poll.learned, poll.listed, poll.doubts) == ((), None, None, 0)


def test_an_edit_is_taken_unless_a_poll_was_later():
    items = known(replace(ENTRY, title="Old"), guid="g", title="Old")
    assert [change.item for change in pushed(ENTRY, items=items).changes] == [5]
    late = replace(CLAIM, last_success_at=NOW)
    outrun = pushed(ENTRY, items=items, claim=late)
    assert outrun.changes == ()
    # The poll may have been answered before the edit, so the source is asked once more.
    assert (outrun.next_poll_at, outrun.next_poll_why) == (NOW, "what its hub has sent may be newer")
    assert pushed(ENTRY, items=known(ENTRY), claim=late).next_poll_why != outrun.next_poll_why
    assert [change.item for change in pushed(ENTRY, claim=late).changes] == [None]


def suppressed(claim):
    from syndicate.sources.changes import suppression

    return suppression(replace(claim, last_success_url=claim.url), replace(ENTRY, published=None), NOW)


def test_what_is_pushed_is_news_but_before_the_baseline():
    assert suppressed(replace(CLAIM, last_success_url="https://b.example/rss")) is None
    assert suppressed(replace(CLAIM, has_baseline=False)) is Suppressed.BASELINE


def test_the_items_by_which_a_document_is_recognised_are_bounded():
    entries = [replace(ENTRY, guid=f"{n}", link=f"https://a.example/{n}") for n in range(MOST_LISTED + 20)]
    assert len(pushed(*entries).listed) == MOST_LISTED
    assert pushed(ENTRY, claim=replace(CLAIM, learned=Learned())).listed is None


# -- when the source itself is asked


def test_a_push_puts_the_next_poll_off_but_not_for_ever():
    poll = pushed(ENTRY)
    assert poll.next_poll_at == NOW + 3 * HOUR  # four hours after the last one
    assert poll.next_poll_why == "pushes arrive: polled only to be safe"
    long_ago = replace(CLAIM, pushing=replace(RELIED, last_poll_at=NOW - 5 * HOUR))
    assert pushed(ENTRY, claim=long_ago).next_poll_at == CLAIM.due_at


@pytest.mark.parametrize(
    "claim",
    [
        replace(CLAIM, failures=1),
        replace(CLAIM, pushing=Pushing()),
        replace(CLAIM, pushing=replace(RELIED, doubts=2)),
        replace(CLAIM, pushing=replace(RELIED, until=NOW)),
        replace(CLAIM, due_at=NOW + 9 * HOUR),
    ],
)
def test_otherwise_it_stays_as_it_was(claim):
    poll = pushed(ENTRY, claim=claim)
    assert (poll.next_poll_at, poll.next_poll_why) == (claim.due_at, "")


def test_news_ends_doubts_one_by_one():
    claim = replace(CLAIM, pushing=replace(RELIED, doubts=DOUBTS))
    counted = []
    for _ in range(DOUBTS):
        poll = pushed(ENTRY, claim=claim)
        counted.append(poll.doubts)
        claim = replace(claim, pushing=replace(claim.pushing, doubts=poll.doubts))
    assert counted == [2, 1, 0]
    assert poll.next_poll_why.startswith("pushes arrive")


def test_the_source_is_asked_now_when_a_push_cannot_be_read():
    poll = decide_unreadable_push(CLAIM, "an empty body", MOMENT)
    assert (poll.state, poll.next_poll_at, poll.changes) == (PollState.UNREADABLE_PUSH, NOW, ())
    assert poll.error == "what its hub has sent is an empty body"


POLLED = replace(CLAIM, push=None, due_at=NOW)


def test_polling_slows_down_while_pushes_arrive_and_only_then():
    slow = decide_unchanged(POLLED, NotModified(answer=ANSWER), MOMENT)
    assert (slow.next_poll_at, slow.next_poll_why) == (
        NOW + 4 * HOUR,
        "pushes arrive: polled only to be safe",
    )
    for pushing in (Pushing(), replace(RELIED, doubts=1), replace(RELIED, until=NOW)):
        usual = decide_unchanged(replace(POLLED, pushing=pushing), NotModified(answer=ANSWER), MOMENT)
        assert usual.next_poll_at == NOW + HOUR


def test_polling_is_as_usual_again_once_it_finds_what_was_not_pushed():
    missed = replace(ENTRY, published=NOW - 30 * MINUTE)
    claim = replace(POLLED, learned=Learned(habit=QUIET))
    poll = decide_reading(claim, reading(missed), {}, INDEX, MOMENT)
    assert poll.doubts == DOUBTS
    assert poll.next_poll_at == NOW + HOUR
    about_to_come = decide_reading(claim, reading(ENTRY), {}, INDEX, MOMENT)
    assert about_to_come.doubts is None
    assert about_to_come.next_poll_at == NOW + 4 * HOUR


def test_what_was_pushed_joins_a_document_to_the_one_before():
    entries = [replace(ENTRY, guid=f"{n}", link=f"https://a.example/{n}") for n in range(4)]
    items = known(entries[3], 99)
    gap = decide_reading(POLLED, reading(*entries), items, INDEX, MOMENT).gap
    assert gap is not None
    after_push = replace(POLLED, learned=replace(POLLED.learned, listed=(99, 7, 8)))
    assert decide_reading(after_push, reading(*entries), items, INDEX, MOMENT).gap is None


@given(
    interval=st.timedeltas(SECOND, timedelta(days=30)),
    gap=st.timedeltas(MINUTE, 3 * DAY),
    depth=st.integers(1, 100),
    left=st.timedeltas(SECOND, 10 * DAY),
    adaptive=st.booleans(),
)
def test_the_net_is_never_closer_than_usual_nor_wider_than_a_day(interval, gap, depth, left, adaptive):
    source = replace(WIRE, interval=interval, adaptive=adaptive)
    arrivals = tuple(NOW - number * gap for number in range(1, 60))
    habit = Habit(since=NOW - 60 * DAY, depth=depth, arrivals=arrivals)
    usual = learned_wait(source, habit, NOW)
    wait = safety_wait(source, habit, usual, replace(RELIED, until=NOW + left), NOW)
    assert usual.length <= wait.length <= max(usual.length, min(interval * 4, DAY), interval)
    assert wait.length <= max(usual.length, left)
    # A whole document is never pushed out between the hub's falling silent and the next poll.
    assert wait == usual or wait.length <= max(depth * gap / 2, 5 * MINUTE)


def test_no_lease_no_net():
    usual = Wait(length=HOUR, why="ours")
    assert safety_wait(WIRE, QUIET, usual, Pushing(), NOW) == usual


# -- which hub


def hints_of(claim, **fields):
    poll = decide_reading(claim, reading(ENTRY, **fields), {}, INDEX, MOMENT)
    learned = poll.learned or claim.learned
    return learned.hints, poll.problems


LINK = {"link": '<https://hub.example/>; rel="hub"'}
NAMED = Hints(hubs=("https://hub.example/",), topic=URL)


def test_the_hub_that_headers_name_is_learned():
    assert hints_of(POLLED, headers=LINK) == (NAMED, ())
    with_hub = replace(POLLED, learned=replace(POLLED.learned, hints=NAMED))
    assert hints_of(with_hub)[0] == Hints()


def test_an_index_of_sitemaps_has_none():
    assert hints_of(POLLED, headers=LINK, parts=(Part(url="https://a.example/s.xml"),))[0].hubs == ()


def test_a_topic_of_another_site_is_told_and_not_taken():
    hints, problems = hints_of(POLLED, headers=LINK, hints=Hints(topic="https://else.example/"))
    assert hints.hubs == ()
    assert problems == (
        "its hub is not asked to push: it would push https://else.example/, which is of another site",
    )


def test_what_stands_in_leaves_the_first_address_its_hub():
    claim = replace(POLLED, url=WIRE.urls[1], learned=replace(POLLED.learned, hints=NAMED))
    assert hints_of(claim)[0] == NAMED


def test_a_defect_while_a_push_is_read_is_a_failure_like_any_other():
    assert isinstance(read(b"\x1f\x8b broken"), Failed)
