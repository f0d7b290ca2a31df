"""What a page says of one article: the element that is about it, its headline, its date. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from syndicate.sources.dates import attribute_date, spoken_date
from syndicate.sources.headlines import Anchor
from syndicate.sources.links import path_date, slug_title
from syndicate.sources.markup import Node, ancestors, attribute, rough_text, text

_MAX_CLIMB = 12
_MAX_BESIDE = 6  # texts and lines among them
_SHORT = 15  # characters; a headline is longer, `Read more` is not
_LONG = 25  # surely a headline
_HEADINGS = "h1, h2, h3, h4, h5, h6"
_HEADING_TAGS = frozenset(_HEADINGS.split(", "))
_TITLED = '[class*="title" i], [class*="headline" i], [class*="heading" i], [itemprop="headline"]'
_BLOCKS = "div, p, section, article, ul, ol, li, table, figure, figcaption, h1, h2, h3, h4, h5, h6"
_MACHINE_DATES = (
    *(
        "datetime",
        "data-datetime",
        "data-date",
        "data-time",
        "data-published",
        "data-timestamp",
        "data-utime",
    ),
    *("data-created", "content"),
)
_DATED = ", ".join(f"[{name}]" for name in _MACHINE_DATES if name != "content")
_DATED = f'time, {_DATED}, [itemprop="datePublished"]'
_DATE_NAMED = '[class*="date" i], [class*="time" i], [class*="publish" i]'
_LEAVES = "span, small, p, div, li, em, i, b, strong, td, dd, a, font"
_MAX_DATED = 10
_MAX_LEAVES = 40
_MAX_DATE = 40  # characters of an element that is a date and nothing else

Dated = tuple[datetime | None, str]  # as parsed, and as written


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An article on a page."""

    anchors: tuple[Anchor, ...]  # links to it
    around: tuple[Node, ...]  # elements about it
    beside: tuple[Node, ...] = ()  # what stands next to those, and may belong to them

    @property
    def link(self) -> str:
        """Return its address."""
        return self.anchors[0].link


def blocks(anchors: Sequence[Anchor]) -> list[Block]:
    """Return the articles that links lead to, in their order.

    What is about one are the largest elements with links to it and to no other. In a list without an element
    for each article (a link, a date, a link, a date), dates stand all before or all after their links.
    """
    keys_in: defaultdict[int, set[str]] = defaultdict(set)
    groups: dict[str, list[Anchor]] = {}
    for each in anchors:
        groups.setdefault(each.key, []).append(each)
        for element in (each.node, *islice(ancestors(each.node), _MAX_CLIMB)):
            keys_in[element.mem_id].add(each.key)
    around = {key: tuple(_largest(each.node, keys_in) for each in group) for key, group in groups.items()}
    first = next(iter(around.values()), ())
    is_before = any(_first(_beside(node, keys_in, is_before=True), None)[0] for node in first)
    return [
        Block(
            anchors=tuple(group),
            around=around[key],
            beside=tuple(
                element for node in around[key] for element in _beside(node, keys_in, is_before=is_before)
            ),
        )
        for key, group in groups.items()
    ]


def _beside(node: Node, keys_in: Mapping[int, set[str]], *, is_before: bool) -> list[Node]:
    """Return a few elements before or after one, up to the next article."""
    found: list[Node] = []
    sibling = node.prev if is_before else node.next
    for _ in range(_MAX_BESIDE):
        if sibling is None or sibling.mem_id in keys_in or sibling.tag == "hr":
            break
        found += [sibling] if sibling.tag not in ("br", "-text") else []
        sibling = sibling.prev if is_before else sibling.next
    return found


def _largest(node: Node, keys_in: Mapping[int, set[str]]) -> Node:
    block = node
    for element in islice(ancestors(node), _MAX_CLIMB):
        if len(keys_in[element.mem_id]) != 1:
            break
        block = element
    return block


# --------------------------------------------------------------------------- headlines


