"""Calling what blocks, on a thread of its own, without waiting for it longer than we want to."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TypeVar

Result = TypeVar("Result")


async def in_thread(
    call: Callable[[], Result], within: timedelta, give_up: Callable[[], object] = lambda: None
) -> Result:
    """Return what a call returns.

    Args:
        within: how long it is waited for. Neither the event loop's executor nor the end of the process waits
            for what takes longer.
        give_up: what makes the call end when nobody waits for it any more.

    Raises:
        TimeoutError: it takes longer.
        Exception: what the call raises.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Result] = loop.create_future()

    def run() -> None:
        settle: Callable[[], None]
        try:
            settle = partial(ended.set_result, call())
        except Exception as error:  # noqa: BLE001  whoever waits gets it
            settle = partial(ended.set_exception, error)
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(lambda: None if ended.done() else settle())

    threading.Thread(target=run, name="blocking call", daemon=True).start()
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await ended
    except BaseException:
        if not ended.done() or ended.cancelled():
            give_up()
        raise
