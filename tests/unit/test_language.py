"""Words: where they begin and end, what they are compared as, and in which language."""

import unicodedata
from bisect import bisect_right

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.rules.language import character_class, is_language, language_of, normalise, primary, tokens
from tests.support import ROOT

ALPHABET = "aZ'’ʻ´ʹ`ёЁеҚқіғӘһ中亚ーかกรุ́̈\u00ad\u200c -/.5½ﬁİßſΑͺ₂_"
TEXTS = st.text(alphabet=ALPHABET, max_size=30) | st.text(max_size=30)


def words(text):
    return [token.text for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" .,;:!? — «» … ", []),
        ("The EU’s new strategy", ["the", "eu", "new", "strategy"]),
        ("EU-Kazakhstan trade: +25%", ["eu", "kazakhstan", "trade", "25"]),
        ("ЕС и Центральная Азия", ["ес", "и", "центральная", "азия"]),
        ("Самолёт, САМОЛЁТ, самолет", ["самолет"] * 3),
        ("Самоле\u0308т", ["самолет"]),
        ("Қазақстан Республикасының Үкіметі", ["қазақстан", "республикасының", "үкіметі"]),
        ("O'zbekiston O‘zbekiston Oʻzbekiston O’zbekiston O`zbekiston O´zbekiston", ["o'zbekiston"] * 6),
        ("'quoted' and ‘quoted’ and rock ’n’ roll", ["quoted", "and", "quoted", "and", "rock", "n", "roll"]),
        ("Türkiye İstanbul", ["türkiye", "i̇stanbul"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("中亚与欧盟", ["中", "亚", "与", "欧", "盟"]),
        ("ＥＵ and ﬁnance", ["eu", "and", "finance"]),
        ("カザフ EU中亚 strategy", ["カ", "ザ", "フ", "eu", "中", "亚", "strategy"]),
        ("กรุง", ["ก", "รุ", "ง"]),
        ("Kazakh\u00adstan Kazakh\u200bstan", ["kazakhstan", "kazakhstan"]),
        ("می\u200cخواهم", ["میخواهم"]),
        ("C++ and a_b and 3.14", ["c", "and", "a_b", "and", "3", "14"]),
        ("😀 ๏ 。、", []),
    ],
)
def test_a_text_is_these_words(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("ЁЛКА", "елка"), ("Russia's", "RUSSIA"), ("L’Aquila", "l'aquila"), ("Ğ", "ğ"), ("ΣΑΣ", "σας")],
)
def test_spellings_are_one_word(one, other):
    assert normalise(one) == normalise(other)


@settings(max_examples=75, deadline=None)
@given(TEXTS)
def test_tokens_slice_the_original_in_order(text):
    end = 0
    for token in tokens(text):
        assert end <= token.start < token.end <= len(text)
        assert normalise(text[token.start : token.end]) == token.text
        end = token.end


@settings(max_examples=75, deadline=None)
@given(TEXTS)
def test_normalising_again_changes_nothing(text):
    for word in words(text):
        assert normalise(word) == word


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_no_token_is_empty_or_holds_what_separates(text):
    for word in words(text):
        assert word
        assert not any(letter.isspace() or letter == '"' for letter in word)


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="abёЁқҚйї '’", max_size=20))
def test_letter_case_and_composition_do_not_count(text):
    assert words(unicodedata.normalize("NFD", text)) == words(text)
    assert words(text.upper()) == words(text)


def test_a_very_long_word_is_a_word():
    (token,) = tokens("é" * 100_000)
    assert (token.start, token.end) == (0, 100_000)


@settings(max_examples=75, deadline=None)
@given(TEXTS)
def test_letters_by_their_class_make_the_same_words(text):
    """The compiled core finds words in this way, and asks for the class of each letter once."""
    assert [(word.start, word.end) for word in tokens(text)] == [
        (start, end) for start, end in words_by_class(text) if normalise(text[start:end])
    ]


def words_by_class(text):
    alone, mark, first, within, apostrophe = 1, 2, 4, 8, 16
    is_of = [character_class(letter) for letter in text] + [0]
    place = 0

    def run(place, kind):
        while is_of[place] & kind:
            place += 1
        return place

    while place < len(text):
        start = place
        if is_of[place] & alone:
            place = run(place + 1, mark)
        elif is_of[place] & first:
            place = run(place + 1, within)
            while is_of[place] & apostrophe and is_of[place + 1] & within:
                place = run(place + 1, within)
        else:
            place += 1
            continue
        yield start, place


