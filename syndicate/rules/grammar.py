"""The text of a query -> a tree, or an error that shows the place.

    query    = all { OR all }
    all      = near { [ AND ] near }
    near     = unary [ ( NEAR/n | BEFORE/n ) unary ]
    unary    = [ NOT | - ] operand
    operand  = [ field: ] term
    term     = word | word* | "a phrase" | =Word | ="A Phrase" | /regex/ | rule:id
             | ( query ) | n OF ( query, query, ... )

NEAR joins two of words, phrases and (a OR b) of those. Three in a row are refused, since readers differ on
what the third is near to. `# ` begins a comment that goes on to the end of the line.
"""

import re
from collections.abc import Sequence
from typing import NoReturn

from syndicate.config.values import meant_language
from syndicate.errors import QueryError
from syndicate.rules.language import tokens
from syndicate.rules.lexer import (
    Kind,
    Lexeme,
    is_mixed,
    is_plain,
    lexemes,
    query_error,
    star_problem,
    word_problem,
)
from syndicate.rules.patterns import regex_problem
from syndicate.rules.refusal import look_alikes, refusal
from syndicate.rules.tree import (
    LABELS,
    MAX_DISTANCE,
    NOWHERE,
    All,
    Any,
    AtLeast,
    Exact,
    InField,
    Near,
    Node,
    Not,
    Pattern,
    Phrase,
    Place,
    Prefix,
    RuleRef,
    Word,
    unparse,
    walk,
)

MAX_LENGTH = 65_536  # code points
MAX_DEPTH = 64  # of parentheses

