"""What each channel says: byte for byte where that can be read, and within its limits whatever comes."""

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.alerts.channels import apprise, discord, mattermost, slack, teams, telegram
from syndicate.alerts.channels.channel import addressed, render
from syndicate.alerts.channels.message import AlertText, Kind, Mail, Marked, Message, Request
from syndicate.alerts.channels.text import PAUSE, compact_json, line, markdown_address, units, web_address
from syndicate.alerts.webhook import cut
from syndicate.model import Score
from syndicate.model.channels import Email, Mattermost, Ntfy, Telegram
from tests.channel_cases import CHANNELS, MESSAGES, RAILWAYS
from tests.support import ROOT

EXPECTED = ROOT / "tests/data/channels"
JSON = sorted(set(CHANNELS) - {"email", "template"})

# --------------------------------------------------------------------------- byte for byte


@pytest.mark.parametrize("case", MESSAGES)
@pytest.mark.parametrize("name", JSON)
def test_a_channel_says_what_its_file_says(case, name):
    expected = json.loads((EXPECTED / f"{case}.{name}.json").read_text())
    assert render(CHANNELS[name], MESSAGES[case]) == compact_json(expected)


@pytest.mark.parametrize("case", MESSAGES)
def test_a_template_says_what_its_file_says(case):
    assert render(CHANNELS["template"], MESSAGES[case]) == (EXPECTED / f"{case}.template.json").read_bytes()


@pytest.mark.parametrize("case", MESSAGES)
def test_a_mail_says_what_its_files_say(case):
    mail = render(CHANNELS["email"], MESSAGES[case])
    assert mail == (EXPECTED / f"{case}.eml").read_bytes()
    read = message_from_bytes(mail, policy=policy.default)
    for kind, suffix in (("plain", "txt"), ("html", "html")):
        part = read.get_body((kind,))
        assert part is not None
        assert part.get_content().replace("\r\n", "\n") == (EXPECTED / f"{case}.{suffix}").read_text()


def test_every_expected_file_belongs_to_a_case():
    suffixes = [f"{name}.json" for name in (*JSON, "template")] + ["eml", "txt", "html"]
    names = {f"{case}.{suffix}" for case in MESSAGES for suffix in suffixes}
    assert {path.name for path in EXPECTED.iterdir()} == names


# --------------------------------------------------------------------------- requests

MATCH = MESSAGES["match"]


def requested(name: str, delivery: str = "msg_0a1B2c3D") -> Request:
    request = addressed(CHANNELS[name], b"{}", delivery)
    assert isinstance(request, Request)
    return request


@pytest.mark.parametrize(
    ("name", "method", "url"),
    [
        ("slack", "POST", "https://hooks.slack.com/services/T0/B0/secret"),
        ("discord", "POST", "https://discord.com/api/v10/webhooks/1/secret?wait=true"),
        ("teams", "POST", "https://prod-1.westeurope.logic.azure.com/workflows/1?sig=secret"),
        ("mattermost", "POST", "https://chat.example.org/hooks/secret"),
        ("telegram", "POST", "https://api.telegram.org/bot123456:AA-secret_token/sendMessage"),
        ("ntfy", "POST", "https://ntfy.sh/"),
        (
            "matrix",
            "PUT",
            "https://matrix.example.org/_matrix/client/v3/rooms/%21desk%3Aexample.org/send/m.room.message/msg_1",
        ),
        ("template", "POST", "https://own.example.org/in?key=secret"),
    ],
)
def test_a_request_goes_where_the_service_wants_it(name, method, url):
    request = requested(name, "msg_1")
    assert (request.method, request.url, request.body) == (method, url, b"{}")
    assert request.headers["content-type"].startswith("application/json")
    assert "secret" not in repr(request)