# -- languages

ENGLISH, RUSSIAN, KAZAKH = (
    "The EU adopted a strategy",
    "Евросоюз принял стратегию",
    "Қазақстан үкіметі қабылдады",
)


@pytest.mark.parametrize(
    ("configured", "entry", "document", "text", "expected"),
    [
        ("kk", "en", "ru", ENGLISH, "kk"),
        (None, "en", "ru", RUSSIAN, "en"),
        (None, None, "ru", RUSSIAN, "ru"),
        (None, None, "en-GB", ENGLISH, "en-GB"),
        (None, None, "en", RUSSIAN, "ru"),
        (None, None, "en", KAZAKH, "kk"),
        (None, None, "ru", ENGLISH, "en"),
        (None, None, "uz-Latn", "Oʻzbekiston hukumati", "uz-Latn"),
        (None, None, "uz", "Ўзбекистон ҳукумати", "uz"),
        (None, None, "sr", "Влада Србије", "sr"),
        (None, None, "en", "", "en"),
        (None, None, "zh", "中亚与欧盟", "zh"),
        (None, None, "en", "中亚与欧盟", "zh"),
        (None, None, None, "中央アジアとＥＵの戦略", "ja"),
        (None, None, None, "日本の戦略", "ja"),
        (None, None, None, RUSSIAN, "ru"),
        (None, None, None, KAZAKH, "kk"),
        (None, None, None, "Қазақстанға", "kk"),
        (None, None, None, "Өкмөт жаңы мыйзам кабыл алды", "ky"),
        (None, None, None, "Тоҷикистон ва Ӯзбекистон", "tg"),
        (None, None, None, "Україна і ЄС", "uk"),
        (None, None, None, "Беларусь і Еўропа", "be"),
        (None, None, None, "Ўзбекистон ва Қозоғистон", "uz"),
        (None, None, None, "საქართველო", "ka"),
        (None, None, None, ENGLISH, "en"),
        (None, None, None, "ЕО-ның стратегиясы", "kk"),
        (None, None, None, "EU strategy", None),
        (None, None, None, "12345 !", None),
    ],
)
def test_the_language_of_an_item(configured, entry, document, text, expected):
    assert language_of(configured, entry, document, text) == expected


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=30))
def test_any_text_has_a_language_or_none(text):
    assert language_of(None, None, None, text) is None or text


@pytest.mark.parametrize(
    ("language", "wanted", "is_kind"),
    [
        ("en", "en", True),
        ("en-GB", "en", True),
        ("EN-gb", "en", True),
        ("zh-Hant-TW", "zh-hant", True),
        ("en", "en-GB", False),
        ("eng", "en", False),
        ("en-GB", "en-G", False),
        (None, "en", False),
        ("", "en", False),
    ],
)
def test_a_language_is_its_own_kind_and_that_of_what_it_narrows(language, wanted, is_kind):
    assert is_language(language, wanted) is is_kind


@pytest.mark.parametrize(
    ("language", "name"), [("kk", "kk"), ("KK-Cyrl-KZ", "kk"), ("kk_KZ", "kk"), ("", ""), (None, "")]
)
def test_the_primary_subtag_names_a_language(language, name):
    assert primary(language) == name


# --------------------------------------------------------------------------- UAX #29

BOUNDARY = regex.compile(r"(?V1)(?w)\b")
KINDS = " The EU's 3.5% rate, U.S. law, don't, O‘zbekiston, rock'n'roll example.com 1,000.50 a:b ЕО-ның x_y"


def corpus():
    articles = sorted((ROOT / "syndicate/demo/articles").glob("*.toml"))
    return "\n".join(path.read_text(encoding="utf-8") for path in articles) + KINDS


def test_words_are_those_of_uax_29_which_are_cut_only_at_marks_inside():
    text = corpus()
    cuts = sorted({0, len(text), *(place.start() for place in BOUNDARY.finditer(text))})
    inside: set[str] = set()
    found = tokens(text)
    assert len(found) > 5_000
    for word in found:
        segment = bisect_right(cuts, word.start) - 1
        assert word.end <= cuts[segment + 1], text[word.start : word.end]
        if (word.start, word.end) != (cuts[segment], cuts[segment + 1]):
            inside.add(text[cuts[segment] : cuts[segment + 1]])
    assert {mark for word in inside for mark in word if not mark.isalnum()} <= set(".,:;'’")
    assert {"3.5", "U.S", "example.com", "1,000.50"} <= inside  # 3 and 5 in a row, and so in rules
