"""The configuration files of the whole product on one machine: broker, locker."""

from collections.abc import Mapping
from typing import Final

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
BRIDGE: Final = """
[bridge]
# Of a board on this cabinet not every fact is known.
accept_experimental = true
"""
LINE: Final = """
[lines.{name}]
url = "{url}"
baud = {baud}
"""
COMPARTMENT: Final = """
[[compartments]]
number = {number}
size = "{size}"
reach = "{reach}"
row = {row}
column = {column}
lock = "{lock}"
sensor = "{sensor}"
"""
PULSE_USUAL_MS: Final = 500
PULSE_CAP_MS: Final = 1_000
REACHES: Final = ("high", "middle", "middle", "low")
"""From the top row to the bottom one."""


def wiring(layout: Layout, urls: Mapping[str, str], bauds: Mapping[str, int]) -> str:
    """What a locker's configuration says of its lines, boards and doors, for one simulated cabinet.

    `urls` and `bauds` are by line, as the running cabinet announces and uses them.
    """
    lines = [LINE.format(name=name, url=urls[name], baud=bauds[name]) for name in layout.lines]
    boards = [f'"{board.line}/{board.address}" = "{board.profile}"\n' for board in layout.boards]
    rows = max(plan.row for plan in layout.compartments)
    doors = [_compartment(layout, plan, rows) for plan in layout.compartments]
    bridge = BRIDGE if any(board.kind.experimental for board in layout.boards) else ""
    return "".join([bridge, *lines, "\n[boards]\n", *boards, *doors])


def _compartment(layout: Layout, plan: CompartmentPlan, rows: int) -> str:
    text = COMPARTMENT.format(
        number=plan.number,
        size=plan.size,
        reach=REACHES[(plan.row - 1) * len(REACHES) // rows],
        row=plan.row - 1,
        column=plan.column - 1,
        lock=plan.lock,
        sensor=plan.door,
    )
    if plan.item is not None:
        text += f'item = "{plan.item}"\n'
    if not layout.board(plan.door).closed_level:
        text += "door_closed_level = 0\n"
    if layout.board(plan.lock).kind.longest_pulse_ms > PULSE_USUAL_MS:
        text += f"pulse_cap_ms = {PULSE_CAP_MS}\n"
    return text
