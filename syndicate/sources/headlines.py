"""Which links of a page lead to articles, as far as can be told without selectors. Pure.

Articles of a site have addresses of one shape (`/news/2026/11/some-words`), and links that read like
headlines. The shape with most of such links wins; links that stand in the same elements belong to it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import parse_qsl, urlsplit

from syndicate.sources.links import is_same_site
from syndicate.sources.markup import Node, ancestors, attribute, rough_text
from syndicate.stories import canonical_link

MAX_LINKS = 5000  # of a page, that are looked at
FEWEST = 3  # articles that make a list
FEWEST_UNASKED = 5  # where nobody said that there is one
_LEVELS = 4  # elements that a link stands in, by which it is told from others
_ASIDE = frozenset({"nav", "footer", "aside"})
_LONG_SEGMENT = 16
_LONG_HEADLINE = 25
_MOST_OF_HEADLINE = 80  # characters that count
_SECTION_WEIGHT = 0.2  # of addresses that look like those of sections
_SEPARATORS = re.compile(r"[-_+.]|%20")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]{8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What addresses have in common: the kinds of a path's segments, and the names of numbers after it."""

    segments: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def is_of_article(self) -> bool:
        """Whether sections of a site hardly have it."""
        return bool(self.names) or any(segment != "w" for segment in self.segments)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anchor:
    """A link on a page."""

    node: Node
    link: str  # absolute
    key: str  # the same for all links to one article


def anchor(node: Node, link: str | None) -> Anchor | None:
    """Return an element with its link, None when that leads to no article."""
    key = canonical_link(link)
    return Anchor(node=node, link=link, key=key) if link and key else None


def articles(anchors: Sequence[Anchor], url: str, *, are_there: bool) -> list[Anchor]:
    """Return the links to articles, in the order of the page; none if there is no list of any.

    Args:
        are_there: whether somebody has said that it has articles, so that short headlines are taken for such.
    """
    own = canonical_link(url)
    inside = [each for each in anchors if each.key != own and is_same_site(each.link, url)]
    candidates = [each for each in inside if not _is_aside(each.node)]
    found = _of_best_shape(candidates, _headline_length) or _of_best_shape(inside, _headline_length)
    return found or (_of_best_shape(candidates, _length) if are_there else [])


def _is_aside(node: Node) -> bool:
    return any(element.tag in _ASIDE for element in ancestors(node))


def _of_best_shape(anchors: Sequence[Anchor], length: Callable[[Node], int]) -> list[Anchor]:
    headlines: dict[str, int] = {}  # the length of the longest text that reads like one, by link
    shapes: dict[str, Shape] = {}
    for each in anchors:
        shapes.setdefault(each.key, _shape(each.link))
        headlines[each.key] = max(headlines.get(each.key, 0), length(each.node))
    best = _best(shapes, headlines)
    if best is None:
        return []
    keys = {key for key, shape in shapes.items() if shape == best and headlines[key]}
    alike = {key for key, shape in shapes.items() if _is_alike(shape, best, is_headline=headlines[key] > 0)}
    keys |= _beside([each for each in anchors if each.key in alike], keys)
    return [each for each in anchors if each.key in keys]


def _is_alike(shape: Shape, best: Shape, *, is_headline: bool) -> bool:
    """Whether a link may lead to an article if it stands where those of the best shape stand."""
    if shape.names != best.names:
        return False
    return abs(len(shape.segments) - len(best.segments)) <= (1 if is_headline else 0)


def _best(shapes: Mapping[str, Shape], headlines: Mapping[str, int]) -> Shape | None:
    scores: defaultdict[Shape, float] = defaultdict(float)
    counts: Counter[Shape] = Counter()
    for key, shape in shapes.items():
        if headlines[key]:
            weight = 1 if shape.is_of_article else _SECTION_WEIGHT
            scores[shape] += min(headlines[key], _MOST_OF_HEADLINE) * weight
            counts[shape] += 1
    lists = [shape for shape in scores if counts[shape] >= FEWEST]
    return max(lists, key=lambda shape: scores[shape], default=None)


def _beside(anchors: Sequence[Anchor], keys: set[str]) -> set[str]:
    """Return the links in the same elements as others of which most are known."""
    by_place: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for each in anchors:
        by_place[_place(each.node)].add(each.key)
    more: set[str] = set()
    for there in by_place.values():
        known = len(there & keys)
        if known >= FEWEST and 2 * known > len(there):
            more |= there
    return more


def _place(node: Node) -> tuple[str, ...]:
    return tuple(element.tag or "" for element in islice(ancestors(node), _LEVELS))


def _shape(link: str) -> Shape:
    parts = urlsplit(link)
    names = (name for name, value in parse_qsl(parts.query)[:5] if any(map(str.isdigit, value)))
    return Shape(
        segments=tuple(_kind(segment) for segment in parts.path.split("/") if segment),
        names=tuple(sorted(names)),
    )


def _kind(segment: str) -> str:
    if segment.isdigit():
        return "0"
    return "s" if _SEPARATORS.search(segment) or len(segment) >= _LONG_SEGMENT else "w"


def _length(node: Node) -> int:
    """Return how long a link's text is if it has letters."""
    title = _rough_title(node)
    return len(title) if any(map(str.isalpha, title)) else 0


def _rough_title(node: Node) -> str:
    return rough_text(node) or attribute(node, "title", "aria-label")


def _headline_length(node: Node) -> int:
    """Return how long a link's text is if it reads like a headline, else 0."""
    title = _rough_title(node)
    is_headline = (
        len(title.split()) >= 3 or len(title) >= _LONG_HEADLINE or _IDEOGRAPHS.search(title) is not None
    )
    return _length(node) if is_headline else 0
