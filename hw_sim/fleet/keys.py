"""Keys of a fleet: made here, enrolled at the hub, read back with what the hub answered."""

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hw_sim.chance import Chance
from hw_sim.fleet.frames import Signer, Trusted
from hw_sim.fleet.visits import Keys

LOCKERS: Final = "lockers.csv"
"""For `locker-central enrol-many`: locker,area,public."""
PASSWORDS: Final = "passwords"
"""NAME:PASSWORD in plain text, for `mosquitto_passwd -U`."""
SECRETS: Final = "secrets.json"
CENTRE: Final = "centre"
"""The folder of the hub's answers, one LOCKER.json each."""
AREA: Final = "fleet"
ROUND: Final = 200
"""So many lockers has one helper: more the hub does not take in one call."""


class NoKeysError(Exception):
    """The text says what is missing, and how it is made."""


@dataclass(frozen=True, slots=True)
class Member:
    """One locker that may take part."""

    keys: Keys
    trusted: Trusted
    password: str


def make(folder: Path, lockers: int, seed: int) -> None:
    """Raises OSError where the folder cannot be made, or is there."""
    folder.mkdir(parents=True)
    (folder / CENTRE).mkdir()
    chance = Chance(seed)
    secrets = {
        f"fleet-{number:04}": {
            "seed": chance.octets("seed", 32).hex(),
            "password": chance.octets("password", 16).hex(),
        }
        for number in range(1, lockers + 1)
    }
    with (folder / LOCKERS).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("locker", "area", "public"))
        for name, own in secrets.items():
            rows.writerow((name, AREA, Signer.of(bytes.fromhex(own["seed"])).public.hex()))
    _write(folder / PASSWORDS, "".join(f"{name}:{own['password']}\n" for name, own in secrets.items()))
    _write(folder / SECRETS, json.dumps(secrets, indent=1) + "\n")


def load(folder: Path, lockers: int) -> list[Member]:
    """The first so many. Raises NoKeysError."""
    try:
        secrets = json.loads((folder / SECRETS).read_text(encoding="utf-8"))
    except OSError as error:
        raise NoKeysError(f"{error}; `hw-sim fleet --make-keys --keys {folder}` makes them") from error
    if len(secrets) < lockers:
        raise NoKeysError(f"{folder} has keys of {len(secrets)} lockers, not of {lockers}")
    return [
        _member(folder, name, own, f"{AREA}-helper-{number // ROUND + 1}")
        for number, (name, own) in enumerate(sorted(secrets.items())[:lockers])
    ]


def _member(folder: Path, name: str, own: dict[str, str], helper: str) -> Member:
    path = folder / CENTRE / f"{name}.json"
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        orders = f"`locker-central enrol-many {folder / LOCKERS} --out {folder / CENTRE}`"
        raise NoKeysError(f"{error}; {orders} makes it") from error
    keys = Keys(
        name,
        Signer.of(bytes.fromhex(own["seed"])),
        bytes.fromhex(known["code_key"]),
        bytes.fromhex(known["centre_seal"]["public"]),
        helper,
    )
    signers = Trusted.of(*(bytes.fromhex(key["public"]) for key in known["centre_sign"]))
    return Member(keys, signers, own["password"])


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
