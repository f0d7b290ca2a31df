"""Asking one address of a source, conditionally; what came back is one of a few values."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.errors import NetworkError
from syndicate.http import Client, Redirect, Response
from syndicate.model import (
    Address,
    ArticleNote,
    BadAnswer,
    Certificate,
    Claim,
    Kind,
    LateArticle,
    Part,
    Spent,
    Validators,
)
from syndicate.sources.schedule import asked_by_retry_after, freshness
from syndicate.sources.trust import conditions, is_conditional

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/rdf+xml;q=0.9, application/feed+json;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.5, text/html;q=0.2, */*;q=0.1"
)
_ACCEPT_BY_KIND = {
    Kind.JSON: "application/feed+json, application/json;q=0.9, */*;q=0.1",
    Kind.SITEMAP: "application/xml, text/xml;q=0.9, */*;q=0.1",
    Kind.PAGE: "text/html, application/xhtml+xml;q=0.9, */*;q=0.1",
}
ONE_REQUEST, NOTHING_SENT = Spent(requests=1), Validators()
MAX_FIELDS, MAX_VALUE, MAX_BEGINNING = 40, 500, 2_000  # of a bad answer: fields, characters, bytes
HIDDEN = "(not kept)"
_SECRET_FIELDS = ("set-cookie", "set-cookie2", "authorization", "proxy-authorization")
_PERMANENT = (301, 308)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What every good answer says beside its body."""

    status: int
    validators: Validators
    asked: timedelta | None  # how long the server says it stays fresh
    moved_to: str | None  # where redirects led, if all of them were permanent
    length_bytes: int
    sent: Validators = NOTHING_SENT  # what it was asked with
    spent: Spent = ONE_REQUEST
    certificate: Certificate | None = None  # of who answered; None: there is none, or it was not seen


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
    parts: tuple[Part, ...] | None = None  # of an index, as they are now; None: as before
    late: tuple[LateArticle, ...] = ()  # of items that are known
    late_notes: tuple[ArticleNote, ...] = ()
    problems: tuple[str, ...] = ()  # with those articles, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """410: the publisher says that it will not come back (RFC 9110 15.5.11)."""

    spent: Spent = ONE_REQUEST
    bad_answer: BadAnswer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Nothing to read; `backs_off_host` when the server asks everybody for less (429, 503)."""

    status: int | None  # None when there was no complete response
    error: str
    asked: timedelta | None = None
    backs_off_host: bool = False
    url: str | None = None  # who answered, after redirects
    spent: Spent = ONE_REQUEST
    bad_answer: BadAnswer | None = None  # None: none came, or it is not to blame


Outcome = Fetched | NotModified | Gone | Failed


async def fetch(client: Client, claim: Claim, now: datetime) -> Outcome:
    """Return what the claimed address has for us."""
    sent = conditions(claim, now)
    try:
        response = await client.get(
            claim.address,
            {"accept": accept(claim.source.address(claim.url)), **condition_fields(sent)},
            validators_of=claim.validators.url,
        )
    except NetworkError as error:
        return Failed(status=None, error=str(error))
    if response.status == 410:
        return Gone(spent=spent_on(response), bad_answer=bad_answer_of(response))
    if response.status != 304 and not 200 <= response.status < 300:
        return failed_by(response, now)
    return _read(response, claim, sent, now)


def failed_by(response: Response, now: datetime) -> Failed:
    """Return the failure that an error status is."""
    return Failed(
        status=response.status,
        error=f"the server answered {response.status}",
        asked=asked_by_retry_after(response.headers.get("retry-after"), now),
        backs_off_host=response.status in (429, 503),
        url=response.url,
        spent=spent_on(response),
        bad_answer=bad_answer_of(response),
    )


def bad_answer_of(response: Response) -> BadAnswer:
    """Return of an answer what a person needs to see what is wrong with it."""
    return bad_answer(response.url, response.status, response.headers, response.body)


def bad_answer(url: str, status: int, headers: Mapping[str, str], body: bytes) -> BadAnswer:
    """Return of an answer what a person needs to see what is wrong with it: its beginning."""
    shown = [
        (name, HIDDEN if name.casefold() in _SECRET_FIELDS else value[:MAX_VALUE])
        for name, value in headers.items()
    ]
    return BadAnswer(
        url=url,
        status=status,
        headers=tuple(shown[:MAX_FIELDS]),
        body=body[:MAX_BEGINNING].decode("utf-8", "replace").replace("\x00", "\ufffd"),
        length_bytes=len(body),
    )


def accept(address: Address) -> str:
    """Return which kinds of answer an address is asked for."""
    kind = Kind.PAGE if address.is_page else address.kind
    return _ACCEPT_BY_KIND.get(kind, ACCEPT) if kind else ACCEPT


def condition_fields(validators: Validators) -> dict[str, bytes | str]:
    """Return the header fields that ask for what has changed only (RFC 9110 13.1)."""
    headers: dict[str, bytes | str] = {}
    if validators.etag is not None:
        headers["if-none-match"] = validators.etag
    if validators.last_modified is not None:
        headers["if-modified-since"] = validators.last_modified
    return headers


def validators_of(response: Response, before: Validators) -> Validators:
    """Return what to ask with from now on. What a 304 leaves out still holds (RFC 9111 4.3.4)."""
    still = before if response.status == 304 else Validators()
    return Validators(
        etag=response.raw_header("etag") or still.etag,
        last_modified=response.raw_header("last-modified") or still.last_modified,
        url=response.url,
    )


def spent_on(response: Response) -> Spent:
    """Return what an answer took."""
    return Spent(requests=1 + len(response.redirects), received_bytes=response.received_bytes)


def _read(response: Response, claim: Claim, sent: Validators, now: datetime) -> Outcome:
    if response.status == 304 and not is_conditional(sent):
        why = "the server answered 304 (not modified), though we have nothing yet"
        return Failed(status=304, error=why, bad_answer=bad_answer_of(response))
    answer = Answer(
        status=response.status,
        validators=validators_of(response, claim.validators),
        asked=freshness(response.headers, now),
        moved_to=permanent_target(response.redirects),
        length_bytes=len(response.body),
        sent=sent,
        spent=spent_on(response),
        certificate=response.certificate,
    )
    if response.status == 304:
        return NotModified(answer=answer)
    body_hash = hashlib.sha256(response.body).hexdigest()
    if body_hash == claim.body_hash:
        return NotModified(answer=answer)
    return Fetched(
        answer=answer, url=response.url, headers=response.headers, body=response.body, body_hash=body_hash
    )


def permanent_target(redirects: tuple[Redirect, ...]) -> str | None:
    """Return where permanent redirects led; one that gives up https is never made permanent."""
    is_permanent = bool(redirects) and all(
        hop.status in _PERMANENT and not hop.is_downgrade for hop in redirects
    )
    return redirects[-1].url_to if is_permanent else None
