"""What came back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from syndicate.model import Certificate


class Headers(Mapping[str, str]):
    """Header fields by name, in any case; a repeated field's values are joined by commas (RFC 9110 5.2).

    Bytes are decoded as Latin-1, so that `.encode("latin-1")` gives back what was sent.
    """

    __slots__ = ("_value_by_name",)

    def __init__(self, fields: tuple[tuple[bytes, bytes], ...]) -> None:
        self._value_by_name: dict[str, str] = {}
        for raw_name, raw_value in fields:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            before = self._value_by_name.get(name)
            self._value_by_name[name] = value if before is None else f"{before}, {value}"

    def __getitem__(self, name: str) -> str:
        return self._value_by_name[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._value_by_name)

    def __len__(self) -> int:
        return len(self._value_by_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """One hop."""

    status: int  # 301, 302, 303, 307 or 308
    url_from: str
    url_to: str

    @property
    def is_downgrade(self) -> bool:
        """Whether it leads from https to http, where anyone on the way can read and change what is sent."""
        return self.url_from.startswith("https:") and self.url_to.startswith("http:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A complete answer."""

    url: str  # that answered in the end, in ASCII, without a fragment
    status: int
    fields: tuple[tuple[bytes, bytes], ...]  # header fields as they came
    headers: Headers  # the same, for reading
    body: bytes  # decoded
    redirects: tuple[Redirect, ...]
    elapsed: timedelta
    received_bytes: int = 0  # of the body, as it came
    certificate: Certificate | None = None  # of who answered; None: without TLS, or not seen

    def raw_header(self, name: str) -> bytes | None:
        """Return the first value of a field as it came, or None where there is none."""
        wanted = name.lower().encode("latin-1")
        return next((value for field, value in self.fields if field.lower() == wanted), None)
