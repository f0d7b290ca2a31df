"""What a template is given. docs/channels.md lists it, and a test holds the list."""

from typing import Any

from syndicate.alerts.channels.message import AlertText, Marked, Message
from syndicate.alerts.channels.wording import byline, heading, label, moment, plain, reason, subject

NAMES = ("id", "at", "subject", "heading", "is_summary", "text", "alert", "alerts", "left_out", "more")

TEXT_LENGTH = 20_001  # more than a body may have, so that where all of a text is told, all of it fits

Values = dict[str, Any]


def variables(message: Message) -> Values:
    """Return a message as plain values: texts, numbers, true and false, none, lists, and tables of these."""
    alerts = [_alert(alert) for alert in message.alerts]
    return {
        "id": message.id,
        "at": message.at.isoformat(timespec="seconds"),
        "subject": subject(message),
        "heading": heading(message),
        "is_summary": message.is_summary,
        "text": plain(message)[:TEXT_LENGTH],
        "alert": alerts[0],
        "alerts": alerts,
        "left_out": message.left_out,
        "more": message.more,
    }


def _alert(alert: AlertText) -> Values:
    return {
        "kind": alert.kind.value,
        "label": label(alert),
        "title": alert.title.text,
        "title_runs": _runs(alert.title),
        "outlet": alert.outlet,
        "at": alert.at.isoformat(timespec="seconds"),
        "moment": moment(alert.at),
        "byline": byline(alert),
        "rule": alert.rule,
        "rule_id": alert.rule_id,
        "reason": reason(alert),
        "passage": alert.passage.text if alert.passage else "",
        "passage_runs": _runs(alert.passage) if alert.passage else [],
        "link": alert.link,
        "score": alert.score.total if alert.score else None,
        "threshold": alert.score.threshold if alert.score else None,
        "also": list(alert.also),
        "story": alert.story,
    }


def _runs(text: Marked) -> list[Values]:
    return [{"text": run.text, "is_marked": run.is_marked} for run in text.runs]
