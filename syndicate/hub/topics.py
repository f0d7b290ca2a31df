"""Which hub tells of which documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from syndicate.errors import RefusedError
from syndicate.feeds.site import FORMATS, Site
from syndicate.http.addresses import target
from syndicate.model import Config
from syndicate.model.feeds import HubAddress
from syndicate.sources.websub import unreachable

PATH = "/hub"  # of our own, below base_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A document that a hub tells of: the head of a feed in a format."""

    url: str
    path: Path
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The bytes of a topic as they are now."""

    body: bytes
    digest: str


def hub_address(config: Config) -> HubAddress | None:
    """Return the hub that tells of our feeds; None if there is to be none, or nobody could reach ours."""
    if isinstance(config.hub, str):
        return HubAddress(url=config.hub, is_ours=False)
    return None if why_none(config) else HubAddress(url=f"{config.service.base_url}{PATH}", is_ours=True)


def why_none(config: Config) -> str | None:
    """Return why feeds name no hub; None if they name one."""
    base_url = config.service.base_url
    if isinstance(config.hub, str):
        return None
    if not config.hub:
        return "[feeds] hub is false"
    return unreachable(base_url, config.network.allow_private) or _ambiguous(base_url)


def _ambiguous(base_url: str) -> str | None:
    """Return why not everybody spells an address alike, so that no topic can be told by its address."""
    try:
        target(base_url)
    except RefusedError as error:
        return f"{base_url}: {error}"
    mended = "write its host as xn--..., and percent-encode the rest"
    return None if base_url.isascii() else f"base_url {base_url} is not in ASCII: {mended}"


def topics_of(config: Config, hub: HubAddress | None) -> Mapping[str, Topic]:
    """Return what a hub tells of, by address."""
    site = Site(title=config.service.title, base_url=config.service.base_url, hub=hub)
    topics = [
        Topic(
            url=site.url(feed.name, each.extension),
            path=config.service.feeds / f"{feed.name}{each.extension}",
            content_type=each.content_type,
        )
        for feed in config.feeds
        if hub is not None and hub.tells_of(feed)
        for each in FORMATS
    ]
    return {topic.url: topic for topic in topics}


def read_document(topic: Topic) -> Document | None:
    """Return a document as it is now, None if there is none yet. Blocks."""
    try:
        body = topic.path.read_bytes()
    except OSError:
        return None
    return Document(body=body, digest=sha256(body).hexdigest())
