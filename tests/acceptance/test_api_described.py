"""Whatever the description of the API allows, and what it does not, is answered as it says (schemathesis)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from syndicate.web.api.routes import BASE
from tests.api import program
from tests.contract.making import HOUR, START, Watch, entry, read
from tests.dashboard import configuration, dashboard

# What the description cannot say is refused with 400: a rule that there is not, a query that is none. Whether
# a wrong token opens anything is tried in test_access.py, as too many of them are answered with 429.
SETTINGS = """
[checks]
ignored_auth.enabled = false
positive_data_acceptance.expected-statuses = ["2xx", 400, 404]

[dictionaries]
items.values = [1, 4]
rules.values = ["central-asia", "scored"]
sources.values = ["steppe", "wahat"]
endpoints.values = ["desk"]
queries.values = ["energy AND gas", "central-asia", "title:Asia -football", "(a OR", "lang:ru", "/en.*gy/"]
deliveries.values = {deliveries}

[parameters]
"path.item" = {{ dictionary = "items", probability = 0.8 }}
"path.rule" = {{ dictionary = "rules", probability = 0.8 }}
"path.source" = {{ dictionary = "sources", probability = 0.8 }}
"path.delivery" = {{ dictionary = "deliveries", probability = 0.8 }}
"query.q" = {{ dictionary = "queries", probability = 0.6 }}
"query.rule" = {{ dictionary = "rules", probability = 0.6 }}
"query.source" = {{ dictionary = "sources", probability = 0.6 }}
"query.endpoint" = {{ dictionary = "endpoints", probability = 0.6 }}
"body.query" = {{ dictionary = "queries", probability = 0.6 }}
"body.endpoint" = {{ dictionary = "endpoints", probability = 0.8 }}
"""


@pytest.fixture
def desk(tmp_path):
    with dashboard(configuration(tmp_path)) as view:
        view.clock.forward(24 * HOUR)
        for name, language in (("steppe", "en"), ("vestnik", "ru")):
            entries = [
                entry(f"{name}-{n}", f"Central Asia {n}: energy and gas", language=language, published=START)
                for n in range(3)
            ]
            view.report(name, *entries)
        watch = Watch(rule="central-asia", word="Central Asia")
        for number in range(2):
            read(view.store, entry(f"n{number}", f"Central Asia {number}"), name="wahat", watches=[watch])
        yield view


def asked(folder: Path, view, *words: str) -> subprocess.CompletedProcess[str]:
    """Have the API asked whatever there is to ask; what was found wrong is in its output."""
    deliveries = json.dumps([each.id for each in view.store.deliveries()])
    (folder / "schemathesis.toml").write_text(SETTINGS.format(deliveries=deliveries))
    with program(view) as asking:
        headers = f"Authorization: {asking.found.headers['Authorization']}"
        command = [str(Path(sys.executable).parent / "schemathesis"), "--no-color", "run", "-H", headers]
        return subprocess.run(
            [*command, *words, f"{asking.found.base_url}{BASE}/openapi.json"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=1800,
        )


def test_every_answer_is_as_described_whatever_is_asked(tmp_path, desk, slow):
    examples = "300" if slow else "20"
    done = asked(tmp_path, desk, "--max-examples", examples, "--continue-on-failure")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "13 selected / 13 total" in done.stdout, "all but the description itself"


def test_an_answer_that_is_not_as_described_would_be_noticed(tmp_path, desk):
    class Odd:
        """A store whose lists of matches have one that no description has."""

        def __init__(self, store):
            self._store = store

        def __getattr__(self, name):
            return getattr(self._store, name)

        def languages(self):
            raise RuntimeError

    desk.store = Odd(desk.store)
    done = asked(tmp_path, desk, "--max-examples", "5", "--include-path", "/items")
    assert done.returncode == 1
    assert "Server error" in done.stdout
