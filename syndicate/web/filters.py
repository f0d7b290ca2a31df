"""What a list is restricted to, as its address says it: `?rule=central-asia&period=7d`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from starlette.datastructures import QueryParams

from syndicate.config import suggestion
from syndicate.loading import Loaded
from syndicate.store.pages import Shown
from syndicate.store.protocol import Store

PERIODS: Mapping[str, timedelta] = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
PERIOD_WORDS: Mapping[str, str] = {"24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days"}
NO_PAGE = "That page of the list does not exist: begin with the first."
MOST_CHOICES = 200  # in a list to choose from; where there are more, an id is typed


class FilterError(ValueError):
    """A filter names what is not there. Says what, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The filters of a list; empty ones restrict nothing."""

    rule: str = ""
    source: str = ""
    language: str = ""
    period: str = ""

    @property
    def values(self) -> dict[str, str]:
        """By name, those that are given."""
        given = {"rule": self.rule, "source": self.source, "language": self.language, "period": self.period}
        return {name: value for name, value in given.items() if value}

    def shown(self, now: datetime) -> Shown:
        """Return what is to be shown."""
        return Shown(
            rule=self.rule or None,
            source=self.source or None,
            language=self.language or None,
            since=now - PERIODS[self.period] if self.period else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What can be chosen: values, and their names for people. None: too many for a list."""

    rules: Sequence[tuple[str, str]] | None
    sources: Sequence[tuple[str, str]] | None
    languages: Sequence[tuple[str, str]]
    periods: Sequence[tuple[str, str]] = tuple(PERIOD_WORDS.items())


def filters_of(params: QueryParams, loaded: Loaded, store: Store) -> Filters:
    """Return the filters that an address names.

    Raises:
        FilterError: one of them names nothing that is there.
    """
    found = Filters(
        rule=params.get("rule", "").strip(),
        source=params.get("source", "").strip(),
        language=params.get("language", "").strip(),
        period=params.get("period", "").strip(),
    )
    _check("rule", found.rule, [rule.id for rule in loaded.rules])
    _check("source", found.source, [source.id for source in loaded.config.sources])
    _check("period", found.period, list(PERIODS))
    if found.language:
        _check("language", found.language, [each for each in store.languages() if each])
    return found


def _check(kind: str, name: str, known: Sequence[str]) -> None:
    if name and name not in known:
        near = suggestion(name, known)
        raise FilterError(f"There is no {kind} “{name[:80]}”{near}{'' if near.endswith('?') else '.'}")


def choices(loaded: Loaded, store: Store) -> Choices:
    """Return what filters can be set to."""
    rules = [(rule.id, rule.title) for rule in loaded.rules]
    sources = [(source.id, source.title) for source in loaded.config.sources]
    return Choices(
        rules=sorted(rules, key=_by_name) if len(rules) <= MOST_CHOICES else None,
        sources=sorted(sources, key=_by_name) if len(sources) <= MOST_CHOICES else None,
        languages=[(language, language) for language in store.languages() if language],
    )


def _by_name(choice: tuple[str, str]) -> str:
    return choice[1].casefold()


# --------------------------------------------------------------------------- pages of a list


def place_text(order: datetime, item: int) -> str:
    """Return the place of an item in a list, as an address has it."""
    return f"{order.astimezone(UTC).replace(tzinfo=None).isoformat()}_{item}"


def beyond(which: Shown, place: str) -> Shown:
    """Return what is to be shown beyond a place; empty: from the beginning.

    Raises:
        FilterError: it is no place.
    """
    if not place:
        return which
    moment, _, number = place.rpartition("_")
    item = number_of(number)
    try:
        order = datetime.fromisoformat(moment)
    except ValueError:
        raise FilterError(NO_PAGE) from None
    if item is None or order.tzinfo is not None:
        raise FilterError(NO_PAGE)
    return replace(which, before=(order.replace(tzinfo=UTC), item))


def number_of(text: str) -> int | None:
    """Return the id that an address names, None if it names none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
