"""Ids of what is published: absolute IRIs (RFC 4287 4.2.6), which never change."""

import re
import uuid
from urllib.parse import quote, urlsplit

_SCHEMES = ("http", "https", "tag", "urn")
_NOT_IN_IRIS = frozenset(' <>"{}|\\^`')
_LONGEST = 2000  # characters
_SINCE = 2026  # the year from which on these are minted; never changes, or a new database would mint others
_AUTHORITY = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")  # DNSname of RFC 4151, without its rare dots
_IN_TAGS = "/?:@!$&'()*+,;=-._~"


def absolute_iri(text: str | None) -> str | None:
    """Return a text if it can be an id as it stands: a web address, a `tag:` or a `urn:`; else None."""
    iri = (text or "").strip()
    scheme, separator, rest = iri.partition(":")
    is_iri = scheme.lower() in _SCHEMES and separator and rest
    has_only_its_characters = iri.isprintable() and not _NOT_IN_IRIS.intersection(iri)
    return iri if is_iri and has_only_its_characters and len(iri) <= _LONGEST else None


def minted(url: str, source: str, key: str) -> str:
    """Return the id of an item that has none of its own: always the same one.

    It is a `tag:` (RFC 4151) in the name of the host that published it, or a `urn:uuid:` where that has no
    name that can stand in one.

    Args:
        url: of the source.
        source: its id, since several at a host may use one key.
        key: that names the item there (docs/decisions/0008-items-are-named-by-keys.md).
    """
    tag = f"tag:{_host(url)},{_SINCE}:syndicate/{quote(f'{source}/{key}', safe=_IN_TAGS, errors='replace')}"
    if _AUTHORITY.fullmatch(_host(url)) and len(tag) <= _LONGEST:
        return tag
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{source} {key}").urn


def _host(url: str) -> str:
    """Return the name of a host in ASCII; empty if it has none."""
    try:
        return (urlsplit(url).hostname or "").encode("idna").decode()
    except ValueError:
        return ""
