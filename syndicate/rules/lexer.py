"""The text of a query, taken apart: words, quotes, operators, signs and regular expressions.

A mistake is the last lexeme that is found, so that of several the first in the text is reported.
"""

import difflib
import re
import unicodedata
from enum import StrEnum
from typing import NamedTuple

from syndicate.errors import QueryError
from syndicate.rules.language import APOSTROPHES, tokens
from syndicate.rules.tree import FIELDS

_QUOTES = frozenset('"“”„«»＂')
_SIGNS = {"(": "(", ")": ")", ",": ",", "（": "(", "）": ")", "，": ","}
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_OPERATORS = frozenset({"AND", "OR", "NOT", "OF"})
_DISTANCE = re.compile(r"(NEAR|BEFORE)/([0-9]{1,9})")
_DISTANCE_MISTAKEN = re.compile(r"(NEAR|BEFORE|AFTER)([\W\d].*)?", re.DOTALL)
_FIELD = re.compile(rf"({'|'.join(FIELDS)}|rule):")
# Cyrillic and Greek letters that look like those of our operators.
_LOOKALIKES = str.maketrans("АВЕЕОТТЕОМОΑΒΕΝΟΤ", "ABEEOTTEOMOABENOT")
_EXCERPT_LENGTH = 72


class Kind(StrEnum):
    """What a piece of a query's text is."""

    WORD = "word"
    QUOTED = "quoted"
    EXACT = "exact"
    REGEX = "regex"
    FIELD = "field"
    RULE = "rule"
    OPEN = "("
    CLOSE = ")"
    COMMA = ","
    MINUS = "-"
    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    OF = "OF"
    NEAR = "NEAR"
    BEFORE = "BEFORE"
    END = "end"
    MISTAKE = "mistake"


class Lexeme(NamedTuple):
    """A piece of a query's text and where it stands (code points)."""

    kind: Kind
    start: int
    end: int
    value: str = ""  # a word, what is quoted, a field's name, a distance; of a MISTAKE what is wrong


def lexemes(query: str) -> list[Lexeme]:
    """Return the pieces of a query in order; the last is END or a MISTAKE."""
    found: list[Lexeme] = []
    position = _skip(query, 0)
    while position < len(query):
        found.append(_lexeme(query, position))
        if found[-1].kind is Kind.MISTAKE:
            return found
        position = _skip(query, found[-1].end)
    end = found[-1].end if found else 0
    return [*found, Lexeme(Kind.END, end, end)]


def query_error(query: str, position: int, problem: str) -> QueryError:
    """Return the error that shows a place in a query."""
    before = query[:position]
    line_start = before.rfind("\n") + 1
    return QueryError(
        problem,
        line=before.count("\n") + 1,
        column=position - line_start + 1,
        excerpt=_excerpt(query[line_start:].partition("\n")[0], position - line_start),
    )


def _skip(query: str, position: int) -> int:
    """Return where the next piece begins, after spaces and comments: `# ` to the end of the line."""
    while position < len(query):
        if query[position].isspace():
            position += 1
        elif query[position] == "#" and query[position + 1 : position + 2].strip() == "":
            position = _line_end(query, position)
        else:
            break
    return position


def _line_end(query: str, position: int) -> int:
    end = query.find("\n", position)
    return len(query) if end < 0 else end


def _lexeme(query: str, start: int) -> Lexeme:
    letter = query[start]
    if letter in _SIGNS:
        return Lexeme(Kind(_SIGNS[letter]), start, start + 1)
    if letter in _QUOTES:
        return _quoted(query, start, start, Kind.QUOTED)
    match letter:
        case "/":
            return _regex(query, start)
        case "-":
            return _minus(query, start)
        case "=":
            return _exact(query, start)
        case "#":
            return _mistake(start, 'a comment begins with "# ", with a space; for a word leave the # out')
        case _:
            return _chunk(query, start)


def _mistake(start: int, problem: str) -> Lexeme:
    return Lexeme(Kind.MISTAKE, start, start, problem)


# --------------------------------------------------------------------------- what has an end of its own


def _quoted(query: str, start: int, quote: int, kind: Kind) -> Lexeme:
    end = next((place for place in range(quote + 1, len(query)) if query[place] in _QUOTES), None)
    if end is None:
        return _mistake(quote, "this quote is never closed")
    if not _is_apart(query, end + 1):
        text = (
            "a star goes inside the quotes" if query[end + 1] == "*" else "a space is missing after the quote"
        )
        return _mistake(end + 1, text)
    return Lexeme(kind, start, end + 1, query[quote + 1 : end])


