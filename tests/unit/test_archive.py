"""Under which words an item is kept, and what is looked up for a rule."""

import pytest
from hypothesis import given, settings

from syndicate.model import Wanted
from syndicate.rules.anchors import anchors
from syndicate.rules.archive import GAP, MOST_WANTED, kept_words, wanted
from syndicate.rules.grammar import parse
from syndicate.rules.stems import stem
from syndicate.rules.text import ItemText, Subject
from syndicate.rules.tree import INDEXED_FIELDS, Folded
from syndicate.rules.words import Form
from tests.rule_strategies import SUBJECTS

LANGUAGES = ("en", "ru", None)


def looked_up(query, languages=LANGUAGES):
    tree = parse(query) if isinstance(query, str) else query
    return wanted(anchors(tree), languages)


def words(*found, is_beginning=False):
    return Wanted(column="words", words=found, is_beginning=is_beginning)


def stems(*found):
    return Wanted(column="stems", words=found)


def test_an_item_is_kept_by_its_words_and_stems_with_gaps_where_no_phrase_goes_on():
    subject = Subject(
        title="New EU sanctions",
        body="",
        author="J. Smith",
        categories=("Foreign Policy", "—", "Trade"),
        link="https://news.example/",
        language="en",
    )
    kept = kept_words(ItemText(subject))
    assert kept["words"].split(f" {GAP} ") == [
        "new eu sanctions", "", "j smith", "foreign policy", "trade",
    ]  # fmt: skip
    assert kept["stems"].split(f" {GAP} ") == ["new eu sanction", "", "j smith", "foreign polici", "trade"]


@pytest.mark.parametrize(
    ("body", "language", "kept"),
    [
        ("ЕО-ның стратегиясы", "kk", "ео стратегиясы"),
        ("ЕО-ның стратегиясы", "ru", "ео ның стратегиясы"),
        ("YeI-ning ning", "uz-Latn", "yei ning"),
        ("EU中亚's Ёлка", "zh", "eu 中 亚 s елка"),
        ("“ — ”", "en", ""),
    ],
)
def test_words_are_those_of_the_items_language(body, language, kept):
    assert kept_words(ItemText(Subject(body=body, language=language)))["words"].strip(f" {GAP}") == kept


@settings(max_examples=60, deadline=None)
@given(SUBJECTS)
def test_all_words_of_an_item_are_kept_in_order_and_nothing_else(subject):
    text = ItemText(subject)
    for column, form in (("words", Form.PREFIX), ("stems", Form.STEM)):
        kept = kept_words(text)[column].split()
        expected = [key for name in INDEXED_FIELDS for key in text.fields[name].keys(form, is_folded=False)]
        assert [word for word in kept if word != GAP] == expected
        assert not any('"' in word for word in kept)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("=EU", (words("eu"),)),
        ("strateg*", (words("strateg", is_beginning=True),)),
        ('="EU Strategy"', (words("eu", "strategy"),)),
        ("sanctions", (stems("sanction"),)),
        ("санкциями", (stems("санкц"),)),
        ("EU", (stems("eu"),)),
        ("=EU OR =UN", (words("eu"), words("un"))),
        ('"central asia"', (stems("central", "asia"),)),
        # Of each run the longest part that one column has, since a phrase is looked up in one.
        ('"the strateg*"', (words("strateg", is_beginning=True),)),
        ('"strategy of st*"', (stems("strategi", "of"),)),
        ('"a* b* c*"', (words("a", is_beginning=True),)),
        ('"aa* strateg* c*"', (words("strateg", is_beginning=True),)),
        # A regular expression, a link, another rule, a label can't be looked up, nor what only excludes.
        ("/x/", None),
        ("link:x", None),
        ("lang:en", None),
        ("rule:x", None),
        ("=EU OR /x/", None),
        ("=EU /x/", (words("eu"),)),
    ],
)
def test_what_is_looked_up_for_a_query(query, found):
    assert looked_up(query) == found


def test_what_is_compared_without_diacritics_cannot_be_looked_up():
    assert looked_up(Folded(parse("=Łódź"))) is None


def test_what_never_holds_looks_up_nothing():
    assert wanted((), LANGUAGES) == ()


def test_a_stem_is_looked_up_as_each_language_that_items_have_makes_it():
    languages = ("kk", "ru", "kk-Cyrl", "tlh", None)
    expected = {stems(stem("азиядағы", language)) for language in languages}
    assert set(looked_up("Азиядағы", languages) or ()) == expected
    assert len(expected) > 1
    assert looked_up("азиядағы", ()) == ()


def test_what_is_too_much_is_not_looked_up():
    many = " OR ".join(f"=w{number}" for number in range(MOST_WANTED))
    assert len(looked_up(many) or ()) == MOST_WANTED
    assert looked_up(f"{many} OR =one-more") is None
