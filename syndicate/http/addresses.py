"""Which URLs and which IP addresses may be asked. Pure: nothing here looks a name up.

`ipaddress.is_global` is no filter (it lets NAT64, 6to4 and multicast through, and versions differ), so the
tables are written out, and an address that carries another one is judged by both.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, urljoin

import idna

from syndicate.errors import RefusedError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL_LENGTH = 8192

# https://www.iana.org/assignments/iana-ipv4-special-registry, and what clouds answer to inside
_DENIED_IPV4 = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "this host"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier's private address"),
        ("127.0.0.0/8", "this machine"),
        ("168.63.129.16/32", "a cloud's metadata service"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "an address of special use"),
        ("192.0.2.0/24", "an address for documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "an address for benchmarks"),
        ("198.51.100.0/24", "an address for documentation"),
        ("203.0.113.0/24", "an address for documentation"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)

# https://www.iana.org/assignments/iana-ipv6-special-registry; what lies outside `_PUBLIC_IPV6` needs no entry
_DENIED_IPV6 = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::1/128", "this machine"),
        ("::/128", "this host"),
        ("64:ff9b:1::/48", "a translated address of a local network"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
        ("2001::/23", "an address of special use"),  # Teredo among them
        ("2001:db8::/32", "an address for documentation"),
        ("3fff::/20", "an address for documentation"),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_TEREDO = IPv6Network("2001::/32")
_6TO4 = IPv6Network("2002::/16")
_COMPATIBLE = IPv6Network("::/96")
_PUBLIC_IPV6 = (IPv6Network("2000::/3"), _NAT64)

_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]*))?")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\s\ud800-\udfff]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# RFC 3986 2.2 and 2.3; "%" because escapes stay as they were written
_URL_CHARACTERS = "!$&'()*+,;=:@/?%-._~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An address on the web that every parser reads alike."""

    scheme: str  # http or https
    host: str  # ASCII and lower-case; an IPv6 address without brackets
    port: int
    resource: str  # path and query, as they are sent

    @property
    def origin(self) -> tuple[str, str, int]:
        """What must be the same for secrets to be told (RFC 6454 4)."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The host as a URL has it, with the port unless that goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole, without a fragment, in ASCII."""
        return f"{self.scheme}://{self.authority}{self.resource}"

    @property
    def address(self) -> Address | None:
        """The IP address that the host is; None for a name."""
        return as_address(self.host)


@lru_cache(256)
def target(url: str) -> Target:
    """Return what a URL leads to.

    Strict where parsers are known to disagree, since a check of one reading is no check of another. Letters
    outside ASCII are spelled as browsers spell them: the host by IDNA (UTS 46), the rest percent-encoded.

    Raises:
        RefusedError: with what is wrong, but without the URL, which may hold a secret.
    """
    _check_characters(url)
    parts = _URL.fullmatch(url)
    if parts is None:
        raise RefusedError("its address does not begin with http:// or https://")
    scheme = parts[1].lower()
    host, port = _host_and_port(parts[2])
    resource = quote(parts[3] or "/", safe=_URL_CHARACTERS) + quote(parts[4] or "", safe=_URL_CHARACTERS)
    _check_length(resource)
    return Target(scheme=scheme, host=host, port=port or _DEFAULT_PORTS[scheme], resource=resource)


def joined(base: Target, reference: str) -> Target:
    """Return what a Location leads to, seen from the address that gave it (RFC 3986 5).

    Raises:
        RefusedError: as `target` does.
    """
    _check_characters(reference)  # first, since joining drops some
    if _SCHEME.match(reference):
        return target(reference)
    if reference.startswith("//"):
        return target(f"{base.scheme}:{reference}")
    return target(urljoin(base.url, reference))


def refusal(address: Address, allowed: Sequence[Network]) -> str | None:
    """Return why an address may not be asked, and how to allow it; None if it may."""
    for face in _faces(address):
        kind = _denied_kind(face)
        if kind and not any(face in network for network in allowed):
            which = "which" if face == address else f"which stands for {face} and"
            entry = f"{face}/{face.max_prefixlen}"
            return f"{address}, {which} is not public ({kind}); to allow it: {_setting(entry)}"
    return None


@lru_cache(1024)
def as_address(text: str) -> Address | None:
    """Return the IP address that a text is, if it is one; a zone is left out."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _check_characters(url: str) -> None:
    _check_length(url)
    if _FORBIDDEN.search(url):
        raise RefusedError("its address contains a space or a control character")
    if "\\" in url:
        raise RefusedError("its address contains a backslash")


def _check_length(url: str) -> None:
    if len(url) > MAX_URL_LENGTH:
        raise RefusedError(f"its address is longer than {MAX_URL_LENGTH} characters")


def _setting(entry: str) -> str:
    return f'allow_private = ["{entry}"] in [network] of config.toml'


@lru_cache(1024)
def _host_and_port(authority: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise RefusedError("its address has a user name or password before the host")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise RefusedError("its address has a host and port that can't be read")
    host = _ipv6(parts[1][1:-1]) if parts[1].startswith("[") else _name(parts[1])
    return host, _port(parts[2])


def _port(text: str | None) -> int | None:
    if not text:
        return None
    if len(text) > 5 or not 1 <= int(text) <= 65535:
        raise RefusedError("its address has a port that is not between 1 and 65535")
    return int(text)


def _ipv6(text: str) -> str:
    if "%" in text:
        raise RefusedError("its address names a network interface (a zone) after the host")
    try:
        return str(IPv6Address(text))
    except AddressValueError:
        raise RefusedError("its address has brackets around something that is no IPv6 address") from None


def _name(text: str) -> str:
    """Return a name, or a plain IPv4 address; 127.1 and 0x7f000001 are neither (WHATWG URL 3.5)."""
    if not text.strip("."):
        raise RefusedError("its address has no host")
    host = _ascii(text.lower()).removesuffix(".")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(text)
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise RefusedError("its address has a host that is no valid name")
    return host


def _ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise RefusedError("its address has a number as host that is no IPv4 address of four parts") from None


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    try:
        return idna.encode(text, uts46=True, transitional=False).decode()
    except UnicodeError:
        raise RefusedError("its address has a host that is no valid international name (IDNA)") from None


@lru_cache(1024)
def _denied_kind(address: Address) -> str | None:
    if isinstance(address, IPv4Address):
        return next((kind for network, kind in _DENIED_IPV4 if address in network), None)
    for network, kind in _DENIED_IPV6:
        if address in network:
            return kind
    return None if any(address in network for network in _PUBLIC_IPV6) else "no public address"


def _faces(address: Address) -> Iterator[Address]:
    """Yield everything that asking an address may reach: itself, and the IPv4 addresses that it carries."""
    if isinstance(address, IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped  # the very same thing in another spelling
        return
    yield IPv6Address(address.packed)  # without a zone
    yield from _carried(address.packed, address)


def _carried(packed: bytes, address: IPv6Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses inside an IPv6 address."""
    if address in _NAT64 or address in _LOCAL_NAT64 or address in _COMPATIBLE:
        yield IPv4Address(packed[12:])
    if address in _LOCAL_NAT64:
        yield IPv4Address(packed[6:8] + packed[9:11])  # RFC 6052 2.2, with a prefix of 48
    if address in _6TO4:
        yield IPv4Address(packed[2:6])
    if address in _TEREDO:
        yield IPv4Address(packed[4:8])
        yield IPv4Address(bytes(byte ^ 0xFF for byte in packed[12:]))
    if packed[8:12] in (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe"):  # ISATAP, RFC 5214 6.1
        yield IPv4Address(packed[12:])
