"""What happens at a locker that people use, as facts for its journal: whole visits, leg after leg."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from hw_sim.chance import Chance
from hw_sim.fleet.frames import Signer, keyed_digest, sealed, spelled

DOORS: Final = 16
DAY_MS: Final = 24 * 3_600_000
UNTIL_MS: Final = 4_102_444_800_000
"""The year 2100."""
PULSE_MS: Final = 50
SPRING_MS: Final = 600
HANDLING_MS: Final = (1_200, 9_000)
"""How long a person has the door open."""
BETWEEN_MS: Final = (15_000, 240_000)
"""From one leg to the next."""
PAPERS_MAX: Final = 6
BY_NAME: Final = ("deposit", "door", "authorisation", "item", "staff", "code", "record", "grant", "board")
"""Of the fields that hold something, the first is what an entry is about."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What becomes one entry. ``personal`` is kept apart from ``data``; empty where nobody is named."""

    type: str
    cause: str
    data: Mapping[str, Any]
    personal: Mapping[str, str] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        for name in BY_NAME:
            if value := self.data.get(name):
                return str(value) if name == "record" else f"{name}/{value}"
        return "locker"


@dataclass(frozen=True, slots=True)
class Whence:
    """What a fact may have to say of the entry that it becomes."""

    epoch: str
    head: int
    """The last entry before it."""
    wall_ms: int


Facts = Callable[[Whence], tuple[Fact, ...]]


@dataclass(frozen=True, slots=True)
class Moment:
    """Facts that become durable together, so long after the moment before."""

    wait_ms: int
    facts: Facts


Leg = tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """What a locker was given when it was enrolled."""

    locker: str
    own: Signer
    code_key: bytes
    centre_seal: bytes
    helper: str
    """Whose rounds it sees."""


@dataclass(frozen=True, slots=True)
class Stay:
    """Something that lies in a compartment. ``code``: for what waits to be picked up."""

    deposit: str
    door: int
    case: str
    code: str = ""


