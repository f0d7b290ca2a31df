"""A published file is whole at every instant, and touched only when its bytes change."""

import errno
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from syndicate.errors import StoreError
from syndicate.feeds.publish import tidy, write
from tests.support import ROOT


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run(program: str, folder: Path) -> str:
    """Return what a program prints in a process of its own, which may limit or demote itself."""
    command = [sys.executable, "-c", f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{program}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout


def test_a_file_is_written_with_its_folder_and_readable_by_other_servers(tmp_path):
    path = tmp_path / "feeds" / "new" / "a.atom"
    assert write(path, b"one")
    assert path.read_bytes() == b"one"
    assert names(path.parent) == ["a.atom"]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o644 & ~umask


def test_other_bytes_replace_the_file(tmp_path):
    path = tmp_path / "a.atom"
    write(path, b"one")
    before = path.stat().st_ino
    with path.open("rb") as reader:
        assert write(path, b"two")
        assert reader.read() == b"one"
    assert path.read_bytes() == b"two"
    assert path.stat().st_ino != before


def test_the_same_bytes_touch_nothing(tmp_path):
    path = tmp_path / "a.atom"
    write(path, b"one")
    os.utime(path, ns=(1, 1))
    before = path.stat()
    assert not write(path, b"one")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (1, before.st_ino)


def test_the_umask_can_only_narrow_the_mode(tmp_path):
    program = (
        "import os, pathlib\nfrom syndicate.feeds.publish import write\n"
        "os.umask(0o077)\nwrite(pathlib.Path('a'), b'x')\nos.umask(0)\nwrite(pathlib.Path('b'), b'x')"
    )
    run(program, tmp_path)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in "ab"] == [0o600, 0o644]


def test_a_full_disk_leaves_the_old_file_and_says_what_happened(tmp_path):
    """A limit on the size of files fails a write in its middle, as a full disk does."""
    path = tmp_path / "a.atom"
    write(path, b"old")
    program = (
        "import pathlib, resource\nfrom syndicate.errors import StoreError\n"
        "from syndicate.feeds.publish import write\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    write(pathlib.Path('a.atom'), b'new' * 1000)\n"
        "except StoreError as error:\n    print(error)"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000
    said = run(program, tmp_path)
    assert said.startswith("a.atom could not be written, and is as it was: ")
    assert os.strerror(errno.EFBIG) in said
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.atom"]


def test_a_folder_that_may_not_be_written_to_is_said_so(tmp_path):
    """Root may write everywhere, so the process gives that up first."""
    write(tmp_path / "a.atom", b"old")
    tmp_path.chmod(0o555)
    program = (
        "import os, pathlib\nfrom syndicate.errors import StoreError\n"
        "from syndicate.feeds.publish import write\n"
        "if os.geteuid() == 0:\n    os.seteuid(65534)\n"
        "try:\n    write(pathlib.Path('a.atom'), b'new')\nexcept StoreError as error:\n    print(error)"
    )
    said = run(program, tmp_path)
    tmp_path.chmod(0o755)
    assert os.strerror(errno.EACCES) in said
    assert "Let the user that runs Syndicate write to that folder." in said
    assert (tmp_path / "a.atom").read_bytes() == b"old"
    assert names(tmp_path) == ["a.atom"]


def test_something_in_the_way_is_said_so(tmp_path):
    (tmp_path / "feeds").write_text("a file")
    with pytest.raises(StoreError, match=r"feeds/a\.atom could not be written.*Move the file"):
        write(tmp_path / "feeds" / "a.atom", b"one")
    (tmp_path / "a.atom").mkdir()
    with pytest.raises(StoreError, match="Move the folder"):
        write(tmp_path / "a.atom", b"one")


def test_what_a_crash_left_half_written_is_removed_and_nothing_else(tmp_path):
    write(tmp_path / "a.atom", b"one")
    program = (
        "import os, pathlib\nfrom syndicate.feeds import publish\n"
        "os.fsync = lambda descriptor: os._exit(0)\n"  # dies with the bytes written and not renamed
        "publish.write(pathlib.Path('a.atom'), b'two')"
    )
    run(program, tmp_path)
    for name in (".hidden", ".a.tmp", "b.tmp", ".a.atom.123.tmp"):
        (tmp_path / name).write_text("not ours")
    assert len(names(tmp_path)) == 6
    assert tidy(tmp_path) == 1
    assert names(tmp_path) == sorted(["a.atom", ".hidden", ".a.tmp", "b.tmp", ".a.atom.123.tmp"])
    assert (tmp_path / "a.atom").read_bytes() == b"one"


def test_what_was_left_beside_pages_of_archives_is_removed_as_well(tmp_path):
    left = tmp_path / "secret/eu/.100-1.atom.0123456789abcdef.tmp"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"<feed>")
    (left.parent / "100-1.atom").write_bytes(b"<feed/>")
    assert tidy(tmp_path) == 1
    assert [path.name for path in left.parent.iterdir()] == ["100-1.atom"]


def test_tidying_where_there_is_no_folder_is_nothing(tmp_path):
    assert tidy(tmp_path / "none") == 0
    (tmp_path / "feeds").write_text("a file")
    with pytest.raises(StoreError, match=r"feeds could not be read: .*Move the file"):
        tidy(tmp_path / "feeds")


def test_readers_see_whole_files_while_others_write_it(tmp_path):
    path = tmp_path / "a.atom"
    versions = [bytes([letter]) * 200_000 for letter in b"abc"]
    write(path, versions[0])
    done = threading.Event()
    torn: list[bytes] = []

    def read() -> None:
        while not done.is_set():
            data = path.read_bytes()
            if data not in versions:
                torn.append(data)

    def publish(data: bytes) -> None:
        for _ in range(20):
            write(path, data)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=publish, args=[data]) for data in versions]
    for thread in (reader, *writers):
        thread.start()
    for writer in writers:
        writer.join()
    done.set()
    reader.join()
    assert torn == []
    assert names(tmp_path) == ["a.atom"]


def test_what_is_being_written_is_not_tidied_away(tmp_path):
    """Another process may publish while this one starts."""
    program = (
        "import os, pathlib\nfrom syndicate.feeds import publish\n"
        "sync = os.fsync\n"
        "def look(descriptor):\n"
        "    os.fsync = sync\n"
        "    print(publish.tidy(pathlib.Path('.')))\n"
        "os.fsync = look\n"
        "print(publish.write(pathlib.Path('a.atom'), b'new'))"
    )
    assert run(program, tmp_path).split() == ["0", "True"]
    assert (tmp_path / "a.atom").read_bytes() == b"new"
