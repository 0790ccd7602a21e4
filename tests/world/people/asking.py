"""What people do at the screen beside their visits: ask for help, ask for a lost code, say how it was."""

from typing import TYPE_CHECKING, Final

from tests.world.people.town import GoneError
from tests.world.screen import DarkError
from tests.world.times import pause

if TYPE_CHECKING:
    from tests.world.centre import Sms
    from tests.world.people.visitors import Visitor

RATES, SOUR, CALLS = 0.2, 0.15, 0.6
"""How many say how it was; of these how many say a low grade; who wants to be called back."""
CATEGORIES: Final = ("code", "door", "not_empty", "wrong_item", "papers", "other")
LOST_PATIENCE_S: Final = 900.0


async def rates(who: "Visitor") -> None:
    """In passing, where the screen asks."""
    asked = who.shown["rating"] or {"grades": []}
    if not asked["grades"] or not who.chance(RATES):
        return
    low = who.chance(SOUR)
    await who.press("rate", grade=who.rng.choice((1, 2) if low else (3, 4, 5)))
    who.world.reached("a visit was rated low" if low else "a visit was rated")


async def calls_for_help(who: "Visitor", category: str = "") -> None:
    """What they could not get done; with a number to call them back, most often."""
    if "help" not in [button["act"] for button in who.shown["corner"]]:
        return
    await who.press("help")
    if who.shown["screen"] == "help_what":
        await who.wait(2, 6)
        await who.press("help_about", category=category or who.rng.choice(CATEGORIES))
        await who.wait(2, 8)
    if who.shown["screen"] == "help_phone":
        await who.press("help_phone", **({"digits": who.phone} if who.chance(CALLS) else {}))
    who.world.reached(f"help: {who.shown['screen']}")
    if "sheet_back" in who.acts:
        await who.wait(1, 3)
        await who.press("sheet_back")


async def asks_for_another_code(who: "Visitor") -> "Sms | None":
    """At the kiosk, in a visit of its own; the message with the new code, if it comes soon."""
    asked_s, sent = who.world.loop.time(), False
    try:
        async with who.town.lines[who.machine.name].turn(900):
            await who.arrives()
            sent = await _fills_in(who)
    except (DarkError, GoneError):
        return None
    if not sent:
        return None
    return await who.town.sms(who.phone, "pickup_code", who.case, LOST_PATIENCE_S, asked_s)


async def _fills_in(who: "Visitor") -> bool:
    if "lost" not in [button["act"] for button in who.shown["corner"]]:
        return False
    await who.press("lost")
    if who.shown["screen"] == "lost_case":
        await who.wait(3, 8)
        # Some type the letters as well, others the digits alone.
        digits = "".join(each for each in who.case if each.isdigit())
        await who.press("lost_case", digits=who.case if who.chance(0.5) else digits)
    if who.shown["screen"] == "lost_phone":
        await who.wait(3, 8)
        await who.press("lost_phone", digits=who.phone)
    said = who.shown["screen"]
    who.world.reached(f"a lost code: {said}")
    await pause(2)
    if "sheet_back" in who.acts:
        await who.press("sheet_back")
    return bool(said == "lost_sent")
