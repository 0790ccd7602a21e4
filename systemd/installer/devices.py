"""Which adapter is which, and whose keys are listened to: written for this site's serial numbers."""

import re
from collections.abc import Mapping
from typing import Final

from systemd.installer.errors import BadDevice

_SERIAL: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_NAME: Final = re.compile(r"[a-z0-9-]{1,16}")
_USB_ID: Final = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")


def rules(base: str, lines: Mapping[str, str], scanner: str, keyboards: str) -> str:
    """``base``, then a name for each line's adapter and the scanner by serial number, then all keyboards but
    ``keyboards`` (``VID:PID``, by blanks) shut out. Serial numbers: ``udevadm info -q property -n
    /dev/ttyUSB0 | grep ID_SERIAL_SHORT``."""
    said = [_named(serial, f"line-{_checked('line', name, _NAME)}") for name, serial in lines.items()]
    if scanner:
        said.append(_named(scanner, "scanner"))
    return base + "".join(said) + _keyboards(keyboards.split())


def _named(serial: str, name: str) -> str:
    serial = _checked("serial number", serial, _SERIAL)
    return f'SUBSYSTEM=="tty", ENV{{ID_SERIAL_SHORT}}=="{serial}", SYMLINK+="doclocker/{name}"\n'


def _keyboards(allowed: list[str]) -> str:
    """Whatever somebody plugs in gets no driver if it is a keyboard: class 03 (HID), protocol 01."""
    said = "\n# A keyboard at a public screen is somebody's way out of the page.\n"
    for each in allowed:
        maker, product = _checked("keyboard", each, _USB_ID).split(":")
        said += (
            f'SUBSYSTEM=="usb", ATTRS{{idVendor}}=="{maker}", ATTRS{{idProduct}}=="{product}", '
            'GOTO="doclocker_end"\n'
        )
    return said + (
        'ACTION=="add", SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_interface", ATTR{bInterfaceClass}=="03", '
        'ATTR{bInterfaceProtocol}=="01", ATTR{authorized}="0"\nLABEL="doclocker_end"\n'
    )


def _checked(what: str, given: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(given):
        raise BadDevice(what, given, f"wanted is {form.pattern}")
    return given
