"""Messages, and settings for each channel that they are put for."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from syndicate.alerts.channels.message import AlertText, Kind, Marked, Message
from syndicate.model import Score
from syndicate.model.channels import (
    Apprise,
    Channel,
    Discord,
    Email,
    Matrix,
    Mattermost,
    Ntfy,
    Slack,
    Teams,
    Telegram,
    Template,
)

BRUSSELS = ZoneInfo("Europe/Brussels")
ALMATY = ZoneInfo("Asia/Almaty")
NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)

TEMPLATE = """\
{
  "text": {{ text | tojson }},
  "links": [{% for alert in alerts %}{{ alert.link | tojson }}{{ ", " if not loop.last }}{% endfor %}]
}
"""

CHANNELS: dict[str, Channel] = {
    "slack": Slack(url="https://hooks.slack.com/services/T0/B0/secret"),
    "discord": Discord(url="https://discord.com/api/webhooks/1/secret"),
    "teams": Teams(url="https://prod-1.westeurope.logic.azure.com/workflows/1?sig=secret"),
    "mattermost": Mattermost(url="https://chat.example.org/hooks/secret"),
    "telegram": Telegram(token="123456:AA-secret_token", chat="-1001234567890"),
    "ntfy": Ntfy(topic="desk-9Xq2"),
    "matrix": Matrix(url="https://matrix.example.org", room="!desk:example.org", token="syt_secret"),
    "email": Email(sender="news@desk.example", recipients=("editor@desk.example", "chief@desk.example")),
    "apprise": Apprise(url="pover://user@secret-token"),
    "template": Template(url="https://own.example.org/in?key=secret", template=TEMPLATE),
}

RAILWAYS = AlertText(
    kind=Kind.MATCH,
    title=Marked(text="Five railways of Central Asia agree on one timetable", marks=((17, 29),)),
    outlet="Steppe Wire",
    at=NOW.astimezone(BRUSSELS),
    rule="Central Asia & the EU",
    rule_id="central-asia",
    passage=Marked(
        text="…from March. The railways of Central Asia publish one timetable, says the EU.",
        marks=((29, 41), (74, 76)),
    ),
    link="https://steppe-wire.example/trade/time_table_(new)?utm_source=rss&lang=en",
    score=Score(threshold=4, total=5.5, parts=(("Central Asia", 3), ("EU", 2.5))),
    story=5,
)
STRATEGY = AlertText(
    kind=Kind.ESCALATION,
    title=Marked(text="ЕС принял стратегию для Центральной Азии 🐎", marks=((0, 2), (24, 40))),
    outlet="Қазинформ",
    at=NOW.astimezone(ALMATY),
    rule="ЕС и Центральная Азия",
    rule_id="eu",
    link="https://kaz.example/новости/1",
    also=("А", "Б", "В", "Г", "Д", "Е", "Ж"),
    story=6,
)
SILENCE = AlertText(
    kind=Kind.SOURCE,
    title=Marked(text="Steppe Wire: silent"),
    outlet="Steppe Wire",
    at=NOW,
    passage=Marked(text="it has published nothing for 3 days, much longer than is its habit"),
)
RUSH = AlertText(
    kind=Kind.SPIKE,
    title=Marked(text="42 stories in the last hour; usual at this time: 6 (of 8 weeks)", marks=((0, 10),)),
    outlet="",
    at=NOW.astimezone(BRUSSELS),
    rule="Central Asia & the EU",
    rule_id="central-asia",
    passage=Marked(
        text="Among them: Five railways of Central Asia agree on one timetable (Steppe Wire); "
        "ЕС принял стратегию для Центральной Азии (Қазинформ)"
    ),
    link="https://desk.example/feeds/central-asia.atom",
)
# What each service would take for markup, mentions or links, and what would turn or hide text.
HOSTILE = AlertText(
    kind=Kind.MATCH,
    title=Marked(
        text="<!channel> <@U1> @everyone @here *bold* _it_ ~no~ `code` ||spoiler|| "
        "[a](https://evil.example) :smile:",
        marks=((11, 16),),
    ),
    outlet="</a><script>alert(1)</script> & {{DATE(2017-02-14T06:08:39Z, SHORT)}}",
    at=NOW,
    rule="# Rule\r\nBcc: all@desk.example",
    rule_id="a rule\r\n> <x",
    passage=Marked(
        text="\u202etxet denrut\u202c \x00\x1b[31m zero\u200bwidth\ufeff \ud83d "
        "&lt;b&gt; $x$ --- === > quote\n\n1. one",
        marks=((-5, 4), (3, 7), (60, 99_999)),
    ),
    link="javascript:alert(1)",
    story=7,
)

MESSAGES = {
    "match": Message(id="msg_0a1B2c3D", at=NOW.astimezone(BRUSSELS), alerts=(RAILWAYS,)),
    "escalation": Message(id="msg_1", at=NOW.astimezone(ALMATY), alerts=(STRATEGY,)),
    "spike": Message(id="msg_4", at=NOW.astimezone(BRUSSELS), alerts=(RUSH,)),
    "source": Message(id="msg_2", at=NOW, alerts=(SILENCE,)),
    "hostile": Message(id='"><a b/../?#\r\nX: y', at=NOW, alerts=(HOSTILE,)),
    "summary": Message(
        id="msg_3",
        at=NOW.astimezone(BRUSSELS),
        alerts=(RAILWAYS, STRATEGY, replace(RAILWAYS, title=Marked(text=""), link=None, passage=None)),
        more="https://desk.example/",
        left_out=2,
    ),
}
