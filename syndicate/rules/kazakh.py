"""Kazakh, in Cyrillic letters and in the Latin ones of 2018 and 2021, compared in Cyrillic letters."""

import re

from syndicate.rules.kazakh_words import BEFORE_PARTICIPLE, KEPT, OPEN, RESTORED, SHORT
from syndicate.rules.turkic import Ending, Grammar, joined, merged, without_endings


def stem(word: str) -> str:
    """Return what the forms of a word have in common; the same for both scripts."""
    rest = without_endings(canonical(word), GRAMMAR).replace("і", "и")
    return rest[:-1] if rest.endswith("ист") and len(rest) > _SHORTEST_IST else rest


def canonical(word: str) -> str:
    """Return a word in the letters it is compared in: sounds, so that both scripts and loans meet."""
    cyrillic = word if word[0] >= "Ѐ" else _cyrillic(word)
    return cyrillic.translate(_SOUNDS).replace("йе", "е")


_SHORTEST_IST = 5  # letters; журналист and журналистер, which is what -лист-тер became
_SOUNDS = str.maketrans(
    {"я": "йа", "ю": "йу", "э": "е", "ц": "тс", "щ": "ш", "һ": "х", "ъ": "", "ь": "", "'": ""}
)

_LATIN = dict(zip("abdefghijklmnopqrstvwzcx", "абдефгхіжклмнопқрствузтк", strict=True))
_LETTERS_2021 = str.maketrans(
    {**_LATIN, **dict(zip("ıyuūüäöğñŋşç", "ыйуұүәөғңңшч", strict=True)), "\u0307": ""}
)
_LETTERS_2018 = str.maketrans({**_LATIN, **dict(zip("yuýúáóǵńı", "ыұуүәөғңи", strict=True))})
_ONLY_2018 = re.compile("[áǵńóúý]|[bdfghjklmnpqrstvz]y|[aeio]ı|ı[aeiouı]|ıy(?![aeiouı])")
_ONLY_2021 = re.compile("[äğñŋöūüşç]|[aeiou]y")


def _cyrillic(word: str) -> str:
    """Return a Latin word in Cyrillic letters: `y`, `ı` and `u` changed their meaning in 2021."""
    spelled = word.replace("sh", "ş").replace("ch", "ç")
    if _ONLY_2018.search(word) and not _ONLY_2021.search(word):
        glides = re.sub("(?<=[aeiouyáóúýı])ı|^ı(?=[aeiouáóúý])", "й", spelled)
        return glides.replace("ş", "ш").replace("ç", "ч").translate(_LETTERS_2018)
    return spelled.translate(_LETTERS_2021)


# Letters by what they ask of the ending behind them.
_VOWELS = "аәеоөұүыіу" + "и"
_OPEN = "аәеоөыіи"  # у and и are glides as well
_VOICELESS = "пткқсшчфхбвгд"
_HISSING = "зж"
_NASAL = "мнң"
_LIQUID = "рлйуи"

_BACK, _FRONT, _EITHER = "аоұыуи", "әеіөүуи", ""
_HARMONY = {
    _BACK: str.maketrans("АЫҒҚ", "аығқ"),
    _FRONT: str.maketrans("АЫҒҚ", "еігк"),
}

# Capitals stand for the letters that follow the vowels of the word: А а/е, Ы ы/і, Ғ ғ/г, Қ қ/к.
_Rows = dict[str, str | tuple[str, ...]]


def _table(rows: _Rows, shortest: int = 3) -> dict[str, Ending]:
    found: dict[str, Ending] = {}
    for template, after in rows.items():
        for vowels, letters in _HARMONY.items():
            ending = template.translate(letters)
            harmony = vowels if ending != template else _EITHER
            found[ending] = Ending(after=tuple(after), vowels=harmony, shortest=shortest)
    return found


# Behind other vowels than а and е an н or с is nearly always the word's own: жұмыс-ы, шығын-ы, миллион-ы.
_OWNABLE = ("а", "е", "шы", "ші", "зды", "зді", "нды", "нді", "мды", "мді", *OPEN.split())
_ADJECTIVES = ("ғы", "гі", "қы", "кі", "лды", "лді", "рды", "рді", "ты", "ті", "лы", "лі")

