"""What must hold once the processes are quiet: journal, ledger, cabinet, phones and promises agree.

Read from what each of them wrote, not from what it says of itself.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from hw_sim import verdict
from tests.processes.rig import LOCKER, Rig

Event = Mapping[str, Any]
SLACK_MS: Final = 50
"""Between the two processes' readings of one clock."""
DEADLINE_MS: Final = 3_000
"""From the person's last act; no pulse leaves later (`Policy.pulse_deadline_ms`)."""
PROMISES: Final = {
    "receipt": "SubmissionDeposited",
    "taken_in": "SubmissionTaken",
    "loaded": "ItemLoaded",
    "collected": "ItemPickedUp",
}
"""What a page said to a person, and the entry that makes it true."""


def pulses_against_grants(pulses: Sequence[Mapping[str, Any]], events: Iterable[Event]) -> list[str]:
    """One pulse a grant at most, after it was made and in time; none where none was sent. What is wrong."""
    grants: dict[int, list[dict[str, Any]]] = {}
    known: dict[str, dict[str, Any]] = {}
    for event in events:
        data = event["data"]
        if event["type"] == "OpeningRequested":
            known[data["grant"]] = {"at_ms": event["mono"], "said": "", "pulses": 0, "door": data["door"]}
            grants.setdefault(data["door"], []).append(known[data["grant"]])
        elif event["type"].startswith("Pulse"):
            known[data["grant"]]["said"] = event["type"]
    wrong = []
    ahead_ms = _boot_time_ahead_ms()
    for pulse in pulses:
        at_ms, door = pulse["mono_s"] * 1000 + ahead_ms, pulse["compartment"]
        before = [g for g in grants.get(door, ()) if g["at_ms"] <= at_ms + SLACK_MS]
        if not before:
            wrong.append(f"pulse {pulse['n']} of door {door} without a grant")
            continue
        last = before[-1]
        last["pulses"] += 1
        if at_ms > last["at_ms"] + DEADLINE_MS + SLACK_MS:
            wrong.append(
                f"pulse {pulse['n']} of door {door} came {at_ms - last['at_ms']:.0f} ms after its grant"
            )
    for key, grant in known.items():
        most = 0 if grant["said"] == "PulseNotSent" else 1
        least = 1 if grant["said"] == "PulseAcknowledged" else 0
        if not least <= grant["pulses"] <= most:
            wrong.append(f"grant {key} of door {grant['door']} ({grant['said']}): {grant['pulses']} pulses")
    return wrong


def _boot_time_ahead_ms() -> float:
    """The locker counts the time that the machine slept, the cabinet does not."""
    return (time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)) * 1000


def promises_kept(acknowledged: Iterable[tuple[str, str]], events: Sequence[Event]) -> list[str]:
    """What pages said stands in the journal; nothing was handed in, loaded or collected twice."""
    cases = {
        event["data"]["deposit"]: event["data"]["case"]
        for event in events
        if event["type"] == "CompartmentReserved"
    }
    done = Counter(
        (event["type"], cases[event["data"]["deposit"]])
        for event in events
        if event["type"] in PROMISES.values()
    )
    wrong = [f"{case} is {kind} {count} times" for (kind, case), count in done.items() if count > 1]
    for word, case in acknowledged:
        if not done[PROMISES[word], case]:
            wrong.append(f"{word} was shown for {case}, and no {PROMISES[word]} is in the journal")
    return wrong


def told_twice(rig: Rig) -> list[str]:
    """More than one message of a kind about a case."""
    messages = Counter(
        (message["template"], message["variables"]["case"])
        for message in rig.phone._http.get("/messages").json()
    )
    return [
        f"{what} of {case} was sent {count} times" for (what, case), count in messages.items() if count > 1
    ]


def doors_as_they_are(rig: Rig) -> list[str]:
    """What lies where, by the cabinet, by the locker and by the hub."""
    wrong = []
    theirs = {door["number"]: door for door in rig.office.locker()["compartments"]}
    for number, own in rig.status()["compartments"].items():
        real = next(door for door in rig.hands.doors() if door["number"] == int(number))
        if (own["door"] == "open") != real["open"]:
            wrong.append(f"door {number} is {own['door']} for the locker, and open is {real['open']}")
        if own["status"] == "vacant" and real["item"]:
            wrong.append(f"compartment {number} is vacant, and something lies in it")
        if own["status"] == "holding" and not real["item"]:
            wrong.append(f"compartment {number} holds something, and nothing lies in it")
        if theirs[int(number)]["status"] != own["status"]:
            wrong.append(
                f"compartment {number} is {own['status']}, at the hub {theirs[int(number)]['status']}"
            )
    return wrong


def judged(rig: Rig, acknowledged: Iterable[tuple[str, str]]) -> list[str]:
    """Everything that is wrong, in words; waits for quiet first."""
    rig.quiet()
    journal, ledger = rig.journal(), rig.office.ledger()
    while len(journal) != len(ledger):  # something was journaled between the two looks
        rig.quiet()
        journal, ledger = rig.journal(), rig.office.ledger()
    events = rig.events()
    wrong = [differs] if (differs := verdict.difference(journal, ledger)) else []
    wrong += pulses_against_grants(rig.pulses(), events)
    wrong += promises_kept(acknowledged, events)
    wrong += told_twice(rig)
    wrong += doors_as_they_are(rig)
    return wrong


def verified(rig: Rig) -> str:
    """The product's own verdict on the journal; empty where it verifies."""
    done = rig.lockerctl("journal", "verify")
    return "" if done.returncode == 0 else f"{LOCKER}: {done.stdout}{done.stderr}"
