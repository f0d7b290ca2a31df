"""The routes of the API, and where it describes itself."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from pydantic import ConfigDict
from starlette.routing import Route

from syndicate.model import TokenScope
from syndicate.web.api.deliveries import Deliveries
from syndicate.web.api.items import Items
from syndicate.web.api.matches import Matches
from syndicate.web.api.openapi import document
from syndicate.web.api.operation import Answer, AnyOperation, Asked, Nothing, Operation, Values
from syndicate.web.api.resource import Resource
from syndicate.web.api.rules import Rules
from syndicate.web.api.sources import Sources
from syndicate.web.api.trials import Trials
from syndicate.web.problems import API
from syndicate.web.view import View

BASE = f"{API}/v1"


class Description(Answer):
    """The description of the API, as OpenAPI 3.1 has it."""

    model_config = ConfigDict(extra="allow")


class Describing:
    """Answers what can be asked."""

    def __init__(self, view: View, others: Sequence[AnyOperation]) -> None:
        self._view = view
        self._others = others

    @property
    def operations(self) -> list[AnyOperation]:
        """What can be asked, all of it."""
        described = Operation(
            id="describe",
            method="GET",
            path="/openapi.json",
            scope=TokenScope.READ,
            summary="This description",
            about="OpenAPI 3.1.",
            run=self.describe,
            answer=Description,
            query=Nothing,
            body=Nothing,
        )
        return [*self._others, described]

    def describe(self, asked: Asked[Nothing, Nothing]) -> Values:
        """Return the description."""
        root = urlsplit(self._view.loaded.config.service.base_url).path.rstrip("/")
        return document(self.operations, root)


def operations(view: View) -> list[AnyOperation]:
    """Return everything that can be asked."""
    parts = (Items(view), Matches(view), Rules(view), Trials(view), Sources(view), Deliveries(view))
    return Describing(view, [operation for part in parts for operation in part.operations]).operations


def api_routes(view: View) -> list[Route]:
    """Return the routes of the API, one for each address: those with more of it fixed come first."""
    by_path: dict[str, list[AnyOperation]] = {}
    for operation in operations(view):
        by_path.setdefault(operation.path, []).append(operation)
    paths = sorted(by_path, key=lambda path: path.count("{"))
    return [Route(f"{BASE}{path}", Resource(by_path[path])) for path in paths]
