"""The table of addresses that must never be asked."""

from codecs import decode

from tests.support import ROOT


def _hostile() -> list[tuple[str, str]]:
    lines = (ROOT / "tests/data/addresses/hostile.txt").read_text("ascii").splitlines()
    pairs = (line.split(" -> ") for line in lines if line and not line.startswith("#"))
    return [(decode(url, "unicode_escape"), words) for url, words in pairs]


HOSTILE = _hostile()
