"""What a site's robots.txt asks of us (RFC 9309). Pure, and the only place that knows protego."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from protego import Protego

PRODUCT_TOKEN = "Syndicate"  # noqa: S105  our name in robots.txt
MAX_BYTES = 512 * 1024
LONGEST_DELAY = timedelta(seconds=30)
MAX_SITEMAPS = 50

_USER_AGENT = re.compile(r"\s*user-?agent\s*:\s*([^#]*)", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """What may be asked of a site, and how often."""

    delay: timedelta = timedelta()  # that it wants between two requests, at most LONGEST_DELAY
    unknown: str | None = None  # why it is not known what may be asked, so that nothing is; None: it is known
    length_bytes: int = 0
    sitemaps: tuple[str, ...] = ()  # that it names, as written
    _rules: Protego | None = field(default=None, repr=False)

    def allows(self, url: str) -> bool:
        """Whether the site lets us ask for this address of it."""
        if self.unknown is not None:
            return False
        return self._rules is None or self._rules.can_fetch(url, PRODUCT_TOKEN)


def read_robots(status: int, body: bytes) -> Robots:
    """Return what an answer to /robots.txt says.

    Where there is none, everything is allowed (2.3.1.3). Where the server can't say now, nothing is
    (2.3.1.4); a server that we ask too much (429) is such a one.
    """
    if 400 <= status < 500 and status != 429:
        return Robots()
    if not 200 <= status < 300:
        return Robots(unknown=f"the server answered {status}")
    rules = Protego.parse(_for_us(_bounded(body).decode("utf-8-sig", errors="replace")))
    delay = min(rules.crawl_delay(PRODUCT_TOKEN) or 0.0, LONGEST_DELAY.total_seconds())
    sitemaps = tuple(islice(dict.fromkeys(rules.sitemaps), MAX_SITEMAPS))
    return Robots(delay=timedelta(seconds=delay), length_bytes=len(body), sitemaps=sitemaps, _rules=rules)


def _bounded(body: bytes) -> bytes:
    """Return as much of a robots.txt as is read, in whole lines (RFC 9309 2.5)."""
    return body if len(body) < MAX_BYTES else body[: body.rfind(b"\n", 0, MAX_BYTES) + 1]


def _for_us(text: str) -> str:
    """Return a robots.txt in which all crawlers but us have one name.

    protego keeps each rule once for each name, which thousands of names would make quadratic; and it takes
    any beginning of our name for ours.
    """
    return "\n".join(map(_renamed, text.splitlines()))


def _renamed(line: str) -> str:
    found = _USER_AGENT.match(line)
    if not found:
        return line
    token = _TOKEN.match(found[1])
    is_us = token is not None and token[0].lower() == PRODUCT_TOKEN.lower()
    is_everybody = found[1].startswith("*")
    return f"User-agent: {PRODUCT_TOKEN if is_us else '*' if is_everybody else 'other'}"
