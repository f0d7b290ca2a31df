"""Whether to believe a server that nothing has changed. Pure.

Some answer 304 whatever happens. So when 304s outlast a source's own habit, it is asked once without
conditions, at most once a day. If there is something new that was there at the last 304, the validator has
lied, and is not sent to that address again.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from syndicate.model import Claim, Entry, Trust, Validators
from syndicate.sources.habit import HABIT_ARRIVALS, longest_silence

CHECK_AT_MOST_EVERY = timedelta(days=1)
SHORTEST_PATIENCE = timedelta(hours=1)
UNKNOWN_PATIENCE = timedelta(days=7)  # with a source of which too little is known
LATEST = timedelta(hours=1)  # how long something new may take to appear everywhere
STRIKES = 2  # one if it may have come just now, two if that cannot be


def conditions(claim: Claim, now: datetime) -> Validators:
    """Return the validators to send: those that can be believed, none for a check."""
    return Validators() if is_check_due(claim, now) else believed(claim)


def is_check_due(claim: Claim, now: datetime) -> bool:
    """Return whether to ask without conditions, though there are some."""
    trust = claim.trust
    if trust.unchanged_since is None or not is_conditional(believed(claim)):
        return False
    if trust.checked_at is not None and now - trust.checked_at < CHECK_AT_MOST_EVERY:
        return False
    habit = claim.learned.habit
    is_known = len(habit.arrivals) >= HABIT_ARRIVALS
    patience = max(longest_silence(habit), SHORTEST_PATIENCE) if is_known else UNKNOWN_PATIENCE
    return now - trust.unchanged_since > patience


def believed(claim: Claim) -> Validators:
    """Return what the address gave, without what has lied there."""
    if not (claim.trust.without_etag or claim.trust.without_last_modified):
        return claim.validators
    return replace(
        claim.validators,
        etag=None if claim.trust.without_etag else claim.validators.etag,
        last_modified=None if claim.trust.without_last_modified else claim.validators.last_modified,
    )


def is_conditional(sent: Validators) -> bool:
    """Return whether a request with these is a conditional one."""
    return sent.etag is not None or sent.last_modified is not None


def after_unchanged(claim: Claim, status: int, sent: Validators, now: datetime) -> Trust:
    """Return the trust in an address that had nothing new, by a 304 or by the same bytes."""
    if status == 304:
        return claim.trust if claim.trust.unchanged_since else replace(claim.trust, unchanged_since=now)
    return _after_honest(claim, sent, now)


def after_reading(
    claim: Claim, sent: Validators, given: Validators, new: Iterable[Entry], now: datetime
) -> Trust:
    """Return the trust in an address that had a document.

    Args:
        sent: what it was asked with.
        given: what it gave along.
        new: the entries that were never seen before.
    """
    new = tuple(new)
    if not _was_check(claim, sent) or not new:
        return _after_honest(claim, sent, now)
    trust = replace(claim.trust, unchanged_since=None, checked_at=now)
    before = believed(claim)
    strikes = trust.strikes + (STRIKES if _is_sure(claim, before, given, new) else 1)
    if strikes < STRIKES:
        return replace(trust, strikes=strikes)
    # Who is sent both looks at the ETag alone (RFC 9110 13.2.2).
    if before.etag is not None:
        return replace(trust, strikes=0, without_etag=True)
    return replace(trust, strikes=0, without_last_modified=True)


def _after_honest(claim: Claim, sent: Validators, now: datetime) -> Trust:
    checked_at = now if _was_check(claim, sent) else claim.trust.checked_at
    is_cleared = is_conditional(sent)  # it was asked conditionally, and said what had changed
    strikes = 0 if is_cleared else claim.trust.strikes
    return replace(claim.trust, unchanged_since=None, checked_at=checked_at, strikes=strikes)


def _was_check(claim: Claim, sent: Validators) -> bool:
    return is_conditional(believed(claim)) and not is_conditional(sent)


def _is_sure(claim: Claim, before: Validators, given: Validators, new: tuple[Entry, ...]) -> bool:
    """Return whether what is new was there when it said that nothing had changed."""
    if before.etag is not None and given.etag == before.etag:
        return True
    if before.etag is None and given.last_modified == before.last_modified:
        return True
    dates = [date for entry in new if (date := entry.published or entry.updated)]
    last_asked = claim.last_success_at
    return last_asked is not None and any(date < last_asked - LATEST for date in dates)
