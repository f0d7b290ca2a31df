"""What follows from a poll: what is new or changed, what matches, whom to tell, when to ask again. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syndicate.model import (
    AlertDraft,
    Change,
    Claim,
    Document,
    Entry,
    KnownItem,
    Match,
    Poll,
    PollState,
    Suppressed,
)
from syndicate.rules.archive import WORDS_VERSION, kept_words
from syndicate.rules.index import RuleIndex
from syndicate.rules.language import language_of
from syndicate.rules.text import ItemText, Subject
from syndicate.sources.fetch import Answer, Failed, Fetched, Gone, NotModified
from syndicate.sources.identity import Identified, identify, items_by_entry
from syndicate.sources.schedule import next_poll
from syndicate.stories import story_keys

ADOPT_AFTER = 3  # identical, valid answers
UNREACHED_INTERVAL = timedelta(minutes=5)  # to begin with, where there was no answer
HOST_BACKOFF = timedelta(minutes=5)  # when 429 or 503 comes without Retry-After


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a poll ended, how long it took, and the die cast for it."""

    now: datetime
    duration: timedelta
    jitter: float  # 0..1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A document that was read, its entries identified."""

    fetched: Fetched
    document: Document
    entries: tuple[Identified, ...]

    @classmethod
    def of(cls, fetched: Fetched, document: Document) -> "Reading":
        """Return the reading of a document."""
        return cls(fetched=fetched, document=document, entries=tuple(identify(document.entries)))

    def keys(self) -> list[str]:
        """Return every key of every entry."""
        return [key for entry in self.entries for key in (*entry.keys, *entry.hints)]


def decide_reading(
    claim: Claim, reading: Reading, known: Mapping[str, KnownItem], index: RuleIndex, moment: Moment
) -> Poll:
    """Return the poll of a document; `known` is what the store has under `reading.keys()`."""
    changes: list[Change] = []
    new_keys: list[tuple[str, int]] = []
    seen = _Seen(claim=claim, document=reading.document, index=index, now=moment.now)
    found = zip(reading.entries, items_by_entry(reading.entries, known), strict=True)
    # Documents begin with the newest; items and alerts are numbered from the oldest on.
    for entry, item in reversed(list(found)):
        if item is None or item.content_hash != entry.content_hash:
            mine = entry if item else replace(entry, keys=_keys_of_new(entry, known))
            changes.append(_change(mine, item, seen))
        else:
            new_keys += [(key, item.id) for key in entry.keys if key not in known]
    return replace(
        _after_answer(claim, PollState.OK, reading.fetched.answer, moment),
        body_hash=reading.fetched.body_hash,
        document_title=reading.document.title,
        document_link=reading.document.link,
        problems=reading.document.problems,
        changes=tuple(changes),
        new_keys=tuple(new_keys),
    )


def decide_unchanged(claim: Claim, outcome: NotModified, moment: Moment) -> Poll:
    """Return the poll of an address that had nothing new."""
    return _after_answer(claim, PollState.UNCHANGED, outcome.answer, moment)


def decide_failure(claim: Claim, outcome: Failed | Gone, moment: Moment) -> Poll:
    """Return the poll of an address that had nothing to read; the next address, if any, is due at once.

    A redirect that was adopted is dropped when its target fails: the configured address is asked again.
    """
    # Whoever moved here may be gone while the configured address is not.
    is_gone = isinstance(outcome, Gone) and claim.address == claim.url
    failed = (
        outcome if isinstance(outcome, Failed) else Failed(status=410, error="the server answered 410 (gone)")
    )
    return Poll(
        claim=claim,
        ended_at=moment.now,
        duration=moment.duration,
        state=PollState.GONE if is_gone else PollState.FAILED,
        status=failed.status,
        error=failed.error,
        next_poll_at=_next_after_failure(claim, failed, moment),
        host_backoff_until=moment.now + (failed.asked or HOST_BACKOFF) if failed.backs_off_host else None,
        host_backoff_url=failed.url,
        try_next_address=not claim.is_last_address,
        validators=claim.validators,
        body_hash=claim.body_hash,
        adopted=None,
    )


