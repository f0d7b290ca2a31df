"""Whether what was found on an article's page is the article, or worse than what the feed has. Pure.

Pages answer 200 with a notice about cookies, a stub for those who do not pay, a check for robots, the front
page, or nothing but links. Rules would match those, or no longer match what the feed said.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from syndicate.model import Entry
from syndicate.sources.links import slug_title
from syndicate.sources.notices import is_notice
from syndicate.sources.repeats import words_of

MIN_ARTICLE = 200  # characters; less is a teaser, or a notice
MIN_LEFT = 80  # characters of a short report, once what its page shares with others is gone
_LONGEST_STUB = 500
_LONGEST_NOTICE = 400  # characters of a line
_PROSE = 40  # characters of a line that is no entry of a list
_LEAST_PROSE = 0.4  # of a text
_MOST_NOTICES = 0.5
_FEWEST_WORDS = 4  # by which a subject can be told
_LEAST_COMMON = 0.3  # of what the feed says, in the article
_MOST_TOLD = 600  # characters of what the feed says
_STEM = 5  # letters in which most forms of a word agree

_WORD = re.compile(r"[^\W\d_]+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_EMPTY = """
about after again also been before could does from have into more most over says said some than that their
them then there these they this told were what when which will with would your
более будет были было быть всех если есть когда который которые между меньше может надо него ними однако
около перед после свои себя сказал также только тоже этого этом чтобы через еще
бірақ болды болып үшін деді дейін екен және кейін ғана туралы оның олар
"""
_EMPTY_WORDS = frozenset(_EMPTY.split())


def without_notices(lines: Sequence[str]) -> list[int]:
    """Return the places of the lines of an article, without the notices before and after it."""
    places = list(range(len(lines)))
    while places and _is_short_notice(lines[places[0]]):
        places.pop(0)
    while places and _is_short_notice(lines[places[-1]]):
        places.pop()
    return places


def objection(entry: Entry, lines: Sequence[str], links: Collection[int]) -> str | None:
    """Return why a text is worse than what the feed has, in words that follow `full text ...`; None if not.

    Args:
        lines: of the text.
        links: which of them are links, by their place.
    """
    lengths = [len(line) for line in lines]
    title = frozenset(words_of(entry.title).split())
    notices = sum(len(line) for line in lines if _is_short_notice(line))
    # That a page repeats the headline says little: stubs do, and have not much to say besides.
    own = [
        line for line in lines if not _is_short_notice(line) and not title.issuperset(words_of(line).split())
    ]
    if notices and (notices >= _MOST_NOTICES * sum(lengths) or sum(map(len, own)) < MIN_ARTICLE):
        return "was not found: the page has a notice instead (cookies, subscription, sign-in, robots, error)"
    prose = sum(
        length
        for place, (line, length) in enumerate(zip(lines, lengths, strict=True))
        if place not in links and _is_prose(line)
    )
    if prose < _LEAST_PROSE * sum(lengths):
        return "was not found: the page has mostly links or single words"
    is_stub = sum(map(len, own)) < _LONGEST_STUB
    if not is_about(entry, "\n".join(own if is_stub else lines)):
        return "was not taken: the page has hardly a word of the item's title and text"
    return None


def is_about(entry: Entry, text: str) -> bool:
    """Whether a text has enough of the words that the feed says; yes if it says too little to tell.

    Words are compared by how they begin, so in any of their forms. A title made of an address may be in
    another script than its article, and tells nothing.
    """
    if entry.is_listed and entry.title == slug_title(entry.link or ""):
        return True
    told = set(_stems(f"{entry.title} {entry.body[:_MOST_TOLD]}"))
    if len(told) < _FEWEST_WORDS:
        return True
    return len(told.intersection(_stems(text))) >= _LEAST_COMMON * len(told)


def _is_short_notice(line: str) -> bool:
    return len(line) <= _LONGEST_NOTICE and is_notice(line)


def _is_prose(line: str) -> bool:
    weight = 2 if _UNSPACED.search(line) else 1
    return len(line) * weight >= _PROSE


def _stems(text: str) -> Iterator[str]:
    for word in _WORD.findall(text.casefold().replace("ё", "е")):
        if _UNSPACED.search(word):
            yield from (word[place : place + 2] for place in range(len(word) - 1))
        elif len(word) >= 4 and word not in _EMPTY_WORDS:
            yield word[:_STEM]
