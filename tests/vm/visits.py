"""People at this locker: the scenes of the story that fit, and one that a service manager adds."""

from hw_sim.people import until
from hw_sim.scenes import BEN, Scenes
from tests.vm.machine import MachineError
from tests.vm.site import Site

STOPS_S = 15.0
"""What the unit grants."""


class Visits(Scenes):
    """`opens_for_business` first."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._site = site

    def stopped_with_a_door_open(self) -> None:
        """Somebody has opened a door to collect; the service is stopped in good order and started anew."""
        deposit = self._loads("CASE-B", BEN)
        scan = self.phone.awaits(BEN[1], "pickup_code", "CASE-B")["variables"]["scan"]
        before = len(self.hands.pulses())
        self.visitor.scans(scan)
        door = self._open_door("take")
        self._site.machine.does("systemctl stop lockerd")
        unit = self._site.shows("lockerd", "Result", "ExecMainStatus", "ExecMainExitTimestampMonotonic")
        if unit["Result"] != "success" or unit["ExecMainStatus"] != "0":
            raise MachineError(f"no orderly end: {unit}\n{self._site.log('lockerd')}")
        self._site.start_locker()
        self._site.eventually("the page answers", lambda: self._site.page_answers() or None)
        until("the door stands open", lambda: self.hands.sees_open(door))
        until("the door is seen", lambda: self._journaled("DoorOpened", deposit=deposit))
        self.hands.take_and_shut(door)
        until("the pickup is journaled", lambda: self._journaled("ItemPickedUp", deposit=deposit))
        if len(self.hands.pulses()) != before + 1:
            raise MachineError("another pulse than the one")
