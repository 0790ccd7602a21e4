"""The units as systemd itself reads them, and how much of the machine each could reach."""

import json
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from locker import platform
from systemd.installer import plan

UNITS: Final = Path(__file__).parents[2] / "systemd"
EXPOSED_MOST: Final = {
    "locker/lockerd.service": 2.0,
    "updater/doclocker-trial.service": 4.5,
    "locker/locker-verify.service": 2.0,
    "locker/locker-check.service": 2.0,
    "locker/locker-clock.service": 2.0,
    "locker/locker-rehearse.service": 2.0,
    "locker/locker-renew.service": 2.0,
    "locker/locker-backup.service": 2.0,
    "locker/locker-fetch.service": 2.0,
    "locker/locker-kiosk.service": 4.5,
    "locker/locker-screen.service": 2.0,
    "hub/locker-central.service": 2.0,
    "hub/locker-revoked.service": 2.0,
    "hub/locker-certificates.service": 2.0,
    "hub/locker-central-renew.service": 2.0,
}
NOT_HERE: Final = re.compile(
    r"is not executable: No such file|Unknown key '(RestartSteps|RestartMaxDelaySec)'"
)
"""What is installed elsewhere; what came with systemd 254, and is passed over before."""


def _analyze(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *argv], capture_output=True, text=True, check=False)


def test_each_unit_is_listed_and_understood() -> None:
    units = (
        sorted(UNITS.glob("*/*.service"))
        + sorted(UNITS.glob("*/*.timer"))
        + sorted(UNITS.glob("*/*.mount"))
        + sorted(UNITS.glob("*/*.path"))
    )
    assert {str(unit.relative_to(UNITS)) for unit in units if unit.suffix == ".service"} == set(EXPOSED_MOST)
    said = _analyze("verify", "--man=no", *map(str, units)).stderr.splitlines()
    ours = [line for line in said if any(unit.name in line for unit in units)]
    assert [line for line in ours if not NOT_HERE.search(line)] == []


@pytest.mark.parametrize("unit", EXPOSED_MOST)
def test_how_much_it_could_reach(unit: str) -> None:
    said = _analyze("security", "--offline=true", "--no-pager", str(UNITS / unit)).stdout
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert found, said
    print(f"{unit}: exposure {found[1]}, at most {EXPOSED_MOST[unit]}")
    assert float(found[1]) <= EXPOSED_MOST[unit]


def test_the_browser_goes_nowhere_but_to_the_page() -> None:
    policy = json.loads((UNITS / "locker/chromium.json").read_text())
    unit = (UNITS / "locker/locker-kiosk.service").read_text()
    page = re.search(r"http://\S+?(?=/\s*$)", unit, re.MULTILINE)
    assert page
    assert policy["URLAllowlist"] == [page[0]]
    assert policy["URLBlocklist"] == ["*"]
    assert {policy["HomepageLocation"], policy["NewTabPageLocation"]} == {f"{page[0]}/"}
    assert "--no-sandbox" not in unit


def test_the_screens_session_stays_in_its_unit() -> None:
    """One of logind's is moved into a control group of its own, out of reach of the unit's limits."""
    unit = (UNITS / "locker/locker-kiosk.service").read_text()
    assert "PAMName" not in unit
    assert {"Environment=LIBSEAT_BACKEND=seatd", "IPAddressDeny=any", "DevicePolicy=closed"} <= set(
        unit.splitlines()
    )
    assert "seatd" in plan.needed("locker")


def test_a_wish_for_a_fresh_session_is_seen_and_granted() -> None:
    """Four files have to say the same: daemon, its unit, the watch over the wish, and what grants it."""
    daemon, kiosk, path, service = (
        (UNITS / f"locker/{name}").read_text().splitlines()
        for name in ("lockerd.service", "locker-kiosk.service", "locker-screen.path", "locker-screen.service")
    )
    wish = f"/run/doclocker/{platform.SCREEN_DEAD}"
    assert "RuntimeDirectory=doclocker" in daemon
    assert f"PathExists={wish}" in path
    granted = [line for line in service if line.startswith("ExecStart=")]
    assert granted == [
        f"ExecStart=/usr/bin/rm -f {wish}",  # first, or it would be granted again and again
        "ExecStart=/usr/bin/systemctl try-restart locker-kiosk.service",
    ]
    assert f"WantedBy={platform.SCREEN_ENABLED.parent.name.removesuffix('.wants')}" in kiosk
    assert "locker-screen.path" in plan._UNITS_OF["locker"]
    stop_s = next(line for line in kiosk if line.startswith("TimeoutStopSec="))
    assert int(stop_s.partition("=")[2]) <= 10
