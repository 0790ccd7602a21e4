"""The running cabinet on a real pty: pacing, silence, reopening, records."""

import json
import queue
import socket
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hw_sim.layout import LAYOUTS, made
from hw_sim.layout_file import load
from hw_sim.line import Wire
from hw_sim.physics import Mechanics
from hw_sim.records import Record
from hw_sim.rig import NoSuchLineError, Rig
from tests.hw_sim.asking import CHAR_S, SILENCE_S, opened
from tests.hw_sim.speaking import summed, xored
from tests.hw_sim.wired import MIXED, frame

READ = frame("02 02 00 00 00 20")
SHUT = frame("02 02 04 FF FF 00 00")
PULSE_3 = frame("01 05 02 02 00 05")
ROUNDS = 40


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    running = Rig(LAYOUTS["two-board"], tmp_path, Wire(), 1, Mechanics())
    running.start()
    yield running
    running.stop()


def test_a_transaction_takes_the_wire_s_own_time(rig: Rig) -> None:
    floor_s = (len(READ) + len(SHUT)) * CHAR_S + SILENCE_S  # the silence after the reply is the asker's
    with opened(Path(rig.ports["A"])) as line:
        ratios = []
        for _ in range(ROUNDS):
            began_s = time.monotonic()
            assert line.ask(READ, len(SHUT)) == SHUT
            ratios.append((time.monotonic() - began_s) / floor_s)
            line.rest()
    # Never faster than the wire; how much slower is this machine's load.
    assert min(ratios) >= 1.0
    assert statistics.median(ratios) < 1.3


def test_the_reply_s_bytes_do_not_come_at_once(rig: Rig) -> None:
    spans_s = []
    with opened(Path(rig.ports["A"])) as line:
        for _ in range(5):  # a loaded machine may show us several bytes late, and so together
            heard = line.ask(READ, 1)
            first_s = time.monotonic()
            line.listen(len(SHUT) - len(heard))
            spans_s.append(time.monotonic() - first_s)
            line.rest()
    assert max(spans_s) > 0.6 * (len(SHUT) - 1) * CHAR_S


def test_an_early_frame_gets_no_answer(rig: Rig) -> None:
    with opened(Path(rig.ports["A"])) as line:
        early = 0
        for _ in range(10):  # a loaded machine may keep the silence against our will
            assert line.ask(READ, len(SHUT)) == SHUT
            unanswered = line.ask(READ, len(SHUT), patience_s=0.2) == b""
            line.rest()
            # The answer to a frame in time may itself be late there; one that was early has none.
            if rig.latest("frames")[-1]["kind"] == "early":
                assert unanswered
                early += 1
    assert early > 0


def test_the_port_can_be_closed_and_opened_again(rig: Rig) -> None:
    for _ in range(3):
        with opened(Path(rig.ports["A"])) as line:
            line.rest()
            assert line.ask(READ, len(SHUT)) == SHUT


def test_nothing_wakes_while_nobody_asks(rig: Rig) -> None:
    with opened(Path(rig.ports["A"])) as line:
        line.ask(READ, len(SHUT))
    before_s = time.process_time()
    threading.Event().wait(0.3)
    assert time.process_time() - before_s < 0.1


def test_a_pulse_opens_the_door_and_is_on_record(rig: Rig, tmp_path: Path) -> None:
    told: queue.Queue[tuple[str, Mapping[str, Any]]] = queue.Queue()
    rig.listen(lambda event, row: told.put((event, row)))
    with opened(Path(rig.ports["A"])) as line:
        assert line.ask(PULSE_3, len(PULSE_3)) == PULSE_3
        while told.get(timeout=60)[1].get("what") != "door_opened":
            pass
    assert [door["number"] for door in rig.doors() if door["open"]] == [3]

    pulses = [json.loads(row) for row in (tmp_path / "pulses.jsonl").read_text().splitlines()]
    moves = [json.loads(row) for row in (tmp_path / "moves.jsonl").read_text().splitlines()]
    assert [(row["compartment"], row["pulse_ms"], row["frame"]) for row in pulses] == [
        (3, 500, "01 05 02 02 00 05 AD B1")
    ]
    assert [row["what"] for row in moves][:2] == ["coil_on", "door_opened"]
    assert moves[1]["mono_s"] - pulses[0]["mono_s"] == pytest.approx(0.1, abs=0.002)


def test_faults_reach_the_line(rig: Rig) -> None:
    rig.set_faults({"dead": [2]}, "A")
    with opened(Path(rig.ports["A"])) as line:
        assert line.ask(READ, 1, patience_s=0.1) == b""
        rig.clear_faults()
        assert line.ask(READ, len(SHUT)) == SHUT
    with pytest.raises(NoSuchLineError):
        rig.set_faults({"dead": [2]}, "B")


