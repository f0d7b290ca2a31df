"""What is the matter with a source: told once when it begins, once when it is over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syndicate.model import (
    Certificate,
    Document,
    Entry,
    Habit,
    Learned,
    Notice,
    Part,
    Trouble,
    TroubleKind,
)
from syndicate.sources.troubles import (
    judged,
    shown_by_certificate,
    shown_by_document,
    shown_by_failure,
    shown_by_unchanged,
)
from tests.claims import FIRST_CLAIM

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
URL = "https://a.example/rss"
DAILY = Habit(since=NOW - 60 * DAY, depth=20, arrivals=tuple(NOW - day * DAY for day in range(20)))
CLAIM = replace(
    FIRST_CLAIM,
    body_hash="before",
    last_success_at=NOW - HOUR,
    last_success_url=URL,
    has_baseline=True,
    due_at=NOW,
    is_only_address=True,
    learned=Learned(habit=DAILY),
    format="rss20",
)
ENTRY = Entry(guid="g", link=None, title="One", body="")
FULL = Document(format="rss20", entries=(ENTRY,))
SILENT, EMPTY, UNREADABLE, FORMAT, FAILING, GONE, CERTIFICATE = TroubleKind


def document(shown=FULL, claim=CLAIM, now=NOW):
    return shown_by_document(claim, shown, claim.learned.habit, now)


def texts(shown):
    return {kind: text for kind, text in shown.items() if text}


class Story:
    """A source over time, and what was told of it."""

    def __init__(self, **fields):
        self.claim, self.now = replace(CLAIM, **fields), NOW
        self.told = []

    def then(self, shown, *, after=HOUR):
        self.now += after
        troubles, notices = judged(self.claim, shown, self.now)
        self.claim = replace(self.claim, learned=replace(self.claim.learned, troubles=troubles))
        self.told += [(notice.kind, notice.is_over) for notice in notices]
        return notices

    @property
    def kinds(self):
        return [trouble.kind for trouble in self.claim.learned.troubles if trouble.is_told]


# -- what polls show


def test_a_good_document_shows_that_nothing_is_wrong():
    shown = document()
    assert texts(shown) == {}
    assert set(shown) == {*TroubleKind} - {CERTIFICATE}


def test_a_document_without_entries_is_empty_if_there_were_some():
    empty = replace(FULL, entries=())
    assert texts(document(empty)) == {EMPTY: "its document has no entries any more"}
    assert texts(document(empty, replace(CLAIM, learned=Learned()))) == {}
    assert texts(document(replace(empty, parts=(Part(url=URL),)))) == {}


def test_another_format_is_told_for_a_day():
    atom = replace(FULL, format="atom10")
    shown = document(atom)
    assert texts(shown) == {FORMAT: "its document is atom10 now, and was rss20"}
    assert texts(document(replace(FULL, format="rss20"), replace(CLAIM, format=""))) == {}
    since = replace(
        CLAIM, format="atom10", learned=replace(CLAIM.learned, troubles=judged(CLAIM, shown, NOW)[0])
    )
    for later in (NOW + HOUR, NOW + 23 * HOUR):
        assert FORMAT in texts(document(atom, since, later))
        assert FORMAT in texts(shown_by_unchanged(since, later))
    assert FORMAT not in texts(document(atom, since, NOW + DAY))


def test_a_silence_is_twice_as_long_as_is_usual():
    assert texts(document(now=NOW + 2 * DAY)) == {}
    late = NOW + 2 * DAY + MINUTE
    expected = {SILENT: "it has published nothing for 2 days, much longer than is its habit"}
    assert texts(document(now=late)) == texts(shown_by_unchanged(CLAIM, late)) == expected


def test_a_failure_shows_what_it_is():
    assert shown_by_failure(CLAIM, 500, "the server answered 500", is_gone=False) == {
        FAILING: "the server answered 500"
    }
    assert shown_by_failure(CLAIM, None, "no answer", is_gone=False) == {FAILING: "no answer"}
    assert shown_by_failure(CLAIM, 200, "an HTML page, not a feed", is_gone=False) == {
        FAILING: None,
        UNREADABLE: "it answers with an HTML page, not a feed",
    }
    assert shown_by_failure(CLAIM, 410, "gone", is_gone=True) == {GONE: "gone"}
    many = replace(CLAIM, is_only_address=False)
    assert shown_by_failure(many, 410, "gone", is_gone=True) == {FAILING: "gone"}


@pytest.mark.parametrize(
    ("lifetime", "left", "is_shown"),
    [
        (90 * DAY, 15 * DAY, False),
        (90 * DAY, 13 * DAY, True),
        (90 * DAY, -DAY, True),
        (6 * DAY, 3 * DAY, False),  # a short-lived one
        (6 * DAY, DAY, True),
    ],
)
def test_a_certificate_is_to_be_renewed_in_time(lifetime, left, is_shown):
    ends = NOW + left
    certificate = Certificate(host="a.example", begins=ends - lifetime, ends=ends)
    shown = texts(shown_by_certificate(certificate, NOW))
    expected = f"the certificate of a.example expires on {ends:%Y-%m-%d %H:%M} UTC"
    assert shown == ({CERTIFICATE: expected} if is_shown else {})


def test_where_there_is_no_certificate_nothing_is_said():
    assert shown_by_certificate(None, NOW) == {}


# -- what is told


def test_a_silence_is_told_once_and_its_end_once():
    story = Story()
    late = 3 * DAY
    (notice,) = story.then(shown_by_unchanged(CLAIM, NOW + late), after=late)
    assert notice == Notice(
        kind=SILENT,
        since=NOW + late,
        text="it has published nothing for 3 days, much longer than is its habit",
    )
    for _ in range(3):
        assert story.then(shown_by_unchanged(CLAIM, story.now)) == ()
    assert story.kinds == [SILENT]
    (over,) = story.then(document())
    assert over == Notice(kind=SILENT, since=notice.since, text="it publishes again", is_over=True)
    assert story.then(document()) == ()
    assert story.claim.learned.troubles == ()


@pytest.mark.parametrize(
    "shown", [document(replace(FULL, entries=())), shown_by_failure(CLAIM, 200, "text", is_gone=False)]
)
def test_a_hiccup_is_not_told_and_neither_is_its_end(shown):
    story = Story()
    story.then(shown)
    story.then(document())
    assert story.told == []
    story.then(shown)
    story.then(shown)
    story.then(shown)
    story.then(document())
    assert [is_over for _, is_over in story.told] == [False, True]


def failing(status=500):
    return shown_by_failure(CLAIM, status, "the server answered 500", is_gone=False)


def test_a_failing_source_is_told_after_some_polls_and_hours():
    story = Story(others_answered_at=NOW + 10 * DAY)
    for _ in range(5):
        story.then(failing())
    assert story.told == []
    story.then(failing(), after=2 * HOUR)
    assert story.told == [(FAILING, False)]
    story.then(document())
    assert story.told[1:] == [(FAILING, True)]


def test_two_failures_however_far_apart_are_not_told():
    story = Story(others_answered_at=NOW + 10 * DAY)
    story.then(failing())
    story.then(failing(), after=DAY)
    assert story.told == []


def test_where_nobody_answers_it_may_be_our_own_network():
    story = Story(others_answered_at=NOW)
    for _ in range(24):
        story.then(failing(None))
    assert story.told == []
    story.then(failing(None))
    assert story.told == [(FAILING, False)]


def test_what_a_poll_says_nothing_of_stays():
    story = Story()
    story.then(shown_by_unchanged(CLAIM, NOW + 9 * DAY))
    story.then(failing())
    assert story.kinds == [SILENT]
    story.then({})
    assert story.kinds == [SILENT]


def test_an_unchanged_document_that_is_empty_is_still_empty():
    story = Story()
    story.then(document(replace(FULL, entries=())))
    assert story.kinds == []
    story.then(shown_by_unchanged(story.claim, NOW))
    story.then(shown_by_unchanged(story.claim, NOW))
    assert (story.kinds, story.told) == ([EMPTY], [(EMPTY, False)])


def test_several_troubles_are_told_apart():
    story = Story()
    story.then({GONE: "gone", CERTIFICATE: "old"})
    story.then({GONE: None})
    assert story.told == [(GONE, False), (CERTIFICATE, False), (GONE, True)]
    assert story.kinds == [CERTIFICATE]


def test_a_trouble_keeps_its_first_words_once_it_is_told():
    troubles, _ = judged(CLAIM, {SILENT: "for 3 days"}, NOW)
    claim = replace(CLAIM, learned=replace(CLAIM.learned, troubles=troubles))
    again, _ = judged(claim, {SILENT: "for 4 days"}, NOW + DAY)
    assert again == troubles == (Trouble(kind=SILENT, since=NOW, text="for 3 days", is_told=True),)
