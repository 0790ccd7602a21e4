"""What the page keeps of people who do something together. All that counts stands in the journal."""

from dataclasses import dataclass

from kiosk_ui.flow import Signal
from locker.domain.ids import CompartmentNumber, StaffId


@dataclass(frozen=True, slots=True)
class Together:
    second_name: str = ""
    """Masked: of whoever stands beside. Whether they still count, the journal's state says."""
    back: Signal = Signal.STOCKTAKE
    """Where the sign-in of a second person leads to afterwards."""
    taking: bool = False
    """The door is looked into for a stocktake."""
    skipped: frozenset[CompartmentNumber] = frozenset()
    """Doors of the stocktake that are left for later on this visit."""
    helper: StaffId = StaffId("")
    """Who stands beside whoever has the code; nobody is signed in then."""
    helper_name: str = ""
