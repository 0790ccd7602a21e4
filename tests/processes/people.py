"""People who go on: they look at the page again and again, do what it asks, and lose patience with nothing.

What happens to the processes meanwhile is no concern of theirs. A page that does not answer is looked at
again; a visit that was torn off is begun anew with the code in their hand; a door that stands open is used
and shut.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random  # noqa: TID251  # seeded
from typing import Any, Final

import httpx

from hw_sim import clock
from hw_sim.people import HAND_S, DidNotHappenError, View, button
from tests.processes.rig import PATIENCE_S, PIN, Rig

LOOK_S: Final = 0.05
ERRAND_S: Final = PATIENCE_S + 120.0
"""After three tries that failed a lock is left in peace for two minutes (`open_door.VISIT_GAP_MS`)."""
ANSWER_S: Final = 3.0
"""After this a page that hangs is looked at anew."""
HURRY: Final = 0.5
"""How often somebody uses an open door without waiting for the page."""
Press = tuple[str, Mapping[str, Any]]
"""What is posted: the path of the API's verb, and its body."""


@dataclass
class Errand:
    """What somebody came for. ``screens`` says what they press on each; None: they wait."""

    kind: str
    case: str
    brings: bool = False
    """Whether they have something to put in, still in their hand."""
    takes: bool = False
    holds: bool = False
    """Whether they have what they came to take."""
    shown: str = ""
    """The word that ended it: what the page acknowledged."""
    screens: dict[str, Callable[[View], Press | None]] = field(default_factory=dict)


def act(name: str, **data: Any) -> Callable[[View], Press | None]:
    return lambda _view: ("act", {"act": name, **data})


def code(kind: str, digits: str) -> Callable[[View], Press | None]:
    def shows(view: View) -> Press | None:
        entry = view["entry"]
        if kind == "typed" and entry and entry["wait_s"]:
            return None
        return ("code", {kind: digits})

    return shows


def again(view: View) -> Press | None:
    """The same button once more, where it is offered and the lock has rested; else away, to begin anew."""
    offered = [each["act"] for each in view["acts"]]
    if "again" in offered:
        return ("act", {"act": "again"}) if view["ready_in_ms"] == 0 else None
    for way_out in ("leave", "menu", "sign_out"):
        if way_out in offered:
            return ("act", {"act": way_out})
    return None


def out(view: View) -> Press | None:
    offered = [each["act"] for each in view["acts"]]
    found = next((name for name in ("leave", "sign_out", "menu") if name in offered), None)
    return ("act", {"act": found}) if found else None


def pressed(name: str, **more: Any) -> Callable[[View], Press | None]:
    """A button with what it carries; the way out where it is not there."""

    def press(view: View) -> Press | None:
        with suppress(DidNotHappenError):
            return ("act", {"act": name, **button(view, name), **more})
        return out(view)

    return press


