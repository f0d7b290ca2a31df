"""What a webhook says of several alerts at once. Pure.

    {"type": "alert.summary", "timestamp": "2026-11-24T08:00:00Z",
     "data": {"total": 41, "left_out": 12,
              "alerts": [{"type": "alert.match", "timestamp": "2026-11-24T02:00:00Z",
                          "data": {"rule": {...}, "item": {...}, "story": 7, "snippet": "..."}}]}}

Each of `alerts` is what would have been sent of it alone, with the most important of its data. As many are
there as the body has room for, first ones first; `total` counts all.
"""

from syndicate.alerts.webhook import Names, Values, message, time_text, to_json
from syndicate.model import Alert, AnyAlert, Delivery, SpikeAlert

SUMMARY_BYTES = 19_000  # of the alerts, in a body under 20 kB

_LEFT_OUT = {"terms", "terms_total", "score", "snippet_field", "snippet_marks", "feed"}  # of a match
_OF_ITEM = ("id", "source", "title", "link", "language", "published")


def says(delivery: Delivery, known: Names) -> bytes:
    """Return the body of a delivery: that of its alert, or a summary of all of them."""
    if not delivery.alerts:
        raise ValueError("a delivery tells of one alert at least")
    total = len(delivery.alerts) + delivery.left_out
    if total == 1:
        return to_json(message(delivery.alerts[0], known))
    alerts, room = [], SUMMARY_BYTES
    for alert in delivery.alerts:
        short = _short(alert, known)
        room -= len(to_json(short)) + 1
        if room < 0:
            break
        alerts.append(short)
    data = {"total": total, "left_out": total - len(alerts), "alerts": alerts}
    return to_json({"type": "alert.summary", "timestamp": time_text(delivery.created_at), "data": data})


def _short(alert: AnyAlert, known: Names) -> Values:
    whole = message(alert, known)
    data = dict(whole["data"])
    if isinstance(alert, SpikeAlert):
        del data["headlines"]
    elif isinstance(alert, Alert):
        data = {key: value for key, value in data.items() if key not in _LEFT_OUT}
        data["item"] = {key: data["item"][key] for key in _OF_ITEM}
    return {**whole, "data": data}
