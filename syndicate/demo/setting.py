"""The demo's own configuration: the local outlets, the demo's rules, the local receiver."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from syndicate.demo.documents import Site

RULES = Path(__file__).parent / "rules"

HEAD = """# Written by `syndicate demo`. Everything in it is on this machine.

[service]
database = "syndicate.db"
rules = "rules"
feeds = "feeds"
base_url = {base_url}
listen = {listen}
title = "Syndicate demo"

[network]
allow_private = ["127.0.0.0/8"]     # the outlets and the receiver are here; by default nothing is allowed
host_interval = "0s"                # nobody minds being asked often here

[[endpoint]]
id = "desk"
url = {receiver}
secret = {secret}
"""

SOURCE = """
[[source]]
id = {id}
title = {title}
url = {url}
interval = {interval}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the configuration is about."""

    listen: str  # host:port of the service
    receiver_url: str
    secret: str
    sites: Sequence[Site]
    interval: timedelta  # between two polls; whole seconds


def prepare(folder: Path, setting: Setting) -> Path:
    """Write config.toml and the rules into a folder; return config.toml's path."""
    path = folder / "config.toml"
    path.write_text(config(setting), encoding="utf-8")
    shutil.copytree(RULES, folder / "rules", ignore=shutil.ignore_patterns(".*"))
    return path


def config(setting: Setting) -> str:
    """Return the text of config.toml."""
    head = HEAD.format(
        base_url=_quoted(f"http://{setting.listen}"),
        listen=_quoted(setting.listen),
        receiver=_quoted(setting.receiver_url),
        secret=_quoted(setting.secret),
    )
    interval = _quoted(f"{int(setting.interval.total_seconds())}s")
    sources = (
        SOURCE.format(
            id=_quoted(site.outlet.id),
            title=_quoted(site.outlet.title),
            url=_quoted(site.feed_url),
            interval=interval,
        )
        for site in setting.sites
    )
    return head + "".join(sources)


def _quoted(text: str) -> str:
    """Return a TOML string; what JSON escapes, TOML reads."""
    return json.dumps(text, ensure_ascii=False)
