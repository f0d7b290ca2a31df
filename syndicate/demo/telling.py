"""What the demo says while it runs."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from rich.console import Console
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from syndicate.demo.documents import Site
from syndicate.demo.newsroom import Event
from syndicate.demo.receiver import Duplicate, NoItem, Postponed, Receipt, ReceivedAlert, Refused, Verified
from syndicate.model import Change, Poll, PollState, Recorded
from syndicate.rules.rule import Rule

INDENT = 10  # as wide as the time of day with two spaces


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What there is to look at."""

    base_url: str
    port_taken: int | None  # the usual port, when it was not free
    sites: Sequence[Site]
    rules: Sequence[Rule]
    interval_seconds: float
    seconds: float | None  # None: until stopped
    folder: str
    is_kept: bool  # the folder, after the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the database and the published feeds hold at the end."""

    languages: Mapping[str, int]  # items by language
    edited: int  # items that were stored in more than one revision
    matches_by_rule: Mapping[str, int]
    entries_by_feed: Mapping[str, int]
    waiting: int  # deliveries whose retry is yet to come


class Teller:
    """Prints what happens, and counts it."""

    def __init__(self, console: Console, clock: Callable[[], datetime]) -> None:
        self._console = console
        self._clock = clock
        self._receipts: Counter[type[Receipt]] = Counter()
        self._alerts_due = 0
        self._feed_titles: Mapping[str, str] = {}  # by rule

    def scene(self, scene: Scene) -> None:
        """Say what is shown, and what to open."""
        self._feed_titles = {rule.id: rule.title for rule in scene.rules if rule.feed}
        self._say("Syndicate demo", "bold")
        self._say(
            "Invented newspapers, an alert receiver and the service, all on this machine: no internet needed."
        )
        if scene.port_taken is not None:
            self._say(f"Port {scene.port_taken} is taken, so another one is used.", "yellow")
        self._say()
        self._addresses("Pages", [(f"{scene.base_url}/", "what is new and why, rules, items, sources")])
        feeds = [(f"{scene.base_url}/feeds/{rule}.atom", title) for rule, title in self._feed_titles.items()]
        self._addresses("Subscribe", [*feeds, (f"{scene.base_url}/feeds/index.opml", "all of them, as OPML")])
        self._addresses("Outlets", [(site.url, _described(site)) for site in scene.sites])
        files = "config.toml, rules, database, feeds; " + ("kept" if scene.is_kept else "removed at the end")
        self._addresses("Files", [(scene.folder, files)])
        self._say(
            f"Each outlet is polled every {scene.interval_seconds:g} s. The first poll of an outlet is a "
            "baseline: what it has already is stored, matched and published, but raises no alerts, "
            "because old news is no news. Alerts come with what appears from now on."
        )
        end = "Ctrl-C ends the demo" if scene.seconds is None else f"The demo ends after {scene.seconds:g} s"
        self._say(f"{end}.")
        self._say()

    def happened(self, event: Event) -> None:
        """Say what an outlet did."""
        if event.is_edit:
            self._line(
                event.outlet.title,
                f" edited an article, which alerts nobody again: {event.article.title}",
                "dim",
            )
        else:
            self._line(event.outlet.title, f" published: {event.article.title}")

    def everything_happened(self) -> None:
        """Say that the outlets are through."""
        self._line("All articles are out.", " The service goes on; Ctrl-C ends the demo.", "dim")

    def ending(self) -> None:
        """Say that the end has begun."""
        self._line("The demo ends", " with a last round: poll, publish, deliver.", "dim")

    def polled(self, poll: Poll, recorded: Recorded) -> None:
        """Say how a first poll went, which feeds a later one added to, or what went wrong in any."""
        self._alerts_due += recorded.alerts
        title = poll.claim.source.title
        problem = recorded.error or poll.error
        if problem:
            self._line(title, f" could not be polled: {problem}", "red")
        elif poll.state is PollState.OK and not poll.claim.has_baseline:
            self._line(
                title,
                f" polled for the first time: {recorded.new} items, {recorded.matched} matches, "
                "no alerts (baseline)",
                "cyan",
            )
        else:
            for change in poll.changes:
                self._published(change)

    def received(self, receipt: Receipt) -> None:
        """Say what came to the receiver."""
        self._receipts[type(receipt)] += 1
        match receipt:
            case Verified(alert=alert, is_retry=is_retry):
                self._alert(alert, "signature verified" + (", at the second try" if is_retry else ""))
            case Postponed(alert=alert):
                self._line(
                    "The receiver",
                    f" answers 503 to {alert.id}, this once, to show a retry in about 5 s",
                    "yellow",
                )
            case Duplicate(alert=alert, reason=reason):
                self._line("DUPLICATE", f" {alert.rule_title} · {alert.title}: {reason}", "red")
            case NoItem(type=kind, text=text):
                self._line("NOTICE", f" {kind}: {text}", "cyan")
            case Refused(reason=reason):
                self._line("REFUSED", f" a message that is not to be believed: {reason}", "red")
            case _:
                assert_never(receipt)

    def summary(self, seconds: float, figures: Figures) -> None:
        """Say what it all came to."""
        counts = self._receipts
        languages = ", ".join(f"{count} {name}" for name, count in sorted(figures.languages.items()))
        edited = f"{figures.edited} of them edited later and not alerted again"
        matches = figures.matches_by_rule
        per_rule = ", ".join(f"{rule} {count}" for rule, count in matches.items())
        entries = figures.entries_by_feed
        per_feed = ", ".join(f"{name} {count}" for name, count in entries.items())
        self._say()
        self._say(f"The demo is over after {seconds:.0f} s:", "bold")
        self._figure("items", sum(figures.languages.values()), f"{languages}; {edited}")
        self._figure("matches", sum(matches.values()), per_rule)
        self._figure("feed entries", sum(entries.values()), per_feed)
        self._figure("alerts raised", self._alerts_due, "")
        self._figure("verified", counts[Verified], "by their signatures, at the receiver")
        self._figure("duplicates", counts[Duplicate], "")
        if counts[Postponed]:
            self._figure("retried", counts[Postponed], "after an answer of 503, under the same webhook-id")
        if counts[Refused]:
            self._figure("refused", counts[Refused], "")
        if figures.waiting:
            self._figure("waiting", figures.waiting, "to be tried again, for which the demo ended too early")

    def _published(self, change: Change) -> None:
        """Say which feeds a new item goes to."""
        feeds = [self._feed_titles[match.rule] for match in change.matches if match.rule in self._feed_titles]
        if feeds and change.item is None:
            self._line("FEED ", f" {', '.join(feeds)}: {change.entry.title}", "cyan")

    def _alert(self, alert: ReceivedAlert, remark: str) -> None:
        self._line("ALERT", f" {alert.rule_title} · {alert.outlet} · {remark}", "green")
        self._detail(self._marked(alert.title, alert.title_marks))
        if not alert.is_of_title:
            self._detail(self._marked(alert.passage, alert.passage_marks))
        self._detail(Text(alert.link, style="bright_blue"), is_whole=True)

    def _marked(self, text: str, marks: Sequence[tuple[int, int]]) -> Text:
        """Return a text with these places in colour, or between asterisks where there is none."""
        if self._console.color_system is None:
            return Text(between_asterisks(text, marks))
        marked = Text(text)
        for start, end in marks:
            marked.stylize("bold black on bright_yellow", start, end)
        return marked

    def _line(self, head: str, rest: str, style: str = "") -> None:
        moment = f"{self._clock().astimezone():%H:%M:%S}"
        text = Text.assemble((head, f"bold {style}"), (rest, style))
        if self._console.is_terminal:
            row = Table.grid(Column(width=INDENT), Column())
            row.add_row(Text(moment, "dim"), text)
            self._console.print(row, soft_wrap=False)
        else:
            self._console.print(f"{moment:{INDENT}}", text, sep="", soft_wrap=True)

    def _detail(self, text: Text, *, is_whole: bool = False) -> None:
        if is_whole or not self._console.is_terminal:  # what is cut to a width is hard to search, or to click
            self._console.print(Text(" " * INDENT) + text, soft_wrap=True)
        else:
            self._console.print(Padding(text, (0, 0, 0, INDENT), expand=False), soft_wrap=False)

    def _addresses(self, title: str, addresses: Sequence[tuple[str, str]]) -> None:
        width = max(len(address) for address, _ in addresses)
        for number, (address, meaning) in enumerate(addresses):
            head = "" if number else title
            line = Text.assemble(
                (f"  {head:{INDENT}} ", "bold"), (f"{address:{width}}", "bright_blue"), f"  {meaning}"
            )
            self._console.print(line, soft_wrap=True)
        self._say()

    def _figure(self, name: str, count: int, remark: str) -> None:
        self._console.print(
            Text.assemble(f"  {name:13}", (f"{count:5}", "bold"), (f"  {remark}", "dim")), soft_wrap=True
        )

    def _say(self, text: str = "", style: str = "") -> None:
        self._console.print(Text(text, style), soft_wrap=not self._console.is_terminal)


def _described(site: Site) -> str:
    outlet = site.outlet
    return f"{outlet.title} ({outlet.format.value.upper()}, {outlet.language}, {site.encoding})"


def between_asterisks(text: str, marks: Iterable[tuple[int, int]]) -> str:
    """Return a text with these places, which may overlap, between asterisks."""
    pieces, at = [], 0
    for start, end in sorted(marks):
        if end <= at:
            continue
        pieces += [text[at : max(start, at)], "*", text[max(start, at) : end], "*"]
        at = end
    return "".join([*pieces, text[at:]])
