"""A machine of its own under an emulator: its console, its screen, its touch panel, what is plugged in."""

import json
import os
import re
import select
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

PROMPT: Final = rb"root@[\w-]+:~# "
ABSOLUTE: Final = 0x7FFF
"""The touch panel's own measure of width and height."""
ENDS_S: Final = 180.0
SEEN_EACH: Final = 7
"""Of so many pixels one is looked at."""
COLOURS_MIN: Final = 32
"""Smooth characters have more; a console and a pointer have fewer."""


class MachineError(Exception):
    """It did not do what was asked of it; with what it said last."""


class Machine:
    """Started at once; `boot` waits until somebody can type. ``disk`` is written to. ``more``: words of the
    emulator."""

    def __init__(self, folder: Path, disk: Path, payload: Path, boot: Path, more: Sequence[str] = ()) -> None:
        self._folder, self._asked, self._heard = folder, 0, b""
        folder.mkdir(parents=True, exist_ok=True)
        self._transcript = (folder / "console.log").open("ab", buffering=0)
        medium = folder / "medium.ext4"
        if not medium.exists():
            subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "DOCLOCKER", str(medium), "64M"], check=True)
        kernel, initrd = next(boot.glob("vmlinuz-*")), next(boot.glob("initrd.img-*"))
        log = (folder / "emulator.log").open("wb")
        with log:
            self._process = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-no-reboot"),
                    *(*_engine(), "-m", "2048", "-smp", "2"),
                    *("-kernel", str(kernel), "-initrd", str(initrd)),
                    *("-append", "root=/dev/vda rw console=ttyS0 quiet systemd.show_status=0"),
                    *("-drive", f"file={disk},format=qcow2,if=virtio,cache=unsafe,discard=unmap"),
                    *("-drive", f"file={payload},format=raw,if=virtio,readonly=on"),
                    *("-drive", f"file={medium},format=raw,if=virtio,cache=unsafe"),
                    *("-display", "none", "-device", "virtio-vga,xres=1280,yres=800"),
                    *("-device", "qemu-xhci,id=usb", "-device", "usb-tablet,bus=usb.0"),
                    *("-device", "i6300esb", "-action", "watchdog=none"),
                    *("-chardev", f"socket,id=console,path={folder}/console,server=on,wait=off"),
                    *("-serial", "chardev:console", "-qmp", f"unix:{folder}/monitor,server=on,wait=off"),
                    *more,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._console = self._connected(folder / "console")

    def _connected(self, path: Path) -> socket.socket:
        until = time.monotonic() + 30
        while True:
            found = socket.socket(socket.AF_UNIX)
            try:
                found.connect(str(path))
            except OSError as error:
                found.close()
                if self._process.poll() is not None or time.monotonic() > until:
                    raise MachineError((self._folder / "emulator.log").read_text()) from error
                time.sleep(0.1)  # noqa: TID251  # another process
            else:
                return found

    def boot(self, patience_s: float = 900) -> float:
        """Seconds until somebody can type."""
        began = time.monotonic()
        self._until(PROMPT, patience_s)
        took = time.monotonic() - began
        self.does("stty -echo; PS1=; PS2=; TERM=dumb; bind 'set enable-bracketed-paste off' 2>/dev/null")
        return took

    def tries(self, command: str, patience_s: float = 900) -> tuple[int, str]:
        """Exit code and output of a shell's line, as root."""
        self._asked += 1
        mark = f"end-{self._asked}:"
        # The quotes keep the echo of the line itself from looking like its end.
        self._console.sendall(f"{{ {command}\n}}; echo \"\"{mark[:3]}''{mark[3:]}$?.\n".encode())
        said, found = self._until(mark.encode() + rb"(\d+)\.", patience_s)
        return int(found[1]), said.decode(errors="replace").replace("\r", "").strip()

    def does(self, command: str, patience_s: float = 900) -> str:
        """As `tries`. Raises MachineError where it fails."""
        code, said = self.tries(command, patience_s)
        if code:
            raise MachineError(f"{command}: ended with {code}:\n{said}")
        return said

    def _until(self, pattern: bytes, patience_s: float) -> tuple[bytes, re.Match[bytes]]:
        until = time.monotonic() + patience_s
        while (found := re.search(pattern, self._heard)) is None:
            left = until - time.monotonic()
            more = b""
            if left > 0 and select.select([self._console], [], [], left)[0]:
                more = self._console.recv(65536)
            if not more:
                raise MachineError(self._heard[-3000:].decode(errors="replace"))
            self._heard += more
            self._transcript.write(more)
        said, self._heard = self._heard[: found.start()], self._heard[found.end() :]
        return said, found

    def plug(self, driver: str, name: str, **more: str) -> None:
        """Into USB."""
        self._monitor("device_add", {"driver": driver, "bus": "usb.0", "id": name, **more})

    def pull(self, name: str) -> None:
        """Out of USB."""
        self._monitor("device_del", {"id": name})

    def keep(self, disk: Path) -> None:
        """Its disk stays as it is now, and it goes on upon ``disk``."""
        self.does("sync")
        told = {"device": "virtio0", "snapshot-file": str(disk), "format": "qcow2"}
        self._monitor("blockdev-snapshot-sync", told)

    def screen(self, path: Path) -> None:
        """What is on its screen, as a PNG."""
        self._monitor("screendump", {"filename": str(path), "format": "png"})

    def is_lit(self) -> bool:
        """Whether a page is drawn on most of its screen: consoles and small windows leave it black."""
        path = self._folder / "screen.ppm"
        self._monitor("screendump", {"filename": str(path)})
        pixels = path.read_bytes().split(b"\n", 3)[3]
        colours = Counter(pixels[at : at + 3] for at in range(0, len(pixels), 3 * SEEN_EACH))
        return len(colours) > COLOURS_MIN and colours[bytes(3)] < colours.total() / 4

    def tap(self, across: float, down: float) -> None:
        """A finger, at shares of width and height."""
        where = [
            {"type": "abs", "data": {"axis": axis, "value": int(share * ABSOLUTE)}}
            for axis, share in (("x", across), ("y", down))
        ]
        self._monitor("input-send-event", {"events": where})
        for down_now in (True, False):
            press = {"type": "btn", "data": {"down": down_now, "button": "left"}}
            self._monitor("input-send-event", {"events": [press]})
            time.sleep(0.2)  # noqa: TID251  # a finger's time

    def keys(self, *names: str) -> None:
        """All at once, on whatever keyboard there is."""
        keys = [{"type": "qcode", "data": name} for name in names]
        self._monitor("send-key", {"keys": keys, "hold-time": 200})

    def _monitor(self, execute: str, arguments: Mapping[str, Any]) -> None:
        with socket.socket(socket.AF_UNIX) as asked:
            asked.connect(str(self._folder / "monitor"))
            with asked.makefile("rw") as lines:
                lines.readline()
                for question in (
                    {"execute": "qmp_capabilities"},
                    {"execute": execute, "arguments": arguments},
                ):
                    lines.write(json.dumps(question) + "\n")
                    lines.flush()
                    answer: dict[str, Any] = {}
                    while "return" not in answer and "error" not in answer:
                        answer = json.loads(lines.readline())
                    if "error" in answer:
                        raise MachineError(f"{execute}: {answer['error']}")

    def power_off(self) -> None:
        """An orderly end. Raises MachineError where it does not come to one."""
        self._console.sendall(b"systemctl poweroff\n")
        self._ends()

    def hang(self) -> None:
        """Its kernel stops; returns once its watchdog has reset it, which ends the emulator. Raises
        MachineError where nothing does. (Until then its watchdog may bark: an emulator on a busy machine
        stands still for longer than any board. After a bark this kind is off until it is armed anew.)"""
        self._monitor("set-action", {"watchdog": "reset"})
        self.does("systemctl daemon-reexec")
        self._console.sendall(b"echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger\n")
        self._ends()

    def _ends(self) -> None:
        try:
            self._process.wait(ENDS_S)
        except subprocess.TimeoutExpired as error:
            raise MachineError(f"it did not end within {ENDS_S:.0f} s") from error
        finally:
            self.close()

    def close(self) -> None:
        """The plug is pulled."""
        self._console.close()
        self._process.kill()
        self._process.wait()
        self._transcript.close()


def has_kvm() -> bool:
    """Whether this machine's processor can run another; a machine in a machine mostly cannot."""
    flags = Path("/proc/cpuinfo").read_text().split()
    return ("vmx" in flags or "svm" in flags) and os.access("/dev/kvm", os.R_OK | os.W_OK)


def _engine() -> Sequence[str]:
    return ("-accel", "kvm", "-cpu", "host") if has_kvm() else ("-accel", "tcg,thread=multi", "-cpu", "max")
