"""What single values of the configuration mean. Each function takes a text and raises ValueError in words.

No text of an error repeats an address, a secret or a header's value.
"""

import base64
import binascii
import difflib
import importlib.util
import re
from collections.abc import Iterable
from datetime import UTC, tzinfo
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

LEAST_TOKEN, MOST_TOKEN = 16, 128  # characters

_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{LEAST_TOKEN},{MOST_TOKEN}}}")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")  # the shape of BCP 47 (RFC 5646 2.1)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 5.6.2
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9.])?")
_PORT = re.compile(r"[0-9]{1,5}")
POSTGRES = "postgresql://"
_OTHER_NAME = re.compile(r"(?i)^postgres(?:ql)?://")
_DATABASE = (
    'must be the path of an SQLite file, such as "data/syndicate.db", or an address of PostgreSQL, such as'
    ' "postgresql://user:password@host/database", with %23 for a # in the password, %2F for / and %3F for ?'
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

OUR_HEADERS = {
    *(
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
    ),
    *("host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"),
    *("webhook-id", "webhook-signature", "webhook-timestamp"),
}


def quoted(value: str) -> str:
    """Return a text in quotes, short enough and safe to show."""
    short = value if len(value) <= 80 else value[:79] + "…"
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short) + '"'


def suggestion(word: str, names: Iterable[str]) -> str:
    """Return how a sentence about an unknown name ends: with the nearest valid one, or with all of a few."""
    name_by_folded = {name.casefold(): name for name in sorted(names)}
    if near := difflib.get_close_matches(word.casefold(), name_by_folded, n=1):
        return f"; did you mean {quoted(name_by_folded[near[0]])}?"
    return f"; known: {', '.join(name_by_folded.values())}" if 0 < len(name_by_folded) <= 12 else ""


