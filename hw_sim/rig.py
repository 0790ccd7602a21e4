"""The running cabinet: a thread that serves the lines, and the same model for the panel, under one lock."""

import os
import select
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from hw_sim import hands
from hw_sim.cabinet import Cabinet, Move, Pulse
from hw_sim.chance import Chance
from hw_sim.clock import mono_s, to_ms
from hw_sim.faults import Faults, changed
from hw_sim.gateway import Gateway
from hw_sim.layout import MODBUS_TCP, PTY, RAW_TCP, Layout
from hw_sim.line import Line, Seen, Wire
from hw_sim.physics import Mechanics, Reading
from hw_sim.port import Port, Pty, Tcp
from hw_sim.records import Record

Tell = Callable[[str, Mapping[str, Any]], None]
"""(event name, row): called from the serving thread or whoever acts, with the lock held; must not wait."""

WAKE: Final = b"\0"
SCHEMES: Final[Mapping[str, str]] = MappingProxyType({RAW_TCP: "socket", MODBUS_TCP: "modbus-tcp"})


class NoSuchLineError(LookupError):
    """The cabinet has no line of that name."""


class Rig:
    """Everything of one cabinet that moves. Call `start`, then act; `stop` ends the thread and the ports.

    `wire` is the speed of lines of which the layout says nothing. OSError when a TCP port is taken.
    """

    def __init__(self, layout: Layout, folder: Path, wire: Wire, seed: int, mechanics: Mechanics) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.layout = layout
        self._wire = wire
        self._folder = folder
        self._noise = Chance(seed)
        self._ports = self._open_ports()
        self._pulses = Record(folder / "pulses.jsonl")
        self._moves = Record(folder / "moves.jsonl")
        self._frames = Record(folder / "frames.jsonl")
        self._listeners: list[Tell] = []
        self._lock = threading.Lock()
        self._cabinet = Cabinet(layout, self, mechanics)
        self._cabinet.advance(to_ms(mono_s()))
        self._lines = {name: self._line(name, seed) for name in layout.lines}
        self._ends = {name: self._end(name) for name in layout.lines}
        self._wake_read, self._wake_write = os.pipe()
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="wires")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake()
        self._thread.join()
        for port in self._ports.values():
            port.close()
        for record in (self._pulses, self._moves, self._frames):
            record.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def listen(self, tell: Tell) -> None:
        self._listeners.append(tell)

    @property
    def ports(self) -> Mapping[str, str]:
        """By line: the path or URL at which a driver opens it."""
        return {name: port.url for name, port in self._ports.items()}

    def wire(self, line: str) -> Wire:
        return self._lines[line].wire

    def act(self, number: int, act: str) -> dict[str, Any]:
        """One act of `hands` now; returns the door as it is afterwards."""
        with self._lock:
            hands.do(self._cabinet, number, act, to_ms(mono_s()))
            door = self._door(number)
        self._wake()
        return door

    def break_sensors(self, number: int, door: Reading | None, item: Reading | None) -> dict[str, Any]:
        with self._lock:
            hands.break_sensors(self._cabinet, number, to_ms(mono_s()), door=door, item=item)
            return self._door(number)

    def set_faults(self, wish: Mapping[str, Any], line: str | None) -> None:
        """Change the faults of one line or of all; BadFaultsError and NoSuchLineError change nothing."""
        with self._lock:
            if line is not None and line not in self._lines:
                raise NoSuchLineError(f"no line {line!r}; there are {', '.join(self._lines)}")
            fresh = {
                name: changed(wires.faults, wish)
                for name, wires in self._lines.items()
                if line in (None, name)
            }
            for name, faults in fresh.items():
                self._lines[name].faults = faults
            self._cabinet.advance(to_ms(mono_s()))
        self._wake()

    def clear_faults(self) -> None:
        with self._lock:
            for wires in self._lines.values():
                wires.faults = Faults()
            self._cabinet.advance(to_ms(mono_s()))
        self._wake()

    def faults(self) -> Mapping[str, Faults]:
        with self._lock:
            return {name: wires.faults for name, wires in self._lines.items()}

    def doors(self) -> list[dict[str, Any]]:
        with self._lock:
            self._cabinet.advance(to_ms(mono_s()))
            return [self._door(number) for number in self._cabinet.numbers]

    def latest(self, what: str) -> list[dict[str, Any]]:
        """The newest rows of "pulses", "moves" or "frames", oldest first."""
        records = {"pulses": self._pulses, "moves": self._moves, "frames": self._frames}
        with self._lock:
            return list(records[what].latest)

    # The cabinet's witness: called with the lock held.

    def pulse(self, pulse: Pulse) -> None:
        row = {
            "mono_s": pulse.order.at_ms / 1000,
            "line": pulse.line,
            "board": pulse.order.address,
            "channel": pulse.order.channel,
            "compartment": pulse.compartment,
            "pulse_ms": pulse.order.pulse_ms,
            "frame": pulse.order.frame.hex(" ").upper(),
        }
        self._tell("pulse", self._pulses.add(row))

    def move(self, move: Move) -> None:
        row = {
            "mono_s": move.at_ms / 1000,
            "compartment": move.compartment,
            "what": str(move.what),
            "cause": move.cause,
        }
        full = self._moves.add(row)
        self._tell("move", full | {"door": self._door(move.compartment)})

    def _tell(self, event: str, row: Mapping[str, Any]) -> None:
        for tell in self._listeners:
            tell(event, row)

    def _door(self, number: int) -> dict[str, Any]:
        thing, plan = self._cabinet.thing(number), self._cabinet.plan(number)
        return {
            "number": number,
            "open": thing.open,
            "item": thing.item,
            "jammed": thing.jammed,
            "held": thing.held,
            "coil_on": thing.coil_since_ms is not None,
            "opened_count": thing.opened_count,
            "door_sensor": thing.door_reading.value,
            "item_sensor": thing.item_reading.value if plan.item else None,
            "size": plan.size,
            "column": plan.column,
            "row": plan.row,
            "lock": str(plan.lock),
            "door": str(plan.door),
        }

    def _open_ports(self) -> dict[str, Port]:
        ports: dict[str, Port] = {}
        try:
            for name in self.layout.lines:
                plan = self.layout.wire(name)
                if plan.transport == PTY:
                    ports[name] = Pty(self._folder / f"line-{name}")
                else:
                    ports[name] = Tcp(SCHEMES[plan.transport], plan.port)
        except OSError:
            for port in ports.values():
                port.close()
            raise
        return ports

    def _end(self, name: str) -> Line | Gateway:
        """What a line's port leads to."""
        line = self._lines[name]
        return Gateway(line) if self.layout.wire(name).transport == MODBUS_TCP else line

    def _line(self, name: str, seed: int) -> Line:
        def seen(frame: Seen) -> None:
            row = {
                "mono_s": round(frame.at_s, 6),
                "line": name,
                "kind": frame.kind.value,
                "hex": frame.frame.hex(" ").upper(),
            }
            if frame.gap_s is not None:
                row["gap_ms"] = round(frame.gap_s * 1000, 3)
            self._tell("frame", self._frames.add(row))

        baud = self.layout.wire(name).baud
        wire = self._wire if baud is None else Wire(baud)
        faults = changed(Faults(), self.layout.faults.get(name, {}))
        return Line(self._cabinet.boards(name), wire, Chance(seed), seen, faults)

    def _wake(self) -> None:
        os.write(self._wake_write, WAKE)

    def _serve(self) -> None:
        # Edge-triggered: a pty whose other end is closed is "hung up" all the time, and would keep us awake.
        # The epoll sits inside a select because only select takes a time-out finer than a millisecond.
        with select.epoll() as edges:
            names = {port.fileno(): name for name, port in self._ports.items()}
            for number, name in names.items():
                how = select.EPOLLET if self._ports[name].edges else 0
                edges.register(number, select.EPOLLIN | how)
            while not self._stopping:
                ready, _, _ = select.select([edges.fileno(), self._wake_read], [], [], self._patience_s())
                if self._wake_read in ready:
                    os.read(self._wake_read, 4096)
                heard = [names[number] for number, _ in edges.poll(0)] if edges.fileno() in ready else []
                with self._lock:
                    self._step(heard)

    def _step(self, heard: list[str]) -> None:
        for name in heard:
            self._hear(name)
        now_s = mono_s()
        for name, end in self._ends.items():
            if octets := end.due(now_s):
                self._ports[name].write(self._at_its_speed(name, octets))
        self._cabinet.advance(to_ms(now_s))

    def _hear(self, name: str) -> None:
        """Read until there is nothing more: the edge comes only once."""
        while True:
            data = self._ports[name].read()
            if data is None:
                self._ends[name].forget()
            if not data:
                return
            now_s = mono_s()
            self._cabinet.advance(to_ms(now_s))
            self._ends[name].received(self._at_its_speed(name, data), now_s)

    def _at_its_speed(self, name: str, octets: bytes) -> bytes:
        """At another speed than the line's, nobody can read anything."""
        if self._ports[name].baud() in (None, self._lines[name].wire.baud):
            return octets
        return self._noise.octets("speed", len(octets))

    def _patience_s(self) -> float | None:
        with self._lock:
            moments = [moment for end in self._ends.values() if (moment := end.next_s()) is not None]
            own_ms = self._cabinet.next_ms()
        if own_ms is not None:
            moments.append(own_ms / 1000)
        return max(0.0, min(moments) - mono_s()) if moments else None
