"""Rules as numbers, for the compiled core (`_core.c`) where there is one.

The core verifies what is made of words alone: terms, AND, OR, NOT, n OF, NEAR, in the fields that the index
sees. Rules with anything else (regular expressions, other rules, scores, labels, the link) it finds by their
words, and leaves to Python.
"""

import hashlib
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any as Anything

from syndicate.model import Hit, Match, Snippet
from syndicate.rules.anchors import Anchors, Commonness, companions, rarest
from syndicate.rules.archive import KEPT_COLUMNS
from syndicate.rules.language import character_class, primary
from syndicate.rules.lexicon import Atoms, Lexicon
from syndicate.rules.rule import Rule, Scope, is_about
from syndicate.rules.stems import canonical_language
from syndicate.rules.text import ItemText, Subject
from syndicate.rules.tree import (
    DEFAULT_FIELDS,
    INDEXED_FIELDS,
    All,
    Any,
    AtLeast,
    Exact,
    Folded,
    InField,
    Near,
    Node,
    Not,
    Phrase,
    Prefix,
    Term,
    Word,
    label,
    walk,
)
from syndicate.rules.words import Form, Piece, Run, pieces, stretches

try:
    from syndicate.rules import _core
except ImportError:  # nothing compiled it: rules/index.py does without
    _core = None  # type: ignore[assignment]
else:
    _source = Path(__file__).with_name("_core.c")
    if _source.exists() and hashlib.sha256(_source.read_bytes()).hexdigest() != _core.DIGEST:
        _core = None  # type: ignore[assignment]  # compiled from another version

WORDS_REMEMBERED = 1 << 17  # of each language
LANGUAGES_REMEMBERED = 96  # more than there are ways to stem

_TERM, _ALL, _ANY, _AT_LEAST, _NOT, _NEAR = range(6)  # operations, as in _core.c
_VARIANTS = {"": 0, "kk": 1, "uz": 2}  # languages that write endings behind hyphens, and all others
_NOTHING: frozenset[Piece] = frozenset()
_SOURCES_REMEMBERED = 1 << 12
_WHENEVER = datetime(2000, 1, 1, tzinfo=UTC)


def is_there() -> bool:
    """Say whether the core was compiled for this Python."""
    return _core is not None


class CompiledEngine:
    """Finds and verifies rules by the compiled core."""

    def __init__(
        self, rules: Mapping[str, Rule], registered: Mapping[str, Anchors], commonness: Commonness
    ) -> None:
        flat = _Flat(list(rules.values()), registered, commonness)
        self._atoms = flat.atoms
        self._ids = list(rules)
        self._scopes = tuple(flat.scopes)
        self._has_since = any(scope.since is not None for scope in self._scopes)
        self._core = _core.Core(
            (Hit, Snippet, Match),
            INDEXED_FIELDS,
            character_class,
            hash("any text") & (1 << 64) - 1,  # another one in each process, so that nobody can foresee it
            len(flat.atoms),
            flat.numbers(),
        )
        self._tongue = lru_cache(maxsize=LANGUAGES_REMEMBERED)(self._made_tongue)
        self._allowed_by_source = lru_cache(maxsize=_SOURCES_REMEMBERED)(self._allowed_at_any_time)
        self._lock = Lock()  # the core is for one thread at a time, and asks Python in between

    def look(
        self, subject: Subject, text: Callable[[], ItemText], now: datetime
    ) -> tuple[list[Match], list[str]]:
        """Return the matches of an item, and other rules that might hold for it."""
        matches, others, _ = self._look(subject, now, keeps_words=False)
        return matches, others

    def look_and_keep(
        self, subject: Subject, text: Callable[[], ItemText], now: datetime
    ) -> tuple[list[Match], list[str], Mapping[str, str]]:
        """Return the same, and what `kept_words` returns."""
        matches, others, kept = self._look(subject, now, keeps_words=True)
        return matches, others, dict(zip(KEPT_COLUMNS, kept, strict=True))

    def _look(
        self, subject: Subject, now: datetime, *, keeps_words: bool
    ) -> tuple[list[Match], list[str], Anything]:
        if self._has_since:
            allowed = self._allowed(subject, now)
        else:  # the same for all items of a source in a language, at any time
            allowed = self._allowed_by_source(subject.source, subject.language)
        with self._lock:
            matches, others, kept = self._core.match(
                self._tongue(canonical_language(subject.language)),
                subject.title,
                subject.body,
                subject.author,
                "\n".join(subject.categories),
                tuple(map(len, subject.categories)),
                allowed,
                keeps_words,
            )
        return matches, [self._ids[number] for number in others], kept

    def _made_tongue(self, language: str | None) -> Anything:
        lexicon = Lexicon(self._atoms, language)
        variant = _VARIANTS.get(primary(language), 0)
        return self._core.tongue(
            lexicon.key_by_atom, self._atoms.key_count, variant, WORDS_REMEMBERED, lexicon.told
        )

    def _allowed_at_any_time(self, source: str, language: str | None) -> bytes:
        return self._allowed(Subject(source=source, language=language), _WHENEVER)

    def _allowed(self, subject: Subject, now: datetime) -> bytes:
        return bytes(is_about(scope, subject, now) for scope in self._scopes)


