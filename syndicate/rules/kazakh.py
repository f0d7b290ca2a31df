"""Kazakh, in Cyrillic letters and in the Latin ones of 2018 and 2021, compared in Cyrillic letters."""

import re

from syndicate.rules.kazakh_words import BEFORE_PARTICIPLE, KEPT, OPEN, RESTORED, SHORT
from syndicate.rules.turkic import Ending, Grammar, joined, merged, without_endings


def stem(word: str) -> str:
    """Return what the forms of a word have in common; the same for both scripts."""
    rest = without_endings(canonical(word), GRAMMAR)
    if len(rest) > _LONGEST_ABBREVIATION:
        rest = _DOUBLE.sub("", rest.translate(_ALIKE))
    return rest[:-1] if rest.endswith("ист") and len(rest) > _SHORTEST_IST else rest


def canonical(word: str) -> str:
    """Return a word in the letters it is compared in: sounds, so that both scripts and loans meet."""
    cyrillic = word if word[0] >= "Ѐ" else _cyrillic(word)
    return cyrillic.translate(_SOUNDS).replace("йе", "е")


# Vowels that one of the ways of writing in Latin letters has for another.
_ALIKE = str.maketrans({"і": "и", "ы": "и", "ұ": "у"})
_LONGEST_ABBREVIATION = 3  # letters, all of which count
_DOUBLE = re.compile("(?<=л)л$|(?<=с)с$|(?<=т)т$")  # металл, металдар
_SHORTEST_IST = 5  # letters; журналист and журналистер, which is what -лист-тер became
_SOUNDS = str.maketrans(
    {"я": "йа", "ю": "йу", "э": "е", "ц": "тс", "щ": "ш", "һ": "х", "ъ": "", "ь": "", "'": ""}
)

_LATIN = dict(zip("abdefghijklmnopqrstvwzcx", "абдефгхіжклмнопқрствузтк", strict=True))
_LETTERS = str.maketrans({**_LATIN, **dict(zip("ıuūüäöğñŋşç", "ыуұүәөғңңшч", strict=True)), "\u0307": ""})
_LETTERS_2018 = str.maketrans({**_LATIN, **dict(zip("yuýúáóǵńı", "ыұуүәөғңи", strict=True))})
_ONLY_2018 = re.compile("[áǵńóúý]|[bdfghjklmnpqrstvz]y|[aeio]ı|ı[aeiouı]|ıy(?![aeiouı])")
_NOT_2018 = re.compile("[äğñŋöūüşç]|[aeiou]y")
_CONSONANTS = "bcdfghjklmnpqrstvwxzğñŋşç"
_GLIDE = re.compile(f"(?<=[aeiouıäöüū])i(?=[aeoıіuäöü{_CONSONANTS}]|$)|y")
_FRONT_LATIN, _BACK_LATIN = "äöüe", "aoūuy"


def _cyrillic(word: str) -> str:
    """Return a Latin word in Cyrillic letters.

    There are three ways to write them: that of 2018 with its acutes, the official one of 2021 (ы is y, і is
    ı, и and й are i), and that of the news agencies and of other Turkic languages (ы is ı, і is i, й is y).
    """
    spelled = word.replace("sh", "ş").replace("ch", "ç")
    if _ONLY_2018.search(word) and not _NOT_2018.search(word):
        glides = re.sub("(?<=[aeiouyáóúýı])ı|^ı(?=[aeiouáóúý])", "й", spelled)
        return glides.replace("ş", "ш").replace("ç", "ч").translate(_LETTERS_2018)
    front = "".join(
        "і" if letter == "ı" and _is_front(spelled, at) else letter for at, letter in enumerate(spelled)
    )
    return _GLIDE.sub(lambda found: _glide(found, front), front).translate(_LETTERS)


def _is_front(word: str, place: int) -> bool:
    """Say whether the vowels around a ı are those that і goes with: the last one before, else the next."""
    before = [letter for letter in reversed(word[:place]) if letter in _FRONT_LATIN + _BACK_LATIN]
    after = [letter for letter in word[place + 1 :] if letter in _FRONT_LATIN + _BACK_LATIN]
    return (before or after or "a")[0] in _FRONT_LATIN


def _glide(found: re.Match[str], word: str) -> str:
    """Return what an i or y behind a vowel, or a y anywhere, stands for."""
    before, after = word[: found.start()][-1:], word[found.end() : found.end() + 1]
    if found[0] == "i" or (after and after in "aeouäöüūıі"):
        return "й"
    is_behind_vowel = before != "" and before in "aeoäöüūiıі"
    return "й" if is_behind_vowel or (before == "u" and after == "") else "ы"


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
