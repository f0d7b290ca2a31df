"""When to poll again. Pure: the time and the jitter are arguments."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from syndicate.http.times import asked_wait, delta_seconds, http_date
from syndicate.model import Due, Habit, Hints, Pushing, Source
from syndicate.sources.habit import SHORTEST_WAIT, is_known, silence, turnover, typical_gap

LONGEST_WAIT = timedelta(hours=24)
LARGEST_JITTER = 0.05
SILENCE_SHARE = 4  # of a silence, a fourth is waited: it is overslept by a fourth at most
POLLS_A_TURNOVER = 2
LONGEST_AT_FIRST = timedelta(minutes=20)
SAFETY = 4  # of an interval, while a hub pushes what is new
_MAX_AGE = re.compile(r'(?:^|[\s,])max-age\s*=\s*"?(\d+)', re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long to wait, and why, as `sources` says it."""

    length: timedelta
    why: str


# --------------------------------------------------------------------------- our own wish


def learned_wait(source: Source, habit: Habit, now: datetime) -> Wait:
    """Return how long to wait for a source as far as it is for us to say.

    It follows the usual time between two publications, or how long nothing has come, once that is long. All
    the same, a document is asked for twice in the time in which it once turned over, so that nothing falls
    out of it unseen. Never less than five minutes, never more than the source's interval; that interval if it
    is shorter, or the source not `adaptive`.
    """
    if not source.adaptive:
        return Wait(length=source.interval, why=f"every {spelled(source.interval)}, as configured")
    if habit.since is None:
        return Wait(length=source.interval, why="not read yet")
    waits = [_habitual(habit, now), *_limits(habit, now)]
    if not is_known(habit, now):
        at_first = max(LONGEST_AT_FIRST, source.interval / 3)
        waits.append(Wait(length=at_first, why="getting to know it, for a week"))
    shortest = min(waits, key=lambda wait: wait.length)
    if shortest.length >= source.interval:
        return Wait(length=source.interval, why=f"at least every {spelled(source.interval)}")
    floor = min(SHORTEST_WAIT, source.interval)
    return Wait(length=max(shortest.length, floor), why=shortest.why)


def safest_wait(habit: Habit, now: datetime) -> timedelta:
    """Return the longest wait by which, as far as is known, nothing is missed."""
    return max(min((limit.length for limit in _limits(habit, now)), default=LONGEST_WAIT), SHORTEST_WAIT)


def safety_wait(source: Source, habit: Habit, wait: Wait, pushing: Pushing, now: datetime) -> Wait:
    """Return how long to wait for a source of which a hub pushes what is new.

    That is four times its interval, up to a day, but not beyond the hub's lease, nor so long that items could
    fall out of its document unseen if the hub fell silent from now on.

    Args:
        wait: what it would be without the hub; this is never less.
    """
    left = timedelta() if pushing.until is None else pushing.until - now
    length = min(longest_unasked(source), safest_wait(habit, now), left)
    if length <= wait.length:
        return wait
    return Wait(length=length, why="pushes arrive: polled only to be safe")


def longest_unasked(source: Source) -> timedelta:
    """Return the longest time for which a source is not asked, whatever a hub pushes."""
    return max(min(source.interval * SAFETY, LONGEST_WAIT), source.interval)


def _habitual(habit: Habit, now: datetime) -> Wait:
    gap, quiet = typical_gap(habit), silence(habit, now)
    if gap is not None and gap >= quiet / SILENCE_SHARE:
        return Wait(length=gap, why=f"it publishes about every {spelled(gap)}")
    if gap is None and not habit.arrivals:
        return Wait(length=quiet / SILENCE_SHARE, why="nothing new has come since it was first read")
    return Wait(length=quiet / SILENCE_SHARE, why=f"it has published nothing for {spelled(quiet)}")


def _limits(habit: Habit, now: datetime) -> Iterator[Wait]:
    whole = turnover(habit)
    if whole is not None:
        why = f"its document has turned over within {spelled(whole)}"
        yield Wait(length=whole / POLLS_A_TURNOVER, why=why)
    if habit.hurry is not None and habit.hurry_until is not None and now < habit.hurry_until:
        yield Wait(length=habit.hurry, why="there was a gap lately")


# --------------------------------------------------------------------------- what others wish