_PLURAL = _table({
    "лАр": _OPEN + "рйу",
    "дАр": "л" + _HISSING + _NASAL,
    "тАр": _VOICELESS,
})  # fmt: skip
_OWNED = _table({  # by a third person
    "Ы": _VOICELESS + _HISSING + _NASAL + _LIQUID + "ғ",
    "сЫ": _OWNABLE,
})  # fmt: skip
_OURS = _table({
    "мЫз": _OPEN,
    "ЫмЫз": _VOICELESS + _HISSING + _NASAL + _LIQUID + "ғ",
    "ңЫз": _OPEN,
    "ЫңЫз": _VOICELESS + _HISSING + _NASAL + _LIQUID + "ғ",
})  # fmt: skip
_CASE = _table({
    "нЫң": _OPEN + _NASAL,
    "дЫң": _HISSING + _LIQUID,
    "тЫң": _VOICELESS,
    "ҒА": _OPEN + _HISSING + _NASAL + _LIQUID,
    "ҚА": _VOICELESS,
    "нЫ": _OWNABLE + _ADJECTIVES,
    "дЫ": _HISSING + _NASAL + _LIQUID,
    "тЫ": _VOICELESS,
    "дА": _OPEN + _HISSING + _NASAL + _LIQUID,
    "тА": _VOICELESS,
    "дАн": _OPEN + _HISSING + _LIQUID,
    "нАн": _NASAL,
    "тАн": _VOICELESS,
    "мен": _OPEN + _NASAL + _LIQUID,
    "бен": _HISSING,
    "пен": _VOICELESS,
    "дАҒЫ": _OPEN + _HISSING + _NASAL + _LIQUID,
    "тАҒЫ": _VOICELESS,
    "нЫкі": _OPEN + _NASAL,
    "дікі": _HISSING + _LIQUID,
    "тікі": _VOICELESS,
})  # fmt: skip
_RELATIVE = {letters: place for letters, place in _CASE.items() if letters.endswith(("ғы", "гі"))}
_CASE_OF_OWNED = _table(
    dict.fromkeys(("нЫң", "нА", "н", "ндА", "нАн", "мен", "ндАҒЫ"), "ыі")
)  # fmt: skip
_DEGREE = _table({
    "рАҚ": _OPEN,
    "ЫрАҚ": "пкқсшзжмнңрл",
}, shortest=4)  # fmt: skip
_PERSON = _table({
    "мЫн": "аәеорл",
    "бЫн": _HISSING + _NASAL,
    "пЫн": _VOICELESS,
    "бЫз": _HISSING + _NASAL,
    "пЫз": _VOICELESS,
}, shortest=4)  # fmt: skip

_POSSESSED = merged((_OWNED, joined(_OWNED, _CASE_OF_OWNED), _OURS, joined(_OURS, _CASE)))
_NOMINAL = merged((
    _PLURAL,
    joined(_RELATIVE, _CASE),
    joined(_PLURAL, _CASE),
    joined(_PLURAL, _POSSESSED),
    _POSSESSED,
    _CASE,
    _DEGREE,
    _PERSON,
))  # fmt: skip

_ROOT = "бвгджзйклмнңпрстуфхшқғыі"
_VOICED = _HISSING + _NASAL + _LIQUID
_NEGATIVES = {"мА": _VOICED, "бА": _HISSING + _NASAL, "пА": _VOICELESS}
_TENSES = ("дЫ", "ҒАн", "йдЫ", "йтЫн", "у")
_SHORT_TENSES: _Rows = {
    "дЫ": _VOICED,
    "тЫ": _VOICELESS,
    "ҒАн": _VOICED,
    "ҚАн": _VOICELESS,
    "ЫҒАн": _ROOT,
    "ЫдЫ": _ROOT,
    "идЫ": _ROOT,
}
# The vowel at the end of a root goes with the ending: қолда-ды and көтер-еді can't be told apart.
_LONG_TENSES: _Rows = {
    **dict.fromkeys(("АдЫ", "АйдЫ", "АҒАн", "АйтЫн", "у", "Ау", "Ып", "Ап"), _ROOT),
    **dict.fromkeys(("дЫ", "йдЫ", "ҒАн", "йтЫн"), "ае"),
    "АтЫн": tuple(BEFORE_PARTICIPLE.split()),
    **{negative + tense: after for negative, after in _NEGATIVES.items() for tense in _TENSES},
    **{vowel + "мА" + tense: _ROOT for tense in _TENSES for vowel in "АЫ"},
    "мАҚ": _VOICED,
    "бАҚ": _HISSING + _NASAL,
    "пАҚ": _VOICELESS,
}

GRAMMAR = Grammar(
    nominal=_NOMINAL,
    verbal=merged((_table(_LONG_TENSES, shortest=4), _table(_SHORT_TENSES))),
    vowels=frozenset(_VOWELS),
    unbound=("ев", "нк", "рк"),  # Тоқаевтың, банктер, as they are spoken
    kept=frozenset(KEPT.split()),
    short=frozenset(SHORT.split()),
    hardened={"б": "п", "г": "к", "ғ": "қ"},
    restored=dict(pair.split(":") for pair in RESTORED.split()),
)
