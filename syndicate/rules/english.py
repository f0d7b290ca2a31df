"""English: what Snowball leaves of a word, with both spellings made one, and a few words told apart."""

import re
from collections.abc import Callable

# Words that Snowball leaves something wrong of, by what is to be left.
_EXCEPTIONS = {
    "buses": "bus", "gases": "gas", "children": "child", "men": "man", "women": "woman",
    "crises": "crisi", "analyses": "analysi", "polite": "polite",
    "spokesmen": "spokesman", "spokeswomen": "spokeswoman", "businessmen": "businessman",
    "congressmen": "congressman", "statesmen": "statesman", "chairmen": "chairman",
    "important": "importan", "importance": "importan", "importantly": "importan",  # not about imports
    "centre": "center", "centres": "center", "theatre": "theater", "theatres": "theater",
    "metre": "meter", "metres": "meter", "litre": "liter", "litres": "liter",
    "programme": "program", "programmes": "program",
}  # fmt: skip
_SPELLINGS = (
    (re.compile("(?<=[a-z]{2})is$"), "iz"),  # organise, organisation
    (re.compile("(?<=[a-z]{2}l)ys$"), "yz"),  # analyse
    (re.compile("(?<=[a-z]{3})our$"), "or"),  # labour
    (re.compile("(?<=[a-z]{3})enc$"), "ens"),  # defence, licence
)
_BRITISH = ("is", "ys", "our", "enc")


def stem(word: str, once: Callable[[str], str]) -> str:
    """Return what the forms of a word have in common; `once` is Snowball's way."""
    if word in _EXCEPTIONS:
        return _EXCEPTIONS[word]
    rest = once(word)
    if rest.endswith(_BRITISH):
        for british, american in _SPELLINGS:
            rest = british.sub(american, rest)
    return rest
