"""A program that uses the API, and checks that every answer is as it is described."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx

from syndicate.model import ApiToken, TokenScope, WebSettings
from syndicate.tokens import digest_of, fresh_token
from syndicate.web.api.routes import BASE, operations
from syndicate.web.app import create
from syndicate.web.view import View
from tests.dashboard import HASH, Dashboard
from tests.served import TLS, served


class Program:
    """Asks, and fails at an answer with a field too few or too many."""

    def __init__(self, view: View, found: httpx.Client) -> None:
        self.found = found
        self._shapes = [
            (each.method, re.compile(re.sub(r"\{\w+\}", "[^/]+", BASE + each.path)), each.answer)
            for each in sorted(operations(view), key=lambda each: each.path.count("{"))
        ]

    def get(self, path: str, status: int = 200) -> Any:
        """Return what is answered at an address below that of the API."""
        return self._told("GET", path, self.found.get(BASE + path), status)

    def post(self, path: str, body: object = None, status: int = 200) -> Any:
        """Return what is answered to a body."""
        address = BASE + path
        answer = self.found.post(address) if body is None else self.found.post(address, json=body)
        return self._told("POST", path, answer, status)

    def _told(self, method: str, path: str, answer: httpx.Response, status: int) -> Any:
        assert answer.status_code == status, answer.text
        values = answer.json()
        if status != 200:
            assert answer.headers["content-type"] == "application/problem+json"
            return values
        bare = BASE + path.partition("?")[0]
        (shape, *_) = (shape for used, path, shape in self._shapes if used == method and path.fullmatch(bare))
        assert shape.model_validate(values).model_dump(mode="json", by_alias=True) == values
        further = values.get("next")
        assert answer.headers.get("link") == (f'<{further}>; rel="next"' if further else None)
        return values


@contextmanager
def program(view: Dashboard) -> Iterator[Program]:
    """Serve a desk behind a password to a program that may do everything."""
    token = fresh_token()
    tokens = (ApiToken(name="test", digest=digest_of(token), scopes=tuple(TokenScope)),)
    config = replace(view.loaded.config, web=WebSettings(password=HASH, tokens=tokens))
    view.loaded = replace(view.loaded, config=config)
    headers = {"Authorization": f"Bearer {token}"}
    with (
        served(create(view)) as address,
        httpx.Client(base_url=address, headers=headers, trust_env=False, verify=TLS, timeout=30) as found,
    ):
        yield Program(view, found)
