"""What aiohttp, TLS and sockets raise, in words for a person and in our error tree."""

import os
import re
import socket
import ssl

import aiohttp
import httpx
from aiohttp.http_exceptions import ContentLengthError, HttpProcessingError, LineTooLong

from syndicate.errors import LimitError, NetworkError, RefusedError

# What can come out of the libraries. Errors of ours are among them because aiohttp carries them through.
LIBRARY_ERRORS = (
    NetworkError,
    aiohttp.ClientError,
    HttpProcessingError,
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    OSError,  # ssl.SSLError, socket.gaierror and TimeoutError among them
    ValueError,  # UnicodeError among them; aiohttp on headers that it does not send
)

# https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_CERTIFICATE_TROUBLE = {
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: "its certificate is signed by itself, not by an authority we trust",
    19: "its certificate is signed by an authority we do not trust",
    20: "its certificate is signed by an authority we do not trust, or it leaves out the one between",
    21: "its certificate is signed by an authority we do not trust, or it leaves out the one between",
    62: "its certificate is for another name",
    64: "its certificate is for another address",
}


def in_words(error: BaseException) -> NetworkError:
    """Return the error of ours that says what happened, without saying where."""
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, NetworkError):
            return type(cause)(str(cause))
    words = next(filter(None, map(_words, chain)), None)
    if words is not None:
        return words
    return NetworkError(f"the request failed ({_one_line(str(error)) or type(error).__name__})")


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and what it came from, the outermost first."""
    found: list[BaseException] = []
    queue: list[BaseException | None] = [error]
    while queue:
        cause = queue.pop(0)
        if cause is None or cause in found:
            continue
        found.append(cause)
        queue += [cause.__cause__, cause.__context__]
    return found


def _words(error: BaseException) -> NetworkError | None:
    match error:
        case aiohttp.ClientConnectorError():
            return NetworkError(_connection_words(error))
        case aiohttp.ServerDisconnectedError():
            return NetworkError("it closed the connection without a complete answer")
        case aiohttp.ClientPayloadError():
            return NetworkError(_payload_words(error))
        case aiohttp.ClientResponseError() | HttpProcessingError():
            return _answer_words(error)
        case aiohttp.InvalidURL() | httpx.InvalidURL():
            return RefusedError("its address is not valid")
        case ssl.SSLCertVerificationError():
            return NetworkError(_certificate_words(error))
        case OSError():
            return NetworkError(f"the connection broke: {_reason(error)}")
        case _:
            return None


def _connection_words(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _certificate_words(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"its name can't be resolved ({_reason(error.os_error)})"
    return f"no connection: {_reason(error.os_error)}"


def _payload_words(error: aiohttp.ClientPayloadError) -> str:
    if any(isinstance(cause, ContentLengthError) for cause in _causes(error)):
        return "its body ended before its Content-Length"
    if isinstance(error.__cause__, OSError):
        return f"the connection broke within the body: {_reason(error.__cause__)}"
    if "Not enough data" in str(error):
        return "its body ended before its last chunk"
    return f"its body is broken: {_one_line(str(error))}"


def _answer_words(error: aiohttp.ClientResponseError | HttpProcessingError) -> NetworkError:
    if any(isinstance(cause, LineTooLong) for cause in _causes(error)):
        return LimitError("a header of its answer is too long")
    text = _one_line(error.message)
    if "too many" in text.lower():
        return LimitError("its answer has too many headers")
    return NetworkError(f"it did not answer in HTTP ({text})" if text else "it did not answer in HTTP")


def _certificate_words(error: BaseException) -> str:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not valid"
    return _CERTIFICATE_TROUBLE.get(
        error.verify_code, f"its certificate is not valid ({error.verify_message})"
    )


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({(error.reason or 'unknown reason').replace('_', ' ').lower()})"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, socket.gaierror):
        return (error.strerror or "unknown reason").lower()
    if error.errno:
        return os.strerror(error.errno).lower()
    return _one_line(str(error)) or "no reason given"


def _one_line(text: str) -> str:
    """Return the first line, short and printable: some of it may come from the server."""
    line = re.sub(r"\s+", " ", text.strip().split("\n", 1)[0]).rstrip(":")
    return "".join(c if c.isprintable() else "?" for c in line)[:160]
