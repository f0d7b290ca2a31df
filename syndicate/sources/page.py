"""A web page with links to articles -> Document: by CSS selectors, by a pattern of links, or guessed.

An entry has no text: a headline, a link, and a date if there is one. What else is on the page (teasers,
counters, "read more") changes too often, or is not the article's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from syndicate.errors import ParseError
from syndicate.model import Address, Document, Entry
from syndicate.sources import outline
from syndicate.sources.blocks import Block, blocks, date, date_of, headline
from syndicate.sources.fields import Fields, left_out
from syndicate.sources.headlines import FEWEST_UNASKED, MAX_LINKS, Anchor, anchor, articles
from syndicate.sources.language_tags import language_tag
from syndicate.sources.links import fits, is_same_site
from syndicate.sources.markup import Node, ancestors, attribute, bounded, text
from syndicate.sources.sanitise import check_link, clean_line

FORMAT = "page"
_LINKS = ("href", "data-href", "data-url")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A page, and how it is read."""

    root: Node
    title: str
    url: str
    base: str  # that links are relative to
    address: Address
    now: datetime | None


def read(
    markup: str,
    url: str,
    address: Address,
    *,
    language: str | None = None,
    now: datetime | None = None,
) -> Document:
    """Return the document on a page.

    Args:
        url: where it came from.
        address: the selectors, if any.
        language: of the response, for a page that states none.
        now: when it came, for dates such as `2 hours ago`. None: not known.

    Raises:
        ParseError: no articles are found; the text says by what.
    """
    bounds = bounded(markup)
    tree = bounds.tree()
    root = tree.root
    if root is None:
        raise ParseError("an empty page: if it stays so, check the address")
    named, base = tree.css_first("title"), tree.css_first("base[href]")
    page = _Page(
        root=root,
        url=url,
        title=clean_line(named.text(), 200) if named is not None else "",
        base=(check_link(attribute(base, "href"), url) if base is not None else None) or url,
        address=address,
        now=now,
    )
    found, how = _found(page)
    fields = Fields(url=page.base)
    html = tree.css_first("html[lang]")
    kept = found[: outline.MAX_ENTRIES]
    entries = tuple(fields.kept(_entry(block, page, fields) for block in kept))
    return Document(
        format=FORMAT,
        title=fields.line(page.title),
        link=check_link(url),
        language=(language_tag(attribute(html, "lang")) if html is not None else None) or language,
        entries=entries,
        problems=(
            *how,
            *_in_vain(kept, entries, address),
            *bounds.problems,
            *left_out(len(found)),
            *fields.in_words(),
        ),
    )


def _found(page: _Page) -> tuple[list[Block], tuple[str, ...]]:
    """Return the articles on a page, and what is to be said of how they were found."""
    address = page.address
    if address.item:
        nodes = page.root.css(address.item)
        return list(_in_items(nodes, page)), _links_left_out(nodes)
    nodes = page.root.css(address.link or address.title or "a[href]")
    surplus = _links_left_out(nodes)
    anchors = [found for node in nodes[:MAX_LINKS] if (found := _anchor(node, page))]
    if address.link or address.title:
        return _blocks(_fitting(anchors, address), page, "link" if address.link else "title"), surplus
    if address.link_pattern:
        return _blocks(_fitting(anchors, address), page, "link_pattern"), surplus
    guessed = articles(anchors, page.url, are_there=address.is_page)
    count = len({each.key for each in guessed})
    if not guessed or (count < FEWEST_UNASKED and not address.is_page):
        raise ParseError(
            f"{_called(page)} on which no list of articles is to be seen: item or link_pattern can say which"
        )
    how = f"read as a web page, {count} articles guessed by their links: item or link_pattern can say which"
    return _blocks(guessed, page, "link_pattern"), surplus if address.is_page else (how, *surplus)


def _links_left_out(nodes: Sequence[Node]) -> tuple[str, ...]:
    surplus = len(nodes) - MAX_LINKS
    return (f"links after the first {MAX_LINKS:,}, left out: {surplus}",) if surplus > 0 else ()


# --------------------------------------------------------------------------- with an item selector


