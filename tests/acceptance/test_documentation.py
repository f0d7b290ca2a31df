"""What README and docs say of commands, keys, files and events is so, and nothing is left out.

What they show of running commands is in tests/integration/test_documented_output.py; what docs/rules.md shows
of rules is in test_documented_rules.py.
"""

import ast
import re
import secrets
import shlex
from collections.abc import Iterator, Sequence
from datetime import timedelta, tzinfo
from pathlib import Path
from types import NoneType
from typing import Any

import pytest
import typer
from starlette.routing import Route
from typer.core import TyperGroup
from typer.main import get_command

from syndicate import cli, loading
from syndicate.alerts import retry, sending
from syndicate.config.durations import spelled
from syndicate.config.shapes import (
    AddressTable,
    CollectionTable,
    ExampleTable,
    FeedsTable,
    FeedTable,
    NamedRuleTable,
    NetworkTable,
    Service,
    SmtpTable,
    SourceTable,
    Table,
    WebhookTable,
)
from syndicate.config.web import TokenTable, WebTable
from syndicate.errors import ConfigError
from syndicate.http import transport, trip
from syndicate.hub import asking, hub
from syndicate.model.hub import Limits
from syndicate.sources import discover, fields, outline, parse
from syndicate.web import access, live, protocol, tries
from syndicate.web import hub as web_hub
from syndicate.web.app import create, private_routes
from syndicate.web.render import Pages
from syndicate.web.sessions import LIFETIME, Sessions
from tests.documents import (
    DOCS,
    PAGES,
    README,
    Block,
    anchors,
    blocks,
    blocks_of,
    codes,
    headings,
    links,
    prose,
    rows,
    section,
    spans,
)
from tests.served import SomeView
from tests.support import ROOT, shipped, shipped_with

CONFIGURATION, RULES, COMMANDS = DOCS / "configuration.md", DOCS / "rules.md", DOCS / "commands.md"
FEEDS = DOCS / "feeds.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENVIRON = {
    "TOKEN": "t",
    "SLACK_URL": "https://slack.example/x",
    "DISCORD_URL": "https://discord.example/x",
    "TEAMS_URL": "https://teams.example/x",
    "MATTERMOST_URL": "https://mattermost.example/x",
    "TELEGRAM_TOKEN": "1:a",
    "MATRIX_TOKEN": "t",
    "SMTP_PASSWORD": "p",
    "DATABASE_PASSWORD": "p",
    "PAGER_URL": "json://pager.example",
}
ROOT_COMMAND = get_command(cli.app)
PUNCTUATION = "|&;()<>"
OF_RUN = ("test", "lint")  # commands that `./run` does itself


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


# --------------------------------------------------------------------------- commands