def test_tokens_go_in_headers():
    assert requested("matrix").headers["authorization"] == "Bearer syt_secret"
    assert "authorization" not in requested("ntfy").headers
    with_token = addressed(Ntfy(topic="desk", url="https://push.example/", token="tk_1"), b"{}", "msg_1")
    assert isinstance(with_token, Request)
    assert with_token.url == "https://push.example/"
    assert with_token.headers["authorization"] == "Bearer tk_1"


def test_a_transaction_of_matrix_is_the_delivery_whatever_its_id():
    assert requested("matrix", "a/b?c#d é").url.endswith("/send/m.room.message/a%2Fb%3Fc%23d%20%C3%A9")


def test_a_notification_of_ntfy_takes_the_place_of_one_of_the_same_delivery():
    assert json.loads(render(CHANNELS["ntfy"], MATCH))["sequence_id"] == MATCH.id
    assert "sequence_id" not in json.loads(render(CHANNELS["ntfy"], replace(MATCH, id="a b")))


def test_a_template_is_sent_with_the_id_of_the_delivery():
    assert requested("template").headers["webhook-id"] == "msg_0a1B2c3D"


def test_a_thread_of_discord_is_kept():
    url = "https://discord.com/api/webhooks/1/secret?thread_id=7&wait=false"
    request = discord.request(replace(CHANNELS["discord"], url=url), b"{}", "msg_1")  # type: ignore[arg-type]
    assert request.url == "https://discord.com/api/v10/webhooks/1/secret?thread_id=7&wait=true"


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("https://discord.com/api/webhooks/1/a", "https://discord.com/api/v10/webhooks/1/a?wait=true"),
        ("https://discord.com/api/v8/webhooks/1/a", "https://discord.com/api/v10/webhooks/1/a?wait=true"),
        ("https://ptb.discord.com/api/v10/webhooks/1/a", "https://ptb.discord.com/api/v10/webhooks/1/a?wait=true"),
        ("https://relay.example/discord-token", "https://relay.example/discord-token?wait=true"),
    ],
)  # fmt: skip
def test_discord_is_asked_by_the_version_whose_answers_are_read(address, asked):
    request = addressed(replace(CHANNELS["discord"], url=address), b"{}", "msg_1")
    assert isinstance(request, Request)
    assert request.url == asked


def test_settings_of_a_place_are_said():
    in_topic = json.loads(render(Telegram(token="1:a", chat="@desk", thread=7), MATCH))
    assert (in_topic["chat_id"], in_topic["message_thread_id"]) == ("@desk", 7)
    assert (
        json.loads(render(Mattermost(url="https://c.example/", channel="news"), MATCH))["channel"] == "news"
    )
    assert json.loads(render(Ntfy(topic="desk", priority=4), MATCH))["priority"] == 4


def test_a_mail_goes_to_all_its_recipients():
    mail = addressed(CHANNELS["email"], b"...", "msg_1")
    assert mail == Mail(
        sender="news@desk.example", recipients=("editor@desk.example", "chief@desk.example"), body=b"..."
    )
    assert not mail.needs_smtputf8
    beyond_ascii = Email(sender="news@desk.example", recipients=("редактор@desk.example",))
    mail = addressed(beyond_ascii, render(beyond_ascii, MATCH), "msg_1")
    assert isinstance(mail, Mail)
    assert mail.needs_smtputf8
    assert "\r\nTo: редактор@desk.example\r\n".encode() in mail.body


# --------------------------------------------------------------------------- any text, within limits

texts = st.one_of(
    st.text(max_size=80),
    st.text(alphabet='\\`*_{}[]()#+-.!><~|&@:"=$/\n\r\u200b\u202e\ud83d🐎é ж1a', max_size=120),
    st.sampled_from(
        ["🐎" * 400, "<" * 400, "слово " * 300, "a" * 3000, '"' * 900, "@channel " * 90, "\\" * 300]
    ),
)


@st.composite
def marked(draw: st.DrawFn) -> Marked:
    places = st.tuples(st.integers(-3, 400), st.integers(-3, 400))
    return Marked(text=draw(texts), marks=tuple(draw(st.lists(places, max_size=60))))


