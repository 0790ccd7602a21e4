"""What is true now: everything a decision may rest on, and nothing that names a person.

A pure value; `fold.fold` makes the next one from it. Its collections are also the tables that people query.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from types import MappingProxyType
from typing import Any, Final

from locker.domain.acts import Acts
from locker.domain.asked import Asked
from locker.domain.bookings import Bookings
from locker.domain.centre_keys import CentreKeys
from locker.domain.codes import Authorisation, CodeRecord
from locker.domain.compartment import Compartment, Size
from locker.domain.deposit import Deposit
from locker.domain.encoding import canonical, public_data
from locker.domain.entrustments import Entrustments
from locker.domain.history import History
from locker.domain.ids import (
    AuthorisationId,
    BoardId,
    CaseNumber,
    CodeId,
    CompartmentNumber,
    DepositId,
    Epoch,
    GrantId,
    ItemId,
    LockerId,
    Seq,
    StaffId,
)
from locker.domain.named import Named
from locker.domain.opening import Opening
from locker.domain.pairs import Pair, Window
from locker.domain.policy import Policy
from locker.domain.rounds import Rounds
from locker.domain.settings import Given
from locker.domain.stocktakes import Stocktake
from locker.domain.surroundings import Surroundings
from locker.domain.throttle import Guessing

FOLD_VERSION: Final = 8
"""Rises when `fold` gives another state for the same entries."""


@dataclass(frozen=True, slots=True)
class StaffGrant:
    """A right to work at this locker. The name stays in the journal entry ``seq``."""

    staff: StaffId
    seq: Seq
    roles: frozenset[str]
    badge_digest: str
    pin_digest: str
    until_ms: int
    pin_failures: int = 0


@dataclass(frozen=True, slots=True)
class AnnouncedItem:
    """An outgoing item that may be loaded here. The name stays in the journal entry ``seq``."""

    item: ItemId
    seq: Seq
    case: CaseNumber
    service_item: str
    size: Size
    second_factor: bool
    phone4_digest: str
    hold_days: int
    recalled: str = ""
    recalled_ms: int = 0


@dataclass(frozen=True, slots=True)
class DownCursor:
    """How far the centre's entries are applied."""

    epoch: Epoch = Epoch("")
    seq: Seq = Seq(0)
    hash: str = ""


def _empty() -> Any:
    return field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class LockerState:
    seq: Seq = Seq(0)
    """Last entry folded."""
    epoch: Epoch = Epoch("")
    locker: LockerId = LockerId("")
    boot: int = 0
    last_mono_ms: int = 0
    signed_seq: Seq = Seq(0)
    signed_wall_ms: int = 0
    down: DownCursor = field(default_factory=DownCursor)
    guessing: Guessing = field(default_factory=Guessing)
    policy: Policy = field(default_factory=Policy)
    """In force: the locker's own, and over it what the centre has set."""
    given: Given = field(default_factory=Given)
    centre_keys: CentreKeys = field(default_factory=CentreKeys)
    silent_boards: frozenset[BoardId] = frozenset()
    surroundings: Surroundings = field(default_factory=Surroundings)
    history: History = field(default_factory=History)
    acts: Acts = field(default_factory=Acts)
    pair: Pair = field(default_factory=Pair)
    window: Window = field(default_factory=Window)
    stocktake: Stocktake = field(default_factory=Stocktake)
    asked: Asked = field(default_factory=Asked)
    bookings: Bookings = field(default_factory=Bookings)
    entrustments: Entrustments = field(default_factory=Entrustments)
    named: Named = field(default_factory=Named)
    rounds: Rounds = field(default_factory=Rounds)
    compartments: Mapping[CompartmentNumber, Compartment] = _empty()
    deposits: Mapping[DepositId, Deposit] = _empty()
    openings: Mapping[GrantId, Opening] = _empty()
    """The latest opening of each door."""
    codes: Mapping[CodeId, CodeRecord] = _empty()
    authorisations: Mapping[AuthorisationId, Authorisation] = _empty()
    items: Mapping[ItemId, AnnouncedItem] = _empty()
    staff: Mapping[StaffId, StaffGrant] = _empty()

    def opening_of(self, door: CompartmentNumber) -> Opening | None:
        """The latest opening of a door."""
        return self.openings.get(self.compartments[door].grant)

    def deposit_in(self, door: CompartmentNumber) -> Deposit | None:
        return self.deposits.get(self.compartments[door].deposit)


COLLECTIONS: Final = ("compartments", "deposits", "openings", "codes", "authorisations", "items", "staff")
"""The fields of `LockerState` that hold records by key, in the order in which they are stored."""
SCALARS: Final = tuple(f.name for f in fields(LockerState) if f.name not in COLLECTIONS)


def state_text(state: LockerState) -> str:
    """Canonical JSON of a whole state; equal states have equal texts."""
    body: dict[str, Any] = {name: _plain(getattr(state, name)) for name in SCALARS}
    for name in COLLECTIONS:
        records = getattr(state, name)
        body[name] = {str(key): public_data(record) for key, record in records.items()}
    return canonical(body)


def state_hash(state: LockerState) -> str:
    return hashlib.sha256(state_text(state).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return public_data(value)
    return sorted(value) if isinstance(value, frozenset) else value
