"""What is looked at in the machine once it is a locker; each raises MachineError where it is not so."""

import re
from typing import Final

from systemd.installer import plan
from tests.vm.machine import has_kvm
from tests.vm.site import CTL, DISK, Site, must

EXPOSED_MOST: Final = {"lockerd": 2.0, "locker-kiosk": 4.5}
KIOSK: Final = "runuser -u doclocker-kiosk --"
OUT_OF_REACH: Final = (
    "ls /var/lib/doclocker",
    "ls /etc/doclocker/keys",
    "cat /etc/doclocker/locker.toml",
    "sh -c '</dev/doclocker/line-a'",
    "python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"/var/lib/doclocker/control.sock\")'",
)
NIGHTLY: Final = [unit for unit in plan._UNITS_OF["locker"] if unit.endswith(".timer")]
WATCHED: Final = {"20s", "2min"}
"""As the unit says it, and under an emulator."""
ENDED_BY_WATCHDOG_S: Final = 600.0


def ready_and_recorded(site: Site) -> str:
    """Ready by its own word, watched, in the log, and the log in memory."""
    unit = site.shows(
        "lockerd", "ActiveState", "NRestarts", "WatchdogUSec", "MainPID", "MemoryCurrent", "User"
    )
    must(
        unit["ActiveState"] == "active" and unit["NRestarts"] == "0",
        f"lockerd: {unit}\n{site.log('lockerd')}",
    )
    must(unit["WatchdogUSec"] in WATCHED, f"the watchdog: {unit['WatchdogUSec']}")
    must(site.log("lockerd"), "lockerd says nothing in the log")
    site.machine.does('test -d /run/log/journal && test -z "$(find /var/log/journal -type f -newer /proc/1)"')
    return f"{int(unit['MemoryCurrent']) / 2**20:.0f} MB"


def doctor_is_content(site: Site) -> str:
    code, said = site.machine.tries(f"{CTL} doctor")
    must(code == 0, f"lockerctl doctor: {code}\n{said}")
    return said.replace("\n", "; ")


def little_could_be_reached(site: Site) -> str:
    """By systemd's own reckoning, of the running units."""
    said = site.machine.does("systemd-analyze security --no-pager | cat")
    found = {
        unit: float(score) for unit, score in re.findall(r"^(\S+?)\.service\s+([0-9.]+)", said, re.MULTILINE)
    }
    for unit, most in EXPOSED_MOST.items():
        must(found[unit] <= most, f"{unit}: {found[unit]}, at most {most}")
    return ", ".join(f"{unit} {found[unit]}" for unit in EXPOSED_MOST)


def the_screens_user_reaches_nothing(site: Site) -> str:
    for command in OUT_OF_REACH:
        code, said = site.machine.tries(f"{KIOSK} {command}")
        must(code and ("ermission denied" in said or "No such file" in said), f"{command}: {code} {said}")
    return f"{len(OUT_OF_REACH)} tries"


def keyboards_get_no_driver(site: Site) -> None:
    before = site.machine.does("grep -c ^N: /proc/bus/input/devices")
    site.machine.plug("usb-kbd", "keyboard")
    site.machine.does("sleep 3; udevadm settle")
    after = site.machine.does("grep -c ^N: /proc/bus/input/devices")
    must(before == after, site.machine.does("cat /proc/bus/input/devices"))


def nights(site: Site) -> str:
    """What the timers start, started now with a second medium there; and that they are waiting."""
    site.machine.does("systemctl start mnt-doclocker.mount && mountpoint -q /mnt/doclocker")
    site.machine.does("chown doclocker: /mnt/doclocker && chmod 700 /mnt/doclocker")
    waiting = site.machine.does("systemctl list-timers --no-pager --plain --no-legend | cat")
    for timer in NIGHTLY:
        must(timer in waiting, f"{timer} does not wait:\n{waiting}")
        service = timer.replace(".timer", ".service")
        started = any(site.machine.tries(f"systemctl start {service}")[0] == 0 for _ in range(_tries()))
        must(started, f"{service}:\n{site.log(service)}")
    site.machine.does("test -s /mnt/doclocker/*/journal.sqlite3")
    return "; ".join(
        site.log(timer.replace(".timer", ".service"), 3).replace("\n", " | ") for timer in NIGHTLY
    )


def _tries() -> int:
    """An emulator that stood still answers late, which the boards' check calls a bad line."""
    return 1 if has_kvm() else 3


def killed_it_comes_back(site: Site) -> str:
    """``kill -9``, and hung: the service manager starts it anew."""
    return _ended(site, "KILL")


def hung_it_comes_back(site: Site) -> str:
    """Nobody feeds the watchdog any more."""
    said = _ended(site, "STOP")
    must(site.shows("lockerd", "Result")["Result"] in {"success", "watchdog"}, "the watchdog did not end it")
    return said


def _ended(site: Site, how: str) -> str:
    before = site.shows("lockerd", "NRestarts", "MainPID")
    site.machine.does(f"systemctl kill --kill-whom=main --signal={how} lockerd")

    def anew() -> bool:
        unit = site.shows("lockerd", "NRestarts", "MainPID", "ActiveState")
        return unit["ActiveState"] == "active" and unit["NRestarts"] > before["NRestarts"]

    site.eventually("it runs again", lambda: anew() or None, ENDED_BY_WATCHDOG_S)
    site.eventually("the page answers", lambda: site.page_answers() or None)
    site.eventually("every door is seen", lambda: site.doors_seen() or None)
    return site.log("lockerd", 1)


def nothing_failed(site: Site) -> None:
    failed = site.machine.does("systemctl list-units --failed --plain --no-legend --no-pager")
    must(not failed, f"failed units: {failed}")


def the_adapter_is_exchanged(site: Site) -> None:
    """Pulled out and put back in: the same name, and every door is seen again."""
    for name in site.plugs():
        site.machine.pull(name)
    site.eventually("the name goes", lambda: site.machine.tries("test -e /dev/doclocker/line-a")[0] or None)
    site.eventually("the locker notices", lambda: not site.doors_seen() or None)
    site.plug_in()


def the_machine_hangs(site: Site) -> None:
    """Its own watchdog resets it; started again it serves, and nobody has typed anything."""
    site.hang()
    site.boot(site.images / DISK, plugged=True)
    site.let_people_in()
    site.eventually("every door is seen", lambda: site.doors_seen() or None)
    site.machine.does("systemctl is-active lockerd locker-kiosk")


WHILE_IN_SERVICE: Final = {
    "ready, watched, recorded": ready_and_recorded,
    "lockerctl doctor": doctor_is_content,
    "kill -9": killed_it_comes_back,
    "it hangs": hung_it_comes_back,
}
AT_THE_END: Final = {
    "how much could be reached": little_could_be_reached,
    "what the screen's user can reach": the_screens_user_reaches_nothing,
    "a keyboard is plugged in": keyboards_get_no_driver,
    "the adapter is exchanged": the_adapter_is_exchanged,
    "what runs at night": nights,
    "no unit failed": nothing_failed,
}