def words_of(line: str) -> Iterator[list[str]]:
    """Yield the words behind each `./run` or `syndicate` that begins a command in a line of shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=PUNCTUATION)
    lexer.whitespace_split = True
    words: list[str] | None = None
    for token in lexer:
        if set(token) <= set(PUNCTUATION):
            if words is not None:
                yield words
            words = None
        elif words is not None:
            words.append(token)
        elif token in ("./run", "syndicate"):
            words = []
    if words is not None:
        yield words


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """Yield every command line shown, and where."""
    for block in blocks("sh", ""):
        for line in block.text.splitlines():
            if "./run" in line:
                yield from ((f"{block}: {line}", words) for words in words_of(line))
    for page in PAGES:
        for span in spans(page):
            if span.startswith(("./run", "syndicate ")):
                yield from ((f"{page_id(page)}: {span}", words) for words in words_of(span))


def parse_words(words: Sequence[str]) -> None:
    """Parse words as the command line would, values included, without doing anything."""
    command, context = ROOT_COMMAND, ROOT_COMMAND.make_context("syndicate", list(words))
    while isinstance(command, TyperGroup) and (rest := [*context._protected_args, *context.args]):
        name, inner, rest = command.resolve_command(context, rest)
        assert inner is not None  # or it would have raised
        command, context = inner, inner.make_context(name, rest, parent=context)


def test_every_command_line_shown_can_be_parsed():
    shown = list(command_lines())
    assert len(shown) > 30
    for where, words in shown:
        if words[:1] == ["COMMAND"] or words[:1] in [[word] for word in OF_RUN]:
            continue
        try:
            parse_words(words or ["run"])
        except typer.Exit:  # --help, --version
            pass
        except Exception as error:
            raise AssertionError(f"{where}: {error}") from error


def test_run_itself_does_what_is_said_of_it():
    assert all(f'word == "{word}"' in (ROOT / "run").read_text() for word in OF_RUN)


def commands(command: Any, path: str = "") -> Iterator[tuple[str, set[str]]]:
    """Yield every command with its options."""
    yield path, {name for param in command.params for name in param.opts if name.startswith("-")} - {"--help"}
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{path} {name}".strip())


@pytest.mark.parametrize(
    ("path", "options"), [pytest.param(*one, id=one[0]) for one in commands(ROOT_COMMAND)]
)
def test_every_command_and_option_is_documented_and_no_other(path, options):
    if path:
        (heading,) = (each for each in headings(COMMANDS) if re.fullmatch(rf"`{path}( [\[A-Z\]]+)*`", each))
    else:
        heading, options = "Before the command", options | {"--help"}
    documented = [code for row in rows(section(COMMANDS, heading)) for code in codes(row[0])]
    assert sorted(code.partition(" ")[0] for code in documented) == sorted(options)


def test_no_command_is_documented_that_does_not_exist():
    known = {path for path, _ in commands(ROOT_COMMAND)}
    named = {
        re.sub(r"[`\[\]A-Z]", "", heading).strip() for heading in headings(COMMANDS) if heading[0] == "`"
    }
    assert named == known - {""}


def test_the_readme_lists_every_command():
    listed = " ".join(code for row in rows(section(README, "Commands")) for code in codes(row[0]))
    for path, _ in commands(ROOT_COMMAND):
        assert path == "run" or f"./run {path}" in listed


# --------------------------------------------------------------------------- keys


def written(value: object) -> str | None:
    """Return a default as TOML has it, None where there is none to show."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case timedelta():
            return f'"{spelled(value)}"'
        case tzinfo():
            return f'"{value}"'
        case (host, port):
            return f'"{host}:{port}"'
        case None:
            return None
        case _:
            return str(value)


@pytest.mark.parametrize(
    ("page", "heading", "shape"),
    [
        (CONFIGURATION, "`[service]`", Service),
        (CONFIGURATION, "`[network]`", NetworkTable),
        (CONFIGURATION, "`[web]`", WebTable),
        (CONFIGURATION, "`[[web.token]]`", TokenTable),
        (CONFIGURATION, "`[smtp]`", SmtpTable),
        (CONFIGURATION, "`[feeds]`", FeedsTable),
        (CONFIGURATION, "`[[source]]`", SourceTable),
        (CONFIGURATION, "Addresses of a source", AddressTable),
        (CONFIGURATION, "`[[endpoint]]`", WebhookTable),
        (RULES, "Every key", NamedRuleTable),
    ],
)
def test_every_key_is_documented_with_its_default_and_no_other(page, heading, shape: type[Table]):
    documented = {codes(key)[0]: default for key, default, _ in rows(section(page, heading))}
    assert documented.keys() == shape.model_fields.keys()
    for name, field in shape.model_fields.items():
        default = None if field.is_required() else written(field.get_default(call_default_factory=True))
        if default is not None and field.annotation is not NoneType and page == CONFIGURATION:
            assert documented[name] == f"`{default}`", name
        elif field.is_required() and page == CONFIGURATION:
            assert documented[name] == "required", name
        elif page == CONFIGURATION and name != "url":
            assert not codes(documented[name]), name


def test_every_key_of_a_feed_is_documented_where_it_is_set():
    documented = {codes(key)[0] for key, _, _ in rows(section(CONFIGURATION, "`[[feed]]`"))}
    settings = {codes(key)[0] for key, _, _ in rows(section(FEEDS, "Settings"))}
    assert settings == set(FeedTable.model_fields)
    assert documented | settings == set(CollectionTable.model_fields)


def test_every_key_of_an_example_is_documented():
    assert set(ExampleTable.model_fields) <= set(codes(section(RULES, "Examples")))


# --------------------------------------------------------------------------- TOML


def sound_configuration(text: str) -> str:
    """Return a fragment of config.toml with what it lacks to be one."""
    if "[[source]]" not in text:
        text += '\n[[source]]\nid = "some-source"\nurl = "https://some-source.example/rss"\n'
    return text


