"""The units of work that a database must do. Each is one transaction: done as a whole, or not at all.

`tests/contract` holds what every implementation must show. One thread writes; any thread may read.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from syndicate.model import (
    AddressStatus,
    AlertDraft,
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
    HeldAlert,
    Item,
    Kept,
    KeptArticle,
    KnownItem,
    ListedEntry,
    Match,
    NumberedMatches,
    Numbering,
    Ongoing,
    Page,
    Past,
    Poll,
    PublishedFeed,
    Recorded,
    Route,
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
from syndicate.near import Fingerprint
from syndicate.store.api import ApiStore
from syndicate.store.hub import HubStore
from syndicate.store.overview import OverviewStore
from syndicate.store.pages import PageStore
from syndicate.store.searching import ItemFilter, SearchStore
from syndicate.store.watching import WatchStore

STORY_WINDOW = timedelta(days=3)  # for which a text is compared with: next month's flood is another story
PAGE_AGE = timedelta(hours=24)  # for which the page of an article is not asked for again

Decide = Callable[[Sequence[HeldAlert], Past, datetime], Route]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """What the store must know of a rule: its version, whether it publishes a feed, what it was called."""

    id: str
    version: str
    feed: bool
    renamed_from: tuple[str, ...] = ()  # all that is known under these ids goes on under its own
    terms: tuple[str, ...] = ()  # what it asks for, as its author wrote it

    @property
    def own_feed(self) -> Feed:
        """The feed of its matches, with the usual settings."""
        return Feed(id=self.id, title=self.id, about="", rules=(self.id,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Floods:
    """What a flood is, and of what."""

    flood_after: Mapping[str, int]  # by endpoint, how many deliveries may be due at once; others: any number
    read: Collection[str] = ()  # endpoints where people read
    urgent: Collection[str] = ()  # rules whose alerts are left out of it


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPace:
    """How requests to one host are spaced, over all workers."""

    interval: timedelta  # between the starts of two polls
    concurrency: int  # polls at once


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillMatch:
    """A rule that holds for a stored item."""

    item: int
    revision: int
    match: Match
    alerts: tuple[AlertDraft, ...]
    text_key: str | None = None  # of its text, under which others find its story
    fingerprint: Fingerprint | None = None  # of its text; None: too short, or too old to be compared with


class Store(Protocol):
    """Where state lives."""

    @property
    def hub(self) -> HubStore:
        """The units of work of our hub."""

    @property
    def pages(self) -> PageStore:
        """The units of work of the pages."""

    @property
    def overview(self) -> OverviewStore:
        """The units of work of the pages about what goes out and about the machine."""

    @property
    def api(self) -> ApiStore:
        """The units of work of the JSON API."""

    @property
    def watch(self) -> WatchStore:
        """The units of work of watching sources."""

    @property
    def search(self) -> SearchStore:
        """The units of work of looking back."""

    def now(self) -> datetime:
        """Return the time that all decisions use."""

    def close(self) -> None:
        """Let go of the database. Nothing is pending after any unit of work, so nothing is lost."""

    def release_abandoned_leases(self) -> int:
        """Return how many leases were freed because no process that could hold them is alive."""

    def configure(
        self,
        sources: Sequence[Source],
        rules: Sequence[RuleState],
        network: str = "",
        paced: Collection[str] = (),
        feeds: Sequence[Feed] | None = None,
    ) -> tuple[str, ...]:
        """Take over the configuration; return the rules whose version is new here, so must be backfilled.

        Sources and rules that are gone from it are kept, with all that belongs to them, but neither
        polled nor published.

        Args:
            network: how we may reach others; when it is another than the last time, failing sources are due.
            paced: endpoints from which alerts are held back. What is held is to be looked at anew.
            feeds: what is published; None: the rules' own feeds.
        """

    # -- polling

    def claim_sources(self, *, limit: int, due_by: datetime, lease: timedelta, pace: HostPace) -> list[Claim]:
        """Return sources due by then, leased to us, longest due first, no host that must be left alone.

        Before them come sources of which a hub has sent something, with that: it is read instead of asking.
        """

    def next_claim_at(self, due_by: datetime) -> datetime | None:
        """Return when a source due by then can be claimed at the earliest, None if there is none.

        What is leased counts from the end of its lease, what waits for its host from the end of that.
        """

    def take_turn(
        self,
        url: str,
        pace: HostPace,
        *,
        earliest: datetime | None = None,
        latest: datetime | None = None,
    ) -> datetime | None:
        """Return when the host of an address may be asked next, and have all others wait until after that.

        None: it wants to be left alone. A time from `latest` on comes too late: the turn is left to others.
        """

    def leave_alone(self, url: str, until: datetime) -> None:
        """Have nobody ask the host of an address until then."""

    def release_sources(self, claims: Sequence[Claim]) -> None:
        """Give back claims that came to nothing (shutdown); they are due as before."""

    def poll_now(self, sources: Sequence[str] | None) -> None:
        """Make these sources (None: all) due. Hosts and addresses that asked to be left alone still are."""

    def known_items(self, source: str, keys: Sequence[str]) -> Mapping[str, KnownItem]:
        """Return what is stored under each of these keys of a source."""

    def record_polls(self, polls: Sequence[Poll]) -> list[Recorded]:
        """Write finished polls, a savepoint each, with all that follows: items to deliveries and stale feeds.

        A poll whose claim has gone to someone else changes nothing. A poll that cannot be written raises
        nothing here: it is reported in `Recorded.error`, its source backs off, and the others are written.
        """

    # -- pages of articles

    def page(self, key: str, reading: str, since: datetime) -> Page | None:
        """Return a page that any source has read in this way since then, None if none has."""

    def keep_page(self, source: str, page: Page) -> None:
        """Keep a page that a source has read, instead of what it read of it before; older ones go."""

    def pages_of(self, source: str, host: str) -> list[Page]:
        """Return the last pages that a source has read of a host, oldest first, without their lines."""

    def kept_articles(self, items: Sequence[int]) -> Mapping[int, KeptArticle]:
        """Return what is known of the articles of items; nothing of those whose page was never wanted."""

    def awaited_articles(self, source: str, limit: int) -> list[AwaitedArticle]:
        """Return items of a source whose articles are to be asked for again by now, longest due first."""

    # -- being told by hubs

    def subscribe(self, base: str | None, can_reach_us: Callable[[str], bool] | None = None) -> int:
        """Have a subscription for each source that is polled, wants one, and whose document names a hub.

        Those that are not as they should be are given up, and new ones made, due to be asked for. Active ones
        that are given up make their source due. Returns how many were made or given up.

        Args:
            base: what callbacks begin with; None: there are to be no subscriptions.
            can_reach_us: whether a hub can push there; others are not asked. None: all can.
        """

    def doubt_hubs(self) -> int:
        """Rely on no hub until it pushes again: what it pushed while nobody was here may be lost.

        Sources that were polled only to be safe are due when they would have been without a hub. Returns how
        many there are.
        """

    def claim_subscriptions(self, *, limit: int, lease: timedelta) -> list[Subscription]:
        """Return subscriptions of which the hub is to be asked now, leased to us, as asked from now on."""

    def record_asked(self, asked: Sequence[Asked]) -> None:
        """Write what came of asking hubs; nothing under a stale token, or where the hub was quicker."""

    def subscription(self, token: str) -> Subscription | None:
        """Return the subscription whose callback ends so, None if there is none."""

    def record_confirmed(self, confirmed: Confirmed) -> bool:
        """Write what was agreed upon with a hub; return False if the subscription has changed meanwhile."""

    def keep_push(
        self, subscription: Subscription, content_type: str, body: bytes, *, is_signed: bool
    ) -> Kept:
        """Keep what a hub has sent until it is read; if it is not signed, make the source due instead."""

    def note_rejected(self, subscription: Subscription) -> None:
        """Count something that was sent to a callback without the right signature."""

    # -- rules over what is stored

    def record_backfill(self, rule: RuleState, since: datetime, matches: Sequence[BackfillMatch]) -> Recorded:
        """Make these the rule's matches among items since then, under this version; others there end.

        Alerts are entered for items for which the rule never held, and wherever a person asked for them.
        """

    def skip_backfill(self, rules: Sequence[RuleState]) -> bool:
        """Note that these versions were applied, if nothing is stored that they could be applied to.

        Returns whether that is so.
        """

    # -- publishing

    def stale_feeds(self) -> list[StaleFeed]:
        """Return the feeds whose files do not show what is stored."""

    def number_entries(self, feeds: Sequence[str]) -> Mapping[str, Numbering]:
        """Give numbers to what came into these feeds, or changed there for readers, since the last time.

        What came first has the lower number. What changed has a new one, and its former is free for ever.
        """

    def feed_head(self, feed: str, paged: int, limit: int, order: Order) -> list[ListedEntry]:
        """Return what the head of a feed may show, by numbers.

        That are all entries that are on no page yet, and so many as come first in its order.

        Args:
            paged: the highest number that is on a page.
        """

    def feed_entries(self, feed: str, numbers: Sequence[int]) -> list[NumberedMatches]:
        """Return what the entries with these numbers show, by numbers, without those that are gone."""

    def feeds_published(self, feeds: Sequence[PublishedFeed]) -> None:
        """Note that the files of each feed show its generation."""

    def retired_names(self) -> list[str]:
        """Return under which names feeds were published that are called otherwise now, or are no more."""

    def forget_names(self, names: Sequence[str]) -> None:
        """Note that no file is left of feeds that were called so."""

    def publish_health(self, *, is_published: bool) -> None:
        """Take over whether there is a feed of health. One that comes back has another address."""

    def health(self, known: int | None) -> HealthReport | None:
        """Return what the feed of health shows; None if there is none, or no change to it.

        Args:
            known: as many changes as are shown already (`HealthReport.changes`); None: nothing is.
        """

    # -- delivering

    def claim_deliveries(self, *, limit: int, room: Mapping[str, int], lease: timedelta) -> list[Delivery]:
        """Return due deliveries, leased to us, oldest first; each endpoint's in the order they fell due.

        Nothing for endpoints that are disabled.

        Args:
            limit: how many in all; if more are due, each endpoint gets some.
            room: by endpoint, how many may be leased at once, to whomever. Others get nothing.
        """

    def freeze_bodies(self, bodies: Sequence[tuple[str, str, bytes]]) -> None:
        """Keep (delivery, token, body): what every attempt sends. Stale tokens change nothing."""

    def record_attempts(
        self, attempts: Sequence[Attempt], notify: Sequence[str] = ()
    ) -> list[EndpointNotice]:
        """Append attempts and move their deliveries on; under a stale token, append only.

        Endpoints that take nothing are disabled (`syndicate.store.health`). That, and that they take
        something again, is entered as alerts to the others among `notify`, and returned.
        """

    def release_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Give back deliveries that were not tried (shutdown); they are due as before."""

    def replay_deliveries(self, ids: Sequence[str]) -> int:
        """Make deliveries due now, whatever became of them, with all tries before them; return how many are.

        What is under way at this moment is left alone, and so is what is held back. Ids and bodies stay.
        """

    def enable_endpoint(self, endpoint: str) -> int | None:
        """Have a disabled endpoint be sent what waits for it, in the order made; return how many wait.

        None: it was not disabled.
        """

    # -- holding back

    def endpoints_to_route(self) -> list[str]:
        """Return the endpoints from which alerts are held back that are to be looked at now.

        None that is disabled: what is held from it goes by its pace when it is enabled.
        """

    def route_held(
        self, endpoint: str, decide: Decide, *, interval: timedelta, urgent: Collection[str] = ()
    ) -> Routed:
        """Suppress what is held back from an endpoint and silenced; make deliveries of the rest as decided.

        All at once, so that whoever decides knows what others have done. What stays is looked at again when
        the route says so, and what comes later at once.

        Args:
            decide: returns what becomes of what is held, first ones first, given what was told before. Nobody
                else can write meanwhile, so it is quick.
            interval: how far back it matters which alerts it was told.
            urgent: rules whose alerts are left out of that.
        """

    def collapse_floods(self, which: Floods) -> Mapping[str, int]:
        """Make one delivery of all that are due, where those are too many; return how many, by endpoint.

        Those that were tried without success are part of it only where people read, who know no ids. What is
        under way, or was sent when we were killed, stays as it is, and so does what a person has replayed.
        """

    def add_silence(self, draft: SilenceDraft) -> Silence:
        """Have alerts from now on, and those that are held back, not be told until the silence ends."""

    def silences(self) -> list[Silence]:
        """Return all silences, also those that have ended, oldest first."""

    def expire_silences(self, ids: Sequence[int]) -> list[int]:
        """End silences now; return those that had not ended yet. What they silenced stays untold."""

    # -- volumes of rules

    def story_counts(
        self, rules: Collection[str], windows: Sequence[Window]
    ) -> Mapping[str, tuple[int | None, ...]]:
        """Return how many of the stories first seen in each window each rule holds for.

        None: unknown, since nobody looked all the time, or the rule was not applied to what came then. What
        may have come at another time (`Change.came_late`) is left out.
        """

    def ongoing_spikes(self) -> Mapping[str, Ongoing]:
        """Return the spike of each rule that has one."""

    def record_spikes(self, steps: Sequence[SpikeStep]) -> int:
        """Write what becomes of spikes, with the alerts and deliveries of those that begin; return how many.

        A rule has one at a time. What another process has changed meanwhile stays.
        """

    # -- looking

    def items(self, which: ItemFilter) -> list[FoundItem]:
        """Return items, newest first."""

    def stored_match(self, rule: str, item: int) -> StoredMatch | None:
        """Return a rule's match of an item, also one that has ended; None if it never held."""

    def alerts_about(self, rule: str, stories: Collection[int]) -> list[AlertStatus]:
        """Return what the ledger has of a rule and these stories, oldest first."""

    def story_of(self, item: int) -> StoryStatus | None:
        """Return the story of an item, None if there is no such item."""

    def languages(self) -> list[str | None]:
        """Return every language that some stored item has; None is among them if some have none."""

    def items_kept_otherwise(self, words_version: int, limit: int) -> list[Item]:
        """Return items whose words in the full-text index are of another version than this."""

    def keep_words(self, words: Sequence[tuple[int, int, Mapping[str, str]]], words_version: int) -> None:
        """Put (item, revision, words) into the full-text index; nothing for items edited meanwhile."""

    def sources(self) -> list[SourceStatus]:
        """Return how each source is, in the order of the configuration, those gone from it last."""

    def addresses(self, source: str) -> list[AddressStatus]:
        """Return how each of a source's addresses is, in the order of the configuration."""

    def source_documents(self, sources: Collection[str]) -> Mapping[str, SourceDocument]:
        """Return what the documents of those of the sources that are known say of themselves."""

    def match_counts(self) -> Mapping[str, int]:
        """Return how many items each rule holds for."""

    def deliveries(
        self,
        *,
        endpoint: str | None = None,
        state: DeliveryState | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> list[DeliveryStatus]:
        """Return deliveries made since then, newest first; what is None does not restrict."""

    def delivery(self, identity: str) -> tuple[DeliveryStatus, list[AttemptStatus]] | None:
        """Return a delivery and all its attempts, in order; None if there is no such delivery."""

    def endpoints(self, endpoints: Sequence[str]) -> list[EndpointStatus]:
        """Return how these endpoints are, and then all others for which deliveries wait or are dead."""
