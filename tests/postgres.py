"""A PostgreSQL for tests: that of SYNDICATE_TEST_POSTGRES, else one that is started here for the while."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.sql import SQL, Identifier

from tests.support import unavailable

# What is gone after a crash of the machine is no loss here.
_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "listen_addresses=",
    "autovacuum_naptime=5s",  # each schema that is dropped leaves rows behind in the catalogues
)


class Server:
    """A database on a server, in which each test has a schema to itself."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._numbers = count(1)

    @contextmanager
    def schema(self) -> Iterator[str]:
        """Yield the address of a database with a schema that has no tables yet, and is gone afterwards."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(name)))
            try:
                mark = "&" if "?" in self.address else "?"
                yield f"{self.address}{mark}options={quote(f'-csearch_path={name}')}"
            finally:
                connection.execute("SET client_min_messages = warning")
                connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))


@contextmanager
def server() -> Iterator[Server]:
    """Yield a server; where there is none, and none can be started, the test fails or is skipped."""
    given = os.environ.get("SYNDICATE_TEST_POSTGRES")
    if given:
        yield Server(given)
        return
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="syndicate-postgres-"))
    data = str(folder / "data")
    who = {"user": "nobody", "group": "nogroup", "extra_groups": ()} if os.geteuid() == 0 else {}
    if who:  # PostgreSQL does not run as root
        shutil.chown(folder, "nobody", "nogroup")

    def run(program: str, *words: str) -> None:
        subprocess.run(  # type: ignore[call-overload]
            [programs / program, "-D", data, *words],
            cwd=folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            **who,
        )

    try:
        run(
            "initdb",
            "--username=syndicate",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        )
        options = " ".join(f"-c {setting}" for setting in (*_SETTINGS, f"unix_socket_directories={folder}"))
        run("pg_ctl", "start", "--wait", "--silent", f"--log={folder / 'log'}", f"--options={options}")
        try:
            yield Server(f"postgresql://syndicate@/postgres?host={quote(str(folder), safe='')}")
        finally:
            run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs, the newest one's where there are several."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    several = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not several:
        unavailable("PostgreSQL", "apt-get install postgresql, or name a database as SYNDICATE_TEST_POSTGRES")
    return several[-1].parent
