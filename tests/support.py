"""What tests need from the machine they run on."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent


def require(program: str, remedy: str) -> str:
    """Return the path of a program; without it the test fails or is skipped, as `unavailable` says.

    Args:
        remedy: what to do about it, such as "apt-get install newsboat".
    """
    return shutil.which(program) or unavailable(program, remedy)


def unavailable(component: str, remedy: str) -> NoReturn:
    """Fail the test where CI is set, since there everything must be tested; skip it elsewhere, saying so."""
    reason = f"NOT TESTED, {component} is missing: {remedy}"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
