"""config.toml and the rules it names, read whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from syndicate import __version__
from syndicate.config import values
from syndicate.config.channel_tables import STANDARD, format_of, homes_beside, read_channel
from syndicate.config.environment import SECTIONS, overridden
from syndicate.config.feeds import read_feeds, read_has_health, read_hub
from syndicate.config.mail import read_smtp
from syndicate.config.pace import flood_after, pace, pace_problems
from syndicate.config.rule_files import NO_DRAFTS, Names, read_rules, rule_paths, unknown_endpoints
from syndicate.config.secrets import read_secrets
from syndicate.config.shapes import (
    AddressTable,
    AnyTable,
    NetworkTable,
    Service,
    SourceTable,
    WebhookTable,
    shaped,
)
from syndicate.config.toml_file import MISSING, TomlFile, read_toml, shown, toml_file
from syndicate.config.toml_lines import Key
from syndicate.config.values import quoted, suggestion
from syndicate.config.web import WebTable, open_to_all, token_problems, web_settings
from syndicate.errors import ConfigError, Problem
from syndicate.model import (
    Address,
    Config,
    Endpoint,
    Kind,
    NetworkSettings,
    PostgresAddress,
    RuleText,
    Scope,
    ServiceSettings,
    Source,
)

TABLES = ("service", "network", "web", "smtp", "feeds", "source", "endpoint", "feed")
NO_SOURCES = "there are no sources: add a [[source]] with an id and a url"
_PRIVATE_NAMES = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the files hold.

    With problems, `config` holds what is sound, so that more can be said of it; never run it.
    None when config.toml can't be read.
    """

    config: Config | None
    problems: tuple[Problem, ...]


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Return the configuration.

    Raises:
        ConfigError: with every problem of every file.
    """
    reading = read(path, environ)
    if reading.problems or not reading.config:
        raise ConfigError(reading.problems)
    return reading.config


def read(
    path: Path,
    environ: Mapping[str, str],
    text: str | None = None,
    drafts: Mapping[Path, str] = NO_DRAFTS,
) -> Reading:
    """Return what config.toml and the rules say, and every problem in them, in the order of files and lines.

    Args:
        environ: for `${VAR}` in texts, and for the variables that set keys of sections.
        text: what config.toml is to hold; None: what it holds.
        drafts: what files of rules are to hold, also such as are not there yet; others hold what they hold.
    """
    file = read_toml(path, environ) if text is None else toml_file(shown(path), text, environ)
    if isinstance(file, Problem):
        return Reading(config=None, problems=_problems_without_tables(file, path, environ))
    file, override_problems = overridden(file, environ)
    service, service_problems = _section(Service, file, "service")
    network, network_problems = _section(NetworkTable, file, "network")
    web, web_problems = _section(WebTable, file, "web")
    sources, source_problems = _sources(file)
    endpoints, endpoint_problems = _endpoints(file, path.parent, service.time_zone)
    smtp, smtp_problems = read_smtp(file, path.parent)
    rules, rule_problems = _rules(file, path.parent / service.rules, environ, drafts)
    published, feed_problems = read_feeds(file, sources, rules)
    settings = _service(service, path.absolute().parent)
    config = Config(
        path=path.absolute(),
        service=settings,
        network=_network(network, service.base_url),
        sources=sources,
        endpoints=endpoints,
        rules=rules,
        web=web_settings(web),
        smtp=smtp,
        feeds=published,
        hub=read_hub(file),
        has_health=read_has_health(file),
    )
    problems = [
        *override_problems,
        *file.unfilled_problems(),
        *_unknown_tables(file),
        *service_problems,
        *unknown_endpoints(file, ("service",), _names(file).endpoints),
        *file.repeats("service", "notify"),
        *network_problems,
        *web_problems,
        *token_problems(file),
        *open_to_all(file, settings),
        *source_problems,
        *endpoint_problems,
        *smtp_problems,
        *rule_problems,
        *feed_problems,
    ]
    return Reading(config=config, problems=tuple(sorted(problems)))


def _problems_without_tables(problem: Problem, path: Path, environ: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return why config.toml can't be read, and what can be said of the rules all the same."""
    if problem.text == MISSING:
        return (replace(problem, text=f"{MISSING}; name another with --config or SYNDICATE_CONFIG"),)
    file, override_problems = overridden(TomlFile(name=problem.file), environ)
    service, _ = _section(Service, file, "service")
    try:
        paths = rule_paths(path.parent / service.rules)
    except OSError:
        paths = []  # config.toml may name another folder
    _, rule_problems = read_rules(paths, environ, Names())
    return tuple(sorted([problem, *override_problems, *rule_problems]))


