"""Words and languages: how a text becomes tokens that can be compared."""

import unicodedata
from functools import lru_cache
from typing import NamedTuple

import regex

from syndicate.rules.detect import detected, script

# Scripts written without spaces are compared letter by letter; everything else by runs of word characters
# with apostrophes inside, which is where UAX #29 breaks words for our purposes.
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー]"
APOSTROPHES = "'’‘ʻʼ`´ʹ＇"
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"  # soft hyphens and the like, where a word may be broken
_INNER = rf"[\w{_INVISIBLE}--{_UNSPACED}]"
_WORD = regex.compile(
    rf"(?V1)[{_UNSPACED}&&[\p{{L}}\p{{N}}]]\p{{M}}*"
    rf"|[\w--{_UNSPACED}--[{_INVISIBLE}]]{_INNER}*(?:[{APOSTROPHES}]{_INNER}+)*"
)
UNIFIED = str.maketrans(
    dict.fromkeys(APOSTROPHES, "'") | dict.fromkeys(_INVISIBLE, "") | {"ё": "е", "Ё": "Е"}
)


class Token(NamedTuple):  # not a dataclass: made by the hundred for every item, in a third of the time
    """A word of a text: what it is compared as, and where it stands (code points)."""

    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Return the words of a text in order."""
    found = []
    for word in _WORD.finditer(text):
        letters = word.group()
        normal = _remembered(letters) if len(letters) <= _LONGEST_REMEMBERED else normalise(letters)
        if normal:
            found.append(Token(normal, word.start(), word.end()))
    return found


_CLASSES = tuple(
    (flag, regex.compile(rf"(?V1){pattern}"))
    for flag, pattern in (
        (1, rf"[{_UNSPACED}&&[\p{{L}}\p{{N}}]]"),
        (2, r"\p{M}"),
        (4, rf"[\w--{_UNSPACED}--[{_INVISIBLE}]]"),
        (8, _INNER),
        (16, f"[{APOSTROPHES}]"),
    )
)


def character_class(letter: str) -> int:
    """Return what a letter may be of a word: 1 all of it, 2 a mark, 4 its first, 8 within, 16 apostrophe."""
    return sum(flag for flag, pattern in _CLASSES if pattern.fullmatch(letter))


def normalise(word: str) -> str:
    """Return what a word is compared as: NFKC, casefold, apostrophes and ё unified, no possessive 's."""
    if word.isascii():
        folded = word.lower().replace("`", "'")
    else:
        # Apostrophes first: some of them fall apart under NFKC.
        composed = unicodedata.normalize("NFKC", word.translate(UNIFIED))
        folded = unicodedata.normalize("NFKC", composed.casefold()).translate(UNIFIED)
        if any(map(str.isspace, folded)):  # a few letters are compatible with words and a space
            folded = unicodedata.normalize("NFKC", "".join(folded.split()))
    folded = folded.strip("'")
    while folded.endswith("'s"):
        folded = folded.removesuffix("'s").rstrip("'")
    return folded


_LONGEST_REMEMBERED = 32
_remembered = lru_cache(maxsize=1 << 16)(normalise)  # the words of the news are few


def language_of(configured: str | None, entry: str | None, document: str | None, text: str) -> str | None:
    """Return the language of an item, None if it can't be told.

    What the owner configured, else what the entry says, else what the document says unless the text is in
    another script, else what the script and its letters show.
    """
    if configured or entry:
        return configured or entry
    if document and _agrees(document, text):
        return document
    return detected(text)


_CYRILLIC = frozenset({"be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "tg", "tt", "uk", "uz"})
_OTHERS = {"HANGUL": "ko", "THAI": "th", "GEORGIAN": "ka", "ARMENIAN": "hy", "GREEK": "el", "HEBREW": "he"}


def _agrees(language: str, text: str) -> bool:
    written = script(text)
    name = primary(language)
    match written:
        case None:
            return True
        case "CYRILLIC":
            return name in _CYRILLIC or "cyrl" in language.lower()
        case "LATIN":
            others = (
                _CYRILLIC - {"kk", "mn", "sr", "tt", "uz"} | set(_OTHERS.values()) | {"zh", "ja", "ar", "fa"}
            )
            return name not in others or "latn" in language.lower()
        case "CJK" | "HIRAGANA" | "KATAKANA":
            return name in ("zh", "ja")
        case _:
            return _OTHERS.get(written, name) == name


def primary(language: str | None) -> str:
    """Return the primary subtag of a language, empty if it is not known."""
    return (language or "").replace("_", "-").partition("-")[0].lower()


def is_language(language: str | None, wanted: str) -> bool:
    """Say whether a language is the wanted one, or one of its kinds: `zh-Hant` is `zh`."""
    return f"{(language or '').lower()}-".startswith(f"{wanted.lower()}-")
