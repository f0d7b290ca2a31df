"""Rules that are new or edited, which wait to be applied to what is stored."""

import asyncio
from collections.abc import Sequence

import structlog

from syndicate.backfill import WINDOW, Backfill, Known, backfill, keep_words_anew, state_of
from syndicate.errors import StoreError
from syndicate.model import Recorded
from syndicate.rules.rule import Rule
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)


class NewRules:
    """Applies them one after another. `matches` says how many items each rule was found to hold for."""

    def __init__(self, store: Store, call: StoreThread) -> None:
        self.matches: dict[str, int] = {}
        self._store = store
        self._call = call
        self._waiting: list[Rule] = []
        self._applied = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many are not applied yet."""
        return len(self._waiting)

    def add(self, new: Sequence[str], known: Known) -> None:
        """Have the rules with these ids applied, those of them first that waited before."""
        unseen = set(new)
        names = dict.fromkeys([*(rule.id for rule in self._waiting if rule.id in unseen), *new])
        self._waiting = [known.rules[name] for name in names]

    async def wait_until_applied(self) -> None:
        """Wait until all were applied once, or told to stop."""
        await self._applied.wait()

    async def apply(self, known: Known, stop: asyncio.Event) -> None:
        """Apply what waits to the items of the last days; first have all items kept as words are found now.

        Raises:
            StoreError: the rest still waits.
        """
        anew = await keep_words_anew(self._store, self._call, stop)
        if anew:
            log.info("items.kept_anew", items=anew, reason="words are found in another way than before")
        await self._skip()
        while self._waiting and not stop.is_set():
            rule = self._waiting[0]
            try:
                recorded = await self._apply(rule, known, stop)
            except StoreError:
                raise
            except Exception:
                log.exception("rule.not_backfilled", rule=rule.id)
            else:
                if recorded is None:
                    break
            self._waiting.remove(rule)  # what fails by a defect of ours would fail again
        self._applied.set()

    async def _skip(self) -> None:
        """Be done with new rules at once, however many, while nothing is stored."""
        if self._waiting:
            is_done = await self._call(self._store.skip_backfill, [*map(state_of, self._waiting)])
            if is_done:
                self._waiting.clear()

    async def _apply(self, rule: Rule, known: Known, stop: asyncio.Event) -> Recorded | None:
        todo = Backfill(rule=rule, since=self._store.now() - WINDOW)
        recorded = await backfill(self._store, self._call, todo, known, stop)
        if recorded and recorded.matched:
            self.matches[rule.id] = recorded.matched
            log.info(
                "rule.backfilled",
                rule=rule.id,
                matches=recorded.matched,
                reason="new or edited: applied to the last 30 days, without alerts",
            )
        return recorded
