"""How close the poll cycle of every family keeps to the wire, and what other clients make of the same board.

The wire's own time is that of all bytes, of a silence on either side of the request, and of the pause that
the board itself takes: boards of the 8A family think for 200 ms. Where a profile knows that its board wants a
longer silence than the protocol's, that silence counts as the wire's.
"""

import asyncio
import os
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import minimalmodbus  # type: ignore[import-untyped]  # it has no types
import pytest
from pymodbus.client import AsyncModbusSerialClient, ModbusSerialClient

from firmware_bridge import boards
from firmware_bridge.bus import Bus
from firmware_bridge.codecs import encode
from firmware_bridge.exchange import Timing
from firmware_bridge.happenings import BusEvent, InputsRead
from firmware_bridge.line import SerialLine, opener
from firmware_bridge.request import ReadDoors
from firmware_bridge.station import Station
from locker.domain.ids import BoardId
from tests.bench.figures import Sheet
from tests.bench.line.paced import Paced

FAMILIES: Final = {
    "inputs-32": "FC02",
    "kerong-cu48-modbus": "FC01",
    "eletechsup-n4d3e16": "FC03",
    "xor8a-24": "8A",
    "wkly-24": "WKLY",
    "kerong-cu16": "Kerong CU16",
    "kerong-cu48": "Kerong CU48",
    "winnsen-16": "Winnsen",
}
LIMITS: Final = {9_600: 1.04, 19_200: 1.04, 115_200: 1.10}
THINKS_S: Final = {"xor8a": 0.2}
"""What the simulated boards take before they answer."""
RUNS: Final = 5
SECONDS: Final = 1.5
"""Of one run."""
FEWEST: Final = 12
WARM_UP: Final = 5
ROUNDING_S: Final = 0.000_02
PEER: Final = "inputs-32"
PEER_COUNT: Final = 32
PEER_BYTES: Final = 8 + 9


@dataclass(frozen=True, slots=True)
class Run:
    ratio: float
    cut_short: float
    """Share of the silences."""
    shortest_s: float


def floor_s(profile: str, baud: int) -> float:
    known, timing = boards.load(profile), Timing(baud)
    assert known.inputs is not None
    telegram = encode(known, known.address.min, ReadDoors(BoardId("A/1"), 1, known.inputs.channels))
    before_s = max(timing.silence_s, known.transport.gap_ms / 1000)
    on_wire_s = timing.wire_s(len(telegram.data) + telegram.reply_length)
    return on_wire_s + before_s + timing.silence_s + THINKS_S.get(known.codec, 0.0)


def judged(moments: list[float], silences: list[float], cycle_s: float, baud: int) -> Run:
    spans = [later - earlier for earlier, later in pairwise(moments[WARM_UP:])]
    silence_s = Timing(baud).silence_s
    cut_short = sum(gap_s < silence_s - ROUNDING_S for gap_s in silences) / len(silences)
    return Run(statistics.median(spans) / cycle_s, cut_short, min(silences))


def ours(profile: str, baud: int) -> Run:
    known, cycle_s = boards.load(profile), floor_s(profile, baud)
    assert known.inputs is not None
    board = BoardId(f"A/{known.address.min}")
    wanted = max(FEWEST, round(SECONDS / cycle_s)) + WARM_UP
    moments: list[float] = []
    enough, ended = threading.Event(), threading.Event()

    def happened(event: BusEvent) -> None:
        if isinstance(event, InputsRead):
            moments.append(event.at_s)
            if len(moments) > wanted:
                enough.set()

    with Paced([profile], baud) as paced:
        station = Station(board, known.address.min, known, ReadDoors(board, 1, known.inputs.channels))
        station.attend(float("inf"), 0.0)
        line = SerialLine(Bus(Timing(baud), [station], happened), opener(paced.port, baud), ended.set)
        line.start()
        assert enough.wait(SECONDS * 5 + 10)
        line.close()
        assert ended.wait(5)
        silences = paced.close()["silences"]
    return judged(moments, silences, cycle_s, baud)


def asked(baud: int, ask: Callable[[str, int], list[float]]) -> Run:
    cycle_s = floor_s(PEER, baud)
    cycles = max(FEWEST, round(SECONDS / cycle_s)) + WARM_UP
    with Paced([PEER], baud, patient=True) as paced:
        moments = ask(paced.port, cycles)
        silences = paced.close()["silences"]
    return judged(moments, silences, cycle_s, baud)


def pymodbus_sync(baud: int) -> Callable[[str, int], list[float]]:
    def ask(port: str, cycles: int) -> list[float]:
        client = ModbusSerialClient(port, baudrate=baud, timeout=0.5, retries=0)
        assert client.connect()
        moments = []
        for _ in range(cycles):
            assert not client.read_discrete_inputs(0, count=PEER_COUNT, device_id=1).isError()
            moments.append(time.monotonic())
        client.close()  # type: ignore[no-untyped-call]  # the library left it untyped
        return moments

    return ask


def pymodbus_async(baud: int) -> Callable[[str, int], list[float]]:
    async def poll(port: str, cycles: int) -> list[float]:
        client = AsyncModbusSerialClient(port, baudrate=baud, timeout=0.5, retries=0)
        assert await client.connect()
        moments = []
        for _ in range(cycles):
            assert not (await client.read_discrete_inputs(0, count=PEER_COUNT, device_id=1)).isError()
            moments.append(time.monotonic())
        client.close()
        return moments

    return lambda port, cycles: asyncio.run(poll(port, cycles))


def minimal(baud: int) -> Callable[[str, int], list[float]]:
    def ask(port: str, cycles: int) -> list[float]:
        instrument = minimalmodbus.Instrument(port, 1)
        instrument.serial.baudrate = baud
        instrument.serial.timeout = 0.5
        moments = []
        for _ in range(cycles):
            instrument.read_bits(0, PEER_COUNT, 2)
            moments.append(time.monotonic())
        instrument.serial.close()
        return moments

    return ask


@pytest.mark.parametrize("baud", LIMITS)
@pytest.mark.parametrize("profile", FAMILIES)
def test_every_family_keeps_to_the_wire(sheet: Sheet, profile: str, baud: int) -> None:
    runs = [ours(profile, baud) for _ in range(RUNS)]
    ratios = [run.ratio for run in runs]
    wire_ms, load = floor_s(profile, baud) * 1000, os.getloadavg()[0]
    note = f"{RUNS} runs, {min(ratios):.3f} to {max(ratios):.3f}; wire {wire_ms:.1f} ms; load {load:.1f}"
    name = f"{FAMILIES[profile]} poll cycle ÷ the wire, {baud} baud"
    sheet.at_most(name, statistics.median(ratios), "×", LIMITS[baud], note)
    shortest = min(run.shortest_s for run in runs) / Timing(baud).wire_s(1)
    cut_short = 100 * max(run.cut_short for run in runs)
    sheet.at_most("  silences cut short", cut_short, "%", 0, f"shortest {shortest:.2f} characters")


@pytest.mark.parametrize("baud", LIMITS)
def test_what_other_clients_make_of_the_same_board(sheet: Sheet, baud: int) -> None:
    clients = {"pymodbus async": pymodbus_async, "pymodbus sync": pymodbus_sync, "minimalmodbus": minimal}
    for name, client in clients.items():
        run = asked(baud, client(baud))
        note = f"cuts {run.cut_short:.0%} of the silences short, shortest {run.shortest_s * 1000:.2f} ms"
        sheet.tells(f"FC02 by {name} ÷ the wire, {baud} baud", run.ratio, "×", note)
