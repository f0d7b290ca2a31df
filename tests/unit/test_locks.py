"""The lock files hold what pyproject.toml asks for, for everyone."""

import re
import tomllib

import pytest

from tests.documents import DOCS, blocks_of
from tests.support import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-build.lock"]


def pins(lock: str) -> dict[str, str]:
    """Return version_by_name of a lock file."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w-]", requirement)[0] for requirement in requirements}


def test_every_dependency_is_pinned():
    assert names(PYPROJECT["project"]["dependencies"]) - pins("requirements.lock").keys() == set()
    for group, lock in [("dev", "requirements-dev.lock"), ("build", "requirements-build.lock")]:
        assert names(PYPROJECT["dependency-groups"][group]) - pins(lock).keys() == set()


def test_time_zones_come_along_for_systems_that_have_none():
    assert "tzdata" in names(PYPROJECT["project"]["dependencies"])


def test_extras_can_be_installed_with_the_pip_that_pages_tell_of():
    told = [block for page in sorted(DOCS.glob("*.md")) for block in blocks_of(page) if "pip" in block.text]
    commands = [line for block in told for line in block.text.splitlines() if "pip" in line]
    assert {line[: line.index("install")] for line in commands} == {".venv/bin/python -m pip "}
    assert "pip" in pins("requirements.lock")


def test_tests_use_the_versions_that_users_get():
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_index(lock):
    assert re.findall(r"://|^\s*-(?!-hash=)\S*|[ /]index", (ROOT / lock).read_text(), re.MULTILINE) == []
