"""The lock files hold what pyproject.toml asks for, for everyone."""

import re
import tomllib

import pytest

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


def test_tests_use_the_versions_that_users_get():
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_index(lock):
    assert re.findall(r"://|^\s*-(?!-hash=)\S*|[ /]index", (ROOT / lock).read_text(), re.MULTILINE) == []
