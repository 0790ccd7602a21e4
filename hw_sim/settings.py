"""The configuration files of the whole product on one machine: broker, locker."""

from typing import Final

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

[lines.A]
url = "{line}"
baud = 9600

[boards]
"A/1" = "waveshare-32"
"A/2" = "inputs-32"
"""
COMPARTMENT: Final = """
[[compartments]]
number = {n}
size = "{size}"
reach = "{reach}"
row = {row}
column = {column}
lock = "A/1/{n}"
sensor = "A/2/{n}"
item = "A/2/{item}"
"""
COMPARTMENTS: Final = 16
COLUMNS: Final = 4
REACHES: Final = ("high", "middle", "middle", "low")


def compartments() -> str:
    """Their tables, as the simulated cabinet of two boards is wired and drawn."""
    return "".join(map(_compartment, range(COMPARTMENTS)))


def _compartment(index: int) -> str:
    n = index + 1
    row, column = divmod(index, COLUMNS)
    size = "S" if row < 2 else "M" if n <= 14 else "L"  # noqa: PLR2004  # as the simulated cabinet is drawn
    return COMPARTMENT.format(n=n, size=size, reach=REACHES[row], row=row, column=column, item=16 + n)
