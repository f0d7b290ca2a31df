"""Templates to pages. Everything that comes from sources or configuration is escaped by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from syndicate import __version__
from syndicate.feeds.explain import Passage
from syndicate.model import HeldRule, Hit, ItemHead, Match, Snippet, ToldStory
from syndicate.report import remarks, state_words
from syndicate.report_silences import matchers
from syndicate.report_sources import format_words, subscription_words
from syndicate.report_words import STATES, Line, length_words, size
from syndicate.trial import Finding
from syndicate.web.access import FORM_FIELD, visit_of
from syndicate.web.policy import PAGE_HEADERS
from syndicate.web.view import View

# What stands before the words of a state: told apart by shape.
MARKS = {"ok": "●", "fallback": "◐", "new": "○", "failing": "▲", "gone": "✕", "paused": "‖", "disabled": "–"}
_NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRow:
    """An item in a list."""

    head: ItemHead
    rules: tuple[str, ...]
    excerpt: str
    match: Match | None  # why it is here; None where nothing was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteNames:
    """What every page says of the service."""

    title: str
    base_url: str  # without a trailing slash
    time_zone: tzinfo

    @property
    def root(self) -> str:
        """The path under which everything is, empty at the top of a host."""
        return urlsplit(self.base_url).path.rstrip("/")

    def feed_url(self, name: str) -> str:
        """Return the address of a published file."""
        return f"{self.base_url}/feeds/{quote(name)}"


class Pages:
    """The templates, ready to render for whoever asks."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {
            "version": __version__,
            "states": STATES,
            "marks": MARKS,
            "token_field": FORM_FIELD,
        }
        self._templates.filters |= {
            "ago": ago,
            "counted": counted,
            "passage": passage,
            "title_pieces": title_pieces,
            "row_title": row_title,
            "finding_title": finding_title,
            "state_words": state_words,
            "remarks": remarks,
            "size": size,
            "length_words": length_words,
            "format_words": format_words,
            "subscription": subscription_words,
            "best_passage": best_passage,
            "line_pieces": line_pieces,
            "web_link": web_link,
            "query": query,
            "silenced": matchers,
        }

    def page(
        self,
        request: Request,
        template: str,
        values: Mapping[str, object],
        status: int = 200,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> Response:
        """Return a page, or a part of one, as whoever asks may see it."""
        return self._rendered(request.scope, template, values, status, headers)

    def error(
        self,
        request: Request,
        status: int,
        problem: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Return a page that says what went wrong.

        Args:
            problem: in a sentence; empty: as the status says. Of what was asked nothing else is repeated.
        """
        values = {"status": status, "problem": problem}
        return self._rendered(request.scope, "error.html", values, status, headers or {})

    def closed(self, scope: Scope) -> Response:
        """See `access.Refusals`."""
        return self._rendered(scope, "closed.html", {}, 403, _NO_HEADERS)

    def logged_out(self, scope: Scope) -> Response:
        """See `access.Refusals`."""
        return self._rendered(scope, "logged_out.html", {}, 401, _NO_HEADERS)

    def unmeant(self, scope: Scope, form: Mapping[str, str]) -> Response:
        """See `access.Refusals`."""
        if form:
            again = {"path": scope["path"], "form": {name: form[name] for name in form if name != FORM_FIELD}}
            return self._rendered(scope, "again.html", again, 403, _NO_HEADERS)
        problem = "This form is none of ours, or too old. Go back, reload the page and send it again."
        return self._rendered(scope, "error.html", {"status": 403, "problem": problem}, 403, _NO_HEADERS)

    def _rendered(
        self,
        scope: Scope,
        template: str,
        values: Mapping[str, object],
        status: int,
        headers: Mapping[str, str],
    ) -> Response:
        service = self._view.loaded.config.service
        site = SiteNames(title=service.title, base_url=service.base_url, time_zone=service.time_zone)
        context = {
            "site": site,
            "visit": visit_of(scope),
            "here": scope["path"],
            "alternates": (),
            **values,
        }
        html = self._templates.get_template(template).render(context)
        return Response(html, status, headers={**PAGE_HEADERS, **headers}, media_type="text/html")


# --------------------------------------------------------------------------- filters


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago something was, or in how long it will be, as people say it."""
    length = abs(now - moment)
    if moment > now and length >= timedelta(minutes=1):
        length += timedelta(seconds=30)  # so that what is to last two hours ends in 2 hours, and not in 1
    minutes = length // timedelta(minutes=1)
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


def passage(snippet: Snippet) -> tuple[tuple[str, bool], ...]:
    """Return the pieces of a passage, and whether each is marked."""
    return Passage.of(snippet).pieces


def title_pieces(head: ItemHead, rules: tuple[HeldRule, ...]) -> tuple[tuple[str, bool], ...]:
    """Return the pieces of a title, and whether each is marked."""
    return _title(head.title, [hit for held in rules for hit in held.title_hits])


def _title(title: str, hits: Sequence[Hit]) -> tuple[tuple[str, bool], ...]:
    if not title:
        return (("(no title)", False),)
    marks = sorted({(hit.start, hit.end) for hit in hits})
    return passage(Snippet(text=title, field="title", marks=tuple(marks)))


def row_title(row: FoundRow) -> tuple[tuple[str, bool], ...]:
    """Return the pieces of the title of an item that was found, and whether each is marked."""
    hits = row.match.hits if row.match else ()
    return _title(row.head.title, [hit for hit in hits if hit.field == "title"])


def finding_title(found: Finding) -> tuple[tuple[str, bool], ...]:
    """Return the pieces of the title of what a trial finds, and whether each is marked."""
    quotes = (quote for quote in found.quotes if quote.text is not None)  # of the item as it is
    return _title(found.title, [quote.hit for quote in quotes if quote.hit.field == "title"])


def best_passage(told: ToldStory) -> tuple[tuple[str, bool], ...]:
    """Return the pieces of the passage of a story with most terms; none where its title is all of it."""
    snippets = [held.match.snippet for held in told.rules if held.match.snippet.text != told.first.title]
    return passage(max(snippets, key=lambda each: len(each.marks))) if snippets else ()


def line_pieces(line: Line) -> tuple[tuple[str, bool], ...]:
    """Return the pieces of a line, and whether each is marked."""
    return passage(Snippet(text=line.text, field="", marks=line.marks))


def web_link(link: str | None) -> str | None:
    """Return a link that leads into the web; None instead of one that does anything else."""
    return link if link and link.startswith(("http://", "https://")) else None


def query(values: Mapping[str, str | None], **others: str | None) -> str:
    """Return what follows the path of an address, `?` included; empty if there is nothing."""
    given = {name: value for name, value in {**values, **others}.items() if value}
    return f"?{urlencode(given)}" if given else ""