def _regex(query: str, start: int) -> Lexeme:
    place, letters = start + 1, []
    while place < len(query) and query[place] not in "/\n":
        step = 2 if query[place] == "\\" and query[place + 1 : place + 2] not in ("", "\n") else 1
        pair = query[place : place + step]
        letters.append("/" if pair == "\\/" else pair)
        place += step
    if query[place : place + 1] != "/":
        return _mistake(
            start, "this regular expression is never closed: /.../ on one line, a / inside as \\/"
        )
    if not letters:
        return _mistake(start, 'this regular expression is empty; a comment begins with "# "')
    if not _is_apart(query, place + 1):
        return _mistake(
            place + 1,
            "the regular expression ended here: a / inside it is \\/, and (?i) at its start ignores case",
        )
    return Lexeme(Kind.REGEX, start, place + 1, "".join(letters))


def _is_apart(query: str, place: int) -> bool:
    """Say whether what ends here stands apart from what follows."""
    following = query[place : place + 1]
    return following == "" or following.isspace() or _SIGNS.get(following) in (")", ",")


# --------------------------------------------------------------------------- what ends with a space or a sign


def _minus(query: str, start: int) -> Lexeme:
    before, after = query[:start][-1:], query[start + 1 : start + 2]
    if _SIGNS.get(before) == ")":
        return _mistake(start, "put a space before the -")
    if after == "-":
        return _mistake(start, "one - is enough")
    if after == "" or after.isspace() or _SIGNS.get(after) in (")", ","):
        return _mistake(start, "a - belongs to what follows: write -word without a space, or NOT")
    return Lexeme(Kind.MINUS, start, start + 1)


def _exact(query: str, start: int) -> Lexeme:
    if query[start + 1 : start + 2] in _QUOTES:
        return _quoted(query, start, start + 1, Kind.EXACT)
    end = _chunk_end(query, start + 1)
    if end == start + 1:
        return _mistake(start, 'expected a word or a quoted phrase right after =: =EU or ="EU Strategy"')
    return _unglued(query, Lexeme(Kind.EXACT, start, end, query[start + 1 : end]))


def _chunk(query: str, start: int) -> Lexeme:
    end = _chunk_end(query, start)
    chunk = query[start:end]
    if field := _FIELD.match(chunk):
        return _field(query, start, field[1])
    bare = chunk.translate(_INVISIBLE)
    if bare in _OPERATORS:
        return Lexeme(Kind(bare), start, end)
    if distance := _DISTANCE.fullmatch(bare):
        return Lexeme(Kind(distance[1]), start, end, distance[2])
    if (problem := _mistaken(bare)) is not None:
        return _mistake(start, problem)
    return _unglued(query, Lexeme(Kind.WORD, start, end, chunk))


def _field(query: str, start: int, name: str) -> Lexeme:
    end = start + len(name) + 1
    if name != "rule":
        return Lexeme(Kind.FIELD, start, end, name)
    rule_end = _chunk_end(query, end)
    return _unglued(query, Lexeme(Kind.RULE, start, rule_end, query[end:rule_end]))


def _mistaken(chunk: str) -> str | None:
    """Return what is wrong with something that was to be an operator, None if it was not."""
    if distance := _DISTANCE_MISTAKEN.fullmatch(chunk):
        if distance[1] == "AFTER":
            return "there is no AFTER: write the other term first, with BEFORE/5"
        return f"{distance[1]} needs a number of words: {distance[1]}/5"
    latin = chunk.translate(_LOOKALIKES)
    if latin != chunk and (latin in _OPERATORS or _DISTANCE_MISTAKEN.fullmatch(latin)):
        return f"this looks like {latin} but has a letter of another alphabet in it; type it anew"
    return None


def _unglued(query: str, lexeme: Lexeme) -> Lexeme:
    if query[lexeme.end : lexeme.end + 1] in _QUOTES:
        return _mistake(lexeme.end, "a space is missing before this quote, or it is one too many")
    return lexeme


def _chunk_end(query: str, start: int) -> int:
    return next((place for place in range(start, len(query)) if _ends_chunk(query[place])), len(query))


