"""docs/channels.md says of each channel what it needs, and of templates what they are given."""

import re
import tomllib
from dataclasses import MISSING, fields
from typing import Any

import pytest

from syndicate.alerts.channels import discord, mattermost, slack, teams, telegram, template
from syndicate.alerts.channels.channel import render
from syndicate.alerts.channels.email import LENGTH_BYTES
from syndicate.alerts.channels.fitting import TITLE_LENGTH
from syndicate.alerts.channels.variables import variables
from syndicate.alerts.channels.wording import plain
from syndicate.config.channel_problems import problems
from syndicate.model.channels import Channel
from tests.channel_cases import CHANNELS, MESSAGES
from tests.documents import DOCS, blocks_of, codes, rows, section, spans

PAGE = DOCS / "channels.md"
HEADINGS = {
    "slack": "Slack",
    "discord": "Discord",
    "teams": "Microsoft Teams",
    "mattermost": "Mattermost",
    "telegram": "Telegram",
    "ntfy": "ntfy",
    "matrix": "Matrix",
    "email": "E-mail",
    "apprise": "Apprise",
    "template": "Template",
}
VALUES = {"PAGER_URL": "json://pager.example", "TELEGRAM_TOKEN": "1:a", "MATRIX_TOKEN": "t"}


def shown(name: str) -> Channel:
    """Return the settings that the page shows for a channel."""
    variable = re.compile(r"\$\{(\w+)\}")
    tables = (
        tomllib.loads(variable.sub(lambda found: VALUES.get(found[1], "https://a.example/x"), block.text))
        for block in blocks_of(PAGE)
        if block.kind == "toml"
    )
    (table,) = (table["endpoint"][0] for table in tables if table["endpoint"][0]["format"] == name)
    values: dict[str, Any] = {key: value for key, value in table.items() if key not in {"id", "format"}}
    if "recipients" in values:
        values["recipients"] = tuple(values["recipients"])
    return type(CHANNELS[name])(**values)


@pytest.mark.parametrize("name", HEADINGS)
def test_what_is_shown_can_be_used_as_it_is(name):
    assert problems(shown(name)) == ()
    for message in MESSAGES.values():
        assert render(shown(name), message)


@pytest.mark.parametrize("name", HEADINGS)
def test_every_setting_is_documented_with_its_default_and_no_other(name):
    described = [row for row in rows(section(PAGE, HEADINGS[name])) if len(row) == 3]
    documented = {codes(key)[0]: default for key, default, _ in described}
    settings = [field for field in fields(CHANNELS[name]) if field.name != "lines"]
    assert documented.keys() == {field.name for field in settings}
    for field in settings:
        if field.default is MISSING and field.default_factory is MISSING:
            assert documented[field.name] == "required"
        elif isinstance(field.default, str):
            assert documented[field.name] == f'`"{field.default}"`'
        else:
            assert documented[field.name] != "required"


def test_every_channel_is_listed():
    listed = [codes(row[0])[0].strip('"') for row in rows(section(PAGE, "Channels").partition("## ")[0])]
    assert listed == list(HEADINGS)


def test_a_message_is_as_shown():
    (block,) = (block for block in blocks_of(PAGE) if block.kind == "text message")
    assert block.text == plain(MESSAGES["match"]) + "\n"


def test_every_variable_of_a_template_is_documented_and_no_other():
    given = variables(MESSAGES["match"])
    names = [*given, *(f"alert.{key}" for key in given["alert"])]
    described = [row for row in rows(section(PAGE, "Template")) if len(row) == 2]
    assert [codes(row[0])[0] for row in described] == names


def test_what_a_template_may_use_is_documented():
    named = set(spans(PAGE))
    assert named >= {*template.FILTERS, *template.TESTS, *(f"loop.{each}" for each in template.LOOP)}


def test_the_limits_are_as_said():
    limits = {
        "Slack": (slack.BLOCKS, slack.SECTION_LENGTH, slack.BLOCKS_LENGTH),
        "Discord": (discord.EMBEDS, discord.EMBEDS_LENGTH),
        "Microsoft Teams": (teams.LENGTH_BYTES,),
        "Mattermost": (mattermost.TEXT_LENGTH,),
        "Telegram": (telegram.TEXT_LENGTH, telegram.ENTITIES),
        "ntfy": (4_096,),
        "Matrix": (48,),
        "E-mail": (LENGTH_BYTES // 1024,),
        "Template": (template.SOURCE_LENGTH, template.OUTPUT_BYTES, template.FILTERED, TITLE_LENGTH),
    }
    for heading, numbers in limits.items():
        for number in numbers:
            assert f"{number:,}" in section(PAGE, heading), (heading, number)
