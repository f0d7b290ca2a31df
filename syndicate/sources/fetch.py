"""Asking one address of a source, conditionally; what came back is one of a few values."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.errors import NetworkError
from syndicate.http import Client, Redirect, Response
from syndicate.model import Claim, Validators
from syndicate.sources.schedule import freshness, retry_after

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/rdf+xml;q=0.9, application/xml;q=0.8, "
    "text/xml;q=0.8, */*;q=0.1"
)
_PERMANENT = (301, 308)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What every good answer says beside its body."""

    status: int
    validators: Validators
    asked: timedelta | None  # how long the server says it stays fresh
    moved_to: str | None  # where redirects led, if all of them were permanent
    length_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A document to read."""

    answer: Answer
    url: str  # where it came from in the end
    headers: Mapping[str, str]
    body: bytes
    body_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """What we have still stands: 304, or the same bytes as before."""

    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """410: the publisher says that it will not come back (RFC 9110 15.5.11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Nothing to read; `backs_off_host` when the server asks everybody for less (429, 503)."""

    status: int | None  # None when there was no complete response
    error: str
    asked: timedelta | None = None
    backs_off_host: bool = False
    url: str | None = None  # who answered, after redirects


Outcome = Fetched | NotModified | Gone | Failed


async def fetch(client: Client, claim: Claim, now: datetime) -> Outcome:
    """Return what the claimed address has for us."""
    try:
        response = await client.get(
            claim.address, _conditions(claim.validators), validators_of=claim.validators.url
        )
    except NetworkError as error:
        return Failed(status=None, error=str(error))
    if response.status == 410:
        return Gone()
    if response.status != 304 and not 200 <= response.status < 300:
        return Failed(
            status=response.status,
            error=f"the server answered {response.status}",
            asked=retry_after(response.headers.get("retry-after"), now),
            backs_off_host=response.status in (429, 503),
            url=response.url,
        )
    return _read(response, claim)


def _conditions(validators: Validators) -> dict[str, bytes | str]:
    headers: dict[str, bytes | str] = {"accept": ACCEPT}
    if validators.etag is not None:
        headers["if-none-match"] = validators.etag
    if validators.last_modified is not None:
        headers["if-modified-since"] = validators.last_modified
    return headers


def _read(response: Response, claim: Claim) -> Outcome:
    given = Validators(
        etag=response.raw_header("etag"),
        last_modified=response.raw_header("last-modified"),
        url=response.url,
    )
    if response.status == 304 and claim.validators.etag is claim.validators.last_modified is None:
        return Failed(status=304, error="the server answered 304 (not modified), though we have nothing yet")
    if response.status == 304:
        # What a 304 leaves out still holds (RFC 9111 4.3.4).
        given = Validators(
            etag=given.etag or claim.validators.etag,
            last_modified=given.last_modified or claim.validators.last_modified,
            url=response.url,
        )
    answer = Answer(
        status=response.status,
        validators=given,
        asked=freshness(response.headers),
        moved_to=_permanent_target(response.redirects),
        length_bytes=len(response.body),
    )
    body_hash = hashlib.sha256(response.body).hexdigest()
    if response.status == 304 or body_hash == claim.body_hash:
        return NotModified(answer=answer)
    return Fetched(
        answer=answer, url=response.url, headers=response.headers, body=response.body, body_hash=body_hash
    )


def _permanent_target(redirects: tuple[Redirect, ...]) -> str | None:
    """Return where permanent redirects led; one that gives up https is never made permanent."""
    is_permanent = bool(redirects) and all(
        hop.status in _PERMANENT and not hop.is_downgrade for hop in redirects
    )
    return redirects[-1].url_to if is_permanent else None
