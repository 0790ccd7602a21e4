"""People at work through the doors that people have: hub API, kiosk page, phone, their own hands."""

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import httpx

from hw_sim import clock
from hw_sim.stack import LOCKER, Stack

PATIENCE_S: Final = 20.0
LOOK_S: Final = 0.05
HAND_S: Final = 0.3
"""A quick hand: to put something in, to push a door shut."""

T = TypeVar("T")
View = Mapping[str, Any]


class DidNotHappenError(AssertionError):
    """What the story waited for did not come; the text says what, and what was there instead."""


def until(what: str, look: Callable[[], T | None], patience_s: float = PATIENCE_S) -> T:
    """The first answer of ``look`` that is neither None nor False. Raises DidNotHappenError."""
    end_s = clock.mono_s() + patience_s
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if clock.mono_s() > end_s:
            raise DidNotHappenError(f"{what} did not happen within {patience_s:.0f} s")
        clock.pause_s(LOOK_S)


class Office:
    """The city's side: the hub's API with an integrator's key."""

    def __init__(self, stack: Stack) -> None:
        key = stack.central()["web"]["api_keys"][0]
        headers = {"Authorization": f"Bearer {key}"}
        self._http = stack.client(f"{stack.hub_url}/api/v1", headers)

    def pre_review(self, case: str, name: str, phone: str) -> Mapping[str, Any]:
        return self._post(
            "/pre-reviews",
            {
                "case": case,
                "service_item": "食品经营许可 Food business licence",
                "papers": ["申请表 Application form", "营业场所证明 Proof of premises"],
                "deferred": ["健康证明 Health certificate"],
                "size": "S",
                "applicant": {"name": name, "phone": phone},
                "locker": LOCKER,
            },
        )

    def outgoing(self, case: str, name: str, phone: str) -> Mapping[str, Any]:
        return self._post(
            "/outgoing-items",
            {
                "case": case,
                "service_item": "食品经营许可证 Food business licence",
                "size": "S",
                "recipient": {"name": name, "phone": phone},
                "locker": LOCKER,
            },
        )

    def enrol(self, staff: str, name: str, pin: str, role: str = "helper") -> str:
        """A member of staff; returns the digits of the badge."""
        body = {"staff": staff, "name": name, "roles": [role], "pin": pin, "lockers": [LOCKER]}
        return str(self._post("/staff", body)["badge"])

    def ledger(self) -> list[Mapping[str, Any]]:
        rows: list[Mapping[str, Any]] = []
        while True:
            after = rows[-1]["seq"] if rows else 0
            answer = self._http.get(f"/lockers/{LOCKER}/ledger", params={"after": after, "limit": 500})
            page = answer.raise_for_status().json()["rows"]
            if not page:
                return rows
            rows += page

    def locker(self) -> Mapping[str, Any]:
        answer = self._http.get(f"/lockers/{LOCKER}").raise_for_status()
        return dict(answer.json())

    def _post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self._http.post(path, json=body)
        if not answer.is_success:
            raise DidNotHappenError(f"POST {path}: {answer.status_code} {answer.text}")
        return dict(answer.json())


class Phone:
    """What an SMS gateway delivered."""

    def __init__(self, stack: Stack) -> None:
        self._http = stack.client(stack.phone_url)

    def awaits(
        self, number: str, template: str, case: str, patience_s: float = PATIENCE_S
    ) -> Mapping[str, Any]:
        """The message of a template about a case, when it is there."""

        def look() -> Mapping[str, Any] | None:
            messages = self._http.get("/messages", params={"to": number}).json()
            fitting = (
                m for m in messages if m["template"] == template and m["variables"].get("case") == case
            )
            return next(fitting, None)

        return until(f"an SMS {template} for {case}", look, patience_s)

    def codes(self) -> set[tuple[str, str]]:
        """All codes that were ever delivered, typed and scanned, as digits, each with its kind."""
        found: set[tuple[str, str]] = set()
        for message in self._http.get("/messages").json():
            if message["code"]:
                found.add((f"a code of {message['template']}", message["code"]))
            if message["scan"]:
                found.add((f"a scanned code of {message['template']}", message["scan"]))
        return found


