"""How a feed is cut into a head, that readers subscribe to, and pages of an archive (RFC 5005 4).

Each entry of a feed has a number: one more than the highest before, given when it comes into the feed, and
anew when its publisher changes it so that readers should notice. A page holds a range of numbers, and is
there from when the last of them is given. It gains nothing afterwards, and loses only what was changed, which
is then in a later document, or withdrawn. So whoever has read it need not read it again, and whoever reads
head and pages misses nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from itertools import islice

from syndicate.feeds.documents import FeedDocument
from syndicate.model import ListedEntry


def count_pages(last_number: int, limit: int) -> int:
    """Return how many pages a feed has.

    Args:
        last_number: the highest that was ever given, even if its entry is gone; 0 if none was.
        limit: of the feed: how many entries its head has, and how many numbers a page has.
    """
    return last_number // limit


def page_of(number: int, limit: int) -> int:
    """Return the page, from 1, that holds a number, or will as soon as it is full."""
    return (number - 1) // limit + 1


def numbers_of(page: int, limit: int) -> range:
    """Return the numbers that a page holds."""
    return range((page - 1) * limit + 1, page * limit + 1)


def page_name(feed: str, page: int, limit: int) -> str:
    """Return the name of a page, relative to the folder of feeds, without the extension of its format.

    Pages of another limit have other names: else a reader would miss what moved to a page that it has read.
    """
    return f"{feed}/{limit}-{page}"


def head_entries(listed: Iterable[ListedEntry], last_number: int, limit: int) -> list[ListedEntry]:
    """Return the entries of the head, in the feed's order; of two at one instant, the later item comes first.

    It has all that is on no page yet, and fills up with the first of the others in its order: so nobody
    misses an article that was old when it matched, and as many are there as the limit says.

    Args:
        listed: at least those on no page yet, and the first `limit` in the order.
    """
    paged = count_pages(last_number, limit) * limit
    ordered = sorted(listed, key=_place, reverse=True)
    room = limit - sum(each.number > paged for each in ordered)
    filling = {each.number for each in islice((each for each in ordered if each.number <= paged), room)}
    return [each for each in ordered if each.number > paged or each.number in filling]


def head_document(
    feed: FeedDocument, url_of: Callable[[int], str], last_number: int, limit: int
) -> FeedDocument:
    """Return the head of a feed with the link to the last page of its archive.

    Args:
        feed: what all documents of the feed have in common; `self_url` is the head's.
        url_of: returns the address of a page in the same format.
    """
    pages = count_pages(last_number, limit)
    return replace(feed, older_url=url_of(pages) if pages else None)


def page_document(feed: FeedDocument, url_of: Callable[[int], str], page: int, pages: int) -> FeedDocument:
    """Return what is said about one of so many pages of the archive, with the links to those around it.

    For the other arguments, see `head_document`.
    """
    return replace(
        feed,
        self_url=url_of(page),
        hubs=(),
        head_url=feed.self_url,
        older_url=url_of(page - 1) if page > 1 else None,
        newer_url=url_of(page + 1) if page < pages else None,
    )


def _place(entry: ListedEntry) -> tuple[datetime, int]:
    return entry.instant, entry.item
