"""What the commands say of silences."""

from datetime import datetime

from syndicate.model import Silence
from syndicate.report_words import Values, ahead, counted, time_json

TITLES = ("id", "state", "silences", "author", "reason", "alerts")


def silence_json(silence: Silence, now: datetime) -> Values:
    """Return a silence as `silence list --json` prints it."""
    draft = silence.draft
    return {
        "id": silence.id,
        "state": _state(silence, now),
        "rule": draft.rule,
        "source": draft.source,
        "tag": draft.tag,
        "endpoint": draft.endpoint,
        "text": draft.text,
        "author": draft.author,
        "reason": draft.reason,
        "created_at": time_json(silence.created_at),
        "expires_at": time_json(draft.expires_at),
        "ends_at": time_json(silence.ends_at),
        "silenced": silence.silenced,
    }


def silence_row(silence: Silence, now: datetime) -> tuple[str, ...]:
    """Return a silence as a row of `silence list`, under TITLES."""
    state = f"ends {ahead(silence.ends_at, now)}" if silence.ends_at > now else "expired"
    return (
        str(silence.id),
        state,
        matchers(silence),
        silence.draft.author,
        silence.draft.reason,
        str(silence.silenced),
    )


def added_sentence(silence: Silence, now: datetime) -> str:
    """Return what was added, in words."""
    number, length = silence.id, ahead(silence.ends_at, now)
    return f"Silence {number}: {matchers(silence)}. It ends {length}, or with: silence expire {number}"


def expired_sentence(silence: Silence) -> str:
    """Return what has ended, in words."""
    told = counted(silence.silenced, "alert was", "alerts were")
    return f"Silence {silence.id} has ended. {told} not told because of it, and will not be."


def matchers(silence: Silence) -> str:
    """Return what a silence is about, as it was asked for."""
    draft = silence.draft
    values = {
        "rule": draft.rule,
        "source": draft.source,
        "tag": draft.tag,
        "endpoint": draft.endpoint,
        "text": draft.text,
    }
    given = [f"{name} {value}" for name, value in values.items() if value is not None]
    return ", ".join(given) if given else "everything"


def _state(silence: Silence, now: datetime) -> str:
    return "active" if silence.ends_at > now else "expired"
