"""Words: where they begin and end, what they are compared as, and in which language."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.rules.language import TokenText, language_of, normalise, tokens

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


def test_a_phrase_occurs_where_its_words_follow_one_another():
    text = TokenText({"title": "EU strategy", "body": "the EU, strategy; EU EU strategy EU"})
    assert text.occurrences("body", ("eu", "strategy")) == [1, 4]
    assert text.occurrences("title", ("eu", "strategy")) == [0]
    assert text.occurrences("body", ("strategy", "eu", "eu")) == [2]
    assert text.occurrences("body", ("eu", "eu", "strategy", "eu", "eu")) == []
    assert text.occurrences("body", ("nowhere",)) == []


def test_a_text_knows_its_words():
    text = TokenText({"title": "EU", "body": "eu and ЕС"})
    assert text.vocabulary() == {"eu", "and", "ес"}
    assert text.joined("body") == "eu and ес"
    assert TokenText({}).vocabulary() == set()


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
        (None, None, "ru", ENGLISH, None),
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
        (None, None, None, "Өкмөт жаңы мыйзам кабыл алды", "ky"),
        (None, None, None, "Тоҷикистон ва Ӯзбекистон", "tg"),
        (None, None, None, "Україна і ЄС", "uk"),
        (None, None, None, "Беларусь і Еўропа", "be"),
        (None, None, None, "Ўзбекистон ва Қозоғистон", "uz"),
        (None, None, None, "საქართველო", "ka"),
        (None, None, None, ENGLISH, None),
        (None, None, None, "12345 !", None),
    ],
)
def test_the_language_of_an_item(configured, entry, document, text, expected):
    assert language_of(configured, entry, document, text) == expected


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=30))
def test_any_text_has_a_language_or_none(text):
    assert language_of(None, None, None, text) is None or text
