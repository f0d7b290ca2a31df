"""What the command about feeds says. Prints nothing."""

from collections.abc import Mapping

from syndicate.feeds.site import FORMATS, PAGE, Site
from syndicate.model.feeds import Feed

FEED_TITLES = ("id", "title", "read by", "address")


def feed_row(feed: Feed, site: Site) -> tuple[str, ...]:
    """Return the row of a feed."""
    return feed.id, feed.title, _readers(feed), site.url(feed.name, FORMATS[0].extension)


def feed_json(feed: Feed, site: Site) -> Mapping[str, object]:
    """Return a feed as JSON."""
    return {
        "id": feed.id,
        "title": feed.title,
        "about": feed.about,
        "rules": feed.rules,
        "sources": feed.sources,
        "is_listed": feed.is_listed,
        "page": site.url(feed.name, PAGE),
        **{each.extension.removeprefix("."): site.url(feed.name, each.extension) for each in FORMATS},
    }


def _readers(feed: Feed) -> str:
    if feed.settings.token is not None:
        return "who knows its address"
    return "all" if feed.is_listed else "all, in no list"
