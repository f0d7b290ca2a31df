"""`[[endpoint]]` for people: the shape of each `format`, and the settings that are read from it.

What is not given has the default that the settings have.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import tzinfo
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from syndicate.config.channel_problems import problems
from syndicate.config.pace import FLOOD_AFTER, flood_after, pace
from syndicate.config.shapes import (
    Address,
    EndpointTable,
    HeaderName,
    HeaderValue,
    Line,
    WebhookTable,
    shaped,
)
from syndicate.config.toml_file import TomlFile
from syndicate.config.toml_lines import Key
from syndicate.config.values import quoted, suggestion
from syndicate.errors import Problem
from syndicate.model import Endpoint
from syndicate.model import channels as model

STANDARD = "standard"


class SlackTable(EndpointTable):
    format: Literal["slack"]
    url: Address


class DiscordTable(EndpointTable):
    format: Literal["discord"]
    url: Address


class TeamsTable(EndpointTable):
    format: Literal["teams"]
    url: Address


class MattermostTable(EndpointTable):
    format: Literal["mattermost"]
    url: Address
    channel: Line | None = None


class TelegramTable(EndpointTable):
    format: Literal["telegram"]
    token: str
    chat: str
    thread: Annotated[int, Field(ge=1)] | None = None
    url: Address | None = None


class NtfyTable(EndpointTable):
    format: Literal["ntfy"]
    topic: str
    url: Address | None = None
    token: str | None = None
    priority: int | None = None


class MatrixTable(EndpointTable):
    format: Literal["matrix"]
    url: Address
    room: str
    token: str


class EmailTable(EndpointTable):
    format: Literal["email"]
    sender: str
    recipients: list[str]
    name: Line | None = None


class AppriseTable(EndpointTable):
    format: Literal["apprise"]
    url: str


class TemplateTable(EndpointTable):
    format: Literal["template"]
    url: Address
    template: str
    method: str | None = None
    content_type: str | None = None
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)


class UnknownTable(EndpointTable):
    """Of a format that there is none of: nothing can be said of its keys."""

    model_config = ConfigDict(extra="ignore")


TABLES: Mapping[str, tuple[type[EndpointTable], type[model.Channel]]] = MappingProxyType(
    {
        "slack": (SlackTable, model.Slack),
        "discord": (DiscordTable, model.Discord),
        "teams": (TeamsTable, model.Teams),
        "mattermost": (MattermostTable, model.Mattermost),
        "telegram": (TelegramTable, model.Telegram),
        "ntfy": (NtfyTable, model.Ntfy),
        "matrix": (MatrixTable, model.Matrix),
        "email": (EmailTable, model.Email),
        "apprise": (AppriseTable, model.Apprise),
        "template": (TemplateTable, model.Template),
    }
)
FORMATS = (STANDARD, *TABLES)


def format_of(file: TomlFile, key: Key) -> Any:
    """Return what an endpoint gives as its format; the standard one if it gives none."""
    given = file.at(*key, "format")
    return STANDARD if given is None else given


def read_channel(file: TomlFile, key: Key, zone: tzinfo) -> tuple[Endpoint | None, list[Problem]]:
    """Return an endpoint for people, None if it can't be told, and all problems with it.

    Args:
        zone: of the wall clocks, unless the endpoint names one.
    """
    name = format_of(file, key)
    if not isinstance(name, str) or name not in TABLES:
        _, wrong = shaped(UnknownTable, file, key)
        return None, [*wrong, *_format_problems(file, key, name)]
    shape, settings = TABLES[name]
    table, wrong = shaped(shape, file, key, homes_beside(name))
    if table is None:
        return None, wrong
    channel = settings(**_given(table, settings, file, key))
    wrong += [file.mistake((*key, part), why) for part, why in problems(channel)]
    usual = None if isinstance(channel, model.Template) else FLOOD_AFTER
    endpoint = Endpoint(
        id=table.id,
        concurrency=table.concurrency,
        format=name,
        channel=channel,
        pace=pace(table, zone),
        flood_after=flood_after(table, usual),
    )
    return endpoint, wrong


def homes_beside(name: str) -> Mapping[str, str]:
    """Return of each key that a format has not where it belongs, for an error to say."""
    own = (WebhookTable if name == STANDARD else TABLES[name][0]).model_fields
    formats_by_key: dict[str, list[str]] = {}
    for each in FORMATS:
        for part in (WebhookTable if each == STANDARD else TABLES[each][0]).model_fields:
            formats_by_key.setdefault(part, []).append(quoted(each))
    return {
        part: f"it is for format = {' or '.join(filter(None, (', '.join(formats[:-1]), formats[-1])))}"
        for part, formats in formats_by_key.items()
        if part not in own
    }


def _format_problems(file: TomlFile, key: Key, name: Any) -> list[Problem]:
    place = (*key, "format")
    if file.is_unfilled(place):
        return []
    if not isinstance(name, str):
        return [file.mistake(place, "must be a text in quotes")]
    return [file.mistake(place, f"there is no format {quoted(name)}{suggestion(name, FORMATS)}")]


def _given(table: EndpointTable, settings: type[model.Channel], file: TomlFile, key: Key) -> dict[str, Any]:
    """Return what the table gives of the settings."""
    given = {
        field.name: getattr(table, field.name)
        for field in fields(settings)
        if field.name in table.model_fields_set
    }
    if isinstance(table, EmailTable):
        given["recipients"] = tuple(table.recipients)
    if isinstance(table, TemplateTable | AppriseTable):
        tried = "template" if isinstance(table, TemplateTable) else "url"  # when all is read
        given["lines"] = tuple(line for line, _ in file.text(*key, tried).places)
    return given
