"""What the centre may say in its down-log: state entries, each the fact that it becomes in the journal.

A state entry's text is canonical JSON ``{"v":1,"seq":n,"type":…,"data":{…}}``; ``data`` holds the personal
fields too, which the journal keeps apart. The log is hash-chained like the journal, without salts:
``h = link(previous, leaf(text, personal_digest(b"", b"")))``.
"""

import json
from dataclasses import dataclass
from typing import Final, get_args

from locker.domain import chain
from locker.domain.encoding import build, canonical, personal_data, public_data
from locker.domain.errors import UnreadableFact
from locker.domain.events import (
    AgentEntrusted,
    AuthorisationExtended,
    AuthorisationGranted,
    AuthorisationRevoked,
    CentreKeysTold,
    CodeReissueOrdered,
    CodeRestored,
    CompartmentBarred,
    CompartmentUnbarred,
    DepositRestored,
    EntrustmentEnded,
    HistoryConfirmed,
    HistoryRestored,
    HoldExtended,
    ItemAnnounced,
    ItemRecalled,
    NeighboursTold,
    PapersDue,
    SettingsChanged,
    SlotBooked,
    SlotReleased,
    StaffEnrolled,
    StaffRevoked,
)
from locker.domain.ids import Seq

VERSION: Final = 1

StateEntry = (
    AuthorisationGranted
    | AuthorisationRevoked
    | ItemAnnounced
    | ItemRecalled
    | StaffEnrolled
    | StaffRevoked
    | SettingsChanged
    | CentreKeysTold
    | CompartmentBarred
    | CompartmentUnbarred
    | SlotBooked
    | SlotReleased
    | CodeReissueOrdered
    | AgentEntrusted
    | EntrustmentEnded
    | HoldExtended
    | AuthorisationExtended
    | PapersDue
    | NeighboursTold
    | DepositRestored
    | CodeRestored
    | HistoryRestored
    | HistoryConfirmed
)
KINDS: Final[dict[str, type[StateEntry]]] = {kind.__name__: kind for kind in get_args(StateEntry)}


@dataclass(frozen=True, slots=True)
class Directive:
    """One numbered state entry; ``says`` is None where this version cannot read it (stored, passed over)."""

    seq: Seq
    text: str
    says: StateEntry | None
    problem: str = ""


def write(seq: Seq, says: StateEntry) -> str:
    """The exact text of a state entry."""
    data = public_data(says) | personal_data(says)
    return canonical({"v": VERSION, "seq": seq, "type": type(says).__name__, "data": data})


def read(text: str) -> Directive:
    """What a state entry says. Raises UnreadableFact where not even its number can be read."""
    try:
        body = json.loads(text)
        version, seq, kind, data = body["v"], body["seq"], body["type"], body["data"]
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise UnreadableFact("Directive", str(error)) from error
    if type(seq) is not int or seq < 1 or version != VERSION:
        raise UnreadableFact("Directive", f"seq {seq!r}, version {version!r}")
    try:
        return Directive(Seq(seq), text, build(KINDS[kind], data))
    except KeyError:
        return Directive(Seq(seq), text, None, f"unknown type {kind!r}")
    except UnreadableFact as error:
        return Directive(Seq(seq), text, None, str(error))


def link(previous: bytes, text: str) -> bytes:
    """The hash of a state entry that follows ``previous`` (`chain.START` before the first)."""
    return chain.link(previous, chain.leaf(text.encode(), chain.personal_digest(b"", b"")))
