"""Which alerts a silence is about."""

from datetime import UTC, datetime

import pytest

from syndicate.model import SilenceDraft
from syndicate.store.silencing import Subject, is_silenced


@pytest.mark.parametrize(
    ("pattern", "tag", "is_silent"),
    [
        ("kz", "kz", True),
        ("kz", "kzt", False),
        ("k*", "kz", True),
        ("*z", "kz", True),
        ("k*z*", "kz", True),
        ("k*z", "kzt", False),
        ("*", "kz", True),
        ("[kz]", "[kz]", True),
        ("[kz]", "k", False),
        ("why?", "why?", True),
        ("why?", "whys", False),
        ("k.", "kz", False),
    ],
)
def test_only_a_star_stands_for_other_letters(pattern, tag, is_silent):
    draft = SilenceDraft(author="ann", reason="r", expires_at=datetime(2026, 1, 1, tzinfo=UTC), tag=pattern)
    assert is_silenced(draft, Subject(endpoint="desk", tags=(tag,))) == is_silent