class Hands:
    """What people do with doors and papers, and what lies on the wire."""

    def __init__(self, stack: Stack) -> None:
        self._http = stack.client(stack.panel_url)

    def do(self, door: int, act: str) -> None:
        self._http.post(f"/doors/{door}/{act}").raise_for_status()

    def put_and_shut(self, door: int) -> None:
        clock.pause_s(HAND_S)
        self.do(door, "put")
        clock.pause_s(HAND_S)
        self.do(door, "shut")

    def take_and_shut(self, door: int) -> None:
        clock.pause_s(HAND_S)
        self.do(door, "take")
        clock.pause_s(HAND_S)
        self.do(door, "shut")

    def doors(self) -> list[Mapping[str, Any]]:
        return list(self._http.get("/state").json()["doors"])

    def sees_open(self, door: int) -> bool:
        return any(each["number"] == door and each["open"] for each in self.doors())

    def pulses(self) -> list[Mapping[str, Any]]:
        return list(self._http.get("/pulses").json())


class Visitor:
    """Somebody in front of the kiosk's page."""

    def __init__(self, stack: Stack) -> None:
        # The page's own requests name where they come from.
        self._http = stack.client(stack.kiosk_url, {"Origin": stack.kiosk_url}, 30)

    def view(self) -> View:
        return dict(self._http.get("/api/view").raise_for_status().json())

    def types(self, code: str) -> View:
        return self._post("/api/code", {"typed": code})

    def scans(self, digits: str) -> View:
        return self._post("/api/code", {"scanned": digits})

    def scans_without_waiting(self, digits: str) -> None:
        """Shows a code and looks away: the answer may never come."""

        headers = self._boot()

        def post() -> None:
            with contextlib.suppress(httpx.TransportError):
                self._http.post("/api/code", json={"scanned": digits}, headers=headers)

        threading.Thread(target=post, daemon=True).start()

    def presses(self, act: str, **data: object) -> View:
        return self._post("/api/act", {"act": act, **data})

    def sees(self, *screens: str, patience_s: float = PATIENCE_S) -> View:
        """The view, once it shows one of these screens."""
        last: list[str] = [""]

        def look() -> View | None:
            view = self.view()
            last[0] = f"{view['screen']} {view['refused'] or ''}"
            return view if view["screen"] in screens else None

        try:
            return until(f"the screen {' or '.join(screens)}", look, patience_s)
        except DidNotHappenError as error:
            raise DidNotHappenError(f"{error}; the page showed {last[0]!r}") from None

    def _boot(self) -> dict[str, str]:
        """What is posted carries the word of the start whose page it is posted from."""
        return {"X-Kiosk-Boot": str(self.view()["boot"])}

    def _post(self, path: str, body: Mapping[str, object]) -> View:
        answer = self._http.post(path, json=body, headers=self._boot())
        if not answer.is_success:
            raise DidNotHappenError(f"POST {path} {sorted(body)}: {answer.status_code} {answer.text}")
        return dict(answer.json())


def doors_seen(stack: Stack) -> bool:
    """Whether the locker has read every door's sensor since it started."""
    compartments = stack.status()["compartments"]
    return all(compartment["door"] != "unknown" for compartment in compartments.values())


class Killer:
    """Ends `lockerd` as soon as the lock has fired, before the sensor can have been believed."""

    def __init__(self, stack: Stack, hands: Hands, before: int) -> None:
        self._stack = stack
        self._hands = hands
        self._before = before

    def scan_and_kill(self, visitor: Visitor, digits: str) -> None:
        visitor.scans_without_waiting(digits)
        end_s = clock.mono_s() + PATIENCE_S
        while len(self._hands.pulses()) == self._before:  # without a pause: the door is quick
            if clock.mono_s() > end_s:
                raise DidNotHappenError("no pulse came")
        self._stack.kill_locker()

    def door(self) -> int:
        return int(self._hands.pulses()[-1]["compartment"])


def button(view: Mapping[str, Any], act: str) -> Mapping[str, Any]:
    """What the first button of an act carries, also where it stands in a row."""
    buttons = [*view["acts"], *(button for row in view["rows"] for button in row.get("acts", [row]))]
    for button in buttons:
        if button.get("act") == act:
            return dict(button["data"])
    raise DidNotHappenError(f"no button {act} on {view['screen']}")
