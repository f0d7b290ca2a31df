"""What the API can be asked: an operation says all that its route and its description are made from."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict

from syndicate.config import suggestion
from syndicate.model import TokenScope

Values = dict[str, Any]


class Fields(BaseModel):
    """What is sent: parameters, or the fields of a body. One that is not known is an error."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)


class Answer(BaseModel):
    """What is answered. More fields may come; those that are there stay."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Nothing(Fields):
    """No parameters, or no body."""


AnyQuery = TypeVar("AnyQuery", bound=Fields)
AnyBody = TypeVar("AnyBody", bound=Fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[AnyQuery, AnyBody]):
    """What was asked."""

    names: Mapping[str, str]  # that the path has
    query: AnyQuery
    body: AnyBody

    def further(self, **changed: str) -> str:
        """Return what follows the path in the address of what comes next: the same with other parameters."""
        given = self.query.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        return f"?{urlencode({**given, **changed})}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """That an answer has what another operation's path needs."""

    id: str  # of that operation
    name: str  # in its path
    at: str  # in the answer (RFC 6901)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[AnyQuery, AnyBody]):
    """Something that can be asked."""

    id: str
    method: Literal["GET", "POST"]
    path: str  # below /api/v1
    scope: TokenScope  # that a token must have
    summary: str
    about: str
    run: Callable[[Asked[AnyQuery, AnyBody]], Values | Awaitable[Values]]  # in a thread, unless async
    answer: type[Answer]
    query: type[AnyQuery]
    body: type[AnyBody]
    names: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of the path, each with its schema
    leads_to: Sequence["Lead"] = ()


AnyOperation = Operation[Any, Any]


class ApiError(ValueError):
    """What was asked is not done. Says why, in a sentence, and of which of the things that were sent."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status, self.detail, self.errors, self.headers = status, detail, errors, headers
        super().__init__(detail)


def wrong(name: str, why: str) -> ApiError:
    """Return the error of a parameter or a field."""
    return ApiError(400, f"{name}: {why}", errors=[{"name": name, "problem": why}])


def check_known(name: str, value: str | None, known: Sequence[str]) -> None:
    """Refuse a value that names nothing that is there.

    Raises:
        ApiError: it does not; with the nearest one that does.
    """
    if value is not None and value not in known:
        raise wrong(name, f"there is no {name} “{value[:80]}”{suggestion(value, known)}")
