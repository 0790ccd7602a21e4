"""The scenes of a life, faults included; each leaves the locker ready for the next."""

import json
from collections.abc import Callable
from typing import Any, Final

from hw_sim import clock, verdict
from hw_sim.damm import check_digit
from hw_sim.people import DidNotHappenError, Hands, Killer, Office, Phone, Visitor, button, doors_seen, until
from hw_sim.search import search
from hw_sim.stack import Stack
from hw_sim.verdict import Event, Outcome, Row, Visit

PIN: Final = "246810"
ANNA: Final = ("张伟", "13812345678")
BEN: Final = ("李娜", "13987654321")
CARL: Final = ("王强", "13711112222")
STUCK_S: Final = 12.0
"""A door has 5 s to open; then the page says so."""
RESTART_S: Final = 20.0
REST_S: Final = 3.2
"""A lock cools down for 3 s between two pulses."""


class Scenes:
    """`play` them in order. What came of it is in ``outcome``, also after a scene that did not hold."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._began_s = clock.mono_s()
        self._visits: list[Visit] = []
        self._secrets: set[tuple[str, str]] = {("a phone number", who[1]) for who in (ANNA, BEN, CARL)}
        self.outcome = Outcome()
        self.office: Office
        self.phone: Phone
        self.hands: Hands
        self.visitor: Visitor
        self.badge = ""

    def play(self) -> None:
        scenes: tuple[Callable[[], None], ...] = (
            self.opens_for_business,
            self.drop_off,
            self.wrong_codes,
            self.intake,
            self.load_and_collect,
            self.sticking_door,
            self.broker_outage,
            self.killed_between_pulse_and_door,
            self.compare,
            self.look_for_secrets,
        )
        for scene in scenes:
            scene()

    def say(self, text: str) -> None:
        print(f"{self.seconds():6.1f} s  {text}", flush=True)

    def seconds(self) -> float:
        return round(clock.mono_s() - self._began_s, 1)

    # --- scenes ---------------------------------------------------------------------------------------------

    def opens_for_business(self) -> None:
        self._stack.start()
        self.office, self.phone = Office(self._stack), Phone(self._stack)
        self.hands, self.visitor = Hands(self._stack), Visitor(self._stack)
        self.badge = self.office.enrol("helper-1", "赵敏", PIN)
        self._secrets.add(("a badge", self.badge))
        until("every door is seen", lambda: doors_seen(self._stack))
        until("the locker is online at the hub", lambda: self.office.locker()["presence"] == "online")
        self.say("broker, hub, cabinet, locker and phone run; the locker is online")

    def drop_off(self) -> None:
        code = self._pre_reviewed("CASE-A", ANNA)
        door = self._hands_in("drop-off, typed", "CASE-A", lambda: self.visitor.types(code))
        receipt = self.phone.awaits(ANNA[1], "receipt", "CASE-A")
        self.say(f"CASE-A handed in at compartment {door}; receipt {receipt['variables']['number']} by SMS")

    def wrong_codes(self) -> None:
        waits = []
        for number in range(3):
            digits = f"{311 + number}7654321"
            code = digits + check_digit(digits)
            self._secrets.add(("a wrong code", code))
            view = self.visitor.types(code)
            _require(view["refused"] is not None, f"a wrong code was accepted: {view['screen']}")
            _require(view["refused"]["reason"] == "code_not_accepted", f"another refusal: {view['refused']}")
            waits.append(self.visitor.view())
        self.visitor.presses("leave")
        entry = self.visitor.view()["entry"]
        _require(entry["wait_s"] > 0, "the keypad does not slow guessing down")
        self.say(f"three wrong codes: one and the same refusal; the keypad now waits {entry['wait_s']} s")
        until("the keypad listens again", lambda: self.visitor.view()["entry"]["wait_s"] == 0)

    def intake(self) -> None:
        self._signs_in()
        view = self.visitor.presses("round", kind="intake")
        deposit = button(view, "intake_open")["deposit"]
        self.visitor.presses("intake_open", deposit=deposit)
        door = self._open_door("take_out")
        self.hands.take_and_shut(door)
        self.visitor.sees("intake_confirm")
        self.visitor.presses("intake_confirm", finding="complete")
        self.visitor.presses("sign_out")
        self.say(f"the helper took CASE-A out of compartment {door}: complete")

    def load_and_collect(self) -> None:
        deposit = self._loads("CASE-A", ANNA)
        scan = self.phone.awaits(ANNA[1], "pickup_code", "CASE-A")["variables"]["scan"]
        door = self._collects("pickup, scanned", deposit, lambda: self.visitor.scans(scan))
        self.say(f"licence of CASE-A collected from compartment {door} by a scanned code")
        refused = self.visitor.scans(scan)["refused"]
        _require(refused is not None, "a spent code was accepted again")
        self.visitor.presses("leave")

    def sticking_door(self) -> None:
        code = self._pre_reviewed("CASE-B", BEN)
        doors = [door["number"] for door in self.hands.doors()]
        for door in doors:
            self.hands.do(door, "jam")
        self.visitor.types(code)
        self.visitor.presses("open")
        first = self.visitor.sees("stuck", patience_s=STUCK_S)["door"]
        for door in doors:
            if door != first:
                self.hands.do(door, "unjam")
        self.say(f"compartment {first} does not open; the person pushes it and presses Open again")
        until("the lock has rested", lambda: self.visitor.view()["ready_in_ms"] == 0)
        self.visitor.presses("again")
        second = self.visitor.sees("place", patience_s=STUCK_S)["door"]
        _require(second != first, "the same door again")
        self.hands.put_and_shut(second)
        self.visitor.sees("receipt")
        self.visitor.presses("leave")
        self.hands.do(first, "unjam")
        self._visits.append(Visit("drop-off, door stuck", "drop_off", "CASE-B"))
        self.say(f"it sticks again, so compartment {second} opened by itself; CASE-B handed in there")

    def broker_outage(self) -> None:
        code = self._pre_reviewed("CASE-C", CARL)
        deposit = self._loads("CASE-B", BEN)
        scan = self.phone.awaits(BEN[1], "pickup_code", "CASE-B")["variables"]["scan"]
        self._stack.kill_broker()
        self.say("the broker is killed")
        self._hands_in("drop-off, offline", "CASE-C", lambda: self.visitor.types(code))
        self._collects("pickup, offline", deposit, lambda: self.visitor.scans(scan))
        status = self._stack.status()
        _require(not status["centre"]["connected"], "the locker thinks it is connected")
        self.say(f"a drop-off and a pickup without it: {status['centre']['unsynced']} entries wait")
        self._stack.start_broker()
        until("everything is at the centre", self._synced, RESTART_S)
        self.phone.awaits(CARL[1], "receipt", "CASE-C")
        self.say("the broker is back, empty; everything that waited is at the centre")

    def killed_between_pulse_and_door(self) -> None:
        deposit = self._loads("CASE-C", CARL)
        scan = self.phone.awaits(CARL[1], "pickup_code", "CASE-C")["variables"]["scan"]
        fired_s = self.hands.pulses()[-1]["mono_s"]
        until("the lock has rested", lambda: clock.mono_s() > fired_s + REST_S)
        before = len(self.hands.pulses())
        killer = Killer(self._stack, self.hands, before)
        killer.scan_and_kill(self.visitor, scan)
        self.say("lockerd is killed between the pulse and the door")
        door = killer.door()
        until("the door stands open", lambda: self.hands.sees_open(door))
        self._stack.start_locker()
        self.say("lockerd runs again; the door stands open, nothing was pulsed a second time")
        until("the door is seen", lambda: self._journaled("DoorOpened", deposit=deposit))
        self.hands.take_and_shut(door)
        until("the pickup is journaled", lambda: self._journaled("ItemPickedUp", deposit=deposit))
        _require(len(self.hands.pulses()) == before + 1, "another pulse than the one")
        _require(bool(self._journaled("OpeningUnknown", deposit=deposit)), "the kill came too late")
        self._visits.append(Visit("pickup, killed between", "pick_up", deposit))
        self.say("the licence is taken, the door shut: collected")

    def compare(self) -> None:
        journal, ledger = until("a quiet moment", self._quiet, RESTART_S)
        events = [json.loads(row["public"]) for row in journal]
        outcome, differs = self.outcome, verdict.difference(journal, ledger)
        outcome.ledger_equal = not differs
        outcome.events = len(events)
        outcome.pulses = len(self.hands.pulses())
        outcome.openings = verdict.opened(events)
        outcome.visits = [verdict.seconds(events, visit) for visit in self._visits]
        _require(outcome.ledger_equal, f"journal and ledger differ: {differs}")
        _require(outcome.pulses == verdict.granted(events), "pulses and grants differ")
        _require(self._stack.lockerctl("journal", "verify") != "", "the journal does not verify")
        self.say(f"journal and ledger are equal, row by row and hash by hash: {len(ledger)} entries")

    def _quiet(self) -> tuple[list[Row], list[Row]] | None:
        """Journal and ledger as they are at one moment; None where the journal grew meanwhile."""
        before = len(self._journal())
        if not self._synced():
            return None
        ledger = self.office.ledger()
        journal = self._journal()
        return (journal, ledger) if len(journal) == before else None

    def look_for_secrets(self) -> None:
        """In all that is written while everything runs; `look_again` once it has stopped."""
        self._secrets |= self.phone.codes()
        self.look_again()
        outcome = self.outcome
        self.say(f"no code and no phone number in {outcome.files_searched} files that the run wrote")

    def look_again(self) -> None:
        found = search(self._stack.folder, self._secrets)
        outcome = self.outcome
        outcome.files_searched, outcome.bytes_searched = found.files, found.bytes
        outcome.secrets_where = sorted({*outcome.secrets_where, *found.where})
        _require(not found.where, f"secrets are written down: {', '.join(found.where)}")

    # --- what scenes are made of ----------------------------------------------------------------------------

    def _pre_reviewed(self, case: str, who: tuple[str, str]) -> str:
        self.office.pre_review(case, *who)
        message = self.phone.awaits(who[1], "drop_off_code", case)
        self.say(f"{case} passed pre-review; the code is on the phone")
        return str(message["variables"]["typed"]).replace(" ", "")

    def _hands_in(self, name: str, case: str, shows: Callable[[], Any]) -> int:
        shows()
        self.visitor.sees("offer")
        self.visitor.presses("open")
        door = self._open_door("place")
        self.hands.put_and_shut(door)
        self.visitor.sees("receipt")
        self.visitor.presses("leave")
        self._visits.append(Visit(name, "drop_off", case))
        return door

    def _collects(self, name: str, deposit: str, shows: Callable[[], Any]) -> int:
        shows()
        door = self._open_door("take")
        self.hands.take_and_shut(door)
        self.visitor.sees("collected")
        self.visitor.presses("leave")
        self._visits.append(Visit(name, "pick_up", deposit))
        return door

    def _signs_in(self) -> None:
        self.visitor.scans(self.badge)
        self.visitor.presses("pin", digits=PIN)
        self.visitor.sees("menu")

    def _loads(self, case: str, who: tuple[str, str]) -> str:
        """A helper loads the licence of a case by its label; returns the deposit."""
        label = str(self.office.outgoing(case, *who)["label_token"])
        self._secrets.add(("a label", label))
        self._signs_in()
        self.visitor.presses("load")
        self.visitor.scans(label)
        door = self._open_door("put_in")
        self.hands.put_and_shut(door)
        self.visitor.sees("second_look")
        self.visitor.scans(label)
        self.visitor.presses("sign_out")
        loaded = until("the load is journaled", lambda: self._journaled("ItemLoaded", case=case))
        self.say(f"the helper loaded the licence of {case} into compartment {door}")
        return str(loaded["data"]["deposit"])

    def _open_door(self, screen: str) -> int:
        """The door of this visit, once the page shows it open; a lock that still rests is asked again."""
        view = self.visitor.sees(screen, "stuck")
        if view["screen"] == "stuck":
            until("the lock has rested", lambda: self.visitor.view()["ready_in_ms"] == 0)
            self.visitor.presses("again")
            view = self.visitor.sees(screen)
        return int(view["door"])

    # --- looking --------------------------------------------------------------------------------------------

    def _journal(self) -> list[Row]:
        return [json.loads(line) for line in self._stack.lockerctl("journal", "dump").splitlines()]

    def _journaled(self, kind: str, *, deposit: str = "", case: str = "") -> Event | None:
        events = [json.loads(row["public"]) for row in self._journal()]
        return verdict.last_about(events, kind, deposit=deposit, case=case)

    def _synced(self) -> bool:
        status = self._stack.status()
        return bool(status["centre"]["connected"] and status["centre"]["unsynced"] == 0)


def _require(held: object, otherwise: str) -> None:
    if not held:
        raise DidNotHappenError(otherwise)
