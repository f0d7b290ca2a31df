"""Bodies of one's own: what a template is given, what it may not do, and how much it may take."""

import json
import time
import tracemalloc
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.alerts.channels.message import Marked
from syndicate.alerts.channels.template import FILTERS, OUTPUT_BYTES, body
from syndicate.alerts.channels.text import line
from syndicate.alerts.channels.variables import NAMES
from syndicate.errors import TemplateError
from syndicate.model.channels import Template
from tests.channel_cases import MESSAGES, TEMPLATE
from tests.channel_cases import RAILWAYS as ANY_ALERT

RAILWAYS = replace(ANY_ALERT, also=("Astana Times", "24.kg"))
MATCH, SUMMARY = replace(MESSAGES["match"], alerts=(RAILWAYS,)), MESSAGES["summary"]
MANY = replace(MATCH, alerts=(RAILWAYS,) * 200)


def made(template: str, message=MATCH, content_type: str = "text/plain") -> str:
    return body(
        Template(url="https://own.example/", template=template, content_type=content_type), message
    ).decode()


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ alert.title }} / {{ alert.outlet }}\n", f"{RAILWAYS.title.text} / Steppe Wire\n"),
        ("{{ alerts[0].moment }}", "24 Nov 2026, 07:30 CET"),
        ("{{ alert.at }} {{ id }}", "2026-11-24T07:30:00+01:00 msg_0a1B2c3D"),
        ("{% for name in alert.also %}{{ loop.index }} {{ name }} {% endfor %}", "1 Astana Times 2 24.kg "),
        ("{{ alert.also | join(', ') | upper }}", "ASTANA TIMES, 24.KG"),
        ("{{ alert.also | length + 1 }} {{ alert.also | first }}", "3 Astana Times"),
        ("{{ alert.also | last | lower }}", "24.kg"),
        ("{% if alert.score is none %}-{% else %}{{ alert.score }}{% endif %}{{ alert.threshold }}", "5.54"),
        ("{{ 'yes' if is_summary else 'no' }}", "no"),
        ("{{ alert.title | cut(14) }}", "Five railways…"),
        ("{{ alert.title[:4] ~ '!' }}", "Five!"),
        ("{{ more | default('-', true) }}", "-"),
        ("{{ alert.rule | urlencode }}", "Central%20Asia%20%26%20the%20EU"),
        ("{{ alert.rule }} {{ alert.rule | e }}", "Central Asia & the EU Central Asia &amp; the EU"),
        ("{% for run in alert.title_runs %}{{ '_' if run.is_marked }}{{ run.text }}{% endfor %}",
         "Five railways of _Central Asia agree on one timetable"),
        ("{% for a in alerts %}{% for run in a.passage_runs %}{{ run.text }}{% endfor %}{% endfor %}",
         RAILWAYS.passage.text if RAILWAYS.passage else ""),
        ("{{ alert.title_runs[1:2] | tojson }}", '[{"text": "Central Asia", "is_marked": true}]'),
        ("plain {# a comment #}text", "plain text"),
    ],
)  # fmt: skip
def test_a_template_puts_together_what_it_is_given(template, expected):
    assert made(template) == expected


def test_values_are_escaped_in_html_unless_they_are_said_to_be_safe():
    template = "<b>{{ alert.rule }}</b>{{ '<i>' | safe }}"
    assert made(template, content_type="text/html; charset=utf-8") == "<b>Central Asia &amp; the EU</b><i>"
    assert made(template) == "<b>Central Asia & the EU</b><i>"


@settings(deadline=None)
@given(title=st.text(max_size=100))
def test_json_is_json_whatever_an_item_says(title):
    alert = replace(RAILWAYS, title=Marked(text=title))
    found = json.loads(made(TEMPLATE, replace(MATCH, alerts=(alert,)), "application/json"))
    assert found["text"].startswith(line(title) or "Untitled")
    assert found["links"] == [RAILWAYS.link]


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("a\n{{ alrt.title }}", "line 2: no variable 'alrt': there are id, at, subject, heading, "),
        ("{{ alert.titel }}", "line 1: it fails: 'dict object' has no attribute 'titel'"),
        ("\n\n{{ alert.title.upper() }}", "line 3: a call cannot be used in a template"),
        ("{{ range(10) }}", "line 1: a call cannot be used"),
        ("{{ ''.__class__.__mro__ }}", "line 1: it fails: access to attribute '__class__'"),
        ("{{ alert.title.format }}", "line 1: it fails: access to attribute 'format'"),
        ("{{ alert['title']['__class__'] }}", "line 1: it fails: "),
        ("{% set x = 1 %}", "line 1: {% set %} cannot be used"),
        ("{% macro m() %}{% endmacro %}", "line 1: {% macro %} cannot be used"),
        ("{% include 'x' %}", "line 1: {% include %} cannot be used"),
        ("{% import 'x' as x %}", "line 1: {% import %} cannot be used"),
        ("{% extends 'x' %}", "line 1: {% extends %} cannot be used"),
        ("{% with x = 1 %}{% endwith %}", "line 1: {% with %} cannot be used"),
        ("{% filter upper %}{% endfilter %}", "line 1: {% filterblock %} cannot be used"),
        ("{{ 'x' * 9 }}", "line 1: * cannot be used"),
        ("{{ 9 ** 9 }}", "line 1: ** cannot be used"),
        ("{{ '%99999d' % 1 }}", "line 1: % cannot be used"),
        ("{{ alert.title | center(9) }}", "line 1: no filter 'center': there are cut, "),
        ("{{ 1 is divisibleby 1 }}", "line 1: no test 'divisibleby': there are defined"),
        ("{% for x in [1, 2] %}{% endfor %}", "line 1: a loop goes over a variable"),
        ("{% for x in alerts recursive %}{% endfor %}", "line 1: a loop is neither recursive"),
        ("{% for x in alerts if x %}{% endfor %}", "line 1: a loop is neither recursive nor filtered"),
        ("{% for x in alert.title %}{% endfor %}", "line 1: it fails: only a list can be looped over"),
        ("{% for a in alerts %}{% for b in alerts %}\n{% for c in alerts %}" + "{% endfor %}" * 3,
         "line 2: loops stand in loops up to 2 deep"),
        ("{% if %}", "line 1: Expected an expression, got 'end of statement block'"),
        ("{{ alert.title", "line 1: unexpected end of template"),
        ("{{ 1 + 'a' }}", "line 1: it fails: unsupported operand"),
        ("{{ alert.also | join(1, 2, 3, 4) }}", "line 1: it fails: "),
        ("{{ " + "9" * 5_000 + " }}", "a number in it is too long"),
        ("{% if 0x" + "f" * 6_000 + " %}{% endif %}", "a number in it is too long"),
        (r"{{ '\ud800' }}", r"it gives half a character, '\ud800'"),
        ("x" * 16_001, "a template has up to 16000 characters"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "it is nested too deeply"),
    ],
)  # fmt: skip
def test_what_a_template_may_not_do_is_said_with_its_line(template, problem):
    with pytest.raises(TemplateError) as refused:
        made(template)
    assert problem in str(refused.value)


