"""Which of the feeds that somebody wants become sources, and under which ids. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from syndicate.model import Kind, Source
from syndicate.sources.naming import address_key, new_id
from syndicate.sources.opml import ListedSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A feed that does not become a source, and why, in words."""

    wanted: ListedSource
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be added, and what is not."""

    sources: tuple[Source, ...]
    skipped: tuple[Skipped, ...]


def plan(wanted: Sequence[ListedSource], present: Sequence[Source]) -> Plan:
    """Return sources for those that are asked for nowhere yet.

    What is wanted twice becomes one source, with the tags of both.
    """
    first_by_key = {address_key(url): source.id for source in present for url in source.urls}
    taken = {source.id for source in present}
    new: dict[str, Source] = {}
    skipped = []
    for each in wanted:
        key = address_key(each.url)
        if key in new:
            new[key] = replace(new[key], tags=_all_of(new[key].tags, each.tags))
            skipped.append(Skipped(wanted=each, why=f"is listed twice, and was added as {new[key].id}"))
        elif key in first_by_key:
            skipped.append(Skipped(wanted=each, why=f"is there already, as {first_by_key[key]}"))
        else:
            new[key] = _source(each, taken)
            taken.add(new[key].id)
    return Plan(sources=tuple(new.values()), skipped=tuple(skipped))


def listed(sources: Iterable[Source]) -> tuple[ListedSource, ...]:
    """Return sources as a list of feeds has them, without those that have no feed."""
    return tuple(
        ListedSource(title=each.title, url=url, tags=each.tags, language=each.language)
        for each in sources
        if (url := feed_address(each))
    )


def feed_address(source: Source) -> str | None:
    """Return the first address of a source that is not said to be a page or a sitemap, None without one."""
    others = (Kind.SITEMAP, Kind.PAGE)
    addresses = map(source.address, source.urls)
    return next((each.url for each in addresses if each.kind not in others and not each.is_page), None)


def _source(wanted: ListedSource, taken: set[str]) -> Source:
    return Source(
        id=new_id(wanted.title, wanted.url, wanted.language, taken),
        title=wanted.title or urlsplit(wanted.url).hostname or wanted.url,
        urls=(wanted.url,),
        language=wanted.language,
        tags=wanted.tags,
    )


def _all_of(tags: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*tags, *more)))
