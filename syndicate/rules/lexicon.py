"""Which words of the rules a word of a text stands for, in one language.

All rules share one list of words, whatever the languages of the items: an *atom* is a distinct `Piece`. A
*key* is what a word is compared as: a stem, a word in its letter case, a beginning. What depends on the
language is only which key each atom has, so a language costs a few bytes for each atom and not an index of
its own.
"""

from array import array
from collections.abc import Iterator, Mapping
from typing import Any

from syndicate.rules.language import normalise, primary
from syndicate.rules.stems import stem
from syndicate.rules.words import ENDINGS, Form, Piece, cased, fold

NO_WORD, WORD, ENDING = 0, 1, 2  # what a run of word characters is


class Atoms:
    """The distinct words of all rules, numbered, and the keys they have in some language."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._number_by_piece: dict[Piece, int] = {}
        self.key_by_text: dict[tuple[Form, bool], dict[str, int]] = {}
        self.key_count = 0

    def number(self, piece: Piece) -> int:
        """Return the number of a piece, a new one if it has none."""
        number = self._number_by_piece.setdefault(piece, len(self.pieces))
        if number == len(self.pieces):
            self.pieces.append(piece)
        return number

    def key(self, form: Form, is_folded: bool, text: str) -> int:
        """Return the number of a key, a new one if it has none."""
        keys = self.key_by_text.setdefault((form, is_folded), {})
        key = keys.setdefault(text, self.key_count)
        self.key_count += key == self.key_count
        return key

    def __len__(self) -> int:
        return len(self.pieces)


class Lexicon:
    """The words of the rules as a text in one language has them."""

    def __init__(self, atoms: Atoms, language: str | None) -> None:
        self._language = language
        self._endings = ENDINGS.get(primary(language), frozenset())
        self.key_by_atom = array("i", (self._key(atoms, piece) for piece in atoms.pieces))
        self._by_form = [(form, is_folded, keys) for (form, is_folded), keys in atoms.key_by_text.items()]
        exact = (keys for form, _, keys in self._by_form if form is Form.EXACT)
        self._exact = {text.rpartition("\n")[2] for keys in exact for text in keys}  # in any letter case
        beginnings = (keys for form, _, keys in self._by_form if form is Form.PREFIX)
        self._longest_beginning = max((len(text) for keys in beginnings for text in keys), default=0)

    def resolve(self, surface: str) -> tuple[int, ...]:
        """Return what a run of word characters is (NO_WORD, WORD, ENDING), then the keys that it has."""
        kind, _, _, *keys = self.told(surface)
        return (kind, *keys)

    def told(self, surface: str) -> tuple[Any, ...]:
        """Return the kind of a run of word characters, it and its stem as they are kept, then its keys."""
        word = normalise(surface)
        if not word:
            return NO_WORD, "", ""
        stemmed = stem(word, self._language)
        keys: list[int] = []
        for form, is_folded, known in self._by_form:
            # Without making a Piece, since there are many.
            text = stemmed if form is Form.STEM else word
            text = fold(text) if is_folded else text
            if form is Form.PREFIX:
                keys += _beginnings(known, text[: self._longest_beginning])
            elif form is Form.EXACT and text in self._exact:
                keys += _known(
                    known, fold(_as_exact(surface, word)) if is_folded else _as_exact(surface, word)
                )
            else:
                keys += _known(known, text)
        return ENDING if word in self._endings else WORD, word, stemmed, *keys

    def _key(self, atoms: Atoms, piece: Piece) -> int:
        return atoms.key(piece.form, piece.is_folded, compared(piece, self._language))


def _as_exact(surface: str, word: str) -> str:
    return f"{cased(surface)}\n{word}"


def _known(keys: Mapping[str, int], text: str) -> tuple[int, ...]:
    return (keys[text],) if text in keys else ()


def _beginnings(keys: Mapping[str, int], text: str) -> Iterator[int]:
    return (keys[text[:length]] for length in range(1, len(text) + 1) if text[:length] in keys)


def compared(piece: Piece, language: str | None) -> str:
    """Return what a word is compared as."""
    match piece.form:
        case Form.STEM:
            text = stem(piece.text, language)
        case Form.EXACT:
            text = f"{piece.cased}\n{piece.text}"
        case _:
            text = piece.text
    return fold(text) if piece.is_folded else text
