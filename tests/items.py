"""An item to tell of."""

from datetime import UTC, datetime, timedelta, timezone

from syndicate.model import Item

NOW = datetime(2026, 11, 24, 2, 0, 0, 250_000, tzinfo=UTC)

ITEM = Item(
    id=7,
    source="wire",
    entry_id="tag:example.org,2026:7",
    revision=2,
    story=5,
    guid="wire-7",
    link="https://wire.example/7?a=1&b=2",
    title="Страны Центральной Азии и ЕС 🐎",
    body="ЕС принял стратегию.\nA “new” one.",
    summary="ЕС принял стратегию.",
    content_html="<p>…</p>",
    author="Айгуль",
    categories=("Политика", "EU"),
    language="ru",
    published=datetime(2026, 11, 24, 6, 30, tzinfo=timezone(timedelta(hours=5))),
    updated=None,
    first_seen=NOW,
    changed_at=NOW,
    noticed_at=NOW,
)
