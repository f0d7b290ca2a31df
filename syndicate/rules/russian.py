"""Russian: what Snowball leaves of a word, made one for forms that it takes for different words.

Snowball takes off one ending, also where there is none: `Казахстан` loses its н like a short participle,
`Казахстане` only its е. Taken off again and again, until nothing is left to take, they meet.
"""

import re
from collections.abc import Callable

# The vowel that only the bare form has (рынок, рынка), by what is left of it where no rule tells.
_BARE = {
    "ветер": "ветр", "день": "дн", "зерен": "зерн", "камень": "камн", "корень": "корн", "парень": "парн",
    "перечень": "перечн", "уголь": "угл", "уровень": "уровн",
    **dict.fromkeys(["дня", "дню", "днем", "дни", "дней", "дням", "днями", "днях"], "дн"), "денег": "деньг",
    # without "после", which is nearly always the adverb
    **dict.fromkeys(["посла", "послу", "послом", "послы", "послов", "послам", "послами", "послах"], "посол"),
    "китай": "кита", "китая": "кита", "китаю": "кита", "китаем": "кита", "китае": "кита",
}  # fmt: skip
# Stems of which something else would be left: виза, кит, армия, степь, сто.
_WHOLE = frozenset({"визит", "кита", "армен", "степен", "состав", "портал", "посол"})
# Токаев, Алиев, Мирзиёев are no genitives, as случаев, сценариев and музеев are.
_SURNAME = re.compile("[аие]ев$")
_GENITIVE = re.compile(
    "(случа|урожа|трамва|сара|обыча|попуга|кра|[аео]ри|музе|лице|евре|трофе|юбиле|корифе)ев$"
)
_FLEETING = re.compile("(?<=[бвгджзйклмнпрстфхцчшщ])[ое](?=[кц]$)")
_SHORTEST = 2  # letters of a stem
_SHORTEST_FLEETING = 4  # of a stem with a vowel that may flee


def stem(word: str, once: Callable[[str], str]) -> str:
    """Return what the forms of a word have in common; `once` is Snowball's way."""
    rest = word if _is_whole(word) else once(_BARE.get(word, word))
    if rest.endswith(("анин", "янин")):  # гражданин, граждане
        rest = rest[:-2]
    while not _is_whole(rest):
        shorter = once(rest)
        if shorter == rest or len(shorter) < _SHORTEST:
            break
        rest = shorter
    return _FLEETING.sub("", rest) if len(rest) >= _SHORTEST_FLEETING else rest


def _is_whole(rest: str) -> bool:
    """Say whether nothing may be taken off any more: Токаев is no ток."""
    return rest in _WHOLE or (bool(_SURNAME.search(rest)) and not _GENITIVE.search(rest))
