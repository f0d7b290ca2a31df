"""Which items report the same thing. Items share a story when they have the same canonical link."""

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


def story_keys(link: str | None) -> tuple[str, ...]:
    """Return the keys under which an item finds its story, strongest first; none for a story of its own."""
    canonical = canonical_link(link)
    return (f"link:{canonical}",) if canonical else ()


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
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([pair for pair in pairs if not _is_tracking(pair)], errors="replace")


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
