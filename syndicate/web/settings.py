"""The configuration in force, as a page may show it: secrets are said to be there, and no more. Pure.

A field of a record that `repr` leaves out is a secret. Of endpoints only what is named here is shown: the
address of one is a secret, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import timedelta, tzinfo
from enum import Enum
from typing import Any

from syndicate.config.durations import spelled
from syndicate.model import Config, Endpoint, ServiceSettings, WebSettings
from syndicate.report_words import counted, size

HIDDEN = "set, and not shown"
NOTHING = "not set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table of the configuration."""

    name: str
    values: tuple[tuple[str, str], ...]


def sections(config: Config) -> Iterator[Section]:
    """Yield the tables of the configuration with their keys as people write them, defaults included."""
    yield Section(name="service", values=tuple(_of_service(config.service)))
    yield Section(name="web", values=tuple(_of_web(config.web)))
    yield Section(name="network", values=tuple(_values(config.network)))
    if config.smtp is not None:
        yield Section(name="smtp", values=tuple(_values(config.smtp)))
    for endpoint in config.endpoints:
        yield Section(name=f"endpoint {endpoint.id}", values=tuple(_of_endpoint(endpoint)))


def _values(record: Any) -> Iterator[tuple[str, str]]:
    for field in fields(record):
        value = getattr(record, field.name)
        if not field.repr:
            yield field.name, HIDDEN if value else NOTHING
        elif field.name.endswith("_bytes"):
            yield field.name, size(value)
        else:
            yield field.name, _text(value)


def _of_service(settings: ServiceSettings) -> Iterator[tuple[str, str]]:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    yield "listen", f"{host}:{settings.port}"
    yield from (each for each in _values(settings) if each[0] not in ("host", "port"))


def _of_web(settings: WebSettings) -> Iterator[tuple[str, str]]:
    yield from (each for each in _values(settings) if each[0] not in ("shows_images", "tokens"))
    yield "images", "proxied" if settings.shows_images else "off"
    tokens = [f"{token.name} ({', '.join(token.scopes)})" for token in settings.tokens]
    yield "token", "; ".join(tokens) or NOTHING


def _of_endpoint(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    yield "format", endpoint.format
    yield "address", HIDDEN
    yield "secrets", HIDDEN if endpoint.secrets else NOTHING
    yield "concurrency", _text(endpoint.concurrency)
    yield "flood_after", _text(endpoint.flood_after)
    if endpoint.headers:
        yield "headers", f"{counted(len(endpoint.headers), 'header')}, {HIDDEN}"


def _text(value: object) -> str:
    match value:
        case None | "" | ():
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case timedelta():
            return spelled(value)
        case Enum():
            return str(value.value)
        case tuple():
            return ", ".join(map(str, value))
        case tzinfo():
            return str(value)
        case _:
            return str(value)
