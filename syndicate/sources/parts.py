"""The sitemaps that an index names: asked for one after another, and only those that may have changed."""

import asyncio
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syndicate.errors import NetworkError, ParseError
from syndicate.http import Client, Response
from syndicate.model import Address, Claim, Document, Entry, Kind, NetworkSettings, Part, Spent, Validators
from syndicate.sources import outline
from syndicate.sources.fetch import (
    Failed,
    Fetched,
    NotModified,
    accept,
    condition_fields,
    failed_by,
    spent_on,
    validators_of,
)
from syndicate.sources.parse import parse
from syndicate.sources.sitemap import NEVER, newest
from syndicate.sources.sites import Sleep
from syndicate.sources.turns import Clock, Turns

NOTHING = Spent()
MAX_TIME = timedelta(seconds=60)  # for all parts of an index together

Outcome = tuple[Fetched, Document] | NotModified | Failed


@dataclass(slots=True, kw_only=True)
class _Gathered:
    """What asking for the parts of one index has come to."""

    parts: list[Part] = field(default_factory=list)  # as they are known now
    documents: list[Document] = field(default_factory=list)
    failures: list[tuple[Part, Failed]] = field(default_factory=list)
    is_stopped: bool = False  # the server wants to be left alone
    spent: Spent = NOTHING
    opens: float = 0  # when the first may be asked for, by the clock
    closes: float = 0


class Parts:
    """Reads what indexes name.

    Args:
        turns: of hosts, which others ask as well.
        sleep: waits that many seconds for a turn.
        clock: what turns are measured by, in seconds.
    """

    def __init__(
        self,
        *,
        client: Client,
        settings: NetworkSettings,
        turns: Turns,
        sleep: Sleep = asyncio.sleep,
        clock: Clock = time.monotonic,
    ) -> None:
        self._client = client
        self._interval = settings.host_interval
        self._turns = turns
        self._sleep = sleep
        self._clock = clock

    async def read(
        self, claim: Claim, outcome: Fetched | NotModified, index: Document, now: datetime
    ) -> Outcome:
        """Return what the parts of an index hold, as one document; or that nothing in them is new.

        Args:
            index: as it is now, or as it was when it has not changed.
        """
        began = self._clock()
        gathered = _Gathered(
            opens=began + self._interval.total_seconds(), closes=began + MAX_TIME.total_seconds()
        )
        known = {part.url: part for part in claim.parts}
        address = claim.source.address(claim.url)
        try:
            async with asyncio.timeout(MAX_TIME.total_seconds()):
                for part in index.parts:
                    await self._ask(part, known.get(part.url), address, gathered, now)
        except TimeoutError:
            error = f"all parts together take more than {MAX_TIME.total_seconds():.0f} s"
            missing = index.parts[len(gathered.parts)]
            gathered.failures.append((missing, Failed(status=None, error=error)))
        left = index.parts[len(gathered.parts) :]
        gathered.parts += [_to_be_asked_again(part, known.get(part.url)) for part in left]
        return _concluded(claim, outcome, index, gathered)

    async def _ask(
        self, part: Part, known: Part | None, address: Address, gathered: _Gathered, now: datetime
    ) -> None:
        if known is not None and _is_current(part, known):
            gathered.parts.append(known)
            return
        if gathered.is_stopped:
            gathered.parts.append(_to_be_asked_again(part, known))
            return
        asked = replace(known or part, modified=part.modified)
        refused = await self._wait_for_turn(part.url, gathered)
        answer = refused or await self._answer(asked, address, gathered, now)
        if isinstance(answer, Failed):
            gathered.failures.append((part, answer))
            gathered.is_stopped = answer.backs_off_host or refused is not None
            gathered.parts.append(_to_be_asked_again(part, known))
        else:
            gathered.parts.append(answer)

    async def _wait_for_turn(self, url: str, gathered: _Gathered) -> Failed | None:
        """Return when the host of a part may be asked, or why it may not be in time."""
        at = await self._turns.take(url, self._interval, gathered.opens, gathered.closes)
        if at is None:
            return Failed(status=None, error="its host wants to be left alone", spent=NOTHING)
        if at >= gathered.closes:
            return Failed(status=None, error="others ask its host for too long", spent=NOTHING)
        await self._sleep(max(at - self._clock(), 0))
        return None

    async def _answer(
        self, part: Part, address: Address, gathered: _Gathered, now: datetime
    ) -> Part | Failed:
        """Return a part as it is now; what it holds, if that is new, is put with the rest."""
        fields = {"accept": accept(replace(address, kind=Kind.SITEMAP)), **condition_fields(part.validators)}
        try:
            response = await self._client.get(part.url, fields, validators_of=part.validators.url)
            gathered.spent = _sum(gathered.spent, spent_on(response))
            if response.status == 304 and part.body_hash:
                return replace(part, validators=validators_of(response, part.validators))
            if not 200 <= response.status < 300:
                failed = failed_by(response, now)
                if failed.backs_off_host:
                    await self._turns.pause(part.url, response.headers.get("retry-after"))
                return failed
            return await _read(part, response, address, gathered)
        except NetworkError as error:
            return Failed(status=None, error=str(error))
        except ParseError as error:
            return Failed(status=200, error=str(error))


