"""What a word's forms have in common, in every language that there is a way for: the door to Snowball."""

from collections.abc import Callable
from functools import cache, lru_cache
from threading import Lock

import snowballstemmer  # which hands out PyStemmer's compiled algorithms where they are installed

from syndicate.rules import english, kazakh, russian, uzbek

_LONGEST = 40  # letters; what is longer is no word, and may be meant to cost
_REMEMBERED = 1 << 16  # the words of the news are few


def stem(word: str, language: str | None) -> str:
    """Return what a word's forms have in common, for comparing only; the word itself if there is no way.

    A word in a script that the language is not written in, or of letters that it does not have, is taken for
    one of its script: a Latin word in Russian text for English, a Cyrillic one in English text for Russian
    unless its letters are Kazakh or Uzbek. So are all words if the language is not known. Kazakh and Uzbek
    words meet across their two scripts.

    Args:
        word: as `normalise` returns it.
        language: a BCP 47 tag; None if it can't be told.
    """
    return word if len(word) > _LONGEST else _remembered(word, language)


def _stem(word: str, language: str | None) -> str:
    if not word or not (word.isalpha() or _is_without_numbers(word)):
        return word
    way = _way(word, language)
    return (way(word) if way else word) or word


_remembered = lru_cache(maxsize=_REMEMBERED)(_stem)


@lru_cache(maxsize=4096)
def canonical_language(language: str | None) -> str | None:
    """Return a language of which there are few, whose stems and endings are the same as those of this one."""
    name, scripts = _written(language)
    if name is None:
        return None
    known = _scripts_by_language().get(name)
    if not scripts:
        return "x-unknown"
    if known and name not in LANGUAGES:  # all of its script are left alone
        name = _unstemmed()[known]
    if scripts == known:
        return name
    tag = {script: subtag for subtag, script in _SCRIPT_SUBTAGS.items()}
    return "-".join([name if known else "x", *sorted(tag[script] for script in scripts)])


@cache
def _unstemmed() -> dict[frozenset[str], str]:
    """Return one language for each script, or pair of scripts, whose words nothing is taken off."""
    found: dict[frozenset[str], str] = {}
    for name, scripts in sorted(_scripts_by_language().items()):
        if name not in LANGUAGES:
            found.setdefault(scripts, name)
    return found


def _is_without_numbers(word: str) -> bool:
    return not any(letter.isnumeric() for letter in word)


def _way(word: str, language: str | None) -> Callable[[str], str] | None:
    script = _script(word)
    if script != "Cyrillic":
        return _way_of(script, language)
    name, scripts = _written(language)
    if name and not scripts:
        return None
    return _way_named(_by_letters(word, name if name and script in scripts else "ru"))


@lru_cache(maxsize=4096)
def _way_of(script: str, language: str | None) -> Callable[[str], str] | None:
    """Return the way for words of a script whose letters do not tell its languages apart."""
    name, scripts = _written(language)
    if name and script in scripts:
        return _way_named(name)
    if name and not scripts:
        return None  # a language that we know nothing of, not even what words of others would look like
    return _way_named("en") if script == "Latin" else None


def _way_named(name: str | None) -> Callable[[str], str] | None:
    return _WAYS.get(name) or _refined(name) if name else None


# Ours, whose words may be as short as they like.
_WAYS: dict[str | None, Callable[[str], str]] = {"kk": kazakh.stem, "uz": uzbek.stem}
# Snowball's, with something done about its weakest points.
_REFINED = {"en": english.stem, "ru": russian.stem}


@cache
def _refined(name: str) -> Callable[[str], str] | None:
    once = _snowball(_SNOWBALL.get(name))
    if once is None or name not in _REFINED:
        return once
    way = _REFINED[name]
    return lambda word: way(word, once) if len(word) >= _SHORTEST else word


