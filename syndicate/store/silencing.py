"""Which alerts a silence is about. Pure."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

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
        if pattern is not None and not any(name and fnmatchcase(name, pattern) for name in names):
            return False
    return silence.text is None or _folded(silence.text) in _folded(subject.text)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
