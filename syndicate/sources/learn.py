"""What an answer teaches of its source: its habit, whether to believe it, what was missed, what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syndicate.model import (
    Claim,
    Document,
    Entry,
    Gap,
    Habit,
    Learned,
    Notice,
    Spent,
    Trouble,
    TroubleKind,
    Trust,
)
from syndicate.sources.fetch import Answer, Failed
from syndicate.sources.habit import after_gap, learned_from, typical_gap
from syndicate.sources.takeover import (
    IN_CHARGE,
    LOOKED_AT,
    Found,
    Standing,
    known_until,
    newer,
    standing_of,
)
from syndicate.sources.troubles import (
    Shown,
    judged,
    shown_by_certificate,
    shown_by_document,
    shown_by_failure,
    shown_by_silence,
    shown_by_unchanged,
)
from syndicate.sources.trust import after_reading, after_unchanged

MOST_LISTED = 100
NOTHING = Spent()


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
    standing: Standing = IN_CHARGE


def of_document(claim: Claim, answer: Answer, document: Document, found: Found, now: datetime) -> Lesson:
    """Return what a document teaches; of how the source is, only where the source goes by its address.

    Args:
        found: its entries, and behind them those of archives.
    """
    new = [entry for entry, item in found if item is None]
    trust = after_reading(claim, answer.sent, answer.validators, new, now)
    stands = standing_of(claim, found[: len(document.entries)], now)
    if not stands.is_in_charge:
        return _looked_at(claim, trust, stands, now)
    gap = find_gap(claim, document, found[: len(document.entries)], now)
    habit = _habit(claim, document, new, now)
    if gap is not None:
        habit = after_gap(habit, now - gap.begins, now)
    shown = {
        **shown_by_document(claim, document, habit, now),
        **shown_by_certificate(answer.certificate, now),
    }
    troubles, notices = judged(claim, _unless_looking_on(shown, stands), now)
    return Lesson(
        learned=replace(claim.learned, habit=habit, hints=document.hints, troubles=troubles),
        trust=trust,
        standing=stands,
        notices=notices,
        gap=gap,
    )


def _habit(claim: Claim, document: Document, new: Sequence[Entry], now: datetime) -> Habit:
    """Return the habit of a source, a document further; what another address reaches back to is no news."""
    before = claim.learned.habit
    if not before.since or claim.last_success_at is None:
        dates = [entry.published or entry.updated for entry in document.entries]
        return learned_from(before, dates, len(document.entries), None, now)
    after = claim.last_success_at
    if claim.url != claim.last_success_url:
        after = known_until(claim, now) or after
        new = newer(claim, new, now)
    dates = [entry.published or entry.updated for entry in new]
    return learned_from(before, dates, len(document.entries), after, now)


def of_unchanged(claim: Claim, answer: Answer, now: datetime) -> Lesson:
    """Return what an answer without anything new teaches."""
    trust = after_unchanged(claim, answer.status, answer.sent, now)
    stands = standing_of(claim, (), now)
    if not stands.is_in_charge:
        return _looked_at(claim, trust, stands, now)
    shown = {**shown_by_unchanged(claim, now), **shown_by_certificate(answer.certificate, now)}
    troubles, notices = judged(claim, _unless_looking_on(shown, stands), now)
    return Lesson(learned=_with(claim.learned, troubles), trust=trust, standing=stands, notices=notices)


def _with(learned: Learned, troubles: tuple[Trouble, ...]) -> Learned:
    return learned if troubles == learned.troubles else replace(learned, troubles=troubles)


def _looked_at(claim: Claim, trust: Trust, stands: Standing, now: datetime) -> Lesson:
    """Return what is learned by an address that the source does not go by: whether all of them are silent."""
    troubles, notices = judged(claim, _unless_looking_on(shown_by_silence(claim, now), stands), now)
    return Lesson(learned=_with(claim.learned, troubles), trust=trust, standing=stands, notices=notices)


def _unless_looking_on(shown: Shown, stands: Standing) -> Shown:
    """Leave out that a source is silent as long as another of its addresses may not be."""
    if not stands.looks_on:
        return shown
    return {kind: text for kind, text in shown.items() if kind is not TroubleKind.SILENT}


def of_failure(claim: Claim, failed: Failed, now: datetime, *, is_gone: bool) -> Lesson:
    """Return what a failure teaches. Of a source with more addresses to ask, it teaches nothing yet."""
    if not claim.is_last_address:
        return Lesson(learned=claim.learned, trust=claim.trust)
    if claim.is_look:
        return _looked_at(claim, claim.trust, LOOKED_AT, now)
    shown = shown_by_failure(claim, failed.status, failed.error, is_gone=is_gone)
    troubles, notices = judged(claim, shown, now)
    return Lesson(learned=_with(claim.learned, troubles), trust=claim.trust, notices=notices)


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
