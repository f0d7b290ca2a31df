"""Told to stop, `./run` stops within seconds, whatever hangs, and leaves nothing half-done."""

import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.desk import RUN, Desk, endpoint, eventually, network, rule, service, source
from tests.outlets import Article, Asked, LocalServer, Reply, feed

LIMIT_SECONDS = 10


@dataclass
class World:
    """An outlet that answers, one that hangs, and a receiver that hangs, until they no longer do."""

    is_stuck: bool = True

    def outlet(self, asked: Asked) -> Reply:
        name = asked.path.strip("/")
        news = feed([Article(link=f"https://{name}.example/1", title="Water in the west")])
        return Reply(hangs=True) if name == "slow" and self.is_stuck else news

    def receiver(self, _: Asked) -> Reply:
        return Reply(hangs=self.is_stuck)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def outlets(world: World) -> Iterator[LocalServer]:
    with LocalServer(world.outlet) as outlets:
        yield outlets


@pytest.fixture
def receiver(world: World) -> Iterator[LocalServer]:
    with LocalServer(world.receiver) as receiver:
        yield receiver


@pytest.fixture
def desk(tmp_path, outlets, receiver):
    desk = Desk(folder=tmp_path, command=RUN)
    desk.write(
        service(),
        network(timeout="5m"),
        *(source(name, f"{outlets.address}/{name}", baseline=False) for name in ("quick", "slow")),
        endpoint("desk", f"{receiver.address}/desk"),
        rules={"water": rule("water", notify=["desk"])},
    )
    return desk


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_while_a_poll_and_a_delivery_hang_and_the_next_takes_both_up_at_once(
    number, desk, world, outlets, receiver
):
    process = desk.start()
    host, _, port = desk.listening(process).rpartition(":")
    outlets.wait_for(lambda _: outlets.at("/slow") and outlets.at("/quick"))
    receiver.wait_for(lambda asked: asked)

    told_at = time.monotonic()
    process.send_signal(number)
    assert process.wait(60) == 0, desk.log.read_text()
    assert time.monotonic() - told_at < LIMIT_SECONDS
    assert "Traceback" not in desk.log.read_text()
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind((host, int(port)))

    world.is_stuck = False
    (stuck,) = receiver.asked
    called = desk.call("once", "--json")
    assert [poll["source"] for poll in called.json] == ["slow"]
    assert "leases.freed" not in called.err, "it did not give back what it had begun"
    deliveries = desk.json("deliveries")
    assert {delivery["state"] for delivery in deliveries} == {"delivered"}
    assert len(deliveries) == 2
    again = [asked for asked in receiver.asked if asked.headers["webhook-id"] == stuck.headers["webhook-id"]]
    assert [asked.body for asked in again] == [stuck.body] * 2


def test_interrupted_while_it_starts_it_just_ends(desk):
    inherited = signal.signal(signal.SIGINT, signal.SIG_DFL)  # not as a shell has it for what it left behind
    process = desk.start(PYTHONPROFILEIMPORTTIME="1")
    signal.signal(signal.SIGINT, inherited)
    eventually(lambda: "syndicate.errors" in desk.log.read_text())
    process.send_signal(signal.SIGINT)
    # Python may end itself by the signal after all, which a shell reports as 130 as well.
    assert process.wait(60) in (130, -signal.SIGINT)
    assert "Traceback" not in desk.log.read_text()
