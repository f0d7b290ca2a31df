"""Records for the store's tests, made with as few words as a test has about them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from syndicate.model import (
    AlertDraft,
    Attempt,
    Change,
    Claim,
    Delivery,
    DeliveryState,
    Entry,
    Hit,
    KnownItem,
    Match,
    Poll,
    PollState,
    PublishedFeed,
    Recorded,
    Route,
    Snippet,
    Source,
    StoredMatch,
    Suppressed,
    Validators,
)
from syndicate.model.feeds import Order
from syndicate.rules.archive import WORDS_VERSION, kept_words
from syndicate.rules.fingerprints import fingerprint, text_key
from syndicate.rules.text import ItemText, Subject
from syndicate.sources.identity import Identified, identify, items_by_entry
from syndicate.store.protocol import BackfillMatch, HostPace, RuleState, Store
from syndicate.stories import story_keys

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LEASE = 5 * MINUTE
NO_PACE = HostPace(interval=timedelta(), concurrency=1000)
UNWRITABLE = "a lone surrogate \ud800 that no database takes"


@dataclass
class Clock:
    """The store's time, set by hand."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A rule that holds for titles with its word in them."""

    rule: str = "eu"
    word: str = "EU"
    version: str = "1"
    notify: tuple[str, ...] = ("desk",)
    feed: bool = True
    escalate: int | None = None
    renamed_from: tuple[str, ...] = ()

    @property
    def state(self) -> RuleState:
        return RuleState(id=self.rule, version=self.version, feed=self.feed, renamed_from=self.renamed_from)

    def match(self, title: str) -> Match | None:
        start = title.find(self.word)
        if start < 0:
            return None
        end = start + len(self.word)
        return Match(
            rule=self.rule,
            rule_version=self.version,
            hits=(Hit(term=self.word, field="title", start=start, end=end),),
            snippet=Snippet(text=title, field="title", marks=((start, end),)),
        )


EU = Watch()
DESK_AND_CHAT = Watch(notify=("desk", "chat"))


def source(name: str = "wire", *hosts: str, **fields: Any) -> Source:
    """Return a source with an address on each host, by default one of its own."""
    urls = tuple(f"https://{host}/{name}.xml" for host in hosts or (f"{name}.example",))
    return Source(**{"id": name, "title": name.title(), "urls": urls, **fields})


def entry(name: str = "one", title: str = "EU news", **fields: Any) -> Entry:
    """Return an entry whose guid and link are made of a name."""
    return Entry(
        **{
            "guid": f"guid-{name}",
            "link": f"https://news.example/{name}",
            "title": title,
            "body": f"The text of {name}.",
            **fields,
        }
    )


def claim_all(store: Store, *, pace: HostPace = NO_PACE, limit: int = 1000) -> list[Claim]:
    return store.claim_sources(limit=limit, due_by=store.now(), lease=LEASE, pace=pace)


def made(store: Store, *names: str, watch: Watch = EU) -> None:
    """Make a delivery for each name, in this order."""
    for name in names:
        read(store, entry(name, f"EU {name}"), watches=[watch])


def claimed(store: Store, name: str = "wire") -> Claim:
    """Return a claim of this source, made due if need be; whatever else was due is given back."""
    store.poll_now([name])
    claims = {claim.source.id: claim for claim in claim_all(store)}
    wanted = claims.pop(name)
    store.release_sources(list(claims.values()))
    return wanted


def poll(claim: Claim, store: Store, **fields: Any) -> Poll:
    """Return a poll that found nothing new, unless told otherwise."""
    return Poll(
        **{
            "claim": claim,
            "ended_at": store.now(),
            "state": PollState.OK,
            "next_poll_at": store.now() + HOUR,
            "status": 200,
            "validators": claim.validators,
            "body_hash": claim.body_hash,
            **fields,
        }
    )


def reading(
    store: Store,
    claim: Claim,
    *entries: Entry,
    watches: Sequence[Watch] = (EU,),
    suppressed: Suppressed | None = None,
    **fields: Any,
) -> Poll:
    """Return the poll of a document with these entries."""
    identified = identify(entries)
    known = store.known_items(claim.source.id, [key for one in identified for key in one.keys])
    changes: list[Change] = []
    new_keys: list[tuple[str, int]] = []
    for one, item in zip(identified, items_by_entry(identified, known), strict=True):
        if item is None or item.content_hash != one.content_hash:
            changes.append(change(one, item, watches, suppressed))
        else:
            new_keys += [(key, item.id) for key in one.keys if key not in known]
    return poll(claim, store, changes=tuple(changes), new_keys=tuple(new_keys), **fields)


def change(
    one: Identified, item: KnownItem | None, watches: Sequence[Watch], suppressed: Suppressed | None = None
) -> Change:
    found = [(watch, match) for watch in watches if (match := watch.match(one.entry.title))]
    subject = Subject(
        title=one.entry.title,
        body=one.entry.body,
        author=one.entry.author,
        categories=one.entry.categories,
        language=one.entry.language,
    )
    return Change(
        item=item.id if item else None,
        entry=one.entry,
        keys=one.keys,
        story_keys=(*story_keys(one.entry.link, one.entry.canonical), *_text_keys(one.entry, found)),
        content_hash=one.content_hash,
        language=one.entry.language,
        words=kept_words(ItemText(subject)),
        words_version=WORDS_VERSION,
        matches=tuple(match for _, match in found),
        alerts=tuple(
            AlertDraft(rule=watch.rule, endpoint=endpoint, suppressed=suppressed, escalate=watch.escalate)
            for watch, _ in found
            for endpoint in watch.notify
        ),
        fingerprint=fingerprint(one.entry.title, one.entry.body, one.entry.language) if found else None,
    )


