"""Which items report the same thing by their links. By their texts: `near`.

There are two readings of a link. `canonical_link` names an item as well, so it takes away only what never
makes another address, and stays as it is: else stored items would be new. `story_link` looks for the article
behind an address, also on another host.
"""

import re
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

_TRACKING_NAMES = frozenset(
    {
        "_hsenc",
        "_hsmi",
        "at_campaign",
        "at_medium",
        "cmpid",
        "dclid",
        "fbclid",
        "gclid",
        "igshid",
        "mc_cid",
        "mc_eid",
        "mkt_tok",
        "msclkid",
        "ns_campaign",
        "ns_mchannel",
        "ns_source",
        "srsltid",
        "twclid",
        "wt_mc",
        "wt_zmc",
        "yclid",
        "ysclid",
    }
)
_TRACKING_PREFIXES = ("utm_", "pk_", "mtm_", "hsa_")
# Addresses with nothing to take apart, as most are.
_PLAIN = re.compile(r"https?://([a-z0-9.-]+)(/[a-zA-Z0-9/._~-]*)?")
_PLAIN_GUID = re.compile(r"https?://([a-z0-9.-]+)((?:/[a-zA-Z0-9/._~-]*)?(?:\?[a-zA-Z0-9=&._~+-]+)?)")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_REMEMBERED = 4096  # addresses: of one entry, they are asked for several times


def story_keys(link: str | None, canonical: str | None = None) -> tuple[str, ...]:
    """Return the keys under which an item finds its story, strongest first; none for a story of its own.

    Args:
        link: of the item.
        canonical: what its page or its entry says that its address is (rel=canonical, RFC 6596), absolute;
            None if that is not known. It is not believed if the item's own link lies below it: there, every
            article of a section names that section.
    """
    own = story_link(link)
    named = story_link(canonical)
    if named and own and own.startswith(f"{named}/"):
        named = None
    # The last one is how items were found before AMP and mobile addresses were seen through.
    found = (named, own, canonical_link(link))
    return tuple(f"link:{key}" for key in dict.fromkeys(found) if key)


@lru_cache(maxsize=_REMEMBERED)
def story_link(link: str | None) -> str | None:
    """Return what all addresses of an article have in common, None if it names no article.

    As `canonical_link`, and AMP pages, their caches and mobile hosts do not count.
    """
    found = _parts(_behind_caches(link or ""))
    if found is None:
        return None
    site, parts = found
    host = _MOBILE.sub("", site) if _MOBILE.match(site) else parts.netloc
    query = urlencode([pair for pair in _pairs(parts.query) if not _is_amp(pair)], errors="replace")
    return canonical_link(parts._replace(netloc=host, path=_without_amp(parts.path), query=query).geturl())


_AMP_CACHE = re.compile(
    r"https?://(?:"
    r"(?:www\.)?google\.[a-z.]{2,6}/amp"  # the viewer in search results
    r"|[a-z0-9-]+\.cdn\.ampproject\.org/(?:c|v|wp)"
    r"|(?:www\.|[a-z0-9-]+\.)?bing-amp\.com/(?:c|v)"
    r")/(s/)?(?=[^/?#]+\.)",
    re.IGNORECASE,
)
_MOBILE = re.compile(r"^(?:(?:www|m|mobile|amp)\.)+(?=[^.]+\.)")
_AMP_PATH = re.compile(r"/amp(?=/|$)|[./]amp(?=\.html?$)|\.amp$", re.IGNORECASE)


def _behind_caches(link: str) -> str:
    """Return the address that an AMP cache shows: google.com/amp/s/news.example/a is https://news.example/a."""
    while cached := _AMP_CACHE.match(link):
        link = f"{'https' if cached[1] else 'http'}://{link[cached.end() :]}"
    return link


def _without_amp(path: str) -> str:
    while (shorter := _AMP_PATH.sub("", path.rstrip("/"))) != path:
        path = shorter
    return path


def _is_amp(pair: tuple[str, str]) -> bool:
    name, value = pair[0].lower(), pair[1].lower()
    return (
        name == "amp" or name.startswith("amp_") or (name, value) in (("outputtype", "amp"), ("mode", "amp"))
    )


@lru_cache(maxsize=_REMEMBERED)
def canonical_link(link: str | None) -> str | None:
    """Return what all spellings of an article's address have in common, None if it names no article.

    Scheme, www., default port, tracking parameters, fragment and a slash at the end do not count. The front
    page of a site is the address of no article.
    """
    if plain := _PLAIN.fullmatch(link or ""):
        path = (plain[2] or "").rstrip("/")
        return f"{plain[1].removeprefix('www.')}{path}" if path else None
    found = _parts(link)
    if found is None:
        return None
    site, parts = found
    query = _without_tracking(parts.query) if parts.query else ""
    # A fragment that routes (#!/path) is the article; any other is a place in it.
    fragment = f"#{parts.fragment}" if parts.fragment.startswith("!") else ""
    path = parts.path.rstrip("/")
    if not (path or query or fragment):
        return None
    return f"{site}{path}{'?' if query else ''}{query}{fragment}"


@lru_cache(maxsize=_REMEMBERED)
def canonical_guid(guid: str) -> str:
    """Return what a guid is compared as: one that is an address has no scheme, www. or default port."""
    if plain := _PLAIN_GUID.fullmatch(guid):
        return f"//{plain[1].removeprefix('www.')}{plain[2]}"
    found = _parts(guid.strip())
    if found is None:
        return guid.strip()
    site, parts = found
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"//{site}{parts.path}{query}{fragment}"


def _without_tracking(query: str) -> str:
    return urlencode([pair for pair in _pairs(query) if not _is_tracking(pair)], errors="replace")


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


@lru_cache(maxsize=_REMEMBERED)
def _parts(address: str | None) -> tuple[str, SplitResult] | None:
    """Return the site of an address and its parts; None if it is no web address."""
    try:
        parts = urlsplit(address or "")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host or port == 0:
        return None
    site = host.removeprefix("www.")
    return (site if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{site}:{port}"), parts


def _is_tracking(pair: tuple[str, str]) -> bool:
    name = pair[0].lower()
    return name in _TRACKING_NAMES or name.startswith(_TRACKING_PREFIXES)
