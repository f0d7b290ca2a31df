"""Stems: the forms of a word meet, different words do not, in every script; and nothing breaks them."""

from itertools import combinations, product

import pytest
import snowballstemmer
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.stems import figures, lines
from syndicate.rules import stems
from syndicate.rules import words as rule_words
from syndicate.rules.language import normalise, tokens
from syndicate.rules.stems import LANGUAGES, canonical_language, stem
from syndicate.rules.words import words
from tests.support import ROOT

DATA = ROOT / "tests" / "data"

LISTS = ("kk-cyrl", "kk-latn", "uz-latn", "uz-cyrl")
PRECISION, RECALL, APART = 0.97, 0.95, 0.97
HELD_OUT = {"tuned": False, "held out": True}


def all_lines(name):
    return [line for held_out in (False, True) for line in lines(name, held_out=held_out)]


@pytest.mark.parametrize("name", LISTS)
def test_the_lists_are_long_enough(name):
    families = all_lines(name)
    assert sum(len(forms) for _, *forms in families) >= 300
    assert [words for words in families if len(set(words)) < len(words)] == []
    pairs = all_lines(f"{name}-different")
    assert len({frozenset(pair) for pair in pairs}) == len(pairs) >= 150


@pytest.mark.parametrize("part", HELD_OUT)
@pytest.mark.parametrize("name", LISTS)
def test_forms_meet_and_lemmas_do_not_nor_do_other_words(name, part):
    found = figures(name, held_out=HELD_OUT[part])
    assert found.precision >= PRECISION
    assert found.recall >= RECALL
    assert found.apart is not None
    assert found.apart >= APART


def test_the_figures_are_those_of_every_pair():
    """`benchmarks/stems.py` shows them to people; here they are counted one by one."""
    families = [[stem(normalise(form), "kk") for form in line] for line in lines("kk-latn", held_out=True)]
    same, met = 0, 0
    for (lemma, one), (other_lemma, other) in combinations(
        [(number, form) for number, family in enumerate(families) for form in family], 2
    ):
        same += lemma == other_lemma
        met += lemma == other_lemma and one == other
    assert same > met > 0
    assert figures("kk-latn", held_out=True).recall == met / same


def test_the_official_letters_of_kazakh_meet_the_cyrillic_ones():
    families = all_lines("kk-latn-2021")
    met = [stem(form, "kk") == stem(lemma, "kk") for lemma, *forms in families for form in forms]
    assert sum(met) / len(met) >= RECALL


