"""WebSub as far as it is decided: which hub, what it is told, whom to believe, when to ask again. Pure.

A hub is told where to push what is new of a topic, makes sure that it was us who asked, and pushes until its
lease ends. https://www.w3.org/TR/websub/, whose sections are named here.
"""

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from syndicate.http.addresses import Address, Network, as_address, refusal
from syndicate.model import (
    Asked,
    Confirmed,
    Entry,
    Hints,
    Pushing,
    Subscription,
    SubscriptionState,
)
from syndicate.sources.links import is_same_site
from syndicate.sources.sanitise import check_link, clean_line

LEASE_ASKED_FOR = timedelta(days=10)
LEASE_UNSAID = timedelta(days=1)  # where a hub does not say, though it must
LONGEST_LEASE = timedelta(days=90)
RENEWED_AT, RENEWED_WITHIN = 0.8, 0.1  # of a lease: between 80 % and 90 %
RENEWED_AT_MOST_EVERY = timedelta(minutes=1)  # whatever a hub's lease
VERIFIED_WITHIN = timedelta(days=1)  # of having been asked; later, we do not mean it any more
ASKED_AGAIN_AFTER = timedelta(hours=1)  # when a hub has said yes, and then nothing
RETRIED_AFTER = timedelta(minutes=5)  # when it has not; doubles, as the other
SELDOM = timedelta(days=1)
DENIED_FOR = timedelta(days=7)
MOST_GOODBYES = 3
DOUBTS = 3  # pushes with news until a hub is relied upon again
LATE = timedelta(minutes=10)  # how long a push may take, so that a poll may come first
MAX_CHALLENGE = 4096
MAX_REASON = 200

_LINK = re.compile(r"<([^<>]{0,4096})>((?:[^<\"]|\"[^\"]*\"?)*+)")
_PARAMETER = re.compile(r";\s*([\w*.-]{1,40})\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]*))")
_LOCAL_NAMES = ("local", "internal", "lan", "home", "localdomain", "home.arpa", "test", "invalid")
_METHODS = frozenset({"sha1", "sha256", "sha384", "sha512"})
_SIGNATURE = re.compile(r"\s*([A-Za-z0-9]{1,10})=([0-9A-Fa-f]{1,128})\s*")
_ASKED_MODES = ("subscribe", "unsubscribe")

# --------------------------------------------------------------------------- discovery


def discovered(
    hints: Hints, headers: Mapping[str, str], url: str, addresses: Sequence[str]
) -> tuple[Hints, str | None]:
    """Return the hints of a document with the hub to use first and the topic, and what is wrong with them.

    What Link headers say goes before what the document says (4). https hubs go before others (8.2). Without
    a self link, the topic is where the document came from. A topic on another site than the source is not
    believed: its hub would push what is not of this source.

    Args:
        hints: as the document has them.
        headers: that came with it.
        url: where it came from, after redirects.
        addresses: under which the source is configured or asked.
    """
    relations = link_relations(headers.get("link", ""), url)
    hubs = relations.get("hub") or list(hints.hubs)
    topic = next(iter(relations.get("self", ())), None) or hints.topic or url
    if not hubs:
        return replace(hints, hubs=(), topic=None), None
    if not any(is_same_site(topic, address) for address in (url, *addresses)):
        why = f"its hub is not asked to push: it would push {topic}, which is of another site"
        return replace(hints, hubs=(), topic=None), why
    hubs_by_trust = sorted(dict.fromkeys(hubs), key=lambda hub: not hub.lower().startswith("https:"))
    return replace(hints, hubs=tuple(hubs_by_trust), topic=topic), None


def link_relations(value: str, url: str) -> dict[str, list[str]]:
    """Return where a Link header leads, by relation (RFC 8288), without what is about other documents."""
    found: dict[str, list[str]] = {}
    for target, rest in _LINK.findall(value):
        parameters: dict[str, str] = {}
        for name, quoted, plain in _PARAMETER.findall(rest):
            parameters.setdefault(name.lower(), quoted or plain)
        address = check_link(target, url) if target and "anchor" not in parameters else None
        for relation in parameters.get("rel", "").lower().split() if address else ():
            found.setdefault(relation, []).append(address or "")
    return found


