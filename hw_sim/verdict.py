"""What a played life has to show for itself: pure functions over journal, ledger and pulses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Row = Mapping[str, Any]
"""``seq``, ``public`` (the exact text) and ``hash`` of one entry."""
Event = Mapping[str, Any]
"""A row's text, parsed."""
ROW: Final = ("seq", "public", "hash")


@dataclass(frozen=True, slots=True)
class Visit:
    """One person's way from an accepted code to a closed door."""

    name: str
    purpose: str
    """``drop_off``, found by its case, or ``pick_up``, found by its deposit."""
    key: str


@dataclass
class Outcome:
    """What `hw-sim story --json` writes."""

    problem: str = ""
    seconds: float = 0.0
    events: int = 0
    ledger_equal: bool = False
    pulses: int = 0
    openings: int = 0
    visits: list[Mapping[str, Any]] = field(default_factory=list)
    files_searched: int = 0
    bytes_searched: int = 0
    secrets_where: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        searched = self.files_searched > 0 and not self.secrets_where
        return not self.problem and self.ledger_equal and searched

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "problem": self.problem,
            "seconds": self.seconds,
            "events": self.events,
            "ledger_equal": self.ledger_equal,
            "pulses": self.pulses,
            "openings": self.openings,
            "visits": self.visits,
            "files_searched": self.files_searched,
            "bytes_searched": self.bytes_searched,
            "secrets_found": len(self.secrets_where),
            "secrets_where": self.secrets_where,
        }

    def table(self) -> str:
        lines = [f"  {v['name']:<26}{v['seconds']:6.1f} s from code to closed door" for v in self.visits]
        shown = self.as_json()
        figures = ("events", "pulses", "openings", "ledger_equal", "secrets_found", "seconds")
        lines += [f"  {name:<26}{shown[name]!s:>8}" for name in figures]
        lines += [f"  {self.files_searched} files, {self.bytes_searched} bytes searched for secrets"]
        return "\n".join(lines)


def difference(journal: Sequence[Row], ledger: Sequence[Row]) -> str:
    """How the two first differ, in words; empty where they are equal, row by row and hash by hash."""
    for number, (ours, theirs) in enumerate(zip(journal, ledger, strict=False), 1):
        if ours["seq"] != number:
            return f"row {number} of the journal is entry {ours['seq']}"
        for name in ROW:
            if ours[name] != theirs[name]:
                return f"entry {number} differs in its {name}: {ours[name]!r} and {theirs[name]!r}"
    if len(journal) != len(ledger):
        return f"the journal has {len(journal)} entries, the ledger {len(ledger)}"
    return "" if journal else "both are empty"


def granted(events: Iterable[Event]) -> int:
    """How many pulses there may have been: one for each grant but those that were never sent."""
    kinds = [event["type"] for event in events]
    return kinds.count("OpeningRequested") - kinds.count("PulseNotSent")


def opened(events: Iterable[Event]) -> int:
    return sum(event["type"] == "DoorOpened" for event in events)


def seconds(events: Sequence[Event], visit: Visit) -> Mapping[str, Any]:
    """From the accepted code to the closed door, by the locker's own monotonic clock."""
    deposits = {
        event["data"]["deposit"]
        for event in events
        if event["type"] == "CompartmentReserved" and _is_of(event["data"], visit)
    }
    grants = [
        event
        for event in events
        if event["type"] == "OpeningRequested"
        and event["data"]["deposit"] in deposits
        and event["data"]["purpose"] == visit.purpose
    ]
    own = {event["data"]["grant"] for event in grants}
    closed = [e for e in events if e["type"] == "DoorClosed" and e["data"]["grant"] in own]
    return {"name": visit.name, "seconds": round((closed[-1]["mono"] - grants[0]["mono"]) / 1000, 2)}


def _is_of(reserved: Mapping[str, Any], visit: Visit) -> bool:
    if visit.purpose == "pick_up":
        return bool(reserved["deposit"] == visit.key)
    return reserved["case"] == visit.key and not reserved["item"]


def last_about(events: Sequence[Event], kind: str, *, deposit: str = "", case: str = "") -> Event | None:
    """The last entry of a kind about a deposit, or about any item of a case."""
    deposits, grants = {deposit}, set()
    for event in events:
        data = event["data"]
        if event["type"] == "CompartmentReserved" and data["case"] == case and data["item"]:
            deposits.add(data["deposit"])
        if event["type"] == "OpeningRequested" and data["deposit"] in deposits:
            grants.add(data["grant"])
    fitting = (
        event
        for event in reversed(events)
        if event["type"] == kind
        and (event["data"].get("deposit") in deposits or event["data"].get("grant") in grants)
    )
    return next(fitting, None)
