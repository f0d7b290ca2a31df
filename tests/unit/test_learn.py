"""What an answer teaches about its source."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syndicate.model import (
    Document,
    Entry,
    Gap,
    Habit,
    Hints,
    KnownItem,
    Learned,
    Part,
    Trust,
    Validators,
)
from syndicate.sources import learn
from syndicate.sources.fetch import Answer, Failed
from tests.claims import FIRST_CLAIM

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
URL = "https://a.example/rss"
HABIT = Habit(since=NOW - 30 * DAY, depth=4, arrivals=tuple(NOW - n * 2 * HOUR for n in range(1, 9)))
CLAIM = replace(
    FIRST_CLAIM,
    validators=Validators(etag=b'"1"'),
    body_hash="before",
    last_success_at=NOW - HOUR,
    last_success_url=URL,
    has_baseline=True,
    due_at=NOW,
    learned=Learned(habit=HABIT, listed=(10, 9, 8)),
    trust=Trust(unchanged_since=NOW - MINUTE),
)
ANSWER = Answer(
    status=200, validators=Validators(), asked=None, moved_to=None, length_bytes=9, sent=CLAIM.validators
)
DOCUMENT = Document(format="rss20", hints=Hints(ttl_seconds=60))


def new(name="n", published=None):
    return Entry(guid=name, link=None, title="New", body="", published=published), None


def old(number):
    item = KnownItem(id=number, content_hash="h", revision=1)
    return Entry(guid=str(number), link=None, title="Old", body=""), item


def taught(*found, claim=CLAIM, document=DOCUMENT):
    whole = replace(document, entries=tuple(entry for entry, _ in found))
    return learn.of_document(claim, ANSWER, whole, found, NOW)


def test_a_document_teaches_habit_hints_and_trust():
    lesson = taught(new(published=NOW - MINUTE), old(10))
    assert lesson.learned.habit.arrivals == (NOW - MINUTE, *HABIT.arrivals)
    assert (lesson.learned.habit.depth, lesson.learned.habit.delays) == (2, (MINUTE,))
    assert lesson.learned.hints == Hints(ttl_seconds=60)
    assert lesson.trust == Trust()
    assert (lesson.gap, lesson.notices) == (None, ())


def test_a_first_document_teaches_by_all_its_dates():
    first = replace(CLAIM, last_success_at=None, last_success_url=None, learned=Learned())
    entries = new("a", NOW - HOUR), new("b", NOW - DAY), new("c")
    habit = taught(*entries, claim=first).learned.habit
    assert (habit.arrivals, habit.since, habit.delays) == ((NOW - HOUR, NOW - DAY), NOW, ())


def test_where_nothing_was_learned_yet_a_later_document_teaches_as_a_first_one():
    known = Entry(guid="1", link=None, title="Old", body="", published=NOW - DAY)
    found = (known, KnownItem(id=1, content_hash="h", revision=1))
    assert taught(found, claim=replace(CLAIM, learned=Learned())).learned.habit.arrivals == (NOW - DAY,)


def test_an_unchanged_document_teaches_nothing_but_time():
    lesson = learn.of_unchanged(CLAIM, replace(ANSWER, status=304), NOW)
    assert (lesson.learned, lesson.trust) == (CLAIM.learned, CLAIM.trust)


def test_a_failure_with_another_address_to_ask_teaches_nothing():
    failed = Failed(status=500, error="x")
    lesson = learn.of_failure(replace(CLAIM, is_last_address=False), failed, NOW, is_gone=False)
    assert lesson == learn.Lesson(learned=CLAIM.learned, trust=CLAIM.trust)
    assert learn.of_failure(CLAIM, failed, NOW, is_gone=False).learned.troubles


# -- by what a document is recognised


def test_a_document_is_recognised_by_its_newer_half():
    undated = [new("a"), new("b"), old(3)]
    assert learn.newer_half(undated, ["a", "b", 3], DOCUMENT) == ("a", "b")
    oldest_first = [new("a", NOW - DAY), new("b", NOW - HOUR), new("c", NOW), new("d", NOW - 2 * DAY)]
    assert learn.newer_half(oldest_first, ["a", "b", "c", "d"], DOCUMENT) == ("c", "b")
    many = [new(str(number)) for number in range(500)]
    assert len(learn.newer_half(many, list(range(500)), DOCUMENT) or ()) == 100


def test_a_document_without_entries_or_in_parts_is_not_recognised():
    assert learn.newer_half([], [], DOCUMENT) is None
    assert learn.newer_half([new()], ["n"], replace(DOCUMENT, parts=(Part(url=URL),))) is None


# -- gaps


@pytest.mark.parametrize(
    "found",
    [
        [new("a"), new("b"), old(10)],
        [new("a"), new("b"), old(8)],
        [new("a"), old(10), old(9), old(3)],
        [old(3), old(2), old(1)],  # nothing is new
        [new("a"), old(3), old(2), old(1)],  # little is
        [],
    ],
)
def test_there_is_no_gap_where_something_stands_in_both(found):
    assert taught(*found).gap is None


@pytest.mark.parametrize("found", [[new("a")], [new("a"), new("b"), old(3)], [new("a"), old(3)]])
def test_nothing_in_common_but_what_is_kept_on_top_is_a_gap(found):
    lesson = taught(*found)
    assert lesson.gap == Gap(begins=NOW - HOUR, ends=NOW, found_at=NOW)
    assert (lesson.learned.habit.hurry, lesson.learned.habit.hurry_until) == (15 * MINUTE, NOW + 7 * DAY)


def test_a_gap_ends_where_the_later_document_begins():
    dates = NOW - 10 * MINUTE, NOW - 30 * MINUTE, NOW - DAY, NOW + DAY
    gap = taught(*(new(str(date), date) for date in dates)).gap
    assert gap is not None
    assert gap.ends == NOW - 30 * MINUTE


@pytest.mark.parametrize(
    "claim",
    [
        replace(CLAIM, learned=replace(CLAIM.learned, listed=())),
        replace(CLAIM, last_success_url="https://b.example/rss"),
        replace(CLAIM, last_success_at=None),
    ],
)
def test_what_cannot_be_compared_is_no_gap(claim):
    assert taught(new(), claim=claim).gap is None


@pytest.mark.parametrize(
    ("habit", "is_gap"),
    [
        (replace(HABIT, depth=1), False),  # every two hours, polled after one
        (Habit(since=NOW - DAY, depth=1), False),
        (replace(HABIT, depth=1, arrivals=tuple(NOW - n * 30 * MINUTE for n in range(1, 9))), True),
        (replace(HABIT, depth=2), True),
    ],
)
def test_a_document_of_one_entry_has_another_each_time(habit, is_gap):
    claim = replace(CLAIM, learned=Learned(habit=habit, listed=(10,)))
    assert (taught(new(), claim=claim).gap is not None) is is_gap


def test_a_part_of_a_sitemap_is_no_gap():
    assert taught(new(), document=replace(DOCUMENT, parts=(Part(url=URL),))).gap is None