def _ends_chunk(letter: str) -> bool:
    return letter.isspace() or letter in _SIGNS or letter in _QUOTES


# --------------------------------------------------------------------------- words

_NOT_WORDS = {
    "&": "the sign & is no word: write AND",
    "&&": "write AND instead of &&",
    "|": "write OR instead of |",
    "||": "write OR instead of ||",
}
_STARTS = {
    "!": "write -word or NOT word instead of !",
    "+": "leave the + out: words beside each other have to be there anyway",
    "–": "a term is excluded by - (a plain hyphen) or NOT",
    "—": "a term is excluded by - (a plain hyphen) or NOT",
    "−": "a term is excluded by - (a plain hyphen) or NOT",
    "'": "write \" around a phrase, not '",
    "‘": 'write " around a phrase, not ‘',
    "=": "one = is enough",
}
_BRACKET = re.compile(r"[\[\]{}]")
_NAME = re.compile(r"([^\W\d_]+):")


def is_plain(word: str) -> bool:
    """Say whether there are only letters in a text, and so a word; those that are apostrophes too aside."""
    return word.isalpha() and word[0] not in APOSTROPHES


_LATIN_AND_CYRILLIC = re.compile("[A-Za-z][Ѐ-ԯ]|[Ѐ-ԯ][A-Za-z]")


def is_mixed(word: str) -> bool:
    """Say whether Latin and Cyrillic letters stand next to each other, as after a slip of the keyboard."""
    return bool(_LATIN_AND_CYRILLIC.search(word))


def word_problem(word: str) -> tuple[int, str] | None:
    """Return where an unquoted word goes wrong and how, None if it does not. A star may end it."""
    if is_plain(word):
        return None
    if word in _NOT_WORDS:
        return 0, _NOT_WORDS[word]
    if word[0] in _STARTS and (word == "!" or tokens(word)):
        return 0, _STARTS[word[0]]
    if "|" in word:
        return word.index("|"), "write OR, with spaces around it, instead of |"
    if bracket := _BRACKET.search(word):
        return bracket.start(), "only ( and ) group; to search for other brackets leave them out"
    if name := _NAME.match(word):
        return 0, _unknown_field(name[1])
    return star_problem(word) or _sign_problem(word)


def _sign_problem(word: str) -> tuple[int, str] | None:
    if wildcard := re.search(r"\w\?\w", word):
        return wildcard.start() + 1, "a ? stands for no letter; only a * at the end of a word is understood"
    if sign := re.search(r"\w([~^])[\d.]*$", word):
        return sign.start(1), f"{sign[1]} has no meaning here; write the words that you would accept, with OR"
    return None


def star_problem(word: str) -> tuple[int, str] | None:
    """Return where a star is misplaced and why, None if none is; or that there is nothing to look for."""
    star = word.find("*")
    if star < 0 and is_plain(word):
        return None
    if star < 0:
        return None if tokens(word) else (0, f"{word} has no letter or digit, so it could never match")
    before = tokens(word[:star])
    if star < len(word) - 1:
        return star, "a * stands only at the end of a word, once"
    if not before or before[-1].end != star:
        return star, "a * follows the letters that a word begins with; for any words between two write NEAR/5"
    return None


def _unknown_field(name: str) -> str:
    if name.lower() in ("http", "https"):
        return 'write an address in quotes, as in link:"https://..."'
    known = (*FIELDS, "rule")
    nearest = difflib.get_close_matches(name.lower(), known, 1)
    meant = f"did you mean {nearest[0]}:?" if nearest else f"there are {', '.join(known)}."
    return f"unknown field {name}: - {meant} To search for the word itself put it in quotes"


# --------------------------------------------------------------------------- the excerpt of an error


def _excerpt(line: str, column: int) -> str:
    """Return a part of a line, indented, with a caret below the column (from 0)."""
    start = max(0, min(column - _EXCERPT_LENGTH // 2, len(line) - _EXCERPT_LENGTH))
    end = start + _EXCERPT_LENGTH
    before = ("…" if start else "") + _plain(line[start:column])
    after = _plain(line[column:end]) + ("…" if end < len(line) else "")
    if not line.strip():
        return ""
    return f"    {(before + after).rstrip()}\n    {' ' * sum(map(_width, before))}^"


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _width(letter: str) -> int:
    """Return how many columns a terminal gives to a letter."""
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
