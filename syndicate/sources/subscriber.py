"""Subscribing at hubs, and what they say and send to our callbacks; `websub` decides what that comes to."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from urllib.parse import urljoin

import structlog

from syndicate.errors import NetworkError, RefusedError, StoreError
from syndicate.http import Client, Response
from syndicate.http.addresses import target
from syndicate.model import Asked, Config, Kept, NetworkSettings, Subscription, SubscriptionState
from syndicate.sources.sanitise import clean_line
from syndicate.sources.schedule import asked_by_retry_after
from syndicate.sources.websub import (
    after_asking,
    can_reach,
    confirmation,
    intent_of,
    is_signed,
    keeps_secrets,
    mode_of,
    request_body,
    unreachable,
)
from syndicate.store.protocol import HostPace, Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)

PATH = "/websub/"  # of callbacks, below base_url
AT_ONCE = 4  # hubs that are asked
LEASE = timedelta(minutes=5)  # longer than waiting for a hub's turn and asking it takes
LONGEST_TURN = timedelta(minutes=1)  # to wait for
TIMEOUT = timedelta(seconds=15)
MAX_HOPS = 3
MAX_SAID = 200
_MOVED = (307, 308)
_FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "*/*;q=0.1"}


def callbacks_base(config: Config) -> str | None:
    """Return what callbacks begin with; None if nobody wants them, or no hub can reach us."""
    service = config.service
    if not service.websub or unreachable(service.base_url, config.network.allow_private):
        return None
    try:
        in_ascii = target(service.base_url).url
    except RefusedError:
        return None  # hubs would read it in other ways than we
    return f"{in_ascii.rstrip('/')}{PATH}"


class Subscriber:
    """Keeps the subscriptions that there should be, and takes what hubs send.

    Args:
        base: what callbacks begin with; None: there are none.
        on_pushed: hears when there is something to read, or a source to poll.
    """

    def __init__(  # noqa: PLR0913  wiring
        self,
        *,
        client: Client,
        store: Store,
        call: StoreThread,
        settings: NetworkSettings,
        base: str | None,
        random: Callable[[], float],
        on_pushed: Callable[[], object] = lambda: None,
    ) -> None:
        self._client = client
        self._store = store
        self._call = call
        self._pace = HostPace(interval=settings.host_interval, concurrency=settings.host_concurrency)
        self._timeout = min(TIMEOUT, settings.timeout)
        self._base = base
        self._random = random
        self._on_pushed = on_pushed
        self._tasks: set[asyncio.Task[None]] = set()

    # -- asking hubs

    async def settle(self) -> None:
        """Have the subscriptions that sources name hubs for, and give the others up."""
        base = self._base
        can_reach_us = None if base is None else partial(can_reach, base_url=base)
        changed = await self._call(self._store.subscribe, base, can_reach_us)
        if changed:
            log.debug("websub.settled", changed=changed)

    async def run_due(self) -> None:
        """Begin asking the hubs that are to be asked now, as far as there is room."""
        room = AT_ONCE - len(self._tasks)
        if room <= 0:
            return
        claimed = await self._call(self._store.claim_subscriptions, limit=room, lease=LEASE)
        for subscription in claimed:
            task = asyncio.create_task(self._ask(subscription), name=f"ask hub for {subscription.source}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Return when all hubs that were to be asked have been."""
        while True:
            await self.run_due()
            if not self._tasks:
                return
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def close(self, grace: timedelta) -> None:
        """Let what is being asked end for this long; the rest is asked once more when its lease is over."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace.total_seconds())
        unfinished = list(self._tasks)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def _ask(self, subscription: Subscription) -> None:
        try:
            asked = await self._asked(subscription)
        except StoreError:
            raise
        except Exception as error:
            log.exception("websub.crashed", source=subscription.source, hub=subscription.hub)
            asked = self._after(subscription, f"could not be asked, a defect of Syndicate: {error!r}", None)
        await self._call(self._store.record_asked, [asked])
        _log_asked(asked)

    async def _asked(self, subscription: Subscription) -> Asked:
        """Ask a hub when it is its turn, wherever it sends us."""
        body, at, secret_is_told = (
            request_body(subscription),
            subscription.hub,
            keeps_secrets(subscription.hub),
        )
        for _ in range(MAX_HOPS + 1):
            turn = await self._call(self._store.take_turn, at, self._pace)
            wait = None if turn is None else turn - self._store.now()
            if wait is None or wait > LONGEST_TURN:
                return self._after(subscription, "the hub's host wants to be left alone", None)
            await asyncio.sleep(max(wait.total_seconds(), 0))
            try:
                response = await self._client.post(at, body, _FORM, timeout=self._timeout)
            except NetworkError as error:
                return self._after(subscription, str(error), None)
            location = response.headers.get("location")
            if response.status not in _MOVED or location is None:
                return self._answered(subscription, response)
            at = urljoin(at, location)
            if secret_is_told and not keeps_secrets(at):
                return self._after(subscription, "the hub sends us on to where a secret can be read", None)
        return self._after(subscription, f"more than {MAX_HOPS} redirects", None)

    def _answered(self, subscription: Subscription, response: Response) -> Asked:
        if 200 <= response.status < 300:
            return self._after(subscription, None, None)
        said = clean_line(response.body.decode(errors="replace"), MAX_SAID)
        error = f"the hub answered {response.status}" + (f": {said}" if said else "")
        return self._after(subscription, error, response)

    def _after(self, subscription: Subscription, error: str | None, response: Response | None) -> Asked:
        now = self._store.now()
        asked = response and asked_by_retry_after(response.headers.get("retry-after"), now)
        return after_asking(subscription, error, asked or None, now, self._random())

    # -- what hubs say and send

    async def confirm(self, token: str, query: str) -> str | None:
        """Return what to answer a hub that asks whether we mean it; None: nothing here is known or wanted."""
        subscription = await asyncio.to_thread(self._store.subscription, token)
        intent = intent_of(query)
        if subscription is None or intent is None:
            return None
        agreed = confirmation(subscription, intent, self._store.now(), self._random())
        if agreed is None or not await self._call(self._store.record_confirmed, agreed):
            return None
        facts = {"source": subscription.source, "hub": subscription.hub}
        match agreed.state:
            case SubscriptionState.DENIED:
                log.warning("websub.denied", **facts, reason=agreed.reason)
                self._on_pushed()
            case SubscriptionState.ACTIVE:
                until = agreed.expires_at and agreed.expires_at.isoformat(timespec="seconds")
                log.info("websub.subscribed", **facts, until=until)
            case _:
                log.info("websub.unsubscribed", **facts)
        return intent.challenge

    async def knows(self, token: str) -> bool:
        """Whether a callback is one of ours."""
        return await asyncio.to_thread(self._store.subscription, token) is not None

    async def take(self, token: str, content_type: str, signature: str | None, body: bytes) -> Kept | None:
        """Keep what was sent to a callback; None if it was not signed as it should be, and so is ignored.

        What is kept is in the database when this returns, and read later.
        """
        subscription = await asyncio.to_thread(self._store.subscription, token)
        if subscription is None:
            return Kept.UNWANTED
        has_secret = keeps_secrets(subscription.hub)
        if has_secret and not await asyncio.to_thread(is_signed, subscription.secret, signature, body):
            await self._call(self._store.note_rejected, subscription)
            log.warning(
                "push.rejected",
                source=subscription.source,
                hub=subscription.hub,
                reason="its signature is wrong" if signature else "it is not signed",
            )
            return None
        kept = await self._call(self._store.keep_push, subscription, content_type, body, is_signed=has_secret)
        log.debug("push.received", source=subscription.source, bytes=len(body), outcome=kept.value)
        self._on_pushed()
        return kept


def _log_asked(asked: Asked) -> None:
    subscription = asked.subscription
    facts = {
        "source": subscription.source,
        "hub": subscription.hub,
        "mode": mode_of(subscription),
        "next_ask_at": None if asked.is_over else asked.next_ask_at.isoformat(timespec="seconds"),
    }
    if asked.error:
        log.warning("websub.failed", **facts, error=asked.error)
    else:
        log.debug("websub.asked", **facts)
