"""``selftest start | progress | stop``: the acceptance test, begun and followed through the control socket.

Who asks is local: the kernel named their uid, and the machine vouches for them as a technician.
"""

from collections.abc import Mapping
from typing import Any, Final

from locker.control import Answer
from locker.domain.acceptance import Fact
from locker.domain.encoding import public_data
from locker.domain.ids import CompartmentNumber, StaffId
from locker.operations.self_test import Wish
from locker.operations.self_tester import SelfTester
from locker.operations.service import Technician

WAIT_MS: Final = 2_000
"""An answer about progress is held back so long for something new."""
LIMITS: Final = {"poll_s": (1, 3_600), "close_s": (1, 600)}
DOORS_MAX: Final = 1_000
KEYS: Final = frozenset({"do", "uid", "doors", "go_on", *LIMITS})


class BadWish(Exception):
    """The question cannot be meant so. The message says why."""


def answers(tester: SelfTester) -> Mapping[str, Answer]:
    async def start(question: Mapping[str, Any]) -> Mapping[str, Any]:
        """``doors`` (none: all), ``poll_s``, ``close_s``, ``go_on``; answers the test's number as ``run``."""
        try:
            wish = _wish(question)
        except BadWish as error:
            return {"ok": False, "problem": str(error)}
        if refusal := tester.start(_technician(question), wish):
            problem = f"{refusal.reason.value}: another self-test runs, or there is no such door"
            return {"ok": False, "problem": problem}
        return {"run": tester.number}

    async def progress(question: Mapping[str, Any]) -> Mapping[str, Any]:
        """The facts behind ``after``, each with its ``kind``; waits a little where there is none yet."""
        after = question.get("after", 0)
        if type(after) is not int or after < 0:
            return {"ok": False, "problem": "after is the number of facts known already"}
        facts = await tester.progress(after, WAIT_MS)
        return {
            "run": tester.number,
            "running": tester.running,
            "next": after + len(facts),
            "facts": [described(fact) for fact in facts],
        }

    async def stop(_question: Mapping[str, Any]) -> Mapping[str, Any]:
        tester.stop()
        return {"run": tester.number}

    return {"selftest start": start, "selftest progress": progress, "selftest stop": stop}


def described(fact: Fact) -> dict[str, Any]:
    """A fact as JSON."""
    return {"kind": type(fact).__name__, **public_data(fact)}


def _technician(question: Mapping[str, Any]) -> Technician:
    return Technician(StaffId(f"console/{question['uid']}"), local=True)


def _wish(question: Mapping[str, Any]) -> Wish:
    if unknown := sorted(set(question) - KEYS):
        raise BadWish(f"unknown key {unknown[0]!r}")
    doors = question.get("doors", [])
    if not isinstance(doors, list) or not all(type(door) is int and door > 0 for door in doors):
        raise BadWish("doors is a list of compartment numbers")
    if len(doors) > DOORS_MAX or len(set(doors)) != len(doors):
        raise BadWish(f"each door is named once, and at most {DOORS_MAX}")
    go_on = question.get("go_on", False)
    if not isinstance(go_on, bool):
        raise BadWish("go_on is true or false")
    defaults = Wish()
    seconds = {name: question.get(name, getattr(defaults, name)) for name in LIMITS}
    for name, value in seconds.items():
        low, high = LIMITS[name]
        if type(value) is not int or not low <= value <= high:
            raise BadWish(f"{name} is a whole number from {low} to {high}")
    return Wish(tuple(map(CompartmentNumber, doors)), seconds["poll_s"], seconds["close_s"], go_on)