_TERM_KINDS = frozenset(
    {Kind.WORD, Kind.QUOTED, Kind.EXACT, Kind.REGEX, Kind.FIELD, Kind.RULE, Kind.OPEN, Kind.MINUS, Kind.NOT}
)
_DISTANCES = (Kind.NEAR, Kind.BEFORE)
_RULE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LABEL_VALUES = {
    "source": (re.compile(r"(tag:)?[\w.*-]+"), "a source's id, a pattern with *, or tag:name"),
    "lang": (re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*"), "a language's code, like en, kk or zh-Hant"),
}


def parse(query: str) -> Node:
    """Return the tree of a query.

    Raises:
        QueryError: it has none, or could only match everything or nothing.
    """
    return _parsed(query)[0]


def hints(query: str) -> tuple[QueryError, ...]:
    """Return what may mean otherwise than its author thinks; nothing for a query that does not parse."""
    try:
        tree, found = _parsed(query)
    except QueryError:
        return ()
    places = sorted({*found, *((node.place[0], text) for node, text in look_alikes(tree))})
    return tuple(query_error(query, place, text) for place, text in places)


def keyword(text: str) -> Phrase | None:
    """Return a text as a phrase, whatever signs are in it but a star; None if there is no word in it.

    A star at the end of a word stands for whatever it goes on with, as it does in a query.
    """
    parts = _phrase_parts([_word_or_prefix(chunk, NOWHERE) for chunk in text.split()])
    return Phrase(parts) if parts else None


def _parsed(query: str) -> tuple[Node, list[tuple[int, str]]]:
    if len(query) > MAX_LENGTH:
        raise query_error(query, MAX_LENGTH, f"a query has at most {MAX_LENGTH:,} characters")
    parser = _Parser(query)
    tree = parser.whole()
    if found := refusal(tree):
        raise query_error(query, found.place[0], found.reason)
    return tree, parser.hints


# --------------------------------------------------------------------------- text to tree


class _Parser:
    """Reads one query from left to right."""

    def __init__(self, query: str) -> None:
        self.hints: list[tuple[int, str]] = []
        self._query = query
        self._lexemes = lexemes(query)
        self._next = 0
        self._depth = 0
        self._field: str | None = None

    def whole(self) -> Node:
        if self._peek() is Kind.END:
            self._fail(0, "the query is empty: write at least one word to look for")
        tree = self._any()
        if self._peek() is not Kind.END:
            self._refuse_next()
        return tree

    # ----------------------------------------------------------------------- operators

    def _any(self) -> Node:
        alternatives = [self._all()]
        while self._accept(Kind.OR):
            alternatives.append(self._all())
        nodes = [parts[0] if len(parts) == 1 else All(tuple(parts), _span(parts)) for parts in alternatives]
        if len(nodes) == 1:
            return nodes[0]
        tree = Any(tuple(nodes), _span(nodes))
        if any(len(parts) > 1 for parts in alternatives):
            self.hints.append((tree.place[0], _mixed(tree)))
        return tree

    def _all(self) -> list[Node]:
        parts = [self._near()]
        while self._accept(Kind.AND) or self._peek() in _TERM_KINDS:
            parts.append(self._near())
        return parts

    def _near(self) -> Node:
        left = self._unary()
        if self._peek() not in _DISTANCES:
            return left
        operator = self._take()
        right = self._unary()
        if self._peek() in _DISTANCES:
            self._fail(self._here().start, f"a third term for {operator.kind} is ambiguous: {_CHAIN}")
        for operand in (left, right):
            self._check_operand(operand, operator)
        distance = int(operator.value)
        if not 1 <= distance <= MAX_DISTANCE:
            self._fail(operator.start, f"{operator.kind} takes a number of words from 1 to {MAX_DISTANCE:,}")
        return Near(left, right, distance, operator.kind is Kind.BEFORE, _span([left, right]))

    def _check_operand(self, operand: Node, operator: Lexeme) -> None:
        for node in walk(operand):
            if not isinstance(node, Word | Prefix | Exact | Phrase | Any):
                self._fail(node.place[0], f"{operator.kind} {_operand_advice(node, operator)}")

    def _unary(self) -> Node:
        sign = self._here()
        if not (self._accept(Kind.NOT) or self._accept(Kind.MINUS)):
            return self._operand()
        if self._peek() in (Kind.NOT, Kind.MINUS):
            self._fail(self._here().start, "twice NOT is the term itself: leave both out")
        child = self._operand()
        if isinstance(child, Not):
            self._fail(child.place[0], "twice NOT is the term itself: leave both out")
        return Not(child, (sign.start, child.place[1]))

    # ----------------------------------------------------------------------- terms

    def _operand(self) -> Node:
        return self._in_field() if self._peek() is Kind.FIELD else self._term()

    def _in_field(self) -> Node:
        name = self._take()
        if self._field:
            self._fail(name.start, f"{name.value}: cannot stand inside {self._field}:")
        if self._peek() in (Kind.NOT, Kind.MINUS):
            self._fail(self._here().start, f"the NOT goes before the field: NOT {name.value}:...")
        self._field = name.value
        child = self._term()
        self._field = None
        if name.value in LABELS and not all(isinstance(node, Word | Any) for node in walk(child)):
            self._fail(child.place[0], f"{name.value}: takes one value, or several: {name.value}:(a OR b)")
        return InField(name.value, child, (name.start, child.place[1]))

    def _term(self) -> Node:
        match self._peek():
            case Kind.OPEN:
                return self._group()
            case Kind.WORD:
                return self._word_or_count()
            case Kind.QUOTED:
                return self._quoted(self._take())
            case Kind.EXACT:
                return self._exact(self._take())
            case Kind.REGEX:
                return self._pattern(self._take())
            case Kind.RULE:
                return self._rule(self._take())
            case _:
                return self._refuse_next()

    def _group(self) -> Node:
        opening = self._enter()
        tree = self._any()
        self._leave(opening)
        return tree

    def _enter(self) -> Lexeme:
        opening = self._take()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(opening.start, f"parentheses go at most {MAX_DEPTH} deep")
        if self._peek() is Kind.CLOSE:
            self._fail(opening.start, "there is nothing between these parentheses")
        if self._peek() is Kind.END:
            self._fail(opening.start, _UNCLOSED)
        return opening

    def _leave(self, opening: Lexeme) -> Lexeme:
        if self._peek() is Kind.END:
            self._fail(opening.start, _UNCLOSED)
        if self._peek() is not Kind.CLOSE:
            self._refuse_next()
        self._depth -= 1
        return self._take()

    def _word_or_count(self) -> Node:
        word = self._take()
        if self._peek() is Kind.OF:
            return self._at_least(word)
        if self._peek() is Kind.OPEN and word.value.lower() == "of":
            self._fail(
                word.start, f"OF is written in capitals: {_OF}; to search for the word put it in quotes"
            )
        if self._field not in LABELS and (hint := _word_hint(word.value)):
            self.hints.append((word.start, hint))
        return self._word(word)

    def _at_least(self, number: Lexeme) -> Node:
        operator = self._take()
        if not re.fullmatch(r"[0-9]{1,9}", number.value):
            self._fail(operator.start, _OF_ALONE)
        if self._peek() is not Kind.OPEN:
            self._fail(self._here().start, f"expected '(' after OF: {_OF}")
        opening = self._enter()
        parts = [self._any()]
        while self._accept(Kind.COMMA):
            parts.append(self._any())
        end = self._leave(opening).end
        count = int(number.value)
        if not 1 <= count <= len(parts):
            self._fail(number.start, _count_problem(count, len(parts), operator))
        return AtLeast(count, tuple(parts), (number.start, end))

    def _word(self, word: Lexeme) -> Node:
        if self._field in LABELS:
            return self._value(word)
        problem = star_problem(word.value) if self._field == "link" else word_problem(word.value)
        self._check(word.start, problem)
        return _word_or_prefix(word.value, (word.start, word.end))

    def _value(self, lexeme: Lexeme) -> Word:
        form, expected = _LABEL_VALUES[self._field or ""]
        if not form.fullmatch(lexeme.value):
            self._fail(lexeme.start, f"after {self._field}: expected {expected}")
        if self._field == "lang" and (meant := meant_language(lexeme.value)):
            self._fail(lexeme.start, f"{lexeme.value} is not how a language is called: did you mean {meant}?")
        return Word(lexeme.value, (lexeme.start, lexeme.end))

    def _quoted(self, lexeme: Lexeme) -> Node:
        if self._field in LABELS:
            return self._value(lexeme)
        inside = lexeme.end - 1 - len(lexeme.value)
        found: list[Word | Prefix] = []
        for chunk in re.finditer(r"\S+", lexeme.value):
            place = (inside + chunk.start(), inside + chunk.end())
            if "*" in chunk[0]:
                self._check(place[0], star_problem(chunk[0]))
            found.append(_word_or_prefix(chunk[0], place))
        parts = _phrase_parts(found)
        if not parts:
            self._fail(lexeme.start, "there is no letter or digit in this phrase, so it could never match")
        return Phrase(parts, (lexeme.start, lexeme.end))

    def _exact(self, lexeme: Lexeme) -> Node:
        text = " ".join(lexeme.value.split())
        if "*" in text:
            self._fail(lexeme.start, "= takes words as they are, without a *")
        if self._query[lexeme.start + 1] == text[:1]:
            self._check(lexeme.start + 1, word_problem(text))
        if not tokens(text):
            self._fail(lexeme.start, "there is no letter or digit after this =, so it could never match")
        return Exact(text, (lexeme.start, lexeme.end))

    def _pattern(self, lexeme: Lexeme) -> Node:
        if problem := regex_problem(lexeme.value):
            place, text = problem
            slashes = lexeme.value[:place].count("/")  # each is two characters in the query
            self._fail(lexeme.start + 1 + place + slashes, text)
        if not lexeme.value.isascii() and re.search(r"\\[bBwW]", lexeme.value):
            self.hints.append((lexeme.start, _ASCII_ONLY))
        return Pattern(lexeme.value, (lexeme.start, lexeme.end))

    def _rule(self, lexeme: Lexeme) -> Node:
        if not _RULE_ID.fullmatch(lexeme.value):
            self._fail(
                lexeme.start, "expected another rule's id right after rule:, as in rule:eu-central-asia"
            )
        if self._field:
            self._fail(lexeme.start, f"rule: cannot stand inside {self._field}:")
        return RuleRef(lexeme.value, (lexeme.start, lexeme.end))

    # ----------------------------------------------------------------------- lexemes

    def _here(self) -> Lexeme:
        lexeme = self._lexemes[self._next]
        if lexeme.kind is Kind.MISTAKE:
            self._fail(lexeme.start, lexeme.value)
        return lexeme

    def _peek(self) -> Kind:
        kind = self._lexemes[self._next].kind
        return self._here().kind if kind is Kind.MISTAKE else kind

    def _take(self) -> Lexeme:
        lexeme = self._here()
        self._next += 1
        return lexeme

    def _accept(self, kind: Kind) -> bool:
        is_there = self._peek() is kind
        self._next += is_there
        return is_there

    # ----------------------------------------------------------------------- mistakes

    def _fail(self, place: int, problem: str) -> NoReturn:
        raise query_error(self._query, place, problem)

    def _check(self, start: int, problem: tuple[int, str] | None) -> None:
        if problem:
            self._fail(start + problem[0], problem[1])

    def _refuse_next(self) -> NoReturn:
        """Say what is wrong with a lexeme that cannot stand where it does."""
        lexeme = self._here()
        before = self._lexemes[self._next - 1] if self._next else None
        match lexeme.kind:
            case Kind.CLOSE if not self._depth:
                problem = "this ) closes nothing"
            case Kind.COMMA if before and before.kind not in (Kind.COMMA, Kind.OPEN):
                problem = f"a comma stands only in {_OF}; otherwise write AND or OR"
            case Kind.OF:
                problem = _OF_ALONE
            case _ if before is None:
                problem = f"{self._text(lexeme)} has nothing before it; to search for it put it in quotes"
            case _:
                problem = f"expected a word, a phrase or '(' after {self._text(before)}"
        self._fail(lexeme.start, problem)

    def _text(self, lexeme: Lexeme) -> str:
        return self._query[lexeme.start : lexeme.end]


_UNCLOSED = "this ( is never closed"
_CHAIN = "write each pair by itself, as in a NEAR/5 b AND b NEAR/5 c"
_ASCII_ONLY = "in RE2, \\b and \\w know the letters a to z only; whole words are found without slashes: =Word"
_OF = "2 OF (a, b, c)"
_OF_ALONE = f"OF needs a number before it: {_OF}; to search for the word put it in quotes"


def _span(nodes: Sequence[Node]) -> Place:
    return nodes[0].place[0], nodes[-1].place[1]


def _word_or_prefix(text: str, place: Place) -> Word | Prefix:
    return Prefix(text[:-1], place) if text.endswith("*") else Word(text, place)


def _phrase_parts(found: Sequence[Word | Prefix]) -> tuple[Word | Prefix, ...]:
    """Return the parts with a word in them; signs that stand alone stay with their neighbour."""
    parts: list[Word | Prefix] = []
    before = ""
    for part in found:
        if is_plain(part.text) or tokens(part.text):
            parts.append(type(part)(before + part.text, part.place))
            before = ""
        elif parts and isinstance(parts[-1], Word):
            parts[-1] = Word(f"{parts[-1].text} {part.text}", parts[-1].place)
        else:
            before += part.text + " "
    return tuple(parts)


def _operand_advice(node: Node, operator: Lexeme) -> str:
    example = f"a {operator.kind}/{operator.value} b"
    match node:
        case InField():
            return f"goes inside the field, in parentheses: {node.field}:({example})"
        case Not():
            return f"joins what is there; to exclude a pair write NOT ({example})"
        case Near():
            return f"cannot join a pair to a third: {_CHAIN}"
        case _:
            return "joins words, phrases and (a OR b) of those only"


def _count_problem(count: int, parts: int, operator: Lexeme) -> str:
    if not count:
        return f"0 {operator.kind} would always hold; the least is 1"
    separated = "" if parts > 1 else "; they are separated by commas"
    return f"{count} {operator.kind} needs at least {count} terms, and there {_are(parts)}{separated}"


def _are(count: int) -> str:
    return "is 1" if count == 1 else f"are {count}"


_FOREIGN = {"И": "AND", "ИЛИ": "OR", "НЕ": "NOT", "ЖӘНЕ": "AND", "НЕМЕСЕ": "OR", "VA": "AND", "YOKI": "OR"}


def _word_hint(word: str) -> str | None:
    operator = _FOREIGN.get(word) or word.upper()
    if operator in ("AND", "OR", "NOT", "OF"):
        return f"{word} is searched for as a word; the operator is {operator}"
    if re.fullmatch(r"(w|adj|within|pre|onear)/?\d+", word, re.IGNORECASE):
        return f"{word} is searched for as a word; for words close to each other write NEAR/5 or BEFORE/5"
    if is_mixed(word):
        return f"{word} has letters of two alphabets in it, so it will hardly be found; type it anew"
    if re.fullmatch(r"(near|before)/?\d*", word, re.IGNORECASE):
        return f"{word} is searched for as a word; the operator is {word.partition('/')[0].upper()}/5"
    if len(word) == 2 and word.endswith("*"):
        return f"{word} finds every word that begins with {word[0]}"
    return None


def _mixed(tree: Any) -> str:
    text = unparse(tree)
    shown = text if len(text) <= 100 else text[:99] + "…"
    return f"AND binds tighter than OR, so this reads as {shown}; parentheses make it plain"
