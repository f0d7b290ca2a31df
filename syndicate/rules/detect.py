"""In which language a text looks to be written: by its script, by letters that few have, by its small words.

Made for the first lines of an article. Where little shows, nothing is said: a wrong language has other stems,
no language those of English and Russian.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

_SAMPLE_LETTERS = 200
_SAMPLE_WORDS = 300
_SAMPLE_CHARACTERS = 4000  # which hold that many words of most languages
_BY_SCRIPT = {
    "HANGUL": "ko",
    "THAI": "th",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "GREEK": "el",
    "HEBREW": "he",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
}


def detected(text: str) -> str | None:
    """Return the language of a text, None if it can't be told."""
    match script(text):
        case "CYRILLIC":
            return _in_cyrillic(text.lower())
        case "LATIN":
            return _in_latin(text.lower())
        case "CJK":
            has_kana = any("\u3040" <= letter <= "\u30ff" for letter in text)
            return "ja" if has_kana else "zh"
        case found:
            return _BY_SCRIPT.get(found or "")


def script(text: str) -> str | None:
    """Return the script, as Unicode names begin, of most letters at the start of a text."""
    letters = filter(str.isalpha, text)
    if text.isascii():
        return "LATIN" if any(letters) else None
    sample = "".join(islice(letters, _SAMPLE_LETTERS))
    counts: dict[str, int] = {}
    for letter in dict.fromkeys(sample):
        found = _script_of(letter)
        counts[found] = counts.get(found, 0) + sample.count(letter)
    return max(counts, key=lambda found: counts[found]) if counts else None


@lru_cache(maxsize=4096)
def _script_of(letter: str) -> str:
    return unicodedata.name(letter, "?").split()[0]


# --------------------------------------------------------------------------- Cyrillic

_DOUBLED = re.compile(r"([аоуэөү])\1")  # vowels as every Kyrgyz text has, and hardly any Kazakh one
_NOT_RUSSIAN = re.compile("[ғқұһәіңөүїєґӣҷӯҳў]")
_LONG = 20  # letters, among which a Kazakh text has some that Kyrgyz lacks


def _in_cyrillic(text: str) -> str:
    if not _NOT_RUSSIAN.search(text):
        return "ru"
    # Letters that one of these languages has and the others lack, the most telling first.
    letters = set(text)
    if letters & set("ғқұһ") and letters & set("әіңөү"):
        return "kk"
    for language, telling in (("uk", "їєґ"), ("tg", "ӣҷӯҳ"), ("be", "ў"), ("kk", "әұ")):
        if letters & set(telling):
            return "uz" if language == "be" and letters & set("қғҳ") else language
    if letters & set("ңөү"):
        is_long = sum(map(str.isalpha, text[: 2 * _LONG])) > _LONG
        return "ky" if is_long or _DOUBLED.search(text) else "kk"
    return "kk" if letters & set("қғ") else "ru"


# --------------------------------------------------------------------------- Latin

