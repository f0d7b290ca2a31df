"""Which feeds a process publishes."""

import asyncio
from contextlib import closing

from syndicate.feeds.publisher import Publisher
from syndicate.model import Config, NetworkSettings, ServiceSettings
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
