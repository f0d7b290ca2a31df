"""Configuration: what is right is read exactly, what is wrong is said all at once, at its line."""

import sys
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate import __version__, config
from syndicate.config import duration, public
from syndicate.config.durations import spelled
from syndicate.config.variables import filled, filled_places
from syndicate.errors import ConfigError, Problem
from syndicate.model import (
    Address,
    Example,
    Kind,
    PostgresAddress,
    RuleText,
    Scope,
    ScoreText,
    Source,
    WeightedTerm,
    Written,
)
from syndicate.model.feeds import FeedSettings
from tests.support import ROOT, shipped

DATA = ROOT / "tests" / "data" / "config"
CASES = sorted([*DATA.glob("*.txt"), *DATA.glob("*/problems.txt")])
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SOURCE = '[[source]]\nid = "a"\nurl = "https://a.example/"\n'
RULE = 'keywords = ["EU"]\n'
AT_ONCE: dict[str, object] = {
    "grouping": None,
    "digest": None,
    "max_per_hour": None,
    "quiet_hours": [],
    "zone": "UTC",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files, with a good config.toml and rule unless those are among them; return config.toml."""
    for name, text in {"config.toml": SOURCE, "rules/eu.toml": RULE, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "config.toml"


def said(reading: config.Reading) -> list[str]:
    return [str(problem) for problem in reading.problems]


# --------------------------------------------------------------------------- what is wrong


def case_id(path: Path) -> str:
    return path.parent.name if path.name == "problems.txt" else path.stem


def environment(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines() if path.exists() else []
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_every_problem_is_said_at_once_and_no_secret_with_it(case, monkeypatch):
    monkeypatch.chdir(case.parent)
    is_folder = case.name == "problems.txt"
    path = Path("config.toml") if is_folder else Path(case.with_suffix(".toml").name)
    environ = environment(Path("environment.env") if is_folder else Path(case.with_suffix(".env").name))
    reading = config.read(path, environ)
    text = "".join(f"{problem}\n" for problem in reading.problems)
    assert text == case.read_text()
    assert "hunter2" not in text
    with pytest.raises(ConfigError) as caught:
        config.load(path, environ)
    assert caught.value.problems == reading.problems


def test_the_cases_are_found():
    assert len(CASES) >= 15


@given(st.binary(max_size=200))
def test_no_bytes_make_reading_raise(tmp_path_factory, body):
    folder = tmp_path_factory.mktemp("any")
    path = write(folder, {})
    path.write_bytes(body)
    assert config.read(path, {}).problems
    write(folder, {})
    (folder / "rules" / "eu.toml").write_bytes(body)
    config.read(path, {})


TABLES = "".join((DATA / f"{name}.toml").read_text() for name in ("source", "kinds", "endpoint"))
PIECES = sorted(set(TABLES.replace("\n", " \n ").split(" ")))


@given(
    st.lists(st.sampled_from(PIECES), max_size=40), st.integers(0, len(TABLES)), st.integers(0, len(TABLES))
)
def test_no_mixed_up_configuration_makes_reading_raise(tmp_path_factory, pieces, start, end):
    path = write(tmp_path_factory.mktemp("mixed"), {})
    path.write_text(TABLES[:start] + " ".join(pieces) + TABLES[end:])
    assert config.read(path, {}).problems


@pytest.mark.parametrize(
    "key", ["source", "endpoint", "service", "network", "rule", "service.rules", "source.urls"]
)
@pytest.mark.parametrize(
    "value", ["1", "1.5", "true", '"x"', "[]", "{}", "[1]", "[{}]", "[[]]", "1979-05-27", "{a={}}"]
)
def test_no_value_of_another_type_makes_reading_raise(folder, key, value):
    text = SOURCE.replace("[[source]]", "") + f"{key} = {value}\n"
    assert config.read(write(folder, {"config.toml": text}), {}).problems
    config.read(
        write(folder, {"rules/eu.toml": f"{key} = {value}\nkeywords = {value}\nexamples = {value}"}), {}
    )


RULES = "".join(path.read_text() for path in sorted((DATA / "rules-in-full" / "rules").glob("[!s]*.toml")))
RULE_PIECES = sorted(set(RULES.replace("\n", " \n ").split(" ")))


@given(
    st.lists(st.sampled_from(RULE_PIECES), max_size=20),
    st.integers(0, len(RULES)),
    st.integers(0, len(RULES)),
)
def test_no_mixed_up_rule_makes_reading_raise(tmp_path_factory, pieces, start, end):
    path = write(tmp_path_factory.mktemp("mixed"), {})
    (path.parent / "rules" / "eu.toml").write_text(RULES[:start] + " ".join(pieces) + RULES[end:])
    config.read(path, {"QUERY": "EU\n\nstrategy"})


@pytest.mark.parametrize(
    "key",
    ["query", "score", "score.threshold", "score.terms", "score.terms.EU", "fold", "languages", "since"],
)
@pytest.mark.parametrize(
    "value",
    ["1", "-0.0", "nan", "-inf", "1e400", "1" * 1000, "true", '"x"', "[]", "{}", "[1]", "[{}]", "1979-05-27"],
)
def test_no_value_of_a_rule_makes_reading_raise(folder, key, value):
    rest = "score.threshold = 1\n" if key.startswith("score.terms") else ""
    config.read(write(folder, {"rules/eu.toml": f"{rest}{key} = {value}"}), {})


@pytest.mark.parametrize(
    "body", ["a = " + "[" * 5000 + "]" * 5000, "a = " + "1" * 5000, "a" * 200_000, "a" + ".a" * 1000 + " = 1"]
)
def test_no_monster_makes_reading_raise(folder, body):
    assert config.read(write(folder, {"config.toml": body}), {}).problems


def test_a_folder_in_its_place_is_said_so(folder):
    (folder / "config.toml").mkdir()
    assert said(config.read(Path("config.toml"), {})) == ["config.toml: is a folder, not a file"]


def test_a_file_that_can_not_be_read_is_said_so(folder):
    path = write(folder, {}).relative_to(folder) / "config.toml"
    assert said(config.read(path, {})) == ["config.toml/config.toml: can't be read: Not a directory"]


def test_what_is_sound_can_be_looked_at_in_spite_of_problems(folder):
    text = SOURCE + 'interval = "often"\n' + SOURCE.replace('"a"', "5").replace("a.example", "b.example")
    reading = config.read(write(folder, {"config.toml": text, "rules/bad.toml": ""}), {})
    assert reading.config is not None
    assert [source.id for source in reading.config.sources] == ["a"]
    assert [rule.id for rule in reading.config.rules] == ["eu"]
    assert len(reading.problems) == 3


def test_a_rule_may_name_what_has_problems_of_its_own(folder):
    text = '[[source]]\nid = "a"\n[[endpoint]]\nid = "desk"\n'
    rule = RULE + 'sources = ["a"]\nnotify = ["desk"]\n'
    problems = said(config.read(write(folder, {"config.toml": text, "rules/eu.toml": rule}), {}))
    assert problems == [
        "config.toml:1: url: must be given, or urls with several to try in order",
        "config.toml:3: url: must be given",
    ]


def test_references_are_not_judged_where_an_id_waits_for_a_variable(folder):
    text = SOURCE.replace('"a"', '"${NAME}"') + '[[endpoint]]\nid = "${NAME}"\nurl = "https://a.example/"\n'
    rule = RULE + 'sources = ["b"]\nnotify = ["b"]\n'
    problems = config.read(write(folder, {"config.toml": text, "rules/eu.toml": rule}), {}).problems
    assert {problem.file for problem in problems} == {"config.toml"}


def test_no_other_rules_are_read_where_their_folder_waits_for_a_variable(folder):
    text = '[service]\nrules = "${NAME}"\n' + SOURCE
    problems = said(config.read(write(folder, {"config.toml": text, "rules/eu.toml": ""}), {}))
    assert problems == [
        "config.toml:2: rules: the variable NAME is not set: set it, or write ${NAME:-some default}"
    ]


def test_problems_of_files_elsewhere_name_them_as_given(folder, tmp_path_factory):
    there = tmp_path_factory.mktemp("there")
    write(there, {"config.toml": "", "rules/eu.toml": ""})
    given_path = Path("..") / there.name / "config.toml"
    assert {problem.file for problem in config.read(given_path, {}).problems} == {
        str(given_path),
        str(given_path.parent / "rules" / "eu.toml"),
    }
    assert {problem.file for problem in config.read(there / "config.toml", {}).problems} == {
        str(there / "config.toml"),
        str(there / "rules" / "eu.toml"),
    }


# --------------------------------------------------------------------------- what is right


def test_the_defaults(folder):
    read = config.load(write(folder, {}), {})
    assert read.path == folder / "config.toml"
    assert (read.service.database, read.service.rules, read.service.feeds) == (
        folder / "data" / "syndicate.db",
        folder / "rules",
        folder / "feeds",
    )
    assert (read.service.base_url, read.service.host, read.service.port) == (
        "http://127.0.0.1:8080",
        "127.0.0.1",
        8080,
    )
    assert (read.network.host_interval, read.network.timeout) == (timedelta(seconds=1), timedelta(seconds=30))
    assert (read.network.host_concurrency, read.network.concurrency) == (2, 64)
    assert (read.network.allow_private, read.network.max_bytes) == ((), 15 * 1024 * 1024)
    assert read.network.user_agent == f"Syndicate/{__version__} (+a self-hosted news watcher)"
    assert read.sources == (Source(id="a", title="a", urls=("https://a.example/",)),)
    assert (read.rules[0].id, read.rules[0].title, read.rules[0].feed) == ("eu", "eu", FeedSettings())


def test_every_key(folder):
    text = """
[service]
database = "/var/lib/news.db"
rules = "../rules of the desk"
feeds = "out"
base_url = "https://news.example/desk/"
listen = "[::1]:0"
title = "Desk"
notify = ["desk"]

[network]
allow_private = ["127.0.0.0/8", "::1", "10.1.2.3"]
host_interval = "0s"
host_concurrency = 1
concurrency = 3
timeout = "1m30s"
max_bytes = 1_000
user_agent = "Desk/1 (+https://news.example)"
retry_after = "source"

[[source]]
id = "kazinform"
title = "Kazinform"
urls = [
    "https://a.example/",
    "HTTP://b.example:8080/feed?x=1",
    { url = "https://c.example/sitemap.xml" },
    { url = "https://d.example/${X:-news}", kind = "page", item = " li.news ", title = "h3", date = "time" },
    { url = "https://e.example/", link_pattern = "/news/*" },
]
interval = "1h30m"
adaptive = false
language = "kk-Cyrl"
tags = ["official", "Орталық Азия"]
full_text = true
prune = [".related", "aside > p "]
enabled = false
baseline = false

[[endpoint]]
id = "desk"
url = "https://desk.example/hook"
secret_file = "desk.secret"
format = "standard"
headers = { X-Token = "a b" }
"""
    there = folder / "etc"
    there.mkdir()
    path = write(
        there, {"config.toml": text, "desk.secret": SECRET + "\n", "../rules of the desk/eu.toml": RULE}
    )
    read = config.load(path, {})
    assert str(read.service.database) == "/var/lib/news.db"
    assert read.service.rules == there / ".." / "rules of the desk"
    assert read.service.feeds == there / "out"
    assert (read.service.base_url, read.service.title) == ("https://news.example/desk", "Desk")
    assert (read.service.host, read.service.port, read.service.notify) == ("::1", 0, ("desk",))
    assert read.network.retry_after is Scope.SOURCE
    assert read.network.allow_private == tuple(map(ip_network, ("127.0.0.0/8", "::1/128", "10.1.2.3/32")))
    assert (read.network.host_interval, read.network.timeout) == (timedelta(), timedelta(seconds=90))
    assert (read.network.host_concurrency, read.network.concurrency, read.network.max_bytes) == (1, 3, 1000)
    assert read.network.user_agent == "Desk/1 (+https://news.example)"
    assert read.sources == (
        Source(
            id="kazinform",
            title="Kazinform",
            urls=(
                "https://a.example/",
                "HTTP://b.example:8080/feed?x=1",
                "https://c.example/sitemap.xml",
                "https://d.example/news",
                "https://e.example/",
            ),
            addresses=(
                Address(
                    url="https://d.example/news",
                    kind=Kind.PAGE,
                    item="li.news",
                    title="h3",
                    date="time",
                ),
                Address(url="https://e.example/", link_pattern="/news/*"),
            ),
            interval=timedelta(minutes=90),
            adaptive=False,
            language="kk-Cyrl",
            tags=("official", "Орталық Азия"),
            full_text=True,
            prune=(".related", "aside > p"),
            enabled=False,
            baseline=False,
        ),
    )
    (endpoint,) = read.endpoints
    assert (endpoint.id, endpoint.secrets, endpoint.headers) == ("desk", (SECRET,), {"X-Token": "a b"})


def test_a_rule_of_a_file_knows_its_lines(folder):
    rule = """# The desk.
title = "EU and Central Asia"
keywords = [
    "EU", "European Union",
    # in Russian
    "ЕС",
]
sources = ["a", "tag:*"]
feed = true

[examples]
match = [
    "The EU.",
    { title = "EU", body = "says", language = "en", source = "a" },
]
no_match = ["Asia."]
"""
    read = config.load(write(folder, {"config.toml": SOURCE + 'tags = ["x"]', "rules/eu.toml": rule}), {})
    (text,) = read.rules
    assert (text.id, text.title, text.file, text.line) == ("eu", "EU and Central Asia", "rules/eu.toml", 1)
    assert (text.keywords, text.keyword_lines) == (("EU", "European Union", "ЕС"), (4, 4, 6))
    assert (text.sources, text.notify, text.feed) == (("a", "tag:*"), (), FeedSettings())
    assert text.match == (
        Example(body="The EU.", line=13),
        Example(title="EU", body="says", language="en", source="a", line=14),
    )
    assert text.no_match == (Example(body="Asia.", line=16),)


def test_many_rules_of_a_file_know_their_lines(folder):
    rules = """
[[rule]]
id = "a"
keywords = ["EU"]
[rule.examples]
match = ["EU"]

[[rule]]
id = "b"
keywords = ["Asia"]
examples = { no_match = ["EU"] }
"""
    read = config.load(write(folder, {"rules/many.toml": rules}), {})
    assert [(rule.id, rule.line, rule.keyword_lines) for rule in read.rules] == [
        ("eu", 1, (1,)),
        ("a", 2, (4,)),
        ("b", 8, (10,)),
    ]
    assert read.rules[1].match == (Example(body="EU", line=6),)
    assert read.rules[2].no_match == (Example(body="EU", line=11),)


def rule_of(folder: Path, text: str, environ: dict[str, str] | None = None) -> RuleText:
    """Return the first rule of a file."""
    return config.load(write(folder, {"rules/eu.toml": text}), environ or {}).rules[0]


def test_every_key_of_a_rule_with_a_query(folder):
    text = """title = "The EU"
query = '''
  ("Central Asia" OR =CA)
  NOT title:football
'''
fold = true
languages = ["en", "kk-Cyrl"]
sources = ["a"]
since = "1w"
notify = []
[examples]
match = ["Central Asia"]
"""
    query = '  ("Central Asia" OR =CA)\n  NOT title:football\n'
    assert rule_of(folder, text) == RuleText(
        id="eu",
        title="The EU",
        file="rules/eu.toml",
        line=1,
        query=Written(text=query, places=((3, 0), (4, 0), (5, 0))),
        fold=True,
        languages=("en", "kk-Cyrl"),
        sources=("a",),
        since=timedelta(weeks=1),
        match=(Example(body="Central Asia", line=12),),
    )


@pytest.mark.parametrize(("since", "length"), [("1m", timedelta(minutes=1)), ("3650d", timedelta(days=3650))])
def test_the_least_and_the_most_of_since(folder, since, length):
    assert rule_of(folder, f'{RULE}since = "{since}"').since == length


@pytest.mark.parametrize(
    ("query", "text", "places"),
    [
        ('"EU strategy"', "EU strategy", ((1, 9),)),
        ("'\"EU strategy\"'", '"EU strategy"', ((1, 9),)),
        ('"""EU\n  strategy"""', "EU\n  strategy", ((1, 11), (2, 0))),
        ('"EU\\nstrategy"', "EU\nstrategy", ((1, 9), (1, 13))),
        ('"""\nEU \\\n  strategy\nAsia"""', "EU strategy\nAsia", ((2, 0), (4, 0))),
        ("'/^EU$/'", "/^EU$/", ((1, 9),)),
        ("'/^EU$/ OR ${W:-$}'", "/^EU$/ OR $", ((1, 9),)),
        (
            "'''\n$${a}\n  ${V}${W:-\n b}\nc'''",
            "${a}\n  x\ny\n b\nc",
            ((2, 0), (3, 0), (3, 2), (4, 0), (5, 0)),
        ),
    ],
)
def test_a_query_knows_where_its_lines_are(folder, query, text, places):
    rule = rule_of(folder, f"query = {query}", {"V": "x\ny"})
    assert rule.query == Written(text=text, places=places)


TABLE = """
[score]
threshold = 5

[score.terms]
EU = 3
"Central Asia" = 2.5
  '"EU strategy"' = -1
"""
BRACES = """
score = { threshold = 5.0, terms = { EU = 3, "Central Asia" = 2.5, '"EU strategy"' = -1 } }
"""
DOTS = """
[score]
threshold = 5
terms.EU = 3
terms . "Central Asia" = 2.5
terms.'"EU strategy"' = -1.0
"""
TABLES = """
[[rule]]
id = "eu"
[rule.score]
threshold = 5
terms = { EU = 3, "Central Asia" = 2.5, "\\"EU strategy\\"" = -1 }
[[rule]]
id = "other"
query = "EU"
"""
TABLES_WITHIN = """
[[rule]]
id = "eu"
[rule.score.terms]
EU = 3
"Central Asia" = 2.5
'"EU strategy"' = -1
[rule.score]
threshold = 5
"""


@pytest.mark.parametrize(
    ("text", "rule_line", "line", "places"),
    [
        (TABLE, 1, 2, [(6, 0), (7, 1), (8, 3)]),
        (BRACES, 1, 2, [(2, 37), (2, 46), (2, 68)]),
        (DOTS, 1, 2, [(4, 6), (5, 9), (6, 7)]),
        (TABLES, 2, 4, [(6, 10), (6, 19), (6, 41)]),
        (TABLES_WITHIN, 2, 8, [(5, 0), (6, 1), (7, 1)]),
    ],
    ids=["table", "braces", "dots", "tables", "tables within"],
)
def test_a_score_in_every_form(folder, text, rule_line, line, places):
    terms = zip(("EU", "Central Asia", '"EU strategy"'), places, (3.0, 2.5, -1.0), strict=True)
    score = ScoreText(
        threshold=5.0,
        terms=tuple(
            WeightedTerm(query=Written(text=term, places=(place,)), weight=weight)
            for term, place, weight in terms
        ),
        line=line,
    )
    assert rule_of(folder, text) == RuleText(
        id="eu", title="eu", file="rules/eu.toml", line=rule_line, score=score
    )


def test_a_query_of_one_of_many_rules(folder):
    text = "[[rule]]\nid = \"a\"\nkeywords = ['EU']\n[[rule]]\nid = 'b'\nquery = '''\nEU\nAsia'''"
    rules = config.load(write(folder, {"rules/many.toml": text}), {}).rules
    assert rules[2] == RuleText(
        id="b",
        title="b",
        file="rules/many.toml",
        line=4,
        query=Written(text="EU\nAsia", places=((7, 0), (8, 0))),
    )


def test_a_rule_that_asks_twice_is_not_looked_at(folder):
    files = {"rules/eu.toml": 'query = "EU"\nkeywords = ["EU"]', "rules/asia.toml": 'query = "Asia"'}
    reading = config.read(write(folder, files), {})
    assert reading.config is not None
    assert [rule.id for rule in reading.config.rules] == ["asia"]


def test_only_visible_toml_files_are_rules(folder):
    files = {"rules/.eu.toml": "[", "rules/eu.toml~": "[", "rules/README.md": "["}
    assert [rule.id for rule in config.load(write(folder, files), {}).rules] == ["eu"]


@pytest.mark.parametrize("text", ["\ufeff" + SOURCE, SOURCE.replace("\n", "\r\n")])
def test_files_of_windows_editors_are_read(folder, text):
    path = write(folder, {})
    path.write_bytes(text.encode())
    assert config.load(path, {}).sources[0].id == "a"


def test_the_configuration_that_is_shipped_has_no_problems(tmp_path):
    assert said(config.read(shipped(tmp_path), {})) == []


# --------------------------------------------------------------------------- variables


def test_variables_are_filled_in_everywhere(folder):
    text = (
        SOURCE.replace("https://a.example/", "https://${HOST}/${PATH_:-feed}?a=$b&c=$$d&e=$${f}")
        + 'tags = ["${TAG}"]'
    )
    rule = 'keywords = ["${WORD}", "${EMPTY:-EU}"]\nexamples = { match = ["${WORD}"] }'
    environ = {"HOST": "b.example", "TAG": "${HOST}", "WORD": "Asia", "EMPTY": ""}
    read = config.load(write(folder, {"config.toml": text, "rules/eu.toml": rule}), environ)
    assert read.sources[0].urls == ("https://b.example/feed?a=$b&c=$d&e=${f}",)
    assert read.sources[0].tags == ("${HOST}",)  # a value is taken as it is
    assert read.rules[0].keywords == ("Asia", "EU")
    assert read.rules[0].match[0].body == "Asia"


PARTS = ["EU", "\n", "\n", " $$ ", "$5", "${A}", "${B:-one}", "${B:-one\ntwo}", "${C:-}"]


@given(st.lists(st.sampled_from(PARTS)), st.text("a\n"), st.text("b\n"))
def test_lines_of_a_filled_text_are_where_their_variables_stand(parts, a, b):
    environ = {"A": a, "B": b}
    lines, line = [1], 1
    for part in parts:
        is_as_written = part == "\n" or (part.startswith("${B:") and not b)
        breaks = filled(part, environ).count("\n")
        lines += [line + number if is_as_written else line for number in range(1, breaks + 1)]
        line += part.count("\n")
    text = "".join(parts)
    places = [(number, 0) for number in range(1, text.count("\n") + 2)]
    found = filled_places(text, places, environ)
    assert [found_line for found_line, _ in found] == lines
    assert len(found) == filled(text, environ).count("\n") + 1


def test_the_environment_overrides_service_and_network(folder):
    environ = {
        "SYNDICATE_CONFIG": "elsewhere",
        "SYNDICATE_SERVICE__DATABASE": "other/news.db",
        "SYNDICATE_SERVICE__RULES": "mine",
        "SYNDICATE_SERVICE__TITLE": "true",
        "SYNDICATE_SERVICE__WEBSUB": "false",
        "SYNDICATE_NETWORK__HOST_INTERVAL": "0s",
        "SYNDICATE_NETWORK__CONCURRENCY": "1_0",
        "SYNDICATE_NETWORK__ALLOW_PRIVATE": '["127.0.0.0/8", "::1"]',
    }
    text = '[service]\ntitle = "${MISSING}"\ndatabase = 5\n[network]\ntimeout = "5s"\n' + SOURCE
    read = config.load(write(folder, {"config.toml": text, "mine/asia.toml": RULE}), environ)
    assert read.service.websub is False
    assert read.service.database == folder / "other" / "news.db"
    assert [rule.id for rule in read.rules] == ["asia"]
    assert read.service.title == "true"
    assert (read.network.host_interval, read.network.timeout) == (timedelta(), timedelta(seconds=5))
    assert read.network.concurrency == 10
    assert read.network.allow_private == (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("text", "networks"),
    [("", ()), ("[]", ()), ("127.0.0.1", ("127.0.0.1/32",)), ("::1, 10.0.0.0/8,", ("::1/128", "10.0.0.0/8"))],
)
def test_a_list_from_the_environment_may_have_commas_only(folder, text, networks):
    read = config.load(write(folder, {}), {"SYNDICATE_NETWORK__ALLOW_PRIVATE": text})
    assert read.network.allow_private == tuple(map(ip_network, networks))


def test_bytes_of_the_environment_that_are_no_text_are_a_problem(folder):
    environ = {"BAD": "a\udcff", "SYNDICATE_SERVICE__TITLE": "a\udcff"}
    text = SOURCE + 'title = "${BAD}"\ntags = ["${BAD}"]'
    problems = said(config.read(write(folder, {"config.toml": text}), environ))
    assert [problem.encode() and problem.partition(": ")[0] for problem in problems] == [
        "SYNDICATE_SERVICE__TITLE",
        "config.toml:4",
        "config.toml:5",
    ]


# --------------------------------------------------------------------------- secrets


def test_no_secret_is_in_a_representation_or_a_dump(folder):
    text = SOURCE + (
        '[[endpoint]]\nid = "desk"\nurl = "https://desk.example/hooks/hunter2?hunter2"\n'
        'secret = "${SECRET}"\nheaders = { X-Token = "hunter2" }\n'
        '[[endpoint]]\nid = "open"\nurl = "http://open.example/"\n'
    )
    read = config.load(write(folder, {"config.toml": text}), {"SECRET": SECRET})
    assert read.endpoints[0].secrets == (SECRET,)
    assert SECRET not in repr(read)
    assert "X-Token" not in repr(read)
    dump = public(read)
    assert SECRET not in str(dump)
    assert "hunter2" not in str(dump)
    assert dump["endpoints"] == [
        {
            "id": "desk",
            "url": "https://desk.example/***",
            "secrets": ["***"],
            "concurrency": 4,
            "format": "standard",
            "pace": AT_ONCE,
            "flood_after": None,
            "headers": {"X-Token": "***"},
        },
        {
            "id": "open",
            "url": "http://open.example/",
            "secrets": [],
            "concurrency": 4,
            "format": "standard",
            "pace": AT_ONCE,
            "flood_after": None,
            "headers": {},
        },
    ]
    assert dump["network"]["timeout"] == "30s"


@pytest.mark.parametrize("key", ["id", "title", "url", "interval", "language", "tags"])
def test_a_value_that_a_variable_gave_is_never_repeated(folder, key):
    values = {
        "id": '"a"',
        "url": '"https://a.example/"',
        key: '["${V}", "${V}"]' if key == "tags" else '"${V}"',
    }
    text = "[[source]]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())
    for value in ("Hunter2 \n", "57", "\\\x1b[31m"):
        for problem in config.read(write(folder, {"config.toml": text}), {"V": value}).problems:
            assert value.strip() not in problem.text


# --------------------------------------------------------------------------- durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("90s", 90),
        ("15m", 900),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("1w", 604_800),
        ("1w2d3h4m5s", 788_645),
    ],
)
def test_durations(text, seconds):
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", '"" is no length of time: write one such as 90s, 15m, 1h30m, 2d or 1w'),
        ("90", '"90" needs a unit: write "90s", "90m", "90h" or "90d"'),
        ("1.5h", '"1.5h" is no length of time: write one such as 90s, 15m, 1h30m, 2d or 1w'),
        ("30m1h", '"30m1h" is no length of time: write one such as 90s, 15m, 1h30m, 2d or 1w'),
        ("-1s", '"-1s" is no length of time: write one such as 90s, 15m, 1h30m, 2d or 1w'),
        ("٣s", '"٣s" is no length of time: write one such as 90s, 15m, 1h30m, 2d or 1w'),
        ("9" * 20 + "w", "is too long a time"),
        ("9" * 5000 + "s", "is too long a time"),
    ],
)
def test_what_is_no_duration(text, why):
    with pytest.raises(ValueError) as caught:
        duration(text)
    assert str(caught.value) == why


@given(st.integers(0, 10**9))
def test_a_duration_is_read_as_it_is_spelled(seconds):
    assert duration(spelled(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@given(st.text(alphabet="0123456789wdhms. -\n\0³", max_size=20))
def test_no_text_makes_a_duration_raise_anything_else(text):
    with suppress(ValueError):
        assert duration(text) >= timedelta()


def test_a_problem_of_a_variable_has_no_line():
    assert str(Problem(file="SYNDICATE_SERVICE__TITLE", line=0, text="x")) == "SYNDICATE_SERVICE__TITLE: x"


# --------------------------------------------------------------------------- PostgreSQL


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://db/news", "postgresql://db/news"),
        ("postgres://desk@db:6432/news?sslmode=require", "postgresql://desk@db:6432/news?sslmode=require"),
        ("postgresql://desk:hunter2@db/news", "postgresql://desk:***@db/news"),
        ("PostgreSQL://desk:hunter2:a@b@[::1]:5/news", "postgresql://desk:***@[::1]:5/news"),
        (
            "postgresql:///news?host=/run/pg&password=hunter2&sslpassword=hunter2",
            "postgresql:///news?host=/run/pg&password=***&sslpassword=***",
        ),
    ],
)
def test_a_database_may_be_one_of_postgresql_whose_password_is_not_shown(folder, address, shown):
    text = f'[service]\ndatabase = "{address}"\n{SOURCE}'
    read = config.load(write(folder, {"config.toml": text}), {})
    database = read.service.database
    assert isinstance(database, PostgresAddress)
    assert database.url == "postgresql://" + address.partition("://")[2]
    assert str(database) == public(read)["service"]["database"] == shown
    assert "hunter2" not in repr(read)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql:/db/news",
        "postgresql://desk:hunter2@db:port/news",
        "postgresql://[db/news",
        "postgresql://desk:hunter2#a@db/news",
        "postgresql://desk:5/hunter2@db/news",
        "postgresql://desk:hunter2@db /news",
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(folder, address):
    text = f'[service]\ndatabase = "{address}"\n{SOURCE}'
    with pytest.raises(ConfigError, match="or an address of PostgreSQL, such as") as refused:
        config.load(write(folder, {"config.toml": text}), {})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("package", ["psycopg", "psycopg_pool"])
def test_that_psycopg_is_not_installed_is_told_with_its_line_and_what_to_do(folder, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)  # as Python has it where there is none
    text = f'[service]\ndatabase = "postgresql://db/news"\n{SOURCE}'
    with pytest.raises(ConfigError) as refused:
        config.load(write(folder, {"config.toml": text}), {})
    assert str(refused.value) == (
        'config.toml:2: database: psycopg is not installed: pip install "syndicate[postgres]", or with ./run:'
        ' .venv/bin/python -m pip install "psycopg[binary,pool]"'
    )


def test_what_was_edited_is_kept_beside_a_database_that_is_a_file_else_below_the_configuration(folder):
    beside = config.load(write(folder, {"config.toml": f'[service]\ndatabase = "news/a.db"\n{SOURCE}'}), {})
    assert beside.service.previous == folder / "news" / "previous"
    text = f'[service]\ndatabase = "postgresql://db/news"\n{SOURCE}'
    apart = config.load(write(folder, {"config.toml": text}), {})
    assert apart.service.previous == folder / "data" / "previous"
