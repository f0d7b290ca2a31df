"""The passage that shows why a rule holds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.model import Hit
from syndicate.rules.evaluate import evaluate
from syndicate.rules.grammar import keyword
from syndicate.rules.language import tokens
from syndicate.rules.snippet import SNIPPET_LENGTH, snippet
from syndicate.rules.stems import stem
from syndicate.rules.text import ItemText, Subject
from syndicate.rules.tree import Any

LONG = "lorem ipsum dolor sit amet " * 40
TERMS = ["EU", "ЕС", "中亚", "Central Asia"]
PIECES = st.sampled_from((*TERMS, "Central\nAsia", "lorem ipsum", "x" * 90, "字" * 60, ". ", "—", "\n", "ё"))
TEXTS = st.lists(st.tuples(PIECES, st.sampled_from((" ", "", "  "))), max_size=40).map(
    lambda pairs: "".join(piece + glue for piece, glue in pairs)
)


def stems_of(text):
    return {stem(word.text, None) for word in tokens(text)}


STEMS = {found for term in TERMS for found in stems_of(term)}


def hits_of(terms, texts):
    phrases = tuple(phrase for term in terms if (phrase := keyword(term)))
    evidence = evaluate(Any(phrases), ItemText(Subject(**texts)))
    return evidence.hits if evidence else ()


def shown(terms, body, title=""):
    texts = {"title": title, "body": body}
    return snippet(texts, hits_of(terms, texts))


def marked(found):
    return [found.text[start:end] for start, end in found.marks]


@settings(max_examples=75, deadline=None)
@given(TEXTS, TEXTS)
def test_a_snippet_is_short_and_its_marks_point_exactly_at_the_terms(title, body):
    texts = {"title": title, "body": body}
    hits = hits_of(TERMS, texts)
    found = snippet(texts, hits)
    if not hits:
        assert_is_a_beginning(found, texts)
        return
    assert len(found.text) <= SNIPPET_LENGTH
    assert found.text.removeprefix("…").removesuffix("…") in texts[found.field].replace("\n", " ")
    assert found.marks
    end = -1
    for start, stop in found.marks:
        assert end < start < stop <= len(found.text)
        term = found.text[start:stop]  # or terms that touch each other
        assert term == term.strip()
        assert stems_of(term) <= STEMS
        end = stop


def assert_is_a_beginning(found, texts):
    """Hold that a snippet is how the body begins, or the title where there is none, without marks."""
    assert (found.field, found.marks) == ("body" if texts["body"] else "title", ())
    whole = texts[found.field].replace("\n", " ")
    assert len(found.text) <= SNIPPET_LENGTH
    if len(whole) <= SNIPPET_LENGTH:
        assert found.text == whole
    else:
        assert found.text.endswith("…")
        assert whole.startswith(found.text.removesuffix("…"))


@pytest.mark.parametrize(
    ("terms", "body", "text", "marks"),
    [
        (["EU"], "The EU adopted it.", "The EU adopted it.", ["EU"]),
        (["EU"], "EU\nEU", "EU EU", ["EU", "EU"]),
        (["central asia"], "In Central\nAsia", "In Central Asia", ["Central Asia"]),
        (["中亚", "欧盟"], "中亚欧盟", "中亚欧盟", ["中亚欧盟"]),
        (["a b", "b c"], "a b c", "a b c", ["a b c"]),
    ],
)
def test_a_short_text_is_shown_whole(terms, body, text, marks):
    found = shown(terms, body)
    assert found.text == text
    assert marked(found) == marks


def test_a_long_text_is_cut_between_words():
    found = shown(["EU"], LONG + "the EU adopted " + LONG)
    assert found.text.startswith("…")
    assert found.text.endswith("…")
    assert set(found.text.strip("…").split()) <= set(LONG.split()) | {"the", "EU", "adopted"}
    assert marked(found) == ["EU"]


def test_the_beginning_and_the_end_are_not_marked_as_cut():
    assert not shown(["EU"], "EU " + LONG).text.startswith("…")
    assert not shown(["EU"], LONG + "EU").text.endswith("…")


def test_the_passage_with_the_most_terms_is_shown():
    found = shown(["EU", "Asia"], f"EU {LONG} EU and Asia {LONG} Asia")
    assert marked(found) == ["EU", "Asia"]


def test_the_body_is_shown_rather_than_the_title():
    assert shown(["EU"], "In the EU.", "EU").field == "body"
    assert shown(["EU"], "Nothing.", "EU").field == "title"


def test_a_title_with_more_terms_is_shown():
    assert shown(["EU", "Asia"], "In the EU.", "EU and Asia").field == "title"


def test_a_text_without_spaces_is_cut_anywhere():
    found = shown(["中亚"], "字" * 500 + "中亚" + "字" * 500)
    assert len(found.text) <= SNIPPET_LENGTH
    assert marked(found) == ["中亚"]


def test_a_term_longer_than_a_snippet_is_shown_as_far_as_it_goes():
    term = Hit(term="x", field="body", start=10, end=700)
    found = snippet({"body": "y" * 800}, [term])
    assert len(found.text) <= SNIPPET_LENGTH


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ({"title": "Title", "body": "Body"}, "body"),
        ({"title": "Title", "body": ""}, "title"),
        ({"title": LONG, "body": ""}, "title"),
        ({"title": "Title", "body": LONG}, "body"),
        ({"title": "", "body": "字" * 500}, "body"),
        ({"title": "", "body": ""}, "title"),
    ],
)
def test_where_only_a_source_or_a_language_was_asked_for_the_beginning_is_shown(texts, field):
    labelled = [
        Hit(term="wire", field="source", start=0, end=4),
        Hit(term="ru", field="lang", start=0, end=2),
    ]
    found = snippet({**texts, "source": "wire", "lang": "ru"}, labelled)
    assert found.field == field
    assert_is_a_beginning(found, texts)


def test_labels_beside_words_are_not_shown():
    labelled = Hit(term="wire", field="source", start=0, end=4)
    hit = Hit(term="EU", field="body", start=4, end=6)
    found = snippet({"title": "", "body": "the EU", "source": "wire"}, [hit, labelled])
    assert (found.field, marked(found)) == ("body", ["EU"])


def test_what_is_found_in_other_fields_is_shown_there():
    hit = Hit(term="EU", field="category", start=6, end=8)
    found = snippet({"title": "t", "body": "b", "category": "Trade\nEU"}, [hit])
    assert (found.text, found.field, marked(found)) == ("Trade EU", "category", ["EU"])
