"""The shape of each table of the configuration, and what is said of one that has another."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, timedelta, tzinfo
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeGuard, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from syndicate.config import clocks, values
from syndicate.config.durations import duration, spelled
from syndicate.config.toml_file import TomlFile
from syndicate.config.toml_lines import Key
from syndicate.errors import Problem
from syndicate.model import Cron, QuietHours
from syndicate.model.feeds import LIMIT, FullText
from syndicate.model.spike import LEAST, SCORE

MAX_FEED_LIMIT = 1_000  # entries; what is older is in the archive
MAX_SECRETS = 4  # of an endpoint; two are enough to replace one
MAX_WEIGHT = 1_000_000  # either way, so that no sum is infinite
MIN_SPIKE_SCORE, MAX_SPIKE_SCORE = 2, 1_000  # of deviations; below, chance alone would make spikes

# --------------------------------------------------------------------------- values


def _from_text(parse: Callable[[str], object]) -> BeforeValidator:
    def before(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError("must be a text in quotes")
        return parse(value)

    return BeforeValidator(before)


def _duration(value: object) -> timedelta:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f'{value} needs a unit, in quotes: write "{value}s", "{value}m" or "{value}h"')
    if not isinstance(value, str):
        raise ValueError('must be a length of time in quotes, such as "15m"')
    return duration(value)


def _within(least: timedelta, most: timedelta) -> AfterValidator:
    def after(value: timedelta) -> timedelta:
        if not least <= value <= most:
            raise ValueError(f"must be between {spelled(least)} and {spelled(most)}")
        return value

    return AfterValidator(after)


def _one_address(value: object) -> object:
    if isinstance(value, list | dict):
        raise ValueError("must be one text in quotes; several, or more to say of one, go into urls = [...]")
    return value


def _weight(value: object) -> float:
    if isinstance(value, dict):
        raise ValueError("its weight must be a number, without quotes; a term with a dot in it needs quotes")
    if not _is_number(value):
        raise ValueError("its weight must be a number, without quotes")
    if not 0 < abs(value) <= MAX_WEIGHT:
        raise ValueError(f"its weight must be between -{MAX_WEIGHT} and {MAX_WEIGHT}, and not 0")
    return float(value)


def _threshold(value: object) -> float:
    if not _is_number(value):
        raise ValueError("must be a number, without quotes")
    if not 0 < value <= MAX_WEIGHT:
        raise ValueError(f"must be above 0, and at most {MAX_WEIGHT}")
    return float(value)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _example(value: object) -> object:
    return {"body": value} if isinstance(value, str) else value


def _address(value: object) -> object:
    if not isinstance(value, str | dict):
        raise ValueError('must be an address in quotes, or a table such as { url = "...", kind = "page" }')
    return {"url": value} if isinstance(value, str) else value


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _not_always(value: list[QuietHours]) -> list[QuietHours]:
    if clocks.are_always_quiet(value):
        raise ValueError("leave no minute of the week, so nothing would be told: leave some out")
    return value


def _feed(value: object) -> object:
    if not isinstance(value, bool | dict):
        raise ValueError("must be true, false, or a table: [feed], or { limit = 50 }")
    return ({} if value else None) if isinstance(value, bool) else value


def _full_text(value: object) -> FullText:
    choices: Mapping[object, FullText] = {
        True: FullText.YES,
        "summary": FullText.SUMMARY,
        "none": FullText.NONE,
    }
    if not isinstance(value, bool | str) or value not in choices:
        raise ValueError('must be true, "summary" or "none"')
    return choices[value]


def _spike(value: object) -> object:
    if not isinstance(value, bool | dict):
        raise ValueError("must be true, false, or a table such as { least = 10, score = 5 }")
    return ({} if value else None) if isinstance(value, bool) else value


def _spike_score(value: object) -> float:
    if not _is_number(value):
        raise ValueError("must be a number, without quotes")
    if not MIN_SPIKE_SCORE <= value <= MAX_SPIKE_SCORE:
        raise ValueError(f"must be between {MIN_SPIKE_SCORE} and {MAX_SPIKE_SCORE}")
    return float(value)


def _some(value: list[str]) -> list[str]:
    if not value:
        raise ValueError("must not be empty")
    return value


def _reachable(terms: dict[str, float]) -> dict[str, float]:
    if not any(weight > 0 for weight in terms.values()):
        raise ValueError("must have a weight above 0: without one no item reaches the threshold")
    return terms


def _listed(value: object) -> object:
    if not isinstance(value, str | list):
        raise ValueError('must be a text in quotes, or a list, such as ["one", "two"]')
    return [value] if isinstance(value, str) else value


def _no_id(value: object) -> None:
    raise ValueError(
        "the file's name is the rule's id, so leave this out; many rules in a file are [[rule]] tables"
    )


Id = Annotated[str, AfterValidator(values.identifier)]
Line = Annotated[str, AfterValidator(values.line_of_text)]
Path = Annotated[str, AfterValidator(values.path)]
Address = Annotated[str, AfterValidator(values.web_address)]
Selector = Annotated[str, AfterValidator(values.selector)]
Secret = Annotated[str, AfterValidator(values.secret)]
HeaderName = Annotated[str, AfterValidator(values.header_name)]
HeaderValue = Annotated[str, AfterValidator(values.header_value)]
Language = Annotated[str, AfterValidator(values.language)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Query = Annotated[str, AfterValidator(values.query)]
Term = Annotated[str, AfterValidator(values.term)]
Weight = Annotated[float, BeforeValidator(_weight)]
Threshold = Annotated[float, BeforeValidator(_threshold)]
SpikeScore = Annotated[float, BeforeValidator(_spike_score)]
Network = Annotated[IPv4Network | IPv6Network, _from_text(values.network)]

# --------------------------------------------------------------------------- tables


class Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


class Service(Table):
    database: Annotated[str, AfterValidator(values.database)] = "data/syndicate.db"
    rules: Path = "rules"
    feeds: Path = "feeds"
    base_url: Annotated[str, AfterValidator(values.base_address)] = "http://127.0.0.1:8080"
    listen: Annotated[tuple[str, int], _from_text(values.listen)] = ("127.0.0.1", 8080)
    title: Line = "Syndicate"
    notify: list[Line] = Field(default_factory=list)
    websub: bool = True
    time_zone: Annotated[tzinfo, _from_text(values.time_zone)] = UTC


class NetworkTable(Table):
    allow_private: list[Network] = Field(default_factory=list)
    host_interval: Annotated[Duration, _within(timedelta(), timedelta(hours=1))] = timedelta(seconds=1)
    host_concurrency: Annotated[int, Field(ge=1, le=100)] = 2
    concurrency: Annotated[int, Field(ge=1, le=10_000)] = 64
    timeout: Annotated[Duration, _within(timedelta(seconds=1), timedelta(hours=1))] = timedelta(seconds=30)
    max_bytes: Annotated[int, Field(ge=1, le=1024**3)] = 15 * 1024 * 1024
    user_agent: Annotated[str, AfterValidator(values.header_value)] | None = None
    retry_after: Literal["host", "source"] = "host"


class SmtpTable(Table):
    host: Annotated[str, AfterValidator(values.host)]
    port: Annotated[int | None, Field(ge=1, le=65_535)] = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: Line | None = None
    password: str | None = None
    password_file: str | None = None  # judged as a path when it is read


class AddressTable(Table):
    url: Address
    kind: Literal["feed", "json", "sitemap", "page"] | None = None
    item: Selector | None = None
    title: Selector | None = None
    link: Selector | None = None
    date: Selector | None = None
    link_pattern: Annotated[str, AfterValidator(values.link_pattern)] | None = None

    @model_validator(mode="after")
    def _says_what_its_kind_has(self) -> Self:
        selectors = [name for name in ("item", "title", "link", "date") if getattr(self, name) is not None]
        if selectors and self.kind not in (None, "page"):
            raise ValueError(f"{selectors[0]} is for web pages, and this is a {self.kind}")
        if self.link_pattern is not None and self.kind in ("feed", "json"):
            raise ValueError(f"link_pattern is for web pages and sitemaps, and this is a {self.kind}")
        return self


class SourceTable(Table):
    id: Id
    title: Line | None = None
    url: Annotated[Address, BeforeValidator(_one_address)] | None = None
    urls: list[Annotated[AddressTable, BeforeValidator(_address)]] = Field(default_factory=list)
    interval: Annotated[Duration, _within(timedelta(seconds=1), timedelta(days=30))] = timedelta(minutes=60)
    adaptive: bool = True
    language: Language | None = None
    tags: list[Line] = Field(default_factory=list)
    full_text: bool = False
    prune: Annotated[list[Annotated[Selector, AfterValidator(values.inner)]], Field(max_length=50)] = Field(
        default_factory=list
    )
    enabled: bool = True
    baseline: bool = True
    websub: bool = True


class EndpointTable(Table):
    """What every endpoint has, whatever its format."""

    id: Id
    concurrency: Annotated[int, Field(ge=1, le=64)] = 4
    group_by: Annotated[
        list[Literal["rule", "source", "story", "..."]] | None, BeforeValidator(_one_or_more)
    ] = None
    group_wait: Annotated[Duration, _within(timedelta(), timedelta(days=1))] | None = None
    group_interval: Annotated[Duration, _within(timedelta(seconds=1), timedelta(days=7))] | None = None
    max_per_hour: Annotated[int, Field(ge=1, le=10_000)] | None = None
    digest: Annotated[Cron, _from_text(clocks.cron)] | None = None
    quiet_hours: Annotated[
        list[Annotated[QuietHours, _from_text(clocks.quiet_hours)]],
        BeforeValidator(_one_or_more),
        AfterValidator(_not_always),
    ] = Field(default_factory=list)
    time_zone: Annotated[tzinfo, _from_text(values.time_zone)] | None = None
    flood_after: Annotated[int, Field(ge=0, le=10_000)] | None = None


class WebhookTable(EndpointTable):
    url: Address
    secret: Secret | None = None
    secrets: Annotated[list[Secret], Field(max_length=MAX_SECRETS), AfterValidator(_some)] | None = None
    secret_file: str | None = None  # judged as a path when it is read
    secret_files: Annotated[list[str], Field(max_length=MAX_SECRETS), AfterValidator(_some)] | None = None
    format: Literal["standard"] = "standard"
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)


class ExampleTable(Table):
    body: str = ""
    title: str = ""
    language: Language | None = None
    source: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.body + self.title).strip():
            raise ValueError("must have a body or a title")
        return self


class ExamplesTable(Table):
    match: list[Annotated[ExampleTable, BeforeValidator(_example)]] = Field(default_factory=list)
    no_match: list[Annotated[ExampleTable, BeforeValidator(_example)]] = Field(default_factory=list)


class ScoreTable(Table):
    threshold: Threshold
    terms: Annotated[dict[Term, Weight], AfterValidator(_reachable)]


class SpikeTable(Table):
    least: Annotated[int, Field(ge=2, le=1_000_000)] = LEAST
    score: SpikeScore = SCORE


class FeedTable(Table):
    """How a feed shows what it collects."""

    title: Line | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_FEED_LIMIT)] = LIMIT
    order: Literal["published", "matched"] = "published"
    full_text: Annotated[FullText, BeforeValidator(_full_text)] = FullText.YES
    dedupe: Literal["item", "story"] = "item"
    explain: bool = True
    public: bool = True
    token: Annotated[str, AfterValidator(values.token)] | None = None


class CollectionTable(FeedTable):
    """`[[feed]]`: a feed of several rules."""

    id: Id
    rules: Annotated[list[Line], AfterValidator(_some)] | None = None
    tags: Annotated[list[Line], AfterValidator(_some)] | None = None


class FeedsTable(Table):
    """`[feeds]`: which feeds there are without being named."""

    all: bool = True
    tags: bool = True


class RuleTable(Table):
    """Asks by one of keywords, query and score, which is not seen here."""

    title: Line | None = None
    keywords: Annotated[list[Line], AfterValidator(_some)] = Field(default_factory=list)
    query: Query | None = None
    score: ScoreTable | None = None
    fold: bool = False
    sources: list[Line] = Field(default_factory=list)
    languages: list[Language] = Field(default_factory=list)
    since: Annotated[Duration, _within(timedelta(minutes=1), timedelta(days=3650))] | None = None
    notify: list[Line] = Field(default_factory=list)
    urgent: bool = False
    escalate: Annotated[int, Field(ge=2, le=1000)] | None = None
    renamed_from: Annotated[list[Id], BeforeValidator(_listed)] = Field(default_factory=list)
    feed: Annotated[FeedTable | None, BeforeValidator(_feed)] = Field(default_factory=FeedTable)
    spike: Annotated[SpikeTable | None, BeforeValidator(_spike)] = None
    examples: ExamplesTable = Field(default_factory=ExamplesTable)


class FileRuleTable(RuleTable):
    """The one rule of a file, whose name is its id."""

    id: Annotated[None, BeforeValidator(_no_id)] = None


class NamedRuleTable(RuleTable):
    """One of many rules in a file."""

    id: Id


# --------------------------------------------------------------------------- what is said

AnyTable = TypeVar("AnyTable", bound=Table)

_NO_HOMES: Mapping[str, str] = MappingProxyType({})

_WORDS = {
    "missing": "must be given",
    "string_type": "must be a text in quotes",
    "string_unicode": "must be Unicode",
    "int_type": "must be a whole number, without quotes",
    "bool_type": "must be true or false, without quotes",
    "too_long": "must have at most {max_length}",
    "list_type": 'must be a list, such as ["one", "two"]',
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
}


def shaped(
    shape: type[AnyTable], file: TomlFile, key: Key, homes: Mapping[str, str] = _NO_HOMES
) -> tuple[AnyTable | None, list[Problem]]:
    """Return a file's table in its shape, and all problems with it.

    What is wrong gives way to its default, so that the rest can be looked at; None when there is none for it.

    Args:
        homes: of keys that this shape has not, where they belong.
    """
    table = file.at(*key) or {}
    valid, mistakes = _attempt(shape, table)
    if valid and not file.is_unfilled(key):
        return valid, []
    wrong = {mistake["loc"][0] for mistake in mistakes}
    wrong |= {name for name in table if file.is_unfilled((*key, name))}
    rest, _ = _attempt(shape, {name: value for name, value in table.items() if name not in wrong})
    return rest, list(_problems(shape, file, key, mistakes, homes))


def _attempt(shape: type[AnyTable], table: Mapping[str, Any]) -> tuple[AnyTable | None, list[ErrorDetails]]:
    try:
        return shape.model_validate(table), []
    except ValidationError as error:
        return None, error.errors(include_url=False, include_input=False)


def _problems(
    shape: type[Table], file: TomlFile, key: Key, mistakes: list[ErrorDetails], homes: Mapping[str, str]
) -> Iterator[Problem]:
    for mistake in mistakes:
        inner = tuple(name for name in mistake["loc"] if name != "[key]")
        if isinstance(file.at(*key, *inner[:-1]), str):
            inner = inner[:-1]  # a text that stands for a table
        place = (*key, *inner)
        if file.is_unfilled(place):
            continue  # which is a problem of its own
        if mistake["type"] == "extra_forbidden":
            name = str(inner[-1])
            near = f"; {homes[name]}" if len(inner) == 1 and name in homes else _near(shape, inner)
            yield file.problem(place, f"unknown key {values.quoted(name)}{near}")
        else:
            yield file.mistake(place, _words(mistake))


def _words(mistake: ErrorDetails) -> str:
    context = mistake.get("ctx", {})
    if mistake["type"] == "value_error":
        return str(context["error"])
    return _WORDS.get(mistake["type"], "is not valid").format_map(context).replace("'", '"')


def _near(shape: type[Table], inner: Key) -> str:
    """Return how what is said of an unknown key ends: where it belongs, else what is meant perhaps."""
    suggestion = _suggestion(shape, inner)
    if len(inner) == 1 and shape is SourceTable and inner[0] in AddressTable.model_fields:
        return f'; it is said of an address: urls = [{{ url = "...", {inner[0]} = "..." }}]'
    if len(inner) == 1 or inner[-1] not in shape.model_fields or "did you mean" in suggestion:
        return suggestion
    return (
        f"; it belongs beside {inner[0]}" if isinstance(inner[1], int) else f"; it belongs above [{inner[0]}]"
    )


def _suggestion(shape: type[Table], inner: Key) -> str:
    for name in inner[:-1]:
        if isinstance(name, str):
            shape = _table_in(shape.model_fields[name].annotation) or shape
    names = [name for name, field in shape.model_fields.items() if field.annotation is not type(None)]
    return values.suggestion(str(inner[-1]), names)


def _table_in(annotation: Any) -> type[Table] | None:
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    return next(filter(None, map(_table_in, get_args(annotation))), None)
