"""Which way a text is written, as readers have to know to show it."""

import unicodedata
from enum import StrEnum
from functools import lru_cache


class Direction(StrEnum):
    """The direction of a writing, as HTML names it."""

    LTR = "ltr"
    RTL = "rtl"


_LANGUAGES = {
    "ar", "arc", "azb", "ckb", "dv", "fa", "glk", "he", "iw", "ji", "lrc", "mzn", "nqo", "pnb", "ps", "sd",
    "skr", "syr", "ug", "ur", "yi",
}  # fmt: skip
_SCRIPTS = {"adlm", "arab", "aran", "hebr", "mand", "nkoo", "rohg", "samr", "syrc", "thaa"}
_BY_CLASS = {"L": Direction.LTR, "R": Direction.RTL, "AL": Direction.RTL}


def direction_of(language: str | None, text: str) -> Direction | None:
    """Return the direction of a text in a language (BCP 47); None if it cannot be told.

    Without a language, the first letter tells, as with `dir="auto"` in HTML.
    """
    return _of_language(language) if language else _of_text(text)


@lru_cache(maxsize=1024)
def _of_language(language: str) -> Direction:
    primary, *others = language.lower().split("-")
    script = next((part for part in others if len(part) == 4 and part.isalpha()), None)
    is_rtl = script in _SCRIPTS if script else primary in _LANGUAGES
    return Direction.RTL if is_rtl else Direction.LTR


def _of_text(text: str) -> Direction | None:
    classes = map(unicodedata.bidirectional, text)
    return next((_BY_CLASS[each] for each in classes if each in _BY_CLASS), None)