def test_what_is_no_json_is_said_before_it_is_sent():
    with pytest.raises(
        TemplateError, match=r"it gives no JSON: .* \(line 2 of what it gives\); write values as"
    ):
        made('{\n"title": {{ alert.title }}}', content_type="application/json")


def test_what_only_python_takes_for_json_is_none():
    with pytest.raises(TemplateError, match="it gives no JSON: Infinity is no number"):
        made("{{ 1e999 | tojson }}", content_type="application/json")


def test_what_is_too_long_tells_fewer_alerts():
    template = (
        "{% for alert in alerts %}{{ alert.title }} {{ alert.link }}\n{% endfor %}and {{ left_out }} more"
    )
    text = made(template, MANY)
    lines = text.splitlines()
    assert OUTPUT_BYTES - 300 < len(text.encode()) <= OUTPUT_BYTES
    assert lines[-1] == f"and {200 - len(lines) + 1} more"


@pytest.mark.parametrize(
    "template",
    [
        "{{ alert.title }}" * 900,
        "{{ alert.title" + " | tojson" * 25 + " }}",
        "{% for a in alerts %}" + "{{ a.title }}" * 500 + "{% endfor %}",
    ],
)
def test_what_is_too_long_for_one_alert_is_said(template):
    with pytest.raises(TemplateError, match="it gives more than 20000 bytes for one alert"):
        made(template)


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in alerts %}{% for b in alerts %}" + "{{ '' }}" * 1_500 + "{% endfor %}{% endfor %}",
        "{% for a in alerts %}" + "{% if a.title in a.passage %}{% endif %}" * 400 + "{% endfor %}",
        "{{ " + " ~ ".join(["alert.title"] * 1_000) + " }}",
        "{{ " + "+".join(["alerts"] * 1_500) + " }}",
        "{{ " + " ~ ".join(["text"] * 1_500) + " }}",
        "{% for a in alerts %}{% if " + " ~ ".join(["text"] * 1_500) + " %}{% endif %}{% endfor %}",
        "{% for a in alerts %}{% for b in alerts %}" + "{% if alerts | tojson %}{% endif %}" * 400
        + "{% endfor %}{% endfor %}",
    ],
)  # fmt: skip
def test_work_is_bounded_before_it_is_done(template):
    began = time.process_time()
    with suppress(TemplateError):
        made(template, replace(MATCH, alerts=(RAILWAYS,) * 500))
    assert time.process_time() - began < 10  # seconds; the first would take hours


def test_what_is_put_together_takes_little_memory():
    template = "{% if " + " ~ ".join(["text"] * 2_000) + " %}{% endif %}"
    tracemalloc.start()
    try:
        made(template, replace(MATCH, alerts=(RAILWAYS,) * 500))
        assert tracemalloc.get_traced_memory()[1] < 150 * 2**20
    finally:
        tracemalloc.stop()


def test_a_text_is_never_told_in_part():
    text = made("{{ text }}", MANY)
    assert text.endswith(f"\n\nand {200 - text.count('Five railways')} more")


@settings(max_examples=150, deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from(
            [*(f"{{{{ {name} }}}}" for name in NAMES),
             *(f"{{{{ alert.title | {each} }}}}" for each in FILTERS),
             "{% for alert in alerts %}", "{% endfor %}", "{% if more %}", "{% else %}", "{% endif %}",
             "{{ loop.index }}", "{{ alert.title_runs }}", "{{", "}}", "{%", "%}", "{#", "x",
             "{{ self }}", "{{ alert[0] }}", "{{ -1 }}"]
        ),
        max_size=8,
    )
)  # fmt: skip
def test_any_template_gives_a_body_or_says_why_not(pieces):
    try:
        text = made("".join(pieces), SUMMARY)
    except TemplateError:
        return
    assert len(text.encode()) <= OUTPUT_BYTES
