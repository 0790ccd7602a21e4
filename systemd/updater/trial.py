"""What lasts of an update that is under way, and what came of the last one.

A release is on trial while `FILE` is there: not yet switched to while ``current`` points at the old one,
tried since it points at the new one. `Trial.goes_back` is written before the first step back, so that whoever
comes next, after whatever happened, takes the rest of them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final

from systemd.updater.disk import Disk, drop, folder_of, put
from systemd.updater.errors import BadRecord

FOLDER: Final = "/var/lib/doclocker-update"
FILE: Final = f"{FOLDER}/trial.json"
RESULT: Final = f"{FOLDER}/result.json"
TOLD_MAX: Final = 500


class Back(StrEnum):
    """How the old release comes to run again."""

    NO = ""
    PLAIN = "plain"
    """It can read the journal as it is now: nothing but the link goes back."""
    COPY = "copy"
    """Its schema was changed, and nobody has used it since: the copy of before comes back."""


class Outcome(StrEnum):
    """How a trial ends."""

    DONE = "done"
    BACK = "back"
    NOT_BEGUN = "not begun"
    STAYS = "stays"
    """It is not well, and there is no way back that loses nothing: a person must look."""


@dataclass(frozen=True, slots=True)
class Trial:
    """``config``, ``journal``: paths, the latter empty for a hub; ``seq``, ``schema``: its last entry and its
    schema before the switch; ``is_readable_back``: of a hub, whether both know the same schema of its
    store; ``unwell``: what the doctor found bad before; ``keys``: whom to trust once it is over."""

    role: str
    old: str
    new: str
    config: str
    journal: str = ""
    seq: int = 0
    schema: int = 0
    is_readable_back: bool = True
    starts: int = 0
    unwell: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    goes_back: Back = Back.NO
    why: str = ""

    def started(self) -> "Trial":
        """Once more."""
        return replace(self, starts=self.starts + 1)


def load(disk: Disk) -> Trial | None:
    """``None`` while nothing is on trial. Raises BadRecord."""
    content = disk.read(FILE)
    if content is None:
        return None
    try:
        said = json.loads(content)
        lists = {"unwell": tuple(said.pop("unwell")), "keys": tuple(said.pop("keys"))}
        return Trial(**{**said, **lists, "goes_back": Back(said["goes_back"])})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadRecord(FILE, str(error)) from error


def keep(disk: Disk, trial: Trial) -> None:
    put(disk, FILE, json.dumps(asdict(trial), indent=1).encode() + b"\n", 0o600)


def end(disk: Disk, trial: Trial, outcome: Outcome, why: str, wall_s: int) -> None:
    """Told first, then over: cut in between, it ends again."""
    said = {"when_s": wall_s, "old": trial.old, "new": trial.new, "outcome": outcome, "why": why}
    put(disk, RESULT, json.dumps(said, indent=1).encode() + b"\n")
    if trial.journal:
        _tell(disk, folder_of(trial.journal), said, is_well=outcome in (Outcome.DONE, Outcome.NOT_BEGUN))
    drop(disk, FILE)


def _tell(disk: Disk, state: str, said: Mapping[str, Any], *, is_well: bool) -> None:
    """Where the daemon sees what went wrong on its machine, and tells the centre."""
    told = f"{said['old']} → {said['new']}: {said['outcome']}" + (f", {said['why']}" if said["why"] else "")
    result = {"when_ms": said["when_s"] * 1000, "ok": is_well, "told": told[:TOLD_MAX]}
    if "results" in disk.names(state):  # the daemon's own folder, which it must be able to write to
        put(disk, f"{state}/results/update.json", json.dumps(result).encode() + b"\n")