alerts = st.builds(
    AlertText,
    kind=st.sampled_from(Kind),
    title=marked(),
    outlet=texts,
    at=st.datetimes(timezones=st.timezones()),
    rule=texts,
    rule_id=texts,
    passage=st.none() | marked(),
    link=st.none()
    | texts
    | texts.map("https://a.example/".__add__)
    | st.just("https://a.example/" + "я" * 1900),
    score=st.none() | st.just(Score(threshold=4, total=5, parts=())),
    also=st.lists(texts, max_size=9).map(tuple),
    story=st.none() | st.integers(1),
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Draw a message with few alerts, or with many of few kinds."""
    told = draw(st.lists(alerts, min_size=1, max_size=3))
    times = draw(st.sampled_from([1, 1, 1, 25]))
    return Message(
        id=draw(texts),
        at=draw(st.datetimes(timezones=st.just(UTC))),
        alerts=tuple(told * times),
        more=draw(st.none() | st.just("https://desk.example/")),
        left_out=draw(st.sampled_from([0, 0, 7])),
    )


class Strict(HTMLParser):
    """Takes only these elements, properly closed, with links to the web alone."""

    def __init__(self, *, elements: set[str], single: set[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.elements, self.single = elements, single
        self.open: list[str] = []
        self.text = ""
        self.count = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.elements | self.single, tag
        self.count += 1
        for name, value in attrs:
            assert name in {"href", "style", "dir", "charset"}
            assert name != "href" or re.match("https?://", value or "")
        if tag not in self.single:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(markup: str, elements: str, single: str = "") -> Strict:
    assert not re.search(r"&(?!(amp|lt|gt|quot|#x27);)", markup)
    parser = Strict(elements=set(elements.split()), single=set(single.split()))
    parser.feed(markup)
    parser.close()
    assert not parser.open
    return parser


def check_slack(rendered: bytes) -> None:
    payload = json.loads(rendered)
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", payload["text"])
    assert 1 <= len(payload["blocks"]) <= 50
    for block in payload["blocks"]:
        if block["type"] == "header":
            assert 1 <= units(block["text"]["text"]) <= 150
            continue
        (section,) = block["elements"]
        assert all(element["text"] for element in section["elements"])
        assert sum(units(element["text"]) for element in section["elements"]) <= 3_000
        links = [element["url"] for element in section["elements"] if element["type"] == "link"]
        assert all(re.match("https?://", link) and len(link) <= 3_000 for link in links)


def check_discord(rendered: bytes) -> None:
    payload = json.loads(rendered)
    assert payload["allowed_mentions"] == {"parse": []}
    assert units(payload.get("content", "")) <= 2_000
    assert 1 <= len(payload["embeds"]) <= 10
    total = 0
    for embed in payload["embeds"]:
        parts = [(embed["title"], 256), (embed["author"]["name"], 256)]
        parts += [(embed["description"], 4_096)] if "description" in embed else []
        parts += [(embed["footer"]["text"], 2_048)] if "footer" in embed else []
        assert all(1 <= units(text) <= limit for text, limit in parts)
        total += sum(units(text) for text, _ in parts)
    assert total <= 6_000


def check_teams(rendered: bytes) -> None:
    assert len(rendered) <= 21_000
    payload = json.loads(rendered)
    card = payload["attachments"][0]["content"]
    assert (payload["type"], card["type"], card["version"]) == ("message", "AdaptiveCard", "1.4")
    assert "{{" not in rendered.decode()


def check_mattermost(rendered: bytes) -> None:
    text = json.loads(rendered)["text"]
    assert 1 <= units(text) <= 16_383
    assert not re.search(f"[@<&$](?!{PAUSE})", re.sub(r"\]\([^)]*\)", "]", text))


def check_telegram(rendered: bytes) -> None:
    payload = json.loads(rendered)
    parser = parsed(payload["text"], "a b i")
    assert 1 <= units(parser.text) <= 4_096
    assert parser.count <= 100
    assert not re.search(r"@\w|(?<![\w/<>])/\w", parser.text)


def check_ntfy(rendered: bytes) -> None:
    payload = json.loads(rendered)
    assert 1 <= len(payload["message"].encode()) <= 4_096
    assert 1 <= units(payload["title"]) <= 250
    assert len(rendered) <= 8_192


def check_matrix(rendered: bytes) -> None:
    payload = json.loads(rendered)
    assert len(rendered) <= 60_000
    assert payload["m.mentions"] == {}
    parsed(payload["formatted_body"], "a p h4 em strong", "br")


def check_email(rendered: bytes) -> None:
    head = rendered.partition(b"\r\n\r\n")[0].decode("ascii")
    for each in head.split("\r\n"):
        assert re.match(r"[A-Z][A-Za-z-]+: \S| \S", each), each
        assert each.isprintable()
        assert len(each) <= 998
    read = message_from_bytes(rendered, policy=policy.default)
    assert not read.defects
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    assert [str(read[name]) for name in ("From", "To", "Auto-Submitted")] == [
        "Syndicate <news@desk.example>",
        "editor@desk.example, chief@desk.example",
        "auto-generated",
    ]
    assert not {"bcc", "cc"} & {name.lower() for name in read.keys()}  # noqa: SIM118  headers, not a dict
    markup = read.get_body(("html",))
    assert markup is not None
    elements = "html head body p h2 a em strong small mark"
    parsed(markup.get_content().removeprefix("<!DOCTYPE html>"), elements, "br meta")


def check_template(rendered: bytes) -> None:
    assert len(rendered) <= 20_000
    assert isinstance(json.loads(rendered)["links"], list)


def check_apprise(rendered: bytes) -> None:
    handed = json.loads(rendered)
    assert handed.keys() == {"title", "text"}
    assert not re.search(r"@\w|<[!@#]", handed["title"] + "\n" + handed["text"])
    assert len(handed["text"]) <= apprise.TEXT_LENGTH


CHECKS: dict[str, Callable[[bytes], None]] = {
    "slack": check_slack,
    "discord": check_discord,
    "teams": check_teams,
    "mattermost": check_mattermost,
    "telegram": check_telegram,
    "ntfy": check_ntfy,
    "matrix": check_matrix,
    "email": check_email,
    "apprise": check_apprise,
    "template": check_template,
}


@pytest.mark.parametrize("name", CHANNELS)
@settings(max_examples=25, deadline=None)
@given(message=messages())
def test_any_message_is_valid_and_within_the_limits_of_the_channel(name, message):
    rendered = render(CHANNELS[name], message)
    CHECKS[name](rendered)
    assert render(CHANNELS[name], message) == rendered


@pytest.mark.parametrize("name", CHANNELS)
def test_the_longest_messages_are_within_the_limits(name):
    for text in ("🐎" * 3000, '"' * 3000, "\\<" * 1500):
        longest = AlertText(
            kind=Kind.ESCALATION,
            title=Marked(text=text, marks=tuple((n, n + 1) for n in range(0, 3000, 2))),
            outlet=text,
            at=MATCH.at,
            rule=text,
            rule_id=text,
            passage=Marked(text=text, marks=tuple((n, n + 1) for n in range(0, 3000, 2))),
            link="https://a.example/" + text.replace(" ", "/")[:1980],
            score=Score(threshold=-1.5e300, total=1.5e300, parts=()),
            also=(text,) * 9,
            story=10**18,
        )
        for count in (1, 30):
            CHECKS[name](render(CHANNELS[name], replace(MATCH, alerts=(longest,) * count)))


# --------------------------------------------------------------------------- nothing is lost on the way


def shown(name: str, message: Message) -> str:
    """Return all that a channel shows, without its markup."""
    payload = json.loads(render(CHANNELS[name], message))
    match name:
        case "slack":
            return "\n".join(strings(payload["blocks"]))
        case "discord":
            embeds = payload["embeds"]
            escaped = [embed.get(key, "") for embed in embeds for key in ("title", "description")]
            plain = re.sub(r"\\(.)", r"\1", "\n".join([*escaped, payload.get("content", "")]))
            return "\n".join([plain, *strings([(embed["author"], embed.get("footer")) for embed in embeds])])
        case "teams":
            return "".join(strings(payload)).replace(PAUSE, "")
        case "mattermost":
            return re.sub(r"\\(.)", r"\1", payload["text"].replace(PAUSE, ""))
        case "telegram":
            return html.unescape(re.sub("<[^>]*>", "", payload["text"])).replace(PAUSE, "")
        case "apprise":
            return str(payload["text"]).replace(PAUSE, "")
        case "ntfy":
            return f"{payload['title']}\n{payload['message']}"
        case _:
            return html.unescape(re.sub("<[^>]*>", "", payload["formatted_body"]))


def strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list() | tuple() | dict():
            for inner in value.values() if isinstance(value, dict) else value:
                yield from strings(inner)
        case _:
            pass


@pytest.mark.parametrize("name", JSON)
@settings(max_examples=25, deadline=None)
@given(title=st.text(max_size=60), passage=st.text(max_size=200), outlet=st.text(max_size=60))
def test_any_text_is_shown_as_it_is(name, title, passage, outlet):
    alert = replace(RAILWAYS, title=Marked(text=title), passage=Marked(text=passage), outlet=outlet)
    text = shown(name, replace(MATCH, alerts=(alert,)))
    for part in (title, passage, outlet):
        assert line(part) in text


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("case", ["match", "escalation", "summary"])
def test_each_alert_shows_title_outlet_time_rule_passage_and_link(name, case):
    text = shown(name, MESSAGES[case])
    rendered = render(CHANNELS[name], MESSAGES[case]).decode()
    for alert in MESSAGES[case].alerts:
        marked = (*alert.title.runs, *(alert.passage.runs if alert.passage else ()))
        parts = [run.text for run in marked] + [alert.outlet, alert.rule, f"{alert.at:%H:%M}", "24 Nov 2026"]
        assert [part for part in parts if part not in text] == []
        if alert.link and not (name == "ntfy" and case != "match"):
            link = web_address(alert.link, 2_000)
            assert link is not None
            assert any(each in rendered for each in (link, html.escape(link), markdown_address(link)))


@pytest.mark.parametrize(
    ("name", "beginning", "end"),
    [
        ("discord", "**", "**"),
        ("mattermost", "**", "**"),
        ("telegram", "<b>", "</b>"),
        ("ntfy", "*", "*"),
        ("matrix", "<strong>", "</strong>"),
    ],
)
def test_what_stands_out_in_a_passage_is_marked(name, beginning, end):
    rendered = render(CHANNELS[name], MATCH).decode()
    assert f"The railways of {beginning}Central Asia{end} publish" in rendered
    assert f"says the {beginning}EU{end}" in rendered


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("count", [2, 30, 100])
def test_a_summary_shows_or_counts_every_alert_in_order(name, count):
    told = tuple(replace(RAILWAYS, title=Marked(text=f"Item n{n}n")) for n in range(count))
    text = shown(name, replace(MATCH, alerts=told))
    numbers = list(dict.fromkeys(map(int, re.findall(r"Item n(\d+)n", text))))
    rest = re.search(r"and (\d+) more(?! ·)", text.replace("and 24.kg", ""))
    assert numbers == list(range(len(numbers)))
    assert len(numbers) + (int(rest[1]) if rest else 0) == count
    assert f"{count} alerts" in text
    assert len(numbers) >= min(count, 10)


def test_passages_go_before_alerts_do():
    long = replace(RAILWAYS, passage=Marked(text="word " * 60, marks=((100, 104),)))
    short = shown("telegram", replace(MATCH, alerts=(long,) * 24))
    assert "word" not in short
    assert "more" not in short.replace("Rule", "")
    assert "…" in shown("telegram", replace(MATCH, alerts=(long,) * 5))


def test_a_long_passage_is_cut_on_words_around_what_stands_out():
    text = "before " * 400 + "TERM" + " after" * 400
    start = text.index("TERM")
    alert = replace(RAILWAYS, passage=Marked(text=text, marks=((start, start + 4),)))
    payload = json.loads(render(CHANNELS["telegram"], replace(MATCH, alerts=(alert,))))
    passage = payload["text"].split("\n")[2]
    assert re.fullmatch(r"…(before )+<b>TERM</b>( after)+…", passage)
    assert 900 < len(passage) <= 1_007


@settings(max_examples=100)
@given(
    text=st.text(max_size=50),
    places=st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60)), max_size=8),
)
def test_runs_are_the_text_again(text, places):
    runs = Marked(text=text, marks=tuple(places)).runs
    assert "".join(run.text for run in runs) == text
    covered = {n for start, end in places for n in range(max(0, start), min(end, len(text)))}
    position = 0
    for run in runs:
        assert {n in covered for n in range(position, position + len(run.text))} == {run.is_marked}
        position += len(run.text)


@pytest.mark.parametrize(
    ("escape", "undo"),
    [
        (slack.escaped, html.unescape),
        (discord.escaped, lambda text: re.sub(r"\\(.)", r"\1", text)),
        (teams.escaped, lambda text: text.replace(PAUSE, "")),
        (mattermost.escaped, lambda text: re.sub(r"\\(.)", r"\1", text.replace(PAUSE, ""))),
        (telegram.escaped, lambda text: html.unescape(text.replace(PAUSE, ""))),
    ],
    ids=["slack", "discord", "teams", "mattermost", "telegram"],
)
@given(text=texts)
def test_escaping_can_be_undone(escape, undo, text):
    assert undo(escape(line(text))) == line(text)


@pytest.mark.parametrize("name", ["mattermost", "telegram"])
def test_a_mention_that_stands_out_in_part_is_none(name):
    alert = replace(RAILWAYS, passage=Marked(text="@channel :smile:", marks=((0, 1), (9, 10))))
    rendered = render(CHANNELS[name], replace(MATCH, alerts=(alert,))).decode()
    assert not re.search(r"@[*]*(</b>)?channel", rendered)
    assert name == "telegram" or not re.search(r":[*]*smile:", rendered)


def test_a_link_by_apprise_leads_where_it_did():
    alert = replace(RAILWAYS, title=Marked(text="By @ana"), link="https://a.example/@ana/1?to=a@b")
    said = json.loads(render(CHANNELS["apprise"], replace(MATCH, alerts=(alert,))))["text"]
    assert said.startswith(f"By @{PAUSE}ana\n")
    assert said.endswith("\nhttps://a.example/%40ana/1?to=a%40b")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("/start and/or (/kick@bot)", f"/{PAUSE}start and/or (/{PAUSE}kick@{PAUSE}bot)"),
        ("https://a.example/b 24/7 a / b", "https://a.example/b 24/7 a / b"),
    ],
)
def test_no_word_is_a_command_to_a_bot(text, escaped):
    assert telegram.escaped(text) == escaped


def test_titles_are_cut_on_a_word():
    alert = replace(RAILWAYS, title=Marked(text="word " * 100, marks=((0, 4), (480, 484))))
    title = json.loads(render(CHANNELS["discord"], replace(MATCH, alerts=(alert,))))["embeds"][0]["title"]
    assert title == "__word__" + cut("word " * 100, 200)[4:]
    assert title.endswith("word…")


def test_times_are_those_of_the_readers_zone():
    at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    assert "2 Jan 2026, 03:04 UTC" in shown("ntfy", replace(MATCH, alerts=(replace(RAILWAYS, at=at),)))
