"""A claim to begin with, for tests of what follows from a poll."""

from datetime import UTC, datetime

from syndicate.model import Claim, Source, Validators

URL = "https://a.example/rss"
FIRST_CLAIM = Claim(  # of a source that was never polled
    source=Source(id="wire", title="Wire", urls=(URL,)),
    token="t",
    url=URL,
    address=URL,
    is_last_address=True,
    validators=Validators(),
    body_hash=None,
    failures=0,
    last_success_at=None,
    last_success_url=None,
    has_baseline=False,
    moved_to=None,
    moved_count=0,
    due_at=datetime(2026, 11, 24, tzinfo=UTC),
)
