"""Where feeds may be: what a page names or links to, and paths that are common. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urljoin, urlsplit

from syndicate.sources.links import is_same_site
from syndicate.sources.markup import Node, attribute, rough_text, tree_of
from syndicate.sources.naming import address_key
from syndicate.sources.sanitise import check_link, clean_line, join

MAX_NAMED = 20
MAX_LINKED = 10
STALE = timedelta(days=60)
LAST_FORMATS = ("sitemap", "sitemap index", "page")  # they have no texts
_MAX_MARKUP = 1024 * 1024  # characters of a page that are looked at
_MAX_LINKS = 5000
_MAX_TITLE = 200

_FEED_TYPES = frozenset(
    [
        *("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"),
        *("application/json", "application/xml", "text/xml"),
    ]
)
_FEED_LIKE = re.compile(
    r"/(?:rss|atom|feeds?)(?:[/._-]|$)|[/._-](?:rss|atom|feed)(?:/|\.xml|\.json|$)", re.IGNORECASE
)
_FEED_QUERY = re.compile(r"(?:^|[?&])(?:feed|format|type)=(?:rss|atom|feed|rdf)", re.IGNORECASE)
_API = re.compile(r"/wp-json/|oembed", re.IGNORECASE)
_COMMENTS = re.compile(r"/comments?(?:/|$)|^comments (?:on|for)\b|^(?:комментарии|пікірлер)\b", re.IGNORECASE)
_AT_ROOT = ("feed", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feed.json", "feeds", "en/rss")
_BELOW = ("feed", "rss", "rss.xml", "feed.xml")


class Via(StrEnum):
    """How an address came up, the most trustworthy first."""

    GIVEN = "given"
    NAMED = "named"  # by the page, as its feed
    LINKED = "linked"  # from the page, with an address that looks like a feed's
    GUESSED = "guessed"  # many sites have one there
    ROBOTS = "robots"  # a sitemap that robots.txt names


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """An address where something to watch may be."""

    url: str  # http(s), absolute
    via: Via
    title: str = ""  # as the page has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something to watch."""

    url: str  # as config.toml should have it: behind permanent redirects
    via: Via
    title: str
    format: str
    entries: int
    newest: datetime | None  # None: no entry has a date
    language: str | None = None
    headlines: tuple[str, ...] = ()  # of its first entries


def page_leads(markup: str, url: str) -> tuple[Lead, ...]:
    """Return the feeds that an HTML page names, and then the links in it that look like feeds of its site.

    Args:
        url: where the page came from.
    """
    tree = tree_of(markup[:_MAX_MARKUP])
    base_node = tree.css_first("base[href]")
    base = join(url, attribute(base_node, "href")) if base_node else url
    links = (_lead(each, base, Via.NAMED) for each in tree.css("link[href]")[:_MAX_LINKS] if _names(each))
    named = tuple(_distinct(links, MAX_NAMED))
    anchors = (_lead(each, base, Via.LINKED) for each in tree.css("a[href]")[:_MAX_LINKS])
    linked = _distinct((lead for lead in anchors if lead and _looks_right(lead.url, url)), MAX_LINKED)
    return tuple(_distinct((*named, *linked), MAX_NAMED + MAX_LINKED))


def common_leads(url: str) -> tuple[Lead, ...]:
    """Return paths where many sites have their feed: below the address first, then at the site's root."""
    addresses = [_folder(url) + path for path in _BELOW] + [urljoin(url, f"/{path}") for path in _AT_ROOT]
    leads = (Lead(url=address, via=Via.GUESSED) for address in addresses)
    return tuple(_distinct(leads, len(addresses)))


def ranked(found: Iterable[Found], now: datetime) -> tuple[Found, ...]:
    """Return what was found, the best first: feeds of articles, which are alive, named by the page."""

    def rank(each: Found) -> tuple[int, bool, int, int]:
        return _order(each.format), _is_comments(each), _age(each, now), list(Via).index(each.via)

    return tuple(sorted(found, key=rank))


def _order(form: str) -> int:
    return LAST_FORMATS.index(form) + 1 if form in LAST_FORMATS else 0


def _folder(url: str) -> str:
    """Return an address that ends with a slash: that of a page with a suffix, else the page as a folder."""
    parts = urlsplit(url)
    is_file = "." in parts.path.rpartition("/")[2]
    return urljoin(url, ".") if is_file else f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def _age(found: Found, now: datetime) -> int:
    if not found.entries:
        return 3
    if found.newest is None:
        return 1
    return 2 if found.newest < now - STALE else 0


def _is_comments(found: Found) -> bool:
    return bool(_COMMENTS.search(found.title) or _COMMENTS.search(urlsplit(found.url).path))


def _names(link: Node) -> bool:
    """Whether a <link> names a feed (https://www.rssboard.org/rss-autodiscovery)."""
    relations = attribute(link, "rel").casefold().split()
    media_type = attribute(link, "type").partition(";")[0].strip().casefold()
    is_feed = "alternate" in relations and media_type in _FEED_TYPES
    return "feed" in relations or (is_feed and not _API.search(attribute(link, "href")))


def _lead(node: Node, base: str, via: Via) -> Lead | None:
    url = check_link(attribute(node, "href"), base)
    if url is None:
        return None
    title = attribute(node, "title") if via is Via.NAMED else rough_text(node)
    return Lead(url=url.partition("#")[0], via=via, title=clean_line(title, _MAX_TITLE))


def _looks_right(link: str, page: str) -> bool:
    """Whether a link is of the page's site and looks like a feed."""
    parts = urlsplit(link)
    looks = _FEED_LIKE.search(parts.path) or _FEED_QUERY.search(parts.query)
    return bool(looks) and is_same_site(link, page)


def _distinct(leads: Iterable[Lead | None], most: int) -> Iterator[Lead]:
    seen: set[str] = set()
    for lead in leads:
        if len(seen) >= most:
            return
        if lead is not None and (key := address_key(lead.url)) not in seen:
            seen.add(key)
            yield lead
