"""The documentation as data: its blocks, tables, headings and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support import ROOT

README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = (README, ROOT / "CHANGELOG.md", ROOT / "tools/README.md", *sorted(DOCS.rglob("*.md")))

_FENCE = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_TARGET = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Lines between fences."""

    page: Path
    line: int  # of its opening fence
    kind: str  # what stands behind that, such as `toml`
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def name(self) -> str:
        """The comment in its first line, which names the file that it is."""
        return self.text.partition("\n")[0].lstrip("#/ ")


def blocks(*kinds: str) -> list[Block]:
    """Return the blocks of these kinds, on all pages."""
    return [block for page in PAGES for block in blocks_of(page) if block.kind in kinds]


def blocks_of(page: Path) -> list[Block]:
    """Return all blocks of a page."""
    text = page.read_text()
    return [
        Block(page=page, line=text.count("\n", 0, at.start()) + 1, kind=at["kind"], text=at["text"])
        for at in _FENCE.finditer(text)
    ]


def block_named(name: str) -> Block:
    """Return the one block whose first line names this file."""
    (found,) = (block for page in PAGES for block in blocks_of(page) if block.name.split(" ")[0] == name)
    return found


def prose(page: Path) -> str:
    """Return a page without its blocks."""
    return _FENCE.sub("", page.read_text())


def spans(page: Path) -> Iterator[str]:
    """Yield what stands between backticks in the prose, each on one line."""
    for found in _SPAN.finditer(prose(page)):
        yield " ".join(found[1].split())


def headings(page: Path) -> list[str]:
    """Return the headings of a page."""
    return [found[2] for found in _HEADING.finditer(prose(page))]


def section(page: Path, heading: str) -> str:
    """Return what stands below a heading, up to the next of its level or above."""
    text = page.read_text()
    outside = _FENCE.sub(lambda fence: re.sub(r"[^\n]", " ", fence[0]), text)  # a comment is no heading
    (start,) = (found for found in _HEADING.finditer(outside) if found[2] == heading)
    end = next(
        (found for found in _HEADING.finditer(outside, start.end()) if len(found[1]) <= len(start[1])), None
    )
    return text[start.end() : end.start() if end else None]


def tables(text: str) -> list[tuple[tuple[str, ...], list[list[str]]]]:
    """Return the tables of a text: the head of each, and its rows."""
    found: list[tuple[tuple[str, ...], list[list[str]]]] = []
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not line.startswith("|") or line.startswith("|--"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if _is_head(lines, number):
            found.append((tuple(cells), []))
        else:
            found[-1][1].append(cells)
    return found


def rows(text: str) -> list[list[str]]:
    """Return the rows of all tables in a text, without their heads."""
    return [row for _, rows_of_one in tables(text) for row in rows_of_one]


def _is_head(lines: list[str], number: int) -> bool:
    return number + 1 < len(lines) and lines[number + 1].startswith("|--")


def codes(cell: str) -> list[str]:
    """Return what a cell has between backticks."""
    return _SPAN.findall(cell)


def links(page: Path) -> Iterator[str]:
    """Yield where the links and images of a page lead."""
    for found in _TARGET.finditer(prose(page)):
        yield found[1] or found[2]


def anchors(page: Path) -> set[str]:
    """Return what a link may name behind `#`, made from headings as GitHub makes it."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(page)}
