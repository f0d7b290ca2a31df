"""`[web]`: who may look at the pages, and what they may change."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator

from syndicate.config import values
from syndicate.config.shapes import Table
from syndicate.config.toml_file import TomlFile
from syndicate.errors import Problem
from syndicate.model import ServiceSettings, WebSettings
from syndicate.passwords import is_hash

# What browsers and programs send by themselves names nobody.
SENT_BY_ALL = frozenset(
    {
        *("accept", "accept-encoding", "accept-language", "authorization", "cache-control", "connection"),
        *("content-length", "content-type", "cookie", "dnt", "forwarded", "host", "origin", "pragma"),
        *("referer", "te", "upgrade-insecure-requests", "user-agent", "via", "x-forwarded-for"),
        *("x-forwarded-host", "x-forwarded-proto", "x-real-ip"),
    }
)


def _hash(text: str) -> str:
    if not is_hash(text):
        raise ValueError("must be what `./run password` prints, which begins with $argon2id$")
    return text


def _proxy_header(text: str) -> str:
    name = values.header_name(text).casefold()
    if name in SENT_BY_ALL or name.startswith("sec-"):
        raise ValueError(
            "is sent by everybody: name the header in which your proxy says who has logged in,"
            ' such as "Remote-User"'
        )
    return text


class WebTable(Table):
    password: Annotated[str, AfterValidator(_hash)] | None = None
    trusted_proxy_header: Annotated[str, AfterValidator(_proxy_header)] | None = None
    edit: bool = False
    images: Literal["off", "proxied"] = "off"


def web_settings(table: WebTable) -> WebSettings:
    """Return who may look at the pages, and what they may change."""
    return WebSettings(
        password=table.password,
        trusted_proxy_header=table.trusted_proxy_header,
        edit=table.edit,
        shows_images=table.images == "proxied",
    )


def open_to_all(file: TomlFile, service: ServiceSettings) -> Iterator[Problem]:
    """Yield a problem if others can reach the port, and nothing is said of who may look."""
    keys = (("web", "password"), ("web", "trusted_proxy_header"))
    is_guarded = any(file.at(*key) is not None for key in keys)  # or what is wrong with it is said already
    if is_guarded or is_loopback(service.host):
        return
    yield file.mistake(
        ("service", "listen"),
        "others can reach this, and could read everything: set password in [web] (`./run password` makes one)"
        ' or trusted_proxy_header, or listen on "127.0.0.1:8080"',
    )


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches a host that is listened on."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"