_WORDS = {
    "az": "və bir bu üçün ilə da də olan edib olub görə sonra",
    "cs": "a v na se je že s z do o pro byl jsou které také jako",
    "da": "og at det er en på til af for med den har ikke der blev fra",
    "de": "der die und das den von ist mit für auf nicht des ein eine im zu dem sich",
    "en": "the of and to in is that for on with as are was by from has its will at",
    "es": "el la los las de que en por con una para del es se al su ha",
    "et": "ja on et ei see oli ka ning kui aga",
    "fi": "ja on ei se että oli ovat myös mutta kun joka",
    "fr": "le la les des et est dans pour une que qui sur du au pas en a aux",
    "hr": "i u je na se da za od su koji kako bi nije što",
    "hu": "a az és hogy nem egy van meg is volt csak mint",
    "id": "yang dan di untuk dengan ini itu dari pada tidak akan",
    "it": "il di che la per un del della una con sono dei gli nel ha alla",
    "kk": "jáne jäne men úshin üşin bul bir dep boldy boldı týraly turaly",
    "lt": "ir yra kad su apie iš buvo bei bus taip",
    "lv": "un ir par ar no uz kas tika bet gan",
    "nl": "de het een van en in is dat op te voor met zijn niet aan door",
    "no": "og i det er en på til av for med den har ikke som ble fra",
    "pl": "w i na z się do nie jest że o to od za po przez oraz dla",
    "pt": "o de que do da em para com uma os não dos das ao na no é",
    "ro": "de și în la a cu pe nu din care este o pentru mai",
    "sk": "a v na sa je že s z do o pre bol sú ktoré tiež ako",
    "sl": "in je na se da za so ki pa tudi bi pri",
    "sq": "dhe në të për me një që është nga se",
    "sv": "och att det som en på är av för med den till har ett från inte",
    "tr": "ve bir bu için ile da de olarak olan çok sonra kadar daha",
    "uz": "va bilan uchun bu bir ham edi haqida bo'yicha hamda esa",
    "vi": "và của là có trong được cho không các một",
}
_LETTERS = {
    "ß": "de", "ñ": "es", "¿": "es", "ł": "pl", "ą": "pl", "ż": "pl", "ő": "hu", "ű": "hu", "ș": "ro",
    "ț": "ro", "ă": "ro", "ř": "cs", "ů": "cs", "ě": "cs", "ľ": "sk", "ŕ": "sk", "ğ": "tr az",
    "ı": "tr az", "ə": "az", "å": "sv da no", "ø": "da no", "ã": "pt", "õ": "pt et", "ķ": "lv", "ļ": "lv",
    "ņ": "lv", "ė": "lt", "ų": "lt", "į": "lt", "ư": "vi", "ơ": "vi", "ë": "sq", "ǵ": "kk", "ń": "pl kk",
    "đ": "hr vi", "œ": "fr",
}  # fmt: skip
_LANGUAGES_BY_LETTER = {letter: tuple(languages.split()) for letter, languages in _LETTERS.items()}
_UZBEK = re.compile("[og]['ʼ]")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_PLAIN_WORD = re.compile("[a-z]+(?:'[a-z]+)*")  # the same in ASCII
_ENOUGH = 1.0  # small words of one language alone, or as many of several
_AHEAD = 1.3  # times what the next language has


def _shares() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for language, words in _WORDS.items():
        for word in words.split():
            found.setdefault(word, []).append(language)
    return {word: tuple(languages) for word, languages in found.items()}


_LANGUAGES_BY_WORD = _shares()


def _in_latin(text: str) -> str | None:
    scores: defaultdict[str, float] = defaultdict(float)
    for languages in _signs(text):
        for language in languages:
            scores[language] += 1 / len(languages)
    best = max(scores, key=lambda language: scores[language], default=None)
    others = max((score for language, score in scores.items() if language != best), default=0.0)
    is_clear = best is not None and scores[best] >= max(_ENOUGH, _AHEAD * others)
    return best if is_clear else None


def _signs(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the languages that each sign in a text speaks for."""
    is_plain = text.isascii()
    unified = text.replace("`", "'") if is_plain else text.translate(_APOSTROPHES)
    words = _first_words(unified, _PLAIN_WORD if is_plain else _WORD)
    for word in filter(_LANGUAGES_BY_WORD.__contains__, words):
        yield _LANGUAGES_BY_WORD[word]
    if not is_plain:
        beginning = set(text[:2000])
        yield from (languages for letter, languages in _LANGUAGES_BY_LETTER.items() if letter in beginning)
    if (not is_plain or "'" in unified) and _UZBEK.search(unified):
        yield ("uz",)


def _first_words(text: str, word: re.Pattern[str]) -> list[str]:
    words = word.findall(text[:_SAMPLE_CHARACTERS])
    if len(words) <= _SAMPLE_WORDS and len(text) > _SAMPLE_CHARACTERS:  # the last of these may be cut
        words = word.findall(text)
    return words[:_SAMPLE_WORDS]


_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʻ`", "'"))