def identifier(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(
            f"{quoted(text)} is no id: at most 64 lower-case letters, digits and hyphens, the first no hyphen"
        )
    return text


def line_of_text(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    if has_controls(text):
        raise ValueError("must be one line, without control characters")
    return text.strip()


def query(text: str) -> str:
    """Return what a rule asks; whether it is one is seen when the rule is compiled."""
    if not text.strip():
        raise ValueError("must not be blank")
    if has_controls(text.replace("\n", " ").replace("\t", " ")):
        raise ValueError("must have no control characters; in double quotes \\b is one: use single quotes")
    return text


def term(text: str) -> str:
    """Return a query that is a key, where variables are not filled in."""
    if "${" in text:
        raise ValueError("a term can have no variable: write what it stands for")
    return query(text)


def has_controls(text: str) -> bool:
    return any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in text)


def web_address(text: str) -> str:
    """Return an http or https address that every parser reads alike."""
    _address_parts(text)
    return text


def base_address(text: str) -> str:
    """Return an address that others are made from, without a slash at its end."""
    parts = _address_parts(text)
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ValueError("must have nothing after its path, neither ? nor #")
    return text.rstrip("/")


def _address_parts(text: str) -> SplitResult:
    # Parsers disagree about http://example.com\@127.0.0.1/ and drop tabs and line ends.
    if has_controls(text) or "\\" in text or any(c.isspace() for c in text):
        raise ValueError("must be a web address without spaces, backslashes or control characters")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("is no web address: its host or port can't be read") from error
    if parts.scheme not in ("http", "https") or not text.casefold().startswith(f"{parts.scheme}://"):
        raise ValueError("must begin with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("must have no user name or password before its host")
    if not host:
        raise ValueError("has no host")
    return parts


def language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise ValueError(f'{quoted(text)} is no language: write a code such as "en", "ru" or "kk-Cyrl"')
    if meant := meant_language(text):
        raise ValueError(f"{quoted(text)} is not how a language is called: did you mean {quoted(meant)}?")
    return text


def meant_language(text: str) -> str | None:
    """Return the language code that somebody meant who wrote another: a country's, or three letters."""
    return _MEANT_LANGUAGES.get(text.lower())


# BCP 47 takes the shortest code that a language has (RFC 5646 2.2.1).
_MEANT_LANGUAGES = {
    "kz": "kk", "kaz": "kk", "rus": "ru", "eng": "en", "uzb": "uz", "ua": "uk", "ukr": "uk",
    "kir": "ky", "tj": "tg", "tgk": "tg", "tm": "tk", "tuk": "tk", "cn": "zh", "zho": "zh", "chi": "zh",
    "jp": "ja", "jpn": "ja", "kor": "ko", "cz": "cs", "ces": "cs", "gr": "el", "ell": "el",
    "dk": "da", "ger": "de", "deu": "de", "fra": "fr", "fre": "fr", "spa": "es", "ita": "it", "por": "pt",
    "tur": "tr", "pol": "pl", "ara": "ar", "by": "be", "ge": "ka", "mon": "mn", "aze": "az",
}  # fmt: skip


def network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        whole = ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(
            f'{quoted(text)} is no address or network: write one such as "127.0.0.0/8" or "::1"'
        ) from error
    raise ValueError(f'{quoted(text)} is an address within a network: write "{whole}" for all of it')


def listen(text: str) -> tuple[str, int]:
    """Return host and port; port 0 is any free one."""
    host, colon, port = text.rpartition(":")
    if not colon or not _PORT.fullmatch(port) or int(port) > 65_535 or not _is_host(host):
        raise ValueError(
            f'{quoted(text)} must be host:port, such as "127.0.0.1:8080", "0.0.0.0:80" or "[::1]:8080"'
        )
    return host.strip("[]"), int(port)


def _is_host(text: str) -> bool:
    if not text.startswith("["):
        return bool(_HOST.fullmatch(text))
    try:
        return ip_address(text[1:-1]).version == 6 and text.endswith("]")
    except ValueError:
        return False


def host(text: str) -> str:
    """Return a host's name or address, an IPv6 address without brackets."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ip_address(bare))
    except ValueError:
        pass
    if not _HOST.fullmatch(text):
        raise ValueError('must be the name of a host, or its address, such as "mail.desk.example"')
    return text


def time_zone(text: str) -> tzinfo:
    """Return a time zone by its name in the IANA database: the system's, else that of the package tzdata."""
    if text == "UTC":
        return UTC
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = suggestion(text, available_timezones()) or ': write one such as "Europe/Brussels" or "UTC"'
        raise ValueError(f"{quoted(text)} is no time zone{near}") from None


def token(text: str) -> str:
    """Return a part of an address that nobody can guess, and that every file system takes."""
    if not _TOKEN.fullmatch(text):
        raise ValueError(
            f"must be {LEAST_TOKEN} to {MOST_TOKEN} letters, digits, - or _, which nobody can guess: "
            "make one with `openssl rand -hex 16`"
        )
    return text


def selector(text: str) -> str:
    """Return a CSS selector that the parser of web pages understands."""
    try:
        LexborHTMLParser("").css(line_of_text(text))
    except SelectolaxError:
        raise ValueError(f'{quoted(text)} is no CSS selector: write one such as "h3 a" or ".news"') from None
    return text.strip()


def inner(text: str) -> str:
    """Return a selector that leaves a page standing."""
    if text.casefold() in ("*", "html", "body", ":root"):
        raise ValueError(f"{quoted(text)} is the whole page, of which nothing would be left")
    return text


def link_pattern(text: str) -> str:
    """Return a pattern that addresses of articles can have."""
    if not text.startswith(("/", "*", "http://", "https://")) or has_controls(text) or " " in text:
        raise ValueError(f'{quoted(text)} must begin with / or https://, such as "/news/*" or "/20*/**"')
    return text


def path(text: str) -> str:
    if not text.strip() or has_controls(text):
        raise ValueError("must be a path")
    if text.startswith("~"):
        raise ValueError("~ has no meaning here: write ${HOME}")
    return text


def database(text: str) -> str:
    if text.casefold().startswith(("postgresql:", "postgres:")):
        return _postgres_address(text)
    if _SCHEME.match(text) or text.startswith(":"):
        raise ValueError(_DATABASE)
    return path(text)


def is_postgres(text: str) -> bool:
    """Whether a database is an address of PostgreSQL, not a path."""
    return text.startswith(POSTGRES)


def _postgres_address(text: str) -> str:
    address = _OTHER_NAME.sub(POSTGRES, text)
    if not is_postgres(address) or has_controls(address) or " " in address or not _is_split(address):
        raise ValueError(_DATABASE)
    if importlib.util.find_spec("psycopg") is None or importlib.util.find_spec("psycopg_pool") is None:
        raise ValueError(
            'psycopg is not installed: pip install "syndicate[postgres]", or with ./run:'
            ' .venv/bin/python -m pip install "psycopg[binary,pool]"'
        )
    return address


def _is_split(address: str) -> bool:
    try:
        parts = urlsplit(address)
        is_whole = (
            "#" not in address and "@" not in parts.path + parts.query
        )  # else a password has one of # / ?
        return is_whole and (parts.port is None or parts.port > 0)
    except ValueError:  # whose text may quote the password
        return False


def secret(text: str) -> str:
    """Return a signing secret (Standard Webhooks: `whsec_` and 24 to 64 bytes in base64)."""
    if not text.startswith("whsec_"):
        raise ValueError("must begin with whsec_, then 24 to 64 random bytes in base64")
    try:
        length_bytes = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("is not base64 after whsec_: was it cut off?") from None  # whose text may quote
    if not 24 <= length_bytes <= 64:
        raise ValueError(f"must have 24 to 64 bytes in base64 after whsec_, and has {length_bytes}")
    return text


def header_name(text: str) -> str:
    if not _HEADER_NAME.fullmatch(text):
        raise ValueError("is no name that a header can have")
    if text.casefold() in OUR_HEADERS:
        raise ValueError("is a header that Syndicate sets itself")
    return text


def header_value(text: str) -> str:
    if not _HEADER_VALUE.fullmatch(text):
        raise ValueError("must be printable ASCII, neither empty nor with spaces around it")
    return text
