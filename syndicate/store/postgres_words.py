"""The index of the words of items on PostgreSQL: a tsvector of each item's words and stems, without places.

Places in a tsvector end at the 16,383rd word, and at the 256th time that one occurs. So it tells which items
have all words of a phrase, and the text beside it whether they follow one another.
"""

from collections.abc import Iterator, Mapping, Sequence

from syndicate.model import Wanted
from syndicate.store.rows import json_text
from syndicate.store.sql import Connection

LONGEST_WORD = 400  # characters: those of four bytes come to less than a lexeme may have
_INITIAL = {"words": "w", "stems": "s"}


class TsvectorWords:
    """`WordIndex` by tsvector. See there for what each function does."""

    has_cheap_counts = False

    def condition(self, value: str) -> str:
        return f"has_words(f.kept, f.words, f.stems, {value})"

    def asked(self, any_of: Sequence[Wanted]) -> str:
        has_phrases = any(len(wanted.words) > 1 for wanted in any_of)
        return json_text(
            {
                "any": " | ".join(map(_query, any_of)),
                "phrases": [_phrase(wanted) for wanted in any_of] if has_phrases else None,
            }
        )

    def keep(self, db: Connection, rows: Sequence[tuple[int, Mapping[str, str]]]) -> None:
        db.executemany(
            "INSERT INTO items_fts (rowid, kept, words, stems)"
            " VALUES (?, array_to_tsvector(CAST(? AS text[])), ?, ?)",
            [
                (place, sorted(set(_lexemes(kept))), *(_spaced(kept[column]) for column in _INITIAL))
                for place, kept in rows
            ],
        )

    def forget(self, db: Connection, items: Sequence[int]) -> None:
        db.execute(
            "DELETE FROM items_fts f USING item_words w WHERE w.place = f.rowid AND w.item = ANY(?)",
            [list(items)],
        )


def _lexemes(kept: Mapping[str, str]) -> Iterator[str]:
    for column, initial in _INITIAL.items():
        for word in kept[column].split():
            yield initial + word[:LONGEST_WORD]


def _spaced(words: str) -> str:
    return f" {' '.join(words.split())} "


def _query(wanted: Wanted) -> str:
    initial = _INITIAL[wanted.column]
    lexemes = [_quoted(initial + word[:LONGEST_WORD]) for word in wanted.words]
    if wanted.is_beginning:
        lexemes[-1] += ":*"
    return f"({' & '.join(lexemes)})"


def _phrase(wanted: Wanted) -> tuple[str, bool, str | None]:
    text = f" {' '.join(wanted.words)}{'' if wanted.is_beginning else ' '}"
    return _query(wanted), wanted.column == "stems", text if len(wanted.words) > 1 else None


def _quoted(lexeme: str) -> str:
    doubled = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
