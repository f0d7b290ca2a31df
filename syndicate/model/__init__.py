"""The records that flow from configuration to attempts. Frozen, without I/O; times are aware and UTC.

Where a stage adds something, it has a record of its own:

    Source -> Claim -> Entry (in a Document) -> Change (in a Poll) -> Item -> Match
           -> Alert -> Delivery -> Attempt
"""

from syndicate.model.articles import (
    FULL_TEXT,
    ArticleNote,
    AwaitedArticle,
    Block,
    KeptArticle,
    LateArticle,
    Page,
)
from syndicate.model.configuration import (
    Address,
    Config,
    Endpoint,
    Example,
    Kind,
    NetworkSettings,
    RuleText,
    Scope,
    ScoreText,
    ServiceSettings,
    Source,
    WeightedTerm,
    Written,
)
from syndicate.model.decide import AlertDraft, Change, KnownItem, Poll, PollState, Recorded
from syndicate.model.deliver import (
    Alert,
    AlertStatus,
    Attempt,
    Delivery,
    DeliveryState,
    DeliveryStatus,
    SourceAlert,
)
from syndicate.model.keep import AddressStatus, FoundItem, Item, RuleStatus, SourceStatus, StoredMatch, Wanted
from syndicate.model.learn import Due, Gap, Habit, Hints, Learned, Notice, Trouble, TroubleKind, Trust
from syndicate.model.match import Hit, Match, Score, Snippet, Suppressed
from syndicate.model.parse import Document, Enclosure, Entry
from syndicate.model.publish import StaleFeed
from syndicate.model.push import (
    Asked,
    Confirmed,
    Kept,
    Push,
    Pushing,
    Subscription,
    SubscriptionState,
    SubscriptionStatus,
)
from syndicate.model.retrieve import Certificate, Claim, Part, Spent, Validators

__all__ = [
    "FULL_TEXT",
    "Address",
    "AddressStatus",
    "Alert",
    "AlertDraft",
    "AlertStatus",
    "ArticleNote",
    "Asked",
    "Attempt",
    "AwaitedArticle",
    "Block",
    "Certificate",
    "Change",
    "Claim",
    "Config",
    "Confirmed",
    "Delivery",
    "DeliveryState",
    "DeliveryStatus",
    "Document",
    "Due",
    "Enclosure",
    "Endpoint",
    "Entry",
    "Example",
    "FoundItem",
    "Gap",
    "Habit",
    "Hints",
    "Hit",
    "Item",
    "Kept",
    "KeptArticle",
    "Kind",
    "KnownItem",
    "LateArticle",
    "Learned",
    "Match",
    "NetworkSettings",
    "Notice",
    "Page",
    "Part",
    "Poll",
    "PollState",
    "Push",
    "Pushing",
    "Recorded",
    "RuleStatus",
    "RuleText",
    "Scope",
    "Score",
    "ScoreText",
    "ServiceSettings",
    "Snippet",
    "Source",
    "SourceAlert",
    "SourceStatus",
    "Spent",
    "StaleFeed",
    "StoredMatch",
    "Subscription",
    "SubscriptionState",
    "SubscriptionStatus",
    "Suppressed",
    "Trouble",
    "TroubleKind",
    "Trust",
    "Validators",
    "Wanted",
    "WeightedTerm",
    "Written",
]
