"""What follows from a poll: what it taught, and when to ask again. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from syndicate.model import (
    Claim,
    Due,
    Gap,
    Hints,
    KnownItem,
    Poll,
    PollState,
)
from syndicate.rules.index import RuleIndex
from syndicate.sources import learn, websub
from syndicate.sources.changes import Reading, compare
from syndicate.sources.fetch import Answer, Failed, Gone, NotModified
from syndicate.sources.learn import Filled, Lesson
from syndicate.sources.schedule import (
    asked_by_document,
    asked_by_server,
    learned_wait,
    next_poll,
    safety_wait,
    unskipped,
)

ADOPT_AFTER = 3  # identical, valid answers
UNREACHED_INTERVAL = timedelta(minutes=5)  # to begin with, where there was no answer
HOST_BACKOFF = timedelta(minutes=5)  # when 429 or 503 comes without Retry-After


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a poll ended, how long it took, and the die cast for it."""

    now: datetime
    duration: timedelta
    jitter: float  # 0..1


def decide_reading(
    claim: Claim, reading: Reading, known: Mapping[str, KnownItem], index: RuleIndex, moment: Moment
) -> Poll:
    """Return the poll of a document; `known` is what the store has under `reading.keys()`."""
    compared = compare(claim, reading, known, index, moment.now)
    answer, entries, own = reading.fetched.answer, compared.entries, len(reading.document.entries)
    hints, mistake = discovered(claim, reading)
    document = replace(reading.document, hints=hints)
    lesson = learn.of_document(claim, answer, document, entries, moment.now)
    listed = learn.newer_half(entries[:own], compared.names[:own], reading.document)
    new = [entry for entry, item in entries[:own] if item is None]
    if not lesson.standing.is_in_charge:  # how another address words what is known is no news
        compared = compared.without_edits()
    doubts = websub.doubts_after_poll(claim.pushing, claim.last_success_at, new, moment.now)
    is_other = doubts != claim.pushing.doubts
    if is_other:
        claim = replace(claim, pushing=replace(claim.pushing, doubts=doubts))
    return replace(
        _after_answer(claim, PollState.OK, answer, lesson, moment),
        body_hash=reading.fetched.body_hash,
        document_title=reading.document.title,
        document_link=reading.document.link,
        document_id=reading.document.id,
        format=reading.document.format,
        parts=reading.document.parts,
        problems=(*reading.document.problems, *((mistake,) if mistake else ())),
        changes=compared.changes,
        new_keys=compared.new_keys,
        listed=listed if lesson.standing.is_in_charge else None,
        gap=_filled(lesson.gap, reading.filled),
        **_backing_off(reading.refusal, moment.now),
        articles=compared.articles,
        spent=answer.spent + reading.filled.spent,
        doubts=doubts if is_other else None,
    )


def discovered(claim: Claim, reading: Reading) -> tuple[Hints, str | None]:
    """Return the hints of a document with its hub, if it has one, and what is wrong with that.

    What stands in for a source's first address leaves that one's hub as it is. Of an index, parts are read,
    which nobody pushes.
    """
    fetched, hints, before = reading.fetched, reading.document.hints, claim.learned.hints
    if reading.document.parts:
        return replace(hints, hubs=(), topic=None), None
    found, mistake = websub.discovered(hints, fetched.headers, fetched.url, (claim.address, claim.url))
    if not found.hubs and claim.url != claim.source.urls[0]:
        return replace(found, hubs=before.hubs, topic=before.topic), mistake
    return found, mistake


def _filled(gap: Gap | None, filled: Filled) -> Gap | None:
    return gap and replace(gap, filled=filled.items, is_closed=filled.is_closed)


def decide_unchanged(claim: Claim, outcome: NotModified, moment: Moment) -> Poll:
    """Return the poll of an address that had nothing new."""
    lesson = learn.of_unchanged(claim, outcome.answer, moment.now)
    poll = _after_answer(claim, PollState.UNCHANGED, outcome.answer, lesson, moment)
    return poll if outcome.parts is None else replace(poll, parts=outcome.parts)


