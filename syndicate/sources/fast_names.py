"""How feedparser names the elements of a document, by which it decides what they are.

It forgets which prefix an element has: it names it after what its namespace is known as, else after the first
prefix that was declared for that namespace, else not at all; so `<title xmlns="urn:x">` is a title.
"""

from collections.abc import Iterable
from typing import Literal

Version = Literal["rss090", "rss10", "atom10"]


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


ATOM = "http://www.w3.org/2005/atom"
XLINK = "http://www.w3.org/1999/xlink"
_USERLAND = "backend.userland.com/rss"

PREFIX_BY_NAMESPACE = {  # in lower case; those with an element that feedparser does something about
    **dict.fromkeys(
        (
            "",
            ATOM,
            "http://backend.userland.com/rss",
            "http://blogs.law.harvard.edu/tech/rss",
            "http://purl.org/rss/1.0/",
            "http://my.netscape.com/rdf/simple/0.9/",
            "http://example.com/newformat#",
            "http://example.com/necho",
            "http://purl.org/echo/",
            "uri/of/echo/namespace#",
            "http://purl.org/pie/",
            "http://purl.org/atom/ns#",
            "http://purl.org/rss/1.0/modules/rss091#",
        ),
        "",
    ),
    "http://creativecommons.org/ns#license": "cc",
    "http://web.resource.org/cc/": "cc",
    "http://cyber.law.harvard.edu/rss/creativecommonsrssmodule.html": "creativecommons",
    "http://backend.userland.com/creativecommonsrssmodule": "creativecommons",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://www.georss.org/georss": "georss",
    "http://www.opengis.net/gml": "gml",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://example.com/dtds/podcast-1.0.dtd": "itunes",
    "http://search.yahoo.com/mrss": "media",
    "http://search.yahoo.com/mrss/": "media",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://www.w3.org/xml/1998/namespace": "xml",
    "http://podlove.org/simple-chapters": "psc",
}
_PREFIXES = frozenset(PREFIX_BY_NAMESPACE.values()) - {""}
_VERSIONS: dict[tuple[bool, str], Version] = {  # by whether it is the default namespace
    (True, "http://my.netscape.com/rdf/simple/0.9/"): "rss090",
    (True, "http://purl.org/rss/1.0/"): "rss10",
    (False, "http://purl.org/rss/1.0/"): "rss10",
    (True, ATOM): "atom10",
    (False, ATOM): "atom10",
}

# Everything that feedparser has a method for.
HANDLED = words(
    """
    abstract author body category cc_license channel cloud content content_encoded contributor copyright
    created creativecommons_license dc_author dc_contributor dc_creator dc_date dc_description
    dc_language dc_publisher dc_rights dc_subject dc_title dcterms_created dcterms_issued
    dcterms_modified dcterms_valid description email enclosure entry expirationdate feed
    feedburner_browserfriendly fullitem generator geom georss_box georss_line georss_point
    georss_polygon georss_where georssgeom gml_exterior gml_linearring gml_linestring gml_point
    gml_polygon gml_pos gml_poslist guid height homepage id image info issued item itunes_author
    itunes_block itunes_category itunes_email itunes_explicit itunes_image itunes_keywords itunes_link
    itunes_name itunes_owner itunes_subtitle itunes_summary keywords language lastbuilddate link
    managingeditor media_category media_content media_credit media_description media_group
    media_keywords media_license media_player media_rating media_restriction media_thumbnail media_title
    modified name newlocation psc_chapter psc_chapters pubdate published rights rss source subtitle
    summary tagline tags textinput title updated uri url webmaster where width xhtml_body
    """
)
# Keys under which it keeps things. An element that is called so, and unknown to it, is kept there too.
_KEYS = words(
    """
    author_detail authors contributors date date_parsed description_detail generator_detail guidislink
    issued_parsed license links modified_parsed published_parsed publisher_detail subtitle_detail
    summary_detail tagline_detail title_detail updated_parsed
    """
)


class Unusual(Exception):  # noqa: N818 - no error: feedparser is asked instead
    """Something that is left to feedparser."""


def prefix_of(namespace: str) -> str | None:
    """Return what a namespace is known as, None if it is not known."""
    lower = namespace.lower()
    return "" if _USERLAND in lower else PREFIX_BY_NAMESPACE.get(lower)


def version_of(declared: Iterable[tuple[str, str]]) -> Version | None:
    """Return the version that the first telling namespace stands for, None if none does."""
    versions = (_VERSIONS.get((not prefix, namespace.lower())) for prefix, namespace in declared)
    return next((version for version in versions if version), None)


class Names(dict[str, str]):
    """The name of each tag, as ElementTree has it; those that are not there are found on the way.

    Args:
        declared: prefixes and namespaces, in order.

    Raises:
        Unusual: what a prefix means changes along the document, or is not what it means elsewhere.
    """

    def __init__(self, declared: Iterable[tuple[str, str]]) -> None:
        super().__init__()
        self._namespace_by_prefix: dict[str, str] = {}
        self._prefix_by_namespace: dict[str, str] = {}
        for prefix, namespace in dict.fromkeys(declared):
            self._declare(prefix, namespace)
        for prefix in self._prefix_by_namespace.values():  # it forgets their case, too
            lower = prefix.lower()
            if prefix != lower and (lower in _PREFIXES or lower in self._namespace_by_prefix):
                raise Unusual

    def _declare(self, prefix: str, namespace: str) -> None:
        if len(namespace.split()) > 1:  # feedparser would take it apart there
            raise Unusual
        known = prefix_of(namespace)
        if known is None and self._prefix_by_namespace.setdefault(namespace, prefix) != prefix:
            raise Unusual
        if not prefix:
            return
        is_another = self._namespace_by_prefix.setdefault(prefix, namespace) != namespace
        is_misleading = prefix in _PREFIXES and prefix != known
        if is_another or is_misleading:
            raise Unusual

    def __missing__(self, tag: str) -> str:
        namespace, _, local = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
        prefix = prefix_of(namespace)
        if prefix is None:
            prefix = self._prefix_by_namespace.get(namespace, "").lower()
        local = local.lower()
        name = self[tag] = f"{prefix}_{local}" if prefix else local
        return name


def check_ignored(name: str) -> None:
    """Make sure that feedparser keeps an element where nobody looks for it.

    Raises:
        Unusual: it has a method for it, or keeps it where somebody looks.
    """
    if name in HANDLED or name in _KEYS or name.rpartition("_")[2] in ("item", "entry"):
        raise Unusual
