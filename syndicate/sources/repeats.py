"""What the pages of a host have in common besides articles: menus, teasers of other news, notices. Pure.

See docs/decisions/0016-what-pages-repeat.md.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil

from syndicate.model import Block, Page

OTHERS_WITH_LINK = 2  # other pages that have a line which is a link, for it to be none of the article's
OTHERS = 3  # the same for any other line
SHARE = 1 / 3  # and of all other pages
SAME = 0.7  # of the longer of two pages, for them to have the same article
_WORDS = re.compile(r"\w+")


def blocks_of(lines: Sequence[str], links: Iterable[int]) -> tuple[Block, ...]:
    """Return the lines of a page as they are compared, each once; those without words are left out."""
    linked = set(links)
    blocks: dict[str, Block] = {}
    for place, line in enumerate(lines):
        if digest := _hash(line):
            block = Block(hash=digest, length=len(line), is_link=place in linked)
            blocks.setdefault(digest, block)
    return tuple(blocks.values())


def words_of(line: str) -> str:
    """Return what is compared of a line: its words and numbers."""
    return " ".join(_WORDS.findall(line.casefold()))


def repeated(page: Page, pages: Sequence[Page]) -> frozenset[str]:
    """Return the hashes of the lines of a page that are none of its article, as other pages have them too.

    A page under another address that has the same article is no other page; of several that have one article
    between them, one counts.
    """
    others = _different([each for each in pages if each.key != page.key and not _are_same(each, page)])
    counts = Counter(block.hash for other in others for block in other.blocks)
    enough = max(OTHERS, ceil(len(others) * SHARE))
    return frozenset(
        block.hash
        for block in page.blocks
        if counts[block.hash] >= (min(OTHERS_WITH_LINK, enough) if block.is_link else enough)
    )


def without(lines: Sequence[str], hashes: frozenset[str]) -> list[int]:
    """Return the places of the lines that have none of these hashes."""
    return [place for place, line in enumerate(lines) if _hash(line) not in hashes]


def _hash(line: str) -> str:
    words = words_of(line)
    return hashlib.sha256(words.encode(errors="surrogatepass")).hexdigest()[:16] if words else ""


def _different(pages: Sequence[Page]) -> list[Page]:
    found: list[Page] = []
    for page in sorted(pages, key=lambda page: page.key):
        if not any(_are_same(page, other) for other in found):
            found.append(page)
    return found


def _are_same(page: Page, other: Page) -> bool:
    """Return whether two pages have the same article: most of what is no link in the longer of them."""
    mine, others = _own(page), _own(other)
    shared = sum(length for digest, length in mine.items() if digest in others)
    return shared > 0 and shared >= SAME * max(sum(mine.values()), sum(others.values()))


def _own(page: Page) -> dict[str, int]:
    return {block.hash: block.length for block in page.blocks if not block.is_link}
