"""Images of articles, fetched for whoever reads them, so that their servers do not learn who that is.

None but those that items show can be had: each address carries a signature of this process.
"""

import asyncio
import base64
import binascii
import hmac
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from syndicate.errors import NetworkError
from syndicate.http import Client
from syndicate.web.sessions import Sessions
from syndicate.web.view import View

MAX_BYTES = 5 * 1024 * 1024
MAX_ADDRESS = 4_000  # characters
AT_ONCE = 6
ACCEPT = "image/avif, image/webp, image/png, image/jpeg, image/gif"

_NOT_HERE = "There is no such image."
_BEGINNINGS = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"))


class Images:
    """Answers `/image/SIGNATURE/ADDRESS`."""

    def __init__(self, view: View, sessions: Sessions) -> None:
        self._view = view
        self._sessions = sessions
        self._room = asyncio.Semaphore(AT_ONCE)

    def address(self, url: str) -> str | None:
        """Return where a page has an image from; None if it is none that could be fetched."""
        if not url.startswith(("http://", "https://")) or len(url) > MAX_ADDRESS:
            return None
        root = urlsplit(self._view.loaded.config.service.base_url).path.rstrip("/")
        written = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
        return f"{root}/image/{self._signature(url)}/{written}"

    async def answer(self, request: Request) -> Response:
        """Return the image."""
        url = _read(request.path_params["address"])
        config = self._view.loaded.config
        is_ours = hmac.compare_digest(
            request.path_params["signature"].encode(), self._signature(url).encode()
        )
        if not is_ours or not config.web.shows_images:
            return PlainTextResponse(_NOT_HERE, 404)
        async with self._room:
            try:
                async with Client(config.network) as client:
                    found = await client.get(url, {"accept": ACCEPT}, max_bytes=MAX_BYTES)
            except NetworkError as error:
                return PlainTextResponse(f"{error}\n", 502, {"Cache-Control": "private, max-age=300"})
        kind = kind_of(found.body)
        if found.status != 200 or kind is None:
            return PlainTextResponse(_NOT_HERE, 404, {"Cache-Control": "private, max-age=300"})
        headers = {
            "Cache-Control": "private, max-age=86400",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return Response(found.body, headers=headers, media_type=f"image/{kind}")

    def _signature(self, url: str) -> str:
        return self._sessions.token(f"image {url}")


def kind_of(body: bytes) -> str | None:
    """Return which kind of picture bytes are, whatever is said of them; None: none that is passed on."""
    for beginning, kind in _BEGINNINGS:
        if body.startswith(beginning):
            return kind
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "webp"
    return "avif" if body[4:12] in (b"ftypavif", b"ftypavis") else None


def _read(written: str) -> str:
    try:
        return base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
