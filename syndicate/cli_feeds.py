"""The command about feeds: which there are, and where."""

import typer

from syndicate.feeds.health import health_feed
from syndicate.feeds.site import Site
from syndicate.loading import Loaded
from syndicate.model.feeds import Feed
from syndicate.report_feeds import FEED_TITLES, feed_json, feed_row
from syndicate.terminal import AsJson, load, opened, out, print_json, print_table


def feeds(context: typer.Context, as_json: AsJson = False) -> None:
    """List the feeds that are published, with their addresses, also those that are secret.

    The last one is that of health, which tells whoever runs the service what is the matter with sources and
    endpoints. It has an address as soon as the service, or `once`, has run.
    """
    loaded = load(context)
    service = loaded.config.service
    site = Site(title=service.title, base_url=service.base_url)
    found = [*loaded.config.feeds, *_of_health(loaded)]
    if as_json:
        print_json([feed_json(feed, site) for feed in found])
        return
    print_table(FEED_TITLES, [feed_row(feed, site) for feed in found], "There are no feeds.")
    out.print(f"The list for readers that import OPML: {site.url('index', '.opml')}")


def _of_health(loaded: Loaded) -> list[Feed]:
    if not loaded.config.has_health:
        return []
    with opened(loaded) as store:
        report = store.health(None)
    return [health_feed(report.token)] if report else []
