"""Scenes in which people do what they should not, or nothing does what it should not."""

from locker.domain import codes, events
from locker.domain.allocation import choose
from locker.domain.codes import typed_text
from locker.domain.compartment import Size
from locker.domain.deposit import Kind
from locker.domain.ids import StaffId
from locker.domain.tokens import Scope, Token, TokenPurpose, pack
from sync import seal
from sync.central import directives
from tests.world import times
from tests.world.mutants.cast import Cast, LostError
from tests.world.times import HOUR_S


async def visits(cast: Cast) -> None:
    """Papers are handed in and taken in, a licence is loaded and collected."""
    badge = await cast.badge()
    first, second = await cast.passed(), await cast.passed()
    await cast.hands_in(first)
    await cast.hands_in(second)
    await cast.takes_in(badge, first)
    licence, label = await cast.label()
    await cast.loads(badge, licence, label)
    await cast.collects(licence)


async def vandals(cast: Cast) -> None:
    """Doors are torn open, one of them with papers behind it."""
    papers = await cast.passed()
    await cast.hands_in(papers)
    others = [door for door in cast.machine.model.numbers if door != papers.door]
    for door in (papers.door, cast.rng.choice(others)):
        cast.machine.do(door, "pry")
        await cast.wait(10, 20)
        cast.shuts(door)
        await cast.wait(5, 10)


async def left_open(cast: Cast) -> None:
    """Somebody hands in, and does not shut the door for a long time."""
    papers = await cast.passed()
    await cast.asks_to_hand_in(papers)
    door = await cast.opened(papers)
    cast.puts(papers)
    await cast.wait(200, 400)
    cast.shuts(door)
    await cast.wait(1, 5)


async def looks_only(cast: Cast) -> None:
    """Somebody opens their compartment, looks, and shuts it; then they come back for what is inside."""
    badge = await cast.badge()
    licence, label = await cast.label()
    await cast.loads(badge, licence, label)
    await cast.collects(licence, takes=False)
    await cast.wait(20, 60)
    await cast.collects(licence)


async def walk_away(cast: Cast) -> None:
    """Doors are opened and shut again without a thing, and nobody presses anything any more."""
    for _ in range(2):
        papers = await cast.passed()
        await cast.asks_to_hand_in(papers)
        door = await cast.opened(papers)
        cast.shuts(door)
        await cast.sees("empty")
        await cast.wait(150, 250)


async def old_codes(cast: Cast) -> None:
    """Codes whose purpose has ended are shown again."""
    badge = await cast.badge()
    papers = await cast.passed()
    await cast.hands_in(papers)
    await cast.takes_in(badge, papers)
    await _shows(cast, papers.typed, papers.scan)
    licence, label = await cast.label()
    await cast.loads(badge, licence, label)
    await cast.collects(licence)
    await _shows(cast, licence.typed, licence.scan)


async def second_codes(cast: Cast) -> None:
    """A lost code gives way to a new one, an agent collects, and every code is shown again."""
    badge = await cast.badge()
    licence, label = await cast.label()
    await cast.loads(badge, licence, label)
    lost = (licence.typed, licence.scan)
    await cast.loses(licence)
    await _shows(cast, *lost)
    agents = await cast.sends(licence)
    await cast.collects_for_another(agents)
    await _shows(cast, licence.typed, licence.scan)


async def revoked_badge(cast: Cast) -> None:
    """A helper is dismissed, and comes to work all the same."""
    badge = await cast.badge()
    papers = await cast.passed()
    await cast.hands_in(papers)
    await cast.signs_in(badge)
    await cast.screen.act("sign_out")
    says = events.StaffRevoked(StaffId("helper-0"))
    now_ms = times.true_wall_ms()
    await cast.at_the_hub(lambda c: directives.append(c, cast.machine.name, says, now_ms))
    await cast.wait(20, 30)
    if (await cast.screen.scanned(badge))["screen"] == "pin":
        await cast.takes_in(badge, papers)


