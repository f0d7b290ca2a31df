"""Silences as people ask for them, by a command or on a page: which alerts, how long, who and why. Pure."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from syndicate.config import duration
from syndicate.loading import Loaded
from syndicate.model import SilenceDraft

WHICH = ("rule", "source", "tag", "endpoint", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedSilence:
    """What was asked for, as it was written; None: nothing was."""

    author: str
    reason: str
    length: str | None = None
    until: str | None = None
    rule: str | None = None
    source: str | None = None
    tag: str | None = None
    endpoint: str | None = None
    text: str | None = None
    everything: bool = False


class AskedError(ValueError):
    """A silence was asked for in a way that makes none. Says why in the words of a sentence.

    Attributes:
        about: the field of AskedSilence that is meant; None: what several say together.
    """

    def __init__(self, problem: str, about: str | None = None) -> None:
        self.about = about
        super().__init__(problem)


def drafted(asked: AskedSilence, loaded: Loaded, now: datetime, names: Mapping[str, str]) -> SilenceDraft:
    """Return the silence that was asked for.

    Args:
        names: what whoever asks calls each field of AskedSilence.

    Raises:
        AskedError: it makes none.
    """
    _refuse_unknown(asked, loaded)
    given = any(getattr(asked, name) is not None for name in WHICH)
    if asked.everything == given:
        *others, last = (names[name] for name in WHICH)
        raise AskedError(
            f"say what is silenced by at least one of {', '.join(others)} and {last}, "
            f"or by {names['everything']} alone"
        )
    return SilenceDraft(
        author=_said("author", asked.author),
        reason=_said("reason", asked.reason),
        expires_at=_end(asked, loaded, now, names),
        rule=asked.rule,
        source=asked.source,
        tag=asked.tag,
        endpoint=asked.endpoint,
        text=None if asked.text is None else _said("text", asked.text),
    )


def known_names(loaded: Loaded) -> Mapping[str, list[str]]:
    """Return what the configuration has of what a silence can be restricted to."""
    return {
        "rule": [rule.id for rule in loaded.rules],
        "source": [source.id for source in loaded.config.sources],
        "tag": sorted({tag for source in loaded.config.sources for tag in source.tags}),
        "endpoint": [endpoint.id for endpoint in loaded.config.endpoints],
    }


def _refuse_unknown(asked: AskedSilence, loaded: Loaded) -> None:
    for what, names in known_names(loaded).items():
        name = getattr(asked, what)
        if name is None or "*" in name or name in names:
            continue
        nearest = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise AskedError(f"there is no {name!r} in the configuration{hint}", what)


def _said(what: str, text: str) -> str:
    if not text.strip():
        raise AskedError("must not be blank", what)
    return " ".join(text.split())


def _end(asked: AskedSilence, loaded: Loaded, now: datetime, names: Mapping[str, str]) -> datetime:
    """Return when a silence ends, which is said in one of two ways."""
    if (asked.length is None) == (asked.until is None):
        raise AskedError(f"say how long, by one of {names['length']} and {names['until']}")
    about = "length" if asked.until is None else "until"
    try:
        end = now + duration(str(asked.length)) if asked.until is None else _moment(asked.until, loaded)
    except (ValueError, OverflowError) as error:
        raise AskedError(str(error), about) from error
    if end <= now:
        raise AskedError("it must end later than now", about)
    return end


def _moment(text: str, loaded: Loaded) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f'{text!r} is no time: write one such as "2026-11-25 08:00"') from error
    zone = loaded.config.service.time_zone
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
