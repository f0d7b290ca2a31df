"""What the channels that take HTML share."""

import html
from collections.abc import Callable, Iterator

from syndicate.alerts.channels.message import AlertText
from syndicate.alerts.channels.text import marked_up
from syndicate.alerts.channels.wording import byline, label, reason


def linked(markup: str, link: str | None) -> str:
    """Return HTML as a link, if there is where to."""
    return f'<a href="{html.escape(link)}">{markup}</a>' if link else markup


def lines(alert: AlertText, escape: Callable[[str], str], mark: str, emphasis: str) -> Iterator[str]:
    """Yield an alert line by line, with elements for what stands out and for what is above the title."""
    before, after = f"<{mark}>", f"</{mark}>"
    if label(alert):
        yield f"<{emphasis}>{escape(label(alert))}</{emphasis}>"
    yield linked(marked_up(alert.title, escape, before, after), alert.link)
    yield escape(byline(alert))
    if alert.passage:
        yield marked_up(alert.passage, escape, before, after)
    if reason(alert):
        yield escape(reason(alert))
