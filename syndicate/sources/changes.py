"""What is new or changed in a document, what matches, and whom to tell. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from syndicate.model import (
    AlertDraft,
    ArticleNote,
    Change,
    Claim,
    Document,
    Entry,
    KnownItem,
    LateArticle,
    Match,
    Suppressed,
)
from syndicate.near import Fingerprint
from syndicate.rules.archive import WORDS_VERSION
from syndicate.rules.fingerprints import fingerprint, text_key
from syndicate.rules.index import RuleIndex
from syndicate.rules.language import language_of
from syndicate.rules.text import Subject
from syndicate.sources.fetch import Failed, Fetched
from syndicate.sources.identity import Identified, identify, is_edited, items_by_entry, lists, story_keys_of
from syndicate.sources.learn import Filled
from syndicate.sources.takeover import came_late, is_later, known_until
from syndicate.store.protocol import STORY_WINDOW

NOTHING_FILLED = Filled()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A document that was read, its entries identified."""

    fetched: Fetched
    document: Document
    entries: tuple[Identified, ...]  # of the document, and behind them those of archives
    filled: Filled = NOTHING_FILLED
    refusal: Failed | None = None  # of the host of its archives, which asks for less
    articles: Mapping[str, ArticleNote] = field(
        default_factory=dict
    )  # of entries that are new or edited, by their first key
    late: tuple[LateArticle, ...] = ()  # of items that are known
    late_notes: tuple[ArticleNote, ...] = ()

    @classmethod
    def of(cls, fetched: Fetched, document: Document) -> "Reading":
        """Return the reading of a document."""
        return cls(fetched=fetched, document=document, entries=tuple(identify(document.entries)))

    def keys(self) -> list[str]:
        """Return every key of every entry."""
        return [key for entry in self.entries for key in (*entry.keys, *entry.hints)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a document has, compared with what is stored."""

    entries: tuple[tuple[Entry, KnownItem | None], ...]  # None: new
    names: tuple[int | str, ...]  # of those: the item, or the first key of a new one
    changes: tuple[Change, ...]
    articles: tuple[ArticleNote, ...]
    new_keys: tuple[tuple[str, int], ...]

    def without_edits(self) -> "Compared":
        """Return only what is new; known items stay as they are, by more keys."""
        return replace(
            self,
            changes=tuple(change for change in self.changes if change.item is None),
            articles=tuple(note for note in self.articles if isinstance(note.item, str)),
            new_keys=(
                *self.new_keys,
                *((key, change.item) for change in self.changes if change.item for key in change.keys),
            ),
        )


def compare(
    claim: Claim, reading: Reading, known: Mapping[str, KnownItem], index: RuleIndex, now: datetime
) -> Compared:
    """Return what is new and changed in a document, and what follows for rules and alerts."""
    changes: list[Change] = []
    new_keys: list[tuple[str, int]] = []
    names: list[int | str] = []
    notes: list[ArticleNote] = []
    seen = Seen(claim=claim, document=reading.document, index=index, now=now, lists=lists(reading.entries))
    found = list(zip(reading.entries, items_by_entry(reading.entries, known), strict=True))
    # Documents begin with the newest; items and alerts are numbered from the oldest on.
    for entry, item in reversed(found):
        if item is None or is_edited(entry, item):
            mine = entry if item else replace(entry, keys=_keys_of_new(entry, known))
            changes.append(change_of(mine, item, seen))
            names.append(item.id if item else mine.keys[0])
            notes += _noted(
                reading.articles.get(entry.keys[0]), names[-1], suppression(claim, entry.entry, now)
            )
        else:
            new_keys += [(key, item.id) for key in entry.keys if key not in known]
            names.append(item.id)
    return Compared(
        entries=tuple((entry.entry, item) for entry, item in found),
        names=tuple(reversed(names)),
        changes=tuple(changes),
        articles=tuple(notes),
        new_keys=tuple(new_keys),
    )


def _noted(note: ArticleNote | None, item: int | str, suppressed: Suppressed | None) -> Iterator[ArticleNote]:
    if note is not None:
        yield replace(note, item=item, suppressed=suppressed)


def _keys_of_new(entry: Identified, known: Mapping[str, KnownItem]) -> tuple[str, ...]:
    """Return the keys of a new item: links that name other items stay with those."""
    keys = tuple(
        key
        for key in entry.keys
        if key not in known or (key == entry.keys[0] and not key.startswith("link:"))
    )
    return keys or (f"content:{entry.content_hash}",)


def change_of(identified: Identified, item: KnownItem | None, seen: "Seen") -> Change:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What an entry is seen with: its source and document, the rules, the time."""

    claim: Claim
    document: Document
    index: RuleIndex
    now: datetime
    lists: frozenset[str] = frozenset()  # what several of its entries say that their address is


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
