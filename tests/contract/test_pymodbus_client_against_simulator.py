"""A foreign Modbus client against our simulated boards over a real pty, neither written for the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pymodbus.client import ModbusSerialClient
from pymodbus.exceptions import ModbusIOException

from hw_sim.layout import LAYOUTS
from hw_sim.line import Wire
from hw_sim.physics import Mechanics
from hw_sim.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    running = Rig(LAYOUTS["two-board"], tmp_path, Wire(), 1, Mechanics())
    running.start()
    yield running
    running.stop()


@pytest.fixture
def client(rig: Rig) -> Iterator[ModbusSerialClient]:
    asking = ModbusSerialClient(rig.ports["A"], baudrate=9600, timeout=0.5, retries=0)
    assert asking.connect()
    yield asking
    asking.close()  # type: ignore[no-untyped-call]  # the library left it untyped


def test_inputs_are_read(rig: Rig, client: ModbusSerialClient) -> None:
    rig.act(5, "pry")
    rig.act(5, "put")
    reply = client.read_discrete_inputs(0, count=32, device_id=2)
    doors = [number != 5 for number in range(1, 17)]
    items = [number == 5 for number in range(1, 17)]
    assert not reply.isError()
    assert reply.bits[:32] == doors + items


def test_a_coil_is_switched_and_read_back(client: ModbusSerialClient) -> None:
    assert not client.write_coil(31, value=True, device_id=1).isError()
    assert client.read_coils(0, count=32, device_id=1).bits[:32] == [False] * 31 + [True]
    assert not client.write_coils(24, [True, False] * 4, device_id=1).isError()
    assert client.read_coils(24, count=8, device_id=1).bits[:8] == [True, False] * 4


def test_registers_are_read_and_written(client: ModbusSerialClient) -> None:
    assert client.read_holding_registers(0x8000, count=1, device_id=1).registers == [200]
    assert client.read_holding_registers(0x1000, count=32, device_id=1).registers == [0] * 32
    assert not client.write_register(0x1001, 3, device_id=1).isError()
    assert not client.write_registers(0x1002, [1, 2], device_id=1).isError()
    assert client.read_holding_registers(0x1000, count=4, device_id=1).registers == [0, 3, 1, 2]


@pytest.mark.parametrize(("address", "board", "code"), [(32, 1, 2), (0, 2, 1)])
def test_refusals_come_as_exceptions(client: ModbusSerialClient, address: int, board: int, code: int) -> None:
    reply = client.write_coil(address, value=True, device_id=board)
    assert reply.isError()
    assert reply.exception_code == code


def test_nobody_answers_for_an_absent_board(client: ModbusSerialClient) -> None:
    with pytest.raises(ModbusIOException):
        client.read_coils(0, count=8, device_id=9)
    assert not client.read_coils(0, count=8, device_id=1).isError()
