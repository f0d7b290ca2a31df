"""What feedparser keeps of each kind of element in an entry, or around the entries.

A reader keeps it under the same key, as far as somebody looks at it, and raises `Unusual` where it is not
sure.
"""

import re
from collections.abc import Set
from xml.etree.ElementTree import Element

from syndicate.sources.fast_names import Unusual, check_ignored, words
from syndicate.sources.fast_parts import (
    HTML,
    MAX_DEPTH,
    TEXT,
    TYPES,
    XHTML,
    Part,
    Reader,
    Values,
    attributes_of,
    content_of,
    language_in,
    leaf,
)
from syndicate.sources.fast_values import moment, person, recoded, resolved
from syndicate.sources.outline import MAX_AUTHOR

_NAMED_REFERENCE = re.compile("&([A-Za-z0-9_]+);")

# --------------------------------------------------------------------------- texts


def _title(part: Part, element: Element, depth: int) -> None:
    detail = content_of(part, element, TEXT)
    if not -1 < part.title_depth <= depth:
        _keep_with_detail(part, "title", detail, depth)
    if detail["value"]:
        part.title_depth = depth


def _media_title(part: Part, element: Element, depth: int) -> None:
    before = part.title_depth
    _title(part, element, depth)
    part.title_depth = before


def _keep_with_detail(part: Part, key: str, detail: Values, depth: int) -> None:
    part.keep(key, detail["value"], depth)
    part.values[f"{key}_detail"] = detail


def _description(part: Part, element: Element, depth: int) -> None:
    _summarise(part, element, depth, HTML)


def _summary(part: Part, element: Element, depth: int) -> None:
    _summarise(part, element, depth, TEXT)


def _summarise(part: Part, element: Element, depth: int, default: str) -> None:
    if "summary" in part.values and not part.has_content:
        _text_content(part, element, depth)  # of two, the second is taken for the content
    else:
        _keep_with_detail(part, "summary", content_of(part, element, default), depth)


def _text_content(part: Part, element: Element, _depth: int) -> None:
    _keep_content(part, content_of(part, element, TEXT))


def _html_content(part: Part, element: Element, _depth: int) -> None:
    _keep_content(part, content_of(part, element, HTML))


def _keep_content(part: Part, detail: Values) -> None:
    part.has_content = True
    part.values.setdefault("content", []).append(detail)
    part.values.setdefault("summary", detail["value"])


def _feed_description(part: Part, element: Element, _depth: int) -> None:
    if "summary" in part.values:  # it would be taken for the content of the first entry, too
        raise Unusual
    leaf(element)


def _feed_summary(part: Part, element: Element, depth: int) -> None:
    _feed_description(part, element, depth)
    part.values["summary"] = ""


# --------------------------------------------------------------------------- addresses


def _link(part: Part, element: Element, _depth: int) -> None:
    attributes = attributes_of(element) if element.keys() else {}
    relation = attributes.setdefault("rel", "alternate")
    type_ = attributes.setdefault("type", "application/atom+xml" if relation == "self" else HTML)
    _as_href(attributes)
    links = part.values.setdefault("links", [])
    links.append(attributes)
    written = leaf(element)
    if "href" in attributes:
        href = attributes["href"] = resolved(part.shared.base, attributes["href"])
        if relation == "alternate" and TYPES.get(type_, "") in (HTML, XHTML):
            part.values["link"] = href
        return
    link = recoded(resolved(part.shared.base, written)) if written else ""
    if not part.is_feed:
        link = link.replace("&amp;", "&")
    link = part.values["link"] = _NAMED_REFERENCE.sub(r"&\g<1>", link) if "&" in link else link
    if link or part.is_feed:
        attributes["href"] = link


def _as_href(attributes: dict[str, str]) -> None:
    href = attributes.get("url", attributes.get("uri", attributes.get("href")))
    if href:
        attributes.pop("url", None)
        attributes.pop("uri", None)
        attributes["href"] = href


def _guid(part: Part, element: Element, depth: int) -> None:
    attributes = attributes_of(element) if element.keys() else {}
    is_link = attributes.get("ispermalink", "true") == "true"
    guid = leaf(element)
    guid = recoded(resolved(part.shared.base, guid) if is_link and guid else guid)
    part.keep("id", guid, depth)
    if is_link:
        part.values.setdefault("link", guid)


def _enclosure(part: Part, element: Element, _depth: int) -> None:
    leaf(element)
    attributes = attributes_of(element)
    _as_href(attributes)
    attributes["rel"] = "enclosure"
    part.values.setdefault("links", []).append(attributes)


