"""Looking names up: few at a time, for a short time, on threads that keep nobody else waiting."""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from aiohttp.abc import AbstractResolver, ResolveResult

from syndicate.errors import NetworkError, RefusedError
from syndicate.http.addresses import Address, Network, as_address, refusal

LookUp = Callable[[str], Sequence[str]]

_AT_ONCE = 32


def system_look_up(host: str) -> Sequence[str]:
    """Return the IP addresses of a name as this machine knows them. Blocks, and nothing can interrupt it.

    Raises:
        OSError: there are none.
    """
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(sockaddr[0]) for _, _, _, _, sockaddr in answers]


class GuardedResolver(AbstractResolver):
    """Gives only addresses that may be asked.

    A look-up that hangs can't be ended, only left alone; so each has a thread of its own, which neither the
    event loop's executor nor the end of the process waits for.
    """

    def __init__(self, look_up: LookUp, allowed: Sequence[Network], limit: timedelta) -> None:
        self._look_up = look_up
        self._allowed = allowed
        self._limit_seconds = limit.total_seconds()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return what may be dialled for a name.

        Raises:
            RefusedError: all its addresses are such that may not be asked.
            NetworkError: the look-up took too long.
            OSError: the name has no address.
        """
        try:
            async with asyncio.timeout(self._limit_seconds):
                found = await self._found(host)
        except TimeoutError as error:
            raise NetworkError(f"looking its name up took longer than {self._limit_seconds:g} s") from error
        addresses = [address for text in found if (address := as_address(text)) is not None]
        refusals = {address: refusal(address, self._allowed) for address in addresses}
        permitted = [address for address, reason in refusals.items() if reason is None]
        if addresses and not permitted:
            raise RefusedError(f"refused: its name leads to {refusals[addresses[0]]}")
        if not permitted:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        return [_result(host, port, address) for address in permitted]

    async def close(self) -> None:
        """Nothing to do: threads end with their look-ups or with the process."""

    async def _found(self, host: str) -> Sequence[str]:
        await self._slots.acquire()
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Sequence[str]] = loop.create_future()

        def tell(answer: Sequence[str] | Exception) -> None:
            self._slots.release()
            if found.done():  # nobody waits any more
                return
            if isinstance(answer, Exception):
                found.set_exception(answer)
            else:
                found.set_result(answer)

        def run() -> None:
            try:
                answer: Sequence[str] | Exception = self._look_up(host)
            except Exception as error:  # noqa: BLE001  whoever asked gets it
                answer = error
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(tell, answer)

        threading.Thread(target=run, name=f"look up {host}", daemon=True).start()
        return await found


def _result(host: str, port: int, address: Address) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=str(address),
        port=port,
        family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
