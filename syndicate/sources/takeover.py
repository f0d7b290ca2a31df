"""Which of its addresses a source goes by. Pure.

The first that works. An address that fails is easily told; one that has gone stale answers well, and has
nothing new for ever. So when one has had nothing new for much longer than is the source's habit, the next is
looked at, now and then: if it has what is newer, it takes over. The first is asked all the same, as seldom,
and takes back with anything that it did not list before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syndicate.model import Claim, Entry, Habit, KnownItem
from syndicate.sources.habit import silence, silent_after

UNKNOWN_PATIENCE = timedelta(days=7)  # with a source of which too little is known
LOOKS_A_PATIENCE = 4  # how often, in that time, a stale address is doubted again
LATE_AFTER = timedelta(hours=2)  # without a look at a source, it is unknown in which hour something came

Found = Sequence[tuple[Entry, KnownItem | None]]  # the entries of a document, None for what is new


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a valid answer makes of its address."""

    is_in_charge: bool  # the source goes by it
    looks_on: bool  # the next address is asked at once
    has_news: bool = False  # it lists something that it did not before
    stale_until: datetime | None = None  # it is not doubted again before then; None: it is not stale


IN_CHARGE = Standing(is_in_charge=True, looks_on=False)
LOOKED_AT = Standing(is_in_charge=False, looks_on=False)


def standing_of(claim: Claim, found: Found, now: datetime) -> Standing:
    """Return what follows from a valid answer.

    Args:
        found: the entries of a document that has changed, else nothing.
    """
    is_news = has_news(claim, found, now)
    standing = _standing(claim, found, now, is_news=is_news)
    return replace(standing, has_news=True) if is_news else standing


def _standing(claim: Claim, found: Found, now: datetime, *, is_news: bool) -> Standing:
    if claim.is_look:
        if is_ahead(claim, found, now):
            return IN_CHARGE
        return replace(LOOKED_AT, looks_on=not claim.is_last_address)
    if is_news or not is_stale(claim, now):
        return IN_CHARGE
    if is_behind(claim):
        until = now + _span(claim.learned.habit, now)
        return Standing(is_in_charge=False, looks_on=not claim.is_last_address, stale_until=until)
    if claim.is_last_address:
        return IN_CHARGE
    if claim.stale_until is not None and now < claim.stale_until:
        return Standing(is_in_charge=True, looks_on=False, stale_until=claim.stale_until)
    return Standing(is_in_charge=True, looks_on=True, stale_until=now + _span(claim.learned.habit, now))


def has_news(claim: Claim, found: Found, now: datetime) -> bool:
    """Return whether a document lists something that its address did not before.

    All is new to one that was never read; but where it is only looked at, that shows nothing.
    """
    since = claim.brought_at or claim.read_at
    if since is None:
        return not claim.is_look or is_ahead(claim, found, now)
    return any(item is None or (item.first_seen is not None and item.first_seen > since) for _, item in found)


def is_ahead(claim: Claim, found: Found, now: datetime) -> bool:
    """Return whether a document has something that is newer than all that is known of its source."""
    return bool(newer(claim, [entry for entry, item in found if item is None], now))


def newer(claim: Claim, entries: Iterable[Entry], now: datetime) -> list[Entry]:
    """Return which new entries of another address than before are newer than all that is known.

    What has no date is, if this address was read since the last item came, and did not have it.
    """
    since = known_until(claim, now)
    was_read = since is not None and claim.read_at is not None and claim.read_at >= since
    return [entry for entry in entries if (is_later(entry, since) if _date(entry) else was_read)]


def is_stale(claim: Claim, now: datetime) -> bool:
    """Return whether an address that has nothing new has had nothing for too long.

    One that others have taken over from is as good as they are once they have had nothing since, either.
    """
    habit, since = claim.learned.habit, claim.brought_at
    quiet = silence(habit, now) if since is None else now - since
    if not is_behind(claim):
        return quiet > patience(habit, now)
    if since is not None and not any(came > since for came in habit.arrivals[:1]):
        return False
    return since is None or claim.stale_until is not None or quiet > patience(habit, now)


def is_behind(claim: Claim) -> bool:
    """Return whether the source goes by an address that comes after this one."""
    urls = claim.source.urls
    return claim.last_success_url in urls[urls.index(claim.url) + 1 :]


def known_until(claim: Claim, now: datetime) -> datetime | None:
    """Return until when all that a source has published is known, when another address takes over.

    That is the last success; of the first address, when it takes back, the last of its own: what others did
    not have meanwhile was missed. Where there was a success without anything new for too long, it showed
    nothing: then it is when the last item came. None: there was no success.
    """
    own = claim.brought_at if claim.stale_until else claim.read_at
    is_first = claim.url == claim.source.urls[0]
    since = (own if is_first else None) or claim.last_success_at
    quiet = silence(claim.learned.habit, now)
    is_quiet = quiet > patience(claim.learned.habit, now)
    return min(since, now - quiet) if since is not None and is_quiet else since


def is_later(entry: Entry, since: datetime | None) -> bool:
    """Return whether an entry was published after a time; one without a date can't show that it was."""
    date = _date(entry)
    return since is not None and date is not None and date > since


def patience(habit: Habit, now: datetime) -> timedelta:
    """Return how long an address may have nothing new before the next is looked at."""
    return silent_after(habit, now) or UNKNOWN_PATIENCE


def _span(habit: Habit, now: datetime) -> timedelta:
    return patience(habit, now) / LOOKS_A_PATIENCE


def _date(entry: Entry) -> datetime | None:
    return entry.published or entry.updated


def came_late(claim: Claim, now: datetime) -> bool:
    """Return whether what a poll finds new may have been there for hours, so tells nothing of this one.

    So it is in a first document, after a pause, and when another address takes over. What a hub sends is new.
    """
    if not claim.has_baseline or claim.last_success_at is None:
        return True
    if claim.push is not None:
        return False
    return claim.last_success_url != claim.url or now - claim.last_success_at > LATE_AFTER
