"""One address of the API, as an ASGI application: from a request to an operation, and to its answer."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from syndicate.config import suggestion
from syndicate.web.access import visit_of
from syndicate.web.api.operation import AnyOperation, ApiError, Asked, Fields, Nothing, wrong
from syndicate.web.bearers import lacks_scope
from syndicate.web.problems import problem

JSON = "application/json"
MOST_TOLD = 5  # things that are wrong with a request, in one sentence


class Resource:
    """Answers whatever is asked at one address; what cannot be asked there is said (405)."""

    def __init__(self, operations: Sequence[AnyOperation]) -> None:
        self._by_method: dict[str, AnyOperation] = {each.method: each for each in operations}
        if "GET" in self._by_method:
            self._by_method["HEAD"] = self._by_method["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(Request(scope, receive))
        except ApiError as error:
            answer = problem(error.status, error.detail, errors=error.errors, headers=error.headers)
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        operation = self._by_method.get(request.method)
        if operation is None:
            allowed = ", ".join(sorted(self._by_method))
            return problem(405, f"Here one can ask by {allowed}.", headers={"Allow": allowed})
        visit = visit_of(request.scope)
        if visit is None or (visit.scopes is not None and operation.scope not in visit.scopes):
            return lacks_scope(operation.scope)
        asked: Asked[Any, Any] = Asked(
            names=request.path_params,
            query=_query(request, operation.query),
            body=await _body(request, operation.body),
        )
        if inspect.iscoroutinefunction(operation.run):
            values = await operation.run(asked)
        else:
            values = await run_in_threadpool(operation.run, asked)
        return JSONResponse(values, headers=_links(values))


def _links(values: Mapping[str, Any]) -> dict[str, str] | None:
    further = values.get("next")
    return {"Link": f'<{further}>; rel="next"'} if further else None  # RFC 8288


def _query(request: Request, shape: type[Fields]) -> Fields:
    given = request.query_params.multi_items()
    values = dict(given)
    if len(values) < len(given):
        names = [name for name, _ in given]
        raise wrong(next(name for name in names if names.count(name) > 1), "is given twice")
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        raise _invalid(error, shape, "parameter") from None


async def _body(request: Request, shape: type[Fields]) -> Fields:
    if shape is Nothing:
        return Nothing()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if media_type != JSON:
        raise ApiError(415, f"Send {JSON}, and say so in Content-Type.", headers={"Accept": JSON})
    try:
        body = shape.model_validate_json(await request.body(), strict=True)
    except ValidationError as error:
        raise _invalid(error, shape, "field") from None
    for name in sorted(body.model_fields_set):
        if getattr(body, name) is None:
            raise wrong(name, "must not be null: leave it out")
    return body


def _invalid(error: ValidationError, shape: type[Fields], kind: str) -> ApiError:
    """Return all that is wrong with what was sent."""
    errors = [
        {"name": ".".join(map(str, each["loc"])), "problem": _words(each, shape, kind)}
        for each in error.errors(include_url=False, include_input=False)
    ]
    told = [f"{each['name']}: {each['problem']}" if each["name"] else each["problem"] for each in errors]
    more = f"; and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return ApiError(400, f"{'; '.join(told[:MOST_TOLD])}{more}", errors=errors)


def _words(mistake: ErrorDetails, shape: type[Fields], kind: str) -> str:
    match mistake["type"]:
        case "value_error":
            return str(mistake["ctx"]["error"])
        case "missing":
            return "must be given"
        case "extra_forbidden":
            return f"there is no such {kind}{suggestion(str(mistake['loc'][-1]), shape.model_fields)}"
        case "json_invalid":
            return f"the body is no JSON: {mistake['ctx']['error']}"
        case _:
            text = mistake["msg"]
            return text.replace("Input should", "must").replace("String should", "must", 1)