def asked_by_document(hints: Hints, habit: Habit, now: datetime) -> Iterator[Wait]:
    """Yield what a document asks for: <ttl>, and the next time by sy:updatePeriod.

    That is advice, so it ends where something would be missed.
    """
    if not (hints.ttl_seconds or hints.update_seconds):
        return
    safest = safest_wait(habit, now)
    if hints.ttl_seconds:
        ttl = min(timedelta(seconds=hints.ttl_seconds), LONGEST_WAIT)
        yield Wait(length=min(ttl, safest), why=f"its document asks for {spelled(ttl)} (ttl)")
    if hints.update_seconds:
        period = min(timedelta(seconds=hints.update_seconds), LONGEST_WAIT)
        wait = period
        if hints.update_phase_seconds is not None and period.total_seconds() == hints.update_seconds:
            wait = period - (now - _EPOCH - timedelta(seconds=hints.update_phase_seconds)) % period
        why = f"its document is updated every {spelled(period)} (sy:updatePeriod)"
        yield Wait(length=min(wait, safest), why=why)


def asked_by_server(length: timedelta | None) -> Iterator[Wait]:
    """Yield what a server asks for in its headers, if anything."""
    if length is not None:
        asked = min(length, LONGEST_WAIT)
        yield Wait(length=asked, why=f"its server asks for {spelled(asked)}")


def next_poll(now: datetime, wait: Wait, failures: int, asked: Sequence[Wait], jitter: float) -> Due:
    """Return the earliest time to poll a source again, and why then.

    The wait doubles with each failure in a row after the first, up to a day. Others may ask for more time
    (Retry-After, RFC 9110 10.2.3; max-age, RFC 9111 5.2.2.1; <ttl>), never for less, never for more than a
    day.

    Args:
        now: when the poll ended.
        wait: our own, without failures.
        failures: failed polls in a row; 0 after a success.
        asked: what others ask for.
        jitter: 0..1, how much of the largest jitter is added, so that sources spread out.
    """
    doublings = min(max(failures - 1, 0), 17)  # a second becomes more than a day
    longest = min(wait.length * (1 << doublings), max(LONGEST_WAIT, wait.length))
    why = wait.why
    if failures:
        why = f"it has failed {failures} times in a row" if failures > 1 else "it has failed"
    for ask in asked:
        if ask.length > longest:
            longest, why = ask.length, ask.why
    return Due(at=now + longest * (1 + LARGEST_JITTER * jitter), why=why)


def unskipped(due: Due, hints: Hints, now: datetime, jitter: float) -> Due:
    """Return the time, or the first after it that the document does not ask to skip, within a day from now.

    (<skipHours> and <skipDays>, https://www.rssboard.org/rss-specification)
    """
    at = due.at.astimezone(UTC)
    while at < now + LONGEST_WAIT:
        if at.hour not in hints.skip_hours and at.weekday() not in hints.skip_days:
            break
        at = at.replace(minute=0, second=0, microsecond=0) + _HOUR
    if at == due.at:
        return due
    at = max(min(at, now + LONGEST_WAIT), due.at)
    return Due(at=at + _HOUR * LARGEST_JITTER * jitter, why="its document asks to skip the hours before that")


# --------------------------------------------------------------------------- header fields


def asked_by_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Return how long Retry-After asks to wait, a day at most; None if it says nothing we can read."""
    asked = asked_wait(value, now)
    return None if asked is None else min(asked, LONGEST_WAIT)


def freshness(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return for how long a response is still fresh, None if it does not say (RFC 9111 4.2.1).

    By max-age, else Expires; less the Age that it had when a cache gave it to us (RFC 9111 5.1).
    """
    lifetime = _lifetime(headers, now)
    if lifetime is None:
        return None
    age = delta_seconds(headers.get("age", "")) or timedelta()
    return _within_a_day(lifetime - age)


def _lifetime(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    found = _MAX_AGE.search(headers.get("cache-control", ""))
    if found:
        return delta_seconds(found[1])
    expires = http_date(headers.get("expires", ""))
    if expires is None:  # "0" and the like have expired
        return None
    return expires - (http_date(headers.get("date", "")) or now)


def _within_a_day(length: timedelta) -> timedelta:
    return min(max(length, timedelta()), LONGEST_WAIT)


def spelled(length: timedelta) -> str:
    """Return a length of time as people say it, roughly."""
    seconds = length.total_seconds()
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 1.75 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
