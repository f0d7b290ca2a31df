"""What a person configured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from urllib.parse import unquote, urlsplit

from syndicate.model.channels import Channel
from syndicate.model.feeds import Feed, FeedSettings
from syndicate.model.pace import Pace
from syndicate.model.spike import SpikeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresAddress:
    """Where a database of PostgreSQL is, and who we are there."""

    url: str = field(repr=False)  # postgresql://...

    def __str__(self) -> str:
        """Return the address without the password, which may be shown."""
        parts = urlsplit(self.url)
        user, at, host = parts.netloc.rpartition("@")
        name, colon, _ = user.partition(":")
        shown = f"{name}:***" if colon else name
        query = "&".join(_without_password(given) for given in parts.query.split("&"))
        return f"{parts.scheme}://{shown}{at}{host}{parts.path}" + (f"?{query}" if query else "")


def _without_password(given: str) -> str:
    name = given.partition("=")[0]
    return f"{name}=***" if "password" in unquote(name) else given


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """`[service]`; paths are absolute."""

    database: Path | PostgresAddress
    rules: Path
    feeds: Path
    base_url: str = "http://127.0.0.1:8080"  # without a trailing slash
    host: str = "127.0.0.1"  # `listen`, taken apart
    port: int = 8080
    title: str = "Syndicate"
    notify: tuple[str, ...] = ()  # ids of endpoints that are told when something is the matter with a source
    websub: bool = True  # hubs are asked to push, where they can reach us at base_url
    time_zone: tzinfo = UTC  # in which people are told times, and hours compared

    @property
    def previous(self) -> Path:
        """The folder of what files were before edits: beside the database, if that is a file."""
        data = self.database.parent if isinstance(self.database, Path) else self.rules.parent / "data"
        return data / "previous"


class TokenScope(StrEnum):
    """What a token of the API lets do, each alone."""

    READ = "read"  # everything that is only looked at
    TEST = "test"  # try rules and queries on what is stored
    REFRESH = "refresh"  # have sources polled now
    REPLAY = "replay"  # have deliveries sent once more


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """`[[web.token]]`: a program that may use the API."""

    name: str
    digest: str = field(repr=False)  # of the token, as `syndicate.tokens` makes it
    scopes: tuple[TokenScope, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """`[web]`: who may look at the pages. Without any of it, only this machine may."""

    password: str | None = field(default=None, repr=False)  # its hash; None: there is none
    trusted_proxy_header: str | None = None  # in which a proxy says who has logged in; None: it says nothing
    edit: bool = False  # whether pages write into rules/ and config.toml
    shows_images: bool = False  # whether articles are shown with their images, which we then fetch
    tokens: tuple[ApiToken, ...] = ()  # of programs, for the API alone


class Scope(StrEnum):
    """Who waits when a server asks for less (429, 503, Retry-After)."""

    HOST = "host"  # everybody who asks that host
    SOURCE = "source"  # the source that was answered so


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """`[network]`: how we behave towards others, and what we refuse."""

    allow_private: tuple[IPv4Network | IPv6Network, ...] = ()
    host_interval: timedelta = timedelta(seconds=1)  # between the starts of two requests to a host
    host_concurrency: int = 2
    concurrency: int = 64
    timeout: timedelta = timedelta(seconds=30)  # a whole request, redirects included
    max_bytes: int = 15 * 1024 * 1024  # of a body after decompression
    user_agent: str = ""
    retry_after: Scope = Scope.HOST


class Kind(StrEnum):
    """What an address answers with."""

    FEED = "feed"  # RSS, RDF, Atom
    JSON = "json"  # JSON Feed
    SITEMAP = "sitemap"  # a list of addresses, with titles for news; or an index of such lists
    PAGE = "page"  # a web page with links to articles


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One of the addresses of a source, and how what it answers is read. Selectors are CSS."""

    url: str
    kind: Kind | None = None  # None: as the answer looks
    item: str | None = None  # each article's part of a page; None: what holds one link to an article
    title: str | None = None  # within that, as the others; None: its heading, else its link's text
    link: str | None = None  # None: the link of its title, else its first
    date: str | None = None  # None: a <time>, else what looks like a date
    link_pattern: str | None = None  # that links of articles have, with *; None: all that look alike

    @property
    def is_page(self) -> bool:
        """Whether it was said to be a web page, by its kind or by selectors."""
        selectors = (self.item, self.title, self.link, self.date)
        return self.kind is Kind.PAGE or any(selector is not None for selector in selectors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What we poll, as configured."""

    id: str
    title: str
    urls: tuple[str, ...]  # tried in order
    addresses: tuple[Address, ...] = ()  # those of the urls of which more is said than where they are
    interval: timedelta = timedelta(minutes=60)  # the longest wait from one poll to the next
    adaptive: bool = True  # it is asked more often where it publishes more often; False: at that interval
    language: str | None = None  # BCP 47; None: as the document says, or as it looks
    tags: tuple[str, ...] = ()
    full_text: bool = False
    prune: tuple[str, ...] = ()  # CSS selectors of what is no part of an article, on its page
    enabled: bool = True
    baseline: bool = True  # the first valid document raises no alerts
    websub: bool = True  # its hub is asked to push

    def address(self, url: str) -> Address:
        """Return what is said of one of the urls."""
        return next((each for each in self.addresses if each.url == url), Address(url=url))


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where alerts go, as configured."""

    id: str
    url: str = ""  # of a standard webhook; empty for a channel, whose settings say where it is
    secrets: tuple[str, ...] = field(default=(), repr=False)  # whsec_..., the newest first; none: unsigned
    concurrency: int = 4  # deliveries at once; 1 keeps their order
    format: str = "standard"
    pace: Pace = Pace()  # at which it is told
    flood_after: int | None = None  # more deliveries than that, due at once, become one; None: never
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    channel: Channel | None = None  # None: a standard webhook


class SmtpSecurity(StrEnum):
    """How a connection to the mail server is encrypted."""

    STARTTLS = "starttls"  # after it was made (RFC 3207)
    TLS = "tls"  # from its beginning (RFC 8314 3.3)
    NONE = "none"  # not at all


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """`[smtp]`: the server that takes mail."""

    host: str
    port: int
    security: SmtpSecurity = SmtpSecurity.STARTTLS
    user: str | None = None  # None: it wants no password
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A text that a rule must match, or must not; `line` is where its file says so."""

    title: str = ""
    body: str
    language: str | None = None
    source: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A text in a file, and where in the file it stands."""

    text: str
    places: tuple[tuple[int, int], ...]  # of each of its lines: the file's line, how much stands before it


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedTerm:
    """One of the terms of `[score]`."""

    query: Written
    weight: float  # below 0: counts against


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreText:
    """`[score]`: the rule holds where the weights of the terms that hold add up to the threshold."""

    threshold: float
    terms: tuple[WeightedTerm, ...]
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """A rule as its file has it, before it is compiled. It asks by one of keywords, query and score."""

    id: str
    title: str
    file: str
    line: int  # of the table's head; 1 for the one rule of a file
    keywords: tuple[str, ...] = ()
    keyword_lines: tuple[int, ...] = ()  # where each keyword stands in the file
    query: Written | None = None
    score: ScoreText | None = None
    fold: bool = False  # diacritics make no difference
    sources: tuple[str, ...] = ()  # ids, patterns with *, tag:name; empty: all
    languages: tuple[str, ...] = ()  # of items, BCP 47; empty: all
    since: timedelta | None = None  # only items published within so long before they are matched
    notify: tuple[str, ...] = ()  # endpoint ids
    urgent: bool = False  # its alerts never wait, whatever the pace of an endpoint
    escalate: int | None = None  # sources that must carry a story to alert again; None: never
    renamed_from: tuple[str, ...] = ()  # ids that it had before
    feed: FeedSettings | None = field(default_factory=FeedSettings)  # None: it publishes none
    spike: SpikeSettings | None = None  # None: nobody is told how many matches there are
    match: tuple[Example, ...] = ()
    no_match: tuple[Example, ...] = ()

    @property
    def own_feed(self) -> Feed | None:
        """The feed of its matches, None if it publishes none."""
        if self.feed is None:
            return None
        return Feed(
            id=self.id,
            title=self.feed.title or self.title,
            about=f"News that matches the rule {self.title}",
            rules=(self.id,),
            settings=self.feed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything a person configured, valid on its own; rules are compiled later."""

    path: Path
    service: ServiceSettings
    network: NetworkSettings
    sources: tuple[Source, ...]
    endpoints: tuple[Endpoint, ...]
    rules: tuple[RuleText, ...]
    web: WebSettings = field(default_factory=WebSettings)
    smtp: SmtpSettings | None = None  # None: no mail is sent
    feeds: tuple[Feed, ...] = ()  # all that are published: of rules, of several of them, of tags
    hub: bool | str = True  # that tells of them at once: ours, where it can be reached, none, or that one
    has_health: bool = False  # whether there is a feed of health, for whoever runs the service
