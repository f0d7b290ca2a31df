"""What is the matter with a source, and when to tell: once when it begins, once when it is over. Pure.

What a poll shows is a mapping from kinds of trouble to words, or to None for those that are not there. A kind
that it says nothing of stays as it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from syndicate.model import Certificate, Claim, Document, Habit, Notice, Trouble, TroubleKind
from syndicate.sources.habit import silence, silent_after
from syndicate.sources.schedule import spelled

FAILING_POLLS = 3
FAILING_FOR = timedelta(hours=6)
UNREACHED_FOR = timedelta(hours=24)  # where nobody else answers either: it may be our own network
FORMAT_IS_NEW_FOR = timedelta(days=1)  # then it is what is expected
CERTIFICATE_ENDS_WITHIN = timedelta(days=14)
CERTIFICATE_SHARE = 3  # of a short-lived one, a third is left when it should have been renewed

# How many polls in a row have to show it before it is told; one where the kind has a time of its own.
_POLLS = {TroubleKind.EMPTY: 2, TroubleKind.UNREADABLE: 2, TroubleKind.FAILING: FAILING_POLLS}
_OVER = {
    TroubleKind.SILENT: "publishes again",
    TroubleKind.EMPTY: "has entries again",
    TroubleKind.UNREADABLE: "can be read again",
    TroubleKind.FORMAT: "is read in its new format, or its old one again",
    TroubleKind.FAILING: "answers again",
    TroubleKind.GONE: "is there again",
    TroubleKind.CERTIFICATE: "has a new certificate",
}

Shown = Mapping[TroubleKind, str | None]


# --------------------------------------------------------------------------- what polls show


def shown_by_document(claim: Claim, document: Document, habit: Habit, now: datetime) -> Shown:
    """Return what a document shows.

    Args:
        habit: with what is new in it.
    """
    is_empty = not document.entries and not document.parts and claim.learned.habit.depth > 0
    return {
        TroubleKind.GONE: None,
        TroubleKind.FAILING: None,
        TroubleKind.UNREADABLE: None,
        TroubleKind.EMPTY: "its document has no entries any more" if is_empty else None,
        TroubleKind.FORMAT: _format(claim, document.format, now),
        TroubleKind.SILENT: _silent(habit, now),
    }


def shown_by_unchanged(claim: Claim, now: datetime) -> Shown:
    """Return what an answer without anything new shows."""
    empty = _known(claim.learned.troubles, TroubleKind.EMPTY)
    return {
        TroubleKind.EMPTY: empty.text if empty else None,
        TroubleKind.GONE: None,
        TroubleKind.FAILING: None,
        TroubleKind.UNREADABLE: None,
        TroubleKind.FORMAT: _format(claim, claim.format, now),
        TroubleKind.SILENT: _silent(claim.learned.habit, now),
    }


def shown_by_failure(claim: Claim, status: int | None, error: str, *, is_gone: bool) -> Shown:
    """Return what a failure shows, of the last address of a source."""
    if is_gone and claim.is_only_address:
        return {TroubleKind.GONE: error}
    if status is not None and 200 <= status < 300:
        return {TroubleKind.FAILING: None, TroubleKind.UNREADABLE: f"it answers with {error}"}
    return {TroubleKind.FAILING: error}


def shown_by_silence(claim: Claim, now: datetime) -> Shown:
    """Return what is shown by that an address has nothing newer than all that is known."""
    return {TroubleKind.SILENT: _silent(claim.learned.habit, now)}


def shown_by_certificate(certificate: Certificate | None, now: datetime) -> Shown:
    """Return what the certificate of a server shows; nothing where none was seen."""
    if certificate is None:
        return {}
    left = certificate.ends - now
    most = min(CERTIFICATE_ENDS_WITHIN, (certificate.ends - certificate.begins) / CERTIFICATE_SHARE)
    text = f"the certificate of {certificate.host} expires on {certificate.ends:%Y-%m-%d %H:%M} UTC"
    return {TroubleKind.CERTIFICATE: text if left < most else None}


def _silent(habit: Habit, now: datetime) -> str | None:
    usual, quiet = silent_after(habit, now), silence(habit, now)
    if usual is None or quiet <= usual:
        return None
    return f"it has published nothing for {spelled(quiet)}, much longer than is its habit"


def _format(claim: Claim, present: str, now: datetime) -> str | None:
    if claim.format and present != claim.format:
        return f"its document is {present} now, and was {claim.format}"
    known = _known(claim.learned.troubles, TroubleKind.FORMAT)
    return known.text if known and now - known.since < FORMAT_IS_NEW_FOR else None


# --------------------------------------------------------------------------- what follows


def judged(claim: Claim, shown: Shown, now: datetime) -> tuple[tuple[Trouble, ...], tuple[Notice, ...]]:
    """Return the troubles of a source after a poll, and what there is to tell."""
    if not claim.learned.troubles and set(shown.values()) <= {None}:
        return (), ()
    after: list[Trouble] = []
    notices: list[Notice] = []
    for kind in TroubleKind:
        before = _known(claim.learned.troubles, kind)
        text = shown.get(kind)
        if text is not None:
            trouble = _seen_again(before, text) if before else Trouble(kind=kind, since=now, text=text)
            is_to_tell = not trouble.is_told and _is_sure(trouble, claim, now)
            after.append(replace(trouble, is_told=trouble.is_told or is_to_tell))
            notices += [Notice(kind=kind, since=trouble.since, text=text)] if is_to_tell else []
        elif kind in shown and before is not None and before.is_told:
            notices.append(Notice(kind=kind, since=before.since, text=f"it {_OVER[kind]}", is_over=True))
        elif kind not in shown and before is not None:
            after.append(before)
    return tuple(after), tuple(notices)


def told(troubles: Sequence[Trouble]) -> Iterator[Trouble]:
    """Yield those that are no hiccups."""
    return (trouble for trouble in troubles if trouble.is_told)


def _known(troubles: Sequence[Trouble], kind: TroubleKind) -> Trouble | None:
    return next((trouble for trouble in troubles if trouble.kind is kind), None)


def _seen_again(trouble: Trouble, text: str) -> Trouble:
    # How long a silence lasts is part of its words, and the database need not be told at every poll.
    return trouble if trouble.is_told else replace(trouble, polls=trouble.polls + 1, text=text)


def _is_sure(trouble: Trouble, claim: Claim, now: datetime) -> bool:
    if trouble.polls < _POLLS.get(trouble.kind, 1):
        return False
    if trouble.kind is not TroubleKind.FAILING:
        return True
    others = claim.others_answered_at
    is_alone = others is not None and others >= trouble.since
    return now - trouble.since >= (FAILING_FOR if is_alone else UNREACHED_FOR)
