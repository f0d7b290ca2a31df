"""Whether anybody works on a database can be told from beside it."""

from contextlib import closing

from syndicate.store.sqlite import SqliteStore


def test_who_only_looks_sees_whether_somebody_works(tmp_path):
    path = tmp_path / "syndicate.db"
    with closing(SqliteStore(path, works=False)) as looking:
        assert not looking.is_worked_on()
        with closing(SqliteStore(path, works=False)):
            assert not looking.is_worked_on()
        with closing(SqliteStore(path)) as working:
            assert looking.is_worked_on()
            assert working.release_abandoned_leases() == 0
            assert looking.is_worked_on()
        assert not looking.is_worked_on()
