"""The configuration files of the whole product on one machine: broker, locker."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from hw_sim.layout import CompartmentPlan, Layout

CENTRAL_USER: Final = "_central"  # no locker can have it: locker ids hold no underscore
MOSQUITTO: Final = """\
listener {port} {host}
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/access
persistence false
max_inflight_messages 100
max_queued_messages 10000
set_tcp_nodelay true
log_dest stderr
user root
"""
# In mosquitto a `topic` line above the first `user` line is for anonymous clients only; a pattern
# without %u is what reaches every user.
ACCESS: Final = f"""\
pattern write doclocker/v1/%u/up/#
pattern read doclocker/v1/%u/dn/#
pattern read doclocker/v1/_central/link

user {CENTRAL_USER}
topic read doclocker/v1/+/up/#
topic write doclocker/v1/+/dn/#
topic readwrite doclocker/v1/_central/link
"""
SIGN_IN_FILE: Final = "broker-password"
LOCKER_TOML: Final = """\
[locker]
id = "{locker}"
area = "{area}"
place = "软件园 1 号柜 · Software park"
help_line = "12345"
state_dir = "state"
keys_dir = "keys"

[kiosk]
port = {kiosk}
scanner = "screen"

[mqtt]
host = "{host}"
port = {broker}
user = "{locker}"
password_file = "{sign_in_file}"
# Alone on this machine: no fleet has to be kept from coming back all at once.
loss_delay_max_s = 2

[scanner]
port = "{scanner}"
"""
ANCHOR_TOML: Final = """
[anchor]
file = "../eeprom"
"""
BENCH_TOML: Final = """\
[locker]
id = "{locker}"
area = "{area}"
place = "bench"
state_dir = "state"
keys_dir = "keys"

[kiosk]
port = {kiosk}

[mqtt]
host = "{host}"
port = {broker}
"""
"""Of a locker that only ever stands by itself."""
BRIDGE: Final = """
[bridge]
# Of a board on this cabinet not every fact is known.
accept_experimental = true
"""
LEARNED: Final = 'learned = "{learned}"\n'
LINE: Final = """
[lines.{name}]
url = "{url}"
baud = {baud}
"""
PULSE_CAP_MS: Final = 500
"""What the product lets a lock bear where nothing is said of it."""
REACHES: Final = ("high", "middle", "middle", "low")
"""From the top row to the bottom one."""


@dataclass(slots=True)
class Wiring:
    """What a locker is told of its lines, boards and doors; who plants a mistake changes it in place."""

    lines: dict[str, dict[str, Any]]
    boards: dict[str, str]
    doors: dict[int, dict[str, Any]]
    bridge: str = ""
    """What comes before them."""

    @classmethod
    def of(cls, layout: Layout, urls: Mapping[str, str], bauds: Mapping[str, int]) -> Self:
        """As it is. `urls` and `bauds` are by line, as the running cabinet announces and uses them."""
        return cls(
            {name: {"url": urls[name], "baud": bauds[name]} for name in layout.lines},
            {f"{board.line}/{board.address}": board.profile for board in layout.boards},
            {plan.number: _door(layout, plan) for plan in layout.compartments},
            BRIDGE if any(board.kind.experimental for board in layout.boards) else "",
        )

    def toml(self) -> str:
        lines = [LINE.format(name=name, **line) for name, line in self.lines.items()]
        boards = [f'"{place}" = "{profile}"\n' for place, profile in self.boards.items()]
        doors = [_rows({"number": number, **door}) for number, door in self.doors.items()]
        return "".join([self.bridge, *lines, "\n[boards]\n", *boards, *doors])


def wiring(layout: Layout, urls: Mapping[str, str], bauds: Mapping[str, int]) -> str:
    """The same as text, unchanged."""
    return Wiring.of(layout, urls, bauds).toml()


def _rows(door: Mapping[str, Any]) -> str:
    return "\n[[compartments]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in door.items())


def _door(layout: Layout, plan: CompartmentPlan) -> dict[str, Any]:
    rows = max(plan.row for plan in layout.compartments)
    door = {
        "size": plan.size,
        "reach": REACHES[(plan.row - 1) * len(REACHES) // rows],
        "row": plan.row - 1,
        "column": plan.column - 1,
        "lock": str(plan.lock),
        "sensor": str(plan.door),
        "door_closed_level": int(layout.board(plan.door).closed_level),
    }
    if plan.item is not None:
        door["item"] = str(plan.item)
    longest_ms = layout.board(plan.lock).kind.longest_pulse_ms
    if longest_ms > PULSE_CAP_MS:
        door["pulse_cap_ms"] = longest_ms
    return door