def _in_items(nodes: Sequence[Node], page: _Page) -> Iterator[Block]:
    """Yield the articles in the elements of `item`, each once."""
    if not nodes:
        raise ParseError(_nothing_by(page, "item"))
    seen: set[str] = set()
    for node in nodes[:MAX_LINKS]:
        link = _link_in(node, page)
        if link is not None and link.key not in seen:
            seen.add(link.key)
            yield Block(anchors=(link,), around=(node,))
    if not seen:
        raise ParseError(
            f"{_called(page)} whose {len(nodes)} items have no link to an article: correct item, or link"
        )


def _link_in(node: Node, page: _Page) -> Anchor | None:
    """Return the link of an item: of `link`, else of `title`, else of the item itself, else its first."""
    address = page.address
    if address.link:
        places = node.css(address.link)
    else:
        titles = node.css(address.title)[:1] if address.title else []
        places = [*titles, *(element for title in titles for element in ancestors(title)), node]
        places = [place for place in places if place.tag == "a"] + [
            link for place in (*titles, node) for link in place.css("a[href]")
        ]
    links = _fitting(filter(None, (_anchor(place, page) for place in places)), address)
    own = [] if address.link else [link for link in links if is_same_site(link.link, page.base)]
    return next(iter([*own, *links]), None)


# --------------------------------------------------------------------------- without


def _anchor(node: Node, page: _Page) -> Anchor | None:
    """Return an element with its link: its own, else the first in it, else of one that it is in."""
    inner = node.css_first("a[href]")
    outer = (element for element in ancestors(node) if element.tag == "a")
    for element in (node, inner, next(outer, None)):
        written = attribute(element, *_LINKS) if element is not None else ""
        if element is not None and written:
            return anchor(element, check_link(written, page.base))
    return None


def _fitting(anchors: Iterable[Anchor], address: Address) -> list[Anchor]:
    pattern = address.link_pattern
    return [each for each in anchors if pattern is None or fits(each.link, pattern)]


def _blocks(anchors: Sequence[Anchor], page: _Page, by: str) -> list[Block]:
    """Return the articles that some links lead to."""
    if not anchors:
        raise ParseError(_nothing_by(page, by))
    return blocks(anchors)


def _called(page: _Page) -> str:
    return f"a web page titled “{page.title}”" if page.title else "a web page without a title"


def _nothing_by(page: _Page, key: str) -> str:
    means = f'{key} = "{getattr(page.address, key)}"'
    return f"{_called(page)} on which {means} finds nothing: it may be another page, or look otherwise now"


# --------------------------------------------------------------------------- an entry


def _entry(block: Block, page: _Page, fields: Fields) -> Entry:
    title = _title(block, page)
    published, written = _date(block, title, page)
    return Entry(
        guid=None,
        link=block.link,
        title=fields.line(title),
        body="",
        published=published,
        published_raw=fields.raw_date(written) or None,
        is_listed=True,
    )


def _in_vain(found: Sequence[Block], entries: Sequence[Entry], address: Address) -> Iterator[str]:
    """Yield which of the selectors that an article can do without finds nothing in any."""
    around = [node for block in found for node in block.around]
    if address.title and (address.item or address.link) and not _finds(address.title, around):
        yield f'title = "{address.title}" finds nothing: each article has the text of its link as its title'
    if address.date and not any(entry.published for entry in entries):
        beside = [node for block in found for node in block.beside]
        what = "no date that can be read" if _finds(address.date, [*around, *beside]) else "nothing"
        yield f'date = "{address.date}" finds {what}: the articles have no dates'


def _finds(selector: str, nodes: Iterable[Node]) -> bool:
    return any(node.css_first(selector) is not None for node in nodes)


def _title(block: Block, page: _Page) -> str:
    selector = page.address.title
    named = (text(node.css_first(selector)) for node in block.around) if selector else iter(())
    return next(filter(None, named), "") or headline(block)


def _date(block: Block, title: str, page: _Page) -> tuple[datetime | None, str]:
    selector = page.address.date
    if not selector:
        return date(block, title, page.now)
    nodes = (*block.around, *block.beside)
    named = (date_of(found, page.now) for node in nodes for found in node.css(selector)[:3])
    dates = list(named)
    return next((each for each in dates if each[0]), dates[0] if dates else (None, ""))
