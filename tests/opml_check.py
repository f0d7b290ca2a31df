"""What OPML 2.0 (http://opml.org/spec2.opml) asks of a list of feeds, as far as it can be checked."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

HEAD = {
    *("title", "dateCreated", "dateModified", "ownerName", "ownerEmail", "ownerId", "docs"),
    *("expansionState", "vertScrollState", "windowTop", "windowLeft", "windowBottom", "windowRight"),
}
OUTLINE = {"text", "type", "isComment", "isBreakpoint", "created", "category"}
FEED = {"xmlUrl", "description", "htmlUrl", "language", "title", "version"}
CATEGORY = re.compile(r"/?[^,/]+(?:/[^,/]+)*(?:,/?[^,/]+(?:/[^,/]+)*)*")


def mistakes(document: bytes) -> list[str]:
    """Return what is wrong with a document."""
    root = ElementTree.fromstring(document)
    return [
        *_of_document(root),
        *(wrong for outline in root.iter("outline") for wrong in _of_outline(outline)),
    ]


def _of_document(root: ElementTree.Element) -> Iterator[str]:
    if root.tag != "opml" or root.attrib != {"version": "2.0"}:
        yield f"the root is {root.tag} {root.attrib}"
    if [child.tag for child in root] != ["head", "body"]:
        yield f"in the root there are {[child.tag for child in root]}"
    yield from (f"in the head there is {child.tag}" for child in root[0] if child.tag not in HEAD)
    yield from (
        f"in the body there is {child.tag}" for child in root.iterfind("body//*") if child.tag != "outline"
    )
    if not len(root[1]):
        yield "the body is empty"


def _of_outline(outline: ElementTree.Element) -> Iterator[str]:
    names = set(outline.attrib)
    if not outline.get("text"):
        yield f"an outline without text: {outline.attrib}"
    yield from (f"an outline with {name}" for name in names - OUTLINE - FEED)
    if (outline.get("type") == "rss") != ("xmlUrl" in names):
        yield f"rss and xmlUrl go together: {outline.attrib}"
    if "xmlUrl" in names and not re.match(r"https?://\S+$", outline.attrib["xmlUrl"]):
        yield f"the address {outline.attrib['xmlUrl']!r}"
    if not CATEGORY.fullmatch(outline.get("category", "some")):
        yield f"the category {outline.get('category')!r}"
    if outline.text is not None and outline.text.strip():
        yield f"text between outlines: {outline.text!r}"
