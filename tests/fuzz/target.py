"""What is fuzzed: reading a document, whatever it is and however its address is described.

An input is two bytes, which choose the headers of the response and what the configuration says of the
address, and then the body. Anything but a clean document or a ParseError is a defect, and so is a feed that
is not read as feedparser reads it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from syndicate.errors import ParseError
from syndicate.model import Address, Document, Kind
from syndicate.sources import feed, kinds
from syndicate.sources.parse import dump, load
from tests.expected import assert_clean, assert_text

URL = "https://feeds.example/news/main.xml"
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"content-type": "text/html"},
    {"content-type": "text/xml; charset=utf-16"},
    {"content-type": "application/rss+xml; charset=windows-1251"},
    {"content-type": "application/json", "content-language": "ru, kk"},
    {"content-type": "text/xml; charset=iso-2022-jp", "date": "Fri, 27 Nov 2026 10:00:00 GMT"},
    {"content-type": "text/html; charset=shift_jis", "date": "Fri, 31 Dec 9999 23:59:59 -1200"},
)
ADDRESSES = (
    Address(url=URL),
    None,
    *(Address(url=URL, kind=kind) for kind in Kind),
    Address(url=URL, item="li, article, item", title="h2, .title", date="time, .date"),
    Address(url=URL, link="a"),
    Address(url=URL, link_pattern="/**"),
)
MAX_BODY = 256 * 1024

_DATA = Path(__file__).parent.parent / "data"
_FOLDERS = ("feeds", "hostile", "jsonfeeds", "pages", "sitemaps", "webpages")
_LARGEST_SEED = 8 * 1024
_KIND_BY_ENDING = {".html": 5, ".json": 3}  # place in ADDRESSES of those that may say more


def check(data: bytes) -> None:
    """Read an input, and see that what comes of it is as it should be.

    Raises:
        AssertionError: it is not.
    """
    headers, address = HEADERS[data[0] % len(HEADERS)], ADDRESSES[data[1] % len(ADDRESSES)]
    body = data[2:][:MAX_BODY]
    found = _outcome(lambda: kinds.parse(body, headers, URL, address))
    if isinstance(found, str):
        assert_text(found)
    else:
        assert_clean(found)
        assert load(dump(found)) == found
    mine = _outcome(lambda: feed.parse(body, headers, URL))
    assert mine == _outcome(lambda: feed.parse(body, headers, URL, by_feedparser=True))


def _outcome(read: Callable[[], Document]) -> Document | str:
    try:
        return read()
    except ParseError as error:
        return str(error)


def seeds() -> Iterator[bytes]:
    """Yield inputs to begin with: what the tests know, as a source of no kind, and pages as pages, too."""
    for folder in _FOLDERS:
        for path in sorted((_DATA / folder).iterdir()):
            if path.suffix == ".toml" or path.stat().st_size > _LARGEST_SEED:
                continue
            body = path.read_bytes()
            yield b"\0\0" + body
            if kind := _KIND_BY_ENDING.get(path.suffix):
                yield bytes((0, kind)) + body
