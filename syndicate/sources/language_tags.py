"""What documents say of their language."""

import re

_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_MAX_TAG = 35


def language_tag(written: str | None) -> str | None:
    """Return a language tag as BCP 47 writes it; None when it is none."""
    if not written:
        return None
    tag = written.strip().replace("_", "-")
    return tag if len(tag) <= _MAX_TAG and _TAG.fullmatch(tag) else None
