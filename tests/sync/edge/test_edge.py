"""What does not fit is counted, and the stream goes on."""

from dataclasses import replace

import pytest

from sync import seal, wire
from tests.sync.edges import (
    CENTRE_KEY,
    LOCKER,
    OWN_KEY,
    DownLog,
    ack,
    framed,
    settle,
)
from tests.sync.worlds import World


@pytest.mark.rule("LKR-30")
@pytest.mark.rule("LKR-33")
@pytest.mark.rule("LKR-38")
async def test_what_does_not_fit_is_counted_and_the_stream_goes_on(world: World, down: DownLog) -> None:
    await world.greet()
    dn_log = wire.down(LOCKER, wire.Name.LOG).topic
    good = framed(down.batch(1, 1))
    bad_chain = replace(down.batch(1, 2), hash="00" * 32)
    strange = seal.frame(OWN_KEY, wire.encode(down.batch(1, 1)))
    cases = {
        b"": "seal:BadFrame",
        b"\x02" + good[1:]: "seal:UnknownAlgorithm",
        good[:-1] + b"!": "seal:BadSignature",
        strange: "seal:UnknownKey",
        framed_bytes(b"\xff"): "dn_log:Unreadable",
        framed_bytes(b'{"v":7}'): "dn_log:UnknownVersion",
        framed_bytes(b'{"v":1,"kind":"dn_log"}'): "dn_log:WrongField",
        framed_bytes(b" " * wire.PACKET_BYTES_MAX): "dn_log:TooLarge",
        framed(bad_chain): "dn_log:BrokenChain",
        framed(ack(world.journal, 0)): "dn_log:WrongField",
        framed(replace(down.batch(1, 1), locker="loc-2")): "foreign",
    }
    for payload, kind in cases.items():
        before = world.edge.dropped[kind]
        world.link.deliver(dn_log, payload)
        await settle()
        assert world.edge.dropped[kind] == before + 1, kind
    world.link.deliver(dn_log, good, retain=True)
    world.link.deliver("doclocker/v1/loc-2/dn/log", good)
    world.link.deliver("doclocker/v1/loc-1/dn/act", good)
    world.link.deliver("elsewhere", good)
    await settle()
    assert world.journal.applied == []
    world.link.deliver(dn_log, good)
    await settle()
    assert len(world.journal.applied) == 1
    # All of them are done with: none comes again.
    assert len(world.link.acknowledged) == len(cases) + 5 + 2
    assert world.edge.dropped.total() == len(cases) + 4
    await world.clock.advance(70_000)
    assert world.link.heard(wire.Name.TELE, wire.Tele)[-1].dropped["foreign"] == 1


def framed_bytes(body: bytes) -> bytes:
    return seal.frame(CENTRE_KEY, body)
