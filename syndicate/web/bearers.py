"""Programs that show a token (RFC 6750). It opens the JSON API, and nothing else."""

from collections.abc import Sequence

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from syndicate.model import ApiToken, TokenScope
from syndicate.tokens import digest_of, is_of
from syndicate.web.problems import REALM, problem
from syndicate.web.tries import Tries

log = structlog.get_logger(__name__)


class Bearers:
    """Tells whose token a request shows.

    Tokens cannot be guessed, so one that is right lets in whatever was tried before from its address: nobody
    can keep others out by trying.
    """

    def __init__(self) -> None:
        self._tries = Tries()

    def judged(self, scope: Scope, tokens: Sequence[ApiToken], now: float) -> ApiToken | Response | None:
        """Return the token that a request shows, what is said of a wrong one, or None if it shows none.

        Another scheme than `Bearer` is none of ours: a web server before ours may have asked for it.
        """
        scheme, _, shown = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.casefold() != "bearer":
            return None
        digest = digest_of(shown.strip())
        found = [token for token in tokens if is_of(digest, token.digest)]  # all are compared
        return found[0] if found else self._refused(scope, now)

    def _refused(self, scope: Scope, now: float) -> Response:
        client = scope.get("client")
        peer = client[0] if client else ""
        if self._tries.are_exhausted(peer, now):
            return problem(429, "Too many wrong tokens. Wait a minute.", headers={"Retry-After": "60"})
        self._tries.note(peer, now)
        log.warning("token.refused", peer=peer)
        said = "There is no such token: [[web.token]] tables in the configuration say which there are."
        return problem(401, said, headers={"WWW-Authenticate": f'{REALM}, error="invalid_token"'})


def lacks_scope(wanted: TokenScope) -> Response:
    """Return what is said to a token that does not let do this (RFC 6750 3.1)."""
    return problem(
        403,
        f"This needs a token with the scope {wanted}.",
        headers={"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{wanted}"'},
    )
