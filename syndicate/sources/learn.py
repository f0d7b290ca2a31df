"""What an answer teaches of its source: its habit, whether to believe it, what was missed, what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syndicate.model import Claim, Document, Entry, Gap, Habit, KnownItem, Learned, Notice, Spent, Trust
from syndicate.sources.fetch import Answer, Failed
from syndicate.sources.habit import after_gap, learned_from, typical_gap
from syndicate.sources.troubles import (
    judged,
    shown_by_certificate,
    shown_by_document,
    shown_by_failure,
    shown_by_unchanged,
)
from syndicate.sources.trust import after_reading, after_unchanged

MOST_LISTED = 100
NOTHING = Spent()

Found = Sequence[tuple[Entry, KnownItem | None]]  # the entries of a document, None for what is new


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What archives had of what was missed."""

    items: int = 0
    is_closed: bool = False  # they led back to what is known
    spent: Spent = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What is known of a source after a poll."""

    learned: Learned
    trust: Trust
    notices: tuple[Notice, ...] = ()
    gap: Gap | None = None


def of_document(claim: Claim, answer: Answer, document: Document, found: Found, now: datetime) -> Lesson:
    """Return what a document teaches.

    Args:
        found: its entries, and behind them those of archives.
    """
    new = [entry for entry, item in found if item is None]
    gap = find_gap(claim, document, found[: len(document.entries)], now)
    before = claim.learned.habit
    after = claim.last_success_at if before.since else None
    dates = [entry.published or entry.updated for entry in (new if after else document.entries)]
    habit = learned_from(before, dates, len(document.entries), after, now)
    if gap is not None:
        habit = after_gap(habit, now - gap.begins, now)
    shown = {
        **shown_by_document(claim, document, habit, now),
        **shown_by_certificate(answer.certificate, now),
    }
    troubles, notices = judged(claim, shown, now)
    return Lesson(
        learned=replace(claim.learned, habit=habit, hints=document.hints, troubles=troubles),
        trust=after_reading(claim, answer.sent, answer.validators, new, now),
        notices=notices,
        gap=gap,
    )


def of_unchanged(claim: Claim, answer: Answer, now: datetime) -> Lesson:
    """Return what an answer without anything new teaches."""
    shown = {**shown_by_unchanged(claim, now), **shown_by_certificate(answer.certificate, now)}
    troubles, notices = judged(claim, shown, now)
    return Lesson(
        learned=replace(claim.learned, troubles=troubles),
        trust=after_unchanged(claim, answer.status, answer.sent, now),
        notices=notices,
    )


def of_failure(claim: Claim, failed: Failed, now: datetime, *, is_gone: bool) -> Lesson:
    """Return what a failure teaches. Of a source with more addresses to ask, it teaches nothing yet."""
    if not claim.is_last_address:
        return Lesson(learned=claim.learned, trust=claim.trust)
    shown = shown_by_failure(claim, failed.status, failed.error, is_gone=is_gone)
    troubles, notices = judged(claim, shown, now)
    return Lesson(learned=replace(claim.learned, troubles=troubles), trust=claim.trust, notices=notices)


def find_gap(claim: Claim, document: Document, found: Found, now: datetime) -> Gap | None:
    """Return the gap between the document before and this one, None if they have an item in common.

    An item that only the older half of the one before had may be kept on top for ever, and shows nothing. Nor
    does another address, which has other items, or a part of a sitemap. A document of one entry only is to
    have another after each publication.
    """
    new = [entry for entry, item in found if item is None]
    listed = set(claim.learned.listed)
    if not listed or document.parts or claim.last_success_at is None or claim.url != claim.last_success_url:
        return None
    if not new or len(new) < len(found) / 2 or any(item.id in listed for _, item in found if item):
        return None
    begins = min(claim.last_success_at, now)
    if len(found) == claim.learned.habit.depth == 1 and now - begins < _between(claim.learned.habit):
        return None
    dates = [date for entry in new if (date := entry.published or entry.updated) and begins <= date <= now]
    return Gap(begins=begins, ends=min(dates, default=now), found_at=now)


def _between(habit: Habit) -> timedelta:
    return typical_gap(habit) or timedelta(days=1)


def newer_half(found: Found, names: Sequence[int | str], document: Document) -> tuple[int | str, ...] | None:
    """Return by which items to recognise a document; None when it has none, or is part of a sitemap.

    Args:
        names: of the items that were found, in the same order.
    """
    dates = [date for entry, _ in found if (date := entry.published or entry.updated)]
    newest_first = list(names)  # as most documents are
    if len(dates) == len(names):
        order = sorted(range(len(names)), key=lambda place: dates[place], reverse=True)
        newest_first = [names[place] for place in order]
    if not newest_first or document.parts:
        return None
    return tuple(newest_first[: min((len(names) + 1) // 2, MOST_LISTED)])
