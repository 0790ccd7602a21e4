"""What people press to get help, or another code, or to say how it was."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from kiosk_ui import forms
from kiosk_ui.acts import Press
from kiosk_ui.backroom import Contact
from kiosk_ui.forms import Form, Move, Sheet
from kiosk_ui.lists import authorisation_of, shown_door
from kiosk_ui.names import Act
from kiosk_ui.screens import Visit, screen_beneath
from locker.domain.asked import HelpCategory
from locker.domain.errors import Refusal
from locker.domain.ids import AuthorisationId
from locker.operations import ask
from locker.operations.ports import JournalFailing, World

log = logging.getLogger(__name__)

CASE_MIN: Final = 4
CASE_MAX: Final = 24
"""Characters of a case number, or of its digits alone."""
PHONE_DIGITS: Final = 11
"""Of a mobile phone: a message goes there."""
CALL_DIGITS_MIN: Final = 7
CALL_DIGITS_MAX: Final = 12
"""A call reaches a telephone on a desk as well."""


async def _help(world: World, visit: Visit, press: Press) -> Visit:
    """Where nobody would be called any more, that is said before anything is typed."""
    del press
    if refusal := ask.help_refused(world, world.journal.state):
        return replace(visit, form=Form(Sheet.HELP_TOO_OFTEN, wait_s=refusal.wait_s))
    beneath = screen_beneath(visit, world.journal.state).value
    why = visit.refusal.reason.value if visit.refusal else ""
    return replace(visit, form=Form(Sheet.HELP_WHAT, beneath, why))


async def _help_about(world: World, visit: Visit, press: Press) -> Visit:
    del world
    return _on(visit, Move.TOLD, category=str(press.data["category"]))


async def _help_phone(world: World, visit: Visit, press: Press) -> Visit:
    """With their number, or without one where they want no call."""
    form, state, digits = _form(visit), world.journal.state, str(press.data.get("digits", ""))
    if digits and not _is_number(digits, CALL_DIGITS_MIN, CALL_DIGITS_MAX):
        return _wrong(visit)
    right = authorisation_of(visit, state)
    call = ask.Call(
        HelpCategory(form.category),
        form.beneath,
        form.refusal,
        shown_door(visit, state),
        visit.deposit,
        right.authorisation if right else AuthorisationId(""),
        digits,
    )
    said = await ask.help_(world, call)
    if isinstance(said, Refusal):
        return _on(visit, Move.TOO_OFTEN, wait_s=said.wait_s)
    return _on(visit, Move.SENT, reference=said)


async def _lost_case(world: World, visit: Visit, press: Press) -> Visit:
    del world
    case = str(press.data["digits"]).upper()
    if not (CASE_MIN <= len(case) <= CASE_MAX and case.isascii() and case.replace("-", "").isalnum()):
        return _wrong(visit)
    return _on(visit, Move.TOLD, case=case)


async def _sheet_back(world: World, visit: Visit, press: Press) -> Visit:
    del world, press
    return _on(visit, Move.BACK)


def does(contact: Callable[[], Contact]) -> dict[Act, Any]:
    """What is done on these presses. ``contact``: how it stands with the centre just now."""

    async def lost(world: World, visit: Visit, press: Press) -> Visit:
        del world, press
        sheet = Sheet.LOST_CASE if contact().online else Sheet.LOST_OFFLINE
        return replace(visit, form=Form(sheet))

    async def lost_phone(world: World, visit: Visit, press: Press) -> Visit:
        digits = str(press.data["digits"])
        if not _is_number(digits, PHONE_DIGITS, PHONE_DIGITS):
            return _wrong(visit)
        if not contact().online:
            return _on(visit, Move.OFFLINE, case="")
        refusal = await ask.lost_code(world, _form(visit).case, digits)
        if refusal is not None:
            return _on(visit, Move.TOO_OFTEN, case="", wait_s=refusal.wait_s)
        return _on(visit, Move.SENT, case="")

    return {**DOES, Act.LOST: lost, Act.LOST_PHONE: lost_phone}


async def rate(world: World, visit: Visit, press: Press) -> Visit:
    """One tap, once. It keeps nobody: where it cannot be written down, it was not said."""
    grade = int(press.data["grade"])
    if visit.grade:
        return visit
    try:
        refusal = await ask.rate(world, visit.deposit, grade)
    except JournalFailing:
        log.warning("a rating could not be written down")
        return visit
    return replace(visit, refusal=refusal) if refusal else replace(visit, grade=grade)


def _form(visit: Visit) -> Form:
    assert visit.form is not None  # noqa: S101  # its acts are offered on its sheets only
    return visit.form


def _on(visit: Visit, move: Move, **fields: Any) -> Visit:
    form = _form(visit)
    sheet = forms.moved(form, move)
    return replace(visit, form=replace(form, sheet=sheet, wrong=False, **fields) if sheet else None)


def _wrong(visit: Visit) -> Visit:
    return replace(visit, form=replace(_form(visit), wrong=True))


def _is_number(digits: str, least: int, most: int) -> bool:
    return least <= len(digits) <= most and digits.isascii() and digits.isdigit()


DOES: Final[Mapping[Act, Any]] = {
    Act.HELP: _help,
    Act.HELP_ABOUT: _help_about,
    Act.HELP_PHONE: _help_phone,
    Act.LOST_CASE: _lost_case,
    Act.SHEET_BACK: _sheet_back,
    Act.RATE: rate,
}
