"""The course of a self-test on a terminal, or in a file."""

import sys
from collections.abc import Mapping
from typing import Any, Final

from locker.ctl.report.result import total
from locker.ctl.report.words import doing, sentence, sentences

BAR_CHARACTERS: Final = 30


class Screen:
    """A bar below the lines on a terminal; lines alone elsewhere."""

    def __init__(self) -> None:
        self._bar = ""
        self._live = sys.stdout.isatty()

    def say(self, text: str) -> None:
        """A line for good."""
        if self._live and self._bar:
            print("\r\x1b[K", end="")
        print(text)
        self._draw()

    def show(self, fact: Mapping[str, Any]) -> None:
        match fact["kind"]:
            case "Step" if self._live:
                done = BAR_CHARACTERS * fact["done"] // fact["of"]
                bar = "#" * done + "-" * (BAR_CHARACTERS - done)
                self._bar = f"[{bar}] {doing(fact)}"
                print("\r\x1b[K", end="")
                self._draw()
            case "Step" if fact["doing"] == "awaiting_shut":
                self.say(doing(fact))
            case "Ended":
                self._bar = ""
                self.say(ended(fact))
            case "BoardResult" | "DoorResult" | "LineResult" as kind:
                self.say({"BoardResult": board, "DoorResult": door, "LineResult": line}[kind](fact))

    def _draw(self) -> None:
        print(self._bar if self._live else "", end="", flush=True)


def board(fact: Mapping[str, Any]) -> str:
    head = f"board {fact['board']:<6} {_mark(fact)}  {fact['profile']} ({fact['quality']})"
    return f"{head}  {sentence(fact)}".rstrip()


def door(fact: Mapping[str, Any]) -> str:
    times = [
        f"{what} {fact[name] / 1000:.2f} s"
        for what, name in (("reply", "acknowledged_ms"), ("open", "opened_ms"), ("shut after", "shut_ms"))
        if fact[name] is not None
    ]
    return f"door {fact['door']:>3}    {_mark(fact)}  {sentence(fact) or ', '.join(times)}"


def line(fact: Mapping[str, Any]) -> str:
    asked, missed = total(fact, "asked"), total(fact, "missed")
    figures = [
        f"{missed} of {asked} questions unanswered",
        f"{fact['utilisation']:.0%} busy",
        f"silence {fact['shortest_silence_ms']:.1f} ms ({fact['needed_silence_ms']:.1f} needed)",
    ]
    if fact["slowest_ms"] is not None:
        figures.append(f"seen open {fact['slowest_ms'] / 1000:.2f} s after the pulse at the latest")
    said = [*sentences(fact, "problems"), *sentences(fact, "remarks")]
    return "\n".join(
        [f"line {fact['line']:<7} {_mark(fact)}  {', '.join(figures)}", *(f"  {s}" for s in said)]
    )


def ended(fact: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{len(fact[name])} {name}" for name in ("passed", "failed", "skipped"))
    why = sentence(fact)
    return f"{fact['verdict'].upper()}: doors {counts}" + (f"; {why}" if why else "")


def _mark(fact: Mapping[str, Any]) -> str:
    outcome = str(fact["outcome"])
    return f"{outcome.upper() if outcome == 'failed' else outcome:<7}"
