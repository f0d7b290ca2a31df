"""The command about our hub: who is told what is new in feeds."""

import typer

from syndicate import report_hub
from syndicate.hub.topics import hub_address, why_none
from syndicate.model import Config
from syndicate.terminal import AsJson, load, opened, out, print_json, print_table


def hub(context: typer.Context, as_json: AsJson = False) -> None:
    """List who is told what is new in feeds: subscribers of our hub, or the hub that is configured."""
    loaded = load(context)
    with opened(loaded) as store:
        now, found = store.now(), store.hub.subscribers()
    if as_json:
        print_json([report_hub.subscriber_json(each) for each in found])
        return
    out.print(_where(loaded.config))
    print_table(
        report_hub.TITLES, [report_hub.subscriber_row(each, now) for each in found], "Nobody has subscribed."
    )


def _where(config: Config) -> str:
    address = hub_address(config)
    if address is None:
        return f"Feeds name no hub: {why_none(config)}."
    return f"Feeds name {'our hub' if address.is_ours else 'the hub'} {address.url}"
