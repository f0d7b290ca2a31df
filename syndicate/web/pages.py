"""Pages for people. Everything that comes from sources or configuration is escaped by the templates."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from syndicate import __version__
from syndicate.model import RuleStatus, SourceStatus
from syndicate.report_words import STATES

HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteNames:
    """What every page says of the service."""

    title: str
    base_url: str  # without a trailing slash

    @property
    def root(self) -> str:
        """The path under which everything is, empty at the top of a host."""
        return urlsplit(self.base_url).path.rstrip("/")

    def feed_url(self, name: str) -> str:
        """Return the address of a published file."""
        return f"{self.base_url}/feeds/{quote(name)}"


class Pages:
    """The templates, ready to render."""

    def __init__(self) -> None:
        folder = Path(__file__).parent / "templates"
        self._templates = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {"version": __version__, "states": STATES}
        self._templates.filters |= {"ago": ago, "counted": counted}

    def start(
        self, site: SiteNames, now: datetime, sources: Sequence[SourceStatus], rules: Sequence[RuleStatus]
    ) -> Response:
        """Return the page that shows what is watched, what for, and where it is published."""
        feeds = [(rule.title, f"{rule.id}.atom") for rule in rules if rule.has_feed]
        return self._page(
            "start.html",
            200,
            site,
            {
                "now": now,
                "sources": sources,
                "rules": rules,
                "feeds": feeds,
                "states_counted": _counted_states(sources),
                "is_fresh": not any(source.last_polled_at for source in sources),
            },
        )

    def error(self, site: SiteNames, status: int, headers: Mapping[str, str] | None = None) -> Response:
        """Return a page that says what went wrong, and nothing of what was asked."""
        return self._page("error.html", status, site, {"status": status, "feeds": []}, headers)

    def _page(
        self,
        template: str,
        status: int,
        site: SiteNames,
        values: Mapping[str, object],
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        html = self._templates.get_template(template).render(site=site, **values)
        return Response(html, status, headers=HEADERS | dict(headers or {}), media_type="text/html")


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago something was, or in how long it will be, as people say it."""
    minutes = int(abs(now - moment) / timedelta(minutes=1))
    if not minutes:
        return "just now" if moment <= now else "in a moment"
    if minutes < 60:
        words = counted(minutes, "minute")
    elif minutes < 24 * 60:
        words = counted(minutes // 60, "hour")
    else:
        words = counted(minutes // (24 * 60), "day")
    return f"{words} ago" if moment <= now else f"in {words}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _counted_states(sources: Sequence[SourceStatus]) -> list[str]:
    """Return such as `10 working`, in the order of STATES."""
    counts = Counter(source.state for source in sources)
    return [f"{counts[state]} {words.partition(':')[0]}" for state, words in STATES.items() if counts[state]]
