"""An item as rules see it: its fields, their words, and where these stand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.rules.text import FieldText, ItemText, Subject
from syndicate.rules.tree import INDEXED_FIELDS, MAX_DISTANCE, Exact, Phrase, Prefix, Word
from syndicate.rules.words import Form, Piece, pieces
from tests.rule_strategies import SUBJECTS


def run(term, *, is_folded=False):
    return tuple(piece._replace(is_folded=is_folded) for piece in pieces(term, None))


def field(*values, language="en"):
    return ItemText(Subject(categories=values, language=language)).fields["category"]


def places(found, term, **how):
    return [
        found.text[found.words[first].start : found.words[last].end]
        for first, last in found.spans(run(term, **how))
    ]


@pytest.mark.parametrize(
    ("term", "texts"),
    [
        (Word("strategies"), ["strategy", "Strategy"]),
        (Prefix("strat"), ["strategy", "Strategy", "strategic"]),
        (Exact("Strategy"), ["Strategy"]),
        (Phrase((Word("EU"), Word("strategy"))), ["EU strategy", "EU, Strategy"]),
        (Phrase((Word("EU"), Prefix("strat"))), ["EU strategy", "EU, Strategy"]),
        (Phrase((Word("EU"), Word("EU"))), ["EU EU", "EU EU"]),
        (Phrase((Word("strategic"), Word("EU"), Word("EU"), Word("EU"))), ["strategic EU EU EU"]),
        (Phrase((Word("EU"),) * 4), []),
        (Word("nowhere"), []),
    ],
)
def test_words_that_follow_one_another_are_found_wherever_they_do(term, texts):
    assert places(field("EU strategy and EU, Strategy; a strategic EU EU EU"), term) == texts


def test_no_run_stands_nowhere():
    assert field("EU").spans(()) == []
    assert field().spans(run(Word("EU"))) == []


def test_diacritics_make_a_difference_unless_they_are_folded():
    found = field("Élan ELAN élan")
    assert places(found, Word("elan")) == ["ELAN"]
    assert places(found, Word("elan"), is_folded=True) == ["Élan", "ELAN", "élan"]
    assert places(found, Exact("Elan"), is_folded=True) == ["Élan"]
    assert places(found, Prefix("él"), is_folded=True) == ["Élan", "ELAN", "élan"]


def test_two_values_are_too_far_apart_for_anything_that_spans():
    found = field("a b", "", "—", "b c")
    assert found.text == "a b\n\n—\nb c"
    assert [found.text[word.start : word.end] for word in found.words] == ["a", "b", "b", "c"]
    assert found.positions[2] - found.positions[1] > MAX_DISTANCE
    assert places(found, Phrase((Word("b"), Word("b")))) == []
    assert places(found, Phrase((Word("b"), Word("c")))) == ["b c"]


def test_endings_behind_hyphens_take_no_place():
    assert places(field("ЕО-ның x", language="kk"), Phrase((Word("ЕО"), Word("x")))) == ["ЕО-ның x"]
    assert places(field("ЕО-ның x", language="ru"), Phrase((Word("ЕО"), Word("x")))) == []


def test_a_regular_expression_is_no_word():
    with pytest.raises(ValueError, match="no word"):
        field("EU").starts(Piece(Form.PATTERN, "EU"))


def test_a_link_has_words_without_stems():
    text = ItemText(Subject(link="https://kun.uz/news", title="news", language="en"))
    assert [word.text for word in text.fields["link"].words] == ["https", "kun", "uz", "news"]
    assert text.fields["link"].starts(Piece(Form.STEM, "news")) == [3]
    assert text.fields["link"].starts(Piece(Form.STEM, "new")) == []


def test_texts_are_what_offsets_count_in():
    subject = Subject(
        title="T", body="B", author="A", categories=("x", "y"), link="l", source="s", language="ru"
    )
    assert ItemText(subject).texts == {
        "title": "T",
        "body": "B",
        "author": "A",
        "category": "x\ny",
        "link": "l",
        "source": "s",
        "lang": "ru",
    }
    assert ItemText(Subject()).texts["lang"] == ""


def test_an_index_sees_words_but_not_those_of_links_and_regular_expressions_everywhere():
    text = ItemText(Subject(body="EU", link="https://un.org/"))
    assert text.has(run(Word("EU")))
    assert not text.has(run(Word("un")))
    assert text.has((Piece(Form.PATTERN, r"un\.org"),))
    assert not text.has((Piece(Form.PATTERN, r"kun"),))


@settings(max_examples=60, deadline=None)
@given(SUBJECTS, st.data())
def test_what_stands_in_a_text_is_found_in_every_form(subject, data):
    text = ItemText(subject)
    found = text.fields[data.draw(st.sampled_from(INDEXED_FIELDS))]
    if not found.words:
        return
    first = data.draw(st.integers(0, len(found.words) - 1))
    word = found.words[first]
    surface = found.text[word.start : word.end]
    for term in (Word(surface), Exact(surface), Prefix(word.text), Prefix(word.text[:1])):
        for is_folded in (False, True):
            (piece,) = (each._replace(is_folded=is_folded) for each in pieces(term, subject.language))
            assert first in found.starts(piece), (term, is_folded)
            assert (first, first) in found.spans((piece,))


@settings(max_examples=60, deadline=None)
@given(SUBJECTS, st.sampled_from(list(Form)[:3]), st.booleans(), st.integers(1, 3))
def test_spans_are_those_that_trying_every_place_gives(subject, form, is_folded, length):
    found = ItemText(subject).fields["body"]
    keys = found.keys(form, is_folded=is_folded)
    for first in range(len(found.words) - length + 1):
        asked = tuple(
            Piece(form, word.text, cased, is_folded)
            for word, cased in zip(
                found.words[first : first + length], cased_words(found)[first : first + length], strict=True
            )
        )
        expected = [
            (place, place + length - 1)
            for place in range(len(keys) - length + 1)
            if found.positions[place + length - 1] - found.positions[place] == length - 1
            if all(
                keys[place + n].startswith(keys[first + n])
                if form is Form.PREFIX
                else keys[place + n] == keys[first + n]
                for n in range(length)
            )
        ]
        assert found.spans(asked) == expected


def cased_words(found: FieldText) -> list[str]:
    return [key.partition("\n")[0] for key in found.keys(Form.EXACT, is_folded=False)]
