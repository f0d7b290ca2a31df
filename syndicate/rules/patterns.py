"""Regular expressions, all by RE2, whose time grows with the text alone: the door to google-re2."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def _whole(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)


def regex_spans(regex: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield where a regular expression matches something, in code points."""
    return (match.span() for match in compiled(regex).finditer(_whole(text)) if match.end() > match.start())


def regex_problem(regex: str) -> tuple[int, str] | None:
    """Return where a regular expression goes wrong (code points) and how, None if it does not."""
    try:
        if compiled(regex).search("") is None:
            return None
    except ValueError as error:
        return _regex_place(regex, str(error))
    return 0, "this regular expression matches the empty text too, so it would hold everywhere"


@lru_cache(maxsize=1 << 12)
def compiled(regex: str) -> Any:
    """Return a regular expression as RE2 runs it: in time that grows with the text alone, whatever it says.

    Raises:
        ValueError: it is none; the text says why, as `reason: the part that is wrong`.
    """
    import re2  # noqa: PLC0415  a tenth of a second that most installations do not need

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(_whole(regex), options)
    except re2.error as error:
        reason = error.args[0]
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else reason) from error


def _regex_place(regex: str, reason: str) -> tuple[int, str]:
    said, _, part = reason.partition(": ")
    if said == "missing )":
        return _unclosed(regex), "this ( is never closed"
    place = max(regex.find(part), 0) if part else 0
    if part.startswith("(?"):
        return place, f"RE2, which never takes long, has no {part}"
    if re.fullmatch(r"\\[1-9]", part):
        return place, f"RE2, which never takes long, has no back-references like {part}"
    return place, f"{said}: {part}" if part else said


def _unclosed(regex: str) -> int:
    """Return where the innermost parenthesis that stays open stands, so far as can be told unparsed."""
    still_open: list[int] = []
    for sign in re.finditer(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()]", regex, re.DOTALL):
        if sign[0] == "(":
            still_open.append(sign.start())
        elif sign[0] == ")" and still_open:
            still_open.pop()
    return still_open[-1] if still_open else 0


# --------------------------------------------------------------------------- many at once

_SET_BYTES = 256 << 20  # what a set may need at most; most of it is never taken


class PatternSet:
    """Many regular expressions, looked for in one pass over a text.

    Args:
        regexes: each is sound by itself.
        most_bytes: what RE2 may take for all of them; where that is too little, all of them are found.
    """

    def __init__(self, regexes: Sequence[str], most_bytes: int = _SET_BYTES) -> None:
        self._regexes = tuple(regexes)
        self._set = _compiled_set(self._regexes, most_bytes) if self._regexes else None

    def __bool__(self) -> bool:
        return bool(self._regexes)

    def found_in(self, texts: Iterable[str]) -> set[str]:
        """Return those that match in some of the texts, perhaps with others besides; none is missed."""
        found: set[int] = set()
        for text in filter(None, texts):
            here = set(self._set.Match(_whole(text)) if self._set else ())
            if len(self._regexes) not in here:  # the one that is always found: RE2 ran out of memory
                return set(self._regexes)
            found |= here
        return {self._regexes[number] for number in found if number < len(self._regexes)}


def _compiled_set(regexes: Sequence[str], most_bytes: int) -> Any:
    """Return the set as RE2 has it, None if that would take more than it may."""
    import re2  # noqa: PLC0415  as above

    options = re2.Options()
    options.log_errors = False
    options.max_mem = most_bytes
    found = re2.Set.SearchSet(options)
    for regex in (*map(_whole, regexes), ""):  # the last one is always found
        found.Add(regex)
    try:
        found.Compile()
    except re2.error:
        return None
    return found
