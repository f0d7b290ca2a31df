"""Which alerts a silence is about. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from syndicate.model import SilenceDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What of an alert a silence looks at."""

    endpoint: str
    rule: str | None = None  # None: it is about no rule
    source: str | None = None
    tags: Sequence[str] = ()  # of the source
    text: str = ""  # the title and the text of the item, or what is said of the source


def is_silenced(silence: SilenceDraft, subject: Subject) -> bool:
    """Say whether all that a silence asks for is so."""
    wanted = (
        (silence.endpoint, (subject.endpoint,)),
        (silence.rule, (subject.rule,)),
        (silence.source, (subject.source,)),
        (silence.tag, subject.tags),
    )
    for pattern, names in wanted:
        if pattern is not None and not any(name and _fits(name, pattern) for name in names):
            return False
    return silence.text is None or _folded(silence.text) in _folded(subject.text)


def _fits(name: str, pattern: str) -> bool:
    """Say whether a name is as the pattern, in which only * stands for others: any letters, or none."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
