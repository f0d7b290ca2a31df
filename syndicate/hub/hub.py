"""Our hub at work: taking requests, asking callbacks whether they mean them, telling subscribers what is new.

What is decided stands in `asking` and `telling`. A subscriber lacks a document or has it: so what changes
while one is down comes to it once, and nothing that is new is lost to it by a crash. Deliveries are tried,
leased and recorded as those of the outbox are.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import structlog

from syndicate.alerts.outcome import Later, Outcome
from syndicate.alerts.recorder import Recorder
from syndicate.errors import NetworkError
from syndicate.http import Client
from syndicate.hub.asking import (
    NOT_PUSHED,
    REPLY_BY_ROOM,
    Reply,
    after_asking,
    answer_in_words,
    is_meant,
    question,
    read_request,
)
from syndicate.hub.telling import after_telling, links, notice, outcome
from syndicate.hub.topics import Document, hub_address, read_document, topics_of
from syndicate.model import Config
from syndicate.model.hub import (
    HubAnswer,
    HubMode,
    HubRequest,
    Limits,
    Room,
    Subscriber,
    Told,
)
from syndicate.store.hub import HubStore
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)

TIMEOUT = timedelta(seconds=10)  # of asking and of telling
LEASE = timedelta(minutes=2)  # longer than that takes, and to record it
ASKED_AT_ONCE = 8
TOLD_AT_ONCE = 128
DOUBTFUL_AT_ONCE = 32  # of those, that failed or were slow the last time
PER_HOST = 8
MAX_ANSWER = 1024  # bytes that are read of an answer
CHALLENGE_BYTES = 24
LIMITS = Limits()

Claimed = TypeVar("Claimed")


class Hub:
    """Tells of changes of our feeds; or has a hub of others do so.

    Args:
        on_changed: hears whenever there may be something to do.
    """

    def __init__(  # noqa: PLR0913  wiring
        self,
        *,
        client: Client,
        store: Store,
        call: StoreThread,
        config: Config,
        random: Callable[[], float],
        on_changed: Callable[[], object] = lambda: None,
        limits: Limits = LIMITS,
        timeout: timedelta = TIMEOUT,
    ) -> None:
        self.address = hub_address(config)
        self._topics = topics_of(config, self.address)
        self._client = client
        self._store = store
        self._call = call
        self._allowed = config.network.allow_private
        self._random = random
        self._on_changed = on_changed
        self._limits = limits
        self._timeout = timeout
        self._recorder: Recorder[HubAnswer | Told] = Recorder(self._record, on_changed)
        self._is_settled = False
        self._unread: set[str] = set()  # topics that may have changed
        self._asking: dict[asyncio.Task[None], HubRequest] = {}
        self._telling: dict[asyncio.Task[None], Subscriber] = {}

    @property
    def in_flight(self) -> int:
        """How many callbacks are asked or told, or not recorded."""
        return len(self._asking) + len(self._telling) + self._recorder.unrecorded

    @property
    def is_open(self) -> bool:
        """Whether others may subscribe here."""
        return self.address is not None and self.address.is_ours

    def links_of(self, url: str) -> str | None:
        """Return the Link header of a document, None for one that no hub tells of."""
        return links(self.address.url, url) if self.address and url in self._topics else None

    # -- what others do

    async def announce(self, urls: Sequence[str]) -> None:
        """Have those be told who do not have these documents as they are now."""
        self._unread.update(url for url in urls if url in self._topics)
        self._on_changed()

    async def ask(self, form: bytes) -> Reply:
        """Return the answer to a request to subscribe or unsubscribe, which is kept until it is verified.

        Raises:
            StoreError: it is not.
        """
        request = read_request(form, self._topics, self._allowed)
        if isinstance(request, Reply):
            return request
        topic = self._topics.get(request.topic)
        document = await asyncio.to_thread(read_document, topic) if topic else None
        request = replace(request, digest=document.digest if document else None)
        room = await self._call(self._hub.take_request, request, self._limits)
        log.debug("hub.asked", mode=request.mode, topic=request.topic, host=request.host, room=room)
        if room is Room.TAKEN:
            self._on_changed()
        return REPLY_BY_ROOM[room]

    # -- what is due

    async def run_due(self) -> None:
        """Begin what is due, as far as there is room."""
        await self._begin_due()

    async def drain(self) -> None:
        """Return when everything that was due is done."""
        while await self._begin_due() or self.in_flight:
            tasks = [*self._asking, *self._telling]
            if tasks:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await self._recorder.finish()

    async def close(self, grace: timedelta) -> None:
        """Let what has begun end for this long, then give the rest back as if it had not begun."""
        tasks = [*self._asking, *self._telling]
        if tasks:
            await asyncio.wait(tasks, timeout=grace.total_seconds())
        requests, subscribers = list(self._asking.values()), list(self._telling.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._recorder.finish()
        if requests or subscribers:
            await self._call(self._hub.release_claimed, requests, subscribers)

    @property
    def _hub(self) -> HubStore:
        return self._store.hub

    async def _begin_due(self) -> bool:
        """Return whether anything was begun."""
        if not self._is_settled:
            await self._settle()
        await self._note_documents()
        requests = await self._claimed_requests()
        for request in requests:
            self._begin(self._asking, request, self._ask(request))
        subscribers = await self._claimed_subscribers()
        documents = await asyncio.to_thread(self._documents, {each.topic for each in subscribers})
        for subscriber in subscribers:
            telling = self._tell(subscriber, documents.get(subscriber.topic))
            self._begin(self._telling, subscriber, telling)
        return bool(requests or subscribers)

    async def _settle(self) -> None:
        """Give up what is pushed no longer, and look at what may have changed while nobody was here."""
        hub = self.address.url if self.address and not self.address.is_ours else None
        reason = f"ask {hub} instead" if hub else NOT_PUSHED
        changed = await self._call(self._hub.settle, tuple(self._topics), hub, reason)
        if changed:
            log.info("hub.settled", changed=changed, hub=self.address.url if self.address else None)
        self._unread |= set(self._topics)
        self._is_settled = True

    async def _note_documents(self) -> None:
        if not self._unread:
            return
        told = await self._call(self._hub.topics_told)
        changed, self._unread = self._unread, set()
        try:
            documents = await asyncio.to_thread(self._documents, changed & set(told))
            digests = {topic: document.digest for topic, document in documents.items()}
            await self._call(self._hub.note_documents, digests)
        except BaseException:
            self._unread |= changed
            raise

    async def _claimed_requests(self) -> list[HubRequest]:
        room = ASKED_AT_ONCE - len(self._asking)
        if room <= 0:
            return []
        return await self._call(self._hub.claim_requests, limit=room, lease=LEASE)

    async def _claimed_subscribers(self) -> list[Subscriber]:
        room = TOLD_AT_ONCE - len(self._telling)
        doubtful = sum(1 for each in self._telling.values() if each.failures or each.was_slow)
        if room <= 0 or not self._topics:
            return []
        return await self._call(
            self._hub.claim_subscribers,
            limit=room,
            doubtful=max(DOUBTFUL_AT_ONCE - doubtful, 0),
            per_host=PER_HOST,
            lease=LEASE,
        )

    def _documents(self, urls: set[str]) -> Mapping[str, Document]:
        found = {url: read_document(self._topics[url]) for url in urls if url in self._topics}
        return {url: document for url, document in found.items() if document is not None}

    def _begin(
        self, running: dict[asyncio.Task[None], Claimed], claimed: Claimed, work: Coroutine[None, None, None]
    ) -> None:
        task = asyncio.create_task(work)
        running[task] = claimed
        task.add_done_callback(lambda done: self._ended(running, done))

    def _ended(self, running: dict[asyncio.Task[None], Claimed], task: asyncio.Task[None]) -> None:
        del running[task]
        self._on_changed()

    # -- asking

    async def _ask(self, request: HubRequest) -> None:
        self._recorder.add(await self._asked(request))

    async def _asked(self, request: HubRequest) -> HubAnswer:
        challenge = secrets.token_urlsafe(CHALLENGE_BYTES)
        is_confirmed, may_yet = False, None
        try:
            response = await self._client.post(
                question(request, challenge),
                b"",
                {"accept": "*/*"},
                timeout=self._timeout,
                max_answer_bytes=MAX_ANSWER,
                method="GET",
            )
        except NetworkError as error:
            why = may_yet = str(error)
        except Exception as error:
            log.exception("hub.crashed", topic=request.topic, host=request.host)
            why = f"could not be asked, a defect of Syndicate: {type(error).__name__}"
        else:
            is_confirmed = is_meant(response.status, response.body, challenge)
            why = answer_in_words(response.status)
            may_yet = why if response.status >= 500 or response.status == 429 else None
        answer = after_asking(
            request,
            is_confirmed=is_confirmed,
            may_yet=may_yet,
            now=self._store.now(),
            jitter=self._random(),
        )
        _log_answer(answer, why)
        return answer

    # -- telling

    async def _tell(self, subscriber: Subscriber, document: Document | None) -> None:
        started = time.monotonic()
        status: int | None = None
        if document is None:
            result: Outcome = Later(reason="its document is not there")
        else:
            result, status = await self._sent(subscriber, document)
        told = after_telling(
            subscriber,
            result,
            digest=document.digest if document else "",
            status=status,
            took=timedelta(seconds=time.monotonic() - started),
            now=self._store.now(),
            jitter=self._random(),
        )
        self._recorder.add(told)
        _log_told(told)

    async def _sent(self, subscriber: Subscriber, document: Document) -> tuple[Outcome, int | None]:
        assert self.address is not None  # noqa: S101  without one there are no topics
        sent = notice(subscriber, self._topics[subscriber.topic], document, self.address.url)
        try:
            response = await self._client.post(
                subscriber.callback,
                sent.body,
                sent.headers,
                timeout=self._timeout,
                max_answer_bytes=MAX_ANSWER,
                is_repeatable=True,
            )
        except NetworkError as error:
            return Later(reason=str(error)), None
        except Exception as error:
            log.exception("hub.crashed", topic=subscriber.topic)
            return Later(reason=f"could not be told, a defect of Syndicate: {type(error).__name__}"), None
        now = self._store.now()
        retry_after = response.headers.get("retry-after")
        return outcome(subscriber, response.status, retry_after, now), response.status

    # -- recording

    async def _record(self, batch: list[HubAnswer | Told]) -> None:
        answers = [each for each in batch if isinstance(each, HubAnswer)]
        told = [each for each in batch if isinstance(each, Told)]
        if answers:
            await self._call(self._hub.record_answers, answers)
        if told:
            await self._call(self._hub.record_told, told)


def _log_answer(answer: HubAnswer, why: str) -> None:
    request = answer.request
    facts = {"topic": request.topic, "host": request.host}
    if request.mode is HubMode.DENIED:
        log.info("hub.denied", **facts, reason=request.reason)
    elif not answer.is_confirmed:
        next_try_at = answer.next_try_at and answer.next_try_at.isoformat(timespec="seconds")
        log.info("hub.unconfirmed", **facts, mode=request.mode, reason=why, next_try_at=next_try_at)
    elif request.mode is HubMode.SUBSCRIBE:
        log.info("hub.subscribed", **facts, seconds=round(request.lease.total_seconds()))
    else:
        log.info("hub.unsubscribed", **facts)


def _log_told(told: Told) -> None:
    subscriber = told.subscriber
    facts = {"topic": subscriber.topic, "kind": subscriber.kind, "subscriber": subscriber.id}
    if told.error is None:
        log.debug("hub.told", **facts, status=told.status)
    elif told.is_over:
        log.warning("hub.ended", **facts, reason=told.error)
    else:
        next_try_at = told.next_try_at and told.next_try_at.isoformat(timespec="seconds")
        log.warning("hub.failed", **facts, error=told.error, next_try_at=next_try_at)
