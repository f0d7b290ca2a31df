"""What an item's text is recognised by: its fingerprint, and a key that equal texts have in common."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from syndicate.near import Fingerprint, Kind, fingerprint_of, mark_of
from syndicate.rules.language import APOSTROPHES, normalise, primary
from syndicate.rules.stems import stem

FEWEST_WORDS = 40  # of a body: shorter ones are alike by chance
_FEWEST_EQUAL = 12  # words of title and body: fewer are a heading that comes every day
_SHORTEST, _LONG = 4, 6  # letters: of a word that tells anything at all, and of a stem that tells more
_LONGEST_REMEMBERED = 32
_NOUNS_ARE_CAPITALISED = frozenset({"de", "lb"})

# Words a good deal faster than `language.tokens` finds them: those without spaces are of no use here. What
# stands before tells whether a word begins a sentence.
_LETTERS = r"[\w\u00ad\u0300-\u036f\u0900-\u0dff]+"  # with the marks of Indian scripts
_WORDS = re.compile(
    rf"([.!?…:;\n][\s\"'«»„“”‘’(—–-]{{0,8}})?({_LETTERS}(?:[{APOSTROPHES}]{_LETTERS})*)",
)
_EQUAL_WORDS = re.compile(r"\w+")
# Thousands may be apart, by a space of any kind, a point or an apostrophe; 5.8 and 5,8 are one number.
_NUMBERS = re.compile(r"\d{1,3}(?:[ \u00a0\u2009\u202f.,'’]\d{3}){1,4}(?![.,]?\d)|\d+(?:[.,]\d+)?")
_APART = re.compile(r"[^\d](?=\d{3}(?!\d))")
_YEAR = re.compile(r"(?:19|20)\d\d")


def fingerprint(title: str, body: str, language: str | None) -> Fingerprint | None:
    """Return what a text is recognised by, None if its body is too short: fewer than 40 words.

    Texts in scripts that are written without spaces have none either.

    Args:
        title: plain text, as `body`.
        body: of any length; the beginning counts.
        language: a BCP 47 tag; None if it can't be told.
    """
    words = _WORDS.findall(f"\n{body}")
    if len(words) < FEWEST_WORDS:
        return None
    marks = [_marks(word, language)[0] for _, word in _WORDS.findall(title)]
    for begins_sentence, word in words:
        as_word, as_name = _marks(word, language)
        marks.append(as_word if begins_sentence else as_name)
    marks += _numbers(title)
    marks += _numbers(body)
    return fingerprint_of(filter(None, marks))


def _marks_of(surface: str, language: str | None) -> tuple[int, int]:
    """Return what a word is for a fingerprint, at the beginning of a sentence and within; 0 for nothing."""
    word = normalise(surface)
    if not word or word[0].isnumeric():
        return 0, 0
    key = stem(word, language)
    as_word = mark_of(key, Kind.LONG if len(key) >= _LONG else Kind.SHORT) if len(word) >= _SHORTEST else 0
    is_name = surface[0].isupper() and primary(language) not in _NOUNS_ARE_CAPITALISED
    return as_word, mark_of(key, Kind.NAME) if is_name else as_word


_remembered = lru_cache(maxsize=1 << 16)(_marks_of)  # the words of the news are few


def _marks(surface: str, language: str | None) -> tuple[int, int]:
    known = _remembered if len(surface) <= _LONGEST_REMEMBERED else _marks_of
    return known(surface, language)


def _numbers(text: str) -> Iterator[int]:
    """Yield the numbers of a text. A year of these times tells little."""
    for found in _NUMBERS.findall(text):
        number = _APART.sub("", found).replace(",", ".").lstrip("0") or "0"
        yield mark_of(number, Kind.SHORT if _YEAR.fullmatch(number) else Kind.NUMBER)


def text_key(title: str, body: str) -> str | None:
    """Return the key of a story that equal texts have in common, None for a text of fewer than 12 words.

    Letter case, punctuation and spaces do not count; the title does, since a body may be a mere teaser.
    """
    text = (
        unicodedata.normalize("NFKC", f"{title}\n{body}").casefold().replace("\u00ad", "").replace("ё", "е")
    )
    words = _EQUAL_WORDS.findall(text)
    if len(words) < _FEWEST_EQUAL:
        return None
    digest = hashlib.blake2b(" ".join(words).encode(errors="surrogatepass"), digest_size=16)
    return f"text:{digest.hexdigest()}"
