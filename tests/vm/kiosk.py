"""The screen's session, looked at in the machine: what it draws, and what its unit holds it to."""

from functools import partial
from pathlib import Path
from typing import Final

from tests.vm.outside import SEEN_AS
from tests.vm.site import Site, must

UNIT: Final = "locker-kiosk"
USER: Final = "doclocker-kiosk"
GROUP: Final = f"/system.slice/{UNIT}.service"
DRAWN_S: Final = 1200.0
"""By a browser under an emulator; a board takes five seconds."""
_AS: Final = f"setpriv --reuid={USER} --regid={USER} --init-groups"
_IN_UNIT: Final = f"sh -c 'echo $$ >/sys/fs/cgroup{GROUP}/cgroup.procs && exec {_AS} \"$@\"' in-unit"
_CALL: Final = (
    "python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)'"
)
_OPEN: Final = "python3 -c 'import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK)'"


def draws(site: Site, pictures: Path) -> str:
    """The page, over the whole screen. The picture is for people to look at."""
    site.machine.does(f"systemctl start {UNIT}")
    try:
        site.eventually("a page is drawn", site.machine.is_lit, DRAWN_S)
        site.machine.does("sleep 60")  # fonts, pictures, the page's first words with the locker
    finally:
        site.machine.screen(pictures / "screen.png")
    unit = site.shows(UNIT, "ActiveState", "NRestarts", "MemoryCurrent")
    must(unit["ActiveState"] == "active" and unit["NRestarts"] == "0", f"{unit}\n{site.log(UNIT)}")
    return f"{int(unit['MemoryCurrent']) / 2**20:.0f} MB"


def all_of_it_is_in_the_unit(site: Site) -> str:
    """Whatever the user runs; and what draws the page is in a sandbox of the browser's own."""
    found = site.machine.does(f"for each in $(pgrep -u {USER}); do cat /proc/$each/cgroup; done").split()
    must(found and set(found) == {f"0::{GROUP}"}, f"elsewhere: {found}")
    drawing = site.machine.does(f"pgrep -u {USER} -f type=renderer").split()
    for process in drawing:
        said = site.machine.does(f"cat /proc/{process}/status; readlink /proc/{{1,{process}}}/ns/user")
        *status, first, own = said.splitlines()
        must("Seccomp:\t2" in status and first != own, f"no sandbox:\n{said}")
    must(drawing, "nothing draws")
    return f"{len(found)} processes, {len(drawing)} of them in a sandbox of the browser's own"


def it_reaches_the_page_alone(site: Site) -> str:
    """The same call, outside and inside of the unit; and a line that somebody would have given its group."""
    hub, line = f"{SEEN_AS} {site.ports.hub}", "/dev/doclocker/line-a"
    site.machine.does(f"{_AS} {_CALL} {hub}")
    site.machine.does(f"{_IN_UNIT} {_CALL} 127.0.0.1 8080")
    code, said = site.machine.tries(f"{_IN_UNIT} {_CALL} {hub}")
    must(code, f"the screen's session reaches {hub}")
    site.machine.does(f"chmod o+rw $(readlink -f {line}); {_AS} {_OPEN} {line}")
    shut, refused = site.machine.tries(f"{_IN_UNIT} {_OPEN} {line}")
    site.machine.does(f"chmod o-rw $(readlink -f {line})")
    must(shut and "not permitted" in refused, f"the screen's session opens {line}: {refused}")
    return f"{said.splitlines()[-1]}; {refused.splitlines()[-1]}"


def it_comes_back(site: Site) -> None:
    """Whether it ends itself, or who hands it the screen does."""
    for victim in ("cage", "seatd"):
        _is_replaced_after(site, f"pkill -9 -x {victim}")
        site.eventually("a page is drawn", site.machine.is_lit, DRAWN_S)


def it_hangs_and_is_replaced(site: Site) -> None:
    """Nothing ends: the page's own silence is noticed. While it is drawn anew, slowly, it is not watched."""
    site.machine.does(f"systemctl enable --quiet {UNIT}")
    _is_replaced_after(site, f"pkill -STOP -u {USER} -f type=renderer")
    site.machine.does(f"systemctl disable --quiet {UNIT}")
    site.eventually("a page is drawn", site.machine.is_lit, DRAWN_S)
    site.machine.does(f"systemctl enable --quiet {UNIT}")


def _is_replaced_after(site: Site, blow: str) -> None:
    before = site.shows(UNIT, "MainPID")["MainPID"]
    site.machine.does(blow)
    site.eventually("a fresh session", partial(_is_another, site, before), DRAWN_S)


def _is_another(site: Site, before: str) -> bool:
    """It fails for a moment where `seatd` has gone, and is started with the next one."""
    unit = site.shows(UNIT, "ActiveState", "MainPID")
    return unit["ActiveState"] == "active" and unit["MainPID"] not in {before, "0"}


OF_THE_SCREEN: Final = {
    "all of it is in its unit": all_of_it_is_in_the_unit,
    "it reaches the page alone": it_reaches_the_page_alone,
    "it ends, and comes back": it_comes_back,
    "it hangs, and is replaced": it_hangs_and_is_replaced,
}
