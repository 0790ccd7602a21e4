"""A small file system of its own, which only root can make: to fill, to break, to count what is written."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

MIB: Final = 1 << 20
SECTOR: Final = 512
"""The kernel counts in these, whatever the device."""


def run(*words: str | Path) -> None:
    subprocess.run(list(map(str, words)), check=True, capture_output=True, timeout=60)


class Disk:
    """An ext4, mounted where the locker keeps its state."""

    def __init__(self, image: Path, at: Path, mib: int = 12) -> None:
        self._image, self.at = image, at
        with image.open("wb") as file:
            file.truncate(mib * MIB)
        run("mkfs.ext4", "-q", image)
        at.mkdir(parents=True)
        self.mount()

    def mount(self) -> None:
        run("mount", "-o", "loop,noatime", self._image, self.at)

    def mend(self) -> None:
        """As somebody who repairs it and puts it back.

        A copy of it: who took it into a namespace of mounts of its own meanwhile keeps it there, and the
        kernel would give the same image again as it is.
        """
        self.unmount()
        mended = self._image.with_name(f"{self._image.name}.mended")
        shutil.copyfile(self._image, mended)
        self._image = mended
        self.mount()

    def unmount(self) -> None:
        run("umount", self.at)

    def fill(self) -> None:
        """To the last byte."""
        with (self.at / "ballast").open("wb", buffering=0) as file:
            for size in (MIB, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue

    def free(self) -> None:
        (self.at / "ballast").unlink()

    def break_off(self) -> None:
        """Read-only under open files, as the kernel does it after an error."""
        run("mount", "-o", "remount,abort", self.at)

    def written(self) -> int:
        """Bytes that its device was given since it was mounted, those of the file system's own included."""
        run("sync", "--file-system", self.at)
        device = self.at.stat().st_dev
        stat = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat").read_text().split()
        return int(stat[6]) * SECTOR
