"""What a text is recognised by: its words, names and numbers, whatever way they are written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.near import Fingerprint, Kind, mark_of
from syndicate.rules.fingerprints import FEWEST_WORDS, fingerprint, text_key
from syndicate.rules.stems import stem
from tests.told import LANGUAGES, pairs

FILLER = " ".join(f"filler{letter * 3}" for letter in "abcdefghijklmnopqrstuvwxyzabcdefghijklmn")


def made(text: str, language: str | None = "en", title: str = "") -> Fingerprint:
    result = fingerprint(title, f"{FILLER}. {text}", language)
    assert result is not None
    return result


def has(text: Fingerprint, word: str, kind: Kind) -> bool:
    return (mark_of(word, kind) >> 2, kind) in zip(text.words, text.kinds, strict=True)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("It cost 5.8 million.", "5.8"),
        ("Цена 5,8 млн.", "5.8"),
        ("some 1,200 people", "1200"),
        ("около 1 200 человек", "1200"),
        ("около 1\u00a0200 человек", "1200"),
        ("12.345.678 Menschen", "12345678"),
        ("1’200 Franken", "1200"),
        ("at 03:14 today", "3"),
        ("the 272-kilometre line", "272"),
        ("EUR45m", "45"),
    ],
)
def test_a_number_is_the_same_however_it_is_written(text, number):
    assert has(made(text), number, Kind.NUMBER)


@pytest.mark.parametrize("year", ["1999", "2026"])
def test_a_year_tells_little(year):
    assert made(f"in {year} already").numbers == frozenset()


def test_the_numbers_of_a_title_count():
    assert has(made("nothing", title="310 people rescued"), "310", Kind.NUMBER)


def test_numbers_of_a_list_stay_apart():
    assert len(made("on 17, 18 and 19 of the month").numbers) == 3


def test_names_are_capitalised_within_a_sentence():
    text = made(
        "The minister met Karimov. Yesterday he left for Aktau. “Never” he said. – Nobody knows; Perhaps."
    )
    names = {stem(name, "en") for name in ("karimov", "aktau")}
    assert text.names == {mark_of(name, Kind.NAME) >> 2 for name in names}


def test_a_name_may_be_short_but_other_short_words_tell_nothing():
    text = made("the talks of the EU are on")
    assert has(text, "eu", Kind.NAME)
    assert not any(has(text, word, kind) for word in ("the", "of", "are", "on") for kind in Kind)


def test_headlines_have_no_names_since_some_capitalise_every_word():
    assert made("nothing", title="Minister Visits Many Villages").names == frozenset()


def test_languages_that_capitalise_nouns_have_no_names():
    assert made("der Minister traf die Bürger", "de").names == frozenset()


def test_forms_of_a_word_are_one():
    one, other = made("в Казахстане открыли завод", "ru"), made("завод открыт Казахстаном", "ru")
    assert mark_of(stem("казахстан", "ru"), Kind.NAME) >> 2 in one.distinct & other.distinct


def test_a_text_of_fewer_than_forty_words_has_no_fingerprint():
    words = FILLER.split()[:FEWEST_WORDS]
    assert fingerprint("A title of many words", " ".join(words[:-1]), "en") is None
    assert fingerprint("", " ".join(words), "en") is not None


@pytest.mark.parametrize("text", ["中" * 500, "…" * 500, "", "of an it is " * 20])
def test_texts_without_words_that_tell_anything_have_none(text):
    assert fingerprint("", text, None) is None


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=30),
    st.text(max_size=20).map(lambda text: f"{text} " * 45),
    st.sampled_from([None, "kk", "de", "x"]),
)
def test_no_text_is_too_odd(title, body, language):
    found = fingerprint(title, body, language)
    assert found is None or fingerprint(title, body, language) == found
    text_key(title, body)


def test_time_grows_with_the_text_alone():
    """A long run of what begins a pattern, and never ends it, is read once."""
    for piece in ("1 000 ", "1,", ",123", ". «", "\n", "\n«", "a'", "\u0301", "12 34"):
        fingerprint("", f"{piece * 50_000}{FILLER}", "en")


# --------------------------------------------------------------------------- equal texts


def test_short_texts_join_only_if_they_are_equal():
    short = [
        pair
        for language in LANGUAGES
        for pair in pairs(language)
        if fingerprint(pair.one.title, pair.one.body, language) is None
    ]
    keys = {pair.kind: set[bool]() for pair in short}
    for pair in short:
        one, other = (text_key(text.title, text.body) for text in (pair.one, pair.other))
        keys[pair.kind].add(one is not None and one == other)
    assert keys == {"verbatim": {True}, "short, rewritten": {False}, "short, other event": {False}}


BODY = "The tunnel will be closed for repairs from Monday until the end of May"


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Tunnel closed", BODY),
        ("TUNNEL CLOSED", f"  {BODY}."),
        ("“Tunnel closed”", BODY.replace(" ", "\n")),
        ("Tunnel closed", BODY.replace("tunnel", "tun\u00adnel")),
    ],
)
def test_case_punctuation_and_spaces_do_not_make_a_text_another(title, body):
    assert text_key(title, body) == text_key("Tunnel closed", BODY)


def test_another_title_or_word_makes_a_text_another():
    keys = {
        text_key("Tunnel closed", BODY),
        text_key("Tunnel open", BODY),
        text_key("Tunnel closed", f"{BODY} 2"),
    }
    assert len(keys) == 3


def test_a_heading_that_comes_every_day_is_no_story():
    assert text_key("Exchange rates", "Official rates of the National Bank") is None


def test_the_key_of_a_text_is_the_same_for_ever():
    assert text_key("Погода", "Ёлка " * 11) == "text:db985adf6824b290ba5813a5d5072290"
