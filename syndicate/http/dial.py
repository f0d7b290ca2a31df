"""Connections to what is not spoken to over HTTP, judged as any other is."""

import asyncio
import socket
from datetime import timedelta

from aiohttp.abc import ResolveResult

from syndicate.errors import NetworkError, RefusedError
from syndicate.http.addresses import as_address
from syndicate.http.resolve import GuardedResolver
from syndicate.http.transport import Guard
from syndicate.http.trouble import LIBRARY_ERRORS, in_words


async def dialled(
    guard: Guard, resolver: GuardedResolver, host: str, port: int, limit: timedelta
) -> socket.socket:
    """Return a connection, the first that comes about of a name's addresses. Whoever gets it closes it.

    Raises:
        NetworkError: there is none; RefusedError if it may not be made. Says where, and why.
    """
    try:
        async with asyncio.timeout(limit.total_seconds()):
            return await _first(guard, await _addresses(guard, resolver, host, port))
    except LIBRARY_ERRORS as error:
        late = type(error) is TimeoutError
        told = NetworkError(f"no connection within {limit.total_seconds():g} s") if late else _told(error)
        raise type(told)(f"{host}:{port}: {told}") from error


async def _addresses(guard: Guard, resolver: GuardedResolver, host: str, port: int) -> list[ResolveResult]:
    address = as_address(host)
    if address is None:
        return await resolver.resolve(host, port)
    if reason := guard.refusal(address):
        raise RefusedError(f"refused: {reason}")
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    return [ResolveResult(hostname=host, host=host, port=port, family=family, proto=0, flags=0)]


async def _first(guard: Guard, addresses: list[ResolveResult]) -> socket.socket:
    for number, address in enumerate(addresses):
        where = (address["host"], address["port"])
        connection = guard((address["family"], socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where))
        try:
            connection.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connection, where)
        except OSError:
            connection.close()
            if number == len(addresses) - 1:
                raise
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise NetworkError("its name has no address")


def _told(error: BaseException) -> NetworkError:
    match error:
        case socket.gaierror():
            return NetworkError(
                f"its name can't be resolved ({(error.strerror or 'unknown reason').lower()})"
            )
        case ConnectionRefusedError():
            return NetworkError("no connection: connection refused")
        case _:
            return in_words(error)
