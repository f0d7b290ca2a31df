"""Bodies: put together and decompressed within bounds, piece by piece."""

import zlib
from collections.abc import Iterable

from syndicate.errors import LimitError, NetworkError

ACCEPT_ENCODING = b"gzip, deflate"

_KIB = 1024
_MIB = 1024 * 1024
_MAX_MEMBERS = 1000  # of one gzip body: empty ones cost time and give nothing


class BodyReader:
    """Takes a body as it arrives; `body` is what it says so far."""

    def __init__(self, encoding: str | None, max_bytes: int) -> None:
        self.body = bytearray()
        self._max_bytes = max_bytes
        self._received = 0
        self._inflater = _Inflater(encoding) if encoding else None

    def expect(self, content_length: str | None) -> None:
        """Hear how long the body is to be, before any of it comes.

        Raises:
            LimitError: longer than it may be.
        """
        if content_length and content_length.isdigit() and int(content_length) > self._max_bytes:
            raise LimitError(f"its body is longer than {spelled_size(self._max_bytes)}")

    def feed(self, data: bytes) -> None:
        """Take the next piece.

        Raises:
            LimitError: the body is longer than it may be; `body` is exactly as long as it may be.
            NetworkError: it is not compressed as it claims to be.
        """
        self._received += len(data)
        if self._inflater is None:
            self._append(data)
            return
        # What decompresses to nothing has to end too.
        if self._received > self._max_bytes + 64 * _KIB:
            raise LimitError(f"its body is longer than {spelled_size(self._max_bytes)}")
        while data:
            piece, data = self._inflater.inflate(data, self._max_bytes - len(self.body) + 1)
            self._append(piece)

    def finish(self) -> None:
        """Say that nothing more will come.

        Raises:
            NetworkError: the compressed data broke off.
        """
        if self._inflater is not None and self._received and not self._inflater.is_complete:
            raise NetworkError(f"its body ended in the middle of its {self._inflater.name} data")

    def _append(self, piece: bytes) -> None:
        room = self._max_bytes - len(self.body)
        self.body += piece[:room]
        if len(piece) > room:
            unpacked = " after decompression" if self._inflater else ""
            raise LimitError(f"its body is longer than {spelled_size(self._max_bytes)}{unpacked}")


def content_encoding(values: Iterable[str]) -> str | None:
    """Return how a body is compressed, from all Content-Encoding fields: gzip, deflate or None.

    Raises:
        LimitError: more than one encoding, or one that was not asked for.
    """
    tokens = [token.strip().lower() for value in values for token in value.split(",")]
    encodings = [token.removeprefix("x-") for token in tokens if token not in ("", "identity")]
    if not encodings:
        return None
    if len(encodings) > 1:
        raise LimitError(f"its body is encoded {len(encodings)} times over; once is allowed")
    if encodings[0] not in ("gzip", "deflate"):
        raise LimitError(f"its body has a content encoding we did not ask for: {ascii(encodings[0])[:40]}")
    return encodings[0]


def spelled_size(length_bytes: int) -> str:
    """Return a size in the largest unit that divides it: 15 MiB, 64 KiB, 1000 bytes."""
    for unit, name in ((_MIB, "MiB"), (_KIB, "KiB")):
        if length_bytes and length_bytes % unit == 0:
            return f"{length_bytes // unit} {name}"
    return f"{length_bytes} bytes"


class _Inflater:
    """gzip with any number of members (RFC 1952 2.2), or deflate, wrapped or raw (RFC 9110 8.4.1.2)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._stream = zlib.decompressobj(wbits=31) if name == "gzip" else None
        self._head = b""  # of deflate data, until it shows whether it is wrapped
        self._members = 1
        self._has_padding = False

    @property
    def is_complete(self) -> bool:
        return self._stream is not None and self._stream.eof

    def inflate(self, data: bytes, max_length: int) -> tuple[bytes, bytes]:
        """Return up to so many bytes, and what of the data is left for another call."""
        if self._stream is None:
            data, self._head = self._head + data, b""
            if len(data) < 2:
                self._head = data
                return b"", b""
            self._stream = zlib.decompressobj(wbits=15 if _is_zlib(data) else -15)
        if self._stream.eof:
            # Like browsers, take for padding whatever follows and is no other member.
            self._has_padding |= self.name != "gzip" or not data.startswith(b"\x1f")
            if self._has_padding:
                return b"", b""
            self._stream = self._next_member()
        try:
            piece = self._stream.decompress(data, max_length)
        except zlib.error as error:
            raise NetworkError(f"its body is no valid {self.name} data") from error
        return piece, self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail

    def _next_member(self) -> "zlib._Decompress":
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise LimitError(f"its body consists of more than {_MAX_MEMBERS} gzip members")
        return zlib.decompressobj(wbits=31)


def _is_zlib(data: bytes) -> bool:
    """Return whether data begins with a zlib header (RFC 1950 2.2); some servers send bare deflate data."""
    return data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
