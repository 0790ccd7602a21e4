"""A journal with cases in it, interleaved, with signed heads and the centre's countersignatures."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from locker.domain import events as ev
from locker.domain.compartment import Size
from locker.domain.deposit import Kind, Proof
from locker.domain.door import Presence
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CompartmentNumber,
    DepositId,
    Epoch,
    GrantId,
    ItemId,
    LockerId,
    Seq,
    StaffId,
)
from locker.domain.opening import Purpose
from locker.journal import verify_evidence
from locker.journal.evidence import Signer, export
from locker.journal.journal import Journal
from locker.journal.reader import Reader
from locker.operations.ports import Decided
from sync import seal, wire
from tests.locker.journal.histories import Facts, configured, opened, told, unsynced

LOCKER = "loc-1"
EPOCH = "0" * 31 + "1"
OWN = seal.SigningKey.from_seed(b"\x01" * 32)
CENTRE = seal.SigningKey.from_seed(b"\x02" * 32)
STRANGER = seal.SigningKey.from_seed(b"\x03" * 32)
KEYS = {"lockers": {LOCKER: OWN.public.hex()}, "centre": [CENTRE.public.hex()]}
SIGNER = Signer(LOCKER, OWN.public, OWN.sign, seal.keyring(CENTRE.public))


def story(case: str, door: int = 3, name: str = "d-1") -> list[Facts]:
    """A submission that is handed in, broken into, and is taken in by a helper."""
    right, number, deposit = AuthorisationId(f"a-{case}"), CompartmentNumber(door), DepositId(name)
    grant, staff = GrantId(f"g-{name}"), StaffId("h-1")
    return [
        (
            ev.AuthorisationGranted(
                right, CaseNumber(case), "不动产登记 <b>", ("申请表",), (), Size.S, 0, 1 << 41, f"{door:03d}",
                "d" * 64, "e" * 64, name="王*明", phone="138****1234",
            ),
        ),
        (ev.CodeAccepted(f"authorisation/{right}", "typed"),),
        (ev.CompartmentReserved(deposit, number, Kind.SUBMISSION, CaseNumber(case), right, ItemId("")),),
        (ev.OpeningRequested(grant, number, Purpose.DROP_OFF, deposit, StaffId(""), 1),),
        (ev.PulseAcknowledged(grant),),
        (ev.DoorOpened(number, grant),),
        (ev.DoorClosed(number, grant, Presence.PRESENT),),
        (ev.SubmissionDeposited(deposit, number, Presence.PRESENT, 1),),
        (ev.DoorForced(number),),
        (ev.SubmissionTaken(deposit, staff, Proof.SENSED, "complete"),),
    ]  # fmt: skip


@dataclass
class Told:
    """``countersign`` and ``sign`` act on the journal while it is open."""

    journal: Journal

    async def say(self, *facts: ev.Event) -> None:
        await self.journal.commit("applicant", told(facts))

    async def noise(self, count: int) -> None:
        for _ in range(count):
            await self.say(ev.GuessesCounted("unknown_code", 1))

    async def sign(self, key: seal.SigningKey = OWN) -> None:
        def decide(_state: object) -> Decided[None]:
            seq, link = self.journal.state.seq, self.journal.head.hex()
            signature = key.sign(f"{EPOCH}:{seq}:{link}".encode()).hex()
            return Decided(None, (ev.HeadSigned(seq, link, key.id.hex(), signature),))

        await self.journal.commit("clock", decide)

    async def countersign(self) -> None:
        seq = self.journal.state.seq
        head = self.journal.head.hex()
        said = wire.DownAck(LOCKER, EPOCH, seq, head, gap=False, window=2, now=1_760_000_000_000)
        await self.journal.acknowledge(Seq(seq), seal.frame(CENTRE, wire.encode(said)))


async def tell(path: Path, *, countersigned: str = "all", cases: tuple[str, ...] = ("C-1", "C-2")) -> None:
    """``countersigned``: ``all``, ``half`` (the middle of the cases) or ``none``. Cases are interleaved."""
    async with opened(path) as journal:
        unsynced(journal)
        told_case = Told(journal)
        await told_case.say(ev.EpochStarted(Epoch(EPOCH), LockerId(LOCKER)), configured())
        await told_case.noise(5)
        stories = [story(case, door, f"d-{door}") for door, case in enumerate(cases, 3)]
        for step, each in enumerate(zip(*stories, strict=True)):
            for facts in each:
                await told_case.say(*facts)
            await told_case.noise(1)
            if step == 5:
                await told_case.sign()
                if countersigned != "none":
                    await told_case.countersign()
        await told_case.noise(3)
        await told_case.sign()
        await told_case.noise(2)
        if countersigned == "all":
            await told_case.countersign()
        await told_case.noise(4)


def bundle(path: Path, case: str = "C-1", *, personal: bool = False, signer: Signer = SIGNER) -> bytes:
    reader = Reader(path)
    try:
        return export(reader, case, signer, personal=personal)
    finally:
        reader.close()


def inside(data: bytes) -> dict[str, Any]:
    """The evidence inside a file."""
    found: dict[str, Any] = json.loads(verify_evidence._parts(data.decode())[0])
    return found