def loaded(folder: Path, block: Block) -> loading.Loaded:
    """Read a block through the real loader, in the company of what it refers to."""
    if block.name.startswith("rules/"):
        return loading.load(shipped_with(folder, block.name, block.text), ENVIRON)
    (folder / "rules").mkdir()
    for name in ("some-rule", "eu-strategy", "central-asia"):
        (folder / f"rules/{name}.toml").write_text('keywords = ["Some"]\n')
    (folder / "desk.secret").write_text(f"{SECRET}\n")
    (folder / "config.toml").write_text(sound_configuration(block.text))
    return loading.load(folder / "config.toml", ENVIRON)


TOML = [block for block in blocks("toml") if "mistakes" not in block.name]


@pytest.mark.parametrize("block", TOML, ids=str)
def test_every_toml_block_can_be_used_as_it_is(tmp_path, block):
    assert re.fullmatch(r"config\.toml|rules/[a-z-]+\.toml", block.name), "name its file in the first line"
    assert loaded(tmp_path, block).rules


def test_a_wrong_configuration_gives_the_problems_shown(tmp_path, monkeypatch):
    wrong, said = (
        block for block in blocks_of(CONFIGURATION) if "mistakes" in block.name or block.kind == "text"
    )
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/some-rule.toml").write_text('keywords = ["Some"]\n')
    (tmp_path / "config.toml").write_text(wrong.text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as problems:
        loading.load(Path("config.toml"), {})
    assert f"{problems.value}\n" == said.text


def test_the_number_of_shipped_sources_is_as_said(tmp_path):
    sources = shipped(tmp_path).read_text().count("\n[[source]]\n")
    assert f"watches {sources} outlets" in " ".join(README.read_text().split())


# --------------------------------------------------------------------------- links, files, addresses


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_within_the_project_leads_somewhere(page):
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached_from_the_readme():
    reached, found = set(), {README}
    while found:
        page = found.pop()
        reached.add(page)
        targets = {
            (page.parent / link.partition("#")[0]).resolve() for link in links(page) if "://" not in link
        }
        found |= {target for target in targets if target.suffix == ".md"} - reached
    assert set(DOCS.rglob("*.md")) <= reached


def test_pictures_can_be_told_by_words_and_are_small():
    for page in PAGES:
        for image in re.findall(r"<img [^>]*>|!\[[^\]]*\]", prose(page)):
            assert re.search(r'alt="[^"]{40,}"', image), image
    assert all(path.stat().st_size < 200_000 for path in (DOCS / "images").iterdir())


def test_the_layout_names_every_part_and_no_other():
    block = next(block for block in blocks_of(DOCS / "design.md") if block.text.startswith("syndicate/\n"))
    named = {
        name for line in block.text.splitlines()[1:] for name in re.findall(r"^  (.*?)  ", line)[0].split()
    }
    there = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in (ROOT / "syndicate").iterdir()
        if path.name not in ("__init__.py", "__pycache__", "py.typed")
    }
    assert named == there


def test_every_module_that_docs_name_exists():
    for page in PAGES:
        for span in spans(page):
            if re.fullmatch(r"[a-z_]+/[a-z_/]+\.py", span):
                assert any((ROOT / base / span).exists() for base in ("", "syndicate")), f"{page}: {span}"


def test_the_addresses_served_are_as_said(tmp_path):
    named = {codes(row[0])[0] for row in rows(section(DOCS / "feeds.md", "Addresses"))}
    routes = create(SomeView(feeds_folder=tmp_path)).routes
    served = {route.path for route in routes if isinstance(route, Route)}
    named = {name.replace("<callback>", "{token:path}") for name in named}
    assert {re.sub(r"<feed>(\.atom)?|index\.opml", "{name:path}", name) for name in named} == served - {
        "/feeds",  # redirects
        "/static/{name}",  # parts of pages
    }


def test_the_pages_are_as_said(tmp_path):
    page = section(DOCS / "dashboard.md", "The pages")
    named = {path for row in rows(page) for path in codes(row[0]) if path.startswith("/")}
    view = SomeView(feeds_folder=tmp_path)
    routes = private_routes(view, Pages(view), Sessions())
    shown = {route.path for route in routes if "GET" in (route.methods or ())}  # others are buttons on these
    assert {re.sub(r"<(\w+)>", r"{\1}", path) for path in named} == shown | {"/logout"}


