"""What was found, in sentences: what it is, and what to do."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "not_vacant": "not vacant: {about}",
        "busy": "somebody else is opening it just now",
        "resting": "its lock has been pulsed as often as it bears ({about}): try again later",
        "not_reached": "the test ended before it",
        "not_seen": "its sensor cannot be seen: look at its board, the board's supply and the line",
        "reads_open": "reads open and was not touched: shut it; if it is shut, its sensor is inverted, stuck "
        "or unplugged",
        "item_seen": "something is seen in it {about} the opening: look inside; if it is empty, clean or "
        "turn its item sensor",
        "item_not_seen": "its item sensor says nothing {about} the opening: look at its board and cable",
        "not_sent": "no pulse left: {about}",
        "refused": "the pulse was refused: {about}",
        "not_acknowledged": "it opened, but its board's reply to the pulse was lost: look at the line",
        "stuck": "pulsed, and not seen to open: look at its lock, its cable, its leaf and its sensor",
        "other_moved": "when it was pulsed door {about} moved: locks or sensors are swapped, or a relay "
        "sticks",
        "not_shut": "not seen shut in time: shut it; if it springs open its relay sticks, if it is shut its "
        "sensor does",
        "seen_late": "seen open only after {about}: the line is slower than its configuration reckons",
        "opened_alone": "door {about} opened and nobody was granted it",
        "board_down": "not serving: {about}",
        "experimental": "its profile is experimental: watch it",
        "not_asked": "no question went out: there is no port",
        "losses": "questions stay unanswered: look at wiring, termination, supply and baud rate",
        "silence_broken": "a silence was shorter than the line needs: this machine is overloaded",
        "noise": "stray bytes before replies: fit bias resistors, or shorten and shield the line",
        "refusals": "a board answered reads with exceptions: is it what its profile says?",
        "stopped": "stopped before its end",
        "nobody_follows": "whoever began it has gone, so no further door was opened",
        "journal_failing": "the journal cannot be written, so no door opens: free or replace the disk",
        "no_door": "no door could be tried",
    }
)
ON_A_LINE: Final[Mapping[str, str]] = MappingProxyType(
    {"board_down": "a board that answered at first was lost: look at its supply and cable"}
)
DOINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "identifying": "asking the boards what they are",
        "opening": "opening door {door}",
        "awaiting_shut": "door {door} is open: push it shut",
        "polling": "polling the lines",
    }
)


def sentence(found: Mapping[str, Any]) -> str:
    """Of a door, a board or the test as a whole; empty where nothing is to be said."""
    finding = found["finding"]
    about = str(found["about"]).replace("_", " ") or "no reason given"
    return SENTENCES[finding].format(about=about) if finding else ""


def sentences(line: Mapping[str, Any], which: str) -> list[str]:
    """Of a line: its ``problems`` or its ``remarks``."""
    return [ON_A_LINE.get(finding) or SENTENCES[finding] for finding in line[which]]


def doing(step: Mapping[str, Any]) -> str:
    return DOINGS[step["doing"]].format(door=step["door"])
