"""Fuzz the reading of documents, guided by what is covered.

    .venv/bin/python tests/fuzz/run.py [-max_total_time=600] [FOLDER]

Needs atheris, which is no part of the environment: `.venv/bin/python -m pip install --group fuzz` puts it
there. It begins with the documents of tests/data, and keeps what it finds interesting in FOLDER (a new one if
none is given). It stops at the first input that is not read as it should be, writes it to a file `crash-...`,
and says why; put the input, without its first two bytes, into tests/data/hostile with a case of its own.
Further words go to libFuzzer: `-help=1` lists them.
"""

import sys
import tempfile
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 16 * 1024  # bytes of an input
SLOWEST_SECONDS = 20
DICTIONARY = ROOT / "tests/fuzz/words.dict"


def main() -> None:
    """Fuzz until something is found, or the time is over."""
    sys.path.insert(0, str(ROOT))
    import atheris  # type: ignore[import-untyped]

    with atheris.instrument_imports(include=["syndicate.sources", "feedparser"]):
        import feedparser  # noqa: F401  it is imported when it is needed

        from tests.fuzz import target

    folders = [word for word in sys.argv[1:] if not word.startswith("-")]
    corpus = Path(folders[0] if folders else tempfile.mkdtemp(prefix="fuzz-"))
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (corpus / sha256(seed).hexdigest()).write_bytes(seed)
    words = [f"-max_len={LONGEST}", f"-timeout={SLOWEST_SECONDS}", f"-dict={DICTIONARY}"]
    options = [word for word in sys.argv[1:] if word.startswith("-")]

    def check(data: bytes) -> None:
        if len(data) > 2:
            target.check(data)

    atheris.Setup([sys.argv[0], *words, *options, str(corpus)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
