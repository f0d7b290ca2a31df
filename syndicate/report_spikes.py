"""What the command `spikes` says: volumes of rules as JSON values and as table rows. Prints nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from syndicate.alerts.spike_watch import Volume
from syndicate.alerts.spikes import LEAST_WEEKS
from syndicate.report_words import ago, time_json

TITLES = ("id", "last hour", "usual", "state")


def volume_json(volume: Volume) -> Mapping[str, Any]:
    """Return a volume as `spikes --json` prints it."""
    judged, usual = volume.judgement, volume.judgement.usual
    return {
        "rule": volume.watched.rule,
        "stories": judged.count,
        "usual": None if usual is None else usual.volume,
        "weeks": judged.weeks,
        "score": None if judged.score is None else round(judged.score, 1),
        "state": _state(volume),
        "since": time_json(volume.ongoing.began_at if volume.ongoing else None),
        "text": judged.words,
    }


def volume_row(volume: Volume, now: datetime) -> tuple[str, ...]:
    """Return a volume as a row of `spikes`."""
    judged, usual = volume.judgement, volume.judgement.usual
    words = _state(volume)
    if volume.ongoing is not None:
        words += f" since {ago(volume.ongoing.began_at, now)}"
    elif usual is None:
        words += f": {judged.weeks} of at least {LEAST_WEEKS} weeks are known at this time"
    return (volume.watched.rule, str(judged.count), "" if usual is None else f"{usual.volume:g}", words)


def _state(volume: Volume) -> str:
    if volume.ongoing is not None:
        return "spike"
    return "learning" if volume.judgement.usual is None else "usual"
