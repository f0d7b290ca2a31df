"""What follows from one entry of a document: its text, what matches, whom to tell. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from syndicate.model import AlertDraft, Change, Claim, Document, Entry, KnownItem, Match, Suppressed
from syndicate.near import Fingerprint
from syndicate.rules.archive import WORDS_VERSION
from syndicate.rules.fingerprints import fingerprint, text_key
from syndicate.rules.index import RuleIndex
from syndicate.rules.language import language_of
from syndicate.rules.text import Subject
from syndicate.sources.identity import Identified, story_keys_of
from syndicate.sources.takeover import came_late, is_later, known_until
from syndicate.store.protocol import STORY_WINDOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What an entry is seen with: its source and document, the rules, the time."""

    claim: Claim
    document: Document
    index: RuleIndex
    now: datetime
    lists: frozenset[str] = frozenset()  # what several of its entries say that their address is


def change_of(identified: Identified, item: KnownItem | None, seen: Seen) -> Change:
    """Return an entry as a new item, or a new revision of a known one, with all that follows from it."""
    entry = identified.entry
    subject = _subject(entry, seen)
    matches, words = seen.index.match_and_keep(subject, seen.now)
    suppressed = suppression(seen.claim, entry, seen.now)
    # Who matches nothing is told to nobody, and to find words takes longer than all the rest.
    text = text_key(entry.title, entry.body) if matches else None
    return Change(
        item=item.id if item else None,
        entry=entry,
        keys=identified.keys,
        story_keys=(*story_keys_of(identified, seen.lists), *((text,) if text else ())),
        content_hash=identified.content_hash,
        language=subject.language,
        words=words,
        words_version=WORDS_VERSION,
        matches=matches,
        alerts=tuple(drafts(matches, seen.index, suppressed)),
        fingerprint=_fingerprint(subject, suppressed, seen.now) if matches else None,
        came_late=item is None and came_late(seen.claim, seen.now),
    )


def _fingerprint(subject: Subject, suppressed: Suppressed | None, now: datetime) -> Fingerprint | None:
    """Return what a text is compared by. None for what was old when a source was first read: most of that."""
    is_old = subject.published is not None and subject.published < now - STORY_WINDOW
    if is_old and suppressed is Suppressed.BASELINE:
        return None
    return fingerprint(subject.title, subject.body, subject.language)


def _subject(entry: Entry, seen: Seen) -> Subject:
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


def drafts(
    matches: tuple[Match, ...], index: RuleIndex, suppressed: Suppressed | None
) -> Iterator[AlertDraft]:
    """Yield an alert for each match and whoever wants to hear of its rule."""
    for match in matches:
        for endpoint in index.rules[match.rule].notify:
            yield AlertDraft(
                rule=match.rule,
                endpoint=endpoint,
                suppressed=suppressed,
                escalate=index.rules[match.rule].escalate,
            )


def suppression(claim: Claim, entry: Entry, now: datetime) -> Suppressed | None:
    """Return why what a poll finds raises no alerts, None if it does.

    The first valid document is a baseline. When another address takes over, only what was published since
    all was known is news (`takeover.known_until`); an entry without a date can't show that it is.
    """
    if not claim.has_baseline:
        return Suppressed.BASELINE if claim.source.baseline else None
    if claim.last_success_url == claim.url or claim.last_success_at is None:
        return None
    return None if is_later(entry, known_until(claim, now)) else Suppressed.FALLBACK
