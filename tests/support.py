"""What tests need from the machine they run on."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shipped(folder: Path) -> Path:
    """Put config.toml and rules/ into a folder as they are shipped; return the configuration's path.

    Whoever uses this checkout has made them their own, which is no mistake of ours.
    """
    archive = subprocess.run(
        ["git", "archive", "HEAD", "config.toml", "rules"], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode == 0:
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    else:  # not a checkout
        shutil.copy(ROOT / "config.toml", folder)
        shutil.copytree(ROOT / "rules", folder / "rules")
    return folder / "config.toml"


def shipped_with(folder: Path, name: str, text: str) -> Path:
    """Put the shipped config.toml into a folder, with an endpoint `desk` and one file of rules alone."""
    configuration = shipped(folder)
    for rule in (folder / "rules").iterdir():
        rule.unlink()
    endpoint = '\n[[endpoint]]\nid = "desk"\nurl = "https://desk.example/"\n'
    configuration.write_text(configuration.read_text() + endpoint)
    (folder / name).write_text(text)
    return configuration


def require(program: str, remedy: str) -> str:
    """Return the path of a program; without it the test fails or is skipped, as `unavailable` says.

    Args:
        remedy: what to do about it, such as "apt-get install newsboat".
    """
    return shutil.which(program) or unavailable(program, remedy)


def node_modules(package: str) -> Path:
    """Return the folder of npm's packages that has this one, named with its version."""
    npm = require("npm", "apt-get install npm")
    done = subprocess.run([npm, "root", "--global"], capture_output=True, encoding="utf-8", check=True)
    folder = Path(done.stdout.strip())
    name = package.rpartition("@")[0]
    if not (folder / name).is_dir():
        unavailable(f"the npm package {name}", f"npm install --global {package}")
    return folder


def unavailable(component: str, remedy: str) -> NoReturn:
    """Fail the test where CI is set, since there everything must be tested; skip it elsewhere, saying so."""
    reason = f"NOT TESTED, {component} is missing: {remedy}"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
