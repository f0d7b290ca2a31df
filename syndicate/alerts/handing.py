"""Handing messages to Apprise, where it is installed: the one place that knows it.

It makes requests by itself, so neither `allow_private` nor the bounds of our client hold for them.
"""

import importlib.util
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from syndicate.alerts.blocking import in_thread
from syndicate.alerts.channels.message import Handed
from syndicate.alerts.outcome import Later, Outcome, Taken

if TYPE_CHECKING:
    from apprise import AppriseAsset

MISSING = (
    'Apprise is not installed: pip install "syndicate[apprise]", or with ./run:'
    " .venv/bin/python -m pip install apprise"
)

_SILENT = logging.NullHandler()


def is_installed() -> bool:
    """Whether there is Apprise."""
    return importlib.util.find_spec("apprise") is not None


def is_known(url: str) -> bool:
    """Whether Apprise knows what an address means."""
    import apprise  # noqa: PLC0415  may be missing, and takes a while

    return apprise.Apprise.instantiate(url, asset=_asset()) is not None


async def hand(handed: Handed, within: timedelta) -> Outcome:
    """Return what came of it. Apprise says why it failed, but not whether another try may succeed."""
    if not is_installed():
        return Later(reason=MISSING)
    try:
        return await in_thread(lambda: _notified(handed, within), within)
    except TimeoutError:
        return Later(reason=f"Apprise did not end within {within.total_seconds():g} s")


def _notified(handed: Handed, within: timedelta) -> Outcome:
    import apprise  # noqa: PLC0415  likewise

    service = apprise.Apprise(asset=_asset())
    if not service.add(handed.url):
        return Later(reason="Apprise does not know this address: see its documentation for the service")
    result = service.notify(
        body=handed.text,
        title=handed.title,
        body_format=apprise.NotifyFormat.TEXT,
        timeout=within.total_seconds(),
    )
    if result:
        return Taken()
    why = " ".join(entry.message for entry in result.logs()) or "it does not say why"
    return Later(reason=f"Apprise could not deliver it: {why}")


def _asset() -> "AppriseAsset":
    """Return how it is to work: it keeps no files, makes no keys, and follows no redirects, as we do."""
    import apprise  # noqa: PLC0415  likewise

    # It logs addresses, in which are secrets. What it has to say comes with its result.
    logger = logging.getLogger("apprise")
    logger.addHandler(_SILENT)
    logger.propagate = False
    return apprise.AppriseAsset(
        app_id="Syndicate",
        app_desc="Syndicate",
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        async_mode=False,
        pgp_autogen=False,
        pem_autogen=False,
        http_redirects=False,
        allow_templates=False,
    )
