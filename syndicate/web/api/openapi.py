"""The description of the API (OpenAPI 3.1), made of the operations that its routes are made of."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from syndicate import __version__
from syndicate.web.api.answers import Error
from syndicate.web.api.operation import AnyOperation, Fields, Nothing

Schema = dict[str, Any]

_ABOUT = """What the service has found, and why, for programs; and the few things that they may have done.

Times are RFC 3339 in UTC. Lists come in pages: `next` is what follows the path in the address of the next
one, and null after the last. More fields may come with later versions; those that are there keep their
meaning, until there is a `/api/v2`. How to get a token, with examples: docs/api.md."""
_REFS = "#/components/schemas/{model}"
_ERRORS = {
    400: "What was sent is not right; `errors` says which part of it.",
    401: "A token is wanted, or the one shown is none.",
    403: "The token has not the scope.",
    404: "There is no such thing.",
    408: "The body took too long to come.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    421: "The Host is not ours.",
    429: "Too many wrong tokens came from this address.",
    503: "The database did not do it, or others are being served: `Retry-After` says when to ask again.",
}
_ALWAYS = (400, 401, 403, 421, 429, 503)
_OF_CHANGES = (408, 413)


def document(operations: Sequence[AnyOperation], root: str) -> Schema:
    """Return the document.

    Args:
        root: the path below which the service is, without a trailing slash.
    """
    paths: dict[str, Schema] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Syndicate", "version": __version__, "description": _ABOUT},
        "servers": [{"url": f"{root}/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "responses": {f"Error{status}": _error(about) for status, about in _ERRORS.items()},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token that `./run token` makes. Where nothing is said of who may look, "
                    "requests from the same machine that only read need none.",
                }
            },
        },
    }


def _operation(operation: AnyOperation) -> Schema:
    described: Schema = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": f"{operation.about} Scope: `{operation.scope}`.",
        "security": [{"token": [operation.scope.value]}],
        "parameters": [*_names(operation), *_parameters(operation.query)],
        "responses": {
            "200": {
                "description": _first_line(operation.answer),
                "content": {"application/json": {"schema": _ref(operation.answer)}},
                **({"headers": _LINK} if "next" in operation.answer.model_fields else {}),
                **({"links": _links(operation)} if operation.leads_to else {}),
            },
            **{
                str(status): {"$ref": f"#/components/responses/Error{status}"}
                for status in _statuses(operation)
            },
        },
    }
    if operation.body is not Nothing:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(operation.body)}},
        }
    return described


_LINK = {
    "Link": {
        "description": 'The next page, with rel="next" (RFC 8288); not there on the last.',
        "schema": {"type": "string"},
    }
}


def _links(operation: AnyOperation) -> Schema:
    return {
        lead.id: {"operationId": lead.id, "parameters": {lead.name: f"$response.body#{lead.at}"}}
        for lead in operation.leads_to
    }


def _statuses(operation: AnyOperation) -> list[int]:
    statuses = {*_ALWAYS}
    if operation.names or operation.method == "POST":
        statuses.add(404)
    if operation.method == "POST":
        statuses |= {*_OF_CHANGES}
    if operation.body is not Nothing:
        statuses.add(415)
    return sorted(statuses)


def _error(about: str) -> Schema:
    return {"description": about, "content": {"application/problem+json": {"schema": _ref(Error)}}}


def _names(operation: AnyOperation) -> Iterator[Schema]:
    for name in re.findall(r"\{(\w+)\}", operation.path):
        schema = dict(operation.names[name])
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": schema.pop("description"),
            "schema": schema,
        }


def _parameters(shape: type[Fields]) -> Iterator[Schema]:
    described = shape.model_json_schema(ref_template=_REFS)
    for name, schema in described.get("properties", {}).items():
        about = schema.pop("description", "")
        yield {
            "name": name,
            "in": "query",
            "required": name in described.get("required", ()),
            "description": " ".join(about.split()),
            "schema": _sendable(schema),
        }


def _sendable(schema: Schema) -> Schema:
    """Return the schema of a parameter or a field, which can be left out but not be null."""
    schema = {name: value for name, value in schema.items() if name != "title"}
    if schema.get("default", "") is None:
        del schema["default"]
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        return {**{name: value for name, value in schema.items() if name != "anyOf"}, **choices[0]}
    return {**schema, "anyOf": choices} if choices else schema


def _schemas(operations: Sequence[AnyOperation]) -> Schema:
    queries = {each.query.__name__ for each in operations}
    shapes: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [(Error, "serialization")]
    for each in operations:
        shapes += [(each.answer, "serialization"), (each.query, "validation"), (each.body, "validation")]
    _, described = models_json_schema(shapes, ref_template=_REFS)
    schemas = {name: schema for name, schema in described["$defs"].items() if name not in queries}
    for each in operations:
        if each.body is not Nothing:
            properties = schemas[each.body.__name__]["properties"]
            properties |= {name: _sendable(schema) for name, schema in properties.items()}
    return {name: _without_titles(schema) for name, schema in schemas.items()}


def _without_titles(schema: Any) -> Any:
    """Return a schema without titles that say its names once more."""
    match schema:
        case dict():
            return {
                name: _without_titles(value)
                for name, value in schema.items()
                if not (name == "title" and isinstance(value, str))
            }
        case list():
            return [_without_titles(each) for each in schema]
        case str():
            return " ".join(schema.split()) if "\n" in schema else schema
        case _:
            return schema


def _ref(shape: type[BaseModel]) -> Schema:
    return {"$ref": _REFS.format(model=shape.__name__)}


def _first_line(shape: type[BaseModel]) -> str:
    return (shape.__doc__ or "").partition("\n")[0]
