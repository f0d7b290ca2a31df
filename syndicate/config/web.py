"""`[web]`: who may look at the pages, and what they may change."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from syndicate.config import values
from syndicate.config.shapes import Line, Table
from syndicate.config.toml_file import TomlFile
from syndicate.config.toml_lines import Key
from syndicate.errors import Problem
from syndicate.model import ApiToken, ServiceSettings, TokenScope, WebSettings
from syndicate.passwords import is_hash
from syndicate.tokens import is_digest, is_token

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


def _digest(text: str) -> str:
    if is_token(text):
        raise ValueError(
            "is a token, and this is no place for one: make a new one (`./run token`), whose digest it prints"
        )
    if not is_digest(text):
        raise ValueError("must be what `./run token` prints, which begins with sha256:")
    return text


def _scope(value: object) -> TokenScope:
    try:
        return TokenScope(str(value))
    except ValueError:
        near = values.suggestion(str(value), TokenScope)
        raise ValueError(f"{values.quoted(str(value))} is no scope{near}") from None


def _some(scopes: list[TokenScope]) -> list[TokenScope]:
    if not scopes:
        raise ValueError(f"must name what the token lets do: {', '.join(TokenScope)}")
    return scopes


def _several(value: object) -> object:
    if isinstance(value, dict):
        raise ValueError("write [[web.token]] with two brackets, since there can be many")
    return value


class TokenTable(Table):
    """`[[web.token]]`: a program that may use the API."""

    name: Line
    digest: Annotated[str, AfterValidator(_digest)]
    scopes: Annotated[list[Annotated[TokenScope, BeforeValidator(_scope)]], AfterValidator(_some)]


class WebTable(Table):
    password: Annotated[str, AfterValidator(_hash)] | None = None
    trusted_proxy_header: Annotated[str, AfterValidator(_proxy_header)] | None = None
    edit: bool = False
    images: Literal["off", "proxied"] = "off"
    token: Annotated[list[TokenTable], BeforeValidator(_several)] = Field(default_factory=list)


def web_settings(table: WebTable) -> WebSettings:
    """Return who may look at the pages, and what they may change."""
    return WebSettings(
        password=table.password,
        trusted_proxy_header=table.trusted_proxy_header,
        edit=table.edit,
        shows_images=table.images == "proxied",
        tokens=tuple(map(_token, table.token)),
    )


def _token(table: TokenTable) -> ApiToken:
    return ApiToken(name=table.name, digest=table.digest, scopes=tuple(table.scopes))


def token_problems(file: TomlFile) -> Iterator[Problem]:
    """Yield what is wrong with the tokens taken together, and with the scopes of each."""
    keys = _token_keys(file)
    taken = {"name": "is taken by the token in line {}", "digest": "is that of the token in line {}"}
    for name, why in taken.items():
        first_by_value: dict[str, Key] = {}
        for key in keys:
            value = file.at(*key, name)
            if not isinstance(value, str) or file.is_unfilled((*key, name)):
                continue
            first = first_by_value.setdefault(value.strip(), key)
            if first != key:
                yield file.mistake((*key, name), why.format(file.line((*first, name))))
    for key in keys:
        yield from file.repeats(*key, "scopes")


def _token_keys(file: TomlFile) -> list[Key]:
    tables: Any = file.at("web", "token")
    return [
        ("web", "token", number)
        for number, table in enumerate(tables if isinstance(tables, list) else [])
        if isinstance(table, dict)
    ]


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
