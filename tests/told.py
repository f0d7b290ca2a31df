"""The labelled pairs of tests/data/stories: which texts tell one story, and which only look like it."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

STORIES = Path(__file__).resolve().parent / "data" / "stories"
LANGUAGES = ("en", "kk", "ru")


class Part(StrEnum):
    """What a pair has been used for. All pairs of one topic are of one part."""

    CHOSEN = "chosen on"  # the thresholds were chosen on these
    SEEN = "seen"  # what was missed of these was looked at, and thresholds were relaxed
    LAST = "last"  # written after that, and measured only


class Text(NamedTuple):
    """A news text as an outlet publishes it."""

    name: str
    title: str
    body: str
    language: str


class Pair(NamedTuple):
    """Two texts, whether they tell one story, and of which kind the pair is."""

    one: Text
    other: Text
    is_same: bool
    kind: str

    @property
    def part(self) -> Part:
        """Return what the pair has been used for."""
        return _part(self.one)


@cache
def texts(language: str) -> Mapping[str, Text]:
    """Return the texts of a language by name."""
    found: dict[str, Text] = {}
    for file in _files(language):
        for name, table in file["texts"].items():
            if name in found:
                raise ValueError(f"There are two texts {name!r} in {language}")
            found[name] = _text(name, table, found, language)
    return found


@cache
def pairs(language: str) -> Sequence[Pair]:
    """Return the labelled pairs of a language."""
    known = texts(language)
    return [
        Pair(known[one], known[other], label == "same", kind)
        for file in _files(language)
        for label in ("same", "different")
        for kind, names in file[label].items()
        for one, other in (pair.split() for pair in names)
    ]


def strangers(language: str) -> Iterator[tuple[Text, Text]]:
    """Yield all pairs of texts that have nothing to do with one another."""
    known = list(texts(language).values())
    return (
        (one, other)
        for number, one in enumerate(known)
        for other in known[:number]
        if _topic(one) != _topic(other) and not _are_labelled(one, other)
    )


def _are_labelled(one: Text, other: Text) -> bool:
    return any({pair.one, pair.other} == {one, other} for pair in _by_text(one.language).get(one, ()))


@cache
def _by_text(language: str) -> Mapping[Text, list[Pair]]:
    found: dict[Text, list[Pair]] = {}
    for pair in pairs(language):
        found.setdefault(pair.one, []).append(pair)
        found.setdefault(pair.other, []).append(pair)
    return found


def _topic(text: Text) -> str:
    return text.name.rpartition("-")[0]


@cache
def _topics(language: str) -> Sequence[str]:
    return list(dict.fromkeys(map(_topic, texts(language).values())))


def _part(text: Text) -> Part:
    if text.name in _file(f"{text.language}-last")["texts"]:
        return Part.LAST
    if text.name in _file(f"{text.language}-more")["texts"]:
        return Part.SEEN
    return (Part.CHOSEN, Part.SEEN)[_topics(text.language).index(_topic(text)) % 2]


def _files(language: str) -> Iterator[Any]:
    return (_file(name) for name in (language, f"{language}-more", f"{language}-last"))


@cache
def _file(name: str) -> Any:
    return tomllib.loads((STORIES / f"{name}.toml").read_text(encoding="utf-8"))


# --------------------------------------------------------------------------- texts made of others


def _text(name: str, table: Mapping[str, object], known: Mapping[str, Text], language: str) -> Text:
    """Return a text as its table gives it; README.md in the folder says what each key does."""
    given = dict(table)
    original = known.get(str(given.pop("of", "")))
    title = str(given.pop("title", original.title if original else ""))
    body = str(given.pop("body", original.body if original else "")).strip()
    for change, value in given.items():
        body = _CHANGES[change](body, value)
    if not title or not body or (original and (title, body) == (original.title, original.body) and given):
        raise ValueError(f"{language}.toml: [texts.{name}] is empty, or does not differ from its original")
    return Text(name, title, body, language)


def _keep(body: str, paragraphs: object) -> str:
    return "\n".join(body.split("\n")[: int(str(paragraphs))])


def _replace(body: str, pairs: object) -> str:
    for old, new in pairs if isinstance(pairs, list) else ():
        if old not in body:
            raise ValueError(f"{old!r} is not in {body!r}")
        body = body.replace(old, new)
    return body


_CHANGES = {
    "keep": _keep,
    "replace": _replace,
    "cut": lambda body, parts: _replace(body, [(part, "") for part in parts]),
    "before": lambda body, words: f"{words} {body}",
    "top": lambda body, paragraphs: f"{paragraphs.strip()}\n{body}",
    "after": lambda body, paragraphs: f"{body}\n{paragraphs.strip()}",
}
