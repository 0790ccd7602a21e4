"""A hub with an authority, and a locker's folder beside it; what passes between them is bytes."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from locker.ctl import provision_steps as steps
from locker.ctl.provision_files import Shelf
from locker.ctl.provision_hub import CannotProvision, Waiting
from locker.ctl.provision_steps import Pending, Place
from sync import certificates, seal
from sync.central.access.commands import MACHINE
from sync.central.authority import claims, register
from sync.central.authority import root as roots
from sync.central.authority.issuing import new_authority
from sync.central.authority.register import NotProvisioned
from sync.central.authority.settings import Bureau
from sync.wire import provision
from tests.sync.central.conftest import Parts

HUB_URL = "https://hub.example:8443"
PLAN = """\
[lines.A]
url = "/dev/null"

[boards]
"A/1" = "waveshare-d8"

[[compartments]]
number = 1
size = "S"
lock = "A/1/1"
sensor = "A/1/1"
"""


@dataclass
class Centre:
    """The hub's side, and the port `Hub` of the locker's."""

    parts: Parts
    bureau: Bureau
    locked: bool = False
    """Whether nobody is there to give the passphrase."""
    lost: int = 0
    """Answers that do not reach the locker."""
    away: bool = False
    posted: list[bytes] = field(default_factory=list)

    @classmethod
    def at(cls, parts: Parts, folder: Path) -> "Centre":
        place = roots.Place(folder / "authority")
        place.make(new_authority("Test", parts.clock.wall_ms()), "")
        return cls(parts, Bureau(place, HUB_URL, "broker.example", 8883))

    def claim(self, locker: str = "loc-1", plan: str = PLAN, hours: int = 72) -> provision.Claim:
        secret = self.parts.store.write_now(
            lambda c: claims.make(c, self.parts.desk, MACHINE, locker, "park", plan=plan, hours=hours)
        )
        return provision.Claim(locker, HUB_URL, secret, self.trust()[0])

    def trust(self) -> tuple[provision.Trust, int]:
        if self.away:
            raise CannotProvision("away")
        desk = self.parts.desk
        return provision.Trust(self.bureau.place.root(), desk.keys.sign.public.hex()), desk.clock.wall_ms()

    def introductions(self) -> tuple[bytes, ...]:
        return tuple(former.introduction for former in self.parts.desk.keys.former)

    def post(self, path: str, frame: bytes) -> bytes:
        self.posted.append(frame)
        authority = None if self.locked else self.bureau.place.open()
        desk = self.parts.desk

        def work(connection: Connection) -> bytes | None:
            if path == provision.CLAIM_PATH:
                return claims.take(connection, desk, self.bureau, authority, frame)
            pem = register.renew(connection, authority, frame, desk.clock.wall_ms())
            return pem and seal.frame(desk.keys.sign, json.dumps({"certificate": pem}).encode())  # type: ignore[return-value]  # "" is none of them

        try:
            answer = self.parts.store.write_now(work)
        except NotProvisioned as refused:
            raise CannotProvision(refused.reason.value) from refused
        if answer is None:
            raise Waiting("later")
        if self.lost:
            self.lost -= 1
            raise CannotProvision("the answer was lost")
        return answer

    def certificates(self, locker: str = "loc-1") -> list[str]:
        """Serials that are good now, the newest first."""
        now_ms = self.parts.clock.wall_ms()
        return [row.serial for row in self.parts.store.read_now(lambda c: register.valid(c, locker, now_ms))]


@dataclass
class Machine:
    """One locker's files."""

    folder: Path

    @property
    def place(self) -> Place:
        return Place(self.folder / "locker.toml", Shelf(self.folder / "keys"))

    def ask(self, centre: Centre, claim: provision.Claim) -> Pending:
        """As `lockerctl provision` does it."""
        pending = steps.prepare(self.place, claim, os.urandom)
        frame = centre.post(provision.CLAIM_PATH, steps.request(pending, claim))
        steps.take(self.place, pending, frame)
        return pending

    def files(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.folder)): path.read_text()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    @property
    def worn(self) -> certificates.Facts:
        return certificates.read((self.folder / "keys" / "link.pem").read_text())
