from array import array
from collections.abc import Callable
from typing import Any

from syndicate.model import Match

DIGEST: str  # of the source that it was compiled from

class Tongue: ...

class Core:
    def __init__(
        self,
        records: tuple[type, type, type],
        fields: tuple[str, ...],
        classify: Callable[[str], int],
        seed: int,
        atom_count: int,
        flat: tuple[object, ...],
        /,
    ) -> None: ...
    def match(
        self,
        tongue: Tongue,
        title: str,
        body: str,
        author: str,
        categories: str,
        lengths: tuple[int, ...],
        allowed: bytes,
        keeps_words: bool,
        /,
    ) -> tuple[list[Match], list[int], tuple[str, str] | None]: ...
    def tongue(
        self,
        key_by_atom: array[int],
        key_count: int,
        variant: int,
        most: int,
        told: Callable[[str], tuple[Any, ...]],
        /,
    ) -> Tongue: ...