def unreachable(base_url: str, allowed: Sequence[Network]) -> str | None:
    """Return why no hub can reach us at an address, None if one may.

    Names that are good in a local network only will do where `allow_private` names networks: the hub is in
    one, then.
    """
    host = (urlsplit(base_url).hostname or "").rstrip(".").lower()
    address = _address(host)
    if address is not None:
        return None if refusal(address, allowed) is None else f"{host} is no public address"
    return f"{host} is a name in a local network" if _is_local_name(host) and not allowed else None


def can_reach(hub: str, base_url: str) -> bool:
    """Whether a hub may reach an address: what is not public, only hubs that are not public either."""
    return not _is_inside(base_url) or _is_inside(hub)


def _is_inside(url: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    address = _address(host)
    return _is_local_name(host) if address is None else refusal(address, ()) is not None


def _address(host: str) -> Address | None:
    is_this_machine = host == "localhost" or host.endswith(".localhost")
    return as_address("127.0.0.1" if is_this_machine else host)


def _is_local_name(host: str) -> bool:
    return "." not in host or any(host.endswith(f".{name}") for name in _LOCAL_NAMES)


# --------------------------------------------------------------------------- asking


def mode_of(subscription: Subscription) -> str:
    """Return what a hub is asked for."""
    return "unsubscribe" if subscription.state is SubscriptionState.ENDING else "subscribe"


def request_body(subscription: Subscription) -> bytes:
    """Return what a hub is sent (5.1)."""
    fields = {
        "hub.mode": mode_of(subscription),
        "hub.topic": subscription.topic,
        "hub.callback": subscription.callback,
    }
    if mode_of(subscription) == "subscribe":
        fields["hub.lease_seconds"] = str(round(LEASE_ASKED_FOR.total_seconds()))
        if keeps_secrets(subscription.hub):
            fields["hub.secret"] = subscription.secret
    return urlencode(fields).encode()


def keeps_secrets(hub: str) -> bool:
    """Whether a secret may be told to a hub: by https (5.1), or where it does not leave this machine."""
    parts = urlsplit(hub)
    address = as_address(parts.hostname or "")
    return parts.scheme.lower() == "https" or (address is not None and address.is_loopback)


def after_asking(
    subscription: Subscription, error: str | None, asked: timedelta | None, now: datetime, jitter: float
) -> Asked:
    """Return what follows from having asked a hub.

    Args:
        error: why it does not want to, or can't be asked; None: it said yes.
        asked: how long it wants to be left alone, if it says so.
        jitter: 0..1.
    """
    shortest = RETRIED_AFTER if error else ASKED_AGAIN_AFTER
    wait = max(min(shortest * 2 ** min(subscription.failures, 10), SELDOM), asked or timedelta())
    is_ending = subscription.state is SubscriptionState.ENDING
    has_lapsed = subscription.expires_at is None or subscription.expires_at <= now
    return Asked(
        subscription=subscription,
        error=error,
        next_ask_at=now + wait * (1 + RENEWED_WITHIN * jitter),
        is_over=is_ending and (has_lapsed or subscription.failures + 1 >= MOST_GOODBYES),
    )


# --------------------------------------------------------------------------- being asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a hub wants to know, or to tell, by a GET of the callback."""

    mode: str
    topic: str
    challenge: str = ""
    lease: timedelta | None = None  # None: it does not say, or nothing that can be
    reason: str = ""


def intent_of(query: str) -> Intent | None:
    """Return what a query string of a hub says (5.2, 5.3), None if that is nothing that hubs say."""
    said = parameters(query)
    if said is None:
        return None
    mode, topic = said.get("hub.mode", ""), said.get("hub.topic", "")
    challenge = said.get("hub.challenge", "")
    if not topic or (mode in _ASKED_MODES and not 0 < len(challenge) <= MAX_CHALLENGE):
        return None
    return Intent(
        mode=mode,
        topic=topic,
        challenge=challenge,
        lease=_lease(said.get("hub.lease_seconds", "")),
        reason=clean_line(said.get("hub.reason", ""), MAX_REASON),
    )


def parameters(query: str) -> dict[str, str] | None:
    """Return what a query string or form says of hubs, by name; None if it can't be read, or says twice."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        return None
    said = {name: value for name, value in pairs if name.startswith("hub.")}
    return said if len(said) == sum(name.startswith("hub.") for name, _ in pairs) else None


def _lease(seconds: str) -> timedelta | None:
    if not (seconds.isascii() and seconds.isdigit()) or not int(seconds[:10]):
        return None
    return min(timedelta(seconds=int(seconds[:10])), LONGEST_LEASE)


def confirmation(
    subscription: Subscription, intent: Intent, now: datetime, jitter: float
) -> Confirmed | None:
    """Return what is agreed upon with a hub; None when it is nothing that we have asked for (5.3)."""
    if intent.topic != subscription.topic:
        return None
    is_wanted = subscription.state in (SubscriptionState.ASKED, SubscriptionState.ACTIVE)
    is_given_up = subscription.state in (SubscriptionState.ENDING, SubscriptionState.ENDED)
    is_pending = subscription.asked_at is not None and now - subscription.asked_at <= VERIFIED_WITHIN
    match intent.mode:
        case "denied" if is_wanted:
            return Confirmed(
                subscription=subscription,
                state=SubscriptionState.DENIED,
                next_ask_at=now + DENIED_FOR * (1 + RENEWED_WITHIN * jitter),
                reason=intent.reason or "it does not say why",
            )
        case "subscribe" if is_wanted and is_pending:
            return _subscribed(subscription, intent.lease or LEASE_UNSAID, now, jitter)
        case "unsubscribe" if is_given_up and is_pending:
            # It is kept for a while: who did not get our answer asks once more.
            return Confirmed(
                subscription=subscription,
                state=SubscriptionState.ENDED,
                next_ask_at=now + VERIFIED_WITHIN,
            )
        case _:
            return None


def _subscribed(subscription: Subscription, lease: timedelta, now: datetime, jitter: float) -> Confirmed:
    has_lapsed = subscription.expires_at is None or subscription.expires_at < now
    renewed_after = max(lease * (RENEWED_AT + RENEWED_WITHIN * jitter), RENEWED_AT_MOST_EVERY)
    return Confirmed(
        subscription=subscription,
        state=SubscriptionState.ACTIVE,
        next_ask_at=now + renewed_after,
        expires_at=now + lease,
        since=now if has_lapsed else subscription.since or now,
    )


# --------------------------------------------------------------------------- being pushed to


def is_signed(secret: str, signature: str | None, body: bytes) -> bool:
    """Whether what was pushed comes from who knows the secret (7.1); takes as long for any wrong signature.

    SHA-1 is among the methods: most hubs know no other, and collisions of the hash do not break its HMAC
    (RFC 6194 3.3).
    """
    found = _SIGNATURE.fullmatch(signature or "")
    method = found[1].lower() if found else ""
    if found is None or method not in _METHODS:
        return False
    return hmac.compare_digest(signed(secret, body, method), found[2].lower())


def signed(secret: str, body: bytes, method: str) -> str:
    """Return the signature of what is pushed, in hexadecimal (7.1)."""
    return hmac.new(secret.encode(), body, method).hexdigest()


def doubts_after_poll(
    pushing: Pushing, last_success_at: datetime | None, new: Iterable[Entry], now: datetime
) -> int:
    """Return how many pushes have to come until a hub is relied upon, after a poll.

    What a poll finds was not pushed. That is no fault where the hub was not to push yet, nor where it may be
    about to.
    """
    if pushing.since is None or last_success_at is None or pushing.since > last_success_at:
        return pushing.doubts
    return DOUBTS if any(_should_have_come(entry, now) for entry in new) else pushing.doubts


def _should_have_come(entry: Entry, now: datetime) -> bool:
    date = entry.published or entry.updated
    return date is None or date < now - LATE
