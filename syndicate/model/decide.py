"""What follows from a poll, and what came of recording that."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from syndicate.model.articles import ArticleNote
from syndicate.model.learn import Gap, Learned, Notice, Trust
from syndicate.model.match import Match, Suppressed
from syndicate.model.parse import Entry
from syndicate.model.retrieve import BadAnswer, Claim, Part, Spent, Validators
from syndicate.near import Fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDraft:
    """Something to tell an endpoint, unless the ledger already has it."""

    rule: str
    endpoint: str
    suppressed: Suppressed | None = None  # None: due now
    is_asked_for: bool = False  # by a person, who is told what was suppressed as well
    escalate: int | None = None  # how many sources must carry its story to tell it again; None: never


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownItem:
    """What the store holds under a key: enough to see whether an entry is new, changed or the same."""

    id: int
    content_hash: str
    revision: int
    guid: str | None = None
    title: str = ""
    first_seen: datetime | None = None  # None: it makes no difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A new item, or a new revision of a known one, with everything that follows from it."""

    item: int | None  # None: new
    entry: Entry
    keys: tuple[str, ...]  # identity, strongest first
    story_keys: tuple[str, ...]  # strongest first; that of its text only where a rule holds
    content_hash: str
    language: str | None
    words: Mapping[str, str]  # "words" and "stems", each separated by spaces, for the full-text index
    words_version: int  # of the ways by which those were found
    matches: tuple[Match, ...]
    alerts: tuple[AlertDraft, ...]
    fingerprint: Fingerprint | None = None  # of its text; None also where no rule holds, so nobody is told
    came_late: bool = False  # its source was not read for long before, so it is unknown in which hour it came


class PollState(StrEnum):
    """How a poll ended."""

    OK = "ok"  # a valid document was read
    UNCHANGED = "unchanged"  # 304, or the same bytes as before
    FAILED = "failed"  # no complete response, an error status, or nothing we can read
    GONE = "gone"  # 410: not asked again until the configuration changes
    PUSHED = "pushed"  # what a hub has sent was read, nobody was asked
    UNREADABLE_PUSH = "unreadable push"  # it could not be, so the source is due


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One finished poll, decided: what the store writes as a whole or not at all."""

    claim: Claim
    ended_at: datetime
    state: PollState
    next_poll_at: datetime
    duration: timedelta = timedelta()
    status: int | None = None  # HTTP status; None when no complete response came
    error: str | None = None  # in words, for FAILED and GONE
    host_backoff_until: datetime | None = None  # 429, 503: nobody asks this host before then
    host_backoff_url: str | None = None  # of that host, after redirects; None: the claim's address
    try_next_address: bool = False
    validators: Validators = Validators()
    body_hash: str | None = None
    length_bytes: int = 0  # of the body, decompressed
    moved_to: str | None = None
    moved_count: int = 0
    adopted: str | None = None  # a permanent redirect that holds from now on; None: the configured address
    document_title: str = ""
    document_link: str | None = None
    document_id: str | None = None
    problems: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    new_keys: tuple[tuple[str, int], ...] = ()  # (key, item) learned for items that did not change
    next_poll_why: str = ""  # in words
    spent: Spent = Spent()
    held_until: datetime | None = None  # before then, its address is asked only if there is no other
    trust: Trust = Trust()
    learned: Learned | None = None  # None: as before; its `listed` is not looked at
    # The newer half of the document's items, new ones by their first key; None: as before.
    listed: tuple[int | str, ...] | None = None
    gap: Gap | None = None  # between the document before and this one
    notices: tuple[Notice, ...] = ()
    notify: tuple[str, ...] = ()  # endpoints that the notices go to, if there are any
    format: str = ""  # of the document; of the one before, when there is nothing new
    parts: tuple[Part, ...] = ()  # of the index
    is_in_charge: bool = True  # False: it says nothing of how the source is, whose other addresses count
    has_news: bool = False  # its address lists something that it did not before
    stale_until: datetime | None = None  # None: its address is not stale
    articles: tuple[ArticleNote, ...] = ()
    bad_answer: BadAnswer | None = None  # for FAILED and GONE; None: none came, or it is not to blame
    doubts: int | None = None  # whether its hub can be relied upon, see `Pushing`; None: as before


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What recording one poll did."""

    source: str
    was_stale: bool = False  # the claim had expired and someone else holds it: nothing was written
    error: str | None = None  # why it could not be written
    new: int = 0  # items; of a backfill, matches
    changed: int = 0
    matched: int = 0
    ended: int = 0  # matches that no longer hold
    alerts: int = 0  # due now
    suppressed: int = 0