_SNOWBALL = {
    "ar": "arabic", "bs": "serbian", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german",
    "el": "greek", "en": "english", "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque",
    "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hr": "serbian",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sh": "serbian", "sr": "serbian",
    "st": "sesotho", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
LANGUAGES = frozenset((*_SNOWBALL, "kk", "uz"))  # that have stems
_SHORTEST = 3  # letters: `EU`, `ЕС` and `ЦА` are no forms of anything


@cache
def _snowball(algorithm: str | None) -> Callable[[str], str] | None:
    if algorithm is None:
        return None
    stemmer = snowballstemmer.stemmer(algorithm)
    stemmer.maxCacheSize = 0  # there is one in front of it
    lock = Lock()  # a stemmer holds the word that it works on

    def stemmed(word: str) -> str:
        if len(word) < _SHORTEST:
            return word
        try:
            with lock:
                return str(stemmer.stemWord(word))
        except UnicodeEncodeError:  # half a surrogate pair
            return word

    return stemmed


# What languages are written in, those with a stemmer in Latin letters aside. Those without one are here so
# that their own words are left alone, and the words of others are not.
_SCRIPTS = {
    "Cyrillic": "ba be bg cv ce kv ky mk mn myv os ru sah tg tt tyv udm uk",
    "Latin Cyrillic": "bs hr kk kaa sh sr uz",
    "Greek": "el",
    "Armenian": "hy",
    "Hebrew": "he yi",
    "Arabic": "ar fa ps ug ur",
    "Devanagari": "hi mr ne",
    "Tamil": "ta",
    "other": "am bn dz gu ja ka km kn ko lo ml my or pa si te th ti yue zh",
    "Latin": "af az cy eu gl is ku lb lv ms mt sk sl sq sw tk tl vi",
}
_UNDETERMINED = ("", "und", "mul", "zxx")
_SCRIPT_SUBTAGS = {"cyrl": "Cyrillic", "latn": "Latin", "arab": "Arabic"}


@cache
def _scripts_by_language() -> dict[str, frozenset[str]]:
    latin = dict.fromkeys(_SNOWBALL, frozenset({"Latin"}))
    return latin | {
        name: frozenset(scripts.split()) for scripts, names in _SCRIPTS.items() for name in names.split()
    }


@lru_cache(maxsize=1024)
def _written(language: str | None) -> tuple[str | None, frozenset[str]]:
    """Return a language's primary subtag and its scripts; none of these if it is not known here."""
    name, *subtags = (language or "").lower().replace("_", "-").split("-")
    named = frozenset(_SCRIPT_SUBTAGS[subtag] for subtag in subtags if subtag in _SCRIPT_SUBTAGS)
    known = _scripts_by_language().get(name, frozenset())
    scripts = (named & known) or known or named
    return (None if name in _UNDETERMINED else name), scripts


# The last letter of each script's blocks, as far as the languages above need them.
_BLOCKS = (
    ("\u024f", "Latin"), ("\u036f", "other"), ("\u03ff", "Greek"), ("\u052f", "Cyrillic"),
    ("\u058f", "Armenian"), ("\u05ff", "Hebrew"), ("\u07ff", "Arabic"), ("\u08ff", "other"),
    ("\u097f", "Devanagari"), ("\u0b7f", "other"), ("\u0bff", "Tamil"), ("\u1dff", "other"),
    ("\u1eff", "Latin"), ("\u1fff", "Greek"),
)  # fmt: skip


def _script(word: str) -> str:
    if word.isascii():
        return "Latin"
    return next((script for last, script in _BLOCKS if word[0] <= last), "other")


def _by_letters(word: str, language: str) -> str | None:
    """Return the language that a Cyrillic word is to be stemmed in, by letters that others do not have."""
    if language not in ("ru", "kk", "uz"):
        return language
    letters = set(word)
    if letters & set("їєґ"):
        return None
    for name, telling, shared in (("kk", "әңөұүһі", ""), ("uz", "ўҳ", ""), ("kk", "қғ", "uz")):
        if letters & set(telling):
            return language if language == shared else name
    return language
