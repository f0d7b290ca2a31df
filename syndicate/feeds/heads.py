"""The heads of feeds as they were written last: an entry that is as it was is copied, and not made again.

Of a feed of 100 entries, one is new most of the time. To read the articles of the others and to render them
takes several times as long as to copy them from the file that is there (benchmarks/publish.py). Only where
each entry is has to be kept: the file is read when it is to be replaced, and trusted if it is the one that
was written.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Self

from syndicate.feeds.documents import Frame
from syndicate.feeds.publish import Identity, read, replace

KEY_BYTES = 16


def key_of(state: str, circumstances: str) -> bytes:
    """Return what an entry is told from others by, made of all that it is rendered from.

    Args:
        state: of what is stored (`ListedEntry.state`).
        circumstances: all else, such as the titles that it names.
    """
    hashed = blake2b(state.encode(errors="surrogatepass"), digest_size=KEY_BYTES)
    hashed.update(b"\0" + circumstances.encode(errors="surrogatepass"))
    return hashed.digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is kept of the entries of a document, in its order; documents of the same entries share it."""

    keys: bytes  # KEY_BYTES each
    updated: "array[int]"  # seconds since 1970

    @classmethod
    def of(cls, keys: Sequence[bytes], updated: Sequence[datetime]) -> Self:
        """Return the listing of entries with these keys."""
        return cls(keys=b"".join(keys), updated=array("q", (int(each.timestamp()) for each in updated)))

    def first(self, count: int | None) -> "Listing":
        """Return that of the first entries; None: of all."""
        if count is None or count >= len(self.updated):
            return self
        return Listing(keys=self.keys[: count * KEY_BYTES], updated=self.updated[:count])

    def each_key(self) -> Iterator[bytes]:
        """Yield the keys."""
        return (self.keys[start : start + KEY_BYTES] for start in range(0, len(self.keys), KEY_BYTES))

    def by_key(self) -> dict[bytes, datetime]:
        """Return when each entry changed for readers, to the second in UTC."""
        instants = (datetime.fromtimestamp(seconds, UTC) for seconds in self.updated)
        return dict(zip(self.each_key(), instants, strict=True))


_NONE = Listing.of((), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """A document as it is before it is written."""

    file: tuple[Identity, bytes] | None  # None: it is not there
    entries: Mapping[bytes, bytes]  # by key; none if others wrote it
    listing: Listing  # of these


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """Where the entries of a file are."""

    identity: Identity
    listing: Listing
    ends: "array[int]"  # offsets: where the first begins, and where each ends together with what is between
    between: int  # bytes


class Heads:
    """Reads and replaces documents, from any thread; the same one in one thread at a time."""

    def __init__(self) -> None:
        self._written: dict[Path, _Written] = {}

    def old(self, path: Path) -> Old:
        """Return what is at a path.

        Raises:
            StoreError: it cannot be read.
        """
        file = read(path)
        written = self._written.get(path)
        if file is None or written is None or written.identity != file[0]:
            return Old(file=file, entries={}, listing=_NONE)
        places = zip(written.listing.each_key(), pairwise(written.ends), strict=True)
        entries = {key: file[1][start : end - written.between] for key, (start, end) in places}
        return Old(file=file, entries=entries, listing=written.listing)

    def write(self, path: Path, old: Old, frame: Frame, listing: Listing, entries: Sequence[bytes]) -> bool:
        """Put a document where the path is; return whether that changed it. It is not settled then.

        Args:
            old: what is there, from `old`.
            listing: of the entries.

        Raises:
            StoreError: what was there still is.
        """
        data = frame.filled(entries)
        if old.file is not None and old.file[1] == data:
            identity, has_changed = old.file[0], False
        else:
            identity, has_changed = replace(path, data), True
        lengths = (len(entry) + len(frame.between) for entry in entries)
        self._written[path] = _Written(
            identity=identity,
            listing=listing,
            ends=array("Q", accumulate(lengths, initial=len(frame.before))),
            between=len(frame.between),
        )
        return has_changed
