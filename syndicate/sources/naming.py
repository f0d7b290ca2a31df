"""Names for sources that have none yet: ids that people recognise; and when two addresses are the same."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

MAX_ID = 32  # made of a title or a host: an id is typed

_NOT_IN_ID = re.compile(r"[^a-z0-9]+")
_SEPARATOR = re.compile(r"\s+[-–—|·•»:/]+\s+|:\s+")
_FEED_WORDS = re.compile(r"\b(?:(?:rss|atom|json|news)\s+)?feeds?\b|\brss\b|\batom\b", re.IGNORECASE)
_LEADING_ARTICLE = re.compile(r"^the-(?=.)")
_ANYTHING = frozenset(
    [
        *("all", "archive", "articles", "blog", "home", "homepage", "index", "latest", "latest-news", "main"),
        *("news", "official-website", "posts", "press", "press-releases", "recent", "start", "top-stories"),
        *("untitled", "website", "welcome"),
    ]
)
_SUBDOMAINS = frozenset(
    ["www", "www2", "web", "m", "feeds", "feed", "rss", "en", "ru", "kk", "kz", "uz", "fr", "de"]
)
_SECOND_LEVEL = frozenset(["ac", "co", "com", "edu", "gob", "gouv", "gov", "net", "or", "org"])
_DEFAULT_PORTS = {"http": 80, "https": 443}


def new_id(title: str, url: str, language: str | None, taken: Collection[str]) -> str:
    """Return an id for a source that is not taken: of its title if that is a short name, else of its host.

    Args:
        url: http(s).
        language: of its text, which tells the feeds of one outlet apart; None: not known.
    """
    name = _named_by(title) or _named_by_host(urlsplit(url).hostname or "") or "source"
    return next(candidate for candidate in _candidates(name, language) if candidate not in taken)


def address_key(url: str) -> str:
    """Return what is the same for addresses that are bound to lead to one document.

    With http or https, a slash at the end or none, a port that goes without saying or not.
    """
    parts = urlsplit(url)
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"//{(parts.hostname or '').rstrip('.')}{port}{parts.path.rstrip('/')}{query}"


def _named_by(title: str) -> str:
    """Return the id in a title, "" if it has none that says whose it is."""
    slugs = [_slug(title), *(_slug(part) for part in _SEPARATOR.split(title))]
    return next((slug for slug in slugs if 2 < len(slug) <= MAX_ID and slug not in _ANYTHING), "")


def _slug(text: str) -> str:
    """Return a text as an id, "" if most of its letters have no place in one."""
    text = _FEED_WORDS.sub(" ", text)
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    letters = sum(letter.isalnum() for letter in text)
    kept = sum(letter.isalnum() for letter in plain)
    slug = _NOT_IN_ID.sub("-", plain).strip("-")
    return _LEADING_ARTICLE.sub("", slug) if kept * 10 >= letters * 9 else ""


def _named_by_host(host: str) -> str:
    labels = [_NOT_IN_ID.sub("-", label).strip("-") for label in host.casefold().split(".")]
    if all(label.isdigit() for label in labels):
        return "-".join(labels)
    named = labels[:-1] or labels
    while len(named) > 1 and named[0] in _SUBDOMAINS:
        named.pop(0)
    while len(named) > 1 and named[-1] in _SECOND_LEVEL:
        named.pop()
    # What is too short to tell, or any outlet's, goes with what stands beside it.
    is_telling = len(named[-1]) > 2 and named[-1] not in _SECOND_LEVEL
    name = named[-1] if is_telling else "-".join([*named[-2:], *labels[-1:]])
    return name[:MAX_ID].strip("-")


def _candidates(name: str, language: str | None) -> Iterator[str]:
    yield name
    tag = _NOT_IN_ID.sub("-", (language or "").casefold()).strip("-")
    if tag:
        yield f"{name}-{tag}"[:64]
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1