def _rules(
    file: TomlFile, folder: Path, environ: Mapping[str, str], drafts: Mapping[Path, str] = NO_DRAFTS
) -> tuple[tuple[RuleText, ...], list[Problem]]:
    key = ("service", "rules")
    if file.is_unfilled(key):
        return (), []  # those of the default folder are not meant
    try:
        paths = sorted({*rule_paths(folder), *drafts})
    except (OSError, ValueError) as error:
        why = f"the folder {shown(folder)} can't be read: {getattr(error, 'strerror', None) or error}"
        return (), [file.mistake(key, why)]
    rules, problems = read_rules(paths, environ, _names(file), drafts)
    if not paths:
        why = f'the folder {shown(folder)} has none: add a file such as eu.toml with keywords = ["EU"]'
        problems.append(file.mistake(key, why))
    return rules, problems


def _unknown_tables(file: TomlFile) -> Iterator[Problem]:
    for name in file.tables:
        if name not in TABLES:
            homes = [section for section, shape in SECTIONS.items() if name in shape.model_fields]
            near = f"; it belongs in [{homes[0]}]" if homes else suggestion(name, TABLES)
            yield file.problem((name,), f"unknown key {quoted(name)}{near}")


# --------------------------------------------------------------------------- settings


def _section(shape: type[AnyTable], file: TomlFile, name: str) -> tuple[AnyTable, list[Problem]]:
    """Return a section of which every key has a default."""
    if not isinstance(file.tables.get(name, {}), dict):
        return shape(), [file.mistake((name,), f"must be a table, headed [{name}]")]
    table, problems = shaped(shape, file, (name,))
    return table or shape(), problems


def _service(table: Service, folder: Path) -> ServiceSettings:
    host, port = table.listen
    return ServiceSettings(
        database=_database(table.database, folder),
        rules=folder / table.rules,
        feeds=folder / table.feeds,
        base_url=table.base_url,
        host=host,
        port=port,
        title=table.title,
        notify=tuple(table.notify),
        websub=table.websub,
        time_zone=table.time_zone,
    )


def _database(text: str, folder: Path) -> Path | PostgresAddress:
    return PostgresAddress(url=text) if values.is_postgres(text) else folder / text


def _network(table: NetworkTable, base_url: str) -> NetworkSettings:
    return NetworkSettings(
        allow_private=tuple(table.allow_private),
        host_interval=table.host_interval,
        host_concurrency=table.host_concurrency,
        concurrency=table.concurrency,
        timeout=table.timeout,
        max_bytes=table.max_bytes,
        user_agent=table.user_agent or user_agent(base_url),
        retry_after=Scope(table.retry_after),
    )


def user_agent(base_url: str) -> str:
    """Return how we introduce ourselves: by name and version, and where others can see us, if they can."""
    host = urlsplit(base_url).hostname or ""
    try:
        is_public = ip_address(host).is_global
    except ValueError:
        is_public = "." in host and not host.endswith(_PRIVATE_NAMES) and base_url.isascii()
    return f"Syndicate/{__version__} (+{base_url if is_public else 'a self-hosted news watcher'})"


# --------------------------------------------------------------------------- sources


def _sources(file: TomlFile) -> tuple[tuple[Source, ...], list[Problem]]:
    problems = [*file.table_list_problems("source"), *file.taken_ids("source"), *_taken_addresses(file)]
    if "source" not in file.tables:
        problems.append(file.problem((), NO_SOURCES))
    sources = []
    for key in file.table_keys("source"):
        table, wrong = shaped(SourceTable, file, key)
        problems += [*wrong, *file.repeats(*key, "tags"), *file.repeats(*key, "prune")]
        problems += [*_address_problems(file, key), *_prune_problems(file, key)]
        sources += [_source(table)] if table else []
    return tuple(sources), problems


def _source(table: SourceTable) -> Source:
    return Source(
        id=table.id,
        title=table.title or table.id,
        urls=(table.url,) if table.url else tuple(each.url for each in table.urls),
        addresses=tuple(map(_address, filter(_says_more, table.urls))),
        interval=table.interval,
        adaptive=table.adaptive,
        language=table.language,
        tags=tuple(table.tags),
        full_text=table.full_text,
        prune=tuple(table.prune),
        enabled=table.enabled,
        baseline=table.baseline,
        websub=table.websub,
    )


def _prune_problems(file: TomlFile, key: Key) -> Iterator[Problem]:
    if file.at(*key, "prune") and file.at(*key, "full_text") in (None, False):
        why = "no page is fetched from which it could be taken: set full_text = true, or leave this out"
        yield file.mistake((*key, "prune"), why)


def _says_more(table: AddressTable) -> bool:
    return any(value is not None for name, value in table if name != "url")


def _address(table: AddressTable) -> Address:
    return Address(
        url=table.url,
        kind=None if table.kind is None else Kind(table.kind),
        item=table.item,
        title=table.title,
        link=table.link,
        date=table.date,
        link_pattern=table.link_pattern,
    )


