"""What must not be shown of an endpoint is not shown, in whatever way its answer repeats it."""

import html
import json
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syndicate.alerts.hiding import hidden
from syndicate.model import Endpoint
from syndicate.model.channels import Channel, Ntfy, Slack, Telegram, Template

NEW, OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b/d+c2VjcmV0c2VjcmV0c2VjcmV0/w=="


def json_by_php(text: str) -> str:
    return json.dumps(text)[1:-1].replace("/", "\\/")


WAYS: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON by PHP": json_by_php,
    "JSON in JSON": lambda text: json.dumps(json_by_php(text))[1:-1],
    "JSON by Go": lambda text: json.dumps(text)[1:-1].replace("&", "\\u0026").replace("=", "\\u003D"),
    "HTML": html.escape,
    "HTML by numbers": lambda text: html.escape(text).replace("/", "&#x2F;").replace("=", "&#61;"),
    "HTML in HTML": lambda text: html.escape(html.escape(text)),
    "an address": quote,
    "a part of an address": lambda text: quote(text, safe=""),
    "an address in lower case": lambda text: quote(text, safe="").lower() if text.islower() else quote(text),
    "an address in an address": lambda text: quote(quote(text, safe=""), safe=""),
    "a form": quote_plus,
    "Python": lambda text: repr(text.encode())[2:-1],
}


def endpoint(
    url: str = "https://desk.example/",
    secrets: tuple[str, ...] = (),
    headers: Mapping[str, str] | None = None,
    channel: Channel | None = None,
) -> Endpoint:
    return Endpoint(id="desk", url=url, secrets=secrets, headers=headers or {}, channel=channel)


def repeated(text: str, to: Endpoint) -> str:
    return hidden(f"no: {text}!".encode(), to).decode()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("secret", [NEW, OLD, OLD.removeprefix("whsec_")])
def test_each_secret_is_hidden_in_each_way_of_writing_it(way, secret):
    assert repeated(WAYS[way](secret), endpoint(secrets=(NEW, OLD))) == "no: ***!"


@example(value="000&", way="HTML")
@given(
    st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=4, max_size=20),
    st.sampled_from(sorted(WAYS)),
)
def test_whatever_a_header_says_is_hidden(value, way):
    said = f"\n{WAYS[way](value)}\n".encode()
    assert hidden(said, endpoint(headers={"x-key": value})) == b"\n***\n"


@pytest.mark.parametrize("run", [b"\\", b"%25", b"&amp;", b"/", b"&#0"])
def test_what_an_answer_repeats_without_end_is_gone_through_once(run):
    def cost(times: int) -> float:
        """Return the least processor time of several tries, so that what else runs matters little."""
        text = run * times
        tries = []
        for _ in range(5):
            began = time.process_time()
            assert hidden(text, endpoint(url="https://desk.example/hooks/0123456789")) == text
            tries.append(time.process_time() - began)
        return min(tries)

    assert cost(16_000) < 10 * cost(4_000) + 0.001  # 16 times as much if it were square


SENT = [
    (endpoint(headers={"authorization": "Bearer 0123456789"}), "0123456789"),
    (endpoint(headers={"authorization": f"Basic {b64encode(b'ann:pass word').decode()}"}), "pass word"),
    (endpoint(headers={"authorization": f"Basic {b64encode(b'ann:pass word').decode()}"}), "ann:pass word"),
    (endpoint(url="https://desk.example/hooks/0123456789?key=a%20b"), "/hooks/0123456789?key=a b"),
    (endpoint(url="https://desk.example/hooks/0123456789"), "0123456789"),
    (endpoint(channel=Slack(url="https://hooks.example/T0/B0/0123456789")), "/T0/B0/0123456789"),
    (endpoint(channel=Telegram(token="123456:AA-secret_token", chat="1")), "123456:AA-secret_token"),
    (endpoint(channel=Ntfy(topic="desk-9Xq2", token="tk_0123456789")), "tk_0123456789"),
    (
        endpoint(
            channel=Template(
                url="https://own.example/", template="x", headers={"Authorization": "Bearer 0123456789"}
            )
        ),
        "0123456789",
    ),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("to", "said"), SENT)
def test_the_part_of_it_that_an_answer_names_is_hidden_as_well(to, said, way):
    assert repeated(WAYS[way](said), to) == "no: ***!"


def test_what_is_no_secret_is_shown():
    to = endpoint(url="https://desk.example/", secrets=(NEW,), headers={"x-of": "abc", "accept": "*/*"})
    assert repeated("abc */* https://desk.example/ whsec_ Bearer", to) == (
        "no: abc */* https://desk.example/ whsec_ Bearer!"
    )


def test_json_stays_json():
    said = json.dumps({"error": f"{OLD}\\", "at": ["\n" + NEW]}).encode()
    assert json.loads(hidden(said, endpoint(secrets=(NEW, OLD)))) == {"error": "***\\", "at": ["\n***"]}


@pytest.mark.parametrize("piece", [b"\\", b"%25", b"&amp;", b"&#0", b"\\u002", b"b\\/", b"/"])
def test_no_answer_takes_long_to_search(piece):
    to = endpoint(url="https://desk.example//%/&/hooks?a=b", secrets=(OLD,), headers={"x-a": "\\/&%=+ \\/&%"})

    def seconds(text: bytes) -> float:
        began = time.perf_counter()
        hidden(text, to)
        return time.perf_counter() - began

    long = piece * (64 * 1024 // len(piece))
    short = long[: len(long) // 8]
    # Eight times as long, were it not for pauses; 64 times, if each place were searched to the end.
    assert min(seconds(long) for _ in range(3)) < 30 * min(seconds(short) for _ in range(3))
