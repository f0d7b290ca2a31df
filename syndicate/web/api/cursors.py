"""Places in lists, as texts that programs keep and do not look into."""

import base64
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, Field, TypeAdapter, ValidationError

from syndicate.web.api.fields import MAX_INTEGER
from syndicate.web.api.operation import wrong

Place = TypeVar("Place")


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is no time of ours") from None


Number = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Order = Annotated[AwareDatetime, AfterValidator(_in_utc)]


def cursor_of(shape: TypeAdapter[Place], place: Place) -> str:
    """Return what stands for a place in a list.

    Args:
        shape: of the places in lists of its kind, which begin with the kind's name.
    """
    return base64.urlsafe_b64encode(shape.dump_json(place)).rstrip(b"=").decode()


def place_of(shape: TypeAdapter[Place], cursor: str, name: str = "cursor") -> Place:
    """Return the place that a cursor stands for.

    Args:
        name: of the parameter that it came in.

    Raises:
        ApiError: it stands for none, or for one in a list of another kind.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return shape.validate_json(text)
    except (ValueError, ValidationError):
        raise wrong(name, "is no place in this list: begin without it") from None
