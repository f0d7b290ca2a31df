"""config.toml and the rules it names, read whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from syndicate import __version__
from syndicate.config.environment import SECTIONS, overridden
from syndicate.config.rule_files import Names, read_rules
from syndicate.config.shapes import AnyTable, EndpointTable, NetworkTable, Service, SourceTable, shaped
from syndicate.config.toml_file import TomlFile, Unreadable, label, read_text, read_toml, shown
from syndicate.config.toml_lines import Key
from syndicate.config.values import quoted, secret, suggestion
from syndicate.errors import ConfigError, Problem
from syndicate.model import Config, Endpoint, NetworkSettings, ServiceSettings, Source

TABLES = ("service", "network", "source", "endpoint")
MAX_SECRET_BYTES = 64 * 1024
USER_AGENT = f"Syndicate/{__version__} (+a self-hosted news watcher)"


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


def read(path: Path, environ: Mapping[str, str]) -> Reading:
    """Return what config.toml and the rules say, and every problem in them, in the order of files and lines.

    Args:
        environ: for `${VAR}` in texts, and for the variables that set keys of [service] and [network].
    """
    if not path.exists():
        text = "there is no such file; name another with --config or SYNDICATE_CONFIG"
        return Reading(config=None, problems=(Problem(file=shown(path), line=0, text=text),))
    file = read_toml(path, environ)
    if isinstance(file, Problem):
        return Reading(config=None, problems=(file, *_problems_of_rules(path, environ)))
    file, override_problems = overridden(file, environ)
    service, service_problems = _section(Service, file, "service")
    network, network_problems = _section(NetworkTable, file, "network")
    sources, source_problems = _sources(file)
    endpoints, endpoint_problems = _endpoints(file, path.parent)
    rules, rule_problems = read_rules(path.parent / service.rules, environ, _names(file))
    config = Config(
        path=path.absolute(),
        service=_service(service, path.absolute().parent),
        network=_network(network),
        sources=sources,
        endpoints=endpoints,
        rules=rules,
    )
    problems = [
        *override_problems,
        *file.unfilled_problems(),
        *_unknown_tables(file),
        *service_problems,
        *network_problems,
        *source_problems,
        *endpoint_problems,
        *rule_problems,
    ]
    return Reading(config=config, problems=tuple(sorted(problems)))


def _problems_of_rules(path: Path, environ: Mapping[str, str]) -> list[Problem]:
    """Return what can be said of the rules without config.toml."""
    file, problems = overridden(TomlFile(name=shown(path)), environ)
    service, _ = _section(Service, file, "service")
    folder = path.parent / service.rules
    return sorted([*problems, *(read_rules(folder, environ, None)[1] if folder.is_dir() else ())])


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
        return shape(), [file.problem((name,), f"{name}: must be a table, headed [{name}]")]
    table, problems = shaped(shape, file, (name,))
    return table or shape(), problems


def _service(table: Service, folder: Path) -> ServiceSettings:
    host, port = table.listen
    return ServiceSettings(
        database=folder / table.database,
        rules=folder / table.rules,
        feeds=folder / table.feeds,
        base_url=table.base_url,
        host=host,
        port=port,
        title=table.title,
    )


def _network(table: NetworkTable) -> NetworkSettings:
    return NetworkSettings(
        allow_private=tuple(table.allow_private),
        host_interval=table.host_interval,
        host_concurrency=table.host_concurrency,
        concurrency=table.concurrency,
        timeout=table.timeout,
        max_bytes=table.max_bytes,
        user_agent=table.user_agent or USER_AGENT,
    )


# --------------------------------------------------------------------------- sources


def _sources(file: TomlFile) -> tuple[tuple[Source, ...], list[Problem]]:
    problems = [*file.table_list_problems("source"), *file.taken_ids("source"), *_taken_addresses(file)]
    if "source" not in file.tables:
        problems.append(file.problem((), "there are no sources: add a [[source]] with an id and a url"))
    sources = []
    for key in file.table_keys("source"):
        table, wrong = shaped(SourceTable, file, key)
        problems += [*wrong, *file.repeats(*key, "tags"), *_address_problems(file, key)]
        sources += [_source(table)] if table else []
    return tuple(sources), problems


def _source(table: SourceTable) -> Source:
    return Source(
        id=table.id,
        title=table.title or table.id,
        urls=(table.url,) if table.url else tuple(table.urls),
        interval=table.interval,
        language=table.language,
        tags=tuple(table.tags),
        full_text=table.full_text,
        enabled=table.enabled,
        baseline=table.baseline,
    )


def _address_problems(file: TomlFile, key: Key) -> Iterator[Problem]:
    given = [name for name in ("url", "urls") if file.at(*key, name) is not None]
    if not given:
        yield file.problem(key, "url: must be given, or urls with several to try in order")
    elif len(given) == 2:
        yield file.problem(
            (*key, "urls"), "urls: there is a url as well: put all addresses here, or keep one"
        )
    if file.at(*key, "urls") == []:
        yield file.problem((*key, "urls"), "urls: must not be empty")
    yield from file.repeats(*key, "urls")


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
            text = f"{label(place)}: the source in line {file.line(first)} asks this address already"
            yield file.problem(place, text)


def _first_address(file: TomlFile, key: Key) -> tuple[str, Key]:
    url = file.at(*key, "url")
    if isinstance(url, str):
        return url, (*key, "url")
    texts = file.texts(*key, "urls")
    return (texts[0][1], texts[0][0]) if texts else ("", key)


# --------------------------------------------------------------------------- endpoints


def _endpoints(file: TomlFile, folder: Path) -> tuple[tuple[Endpoint, ...], list[Problem]]:
    problems = [*file.table_list_problems("endpoint"), *file.taken_ids("endpoint")]
    endpoints = []
    for key in file.table_keys("endpoint"):
        table, wrong = shaped(EndpointTable, file, key)
        problems += [*wrong, *_header_repeats(file, key)]
        if table:
            signing, wrong = _secret(file, key, table, folder)
            problems += wrong
            endpoints.append(_endpoint(table, signing))
    return tuple(endpoints), problems


def _endpoint(table: EndpointTable, signing: str | None) -> Endpoint:
    return Endpoint(
        id=table.id,
        url=table.url,
        secret=signing,
        format=table.format,
        headers=MappingProxyType(table.headers),
    )


def _secret(file: TomlFile, key: Key, table: EndpointTable, folder: Path) -> tuple[str | None, list[Problem]]:
    place = (*key, "secret_file")
    if table.secret_file is None:
        return table.secret, []
    if file.at(*key, "secret") is not None:
        return None, [file.problem(place, "secret_file: there is a secret as well: keep one of them")]
    path = folder / table.secret_file
    text = read_text(path, MAX_SECRET_BYTES)
    if isinstance(text, Unreadable):
        return None, [file.problem(place, f"secret_file: {shown(path)}: {text.why}")]
    try:
        return secret(text.rstrip("\r\n")), []
    except ValueError as error:
        return None, [file.problem(place, f"secret_file: {shown(path)}: {error}")]


def _header_repeats(file: TomlFile, key: Key) -> Iterator[Problem]:
    headers = file.at(*key, "headers")
    first_by_name: dict[str, str] = {}
    for name in headers if isinstance(headers, dict) else ():
        first = first_by_name.setdefault(name.casefold(), name)
        if first != name:
            yield file.problem((*key, "headers", name), f"{name}: is the same header as {first}")


# --------------------------------------------------------------------------- names


def _names(file: TomlFile) -> Names:
    sources, endpoints = _ids(file, "source"), _ids(file, "endpoint")
    return Names(
        tags_by_source={
            source: tuple(tag for _, tag in file.texts(*key, "tags")) for source, key in sources.items()
        },
        endpoints=tuple(endpoints),
    )


def _ids(file: TomlFile, name: str) -> dict[str, Key]:
    found = ((file.at(*key, "id"), key) for key in file.table_keys(name))
    return {text: key for text, key in found if isinstance(text, str)}
