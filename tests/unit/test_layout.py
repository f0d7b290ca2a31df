"""Each library has one door, and decisions get the time and chance as arguments."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

# Who may import a library: modules, each with what is below it.
DOORS = {
    "aiohttp": {"syndicate.http"},
    "argon2": {"syndicate.passwords"},
    "apscheduler": {"syndicate.service"},
    "feedgen": {"syndicate.feeds.atom"},
    "feedparser": {"syndicate.sources.feed"},
    "httpx": {"syndicate.http"},
    "idna": {"syndicate.http"},
    "jinja2": {"syndicate.web", "syndicate.alerts.channels.template", "syndicate.feeds.page"},
    "multidict": {"syndicate.http"},
    "nh3": {"syndicate.sources", "syndicate.feeds"},
    "protego": {"syndicate.sources.robots"},
    "psycopg": {
        "syndicate.store.postgres_connections",
        "syndicate.store.postgres_life",
        "syndicate.store.postgres_schema",
    },
    "psycopg_pool": {"syndicate.store.postgres_connections"},
    "pydantic": {"syndicate.config", "syndicate.web.api"},
    "re2": {"syndicate.rules.patterns"},
    "regex": {"syndicate.rules.language"},
    "rich": {"syndicate.cli", "syndicate.terminal", "syndicate.demo"},
    "selectolax": {"syndicate.sources", "syndicate.config.values"},
    "snowballstemmer": {"syndicate.rules.stems"},
    "sqlite3": {"syndicate.store.sqlite_connections"},
    "sqlite_utils": {
        "syndicate.store.sqlite_connections",
        "syndicate.store.migrations",
        "syndicate.store.migration_delivery",
        "syndicate.store.migration_pace",
        "syndicate.store.migration_story",
    },
    "standardwebhooks": {"syndicate.alerts.signing", "syndicate.demo"},
    "starlette": {"syndicate.web", "syndicate.demo"},
    "trafilatura": {"syndicate.sources.extract"},
    "typer": {
        "syndicate.cli",
        "syndicate.cli_deliveries",
        "syndicate.cli_hub",
        "syndicate.cli_rules",
        "syndicate.cli_feeds",
        "syndicate.cli_silences",
        "syndicate.cli_sources",
        "syndicate.cli_web",
        "syndicate.terminal",
    },
    "uvicorn": {"syndicate.web", "syndicate.demo"},
    "yarl": {"syndicate.http"},
}

# Where the present time and chance may be asked for.
EDGES = {
    "syndicate.cli",
    "syndicate.cli_deliveries",
    "syndicate.cli_sources",
    "syndicate.demo",
    "syndicate.loading",
    "syndicate.service",
    "syndicate.store",
}
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {
    module_name(path): ast.parse(path.read_bytes()) for path in sorted((ROOT / "syndicate").rglob("*.py"))
}


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the top-level name of each imported package, wherever in a module the import is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def is_within(module: str, places: set[str]) -> bool:
    return any(module == place or module.startswith(place + ".") for place in places)


@pytest.mark.parametrize("library", DOORS)
def test_a_library_is_imported_only_by_its_owner(library):
    importers = {module for module, tree in TREES.items() if library in imports(tree)}
    assert {module for module in importers if not is_within(module, DOORS[library])} == set()


def test_only_the_edges_ask_for_the_time():
    asking = {
        f"{module}: {call}"
        for module, tree in TREES.items()
        if not is_within(module, EDGES)
        for call in calls(tree)
        if call.removeprefix("datetime.") in CLOCKS or call in CLOCKS
    }
    assert asking == set()


def test_only_the_edges_throw_dice():
    throwing = {module for module, tree in TREES.items() if "random" in imports(tree)}
    assert {module for module in throwing if not is_within(module, EDGES)} == set()