def headline(block: Block) -> str:
    """Return an article's headline: a heading that is a link, else the text of a link if it is long enough,
    else a heading beside one; words of the address where there is nothing else.
    """
    nodes = [each.node for each in block.anchors]
    if linked := next(filter(None, map(text, _headings(nodes))), ""):
        return linked
    of_link = _of_links(nodes)
    if len(of_link) >= _LONG:
        return of_link
    others = (text(node.css_first(which)) for node in block.around for which in (_HEADINGS, _TITLED))
    return next(filter(None, others), "") or of_link or slug_title(block.link)


def _headings(nodes: Sequence[Node]) -> Iterator[Node]:
    """Yield the headings in links, and those that links are in."""
    for node in nodes:
        yield from node.css(_HEADINGS)[:1]
        yield from (element for element in islice(ancestors(node), 3) if element.tag in _HEADING_TAGS)


def _of_links(nodes: Sequence[Node]) -> str:
    """Return the longest text of a link; of one that has paragraphs, the first that is no date."""
    titles = [_of_link(node) for node in nodes]
    titles += [attribute(node, "title", "aria-label") for node in nodes]
    pictures = [picture for node in nodes for picture in node.css("img[alt]")[:1]]
    titles += [attribute(picture, "alt") for picture in pictures]
    long = [title for title in titles if len(title) >= _SHORT]
    return long[0] if long else max(titles, key=len, default="")


def _of_link(node: Node) -> str:
    leaves = [
        element for element in node.css(_BLOCKS) if element is not node and not element.css(_BLOCKS)[1:]
    ]
    texts = [title for leaf in leaves[:10] if len(title := text(leaf)) >= _SHORT and not _is_date(title)]
    return texts[0] if texts else text(node)


def _is_date(title: str) -> bool:
    return len(title) < 2 * _SHORT and spoken_date(title) is not None


# --------------------------------------------------------------------------- dates


def date(block: Block, title: str, now: datetime | None) -> Dated:
    """Return when an article was published: as said for machines, else for people, else in its address."""
    for nodes in (block.around, block.beside):
        dates = (read(node, title, now) for node in nodes for read in (_marked, _named, _anywhere))
        if found := next((each for each in dates if each[0]), None):
            return found
    day = path_date(block.link)
    return (day, f"{day:%Y-%m-%d}") if day else (None, "")


def date_of(node: Node, now: datetime | None) -> Dated:
    """Return the date in an element: in an attribute, else in its text."""
    for name in _MACHINE_DATES:
        written = attribute(node, name)
        if written and (moment := attribute_date(written, now)):
            return moment, written
    inner = node.css_first(_DATED)
    if inner is not None and inner.mem_id != node.mem_id:
        moment, written = date_of(inner, now)
        if moment:
            return moment, written
    written = text(node)
    return spoken_date(written, now), written


def _marked(block: Node, _title: str, now: datetime | None) -> Dated:
    return _first(block.css(_DATED), now)


def _named(block: Node, _title: str, now: datetime | None) -> Dated:
    return _first(block.css(_DATE_NAMED), now)


def _first(nodes: Sequence[Node], now: datetime | None) -> Dated:
    dates = (date_of(node, now) for node in nodes[:_MAX_DATED])
    return next((found for found in dates if found[0]), (None, ""))


def _anywhere(block: Node, title: str, now: datetime | None) -> Dated:
    """Return the date that is all that an element of a block says, or all that it says but its headline.

    A date in a sentence is that of something else.
    """
    leaves = (
        rough_text(leaf)
        for leaf in block.css(_LEAVES)[:_MAX_LEAVES]
        if leaf.child is None or not leaf.css("*")[1:]
    )
    rest = rough_text(block).replace(title, " ") if title else ""
    for written in (*leaves, rest):
        if len(written) <= _MAX_DATE and (moment := spoken_date(written, now)):
            return moment, written.strip()
    return None, ""