async def foreign_tokens(cast: Cast) -> None:
    """Tokens that are meant for another town, and one that nobody of the centre has signed."""
    honest, other = cast.centre.desk.keys.sign, seal.SigningKey.from_seed(cast.rng.randbytes(32))
    for key, where in ((honest, "elsewhere"), (other, "park")):
        now = times.true_wall_ms() // 60_000
        reference, nonce = f"{cast.rng.randrange(10**12)}", cast.rng.randbytes(8)
        token = Token(
            TokenPurpose.DROP_OFF, Scope.AREA, where, reference, "C-1", Size.S, now - 9, now + 9_999, nonce
        )
        digits = codes.bytes_to_digits(seal.frame(key, pack(token)))
        await _shows(cast, "00000000000", codes.ScanKind.TOKEN + digits)


async def expired_codes(cast: Cast) -> None:
    """A code is shown the day after it ended."""
    papers = await cast.passed(hours=1)
    await cast.wait(1.2 * HOUR_S, 1.5 * HOUR_S)
    await _shows(cast, papers.typed, papers.scan)


async def wrong_codes(cast: Cast) -> None:
    """Wrong ones for a code that exists, before and after a power cut; meanwhile right ones are scanned."""
    papers, other = await cast.passed(), await cast.passed()
    for n in range(3):
        await cast.types_wrongly(papers, n)
        await cast.wait(0.5, 2)
    await cast.cut()
    for n in range(3, 6):
        await cast.types_wrongly(papers, n)
    if (await cast.screen.view())["screen"] != "home":
        await cast.screen.act("leave")
    await cast.screen.scanned(other.scan)
    await cast.screen.act("open")
    door = await cast.opened(other)
    cast.puts(other)
    cast.shuts(door)
    await cast.leaves("receipt")


async def guesses(cast: Cast) -> None:
    """Somebody types at random, and holds rubbish before the scanner."""
    for _ in range(2):
        for _ in range(cast.rng.randint(2, 4)):
            await cast.screen.typed(typed_text("999", f"{cast.rng.randrange(10**7):07d}"))
            await cast.wait(5, 9)
        for _ in range(cast.rng.randint(2, 9)):
            await cast.screen.scanned("1" + f"{cast.rng.randrange(10**20):020d}")
            await cast.wait(0.2, 1)
        await cast.wait(70, 200)


async def doubts(cast: Cast) -> None:
    """The very door that would be next is torn open, and something is put behind it."""
    await cast.hands_in(await cast.passed())
    assert cast.machine.built is not None
    door = choose(cast.machine.built.journal.state, Kind.SUBMISSION, Size.S)
    assert door is not None
    cast.machine.do(door, "pry")
    await cast.wait(5, 10)
    cast.shuts(door)
    await cast.wait(5, 10)
    await cast.hands_in(await cast.passed())
    await cast.hands_in(await cast.passed())


async def crowded(cast: Cast) -> None:
    """More large things than there are large compartments."""
    licence, label = await cast.label(size=Size.L)
    await cast.loads(await cast.badge(), licence, label)
    for _ in range(2):
        papers = await cast.passed(size=Size.L)
        view = await cast.screen.typed(papers.typed)
        if view["screen"] != "offer":
            raise LostError(view["screen"])
        view = await cast.screen.act("open")
        if view["refused"]:
            await cast.screen.act("leave")
            continue
        await cast.opened(papers)
        cast.puts(papers)
        cast.shuts(papers.door)
        await cast.leaves("receipt", "confirm_in")


async def technician(cast: Cast) -> None:
    """A technician goes to a door behind which papers lie, and tries whether it opens."""
    papers = await cast.passed()
    await cast.hands_in(papers)
    await cast.signs_in(await cast.badge("technician"))
    await cast.screen.act("service", tab="doors")
    view = await cast.screen.act("service_door", door=papers.door)
    if "problem" in view:
        raise LostError("no page of this door")
    await cast.screen.act("test_open", door=papers.door)
    await cast.wait(8, 12)
    cast.shuts_all()
    await cast.wait(5, 8)
    await cast.screen.act("sign_out")


async def _shows(cast: Cast, typed: str, scan: str) -> None:
    for how in ("typed", "scanned"):
        view = await (cast.screen.typed(typed) if how == "typed" else cast.screen.scanned(scan))
        if view["screen"] == "offer":
            await cast.screen.act("open")
        await cast.wait(8, 15)
        cast.shuts_all()
        await cast.wait(3, 5)
        view = await cast.screen.view()
        if "leave" in {act["act"] for act in view["acts"]}:
            await cast.screen.act("leave")
