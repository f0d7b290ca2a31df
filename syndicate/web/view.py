"""What the web server knows of the rest of the service."""

from datetime import datetime
from typing import Protocol

from syndicate.loading import Loaded
from syndicate.store.protocol import Store
from syndicate.web.callbacks import Callbacks
from syndicate.web.hub import Asked


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

    def now(self) -> datetime:
        """Return the store's time."""