def test_forms_of_russian_names_and_nouns_meet():
    families = all_lines("ru")
    assert [words for words in families if len({stem(normalise(word), "ru") for word in words}) > 1] == []
    assert len({stem(normalise(words[0]), "ru") for words in families}) == len(families)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("organisation", "organizations"),
        ("labour", "labor"),
        ("defence", "defenses"),
        ("analyse", "analyzed"),
    ],
)
def test_both_spellings_of_english_meet(one, other):
    assert stem(one, "en") == stem(other, "en")


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("kk", "Орталық Азия", "Орталық Азиядағы"),
        ("kk", "Орталық Азия", "Орталық Азияның"),
        ("kk", "Орталық Азия", "Орталық Азияға"),
        ("kk", "Еуропалық Одақ", "Еуропалық Одағының"),
        ("kk", "стратегия", "стратегиясының"),
        ("kk", "мектеп қазақ", "мектебі қазағы"),
        ("kk", "Азия журналист банк", "Азиядағыдан журналистер банктердің"),
        ("uz", "Osiyo", "Osiyodagidan"),
        ("kk", "халық ел", "халқына еліміздің"),
        ("kk", "Orta Aziya", "Orta Aziyada"),
        ("kk", "Қазақстан", "Qazaqstannyń"),
        ("kk", "Еуропа министрлігі", "Europağa ministrliktiñ"),
        ("kk-Cyrl", "sanction", "sanctions"),
        ("ru", "Центральная Азия", "Центральной Азии"),
        ("ru", "sanction", "sanctions"),
        ("ru", "Қазақстан", "Қазақстанның"),
        ("ru-KZ", "санкция", "санкциями"),
        ("en", "sanction", "sanctions"),
        ("en", "стратегия", "стратегии"),
        ("en", "Өзбекстан", "Өзбекстанда"),
        ("en", "Ўзбекистон", "Ўзбекистонда"),
        (None, "strategy", "strategies"),
        (None, "Азия", "Азией"),
        ("fr", "l’Union européenne", "d’Union européennes"),
        ("de", "Sanktion", "Sanktionen"),
        ("sr", "санкције", "sankcije"),
        ("nb-NO", "sanksjon", "sanksjoner"),
        ("uk", "sanction", "sanctions"),
        ("uz", "O'zbekiston", "O'zbekistonda"),
        ("uz", "O‘zbekiston", "Oʻzbekistonning"),
        ("uz", "Toshkent", "Toshkentdan"),
        ("uz", "Ўзбекистон", "Ўзбекистонда"),
        ("uz", "Yevropa Ittifoqi", "Yevropa Ittifoqining"),
        ("uz", "Европа Иттифоқи", "Yevropa Ittifoqiga"),
        ("uz", "санкция ёрдам дарё", "sanksiyalar yordami daryosi"),
        ("uz-Cyrl-UZ", "sanction", "sanctions"),
    ],
)
def test_forms_of_a_phrase_meet_word_by_word(language, one, other):
    left, right = ([stem(token.text, language) for token in tokens(text)] for text in (one, other))
    assert left == right


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("kk", "қауіп", "қауіпсіз"),
        ("kk", "Қазақстан", "қазақстандық"),
        ("uz", "xavf", "xavfsizlik"),
        ("ru", "Казахстан", "казахстанский"),
        ("en", "Asia", "Asian"),
        ("az", "ölkə", "ölkələr"),  # no stems: as they stand
        ("uk", "місто", "міста"),
        ("en", "місто", "міста"),
        ("tlh", "batlh", "batlhs"),
        ("en", "2030", "2030s"),
        ("en", "important", "import"),
        ("ru", "Армения", "армия"),
    ],
)
def test_words_that_stay_apart(language, one, other):
    assert stem(normalise(one), language) != stem(normalise(other), language)


@pytest.mark.parametrize(
    ("languages", "words"),
    [
        (["en", "ru", "fr", "de", "tr", "uk", None], ["eu", "un", "g7", "2030"]),
        (["en", "ru", "fr", "de", "tr", "uk", None], ["ес", "ца", "сша", "оон", "г7"]),
        (["en", "ru", None], ["uae", "usa", "nato"]),
        (["kk", "ru", "en", None], ["бұұ", "шыұ"]),
        (["kk"], ["ақш", "тмд", "нато", "опек", "ес", "сша", "2030"]),
        (["uz"], ["bmt", "mdh", "yei", "nato", "g7", "2030"]),
    ],
)
def test_abbreviations_and_numbers_survive(languages, words):
    for language in languages:
        assert [stem(word, language) for word in words] == words


LETTERS = "aeiosntlrdgkymuöşç'ıäğұқғңіәөүаеоыиунсштлрдгкйбпяюцьэ́ў0\u0307"
WORDS = st.text(alphabet=LETTERS, max_size=24) | st.text(max_size=50)


@settings(max_examples=150, deadline=None)
@given(WORDS, st.sampled_from([*LANGUAGES, "uk", "ka", "zh", "tlh", "", "kk-Latn", "uz-Cyrl", "-", None]))
def test_any_text_in_any_language_has_a_stem(text, language):
    word = normalise(text)
    found = stem(word, language)
    assert bool(found) == bool(word)
    assert stem(word, language) == found
    assert found == (word if len(word) > 40 else stems._stem(word, language))  # not what was left over