async def _read(part: Part, response: Response, address: Address, gathered: _Gathered) -> Part:
    body_hash = hashlib.sha256(response.body).hexdigest()
    if body_hash != part.body_hash:
        how = replace(address, url=part.url, kind=Kind.SITEMAP)
        document = await parse(response.body, response.headers, response.url, how)
        if document.parts:
            raise ParseError("an index of sitemaps within another, which no sitemap may be")
        gathered.documents.append(document)
    return replace(part, validators=validators_of(response, Validators()), body_hash=body_hash)


def _is_current(part: Part, known: Part) -> bool:
    """Return whether an index says that one of its parts is as it was when we read it."""
    return known.body_hash is not None and part.modified is not None and part.modified == known.modified


def _to_be_asked_again(part: Part, known: Part | None) -> Part:
    return replace(known or part, modified=None)


def _concluded(claim: Claim, outcome: Fetched | NotModified, index: Document, gathered: _Gathered) -> Outcome:
    parts = tuple(gathered.parts)
    answer = replace(
        outcome.answer,
        spent=_sum(outcome.answer.spent, gathered.spent),
        asked=max(filter(None, (outcome.answer.asked, *_asked(gathered))), default=None),
    )
    failed = {part.url for part, _ in gathered.failures}
    if not gathered.documents and all(part.body_hash is None or part.url in failed for part in parts):
        part, failure = gathered.failures[0]
        return replace(failure, error=f"{part.url}: {failure.error}", spent=answer.spent)
    if not gathered.documents:
        return NotModified(answer=answer, parts=parts)
    fetched = (
        replace(outcome, answer=answer)
        if isinstance(outcome, Fetched)
        # That the index is as it was says nothing against it when its parts are not.
        else Fetched(
            answer=replace(answer, sent=claim.validators),
            url=claim.address,
            headers={},
            body=b"",
            body_hash=claim.body_hash or "",
        )
    )
    return fetched, _whole(index, parts, gathered)


def _asked(gathered: _Gathered) -> Iterator[timedelta | None]:
    """Yield how much time parts have asked for: the index is not asked for before, nor are they."""
    return (failure.asked for _, failure in gathered.failures)


def _whole(index: Document, parts: tuple[Part, ...], gathered: _Gathered) -> Document:
    """Return the documents as one: the newest entries of all."""
    documents = gathered.documents
    entries = newest([entry for document in documents for entry in document.entries], _age)
    problems = [*index.problems, *(problem for document in documents for problem in document.problems)]
    problems += [f"{part.url}: {failure.error}" for part, failure in gathered.failures]
    return Document(
        format=documents[0].format,
        title=next((document.title for document in documents if document.title), ""),
        language=documents[0].language,
        entries=tuple(entries[: outline.MAX_ENTRIES]),
        problems=tuple(dict.fromkeys(problems)),
        parts=parts,
    )


def _age(entry: Entry) -> datetime:
    return entry.published or entry.updated or NEVER


def _sum(one: Spent, other: Spent) -> Spent:
    return Spent(
        requests=one.requests + other.requests, received_bytes=one.received_bytes + other.received_bytes
    )
