"""What the web server knows of the rest of the service."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ParamSpec, Protocol, TypeVar

from syndicate.errors import Problem
from syndicate.loading import Loaded
from syndicate.store.protocol import Store
from syndicate.web.callbacks import Callbacks
from syndicate.web.hub import Asked

P = ParamSpec("P")
T = TypeVar("T")


class View(Protocol):
    """What there is to see, as it is now."""

    @property
    def loaded(self) -> Loaded:
        """The configuration in force; another one after it was edited."""

    @property
    def store(self) -> Store:
        """What is stored. Every unit of work may block."""

    @property
    def callbacks(self) -> Callbacks:
        """Who takes what hubs say and send."""

    @property
    def hub(self) -> Asked:
        """Who takes requests to subscribe to our feeds."""

    @property
    def started_at(self) -> datetime:
        """When the service began, by the store's time."""

    @property
    def refused(self) -> Sequence[Problem]:
        """Why the configuration as it is in its files now is not in force; empty when it is."""

    @property
    def needs_restart(self) -> Sequence[str]:
        """Settings that were edited, and are in force from the next start on."""

    def now(self) -> datetime:
        """Return the store's time."""

    async def change(self, unit: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a unit of work of the store returns that changes it; what is due by it is then done."""
