"""The configuration as anyone may see it."""

import dataclasses
from datetime import timedelta, tzinfo
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from syndicate.config.durations import spelled
from syndicate.model import Config, Endpoint, PostgresAddress, Source

HIDDEN = "***"
SECRETS = ("secrets", "headers", "token", "topic")


def public(config: Config) -> dict[str, Any]:
    """Return a configuration as values for JSON, without secrets.

    Of an endpoint's address only the host shows: chat services put their secret after it.
    """
    smtp = config.smtp and dataclasses.replace(
        config.smtp, password=HIDDEN if config.smtp.password is not None else None
    )
    web = dataclasses.replace(
        config.web,
        password=HIDDEN if config.web.password is not None else None,
        tokens=tuple(dataclasses.replace(token, digest=HIDDEN) for token in config.web.tokens),
    )
    plain: dict[str, Any] = _plain(dataclasses.replace(config, web=web, smtp=smtp, endpoints=()))
    plain["endpoints"] = [_endpoint(endpoint) for endpoint in config.endpoints]
    return plain


def public_source(source: Source) -> dict[str, Any]:
    """Return a source as values for JSON."""
    plain: dict[str, Any] = _plain(source)
    return plain


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    """Return an endpoint as values; those of its channel, if it has one, beside the others."""
    shown: dict[str, Any] = _plain(endpoint)
    channel = shown.pop("channel")
    if channel is not None:
        shown = {name: value for name, value in shown.items() if name not in ("url", "secrets", "headers")}
        shown |= {name: value for name, value in channel.items() if name != "lines"}
    return {name: _hidden(name, value) for name, value in shown.items()}


def _hidden(name: str, value: Any) -> Any:
    """Return a value of an endpoint without what is secret of it."""
    if name == "url":
        return _host_alone(value)
    if name in SECRETS and value:
        return _all_hidden(value)
    return value


def _all_hidden(value: Any) -> Any:
    match value:
        case dict():
            return dict.fromkeys(value, HIDDEN)
        case list():
            return [HIDDEN] * len(value)
        case _:
            return HIDDEN


def _host_alone(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return f"{url.partition('://')[0]}://{HIDDEN}"  # an address of Apprise, any part of which may be one
    return f"{parts.scheme}://{parts.netloc}/" + (HIDDEN if parts.path.strip("/") or parts.query else "")


def _plain(value: object) -> Any:
    match value:
        case tuple():
            return [_plain(part) for part in value]
        case dict():
            return {name: _plain(part) for name, part in value.items()}
        case timedelta():
            return spelled(value)
        case Path() | PostgresAddress() | IPv4Network() | IPv6Network() | tzinfo():
            return str(value)
        case _ if dataclasses.is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return value