def test_what_is_no_word_is_not_remembered():
    """Or an outlet could fill the memory with it."""
    long = ["é" * 10_000 + str(number) for number in range(50)]
    for remembered, look in (
        (stems._remembered, lambda word: stem(word, "fr")),
        (rule_words._remembered, rule_words.fold),
    ):
        before = remembered.cache_info().currsize
        assert len({look(word) for word in long}) == len(long)
        assert remembered.cache_info().currsize == before
    assert stem(long[0], "fr") == long[0]
    assert rule_words.fold(long[0]) == "e" * 10_000 + "0"


SUBTAGS = ["Latn", "cyrl", "ARAB", "Hant", "KZ", "419", "x", "latn-cyrl", "1994", ""]
NAMES = [*sorted(LANGUAGES), "uk", "az", "sr", "zh", "tlh", "und", "mul", "x", "i", "", "KK", "Uz", "xx"]
TAGS = st.builds(
    lambda name, separator, subtags: separator.join([name, *subtags]),
    st.sampled_from(NAMES) | st.text(alphabet="abkuxz", max_size=4),
    st.sampled_from("--_"),
    st.lists(st.sampled_from(SUBTAGS), max_size=3),
)


@settings(max_examples=300, deadline=None)
@given(WORDS, TAGS | st.none())
def test_few_languages_stand_for_all_in_stems_and_endings(text, language):
    few = canonical_language(language)
    word = normalise(text)
    assert stem(word, few) == stem(word, language)
    for ending in ("ЕО-ның", "EO-nyñ", "YeI-ning", "ЕИ-нинг", text):
        assert words(ending, few) == words(ending, language)
    assert canonical_language(few) == few


def test_the_languages_that_stand_for_all_are_few_whatever_outlets_say():
    scripts = ["", "-Latn", "-Cyrl", "-Arab", "-Latn-Cyrl", "-Hans", "-Latn-KZ-x-private"]
    known = {canonical_language(name + script) for name, script in product(NAMES, scripts)}
    made_up = {
        canonical_language(f"{one}{other}{script}") for one, other, script in product("qvw", "jqxyz", scripts)
    }
    assert len(known) < 4 * len(NAMES)
    assert made_up == {"x-unknown", "x-arab", "x-cyrl", "x-latn", "x-cyrl-latn"}


@settings(max_examples=150, deadline=None)
@given(WORDS, st.sampled_from(["kk", "uz", "en", "ru", "uk", None]))
def test_a_stem_is_no_longer_than_its_word(text, language):
    word = normalise(text)
    spelled_out = sum(word.count(letter) for letter in "яюц") + word.startswith("е")  # two letters each
    assert len(stem(word, language)) <= len(word) + spelled_out


@pytest.mark.parametrize("name", LISTS)
def test_nearly_all_stems_are_their_own(name):
    language = name.partition("-")[0]
    all_stems = [stem(normalise(form), language) for line in all_lines(name) for form in line]
    # Not all: in a stem, letters stand for others that some spelling has in their place.
    assert sum(stem(found, language) == found for found in all_stems) / len(all_stems) >= 0.95


@pytest.mark.parametrize("algorithm", ["english", "russian", "french", "turkish"])
def test_both_forms_of_snowball_agree(algorithm):
    compiled = pytest.importorskip("Stemmer").Stemmer(algorithm)
    module = __import__(f"snowballstemmer.{algorithm}_stemmer", fromlist=["*"])
    pure = getattr(module, f"{algorithm.title()}Stemmer")()
    words = {word.text for name in ("english", "russian") for word in tokens(article(name))}
    assert [pure.stemWord(word) for word in sorted(words)] == compiled.stemWords(sorted(words))
    assert snowballstemmer.stemmer(algorithm).stemWord("sanctions") == pure.stemWord("sanctions")


def article(name):
    return (DATA / "articles" / f"{name}.html").read_text(encoding="utf-8")
