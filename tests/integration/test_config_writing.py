"""config.toml is replaced as a whole, by what the config reader has read, or not at all."""

import os
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from syndicate.config import add_sources, load, load_to_extend
from syndicate.errors import ConfigError, StoreError
from syndicate.model import Config, Source
from tests.support import ROOT

NEW = Source(id="new", title="New", urls=("https://new.example/feed",))
SOURCE = '# mine\n[[source]]\nid = "old"\nurl = "https://old.example/"  # the first\n'
RULE = 'keywords = ["water"]\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a config.toml in a folder with a rule."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/water.toml").write_text(RULE)
    (tmp_path / "config.toml").write_text(SOURCE)
    return tmp_path / "config.toml"


def add(path: Path, *sources: Source, is_trial: bool = False):
    return add_sources(path, {}, lambda _config: sources, is_trial=is_trial)


def files(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir()}


def test_a_source_is_added_and_read_back(path):
    added = add(path, NEW)
    assert path.read_text() == f'{SOURCE}\n[[source]]\nid = "new"\ntitle = "New"\nurl = "{NEW.urls[0]}"\n'
    assert (added.sources, added.line) == ((NEW,), 6)
    assert [source.id for source in added.before.sources] == ["old"]
    assert load(path, {}).sources[1:] == (NEW,)
    assert files(path) == {"config.toml", "rules"}


@pytest.mark.parametrize(
    "content", [b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf[service]\r\ntitle = 'D'\r\n", b"# \xd0\xb9"]
)
def test_a_file_without_sources_gets_its_first(path, content):
    path.write_bytes(content)
    assert load_to_extend(path, {}).sources == ()
    add(path, NEW)
    assert path.read_bytes().startswith(content)
    assert load(path, {}).sources == (NEW,)


def test_a_trial_writes_nothing_and_says_the_same(path):
    before = path.stat()
    trial = add(path, NEW, is_trial=True)
    assert path.read_text() == SOURCE
    assert path.stat().st_ino == before.st_ino
    assert add(path, NEW) == trial


def test_nothing_to_add_leaves_the_file_alone(path):
    before = path.stat()
    assert add(path).sources == ()
    assert path.stat() == before


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        (replace(NEW, id="old"), '"old" is taken by the source in line 3'),
        (replace(NEW, urls=("https://old.example/",)), "asks this address already"),
        (replace(NEW, id="No Id"), "is no id"),
        (replace(NEW, urls=("ftp://new.example/",)), "must begin with http"),
        (replace(NEW, title="two\nlines"), "must be one line"),
    ],
)
def test_what_would_be_a_mistake_is_refused_where_it_would_be(path, new, problem):
    with pytest.raises(ConfigError, match=r"config\.toml:\d+: .*nothing was changed") as error:
        add(path, new)
    assert problem in str(error.value)
    assert path.read_text() == SOURCE
    assert files(path) == {"config.toml", "rules"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[source]\n", "is not TOML"),
        (SOURCE + "[service]\ntitel = 'Desk'\n", 'did you mean "title"'),
        ("source = []\n", "must be tables"),
        ("[source]\n", "with two brackets"),
    ],
)
def test_a_file_with_mistakes_is_left_to_its_owner(path, text, problem):
    path.write_text(text)
    with pytest.raises(ConfigError, match=problem):
        add(path, NEW)
    assert path.read_text() == text


def test_a_file_that_is_not_there_or_cannot_be_read_is_said(path):
    with pytest.raises(ConfigError, match="there is no such file"):
        add(path.with_name("other.toml"), NEW)
    with pytest.raises(ConfigError, match="is a folder"):
        add(path.parent, NEW)
    path.write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        add(path, NEW)


def test_a_source_under_which_a_rule_would_be_wrong_is_refused(path):
    (path.parent / "rules/water.toml").write_text(RULE + 'sources = ["tag:official"]\n')
    path.write_text("")
    with pytest.raises(ConfigError, match="selects no source"):
        add(path, NEW)
    add(path, replace(NEW, tags=("official",)))


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_file_keeps_its_mode(path, mode):
    path.chmod(mode)
    add(path, NEW)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_file_keeps_its_owner(path):
    os.chown(path, 65534, 65534)
    add(path, NEW)
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


def test_a_link_stays_one_and_the_file_behind_it_is_replaced(path):
    real = path.parent / "elsewhere/real.toml"
    real.parent.mkdir()
    path.rename(real)
    path.symlink_to("elsewhere/real.toml")
    add(path, NEW)
    assert path.is_symlink()
    assert load(path, {}).sources[1:] == (NEW,)  # by the rules beside the link
    assert "new.example" in real.read_text()


ADD = """
import encodings.utf_8_sig, os, resource  # nothing of Python's own can be read any more once root is given up
from pathlib import Path
from syndicate.config import add_sources
from syndicate.errors import SyndicateError
from syndicate.model import Source
{first}
try:
    source = Source(id="new", title="N" * 2000, urls=("https://new.example/",))
    add_sources(Path("config.toml"), {{}}, lambda config: [source])
except SyndicateError as error:
    print(error)
"""


def said(path: Path, first: str) -> str:
    """Return what is said when a source is added in a process of its own, after some first lines."""
    done = subprocess.run(
        [sys.executable, "-c", ADD.format(first=first)],
        cwd=path.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


NOT_ROOT = "os.geteuid() or os.seteuid(65534)"


def test_a_full_disk_leaves_the_file_as_it_is(path):
    """A limit on the size of files fails a write in its middle, as a full disk does."""
    printed = said(path, "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))")
    assert printed.startswith("config.toml could not be written, and is as it was: ")
    assert path.read_text() == SOURCE
    assert files(path) == {"config.toml", "rules"}


def test_a_folder_or_file_that_may_not_be_written_to_is_said(path):
    path.chmod(0o644)
    path.parent.chmod(0o777)
    assert "it is read-only" in said(path, f"os.chmod('config.toml', 0o444); {NOT_ROOT}")
    path.chmod(0o666)
    path.parent.chmod(0o555)
    assert "Let the user that runs Syndicate write to that folder." in said(path, NOT_ROOT)
    path.parent.chmod(0o755)
    assert path.read_text() == SOURCE
    assert files(path) == {"config.toml", "rules"}


def test_a_crash_in_the_midst_leaves_the_file_as_it_is(path):
    said(path, "os.fsync = lambda descriptor: os._exit(0)")  # dies with the bytes written and not renamed
    assert path.read_text() == SOURCE
    add(path, NEW)
    assert load(path, {}).sources[1:] == (NEW,)


def test_an_edit_that_comes_between_is_not_lost(path):
    def choose(_config: Config) -> list[Source]:
        path.write_text(SOURCE + "# edited\n")
        return [NEW]

    with pytest.raises(StoreError, match="was edited just now"):
        add_sources(path, {}, choose)
    assert path.read_text() == SOURCE + "# edited\n"
    assert files(path) == {"config.toml", "rules"}


def test_of_many_who_add_at_once_none_loses_anything(path):
    def add_one(number: int) -> None:
        add(path, Source(id=f"s{number}", title="S", urls=(f"https://s{number}.example/",)))

    threads = [threading.Thread(target=add_one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {source.id for source in load(path, {}).sources} == {
        "old",
        *(f"s{number}" for number in range(12)),
    }
