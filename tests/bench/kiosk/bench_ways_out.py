"""Whoever stands before the screen stays on its page: keys, pointer, and a page that somebody took over.

A real Chromium with the words of its unit and the managed policies, on a real X server (`xvfb`, `xdotool`).
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.bench.figures import Sheet
from tests.bench.kiosk.ways import KEYS, NOTICED, PAGES, POINTER

ROOT: Final = Path(__file__).parents[3]
WAYS_MIN: Final = 60
POLICIES: Final = "etc/chromium/policies/managed"
# A copy of this machine on top of it: nothing of it is changed, and 127.0.0.1:8080 is free there.
ENTER: Final = """
set -e
ip link set lo up
mount -t tmpfs none {folder}
mkdir {folder}/upper {folder}/spare {folder}/all
mount -t overlay none -o lowerdir=/,upperdir={folder}/upper,workdir={folder}/spare {folder}/all
for each in dev sys; do mount --rbind /$each {folder}/all/$each; done
mount -t proc none {folder}/all/proc
mkdir -p {folder}/all/{policies}
cp {root}/systemd/locker/chromium.json {folder}/all/{policies}/doclocker.json
exec chroot {folder}/all sh -c 'cd {root} && exec {python} -m tests.bench.kiosk.ways_out'
"""
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root lays policies where Chromium reads them"),
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool")),
        reason="needs xvfb and xdotool",
    ),
]


def test_no_way_leaves_the_page(tmp_path: Path, sheet: Sheet) -> None:
    script = ENTER.format(folder=tmp_path, root=ROOT, python=sys.executable, policies=POLICIES)
    words = ["setpriv", "--pdeathsig", "KILL", "unshare", "-mpfn", "--kill-child", "sh", "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    tried: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    for each in tried:
        print(f"{each['kind']}: {each['way']}: {_told(each)}")
    control, *ways = tried
    assert control["left"], "a browser that is no kiosk was not seen to be left"
    assert len(ways) == len(KEYS) + len(POINTER) + len(PAGES) >= WAYS_MIN
    left = [each["way"] for each in ways if each["left"] and each["way"] not in NOTICED]
    anew = sum(each["anew"] for each in ways)
    sheet.tells("ways out of the kiosk's page tried", len(ways), "", f"{anew} end the browser: started anew")
    sheet.at_most("of these leave it", len(left), "", 0)
    assert left == []


def _told(each: dict[str, Any]) -> str:
    return each["left"] or ("the browser ended, its unit starts it anew" if each["anew"] else "stays")
