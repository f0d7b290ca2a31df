"""Which sources a rule looks at."""

from collections.abc import Iterable
from fnmatch import fnmatchcase


def is_selected(pattern: str, source: str, tags: Iterable[str]) -> bool:
    """Say whether one of a rule's `sources` selects a source: by id or `tag:name`, either with `*` in it."""
    if pattern.startswith("tag:"):
        return any(fnmatchcase(tag, pattern.removeprefix("tag:")) for tag in tags)
    return fnmatchcase(source, pattern)
