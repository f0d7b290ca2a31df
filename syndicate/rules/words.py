"""The words of a rule's term, and how each is compared with the words of a text."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import product
from typing import NamedTuple, assert_never

from syndicate.rules.language import UNIFIED, Token, primary, tokens
from syndicate.rules.tree import Exact, Phrase, Prefix, Term, Word


class Form(StrEnum):
    """How a word of a rule is compared with a word of a text."""

    STEM = "stem"  # stems in the item's language are equal
    EXACT = "exact"  # letters and their case are equal
    PREFIX = "prefix"  # the text's word begins like this
    PATTERN = "pattern"  # no word but a regular expression, which matches some of a field's text


class Piece(NamedTuple):
    """One word of a term."""

    form: Form
    text: str  # normalised as `language.normalise` does, not stemmed
    cased: str = ""  # for EXACT: as `cased` gives it
    is_folded: bool = False


Run = tuple[Piece, ...]  # words that follow one another


def pieces(term: Term, language: str | None) -> Run:
    """Return the words of a term that must follow one another in a text of this language."""
    match term:
        case Word():
            return tuple([Piece(Form.STEM, word.text) for word in _words(term.text, language)])
        case Prefix():
            *before, last = tokens(term.text)
            return (*_stems(term.text[: before[-1].end] if before else "", language), _prefix(last))
        case Exact():
            return tuple(
                Piece(Form.EXACT, word.text, cased(term.text[word.start : word.end]))
                for word in _words(term.text, language)
            )
        case Phrase():
            return tuple(piece for part in term.parts for piece in pieces(part, language))
        case _:
            assert_never(term)


def _stems(text: str, language: str | None) -> Iterator[Piece]:
    return (Piece(Form.STEM, word.text) for word in _words(text, language))


def _prefix(word: Token) -> Piece:
    return Piece(Form.PREFIX, word.text)


@lru_cache(maxsize=1 << 16)
def _words(text: str, language: str | None) -> tuple[Token, ...]:
    return tuple(words(text, language))


def cased(word: str) -> str:
    """Return what a word is compared as where letter case counts; possessive 's is no part of it."""
    composed = unicodedata.normalize("NFKC", word.translate(UNIFIED)).strip("'")
    while composed.endswith(("'s", "'S")):
        composed = composed[:-2].rstrip("'")
    return composed


def fold(word: str) -> str:
    """Return a normalised word without the diacritics of Latin and Greek; in й or が they make the letter."""
    if word.isascii():
        return word
    return _remembered(word) if len(word) <= _LONGEST_REMEMBERED else _folded(word)


def _folded(word: str) -> str:
    kept: list[str] = []
    is_bare = False
    for letter in unicodedata.normalize("NFD", word):
        if not unicodedata.combining(letter):
            is_bare = unicodedata.name(letter, "").startswith(("LATIN", "GREEK"))
        elif is_bare:
            continue
        kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept)).translate(_BARE)


_LONGEST_REMEMBERED = 32
_remembered = lru_cache(maxsize=1 << 16)(_folded)  # the words of the news are few
_BARE = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H", "ı": "i"}
)


# --------------------------------------------------------------------------- endings behind a hyphen

# Kazakh and Uzbek write the case ending of an abbreviation or a foreign name behind a hyphen: ЕО-ның.
_HYPHENS = "-‐‑–"
_HYPHENS_IN = re.compile(f"[{_HYPHENS}]")
_PLURALS = {
    "kk": "лар лер дар дер тар тер lar ler dar der tar ter",
    "uz": "lar лар",
}
_POSSESSIVES = {"kk": "ы і сы сі y i sy si", "uz": "i si и си"}
_CASES = {
    "kk": "ның нің дың дің тың тің ға ге қа ке на не ны ні ды ді ты ті да де та те нда нде "
    "дан ден тан тен нан нен мен бен пен дағы дегі тағы тегі ндағы ндегі дай дей тай тей "
    "дық дік тық тік лық лік н шы ші ншы нші ыншы інші "
    "nyñ niñ dyñ diñ tyñ tiñ nyń niń dyń diń tyń tiń ğa ǵa ge qa ke na ne ny ni dy di ty ti da de ta te "
    "dan den tan ten nan nen men ben pen dağy daǵy degi tağy taǵy tegi shy shi şy şi",
    "uz": "ning ni ga ka qa da dan dagi gacha dek day cha нинг ни га ка қа да дан даги гача дек дай ча",
}
# Any plural before any possessive before any case: more than there are, which does no harm behind a hyphen.
ENDINGS: Mapping[str, frozenset[str]] = {
    language: frozenset(
        "".join(parts)
        for parts in product(*(["", *rows[language].split()] for rows in (_PLURALS, _POSSESSIVES, _CASES)))
        if len("".join(parts)) > 1
    )
    for language in _CASES
}
ANY_ENDING = frozenset().union(*ENDINGS.values())


def words(text: str, language: str | None) -> list[Token]:
    """Return the words of a text in a language, without the case endings that stand behind hyphens."""
    endings = ENDINGS.get(primary(language))
    found = tokens(text)
    return _without(endings, text, found) if endings else found


def _without(endings: frozenset[str], text: str, found: Sequence[Token]) -> list[Token]:
    return [
        word
        for position, word in enumerate(found)
        if word.text not in endings or not _is_attached(text, found, position)
    ]


def _is_attached(text: str, found: Sequence[Token], position: int) -> bool:
    """Say whether a hyphen and nothing else stands between a word and the one before."""
    before = found[position].start - 1
    return position > 0 and found[position - 1].end == before and text[before] in _HYPHENS


@lru_cache(maxsize=1 << 16)
def stretches(term: Term) -> tuple[Run, ...]:
    """Return the words of a term, cut wherever some language drops an ending; none is empty.

    Each stretch stands in every text that the term holds for, whatever its language.
    """
    text = " ".join(part.text for part in term.parts) if isinstance(term, Phrase) else term.text
    if not _HYPHENS_IN.search(text):
        run = pieces(term, None)
        return (run,) if run else ()
    result: list[list[Piece]] = [[]]
    for text, run in _texts(term):
        found = tokens(text)
        for position, piece in enumerate(run):
            is_last_of_prefix = piece.form is Form.PREFIX
            if piece.text in ANY_ENDING and _is_attached(text, found, position) and not is_last_of_prefix:
                result.append([])
            else:
                result[-1].append(piece)
    return tuple(tuple(stretch) for stretch in result if stretch)


def _texts(term: Term) -> Iterator[tuple[str, Run]]:
    for part in term.parts if isinstance(term, Phrase) else (term,):
        yield part.text, pieces(part, None)