def _next_after_failure(claim: Claim, failed: Failed, moment: Moment) -> datetime:
    if not claim.is_last_address:
        return claim.due_at
    interval = claim.source.interval
    if failed.status is None:  # nobody was bothered: it may be our own network that is down
        interval = min(interval, UNREACHED_INTERVAL)
    return next_poll(moment.now, interval, claim.failures + 1, failed.asked, moment.jitter)


def _after_answer(claim: Claim, state: PollState, answer: Answer, moment: Moment) -> Poll:
    """Return what every valid answer brings; a permanent redirect is adopted after some identical ones."""
    adopted = claim.address if claim.address != claim.url else None
    moved_count = 0
    if answer.moved_to is not None:
        moved_count = claim.moved_count + 1 if answer.moved_to == claim.moved_to else 1
    is_adopting = moved_count >= ADOPT_AFTER
    return Poll(
        claim=claim,
        ended_at=moment.now,
        duration=moment.duration,
        state=state,
        status=answer.status,
        next_poll_at=next_poll(moment.now, claim.source.interval, 0, answer.asked, moment.jitter),
        validators=answer.validators,
        body_hash=claim.body_hash,
        length_bytes=answer.length_bytes,
        moved_to=None if is_adopting else answer.moved_to,
        moved_count=0 if is_adopting else moved_count,
        adopted=answer.moved_to if is_adopting else adopted,
    )


def _keys_of_new(entry: Identified, known: Mapping[str, KnownItem]) -> tuple[str, ...]:
    """Return the keys of a new item: links that name other items stay with those."""
    keys = tuple(
        key
        for key in entry.keys
        if key not in known or (key == entry.keys[0] and not key.startswith("link:"))
    )
    return keys or (f"content:{entry.content_hash}",)


def _change(identified: Identified, item: KnownItem | None, seen: "_Seen") -> Change:
    entry = identified.entry
    subject = _subject(entry, seen)
    matches = seen.index.match(subject, seen.now)
    return Change(
        item=item.id if item else None,
        entry=entry,
        keys=identified.keys,
        # A link that a document gives to entries that differ is the page of a list, and joins nothing.
        story_keys=tuple(key for key in story_keys(entry.link) if key in identified.keys),
        content_hash=identified.content_hash,
        language=subject.language,
        words=kept_words(ItemText(subject)),
        words_version=WORDS_VERSION,
        matches=matches,
        alerts=tuple(_drafts(matches, seen.index, suppression(seen.claim, entry))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What an entry is seen with: its source and document, the rules, the time."""

    claim: Claim
    document: Document
    index: RuleIndex
    now: datetime


def _subject(entry: Entry, seen: _Seen) -> Subject:
    source = seen.claim.source
    return Subject(
        title=entry.title,
        body=entry.body,
        author=entry.author,
        categories=entry.categories,
        link=entry.link or "",
        source=source.id,
        tags=source.tags,
        language=language_of(
            source.language, entry.language, seen.document.language, f"{entry.title} {entry.body}"
        ),
        published=entry.published,
    )


def _drafts(
    matches: tuple[Match, ...], index: RuleIndex, suppressed: Suppressed | None
) -> Iterator[AlertDraft]:
    for match in matches:
        for endpoint in index.rules[match.rule].notify:
            yield AlertDraft(rule=match.rule, endpoint=endpoint, suppressed=suppressed)


def suppression(claim: Claim, entry: Entry) -> Suppressed | None:
    """Return why what a poll finds raises no alerts, None if it does.

    The first valid document is a baseline. When another address takes over, only what was published after
    the last success is news; an entry without a date can't show that it is.
    """
    if not claim.has_baseline:
        return Suppressed.BASELINE if claim.source.baseline else None
    if claim.last_success_url == claim.url or claim.last_success_at is None:
        return None
    dated = entry.published or entry.updated
    is_later = dated is not None and dated > claim.last_success_at
    return None if is_later else Suppressed.FALLBACK