def _text_keys(entry: Entry, found: Sequence[object]) -> tuple[str, ...]:
    key = text_key(entry.title, entry.body) if found else None
    return (key,) if key else ()


def recorded(store: Store, poll: Poll) -> Recorded:
    """Record one poll, which the store must be able to write."""
    (result,) = store.record_polls([poll])
    assert result.error is None
    assert not result.was_stale
    return result


def read(
    store: Store,
    *entries: Entry,
    name: str = "wire",
    watches: Sequence[Watch] = (EU,),
    suppressed: Suppressed | None = None,
) -> Recorded:
    """Poll a source and find these entries."""
    return recorded(
        store, reading(store, claimed(store, name), *entries, watches=watches, suppressed=suppressed)
    )


def failed(claim: Claim, store: Store, **fields: Any) -> Poll:
    """Return a poll that got no answer; another address is due at once, as long as there is one."""
    return poll(
        claim,
        store,
        **{
            "state": PollState.FAILED,
            "status": None,
            "error": "no answer",
            "try_next_address": not claim.is_last_address,
            "next_poll_at": store.now() + HOUR if claim.is_last_address else claim.due_at,
            **fields,
        },
    )


def gone(claim: Claim, store: Store) -> Poll:
    return failed(claim, store, state=PollState.GONE, status=410, error="the server answered 410 (gone)")


def backfilled(store: Store, watch: Watch, since: datetime) -> Recorded:
    """Apply a rule to what is stored."""
    return store.record_backfill(watch.state, since, backfill_matches(store, watch, since))


def backfill_matches(store: Store, watch: Watch, since: datetime) -> list[BackfillMatch]:
    from syndicate.store.searching import ItemFilter

    return [
        BackfillMatch(
            item=found.item.id,
            revision=found.item.revision,
            match=match,
            alerts=tuple(
                AlertDraft(rule=watch.rule, endpoint=endpoint, suppressed=Suppressed.BACKFILL)
                for endpoint in watch.notify
            ),
            text_key=text_key(found.item.title, found.item.body),
            fingerprint=fingerprint(found.item.title, found.item.body, found.item.language),
        )
        for found in store.items(ItemFilter(since=since, limit=10_000))
        if (match := watch.match(found.item.title))
    ]


def claim_alerts(
    store: Store, *endpoints: str, limit: int = 1000, per_endpoint: int = 1000, lease: timedelta = LEASE
) -> list[Delivery]:
    room = dict.fromkeys(endpoints or ("desk",), per_endpoint)
    return store.claim_deliveries(limit=limit, room=room, lease=lease)


def attempt(delivery: Delivery, store: Store, **fields: Any) -> Attempt:
    """Return an attempt that was taken, unless told otherwise."""
    return Attempt(
        **{
            "delivery": delivery.id,
            "endpoint": delivery.endpoint,
            "token": delivery.token,
            "started_at": store.now(),
            "duration": SECOND,
            "status": 204,
            "error": None,
            "answer": "",
            "state": DeliveryState.DELIVERED,
            "next_attempt_at": None,
            **fields,
        }
    )


def retried(delivery: Delivery, store: Store, after: timedelta) -> Attempt:
    return attempt(
        delivery,
        store,
        status=500,
        error="the receiver answered 500",
        state=DeliveryState.WAITING,
        next_attempt_at=store.now() + after,
    )


def with_validators(one: Poll, etag: bytes | None, last_modified: bytes | None = None) -> Poll:
    return replace(one, validators=Validators(etag=etag, last_modified=last_modified))


def shown(store: Store, feed: str = "eu", limit: int = 100) -> list[StoredMatch]:
    """Return the matches in the head of a feed, as its files would show them, the newest first."""
    store.number_entries([feed])
    listed = store.feed_head(feed, 10**9, limit, Order.PUBLISHED)
    entries = store.feed_entries(feed, [each.number for each in listed])
    assert [(each.number, each.state) for each in entries] == [(each.number, each.state) for each in listed]
    found = [match for entry in entries for match in entry.matches]
    return sorted(found, key=lambda each: (each.item.order, each.item.id), reverse=True)


def written(store: Store) -> list[PublishedFeed]:
    """Return what a publisher that has written all stale feeds tells of them."""
    stale = store.stale_feeds()
    numberings = store.number_entries([feed.id for feed in stale])
    return [
        PublishedFeed(id=feed.id, generation=feed.generation, written_as="", numbering=numberings[feed.id])
        for feed in stale
    ]


def silenced(store: Store, endpoint: str = "desk") -> int:
    """Suppress what is held back from an endpoint and silenced, letting nothing go; return how many."""
    routed = store.route_held(endpoint, lambda _held, _past, now: Route(look_at=now), interval=timedelta())
    return routed.silenced
