"""What the JSON API says when it does not do what was asked (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse

API = "/api"
MEDIA_TYPE = "application/problem+json"
REALM = 'Bearer realm="syndicate"'


def is_api(path: str) -> bool:
    """Say whether an address is one of the API, there or not."""
    return path == API or path.startswith(f"{API}/")


def problem(
    status: int,
    detail: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
) -> JSONResponse:
    """Return an answer that says what went wrong.

    Args:
        detail: in a sentence; empty: as the status says.
        errors: what is wrong with each part of what was sent, by the part's `name`.
    """
    title = HTTPStatus(status).phrase
    values: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or title,
    }
    if errors:
        values["errors"] = list(errors)
    return JSONResponse(values, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def token_wanted(detail: str = "") -> JSONResponse:
    """Return what is said to who has to show a token and shows none (RFC 6750 3)."""
    said = detail or "This needs a token: `./run token` makes one. Send it as Authorization: Bearer syn_..."
    return problem(401, said, headers={"WWW-Authenticate": REALM})
