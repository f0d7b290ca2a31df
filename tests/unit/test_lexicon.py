"""Which words of the rules a word of a text stands for, in one language."""

import tracemalloc
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.rules.language import normalise
from syndicate.rules.lexicon import ENDING, NO_WORD, WORD, Atoms, Lexicon
from syndicate.rules.text import ItemText, Subject
from syndicate.rules.tree import Exact, Phrase, Prefix, Word, walk
from syndicate.rules.words import Form, Piece, pieces
from tests.rule_strategies import LANGUAGES, cases


def atoms_of(*found):
    atoms = Atoms()
    for piece in found:
        atoms.number(piece)
    return atoms


def stood_for(lexicon, atoms, surface):
    """Return the pieces that a word of a text stands for."""
    _, *keys = lexicon.resolve(surface)
    return {piece for piece, key in zip(atoms.pieces, lexicon.key_by_atom, strict=True) if key in keys}


def test_a_piece_has_one_number():
    atoms = Atoms()
    eu, un = Piece(Form.STEM, "eu"), Piece(Form.EXACT, "un", "UN")
    assert [atoms.number(piece) for piece in (eu, un, eu)] == [0, 1, 0]
    assert (atoms.pieces, len(atoms)) == ([eu, un], 2)


@pytest.mark.parametrize(
    ("surface", "language", "kind"),
    [
        ("EU", "en", WORD),
        ("\u00ad", "en", NO_WORD),
        ("ның", "kk", ENDING),
        ("ның", "ru", WORD),
        ("НЫҢ", "kk-Cyrl", ENDING),
        ("ning", "uz", ENDING),
        ("ning", "kk", WORD),
    ],
)
def test_a_run_of_letters_is_a_word_or_an_ending_or_nothing(surface, language, kind):
    assert Lexicon(Atoms(), language).resolve(surface) == (kind,)


def test_a_word_stands_for_its_stem_its_letters_and_its_beginnings():
    found = [
        Piece(Form.STEM, "strategy"),
        Piece(Form.STEM, "strategic"),
        Piece(Form.EXACT, "strategies", "Strategies"),
        Piece(Form.EXACT, "strategies", "strategies"),
        Piece(Form.PREFIX, "s"),
        Piece(Form.PREFIX, "strat"),
        Piece(Form.PREFIX, "strategies"),
        Piece(Form.PREFIX, "strategiess"),
        Piece(Form.PREFIX, "trat"),
    ]
    atoms = atoms_of(*found)
    english, unknown = Lexicon(atoms, "en"), Lexicon(atoms, "tlh")
    assert stood_for(english, atoms, "Strategies") == {found[n] for n in (0, 2, 4, 5, 6)}
    assert stood_for(unknown, atoms, "Strategies") == {found[n] for n in (2, 4, 5, 6)}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(LANGUAGES))
def test_words_stand_for_pieces_as_a_text_compares_them(seed, language):
    """`FieldText` compares each by itself, and tells the same."""
    rules, subjects = next(iter(cases(1, seed)))
    terms = [
        node
        for rule in rules
        for node in walk(rule.query)
        if isinstance(node, Word | Prefix | Exact | Phrase)
    ]
    plain = {piece for term in terms for piece in pieces(term, None)}
    atoms = atoms_of(*plain, *(piece._replace(is_folded=True) for piece in plain))
    lexicon = Lexicon(atoms, language)
    Lexicon(atoms, "fr")  # another language does not get between
    text = f"{subjects[0].title} {subjects[0].body}"
    field = ItemText(Subject(body=text, language=language)).fields["body"]
    for index, word in enumerate(field.words):
        surface = text[word.start : word.end]
        compared = {piece for piece in atoms.pieces if index in field.starts(piece)}
        assert stood_for(lexicon, atoms, surface) == compared, surface


@pytest.mark.parametrize("is_folded", [False, True])
def test_what_is_no_word_takes_no_more_memory_than_it_is_long(is_folded):
    """An outlet may send a megabyte without a space."""
    lexicon = Lexicon(atoms_of(Piece(Form.PREFIX, "é", "", is_folded), Piece(Form.STEM, "eu")), "en")
    surface = "é" * 20_000
    lexicon.resolve(surface)
    tracemalloc.start()
    try:
        assert len(lexicon.resolve(surface)) == 2
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * len(surface)


@pytest.mark.parametrize("is_folded", [False, True])
def test_nor_does_it_take_longer_than_the_letters_themselves(is_folded):
    lexicon = Lexicon(atoms_of(Piece(Form.PREFIX, "é", "", is_folded), Piece(Form.STEM, "eu")), "en")
    surface = "é" * 100_000
    started = process_time()
    normalise(surface)
    for_letters = process_time() - started
    started = process_time()
    lexicon.resolve(surface)
    assert process_time() - started < 50 * max(for_letters, 0.001)  # else each beginning is copied