def test_the_keys_are_as_said():
    named = {key for row in rows(section(DOCS / "dashboard.md", "Keys")) for key in codes(row[0])}
    script = (ROOT / "syndicate/web/static/pages.js").read_text()
    actions = script[script.index("const ACTIONS") : script.index("};")]
    assert named == set(re.findall(r'^  "?(\S)"?:', actions, re.MULTILINE))


def test_what_bounds_the_pages_is_as_said():
    answers = section(DOCS / "security.md", "Who may look at the pages")
    for bound in (
        f"{tries.MOST_FAILED} failures a minute from an address, {tries.MOST_FAILED_IN_ALL} in all",
        f"{live.MOST_LISTENERS} listen for news at most",
        f"for {live.LONGEST_SECONDS / 60:g} minutes each",
        f"{access.MAX_BYTES // 1024**2} MiB and {access.MAX_SECONDS:g} seconds",
        f"for {LIFETIME.days} days",
    ):
        assert bound in answers, bound


# --------------------------------------------------------------------------- logs, bounds, waits


def logged() -> Iterator[tuple[str, str]]:
    """Yield (event, level) of everything that the code logs."""
    for path in (ROOT / "syndicate").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="log"), attr=level),
                    args=[ast.Constant(value=str(event)), *_],
                ):
                    yield event, "error" if level == "exception" else level
                case _:
                    pass


def test_every_event_that_is_logged_is_documented_with_its_level_and_no_other():
    documented = {
        (codes(event)[0], level) for event, level, _ in rows(section(DOCS / "operating.md", "Logs"))
    }
    assert documented == set(logged())


def test_the_waits_between_tries_are_as_said():
    waits = rows(section(DOCS / "webhooks.md", "Answers and tries"))[-1]
    assert [wait.replace(" ", "") for wait in waits[1:]] == [
        spelled(wait).replace("1d", "24h") for wait in retry.WAITS
    ]


def test_the_bounds_are_as_said():
    bound_by_name = dict(rows(section(DOCS / "security.md", "Bounds")))
    for name, value in {
        "redirects": trip.MAX_REDIRECTS,
        "headers": transport.MAX_FIELDS,
        "a request to us, beside its body": protocol.MAX_HEAD // 1024,
        "entries of a document": outline.MAX_ENTRIES,
        "reading a large or odd document": int(parse.DEADLINE_SECONDS),
        "an entry's categories, enclosures": fields.MAX_CATEGORIES,
        "an entry's title, author, guid": fields.MAX_TITLE,
        "all texts of a document": fields.MAX_DOCUMENT // 1024**2,
        "looking around a site (`sources discover`)": discover.MAX_REQUESTS,
        "a whole request": int(sending.TIMEOUT.total_seconds()),
        "an answer's body": NetworkTable().max_bytes // 1024**2,
    }.items():
        assert re.search(rf"\b{value}\b", bound_by_name[name]), name


def test_what_bounds_the_hub_is_as_said():
    page = section(DOCS / "security.md", "What may be asked of the hub")
    answers = " ".join(answer for _, answer in rows(page))
    limits = Limits()
    for bound in (
        f"{limits.per_topic:,} subscribers of a document, {limits.per_host} at a host",
        f"{limits.in_all:,} in all",
        f"Leases are {asking.LONGEST_LEASE.days} days at most",
        f"{web_hub.MOST_ASKED} forms a minute, {web_hub.FORMS_AT_ONCE} at once",
        f"{web_hub.MAX_BYTES // 1024} KiB and {web_hub.MAX_SECONDS:g} seconds each",
        f"within {hub.TIMEOUT.seconds} seconds",
        f"{hub.TOLD_AT_ONCE} in all",
        f"have {hub.DOUBTFUL_AT_ONCE}.",
        f"echoed {len(secrets.token_urlsafe(hub.CHALLENGE_BYTES))} characters",
    ):
        assert bound in answers, bound
    assert (limits.asked_per_host, limits.asked_in_all, hub.PER_HOST, asking.TRIES) == (100, 1000, 8, 3)
    said = section(DOCS / "feeds.md", "Told at once")
    assert f"holds** for {asking.USUAL_LEASE.days} days" in said
    assert timedelta(hours=1) == asking.SHORTEST_LEASE
