"""Uzbek, in both its scripts, compared in Latin letters of one sound each: ö for o', ğ for g', ş, ç."""

import re

from syndicate.rules.turkic import Ending, Grammar, joined, merged, without_endings
from syndicate.rules.uzbek_words import KEPT, OPEN, RESTORED, SHORT


def stem(word: str) -> str:
    """Return what the forms of a word have in common; the same for both scripts."""
    return without_endings(canonical(word), GRAMMAR)


def canonical(word: str) -> str:
    """Return a word in the letters it is compared in."""
    if word[0] >= "Ѐ":
        latin = _TS.sub("ts", _YE.sub("ye", word)).translate(_FROM_CYRILLIC)
    else:
        latin = word
        for letters, letter in _DIGRAPHS:
            latin = latin.replace(letters, letter)
    # ё has become е before it comes here, so yo and ye have to meet as well.
    return _Y.sub("ye", _IOTATED.sub("e", latin))


_DIGRAPHS = (("o'", "ö"), ("g'", "ğ"), ("sh", "ş"), ("ch", "ç"), ("'", ""), ("õ", "ö"), ("\u0307", ""))
_FROM_CYRILLIC = str.maketrans({
    **dict(zip("абвгдежзийклмнопрстуфхцчшщыэўқғҳ", "abvgdejziyklmnoprstufxsçşşieöqğh", strict=True)),
    "ю": "yu", "я": "ya", "ъ": "", "ь": "",
})  # fmt: skip
_YE = re.compile("^е")
_TS = re.compile("(?<=[аеёиоуўэюя])ц")  # elsewhere ц is s: санкция, sanksiya
_IOTATED = re.compile("(?<!^)y[eo]")
_Y = re.compile("^y[eo]")

_VOWELS = "aeiouö"
_CONSONANTS = "bdfghjklmnpqrstvxyzğşç"
_ALL = _VOWELS + _CONSONANTS


def _table(rows: dict[str, str | tuple[str, ...]], shortest: int = 3) -> dict[str, Ending]:
    return {
        ending: Ending(after=tuple(after), vowels="", shortest=shortest) for ending, after in rows.items()
    }


_OTHERS = _ALL.replace("k", "").replace("q", "")
_PLURAL = _table({"lar": _ALL})
_OWNED = _table({
    "i": _CONSONANTS,
    # Behind i and u an s is nearly always the word's own: majlis, rais, virus.
    "si": (*"aeoö", "çi", *OPEN.split()),
    "miz": _VOWELS,
    "imiz": _CONSONANTS,
    "ngiz": _VOWELS,
    "ingiz": _CONSONANTS,
})  # fmt: skip
_CASE = _table({
    "ning": _ALL,
    # Behind o and u an n is nearly always the word's own: qonun, jahon.
    "ni": (*"aei", *_CONSONANTS, *OPEN.split()),
    "ga": _OTHERS,
    "ka": "k",
    "qa": "qğ",
    "gaça": _OTHERS,
    "kaça": "k",
    "qaça": "qğ",
    "da": _ALL,
    "dan": _ALL,
    "dagi": _ALL,
    "niki": _ALL,
})  # fmt: skip
_RELATIVE = {"dagi": _CASE["dagi"]}
_OTHER = _table({"roq": _ALL, "dir": _ALL, "dek": _ALL}, shortest=4)

_POSSESSED = merged((_OWNED, joined(_OWNED, _CASE)))
_NOMINAL = merged((
    _PLURAL,
    joined(_RELATIVE, _CASE),
    joined(_PLURAL, _CASE),
    joined(_PLURAL, _POSSESSED),
    _POSSESSED,
    _CASE,
    _OTHER,
))  # fmt: skip

# The vowel at the end of a root goes with the ending: boshla-di and kuchaytir-adi can't be told apart.
_FINITE = (
    "gan", "adi", "di", "idi", "aydi", "iydi", "agan", "igan", "aetgan", "etgan", "aepti", "yapti", "ayapti",
    "moqda", "amoqda", "madi", "maydi", "magan", "amadi", "amaydi", "amagan", "imadi", "imaydi", "imagan",
)  # fmt: skip
_INFINITE = ("iş", "aş", "moq", "amoq", "ib", "ab", "maslik", "amaslik")

GRAMMAR = Grammar(
    nominal=_NOMINAL,
    verbal=merged((
        _table(dict.fromkeys(_FINITE, _CONSONANTS)),
        _table({"kan": "k", "qan": "q"}),
        _table(dict.fromkeys(_INFINITE, _CONSONANTS), shortest=4),
    )),
    vowels=frozenset(_VOWELS),
    unbound=(),
    kept=frozenset(KEPT.split()),
    short=frozenset(SHORT.split()),
    hardened={"g": "k", "ğ": "q"},
    restored=dict(pair.split(":") for pair in RESTORED.split()),
)  # fmt: skip
