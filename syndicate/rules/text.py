"""One item as rules see it: its fields, their words, and where these stand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from syndicate.rules.language import Token
from syndicate.rules.patterns import regex_spans
from syndicate.rules.stems import stem
from syndicate.rules.tree import INDEXED_FIELDS, MAX_DISTANCE
from syndicate.rules.words import Form, Piece, Run, cased, fold, words

Stem = Callable[[str, str | None], str]  # a normalised word and its text's language -> what its forms share


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What rules are asked about: an item as they see it."""

    title: str = ""
    body: str = ""
    author: str = ""
    categories: tuple[str, ...] = ()
    link: str = ""
    source: str = ""
    tags: tuple[str, ...] = ()  # of the source
    language: str | None = None
    published: datetime | None = None  # None: just now


def field_texts(subject: Subject) -> Mapping[str, str]:
    """Return the text of each field, as evidence counts in it (see `ItemText`)."""
    return {
        "title": subject.title,
        "body": subject.body,
        "author": subject.author,
        "category": "\n".join(subject.categories),
        "link": subject.link,
        "source": subject.source,
        "lang": subject.language or "",
    }


class FieldText:
    """The words of one field, and where they stand in each form."""

    __slots__ = ("_indexes", "_keys", "_stem", "positions", "text", "words")

    def __init__(self, values: Sequence[str], language: str | None, stem: Callable[[str], str]) -> None:
        self.text = "\n".join(values)
        self.words: list[Token] = []
        self.positions: list[int] = []  # of each word; those of two values are too far apart for any NEAR
        self._stem = stem
        self._keys: dict[tuple[Form, bool], list[str]] = {}
        self._indexes: dict[tuple[Form, bool], dict[str, list[int]]] = {}
        start = 0
        for value in values:
            found = words(value, language)
            first = self.positions[-1] + MAX_DISTANCE + 2 if self.positions else 0
            self.positions += range(first, first + len(found))
            self.words += [Token(word.text, start + word.start, start + word.end) for word in found]
            start += len(value) + 1

    def spans(self, run: Run) -> list[tuple[int, int]]:
        """Return the first and last word (as indexes) of each place where a run stands, in order."""
        if not run:
            return []
        keys = [
            (self.keys(piece.form, is_folded=piece.is_folded), self._key(piece), piece.form) for piece in run
        ]
        return [
            (first, first + len(run) - 1)
            for first in self.starts(run[0])
            if self._is_unbroken(first, len(run))
            and all(
                found[first + step].startswith(key) if form is Form.PREFIX else found[first + step] == key
                for step, (found, key, form) in enumerate(keys)
            )
        ]

    def starts(self, piece: Piece) -> list[int]:
        """Return the indexes of the words that one word of a rule stands for, in order."""
        indexes = self._indexes_by_key(piece.form, piece.is_folded)
        key = self._key(piece)
        if piece.form is not Form.PREFIX:
            return indexes.get(key, [])
        return sorted(index for word, found in indexes.items() if word.startswith(key) for index in found)

    def keys(self, form: Form, *, is_folded: bool) -> list[str]:
        """Return what each word is compared as."""
        if (form, is_folded) not in self._keys:
            surfaces = (self.text[word.start : word.end] for word in self.words)
            self._keys[form, is_folded] = [
                self._key(Piece(form, word.text, cased(surface) if form is Form.EXACT else "", is_folded))
                for word, surface in zip(self.words, surfaces, strict=True)
            ]
        return self._keys[form, is_folded]

    def _key(self, piece: Piece) -> str:
        match piece.form:
            case Form.STEM:
                key = self._stem(piece.text)
            case Form.EXACT:
                key = f"{piece.cased}\n{piece.text}"
            case Form.PREFIX:
                key = piece.text
            case Form.PATTERN:
                raise ValueError("a regular expression is no word")
            case _:
                assert_never(piece.form)
        return fold(key) if piece.is_folded else key

    def _indexes_by_key(self, form: Form, is_folded: bool) -> dict[str, list[int]]:
        if (form, is_folded) not in self._indexes:
            found: dict[str, list[int]] = {}
            for index, key in enumerate(self.keys(form, is_folded=is_folded)):
                found.setdefault(key, []).append(index)
            self._indexes[form, is_folded] = found
        return self._indexes[form, is_folded]

    def _is_unbroken(self, first: int, length: int) -> bool:
        last = first + length - 1
        return last < len(self.words) and self.positions[last] - self.positions[first] == length - 1


class ItemText:
    """What the rules see of an item.

    Evidence offsets are code points into `texts`; there a field of several values, as category, has each on
    a line of its own.
    """

    def __init__(self, subject: Subject, stem: Stem = stem) -> None:
        language = subject.language

        def stem_here(word: str) -> str:
            return stem(word, language)

        self.subject = subject
        self.fields: Mapping[str, FieldText] = {
            "title": FieldText([subject.title], language, stem_here),
            "body": FieldText([subject.body], language, stem_here),
            "author": FieldText([subject.author], language, stem_here),
            "category": FieldText(subject.categories, language, stem_here),
            "link": FieldText([subject.link], language, str),
        }
        self.texts: Mapping[str, str] = field_texts(subject)

    def has(self, run: Run) -> bool:
        """Say whether a run, as `anchors` returns them, stands in a field that the index sees."""
        if run[0].form is Form.PATTERN:
            return any(any(regex_spans(run[0].text, field.text)) for field in self.fields.values())
        return any(self.fields[field].spans(run) for field in INDEXED_FIELDS)
