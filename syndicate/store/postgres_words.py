"""The index of the words of items on PostgreSQL: a tsvector of each item's words and stems, without places.

So it finds items that have all words of a phrase somewhere; whether they follow one another is verified by
whoever looks them up.
"""

from collections.abc import Iterator, Mapping, Sequence

from syndicate.model import Wanted
from syndicate.store.sql import Connection

LONGEST_WORD = 400  # characters: those of four bytes come to less than a lexeme may have
_INITIAL = {"words": "w", "stems": "s"}


class TsvectorWords:
    """`WordIndex` by tsvector. See there for what each function does."""

    has_cheap_counts = False

    def condition(self, value: str) -> str:
        return f"f.kept @@ CAST({value} AS tsquery)"

    def asked(self, any_of: Sequence[Wanted]) -> str:
        return " | ".join(map(_phrase, any_of))

    def keep(self, db: Connection, rows: Sequence[tuple[int, Mapping[str, str]]]) -> None:
        db.executemany(
            "INSERT INTO items_fts (rowid, kept) VALUES (?, array_to_tsvector(CAST(? AS text[])))",
            [(place, sorted(set(_lexemes(kept)))) for place, kept in rows],
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


def _phrase(wanted: Wanted) -> str:
    initial = _INITIAL[wanted.column]
    lexemes = [_quoted(initial + word[:LONGEST_WORD]) for word in wanted.words]
    if wanted.is_beginning:
        lexemes[-1] += ":*"
    return f"({' & '.join(lexemes)})"


def _quoted(lexeme: str) -> str:
    doubled = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
