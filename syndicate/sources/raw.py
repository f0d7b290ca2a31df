"""Values of what feedparser hands over, if they are of the right type.

An element may be named like a key of feedparser's and so put anything there: every value's type is checked.
"""

from typing import Any

Raw = dict[str, Any]  # a FeedParserDict; read it with these functions

value = dict.get  # a FeedParserDict's own guesses, and warns


def string(raw: Raw, key: str) -> str:
    """Return a text; an empty one where there is none."""
    found = value(raw, key)
    return found if isinstance(found, str) else ""


def mapping(raw: Raw, key: str) -> Raw:
    """Return a mapping; an empty one where there is none."""
    found = value(raw, key)
    return found if isinstance(found, dict) else {}


def mappings(raw: Raw, key: str) -> list[Raw]:
    """Return the mappings in a list; none where there is no list."""
    found = value(raw, key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