def decide_failure(claim: Claim, outcome: Failed | Gone, moment: Moment) -> Poll:
    """Return the poll of an address that had nothing to read; the next address, if any, is due at once.

    A redirect that was adopted is dropped when its target fails: the configured address is asked again.
    """
    # Whoever moved here may be gone while the configured address is not.
    is_gone = isinstance(outcome, Gone) and claim.address == claim.url
    failed = outcome if isinstance(outcome, Failed) else _failed_by(outcome)
    lesson = learn.of_failure(claim, failed, moment.now, is_gone=is_gone)
    due = _due_after_failure(claim, failed, moment)
    return Poll(
        claim=claim,
        ended_at=moment.now,
        duration=moment.duration,
        state=PollState.GONE if is_gone else PollState.FAILED,
        status=failed.status,
        error=failed.error,
        next_poll_at=due.at,
        next_poll_why=due.why,
        spent=failed.spent,
        **_taught(claim, lesson),
        **_backing_off(failed, moment.now),
        held_until=moment.now + failed.asked if failed.asked else None,
        try_next_address=not claim.is_last_address,
        is_in_charge=not claim.is_look,
        stale_until=claim.stale_until,
        validators=claim.validators,
        body_hash=claim.body_hash,
        format=claim.format,
        parts=claim.parts,
        adopted=None,
        bad_answer=failed.bad_answer,
    )


def _backing_off(failed: Failed | None, now: datetime) -> dict[str, Any]:
    """Return the fields of a poll that say which host wants to be left alone, and until when."""
    if failed is None or not failed.backs_off_host:
        return {}
    return {"host_backoff_until": now + (failed.asked or HOST_BACKOFF), "host_backoff_url": failed.url}


def _failed_by(gone: Gone) -> Failed:
    return Failed(
        status=410, error="the server answered 410 (gone)", spent=gone.spent, bad_answer=gone.bad_answer
    )


def _due_after_failure(claim: Claim, failed: Failed, moment: Moment) -> Due:
    if not claim.is_last_address:
        return Due(at=claim.due_at, why="its next address is asked")
    wait = learned_wait(claim.source, claim.learned.habit, moment.now)
    if claim.is_look:  # the one before it works
        due = next_poll(moment.now, wait, 0, (), moment.jitter)
        return unskipped(due, claim.learned.hints, moment.now, moment.jitter)
    if failed.status is None:  # nobody was bothered: it may be our own network that is down
        wait = replace(wait, length=min(wait.length, UNREACHED_INTERVAL))
    asked = list(asked_by_server(failed.asked))
    due = next_poll(moment.now, wait, claim.failures + 1, asked, moment.jitter)
    return unskipped(due, claim.learned.hints, moment.now, moment.jitter)


def _due_after_answer(claim: Claim, answer: Answer, lesson: Lesson, moment: Moment) -> Due:
    if lesson.standing.looks_on:
        return Due(at=claim.due_at, why="it has nothing new for long, so its next address is asked")
    now, learned = moment.now, lesson.learned
    wait = learned_wait(claim.source, learned.habit, now)
    if claim.pushing.is_relied_upon(now):
        wait = safety_wait(claim.source, learned.habit, wait, claim.pushing, now)
    asked = [*asked_by_document(learned.hints, learned.habit, now), *asked_by_server(answer.asked)]
    due = next_poll(now, wait, 0, asked, moment.jitter)
    return unskipped(due, learned.hints, now, moment.jitter)


def _taught(claim: Claim, lesson: Lesson) -> dict[str, Any]:
    """Return the fields of a poll that hold what it taught."""
    return {
        "trust": lesson.trust,
        "learned": None if lesson.learned == claim.learned else lesson.learned,
        "gap": lesson.gap,
        "notices": lesson.notices,
    }


def _after_answer(claim: Claim, state: PollState, answer: Answer, lesson: Lesson, moment: Moment) -> Poll:
    """Return what every valid answer brings; a permanent redirect is adopted after some identical ones."""
    adopted = claim.address if claim.address != claim.url else None
    moved_count = 0
    if answer.moved_to is not None:
        moved_count = claim.moved_count + 1 if answer.moved_to == claim.moved_to else 1
    is_adopting = moved_count >= ADOPT_AFTER
    due = _due_after_answer(claim, answer, lesson, moment)
    return Poll(
        claim=claim,
        ended_at=moment.now,
        duration=moment.duration,
        state=state,
        status=answer.status,
        next_poll_at=due.at,
        next_poll_why=due.why,
        spent=answer.spent,
        **_taught(claim, lesson),
        validators=answer.validators,
        body_hash=claim.body_hash,
        format=claim.format,
        parts=claim.parts,
        length_bytes=answer.length_bytes,
        try_next_address=lesson.standing.looks_on,
        is_in_charge=lesson.standing.is_in_charge,
        has_news=lesson.standing.has_news,
        stale_until=lesson.standing.stale_until,
        moved_to=None if is_adopting else answer.moved_to,
        moved_count=0 if is_adopting else moved_count,
        adopted=answer.moved_to if is_adopting else adopted,
    )
