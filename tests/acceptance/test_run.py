"""`./run` sets itself up with nothing but Python, once, whatever happens to it meanwhile.

The copies under test pin no packages, so no network is needed.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, unavailable

ECHO = """
import json, os, sys
print(json.dumps([sys.argv[1:], os.getcwd(), os.environ.get("SYNDICATE_CONFIG"), os.getpid()]))
"""
NOTICE = "Setting up"
NOT_COMPILED = "The core of matching was not compiled"
CORE = "#include <Python.h>\ntypedef int nothing;\n"


def make_project(folder: Path) -> Path:
    """Return a new project that pins nothing, and whose only command says how it was called."""
    project = folder / "a project"
    (project / "syndicate/rules").mkdir(parents=True)
    (project / "syndicate/rules/_core.c").write_text(CORE)
    (project / "syndicate/__main__.py").write_text(ECHO)
    shutil.copy(ROOT / "run", project)
    shutil.copytree(ROOT / "tools", project / "tools")
    for lock in ROOT.glob("requirements*.lock"):
        (project / lock.name).write_text("# nothing\n")
    return project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is set up already; tests leave it as it is."""
    project = make_project(tmp_path_factory.mktemp("ready"))
    call(project)
    return project


def start(project: Path, *words: str, cwd: Path | None = None, **variables: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SYNDICATE_")}
    environment = kept | {"PIP_NO_INDEX": "1"} | variables
    return subprocess.Popen(
        [str(project / "run"), *words],
        cwd=cwd or project,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def call(project: Path, *words: str, cwd: Path | None = None, **variables: str) -> tuple[list[Any], str]:
    """Return what the command said of its call, and what `./run` itself said."""
    process = start(project, *words, cwd=cwd, **variables)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out), err


def test_it_sets_up_once_and_then_says_nothing(project):
    assert NOTICE in call(project)[1]
    assert call(project)[1] == ""


def test_it_becomes_the_command_so_that_signals_arrive(ready):
    process = start(ready, "once", "--all")
    words, _, _, pid = json.loads(process.communicate(timeout=120)[0])
    assert (words, pid) == (["once", "--all"], process.pid)


def test_without_words_it_runs_the_service(ready):
    assert call(ready)[0][0] == ["run"]


def test_it_stays_where_it_was_called_and_finds_the_nearest_configuration(ready, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('not the module that was meant')")
    assert call(ready, cwd=tmp_path)[0][1:3] == [str(tmp_path), str(ready / "config.toml")]
    assert call(ready, cwd=tmp_path, SYNDICATE_CONFIG="mine.toml")[0][2] == "mine.toml"
    (tmp_path / "config.toml").touch()
    assert call(ready, cwd=tmp_path)[0][2] is None


def test_several_at_once_set_up_once(project):
    processes = [start(project) for _ in range(4)]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sum(NOTICE in error for error in errors) == 1


@pytest.mark.parametrize(
    "harm",
    [
        lambda venv: (venv / "stamp").unlink(),
        lambda venv: (venv / "stamp").write_text("half a st"),
        lambda venv: (venv / "bin/python").unlink(),
    ],
    ids=["interrupted", "interrupted at the end", "Python gone"],
)
def test_a_broken_set_up_heals(project, harm):
    call(project)
    harm(project / ".venv")
    assert NOTICE in call(project)[1]
    assert call(project)[1] == ""


def test_changed_pins_and_a_moved_project_set_up_anew(project):
    call(project)
    (project / "requirements.lock").write_text("# other pins\n")
    assert NOTICE in call(project)[1]
    moved = project.rename(project.with_name("moved"))
    assert NOTICE in call(moved)[1]


def test_what_cannot_be_installed_is_said_and_tried_again(project):
    lock = project / "requirements.lock"
    lock.write_text(f"nothing==1.0 --hash=sha256:{'0' * 64}\n")
    for _ in range(2):
        process = start(project)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 1
        assert "nothing==1.0" in err
        assert "needs the network" in err
    lock.write_text("# nothing\n")
    assert call(project)[0][0] == ["run"]


def compiled(project: Path) -> list[Path]:
    return sorted((project / "syndicate/rules").glob("_core.*.so"))


def test_the_core_is_compiled_and_compiled_again_when_it_changes(project):
    if shutil.which("cc") is None:
        unavailable("a C compiler", "apt-get install gcc")
    assert NOT_COMPILED not in call(project)[1]
    (before,) = compiled(project)
    built_at = before.stat().st_mtime_ns
    (project / "syndicate/rules/_core.c").write_text(CORE + "typedef int more;\n")
    assert NOTICE in call(project)[1]
    assert [path.stat().st_mtime_ns > built_at for path in compiled(project)] == [True]


def test_without_a_compiler_it_says_so_once_and_goes_on(project, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to(sys.executable)
    words, err = call(project, "check", PATH=str(tmp_path / "bin"))
    assert words[0] == ["check"]
    assert f"{NOT_COMPILED}: no C compiler" in err
    assert call(project, PATH=str(tmp_path / "bin"))[1] == ""
    assert compiled(project) == []


def test_a_core_that_does_not_compile_is_no_reason_not_to_start(project):
    (project / "syndicate/rules/_core.c").write_text("this is no C\n")
    assert NOT_COMPILED in call(project)[1]
    assert compiled(project) == []
