"""Our driver against pymodbus' own server: another reading of the protocol than our toy boards'.

The server answers at once, which no wire does; so the bus runs on a clock that adds the wire's time.
"""

import asyncio
import struct
from collections.abc import AsyncIterator

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.datastore import ModbusServerContext
from pymodbus.framer import FramerType
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from firmware_bridge import boards
from firmware_bridge.bus import Bus, Send
from firmware_bridge.exchange import Timing
from firmware_bridge.happenings import BusEvent, InputsRead, PulseSettled
from firmware_bridge.request import Pulse, ReadDoors
from firmware_bridge.station import Standing, Station
from locker.domain.door import PulseOutcome, PulseResult
from locker.domain.ids import BoardId

A1 = BoardId("A/1")
OPEN_DOOR = 5


class FlashServed(ModbusPDU):
    """FC05 as the board's manual has it, for pymodbus' server."""

    function_code = 5
    rtu_frame_size = 8
    written: list[tuple[int, int]]

    def encode(self) -> bytes:
        return struct.pack(">HH", self.address, self.count)

    def decode(self, data: bytes) -> None:
        self.address, self.count = struct.unpack(">HH", data)

    async def datastore_update(self, context: ModbusServerContext, device_id: int) -> ModbusPDU:
        del context, device_id
        if self.address == 0x0203:
            return ExceptionResponse(5, ExcCodes.ILLEGAL_VALUE)
        self.written.append((self.address, self.count))
        return self


class Line:
    """The bus, the server's stream, and a clock on which a reply takes its time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.events: list[BusEvent] = []
        self.station = Station(A1, 1, boards.load("waveshare-d8"), ReadDoors(A1, 1, 8))
        self.timing = Timing(9600)
        self.bus = Bus(self.timing, [self.station], self.events.append)
        self.now = 50.0
        self._reader, self._writer = reader, writer
        self.bus.port_opened(self.now)

    async def run(self, for_s: float) -> None:
        end_s = self.now + for_s
        while self.now < end_s:
            step = self.bus.next(self.now)
            if not isinstance(step, Send):
                self.now = min(step.until_s, end_s)
                continue
            self._writer.write(step.data)
            reply = await asyncio.wait_for(self._reader.read(256), 5)
            self.now += self.timing.wire_s(len(step.data) + 4 + len(reply))
            self.bus.received(reply, self.now)

    async def pulse(self, channel: int) -> PulseResult:
        pulse = Pulse(A1, channel, 500, self.now + 3)
        self.bus.submit(pulse, self.now)
        await self.run(2)
        (settled,) = [each for each in self.events if isinstance(each, PulseSettled) and each.pulse is pulse]
        return settled.result


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    FlashServed.written = []
    bits = [SimData(0, values=[n == OPEN_DOOR for n in range(16)], datatype=DataType.BITS)]
    coils = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    registers = [
        SimData(0x1000, count=8, values=0, datatype=DataType.REGISTERS),
        SimData(0x8000, values=200, datatype=DataType.REGISTERS),
    ]
    device = SimDevice(1, simdata=(coils, bits, registers, registers))
    server = ModbusTcpServer(
        [device], framer=FramerType.RTU, address=("127.0.0.1", 0), custom_pdu=[FlashServed]
    )
    await server.serve_forever(background=True)
    assert isinstance(server.transport, asyncio.Server)
    reader, writer = await asyncio.open_connection(*server.transport.sockets[0].getsockname())
    yield Line(reader, writer)
    writer.close()
    await writer.wait_closed()
    await server.shutdown()  # type: ignore[no-untyped-call]  # the library left it untyped


async def test_it_starts_reads_and_pulses(line: Line) -> None:
    await line.run(2)
    assert line.station.standing is Standing.SERVING
    reads = [event for event in line.events if isinstance(event, InputsRead)]
    assert [event.levels for event in reads] == [tuple(n == OPEN_DOOR for n in range(8))] * len(reads)
    assert await line.pulse(1) == PulseResult(PulseOutcome.ACKNOWLEDGED)
    assert FlashServed.written == [(0xFF, 0), (0x200, 5)]


async def test_its_exception_is_a_refusal(line: Line) -> None:
    await line.run(2)
    assert await line.pulse(4) == PulseResult(PulseOutcome.REFUSED, "exception_3")
