"""Which feeds a process publishes."""

import asyncio
from contextlib import closing
from dataclasses import replace

from syndicate.feeds.publisher import Publisher
from syndicate.model import Config, NetworkSettings, ServiceSettings
from syndicate.rules.compile import trial_rule
from syndicate.store.protocol import RuleState
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread


def test_a_feed_of_a_rule_that_only_another_process_knows_is_left_to_it(tmp_path):
    service = ServiceSettings(database=tmp_path / "s.db", rules=tmp_path / "rules", feeds=tmp_path / "feeds")
    config = Config(
        path=tmp_path / "config.toml",
        service=service,
        network=NetworkSettings(),
        sources=(),
        endpoints=(),
        rules=(),
    )
    with closing(SqliteStore(service.database)) as store, closing(StoreThread()) as call:
        store.configure([], [RuleState(id="new", version="1", feed=True)])
        with closing(Publisher(store=store, call=call, config=config, rules={})) as publisher:
            assert asyncio.run(publisher.publish_stale()) == 0
        assert [feed.rule for feed in store.stale_feeds()] == ["new"]
        assert not (tmp_path / "feeds").exists()


def test_feeds_are_published_many_at_once_and_one_that_fails_stays_stale(tmp_path):
    rules = {f"r{number}": replace(trial_rule("word"), id=f"r{number}") for number in range(45)}
    service = ServiceSettings(database=tmp_path / "s.db", rules=tmp_path / "rules", feeds=tmp_path / "feeds")
    config = Config(
        path=tmp_path / "config.toml",
        service=service,
        network=NetworkSettings(),
        sources=(),
        endpoints=(),
        rules=(),
    )
    (service.feeds / "r7.atom").mkdir(parents=True)  # where a file should go
    with closing(SqliteStore(service.database)) as store, closing(StoreThread()) as call:
        store.configure([], [RuleState(id=name, version="1", feed=True) for name in rules])
        with closing(Publisher(store=store, call=call, config=config, rules=rules)) as publisher:
            assert asyncio.run(publisher.publish_stale()) == 44
            assert list(publisher.failures) == ["r7"]
            assert [feed.rule for feed in store.stale_feeds()] == ["r7"]
            assert len(list(service.feeds.glob("*.atom"))) == 45
            (service.feeds / "r7.atom").rmdir()
            assert asyncio.run(publisher.publish_stale()) == 1
            assert (store.stale_feeds(), publisher.failures) == ([], {})
            assert asyncio.run(publisher.publish_stale()) == 0
