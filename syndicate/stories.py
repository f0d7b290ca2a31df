"""Which items report the same thing. Items share a story when they have the same canonical link."""

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
_DEFAULT_PORTS = {"http": 80, "https": 443}


def story_keys(link: str | None) -> tuple[str, ...]:
    """Return the keys under which an item finds its story, strongest first; none for a story of its own."""
    canonical = canonical_link(link)
    return (f"link:{canonical}",) if canonical else ()


def canonical_link(link: str | None) -> str | None:
    """Return what all spellings of an article's address have in common, None if it names no article.

    Scheme, www., default port, tracking parameters, fragment and a slash at the end do not count. The front
    page of a site is the address of no article.
    """
    parts = _parts(link)
    if parts is None:
        return None
    query = urlencode(
        [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _is_tracking(pair)],
        errors="replace",
    )
    # A fragment that routes (#!/path) is the article; any other is a place in it.
    fragment = f"#{parts.fragment}" if parts.fragment.startswith("!") else ""
    path = parts.path.rstrip("/")
    if not (path or query or fragment):
        return None
    return f"{_site(parts)}{path}{'?' if query else ''}{query}{fragment}"


def canonical_guid(guid: str) -> str:
    """Return what a guid is compared as: one that is an address has no scheme, www. or default port."""
    parts = _parts(guid.strip())
    if parts is None:
        return guid.strip()
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"//{_site(parts)}{parts.path}{query}{fragment}"


def _parts(address: str | None) -> SplitResult | None:
    try:
        parts = urlsplit(address or "")
        has_host = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if has_host else None


def _site(parts: SplitResult) -> str:
    host = (parts.hostname or "").removeprefix("www.")
    is_default = parts.port in (None, _DEFAULT_PORTS[parts.scheme])
    return host if is_default else f"{host}:{parts.port}"


def _is_tracking(pair: tuple[str, str]) -> bool:
    name = pair[0].lower()
    return name in _TRACKING_NAMES or name.startswith(_TRACKING_PREFIXES)