class People:
    """`does` an errand to its end; ``acknowledged`` is what pages promised, in order."""

    def __init__(self, rig: Rig, chance: Random) -> None:
        self._rig = rig
        self._chance = chance
        url = rig.stack.kiosk_url
        self._http = rig.stack.client(url, {"Origin": url}, ANSWER_S)
        self._boot = ""
        """Of the page as it was looked at last."""
        self.acknowledged: list[tuple[str, str]] = []
        self.screens_seen: set[str] = set()

    # --- errands --------------------------------------------------------------------------------------------

    def pre_reviewed(self, case: str, phone: str) -> str:
        """A case passes pre-review; returns the typed code as it came by SMS."""
        self._rig.office.pre_review(case, "张伟", phone)
        message = self._rig.phone.awaits(phone, "drop_off_code", case, PATIENCE_S)
        return str(message["variables"]["typed"]).replace(" ", "")

    def label(self, case: str, phone: str) -> str:
        return str(self._rig.office.outgoing(case, "张伟", phone)["label_token"])

    def scan_of(self, case: str, phone: str) -> str:
        """The pickup code of a loaded licence."""
        return str(self._rig.phone.awaits(phone, "pickup_code", case, PATIENCE_S)["variables"]["scan"])

    def hands_in(self, case: str, typed: str, patience_s: float = ERRAND_S) -> None:
        errand = Errand("drop_off", case, brings=True)
        errand.screens = {
            "home": code("typed", typed),
            "problem": out,
            "offer": act("open"),
            "offer_again": act("open"),
            "empty": again,
            "confirm_in": act("confirm_in"),
            "looked": act("still_inside"),
            "taken_back": out,
            "cancelled": out,
            "not_empty": out,
        }
        self._does(errand, {"receipt": "receipt"}, patience_s)

    def collects(self, case: str, scan: str, patience_s: float = ERRAND_S) -> None:
        errand = Errand("pick_up", case, takes=True)
        errand.screens = {
            "home": code("scanned", scan),
            "problem": out,
            "confirm_taken": act("taken"),
            "still_inside": again,
            "refused_item": out,
        }
        # With the item in hand, a code that is accepted no more says the same.
        self._does(errand, {"collected": "collected", "spent": "collected"}, patience_s)

    def takes_in(self, case: str) -> None:
        """A helper's round: takes out all that is waiting."""
        errand = Errand("intake", case, takes=True)
        errand.screens = self._helper("round", kind="intake") | {
            "round_intake": pressed("intake_open"),
            "not_taken": again,
            "intake_confirm": lambda _view: (
                "act",
                {"act": "intake_confirm", "finding": "complete" if errand.holds else "empty"},
            ),
        }
        self._does(errand, {"none_left": "taken_in"}, ERRAND_S)

    def looks_into_doubted(self) -> None:
        errand = Errand("check", "")
        errand.screens = self._helper("round", kind="check") | {
            "round_check": pressed("check_open"),
            "check_confirm": lambda view: (
                "act",
                {"act": "check_confirm", "empty": not self._has_item(int(view["door"]))},
            ),
        }
        self._does(errand, {"none_left": ""}, ERRAND_S)

    def loads(self, case: str, label: str) -> None:
        errand = Errand("load", case, brings=True)

        def aside(_view: View) -> Press:
            # Shut while nobody looked: the compartment is in doubt, and what lies there is withdrawn first.
            errand.takes = not errand.brings
            return ("act", {"act": "menu"})

        def task(_view: View) -> Press:
            return ("act", {"act": "round", "kind": "withdraw"} if errand.takes else {"act": "load"})

        def withdrawn(_view: View) -> Press:
            errand.takes, errand.brings = False, True
            return ("act", {"act": "withdraw_confirm"})

        errand.screens = self._helper("load") | {
            "menu": task,
            "staff_problem": aside,
            "round_withdraw": pressed("withdraw_open"),
            "not_taken": again,
            "withdraw_confirm": withdrawn,
            "load": code("scanned", label),
            "label": act("load_open"),
            "second_look": code("scanned", label),
            "load_empty": again,
        }
        self._does(errand, {"loaded": "loaded"}, ERRAND_S)

    def _helper(self, task: str, **data: Any) -> dict[str, Callable[[View], Press | None]]:
        return {
            "home": code("scanned", self._rig.badge),
            "pin": act("pin", digits=PIN),
            "menu": act(task, **data),
            "staff_problem": act("menu"),
            "problem": out,
        }

    # --- how they go about it -------------------------------------------------------------------------------

    def _does(self, errand: Errand, ends: Mapping[str, str], patience_s: float) -> None:
        end_s = clock.mono_s() + patience_s
        seen: list[str] = []
        hurries = self._chance.random() < HURRY
        while not errand.shown:
            view = self._ask("view", None)
            if view is not None and (told := _told(view)) != (seen[-1] if seen else ""):
                seen.append(told)
                self.screens_seen.add(view["screen"])
            if hurries or view is not None:
                self._uses_doors(errand)
            if view is not None:
                self._answers(errand, view, ends)
            if clock.mono_s() > end_s:
                log, doors = self._rig.stack.log_tail("locker"), self._rig.status()["compartments"]
                raise DidNotHappenError(
                    f"{errand.kind} {errand.case} came to no end: {seen[-20:]}\n{view}\n{doors}\n{log}"
                )
            clock.pause_s(LOOK_S)
        if word := errand.shown.strip("-"):
            self.acknowledged.append((word, errand.case))
        self._goes()

    def _answers(self, errand: Errand, view: View, ends: Mapping[str, str]) -> None:
        """One look at the page, and one press where it asks for one."""
        self._judge(errand, view, ends)
        if errand.shown:
            return
        unknown = {"stuck": again, "give_up": out, "interrupted": out, "ended": out}
        foreign = {"receipt": out, "collected": out, "pin": out, "menu": out, "load": out, "label": out}
        press = {**foreign, **unknown, **errand.screens}.get(view["screen"])
        if view["screen"] == "interrupted" and self._stands_open():
            return
        wish = press(view) if press else None
        if wish is None:
            return
        path, body = wish
        after = self._ask(path, {**body, "visit": view["visit"]} if path == "act" else body)
        if after is not None and errand.kind == "load" and view["screen"] == "second_look":
            errand.shown = "loaded" if after["screen"] == "load" and not after["refused"] else ""

    def _judge(self, errand: Errand, view: View, ends: Mapping[str, str]) -> None:
        screen, reason = view["screen"], (view["refused"] or {}).get("reason", "")
        word = ends.get(screen, "")
        if screen == "receipt" and errand.brings:
            word = ""  # somebody else's, of a moment ago
        if screen == "collected" and not errand.holds:
            word = ""
        if reason == "code_not_accepted" and errand.holds:
            word = ends.get("spent", "")
        if reason == "already_loaded" and not errand.brings:
            word = ends.get("loaded", "")
        waits = any(each.get("act") in {"intake_open", "check_open"} for each in _rows(view))
        if screen in {"round_intake", "round_check"} and not waits:
            word = ends["none_left"] or "-"
        errand.shown = word

    def _uses_doors(self, errand: Errand) -> None:
        """Whoever stands before an open door uses it and shuts it, once the latch is back."""
        for door in self._doors():
            if not door["open"] or door["coil_on"]:
                continue
            number = int(door["number"])
            clock.pause_s(HAND_S)
            if errand.brings and not door["item"]:
                self._rig.hands.do(number, "put")
                errand.brings = False
            elif errand.takes and door["item"]:
                self._rig.hands.do(number, "take")
                errand.holds = True
            clock.pause_s(HAND_S)
            self._rig.hands.do(number, "shut")

    def _goes(self) -> None:
        """Away from the page; whoever comes next begins with the home page."""
        end_s = clock.mono_s() + PATIENCE_S
        while clock.mono_s() < end_s:
            view = self._ask("view", None)
            if view is not None and view["screen"] == "home":
                return
            wish = out(view) if view is not None else None
            if wish is not None and self._ask(*wish) is not None:
                return
            clock.pause_s(LOOK_S)
        raise DidNotHappenError(f"the page does not go home: {view}")

    # --- the page and the cabinet ---------------------------------------------------------------------------

    def look(self) -> View | None:
        return self._ask("view", None)

    def posts(self, path: str, **body: Any) -> View | None:
        """After a look at the page, which may be another start's than the last time."""
        self.look()
        return self._ask(path, body)

    def _ask(self, path: str, body: Mapping[str, Any] | None) -> View | None:
        """The view; None where nobody answers, or not to this."""
        with suppress(httpx.TransportError):
            if body is None:
                answer = self._http.get(f"/api/{path}")
            else:
                answer = self._http.post(f"/api/{path}", json=body, headers={"X-Kiosk-Boot": self._boot})
            assert answer.status_code in {200, 409}, f"{path} {body}: {answer.status_code} {answer.text}"
            view = dict(answer.json()) if answer.status_code == httpx.codes.OK else None
            self._boot = view["boot"] if view else ""
            return view
        return None

    def _doors(self) -> list[Mapping[str, Any]]:
        return self._rig.hands.doors()

    def _stands_open(self) -> bool:
        return any(door["open"] for door in self._doors())

    def _has_item(self, number: int) -> bool:
        return any(door["number"] == number and door["item"] for door in self._doors())


def _told(view: View) -> str:
    """The screen, and why something was refused there."""
    refused = view["refused"]
    return f"{view['screen']} ({refused['reason']})" if refused else str(view["screen"])


def _rows(view: View) -> list[Mapping[str, Any]]:
    return [each for row in view["rows"] for each in row.get("acts", [row])]
