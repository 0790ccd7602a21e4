"""Mistakes on the screen."""

from collections.abc import Iterator
from typing import Any

from kiosk_ui.kiosk import Kiosk
from kiosk_ui.names import Screen
from tests.world.mutants.mutant import mutant, replaced, table


@mutant({24}, "walk away")
def session_never_ends() -> Iterator[None]:
    """Nobody is asked whether they are still there."""
    with replaced(Kiosk, "_arm", lambda _self: None):
        yield


@mutant({18, 24}, "visits")
def name_stays_on_the_screen() -> Iterator[None]:
    """The home page thanks whoever was here last, by name."""
    honest, names = Kiosk.view, dict[int, str]()

    def view(self: Kiosk) -> dict[str, Any]:
        shown = honest(self)
        if self.visit.name:
            names[id(self)] = self.visit.name
        elif shown["screen"] == Screen.HOME:
            shown["lead"] = f"{shown.get('lead', '')} {names.get(id(self), '')}"
        return shown

    with replaced(Kiosk, "view", view):
        yield


@mutant({16}, "full disk")
def failing_journal_is_not_shown() -> Iterator[None]:
    """The page looks as ever while nothing can be recorded."""
    honest = Kiosk.view

    def view(self: Kiosk) -> dict[str, Any]:
        self._failing = lambda: False
        return honest(self)

    with replaced(Kiosk, "view", view):
        yield


MUTANTS = table(globals())
