"""Every document of data/hostile, polled by the command: kept, matched and published, or refused alone."""

import json
import sqlite3
import tomllib
from contextlib import closing

from tests import atom_check
from tests.desk import Desk, network, service
from tests.outlets import Asked, LocalServer, Reply
from tests.support import ROOT

DATA = ROOT / "tests/data/hostile"
CASES = tomllib.loads((DATA / "cases.toml").read_text())
IDS = {name: f"{place:03}-{name.partition('.')[0].replace('_', '-')}" for place, name in enumerate(CASES)}


def answer(asked: Asked) -> Reply:
    name = asked.path.lstrip("/")
    return Reply(headers=CASES[name].get("headers", {}), body=(DATA / name).read_bytes())


def source(name: str, server: LocalServer) -> str:
    """Return a [[source]] of one document, with all that its case says of the address."""
    address = {"url": f"{server.address}/{name}", **CASES[name].get("address", {})}
    written = ", ".join(f"{key} = {json.dumps(value)}" for key, value in address.items())
    return f'[[source]]\nid = "{IDS[name]}"\nurls = [{{ {written} }}]\n'


def test_no_document_keeps_another_from_being_kept_matched_and_published(desk: Desk):
    everything = {each: f'query = "/./"\nsources = ["{each}"]\n' for each in IDS.values()}
    with LocalServer(answer) as server:
        desk.write(
            service(),
            network(host_concurrency=32),
            *(source(name, server) for name in CASES),
            rules=everything,
        )
        called = desk.call("once", "--all", status=None)
    assert called.status in (0, 1), called.err
    assert "Traceback" not in called.err
    shown = {each["id"]: each for each in desk.json("sources")}
    for name, case in CASES.items():
        told = shown[IDS[name]]
        if "error" in case:
            assert (name, told["state"]) == (name, "failing")
        assert "defect of Syndicate" not in (told["last_error"] or ""), told
        if case.get("entries"):
            assert (name, told["state"]) == (name, "ok")
            assert told["items"] == case.get("items", told["items"]) > 0, told
    for each in IDS.values():
        published = (desk.folder / f"feeds/{each}.atom").read_bytes()
        assert (each, atom_check.problems(published)) == (each, [])
    with closing(sqlite3.connect(desk.database)) as db:
        matched = {source for (source,) in db.execute("SELECT DISTINCT rule FROM matches")}
    titled = {IDS[name] for name, case in CASES.items() if case.get("first", {}).get("title")}
    assert titled <= matched