def _address_problems(file: TomlFile, key: Key) -> Iterator[Problem]:
    given = [name for name in ("url", "urls") if file.at(*key, name) is not None]
    if not given:
        yield file.mistake((*key, "url"), "must be given, or urls with several to try in order")
    elif len(given) == 2:
        yield file.problem(
            (*key, "urls"), "urls: there is a url as well: put all addresses here, or keep one"
        )
    if file.at(*key, "urls") == []:
        yield file.mistake((*key, "urls"), "must not be empty")
    first_by_address: dict[str, int] = {}
    for number, place, address in _addresses(file, key):
        first = first_by_address.setdefault(address, number)
        if first != number:
            yield file.mistake(place, f"is the same as number {first + 1}")


def _addresses(file: TomlFile, key: Key) -> Iterator[tuple[int, Key, str]]:
    """Yield the number, the place and the text of each address in `urls`, in a table of its own or not."""
    urls = file.at(*key, "urls")
    for number, value in enumerate(urls if isinstance(urls, list) else []):
        place = (*key, "urls", number, "url") if isinstance(value, dict) else (*key, "urls", number)
        address = file.at(*place)
        if isinstance(address, str) and address.strip() and not file.is_unfilled(place):
            yield number, place, address


def _taken_addresses(file: TomlFile) -> Iterator[Problem]:
    """Yield a problem for each source that asks first what another asks first: it would be asked twice.

    Fallbacks may be shared: a site's one page can stand in for its feeds in several languages.
    """
    first_by_address: dict[str, Key] = {}
    for key in file.table_keys("source"):
        address, place = _first_address(file, key)
        if not address or file.at(*key, "enabled") is False or file.is_unfilled(place):
            continue
        first = first_by_address.setdefault(address, place)
        if first != place:
            yield file.mistake(place, f"the source in line {file.line(first)} asks this address already")


def _first_address(file: TomlFile, key: Key) -> tuple[str, Key]:
    url = file.at(*key, "url")
    if isinstance(url, str):
        return url, (*key, "url")
    addresses = ((address, place) for _, place, address in _addresses(file, key))
    return next(addresses, ("", key))


# --------------------------------------------------------------------------- endpoints


def _endpoints(file: TomlFile, folder: Path, zone: tzinfo) -> tuple[tuple[Endpoint, ...], list[Problem]]:
    problems = [*file.table_list_problems("endpoint"), *file.taken_ids("endpoint")]
    endpoints = []
    for key in file.table_keys("endpoint"):
        if format_of(file, key) != STANDARD:
            channel, wrong = read_channel(file, key, zone)
            problems += [*wrong, *_header_repeats(file, key), *pace_problems(file, key)]
            endpoints += [channel] if channel else []
            continue
        table, wrong = shaped(WebhookTable, file, key, homes_beside(STANDARD))
        problems += [*wrong, *_header_repeats(file, key), *pace_problems(file, key)]
        secrets, wrong = read_secrets(file, key, folder)
        problems += wrong
        endpoints += [_endpoint(table, secrets, zone)] if table else []
    return tuple(endpoints), problems


def _endpoint(table: WebhookTable, secrets: tuple[str, ...], zone: tzinfo) -> Endpoint:
    return Endpoint(
        id=table.id,
        url=table.url,
        secrets=secrets,
        concurrency=table.concurrency,
        format=table.format,
        headers=table.headers,
        pace=pace(table, zone),
        flood_after=flood_after(table, None),
    )


def _header_repeats(file: TomlFile, key: Key) -> Iterator[Problem]:
    headers = file.at(*key, "headers")
    first_by_name: dict[str, str] = {}
    for name in headers if isinstance(headers, dict) else ():
        first = first_by_name.setdefault(name.casefold(), name)
        if first != name:
            yield file.mistake((*key, "headers", name), f"is the same header as {first}")


# --------------------------------------------------------------------------- names


def _names(file: TomlFile) -> Names:
    sources, endpoints = _ids(file, "source"), _ids(file, "endpoint")
    tags_by_source = {
        source: tuple(tag for _, tag in file.texts(*key, "tags")) for source, key in (sources or {}).items()
    }
    return Names(
        tags_by_source=tags_by_source or None,  # one problem says it all: there are no sources
        endpoints=None if endpoints is None else tuple(endpoints),
        collected=frozenset(rule for key in file.table_keys("feed") for _, rule in file.texts(*key, "rules")),
    )


def _ids(file: TomlFile, name: str) -> dict[str, Key] | None:
    """Return the ids of the tables `[[name]]` with their keys, None when one can't be told."""
    keys = file.table_keys(name)
    ids = {file.at(*key, "id"): key for key in keys if isinstance(file.at(*key, "id"), str)}
    is_clear = not any(file.is_unfilled((*key, part)) for key in keys for part in ("id", "tags"))
    return ids if is_clear and not any(file.table_list_problems(name)) else None
