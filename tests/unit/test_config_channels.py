"""Endpoints for people, the mail server and templates, as config.toml says."""

import sys
import zoneinfo
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from syndicate import config, loading
from syndicate.config import public
from syndicate.errors import ConfigError
from syndicate.model import SmtpSecurity, SmtpSettings
from syndicate.model.channels import Apprise, Email, Ntfy, Slack, Telegram, Template

SOURCE = '[[source]]\nid = "a"\nurl = "https://a.example/"\n'
CHANNELS = """
[smtp]
host = "[::1]"
security = "tls"
user = "news"
password_file = "password"

[[endpoint]]
id = "slack"
format = "slack"
url = "https://hooks.slack.com/services/hunter2"

[[endpoint]]
id = "telegram"
format = "telegram"
token = "1:hunter2"
chat = "-100"
thread = 7

[[endpoint]]
id = "ntfy"
format = "ntfy"
topic = "hunter2"

[[endpoint]]
id = "mail"
format = "email"
sender = "news@desk.example"
recipients = ["editor@desk.example", "chief@desk.example"]

[[endpoint]]
id = "many"
format = "apprise"
url = "pover://hunter2@hunter2"

[[endpoint]]
id = "own"
format = "template"
url = "https://own.example/hunter2"
template = '''
{"text": {{ text | tojson }}}
'''
headers = { X-Token = "hunter2" }
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes a config.toml, with a rule and a password beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/eu.toml").write_text('keywords = ["EU"]\n')
    (tmp_path / "password").write_text("hunter2\n")

    def write(text):
        (tmp_path / "config.toml").write_text(SOURCE + text)
        return tmp_path / "config.toml"

    return write


def test_channels_are_read_with_their_defaults(write):
    read = config.load(write(CHANNELS), {"SYNDICATE_SMTP__PORT": "2465"})
    assert {endpoint.id: endpoint.channel for endpoint in read.endpoints} == {
        "slack": Slack(url="https://hooks.slack.com/services/hunter2"),
        "telegram": Telegram(token="1:hunter2", chat="-100", thread=7),
        "ntfy": Ntfy(topic="hunter2"),
        "mail": Email(sender="news@desk.example", recipients=("editor@desk.example", "chief@desk.example")),
        "many": Apprise(url="pover://hunter2@hunter2"),
        "own": Template(
            url="https://own.example/hunter2",
            template='{"text": {{ text | tojson }}}\n',
            headers={"X-Token": "hunter2"},
        ),
    }
    assert read.smtp == SmtpSettings(
        host="::1", port=2465, security=SmtpSecurity.TLS, user="news", password="hunter2"
    )


def test_no_secret_of_a_channel_is_in_a_representation_or_a_dump(write):
    read = config.load(write(CHANNELS), {})
    dump = public(read)
    assert "hunter2" not in repr(read)
    assert "hunter2" not in str(dump)
    assert dump["smtp"]["password"] == "***"
    shown = {endpoint["id"]: endpoint for endpoint in dump["endpoints"]}
    assert shown["slack"]["url"] == "https://hooks.slack.com/***"
    assert set(shown["slack"]) == {"id", "format", "url", "concurrency", "pace", "flood_after"}
    assert shown["ntfy"]["topic"] == "***"
    assert shown["many"]["url"] == "pover://***"
    assert shown["own"]["headers"] == {"X-Token": "***"}
    assert shown["mail"]["recipients"] == ["editor@desk.example", "chief@desk.example"]


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_of_a_mail_server_follows_from_how_it_is_spoken_to(write, security, port):
    text = f'[smtp]\nhost = "mail.desk.example"\nsecurity = "{security}"\n'
    read = config.load(write(text), {})
    assert read.smtp == SmtpSettings(host="mail.desk.example", port=port, security=SmtpSecurity(security))


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_password_in_a_file_is_its_line(write, tmp_path, end):
    path = write(CHANNELS)
    (tmp_path / "password").write_bytes(b"hunter2 " + end.encode())
    read = config.load(path, {})
    assert read.smtp is not None
    assert read.smtp.password == "hunter2 "


def test_people_are_not_flooded_unless_that_is_asked_for(write):
    read = {endpoint.id: endpoint for endpoint in config.load(write(CHANNELS), {}).endpoints}
    assert {read[name].flood_after for name in ("slack", "ntfy", "mail", "many")} == {20}
    assert read["own"].flood_after is None


def test_wall_clocks_of_a_pace_are_those_of_its_time_zone_else_of_the_service(write):
    text = '[service]\ntime_zone = "Asia/Almaty"\n'
    for name, keys in (("a", ""), ("b", 'time_zone = "UTC"\n')):
        text += f'[[endpoint]]\nid = "{name}"\nurl = "https://a.example/"\n{keys}'
    first, second = config.load(write(text), {}).endpoints
    assert (first.pace.zone, second.pace.zone) == (ZoneInfo("Asia/Almaty"), UTC)


def test_time_zones_are_known_where_the_system_has_none(write):
    text = '[service]\ntime_zone = "Asia/Qyzylorda"\n'
    zoneinfo.reset_tzpath(to=())
    try:
        read = config.load(write(text), {})
        with pytest.raises(ConfigError, match='did you mean "Asia/Qyzylorda"'):
            config.load(write(text.replace("Qy", "Ky")), {})
    finally:
        zoneinfo.reset_tzpath()
    assert datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(read.service.time_zone).hour == 17


@pytest.mark.parametrize("address", ["pover://hunter2@hunter2", "json://a.example/"])
def test_that_apprise_is_not_installed_is_told_with_its_line_and_what_to_install(write, monkeypatch, address):
    monkeypatch.setitem(sys.modules, "apprise", None)  # as Python has it where there is none
    text = f'[[endpoint]]\nid = "pager"\nformat = "apprise"\nurl = "{address}"\n'
    with pytest.raises(ConfigError) as refused:
        loading.load(write(text), {})
    assert str(refused.value) == (
        'config.toml:7: url: Apprise is not installed: pip install "syndicate[apprise]", or with ./run:'
        " .venv/bin/python -m pip install apprise"
    )


def test_the_time_zone_is_read(write):
    text = '[service]\ntime_zone = "Asia/Almaty"\n'
    read = config.load(write(text), {})
    assert read.service.time_zone == ZoneInfo("Asia/Almaty")
    assert public(read)["service"]["time_zone"] == "Asia/Almaty"
    assert public(config.load(write(""), {}))["service"]["time_zone"] == "UTC"


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("one\ntwo {{ nobody }}\n", "config.toml:10: template, line 2: no variable 'nobody'"),
        ("{{ text }}", "config.toml:9: template: it gives no JSON"),
        ("{% for a in alerts %}\n", "config.toml:9: template, line 1: Unexpected end of template"),
    ],
)
def test_a_template_is_tried_when_it_is_read_and_its_line_is_told(write, template, problem):
    text = (
        '[[endpoint]]\nid = "own"\nformat = "template"\nurl = "https://own.example/"\n'
        f"template = '''\n{template}'''\n"
    )
    with pytest.raises(ConfigError) as caught:
        loading.load(write(text), {})
    (told,) = str(caught.value).splitlines()
    assert told.startswith(problem)
