"""What asking needs, and what it took."""

from dataclasses import dataclass
from datetime import datetime

from syndicate.model.configuration import Source
from syndicate.model.learn import Learned, Trust
from syndicate.model.push import Push, Pushing


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What asking took of others."""

    requests: int = 0  # redirects included
    received_bytes: int = 0  # of bodies, as they came over the network

    def __add__(self, other: "Spent") -> "Spent":
        """Return what both took together."""
        return Spent(
            requests=self.requests + other.requests, received_bytes=self.received_bytes + other.received_bytes
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """When the certificate of a server is valid."""

    host: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a server gave to ask again with: opaque bytes, sent back as they came (RFC 9110 8.8)."""

    etag: bytes | None = None
    last_modified: bytes | None = None
    url: str | None = None  # who gave them, after redirects; None: the address that was asked


@dataclass(frozen=True, slots=True, kw_only=True)
class BadAnswer:
    """An answer in which there was nothing to read, as it came."""

    url: str  # who answered, after redirects
    status: int
    headers: tuple[tuple[str, str], ...]  # not all of many; of cookies, only that there are some
    body: str  # its beginning
    length_bytes: int  # of all of it, decompressed


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the documents that an index of sitemaps names."""

    url: str
    modified: str | None = None  # when, as the index has it; None: it does not say
    validators: Validators = Validators()
    body_hash: str | None = None  # of what we have read; None: nothing yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A source that is ours to poll until `lease_until`, and what we knew of it when we took it."""

    source: Source
    token: str  # names this claim; a poll recorded under an older one changes nothing
    url: str  # the configured address to try now
    address: str  # where that address is really asked: itself, or its adopted permanent redirect
    is_last_address: bool  # no other configured address is left that may be tried after this one
    validators: Validators
    body_hash: str | None  # sha256 of the last body read from this address
    failures: int  # failed polls in a row
    last_success_at: datetime | None
    last_success_url: str | None
    has_baseline: bool  # a valid document was recorded before
    moved_to: str | None  # where a permanent redirect led lately, not adopted yet
    moved_count: int  # how many answers in a row led there
    due_at: datetime  # when it fell due
    read_at: datetime | None = None  # when this address last had a valid answer; None: never
    format: str = ""  # of the last document read from this address
    parts: tuple[Part, ...] = ()  # read from the index at this address
    is_only_address: bool = False  # all others, if there are any, have said 410
    learned: Learned = Learned()
    trust: Trust = Trust()
    others_answered_at: datetime | None = None  # when any source last had an answer; None: none ever
    brought_at: datetime | None = None  # when this address last listed what it had not before; None: never
    stale_until: datetime | None = None  # it had nothing new for long: see `takeover`; None: it is not stale
    is_look: bool = False  # the address before it works, but is stale: is this one ahead?
    pushing: Pushing = Pushing()
    push: Push | None = None  # what is to be read instead of asking the source; None: it is to be asked
