"""A desk to look at: real rules, a real database, and news that a test makes up."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from syndicate.errors import Problem
from syndicate.loading import Loaded, load, take_over
from syndicate.model import AlertDraft, Change, Entry, Poll
from syndicate.rules.fingerprints import fingerprint, text_key
from syndicate.rules.index import RuleIndex
from syndicate.rules.text import Subject
from syndicate.store.opening import open_store
from syndicate.store.sql_store import SqlStore
from syndicate.web.callbacks import Callbacks
from syndicate.web.hub import Asked
from tests.contract.making import START, Clock, claimed, reading, recorded
from tests.served import NoCallbacks, NoHub

P = ParamSpec("P")
T = TypeVar("T")
PASSWORD = "correct horse battery"
HASH = "$argon2id$v=19$m=65536,t=3,p=4$S9zFXukqAVCaxvyayTV/Aw$fnDgVCVe8gQ2XCdYuZH5OXTdHPZ3lC+m4KUzN6KK0Kw"
SOURCES = """
[[source]]
id = "steppe"
title = "Steppe Wire"
url = "https://steppe.example/rss"

[[source]]
id = "vestnik"
title = "Степной вестник"
url = "https://vestnik.example/rss"

[[source]]
id = "wahat"
title = "صحيفة الواحة"
url = "https://wahat.example/rss"

[[endpoint]]
id = "desk"
url = "https://desk.example/hook"
"""
RULES = {
    "central-asia": """
title = "Central Asia"
keywords = ["Central Asia", "Центральная Азия", "آسيا الوسطى"]
notify = ["desk"]

[examples]
match = ["The EU and Central Asia agreed."]
no_match = ["Football in Europe."]
""",
    "water": """
title = "Water & ice"
query = '''
water AND (treaty OR talks)
OR ледник*
'''
""",
    "scored": """
title = "Weighty"
notify = ["desk"]
feed = false

[score]
threshold = 3
terms = { energy = 2, gas = 2, football = -3 }
""",
}


@dataclass(kw_only=True)
class Dashboard:
    """A View of a configuration that was read from files, and of a database."""

    loaded: Loaded
    store: SqlStore
    clock: Clock
    callbacks: Callbacks = field(default_factory=NoCallbacks)
    hub: Asked = field(default_factory=NoHub)
    refused: tuple[Problem, ...] = ()
    needs_restart: tuple[str, ...] = ()
    started_at: datetime = START

    def now(self) -> datetime:
        return self.store.now()

    async def change(self, unit: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(unit, *args, **kwargs)

    def report(self, source: str, *entries: Entry, alerts: bool = False) -> None:
        """Poll a source and find these entries, as they are matched.

        Args:
            alerts: whether endpoints are to be told of them.
        """
        poll = reading(self.store, claimed(self.store, source), *entries, watches=())
        changes = tuple(self._matched(poll, change, alerts=alerts) for change in poll.changes)
        recorded(self.store, replace(poll, changes=changes))

    def _matched(self, poll: Poll, change: Change, *, alerts: bool) -> Change:
        entry = change.entry
        subject = Subject(
            title=entry.title,
            body=entry.body,
            author=entry.author,
            categories=entry.categories,
            link=entry.link or "",
            source=poll.claim.source.id,
            language=entry.language,
            published=entry.published,
        )
        matches = tuple(RuleIndex(list(self.loaded.rules)).match(subject, self.now()))
        if not matches:
            return change
        key = text_key(entry.title, entry.body)
        return replace(
            change,
            matches=matches,
            story_keys=(*change.story_keys, *((key,) if key else ())),
            fingerprint=fingerprint(entry.title, entry.body, entry.language),
            alerts=tuple(
                AlertDraft(rule=match.rule, endpoint=endpoint)
                for match in matches
                for endpoint in self.loaded.known.rules[match.rule].notify
                if alerts
            ),
        )


def configuration(
    folder: Path,
    *,
    service: str = "",
    web: str = "",
    sources: str = SOURCES,
    rules: dict[str, str] | None = None,
) -> Loaded:
    """Write a configuration and read it as the service does."""
    (folder / "rules").mkdir(exist_ok=True)
    for name, text in (RULES if rules is None else rules).items():
        (folder / f"rules/{name}.toml").write_text(text, encoding="utf-8")
    text = f'[service]\ntitle = "Desk"\n{service}\n[web]\n{web}\n{sources}'
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return load(folder / "config.toml", {})


@contextmanager
def dashboard(loaded: Loaded) -> Iterator[Dashboard]:
    """Open a database under a configuration."""
    clock = Clock()
    store = open_store(loaded.config.service.database, clock)
    try:
        take_over(loaded, store)
        yield Dashboard(loaded=loaded, store=store, clock=clock)
    finally:
        store.close()
