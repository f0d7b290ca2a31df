"""Reading what a hub has sent, and what follows from it: as from a poll, but that it is no whole document.

A hub may leave out what it has sent before (WebSub 7). So nothing is concluded from what is missing: there is
no gap, nor does a push tell what an address answers. Only a poll does.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from syndicate.errors import ParseError
from syndicate.model import (
    Address,
    Claim,
    Document,
    Due,
    Entry,
    Habit,
    KnownItem,
    Poll,
    PollState,
    Push,
    Spent,
    Validators,
)
from syndicate.rules.index import RuleIndex
from syndicate.sources.changes import Compared, Reading, compare
from syndicate.sources.decide import Moment
from syndicate.sources.fetch import Answer, Failed, Fetched
from syndicate.sources.habit import learned_from
from syndicate.sources.kinds import unexpected
from syndicate.sources.learn import MOST_LISTED
from syndicate.sources.parse import parse
from syndicate.sources.schedule import LARGEST_JITTER, learned_wait, longest_unasked, safety_wait

NOTHING_SPENT = Spent()


async def read_push(claim: Claim, push: Push) -> tuple[Fetched, Document] | Failed:
    """Return the document that a hub has sent, read as what its topic answers is."""
    headers = {"content-type": push.content_type}
    address = _address_of(claim, push)
    try:
        document = await parse(push.body, headers, push.topic, address)
    except ParseError as error:
        return Failed(status=None, error=str(error), spent=NOTHING_SPENT)
    why = "an index of sitemaps" if document.parts else unexpected(replace(claim, url=address.url), document)
    if why:
        return Failed(status=None, error=why, spent=NOTHING_SPENT)
    return _fetched(push, headers), document


def _address_of(claim: Claim, push: Push) -> Address:
    """Return how to read what is pushed: of several addresses, the one asked next may be another's page."""
    is_only = len(claim.source.urls) == 1
    return claim.source.address(claim.url if is_only else push.topic)


def _fetched(push: Push, headers: Mapping[str, str]) -> Fetched:
    answer = Answer(
        status=200,
        validators=Validators(),
        asked=None,
        moved_to=None,
        length_bytes=len(push.body),
        spent=NOTHING_SPENT,
    )
    digest = hashlib.sha256(push.body).hexdigest()
    return Fetched(answer=answer, url=push.topic, headers=headers, body=push.body, body_hash=digest)


def decide_push(
    claim: Claim, reading: Reading, known: Mapping[str, KnownItem], index: RuleIndex, moment: Moment
) -> Poll:
    """Return what follows from what a hub has sent; `known` is what the store has under `reading.keys()`.

    All of it is news: whoever has subscribed has read the source before. What was sent before the last poll
    edits nothing, since that has seen what is newer.
    """
    news = replace(claim, last_success_url=claim.url)
    whole = compare(news, reading, known, index, moment.now)
    compared = whole.without_edits() if is_outrun(claim) else whole
    new = [entry for entry, item in compared.entries if item is None]
    pushing = replace(claim.pushing, doubts=max(claim.pushing.doubts - bool(new), 0))
    habit = _habit(claim, new, moment)
    due = _due(replace(claim, pushing=pushing), habit, moment)
    if compared != whole:  # that poll may have begun before the edit
        due = Due(at=min(moment.now, claim.due_at), why="what its hub has sent may be newer")
    return replace(
        _poll(claim, PollState.PUSHED, moment, due),
        length_bytes=reading.fetched.answer.length_bytes,
        format=reading.document.format,
        problems=reading.document.problems,
        changes=compared.changes,
        articles=compared.articles,
        new_keys=compared.new_keys,
        learned=replace(claim.learned, habit=habit) if new else None,
        listed=_listed(claim, compared),
        doubts=pushing.doubts,
    )


def decide_unreadable_push(claim: Claim, error: str, moment: Moment) -> Poll:
    """Return what follows from something that can't be read: the source itself is asked now."""
    due = Due(at=moment.now, why="what its hub has sent could not be read")
    what = f"what its hub has sent is {error}"
    return replace(_poll(claim, PollState.UNREADABLE_PUSH, moment, due), error=what)


def _poll(claim: Claim, state: PollState, moment: Moment, due: Due) -> Poll:
    return Poll(
        claim=claim,
        ended_at=moment.now,
        duration=moment.duration,
        state=state,
        next_poll_at=due.at,
        next_poll_why=due.why,
    )


def is_outrun(claim: Claim) -> bool:
    """Whether the source was polled after its hub has sent this."""
    push, last = claim.push, claim.last_success_at
    return push is not None and last is not None and push.received_at < last


def _habit(claim: Claim, new: list[Entry], moment: Moment) -> Habit:
    """Return the habit of a source of which these entries came just now."""
    if not new:
        return claim.learned.habit
    dates = [entry.published or entry.updated for entry in new]
    return learned_from(claim.learned.habit, dates, 0, moment.now, moment.now)


def _listed(claim: Claim, compared: Compared) -> tuple[int | str, ...] | None:
    """Return by which items to recognise the next document: what was pushed may be all that it has."""
    names = [name for name, (_, item) in zip(compared.names, compared.entries, strict=True) if item is None]
    if not names or not claim.learned.listed:
        return None
    return (*names, *claim.learned.listed)[:MOST_LISTED]


def _due(claim: Claim, habit: Habit, moment: Moment) -> Due:
    """Return when to ask the source itself: as before, or later while its hub is relied upon.

    Each push puts that off, but not for ever.
    """
    as_before = Due(at=claim.due_at, why="")
    if claim.failures or not claim.pushing.is_relied_upon(moment.now):
        return as_before
    usual = learned_wait(claim.source, habit, moment.now)
    wait = safety_wait(claim.source, habit, usual, claim.pushing, moment.now)
    last = claim.pushing.last_poll_at or moment.now
    share = 1 + LARGEST_JITTER * moment.jitter
    at = min(moment.now + wait.length * share, last + longest_unasked(claim.source) * share)
    return Due(at=at, why=wait.why) if at > claim.due_at + timedelta(seconds=1) else as_before
