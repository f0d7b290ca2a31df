"""The store on a database that takes our statements, whichever it is. See `syndicate.store.sql`.

Each unit of work has a connection to itself.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from syndicate.model import (
    AddressStatus,
    AlertStatus,
    Asked,
    Attempt,
    AttemptStatus,
    AwaitedArticle,
    Claim,
    Confirmed,
    Delivery,
    DeliveryState,
    DeliveryStatus,
    EndpointNotice,
    EndpointStatus,
    FoundItem,
    Item,
    Kept,
    KeptArticle,
    KnownItem,
    ListedEntry,
    NumberedMatches,
    Numbering,
    Ongoing,
    Page,
    Poll,
    PublishedFeed,
    Recorded,
    Routed,
    Silence,
    SilenceDraft,
    Source,
    SourceDocument,
    SourceStatus,
    SpikeStep,
    StaleFeed,
    StoredMatch,
    StoryStatus,
    Subscription,
    Window,
)
from syndicate.model.feeds import Feed, Order
from syndicate.model.health import HealthReport
from syndicate.store import (
    sql_articles,
    sql_claims,
    sql_configuration,
    sql_deliveries,
    sql_endpoints,
    sql_feed_entries,
    sql_feeds,
    sql_health,
    sql_hours,
    sql_items,
    sql_learned,
    sql_letters,
    sql_matches,
    sql_pace,
    sql_polls,
    sql_pushes,
    sql_silences,
    sql_sources,
    sql_spikes,
    sql_stories,
    sql_subscriptions,
)
from syndicate.store.protocol import BackfillMatch, Decide, Floods, HostPace, RuleState
from syndicate.store.searching import ItemFilter
from syndicate.store.sql import Lending
from syndicate.store.sql_api import SqlApi
from syndicate.store.sql_hub import SqlHub
from syndicate.store.sql_overview import SqlOverview
from syndicate.store.sql_pages import SqlPages
from syndicate.store.sql_search import SqlSearch
from syndicate.store.sql_watching import SqlWatch


class SqlStore:
    """`Store` on connections that somebody lends. See `Store` for what each unit does.

    Args:
        lending: lends them.
        clock: tells the time.
    """

    def __init__(self, lending: Lending, clock: Callable[[], datetime]) -> None:
        self._connections = lending
        self._clock = clock
        self._rule_set: str | None = None  # that this process was configured with
        self._write, self._read = lending.write, lending.read
        self._record, self._claim = lending.record, lending.claim

    @property
    def hub(self) -> SqlHub:
        return SqlHub(write=self._write, read=self._read, now=self.now)

    @property
    def pages(self) -> SqlPages:
        return SqlPages(self._read)

    @property
    def overview(self) -> SqlOverview:
        return SqlOverview(read=self._read, now=self.now, disk_free_bytes=self._connections.disk_free_bytes)

    @property
    def api(self) -> SqlApi:
        return SqlApi(self._read)

    @property
    def watch(self) -> SqlWatch:
        return SqlWatch(write=self._write, read=self._read, now=self.now)

    @property
    def search(self) -> SqlSearch:
        return SqlSearch(self._read)

    def now(self) -> datetime:
        return self._clock()

    def close(self) -> None:
        self._connections.close()

    def release_abandoned_leases(self) -> int:
        with self._connections.alone() as is_alone:
            if not is_alone:
                return 0
            with self._write() as db:
                return sql_claims.release_all(db)

    def is_worked_on(self) -> bool:
        """Whether another process polls or delivers with this database; of a store that does not itself."""
        return self._connections.is_worked_on()

    def configure(
        self,
        sources: Sequence[Source],
        rules: Sequence[RuleState],
        network: str = "",
        paced: Collection[str] = (),
        feeds: Sequence[Feed] | None = None,
    ) -> tuple[str, ...]:
        with self._write() as db:
            sql_configuration.note_network(db, network, self.now())
            self._rule_set = sql_configuration.note_rule_set(db, rules)
            sql_pace.configure_paces(db, paced, self.now())
            if feeds is None:
                feeds = [rule.own_feed for rule in rules if rule.feed]
            return sql_configuration.configure(db, sources, rules, feeds, self.now())

    def claim_sources(self, *, limit: int, due_by: datetime, lease: timedelta, pace: HostPace) -> list[Claim]:
        with self._claim() as db:
            return sql_claims.claim_sources(
                db, limit=limit, due_by=due_by, lease=lease, pace=pace, now=self.now()
            )

    def next_claim_at(self, due_by: datetime) -> datetime | None:
        with self._read() as db:
            return sql_claims.next_claim_at(db, due_by, self.now())

    def take_turn(
        self,
        url: str,
        pace: HostPace,
        *,
        earliest: datetime | None = None,
        latest: datetime | None = None,
    ) -> datetime | None:
        with self._claim() as db:
            now = self.now()
            earliest = max(now, earliest or now)
            return sql_claims.take_turn(db, url, pace, earliest=earliest, latest=latest, now=now)

    def leave_alone(self, url: str, until: datetime) -> None:
        with self._write() as db:
            sql_claims.leave_alone(db, url, until)

    def page(self, key: str, reading: str, since: datetime) -> Page | None:
        with self._read() as db:
            return sql_articles.page(db, key, reading, since)

    def keep_page(self, source: str, page: Page) -> None:
        with self._record() as db:
            sql_articles.keep_page(db, source, page, self.now())

    def pages_of(self, source: str, host: str) -> list[Page]:
        with self._read() as db:
            return sql_articles.pages_of(db, source, host)

    def kept_articles(self, items: Sequence[int]) -> Mapping[int, KeptArticle]:
        with self._read() as db:
            return sql_articles.kept_articles(db, items)

    def awaited_articles(self, source: str, limit: int) -> list[AwaitedArticle]:
        with self._read() as db:
            return sql_articles.awaited_articles(db, source, limit, self.now())

    def release_sources(self, claims: Sequence[Claim]) -> None:
        with self._claim() as db:
            sql_claims.release_sources(db, claims)

    def poll_now(self, sources: Sequence[str] | None) -> None:
        with self._write() as db:
            sql_claims.poll_now(db, sources, self.now())

    def known_items(self, source: str, keys: Sequence[str]) -> Mapping[str, KnownItem]:
        with self._read() as db:
            return sql_items.known_items(db, source, keys)

    def record_polls(self, polls: Sequence[Poll]) -> list[Recorded]:
        with self._record() as db:
            if self._rule_set and any(poll.changes for poll in polls):
                sql_configuration.forget_versions_under_other_rules(db, self._rule_set)
            sql_learned.note_answers(db, polls, self.now())
            recorded = sql_polls.record_polls(db, polls, self.now())
            sql_hours.note_polls(db, polls, recorded, self.now())
            return recorded

    def subscribe(self, base: str | None, can_reach_us: Callable[[str], bool] | None = None) -> int:
        with self._write() as db:
            return sql_subscriptions.subscribe(db, base, can_reach_us, self.now())

    def doubt_hubs(self) -> int:
        with self._write() as db:
            return sql_subscriptions.doubt_hubs(db, self.now())

    def claim_subscriptions(self, *, limit: int, lease: timedelta) -> list[Subscription]:
        with self._write() as db:
            return sql_subscriptions.claim_subscriptions(db, limit, lease, self.now())

    def record_asked(self, asked: Sequence[Asked]) -> None:
        with self._write() as db:
            sql_subscriptions.record_asked(db, asked)

    def subscription(self, token: str) -> Subscription | None:
        with self._read() as db:
            return sql_subscriptions.subscription(db, token)

    def record_confirmed(self, confirmed: Confirmed) -> bool:
        with self._write() as db:
            return sql_subscriptions.record_confirmed(db, confirmed, self.now())

    def keep_push(
        self, subscription: Subscription, content_type: str, body: bytes, *, is_signed: bool
    ) -> Kept:
        with self._write() as db:
            sent = sql_pushes.Sent(content_type=content_type, body=body, is_signed=is_signed)
            return sql_pushes.keep_push(db, subscription, sent, self.now())

    def note_rejected(self, subscription: Subscription) -> None:
        with self._write() as db:
            sql_pushes.note_rejected(db, subscription, self.now())

    def record_backfill(self, rule: RuleState, since: datetime, matches: Sequence[BackfillMatch]) -> Recorded:
        with self._record() as db:
            return sql_matches.record_backfill(db, rule, since, matches, self.now())

    def skip_backfill(self, rules: Sequence[RuleState]) -> bool:
        with self._write() as db:
            return sql_matches.skip_backfill(db, rules)

    def stale_feeds(self) -> list[StaleFeed]:
        with self._read() as db:
            return sql_feeds.stale_feeds(db)

    def number_entries(self, feeds: Sequence[str]) -> Mapping[str, Numbering]:
        with self._record() as db:
            return sql_feeds.number_entries(db, feeds, self.now())

    def feed_head(self, feed: str, paged: int, limit: int, order: Order) -> list[ListedEntry]:
        with self._read() as db:
            return sql_feed_entries.feed_head(db, feed, paged, limit, order)

    def feed_entries(self, feed: str, numbers: Sequence[int]) -> list[NumberedMatches]:
        with self._read() as db:
            return sql_feed_entries.feed_entries(db, feed, numbers)

    def feeds_published(self, feeds: Sequence[PublishedFeed]) -> None:
        with self._write() as db:
            sql_feeds.feeds_published(db, feeds)

    def retired_names(self) -> list[str]:
        with self._read() as db:
            return sql_feeds.retired_names(db)

    def forget_names(self, names: Sequence[str]) -> None:
        with self._write() as db:
            sql_feeds.forget_names(db, names)

    def publish_health(self, *, is_published: bool) -> None:
        with self._write() as db:
            sql_health.publish_health(db, self.now(), is_published=is_published)

    def health(self, known: int | None) -> HealthReport | None:
        with self._read() as db:
            return sql_health.health(db, known)

    def claim_deliveries(self, *, limit: int, room: Mapping[str, int], lease: timedelta) -> list[Delivery]:
        with self._claim() as db:
            return sql_deliveries.claim_deliveries(db, limit=limit, room=room, lease=lease, now=self.now())

    def freeze_bodies(self, bodies: Sequence[tuple[str, str, bytes]]) -> None:
        with self._claim() as db:
            sql_deliveries.freeze_bodies(db, bodies)

    def record_attempts(
        self, attempts: Sequence[Attempt], notify: Sequence[str] = ()
    ) -> list[EndpointNotice]:
        with self._write() as db:
            sql_deliveries.record_attempts(db, attempts)
            sql_hours.note_attempts(db, attempts, self.now())
            return sql_endpoints.note_attempts(db, attempts, notify, self.now())

    def release_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        with self._claim() as db:
            sql_deliveries.release_deliveries(db, deliveries)

    def replay_deliveries(self, ids: Sequence[str]) -> int:
        with self._write() as db:
            return sql_letters.replay(db, ids, self.now())

    def enable_endpoint(self, endpoint: str) -> int | None:
        with self._write() as db:
            return sql_endpoints.enable(db, endpoint, self.now())

    def endpoints_to_route(self) -> list[str]:
        with self._read() as db:
            return sql_pace.endpoints_to_route(db, self.now())

    def route_held(
        self, endpoint: str, decide: Decide, *, interval: timedelta, urgent: Collection[str] = ()
    ) -> Routed:
        with self._write() as db:
            now = self.now()
            silenced = sql_silences.silence_held(db, endpoint, now)
            held, past = sql_pace.held_alerts(db, endpoint, interval, urgent, now)
            decided = decide(held, past, now)
            sql_pace.record_route(db, held, decided, now)
        told = sum(map(len, decided.deliveries))
        return Routed(silenced=silenced, made=len(decided.deliveries), held=len(held) - told)

    def collapse_floods(self, which: Floods) -> Mapping[str, int]:
        with self._read() as db:
            flooded = sql_pace.floods(db, which, self.now())
        if not flooded:
            return {}
        with self._write() as db:
            return sql_pace.collapse_floods(db, which, self.now())

    def add_silence(self, draft: SilenceDraft) -> Silence:
        with self._write() as db:
            return sql_silences.add_silence(db, draft, self.now())

    def silences(self) -> list[Silence]:
        with self._read() as db:
            return sql_silences.silences(db)

    def expire_silences(self, ids: Sequence[int]) -> list[int]:
        with self._write() as db:
            return sql_silences.expire_silences(db, ids, self.now())

    def story_counts(
        self, rules: Collection[str], windows: Sequence[Window]
    ) -> Mapping[str, tuple[int | None, ...]]:
        with self._read() as db:
            return sql_spikes.story_counts(db, rules, windows)

    def ongoing_spikes(self) -> Mapping[str, Ongoing]:
        with self._read() as db:
            return sql_spikes.ongoing_spikes(db)

    def record_spikes(self, steps: Sequence[SpikeStep]) -> int:
        with self._write() as db:
            return sql_spikes.record_spikes(db, steps, self.now())

    def items(self, which: ItemFilter) -> list[FoundItem]:
        with self._read() as db:
            return sql_items.items(db, which)

    def stored_match(self, rule: str, item: int) -> StoredMatch | None:
        with self._read() as db:
            return sql_matches.stored_match(db, rule, item)

    def alerts_about(self, rule: str, stories: Collection[int]) -> list[AlertStatus]:
        with self._read() as db:
            return sql_matches.alerts_about(db, rule, stories)

    def story_of(self, item: int) -> StoryStatus | None:
        with self._read() as db:
            return sql_stories.story_of(db, item)

    def languages(self) -> list[str | None]:
        with self._read() as db:
            return sql_items.languages(db)

    def items_kept_otherwise(self, words_version: int, limit: int) -> list[Item]:
        with self._read() as db:
            return sql_items.items_kept_otherwise(db, words_version, limit)

    def keep_words(self, words: Sequence[tuple[int, int, Mapping[str, str]]], words_version: int) -> None:
        with self._record() as db:
            several = [
                sql_items.Kept(item=item, words=found, version=words_version)
                for item, revision, found in words
                if sql_items.has_revision(db, item, revision)
            ]
            sql_items.keep_words(db, several)

    def sources(self) -> list[SourceStatus]:
        with self._read() as db:
            return sql_sources.sources(db, self.now())

    def addresses(self, source: str) -> list[AddressStatus]:
        with self._read() as db:
            return sql_sources.addresses(db, source)

    def source_documents(self, sources: Collection[str]) -> Mapping[str, SourceDocument]:
        with self._read() as db:
            return sql_sources.source_documents(db, sources)

    def match_counts(self) -> Mapping[str, int]:
        with self._read() as db:
            return sql_feeds.match_counts(db)

    def deliveries(
        self,
        *,
        endpoint: str | None = None,
        state: DeliveryState | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> list[DeliveryStatus]:
        which = sql_letters.Which(endpoint=endpoint, state=state, since=since)
        with self._read() as db:
            return sql_letters.deliveries(db, which, limit)

    def delivery(self, identity: str) -> tuple[DeliveryStatus, list[AttemptStatus]] | None:
        with self._read() as db:
            return sql_letters.delivery(db, identity)

    def endpoints(self, endpoints: Sequence[str]) -> list[EndpointStatus]:
        with self._read() as db:
            return sql_endpoints.endpoint_statuses(db, endpoints, self.now())