class Cabinet:
    """Sixteen doors and the people before them: `leg` after `leg`, each of them possible."""

    def __init__(self, keys: Keys, chance: Chance) -> None:
        self._keys = keys
        self._chance = chance
        self._free = list(range(1, DOORS + 1))
        self._handed_in: list[Stay] = []
        self._taken: list[Stay] = []
        self._waiting: list[Stay] = []
        self._cases = 0
        self._staff = f"staff/{keys.helper}"

    def birth(self, epoch: str, software: str) -> tuple[Fact, ...]:
        """The first entries of a journal."""
        doors = [
            {
                "number": number,
                "cabinet": "A",
                "size": 1 if number <= DOORS // 2 else 2,
                "reach": ("high", "middle", "middle", "low")[(number - 1) // 4],
                "row": (number - 1) // 4,
                "column": (number - 1) % 4,
                "item_sensor": True,
            }
            for number in range(1, DOORS + 1)
        ]
        parent = {"parent_epoch": "", "parent_head": 0, "parent_hash": ""}
        return (
            Fact("EpochStarted", "daemon", {"epoch": epoch, "locker": self._keys.locker, **parent}),
            Fact("Booted", "daemon", {"software": software, "boot": 1}),
            Fact("CompartmentsConfigured", "daemon", {"compartments": doors}),
            self._helper(),
            *(
                Fact("DoorRead", "sensor", {"door": number, "position": "closed", "item": "absent"})
                for number in range(1, DOORS + 1)
            ),
        )

    def leg(self) -> Leg:
        """The next thing that somebody does here."""
        possible = [
            leg
            for leg, there in (
                (self._drop_off, self._free),
                (self._intake, self._handed_in),
                (self._load, self._taken and self._free),
                (self._pick_up, self._waiting),
            )
            if there
        ]
        return possible[self._chance.below("leg", len(possible))]()

    def _helper(self) -> Fact:
        """Whose rounds the past tells of; from the centre, in days that this journal does not count."""
        key = self._keys.code_key
        digests = {
            "badge_digest": keyed_digest(key, "badge", self._name()),
            "pin_digest": keyed_digest(key, f"pin:{self._keys.helper}", "246810"),
        }
        who = {"staff": self._keys.helper, "roles": ["helper"], "until_ms": UNTIL_MS}
        return Fact("StaffEnrolled", "centre", {**who, **digests}, {"name": "赵敏"})

    def doors(self) -> list[dict[str, object]]:
        """What staff see at a glance."""
        return [
            {
                "number": number,
                "size": 1 if number <= DOORS // 2 else 2,
                "status": "vacant" if number in self._free else "holding",
                "position": "closed",
                "item": "absent" if number in self._free else "present",
            }
            for number in range(1, DOORS + 1)
        ]

    # --- the legs ------------------------------------------------------------------------------------------

    def _drop_off(self) -> Leg:
        self._cases += 1
        door, authorisation = self._take_door(), self._name()
        stay = Stay(self._name(), door, f"{self._keys.locker[-12:]}-{self._cases}")
        declared = 1 + self._chance.below("papers", PAPERS_MAX)

        def ask(at: Whence) -> tuple[Fact, ...]:
            token = {"case": stay.case, "size": 1, "valid_from_ms": at.wall_ms - DAY_MS}
            token |= {"valid_until_ms": at.wall_ms + 3 * DAY_MS, "time_uncertain": False}
            return (
                Fact("TokenAdmitted", "applicant", {"authorisation": authorisation, **token}),
                _accepted(f"authorisation/{authorisation}", "scanned"),
                _reserved(stay, "submission", "applicant", authorisation=authorisation),
            )

        def shut(at: Whence) -> tuple[Fact, ...]:
            handed_in = {"deposit": stay.deposit, "door": door, "sensed": "present", "declared": declared}
            return Fact("SubmissionDeposited", "sensor", handed_in), self._receipt(stay, declared, at)

        self._handed_in.append(stay)
        return self._opening(stay, "drop_off", "applicant", "present", ask, shut)

    def _intake(self) -> Leg:
        stay = self._one_of(self._handed_in)
        done = {"deposit": stay.deposit, "staff": self._keys.helper, "proof": "sensed", "finding": "complete"}
        self._taken.append(stay)
        self._free.append(stay.door)
        taken = (Fact("SubmissionTaken", self._staff, done), self._signed("Out"))
        return self._opening(
            stay, "intake", self._staff, "absent", lambda _: (self._signed("In"),), lambda _: taken
        )

    def _load(self) -> Leg:
        case = self._one_of(self._taken).case
        stay = Stay(self._name(), self._take_door(), case, self._name())
        item = self._name()
        loaded = {
            "deposit": stay.deposit,
            "item": item,
            "staff": self._keys.helper,
            "proof": "sensed",
            "announced": False,
        }
        made = (Fact("ItemLoaded", self._staff, loaded), self._code_made(stay), self._signed("Out"))
        self._waiting.append(stay)
        asked = (self._signed("In"), _reserved(stay, "outgoing", self._staff, item=item))
        return self._opening(stay, "load", self._staff, "present", lambda _: asked, lambda _: made)

    def _pick_up(self) -> Leg:
        stay = self._one_of(self._waiting)
        self._free.append(stay.door)
        gone = (
            Fact("ItemPickedUp", "sensor", {"deposit": stay.deposit, "proof": "sensed"}),
            Fact("CodeEnded", "sensor", {"code": stay.code, "reason": "collected"}),
        )
        asked = (_accepted(f"code/{stay.code}", "typed"),)
        return self._opening(stay, "pick_up", "applicant", "absent", lambda _: asked, lambda _: gone)

    # --- what they share -----------------------------------------------------------------------------------

    def _opening(self, stay: Stay, purpose: str, who: str, left: str, before: Facts, after: Facts) -> Leg:
        """Granted, pulsed, opened, shut; ``left``: whether something lies in it then."""
        grant, door = self._name(), stay.door
        right = {"grant": grant, "door": door, "purpose": purpose, "deposit": stay.deposit, "attempt": 1}
        right["staff"] = self._keys.helper if who == self._staff else ""
        asked = Fact("OpeningRequested", who, right)
        pulsed = Fact("PulseAcknowledged", "wire", {"grant": grant})
        opened = Fact("DoorOpened", "sensor", {"door": door, "grant": grant})
        shut = Fact("DoorClosed", "sensor", {"door": door, "grant": grant, "item": left})
        return (
            Moment(self._between(*BETWEEN_MS), lambda at: (*before(at), asked)),
            Moment(PULSE_MS, lambda _: (pulsed,)),
            Moment(SPRING_MS, lambda _: (opened,)),
            Moment(self._between(*HANDLING_MS), lambda at: (shut, *after(at))),
        )

    def _receipt(self, stay: Stay, declared: int, at: Whence) -> Fact:
        seq = at.head + 1
        number = f"{self._keys.locker}-{at.epoch[:4]}-{seq}"
        text = spelled(
            {
                "v": 1,
                "receipt": number,
                "locker": self._keys.locker,
                "case": stay.case,
                "compartment": stay.door,
                "declared": declared,
                "seq": seq,
                "time": at.wall_ms,
            }
        )
        own = self._keys.own
        signed = {"key": own.id.hex(), "signature": own.sign(text.encode()).hex()}
        return Fact(
            "ReceiptIssued", "sensor", {"deposit": stay.deposit, "number": number, "text": text, **signed}
        )

    def _code_made(self, stay: Stay) -> Fact:
        digits = "".join(str(self._chance.below("digit", 10)) for _ in range(11))
        scan, keys = self._name(), self._keys
        plain = {"typed": digits, "scan": scan}
        once = self._chance.octets("seal", 32), self._chance.octets("nonce", 12)
        return Fact(
            "PickupCodeMade",
            self._staff,
            {
                "code": stay.code,
                "deposit": stay.deposit,
                "locator": digits[:3],
                "typed_digest": keyed_digest(keys.code_key, "pick_up", digits),
                "scan_digest": keyed_digest(keys.code_key, "scan", scan),
                "sealed": sealed(plain, keys.centre_seal, *once),
            },
        )

    def _signed(self, way: str) -> Fact:
        return Fact(f"StaffSigned{way}", self._staff, {"staff": self._keys.helper})

    def _take_door(self) -> int:
        return self._free.pop(self._chance.below("door", len(self._free)))

    def _one_of(self, stays: list[Stay]) -> Stay:
        return stays.pop(self._chance.below("stay", len(stays)))

    def _name(self) -> str:
        return base64.b32encode(self._chance.octets("name", 10)).decode("ascii").lower()

    def _between(self, least: int, most: int) -> int:
        return least + self._chance.below("time", most - least)


def _accepted(record: str, form: str) -> Fact:
    return Fact("CodeAccepted", "applicant", {"record": record, "form": form})


def _reserved(stay: Stay, kind: str, cause: str, *, authorisation: str = "", item: str = "") -> Fact:
    of = MappingProxyType({"authorisation": authorisation, "item": item, "case": stay.case})
    return Fact(
        "CompartmentReserved", cause, {"deposit": stay.deposit, "door": stay.door, "kind": kind, **of}
    )