class _Flat:
    """Rules as lists of numbers; what they mean is said in _core.c."""

    def __init__(
        self, rules: Sequence[Rule], registered: Mapping[str, Anchors], commonness: Commonness
    ) -> None:
        self.atoms = Atoms()
        self.scopes: dict[Scope, int] = {}
        self._rules = rules
        self._flat_atoms = array("i")
        self._runs: dict[Run, int] = {}
        self._flat_runs = array("i")
        self._terms: dict[tuple[str, int, tuple[Run, ...]], int] = {}
        self._program = array("i")
        self._flat_rules = array("i")
        self._commonness = commonness
        postings: list[tuple[int, int, int, int, int]] = []
        for number, rule in enumerate(rules):
            program = self._add_program(rule.query)
            self._flat_rules.extend((program, self.scopes.setdefault(rule.scope, len(self.scopes))))
            runs = [run for run in registered[rule.id] or () if run[0].form is not Form.PATTERN]
            beside = companions(rule.query) if runs else {}
            postings += (self._posting(number, run, beside.get(run, _NOTHING)) for run in runs)
        postings.sort()
        self._postings = array("i", (value for posting in postings for value in posting))

    def _posting(self, number: int, run: Run, beside: frozenset[Piece]) -> tuple[int, int, int, int, int]:
        offset = rarest(run, self._commonness)
        others = beside - {run[offset]}
        companion = self.atoms.number(min(others, key=self._commonness)) if others else -1
        return self.atoms.number(run[offset]), number, self._run(run), offset, companion

    def numbers(self) -> tuple[object, ...]:
        labels = [text for text, _, _ in self._terms]
        rank_by_label = {text: rank for rank, text in enumerate(sorted(set(labels)))}
        terms = array("i")
        for text, mask, runs in self._terms:
            places = (value for run in runs for value in self._place(run))
            shared = [piece for piece in runs[0] if all(piece in run for run in runs)]
            gate = self.atoms.number(min(shared, key=self._commonness)) if shared else -1
            terms.extend((rank_by_label[text], mask, gate, *places))
        names = [(rule.id, rule.version) for rule in self._rules]
        program, rules = self._program, self._flat_rules
        return (self._flat_atoms, self._flat_runs, labels, terms, names, rules, self._postings, program)

    def _place(self, run: Run) -> tuple[int, int]:
        number = self._run(run)
        return self._flat_runs[2 * number], self._flat_runs[2 * number + 1]

    def _run(self, run: Run) -> int:
        number = self._runs.setdefault(run, len(self._runs))
        if 2 * number == len(self._flat_runs):
            self._flat_runs.extend((len(self._flat_atoms), len(run)))
            self._flat_atoms.extend(map(self.atoms.number, run))
        return number

    # ----------------------------------------------------------------------- programs

    def _add_program(self, tree: Node) -> int:
        """Return where a rule's program begins, -1 if the core cannot verify it."""
        is_folded = isinstance(tree, Folded)
        root = tree.child if isinstance(tree, Folded) else tree
        if not all(map(_is_verified, walk(root))):
            return -1
        start = len(self._program)
        self._add(root, _mask(DEFAULT_FIELDS), is_folded=is_folded)
        return start

    def _add(self, node: Node, mask: int, *, is_folded: bool) -> None:
        if isinstance(node, InField):
            self._add(node.child, _mask((node.field,)), is_folded=is_folded)
            return
        start = len(self._program)
        operation, values, children = self._operation(node, mask, is_folded=is_folded)
        self._program.extend((operation, 0, *values))
        for child in children:
            self._add(child, mask, is_folded=is_folded)
        self._program[start + 1] = len(self._program)  # where the node ends

    def _operation(
        self, node: Node, mask: int, *, is_folded: bool
    ) -> tuple[int, Sequence[int], Sequence[Node]]:
        match node:
            case All():
                return _ALL, (), node.children
            case Any():
                return _ANY, (), node.children
            case AtLeast():
                return _AT_LEAST, (node.count,), node.children
            case Not():
                return _NOT, (), (node.child,)
            case Near():
                sides = [
                    [self._term(term, mask, is_folded=is_folded) for term in _terms(side)]
                    for side in (node.left, node.right)
                ]
                sizes = [node.is_ordered, node.distance, *map(len, sides)]
                return _NEAR, [*sizes, *sides[0], *sides[1]], ()
            case Word() | Prefix() | Exact() | Phrase():
                return _TERM, (self._term(node, mask, is_folded=is_folded),), ()
            case _:
                raise ValueError(f"the core knows no {type(node).__name__}")

    def _term(self, term: Term, mask: int, *, is_folded: bool) -> int:
        run = pieces(term, None)
        runs: tuple[Run, ...] = (run,) * 3
        if stretches(term) != (run,):  # there is an ending behind a hyphen
            runs = (run, pieces(term, "kk"), pieces(term, "uz"))
        if is_folded:
            runs = tuple(tuple(piece._replace(is_folded=True) for piece in run) for run in runs)
        for each in runs:
            self._run(each)
        return self._terms.setdefault((label(term), mask, runs), len(self._terms))


def _mask(fields: Sequence[str]) -> int:
    return sum(1 << INDEXED_FIELDS.index(field) for field in fields)


def _terms(node: Node) -> Iterator[Term]:
    return (term for term in walk(node) if isinstance(term, Word | Prefix | Exact | Phrase))


def _is_verified(node: Node) -> bool:
    if isinstance(node, InField):
        return node.field in INDEXED_FIELDS
    return isinstance(node, Word | Prefix | Exact | Phrase | Near | All | Any | Not | AtLeast)