def test_at_another_speed_nobody_is_understood(rig: Rig) -> None:
    port = Path(rig.ports["A"])
    with opened(port, baud=19_200) as line:
        assert line.ask(READ, 1, patience_s=0.1) == b""
    with opened(port) as line:
        assert line.ask(READ, len(SHUT)) == SHUT
    assert [row["kind"] for row in rig.latest("frames")] == ["request", "unheard", "request", "reply"]


def test_what_a_board_says_while_nobody_listens_is_lost(tmp_path: Path) -> None:
    rig = Rig(made("xor8a-8"), tmp_path, Wire(), 1, Mechanics())
    rig.start()
    try:
        told = queue.Queue[str]()
        rig.listen(lambda event, row: told.put(str(row.get("kind", event))))
        rig.set_faults({"reports": [1]}, "A")
        rig.act(1, "pry")
        while told.get(timeout=60) != "report":
            pass
        threading.Event().wait(0.05)
        with opened(Path(rig.ports["A"])) as line:
            assert line.listen(1, patience_s=0.1) == b""
            rig.act(1, "shut")
            assert line.listen(5) == xored("81 01 01 11")
    finally:
        rig.stop()


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[Rig]:
    """A cabinet of three lines, two of them over TCP."""
    running = Rig(load(MIXED), tmp_path, Wire(), 1, Mechanics())
    running.start()
    yield running
    running.stop()


def connected(url: str) -> socket.socket:
    where = urlsplit(url)
    client = socket.create_connection((str(where.hostname), int(where.port or 0)), timeout=2)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def test_a_line_over_a_socket(sockets: Rig) -> None:
    assert sockets.ports["B"].startswith("socket://127.0.0.1:")
    sockets.clear_faults()
    for _ in range(2):  # and again, when the first driver has gone
        with connected(sockets.ports["B"]) as client, client.makefile("rb") as heard:
            client.sendall(bytes.fromhex("02 00 30 03 35"))
            assert heard.read(9) == summed("02 00 35 03 00 00 00 03")
            threading.Event().wait(SILENCE_S)


def test_a_line_behind_a_gateway(sockets: Rig) -> None:
    assert sockets.ports["C"].startswith("modbus-tcp://127.0.0.1:")
    with connected(sockets.ports["C"]) as client, client.makefile("rb") as heard:
        client.sendall(bytes.fromhex("00 07 00 00 00 06 01 05 02 00 00 05"))
        assert heard.read(12) == bytes.fromhex("00 07 00 00 00 06 01 05 02 00 00 05")
        with connected(sockets.ports["C"]) as second:
            assert second.recv(1) == b"", "one driver at a time"
        client.sendall(bytes.fromhex("00 08 00 00 00 06 01 02 00 00 00 08"))
        assert heard.read(10)[:8] == bytes.fromhex("00 08 00 00 00 04 01 02")
    assert [row["compartment"] for row in sockets.latest("pulses")] == [5]


def test_faults_of_the_file_are_there_from_the_start(sockets: Rig) -> None:
    assert sockets.faults()["B"].garbage == (0,)
    sockets.set_faults({"garbage": []}, "B")
    assert sockets.faults()["A"].garbage == sockets.faults()["B"].garbage == ()


def test_a_relay_that_welds_while_it_runs(rig: Rig) -> None:
    told: queue.Queue[tuple[str, Mapping[str, Any]]] = queue.Queue()
    rig.listen(lambda event, row: told.put((event, row)))
    rig.set_faults({"welded": ["1/3"]}, "A")
    with opened(Path(rig.ports["A"])) as line:
        line.ask(PULSE_3, len(PULSE_3))
        while told.get(timeout=60)[1].get("what") != "door_opened":
            pass
        rig.act(3, "shut")
        while told.get(timeout=60)[1].get("what") != "door_opened":
            pass
    rig.clear_faults()
    while told.get(timeout=60)[1].get("what") != "coil_off":
        pass


def test_stopping_takes_the_port_s_name_away(tmp_path: Path) -> None:
    rig = Rig(LAYOUTS["d8"], tmp_path, Wire(), 1, Mechanics())
    rig.start()
    link = Path(rig.ports["A"])
    assert link.is_symlink()
    rig.stop()
    assert not link.is_symlink()


def test_records_are_bounded(tmp_path: Path) -> None:
    record = Record(tmp_path / "frames.jsonl", limit=2_000)
    for number in range(200):
        record.add({"number": number})
    record.close()
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) <= 2_000
    last = json.loads((tmp_path / "frames.jsonl").read_text().splitlines()[-1])
    assert (last["n"], last["number"]) == (200, 199)
