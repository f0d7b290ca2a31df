"""One door to all channels: the settings say which."""

from datetime import datetime
from typing import assert_never

from syndicate.alerts.channels import (
    apprise,
    discord,
    email,
    matrix,
    mattermost,
    ntfy,
    slack,
    teams,
    telegram,
    template,
)
from syndicate.alerts.channels.answers import Answer
from syndicate.alerts.channels.message import Handed, Mail, Message, Request
from syndicate.alerts.outcome import Outcome
from syndicate.model import channels as settings
from syndicate.model.channels import Channel

OverHttp = (
    settings.Slack
    | settings.Discord
    | settings.Teams
    | settings.Mattermost
    | settings.Telegram
    | settings.Ntfy
    | settings.Matrix
    | settings.Template
)


def render(channel: Channel, message: Message) -> bytes:  # noqa: C901  a line for each channel
    """Return what every try of a delivery carries: the body of its request, or the whole mail.

    The same input gives the same bytes. What does not fit is shortened on words; what then does not fit
    either is counted.

    Raises:
        TemplateError: a template of one's own fails on this message.
    """
    match channel:
        case settings.Slack():
            return slack.body(channel, message)
        case settings.Discord():
            return discord.body(channel, message)
        case settings.Teams():
            return teams.body(channel, message)
        case settings.Mattermost():
            return mattermost.body(channel, message)
        case settings.Telegram():
            return telegram.body(channel, message)
        case settings.Ntfy():
            return ntfy.body(channel, message)
        case settings.Matrix():
            return matrix.body(channel, message)
        case settings.Email():
            return email.body(channel, message)
        case settings.Apprise():
            return apprise.body(channel, message)
        case settings.Template():
            return template.body(channel, message)
        case _:
            assert_never(channel)


def addressed(channel: Channel, body: bytes, delivery: str) -> Request | Mail | Handed:  # noqa: C901  likewise
    """Return what a try sends, by the settings as they are now.

    Args:
        channel: where to.
        body: as `render` gave it before the first try.
        delivery: its id.
    """
    match channel:
        case settings.Slack():
            return slack.request(channel, body, delivery)
        case settings.Discord():
            return discord.request(channel, body, delivery)
        case settings.Teams():
            return teams.request(channel, body, delivery)
        case settings.Mattermost():
            return mattermost.request(channel, body, delivery)
        case settings.Telegram():
            return telegram.request(channel, body, delivery)
        case settings.Ntfy():
            return ntfy.request(channel, body, delivery)
        case settings.Matrix():
            return matrix.request(channel, body, delivery)
        case settings.Email():
            return email.mail(channel, body)
        case settings.Apprise():
            return apprise.handed(channel, body)
        case settings.Template():
            return template.request(channel, body, delivery)
        case _:
            assert_never(channel)


def outcome(channel: OverHttp, answer: Answer, now: datetime) -> Outcome:  # noqa: C901  likewise
    """Return what a complete answer means; for mail, `email.outcome` reads the server's reply."""
    match channel:
        case settings.Slack():
            return slack.outcome(answer, now)
        case settings.Discord():
            return discord.outcome(answer, now)
        case settings.Teams():
            return teams.outcome(answer, now)
        case settings.Mattermost():
            return mattermost.outcome(answer, now)
        case settings.Telegram():
            return telegram.outcome(answer, now)
        case settings.Ntfy():
            return ntfy.outcome(answer, now)
        case settings.Matrix():
            return matrix.outcome(answer, now)
        case settings.Template():
            return template.outcome(answer, now)
        case _:
            assert_never(channel)