def _media_content(part: Part, element: Element, depth: int) -> None:
    part.values.setdefault("media_content", []).append(attributes_of(element))
    _media_group(part, element, depth)


def _media_group(part: Part, element: Element, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Unusual
    around = part.language
    if element.keys():
        part.language = language_in(attributes_of(element), around)
    part.read(element, depth + 1)
    part.language = around


def _media_thumbnail(part: Part, element: Element, _depth: int) -> None:
    attributes = attributes_of(element)
    written = leaf(element)
    if written and "url" not in attributes:
        attributes["url"] = recoded(resolved(part.shared.base, written))
    part.values.setdefault("media_thumbnail", []).append(attributes)


# --------------------------------------------------------------------------- people and tags


def _author(part: Part, element: Element, depth: int) -> None:
    authors = part.values.setdefault("authors", [])
    if part.shared.is_atom:
        authors.append({"name": _name(part, element)})
        return
    part.keep("author", recoded(_short(leaf(element))), depth)
    authors.append(person(part.values["author"]))


def _name(part: Part, element: Element) -> str:
    """Return the name of an author in Atom, whose other elements nobody looks at."""
    _contributor(part, element, 1)
    names = [leaf(child) for child in element if part.shared.names[child.tag] == "name"]
    outside = [element.text, *(child.tail for child in element)]
    if len(names) != 1 or not names[0] or any(text and not text.isspace() for text in outside):
        raise Unusual
    _short("".join(element.itertext()))
    return names[0]


def _contributor(part: Part, element: Element, _depth: int) -> None:
    for child in element:
        leaf(child)
        name = part.shared.names[child.tag]
        if name not in _PERSON:
            check_ignored(name)


_PERSON = frozenset({"name", "email", "uri", "url", "homepage"})


def _short(author: str) -> str:
    if len(author) > MAX_AUTHOR:  # which is cut before feedparser sees it
        raise Unusual
    return author


def _category(part: Part, element: Element, _depth: int) -> None:
    attributes = attributes_of(element)
    _add_tag(
        part,
        attributes.get("term"),
        attributes.get("scheme", attributes.get("domain")),
        attributes.get("label"),
    )
    _add_term(part, recoded(leaf(element)))


def _media_category(part: Part, element: Element, _depth: int) -> None:
    attributes = attributes_of(element)
    scheme = attributes.get("scheme", "http://search.yahoo.com/mrss/category_schema")
    _add_tag(part, attributes.get("term"), scheme, attributes.get("label"))
    _add_term(part, recoded(leaf(element)))


def _itunes_category(part: Part, element: Element, _depth: int) -> None:
    _add_tag(part, attributes_of(element).get("text"), _ITUNES, None)
    _add_term(part, recoded(leaf(element)))


_ITUNES = "http://www.itunes.com/"


def _add_tag(part: Part, term: str | None, scheme: str | None, label: str | None) -> None:
    tags = part.values.setdefault("tags", [])
    key = (term, scheme, label)
    if any(key) and key not in part.tags:
        part.tags.add(key)
        tags.append({"term": term, "scheme": scheme, "label": label})


def _add_term(part: Part, term: str) -> None:
    tags = part.values["tags"]
    if term and tags and not tags[-1]["term"]:
        last = tags[-1]
        part.tags.discard((last["term"], last["scheme"], last["label"]))
        last["term"] = term
        part.tags.add((term, last["scheme"], last["label"]))
    elif term:
        _add_tag(part, term, None, None)


def _itunes_keywords(part: Part, element: Element, _depth: int) -> None:
    _add_keywords(part, element, _ITUNES)


def _media_keywords(part: Part, element: Element, _depth: int) -> None:
    _add_keywords(part, element, None)


def _add_keywords(part: Part, element: Element, scheme: str | None) -> None:
    text = recoded(leaf(element))
    for term in text.split(",") if not element.keys() else ():  # it stumbles over attributes
        if term.strip():
            _add_tag(part, term.strip(), scheme, None)


# --------------------------------------------------------------------------- the rest


def _published(part: Part, element: Element, depth: int) -> None:
    _date(part, element, depth, "published")


def _updated(part: Part, element: Element, depth: int) -> None:
    _date(part, element, depth, "updated")


def _other_date(_part: Part, element: Element, _depth: int) -> None:
    moment(recoded(leaf(element)))  # it raises on a few, also where nobody looks


def _date(part: Part, element: Element, depth: int, key: str) -> None:
    written = recoded(leaf(element))
    part.keep(key, written, depth)
    part.values[f"{key}_parsed"] = moment(written)


def _language(part: Part, element: Element, depth: int) -> None:
    part.keep("language", recoded(leaf(element)), depth)


def _check_leaf(_part: Part, element: Element, _depth: int) -> None:
    leaf(element)


def _begin_anew(part: Part, element: Element, _depth: int) -> None:
    """An element with a title of its own, which makes the title that was found count no more."""
    leaf(element)
    part.title_depth = -1


def _image(part: Part, element: Element, _depth: int) -> None:
    _check_only(part, element, {"title", "link", "description", "url", "width", "height"})
    part.title_depth = -1


def _text_input(part: Part, element: Element, _depth: int) -> None:
    _check_only(part, element, {"title", "link", "description", "name"})
    part.title_depth = -1


def _owner(part: Part, element: Element, _depth: int) -> None:
    if part.shared.is_atom:  # who is taken for the author
        raise Unusual
    _check_only(part, element, {"itunes_name", "itunes_email"})


def _categories_in_one(part: Part, element: Element, _depth: int) -> None:
    if {part.shared.names[inner.tag] for inner in element.iter()} != {"itunes_category"}:
        raise Unusual


def _check_only(part: Part, element: Element, allowed: Set[str]) -> None:
    """Make sure that an element holds only these, without others in them."""
    for child in element:
        leaf(child)
        if part.shared.names[child.tag] not in allowed:
            raise Unusual


_DATES = {
    **dict.fromkeys(("published", "issued", "pubdate", "dcterms_issued"), _published),
    **dict.fromkeys(("updated", "modified", "lastbuilddate", "dc_date", "dcterms_modified"), _updated),
    **dict.fromkeys(("created", "dcterms_created", "expirationdate"), _other_date),
}
_UNUSED = dict.fromkeys(
    words("""
    cloud copyright dc_contributor dc_publisher dc_rights feedburner_browserfriendly generator georss_box
    georss_line georss_point georss_polygon info itunes_block itunes_explicit itunes_image itunes_subtitle
    media_credit media_license media_player media_rating media_restriction rights subtitle tagline webmaster
    """),
    _check_leaf,
)
ENTRY_READERS: dict[str, Reader] = {
    **_DATES,
    **_UNUSED,
    **dict.fromkeys(("author", "dc_author", "dc_creator", "itunes_author"), _author),
    **dict.fromkeys(("category", "dc_subject", "keywords"), _category),
    **dict.fromkeys(("description", "dc_description", "media_description"), _description),
    **dict.fromkeys(("summary", "itunes_summary"), _summary),
    **dict.fromkeys(("title", "dc_title"), _title),
    **dict.fromkeys(("guid", "id"), _guid),
    **dict.fromkeys(("language", "dc_language"), _language),
    **dict.fromkeys(("source", "image"), _begin_anew),
    "content": _text_content,
    "content_encoded": _html_content,
    "contributor": _contributor,
    "enclosure": _enclosure,
    "itunes_category": _itunes_category,
    "itunes_keywords": _itunes_keywords,
    "link": _link,
    "media_category": _media_category,
    "media_content": _media_content,
    "media_group": _media_group,
    "media_keywords": _media_keywords,
    "media_thumbnail": _media_thumbnail,
    "media_title": _media_title,
}
FEED_READERS: dict[str, Reader] = {
    **dict.fromkeys(_DATES, _other_date),
    **_UNUSED,
    **dict.fromkeys(
        (
            "category",
            "dc_subject",
            "keywords",
            "itunes_keywords",
            "media_category",
            "media_keywords",
            "media_thumbnail",
        ),
        _check_leaf,
    ),
    **dict.fromkeys(("description", "dc_description"), _feed_description),
    **dict.fromkeys(("summary", "itunes_summary"), _feed_summary),
    **dict.fromkeys(("title", "dc_title"), _title),
    **dict.fromkeys(("guid", "id"), _guid),
    **dict.fromkeys(("language", "dc_language"), _language),
    "contributor": _contributor,
    "image": _image,
    "itunes_category": _categories_in_one,
    "itunes_owner": _owner,
    "link": _link,
    "textinput": _text_input,
}
BESIDE_CHANNEL_READERS: dict[str, Reader] = {"image": _image, "textinput": _text_input}
# Who made the feed is looked at in Atom only.
ATOM_READERS: dict[str, Reader] = {**FEED_READERS, "author": _author}
RSS_READERS: dict[str, Reader] = {
    **FEED_READERS,
    **dict.fromkeys(("author", "dc_author", "dc_creator", "itunes_author", "managingeditor"), _check_leaf),
}
