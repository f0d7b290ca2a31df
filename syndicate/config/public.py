"""The configuration as anyone may see it."""

import dataclasses
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from syndicate.config.durations import spelled
from syndicate.model import Config, Endpoint, Source

HIDDEN = "***"


def public(config: Config) -> dict[str, Any]:
    """Return a configuration as values for JSON, without secrets.

    Of an endpoint's address only the host shows: chat services put their secret after it.
    """
    endpoints = tuple(map(_without_secrets, config.endpoints))
    plain: dict[str, Any] = _plain(dataclasses.replace(config, endpoints=endpoints))
    return plain


def public_source(source: Source) -> dict[str, Any]:
    """Return a source as values for JSON."""
    plain: dict[str, Any] = _plain(source)
    return plain


def _without_secrets(endpoint: Endpoint) -> Endpoint:
    parts = urlsplit(endpoint.url)
    return dataclasses.replace(
        endpoint,
        url=f"{parts.scheme}://{parts.netloc}/" + (HIDDEN if parts.path.strip("/") or parts.query else ""),
        secrets=(HIDDEN,) * len(endpoint.secrets),
        headers=dict.fromkeys(endpoint.headers, HIDDEN),
    )


def _plain(value: object) -> Any:
    match value:
        case tuple():
            return [_plain(part) for part in value]
        case dict():
            return {name: _plain(part) for name, part in value.items()}
        case timedelta():
            return spelled(value)
        case Path() | IPv4Network() | IPv6Network():
            return str(value)
        case _ if dataclasses.is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return value
