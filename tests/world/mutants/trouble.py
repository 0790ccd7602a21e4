"""Scenes in which something breaks: line, disk, power, clock, network, hub. Each mends what it broke."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from hw_sim.physics import Mechanics
from tests.world import times
from tests.world.disks import FULL
from tests.world.mutants.cast import Cast, Papers
from tests.world.mutants.visits import visits
from tests.world.times import pause

if TYPE_CHECKING:
    from locker.domain.state import LockerState
    from tests.world.faults.cards import Image
    from tests.world.machine import Machine

DAY_MS: Final = 86_400_000
YEAR_MS: Final = 365 * DAY_MS


async def deaf_replies(cast: Cast) -> None:
    """Replies to pulses get lost, and once the lock is jammed as well."""

    def deaf(machine: "Machine", _pulse: Any) -> None:
        machine.break_line("A", loss=1.0)
        times.at(machine.loop.time() + 0.25, lambda: machine.break_line("A", loss=0.0))

    cast.world.on_pulse.append(deaf)
    for _ in range(2):
        await cast.hands_in(await cast.passed())
    papers = await cast.passed()
    await _jammed(cast, papers)


async def _jammed(cast: Cast, papers: Papers) -> None:
    """The door that they are given does not open, and they go away."""
    doors = cast.machine.model.numbers
    for door in doors:
        cast.machine.do(door, "jam")
    await cast.asks_to_hand_in(papers)
    await cast.sees("stuck", for_s=30)
    await cast.wait(1, 5)
    for door in doors:
        cast.machine.do(door, "unjam")
    await cast.leaves("stuck")


async def slow_disk(cast: Cast) -> None:
    """Each write takes longer than a pulse may wait."""
    papers = await cast.passed()
    cast.machine.storing.slow_s = cast.rng.uniform(3.2, 5.0)
    await cast.asks_to_hand_in(papers)
    await cast.wait(12, 20)
    cast.machine.storing.slow_s = 0.0
    await cast.wait(20, 30)
    cast.shuts_all()


async def full_disk(cast: Cast) -> None:
    """The disk fills up while somebody is about to open a door; then it is emptied, and all started anew."""
    first, second = await cast.passed(), await cast.passed()
    await cast.screen.typed(first.typed)
    cast.machine.platter.refuses = FULL
    await cast.screen.act("open")
    await cast.wait(5, 10)
    for _ in range(2):
        await _tries(cast, second)
    cast.machine.platter.refuses = None
    await _tries(cast, second)
    cast.shuts_all()
    await cast.wait(1, 60)
    cast.machine.kill()
    await cast.up()
    await cast.hands_in(second)


async def _tries(cast: Cast, papers: Papers) -> None:
    view = await cast.screen.view()
    if "leave" in {act["act"] for act in view["acts"]}:
        await cast.screen.act("leave")
        await cast.wait(1, 2)
        await cast.screen.view()
    view = await cast.screen.typed(papers.typed)
    if view["screen"] == "offer":
        await cast.screen.act("open")
    await cast.wait(8, 12)


async def power_cuts(cast: Cast) -> None:
    """The power goes as soon as somebody has their receipt."""
    for _ in range(2):
        papers = await cast.passed()
        await cast.asks_to_hand_in(papers)
        door = await cast.opened(papers)
        cast.puts(papers)
        cast.shuts(door)
        await cast.sees("receipt")
        await cast.cut()


async def cut_on_a_slow_disk(cast: Cast) -> None:
    """Writes take a while, and the power goes as soon as somebody was told of a receipt."""
    papers = await cast.passed()
    cast.machine.storing.slow_s = cast.rng.uniform(0.2, 0.6)
    cast.world.broker.cut(cast.machine.name)
    _cuts_at(cast, "ReceiptIssued")
    await cast.asks_to_hand_in(papers)
    door = await cast.opened(papers)
    cast.puts(papers)
    cast.shuts(door)
    await _dark_then_on(cast)


async def directives_on_a_slow_disk(cast: Cast) -> None:
    """Writes take a while, and the power goes as soon as a directive counts as applied."""
    cast.machine.storing.slow_s = cast.rng.uniform(0.2, 0.6)
    _cuts_at(cast, "DirectiveApplied")
    papers = await cast.passed_unsaid()
    await _dark_then_on(cast)
    cast.machine.storing.slow_s = 0.0
    await cast.wait(20, 40)
    await cast.hands_in(papers)


def _cuts_at(cast: Cast, kind: str) -> None:
    """Once, when such an entry is told."""

    def cut(machine: "Machine", _state: Any, entries: Any) -> None:
        if any(type(entry.event).__name__ == kind for entry in entries):
            cast.world.on_entries.remove(cut)
            times.at(machine.loop.time() + 0.05, machine.cut_power)

    cast.world.on_entries.append(cut)


async def _dark_then_on(cast: Cast) -> None:
    await cast.until(lambda: not cast.machine.powered, for_s=60)
    await cast.wait(1, 20)
    cast.machine.power_on()
    await cast.up()


async def cut_while_opening(cast: Cast) -> None:
    """The daemon dies with the pulse on its way; whoever stood there shuts the door before it is back."""
    papers = await cast.passed()

    def kill(machine: "Machine", _pulse: Any) -> None:
        cast.world.on_pulse.remove(kill)
        times.at(machine.loop.time(), machine.kill)

    cast.world.on_pulse.append(kill)
    await cast.asks_to_hand_in_blindly(papers)
    await pause(1.0)
    cast.shuts_all()
    await cast.up()
    await cast.wait(10, 20)
    cast.shuts_all()


async def wrong_clock(cast: Cast) -> None:
    """The clock's battery is empty, and the centre cannot be reached for a while."""
    papers, again = await cast.passed(), await cast.passed()
    machine = cast.machine
    machine.time.is_ntp = False
    machine.cut_power()
    machine.time.offset_ms = YEAR_MS
    await pause(3.0)
    machine.power_on()
    cast.world.broker.cut(machine.name)
    await cast.up()
    await cast.hands_in(papers)
    await cast.wait(1, 30)
    cast.world.broker.mend(machine.name)
    await cast.wait(60, 90)
    await cast.hands_in(again)
    machine.time.is_ntp, machine.time.offset_ms = True, 0
    await cast.wait(1, 30)


async def clock_jumps(cast: Cast) -> None:
    """Whatever keeps the machine's clock right sets it wrong, and right again."""
    time = cast.machine.time
    for by_ms in (-cast.rng.randint(3_000, 90_000), cast.rng.randint(3_000, DAY_MS), 0):
        papers = await cast.passed()
        time.offset_ms = by_ms
        await cast.hands_in(papers)
        await cast.wait(5, 30)


async def hub_dies(cast: Cast) -> None:
    """The hub loses its power as its acknowledgements are on their way."""
    left, broker = 3, cast.world.broker
    publish = broker.publish

    def watched(topic: str, payload: bytes, **how: Any) -> int:
        nonlocal left
        if topic.endswith("/dn/ack") and left:
            left -= 1
            times.at(cast.world.loop.time(), cast.centre.cut_power)
        return publish(topic, payload, **how)

    first, second = await cast.passed(), await cast.passed()
    broker.publish = watched  # type: ignore[method-assign]  # taken away below
    for papers in (first, second):
        await cast.hands_in(papers)
        await cast.wait(20, 60)
    broker.publish = publish  # type: ignore[method-assign]
    await cast.wait(60, 90)


async def bad_network(cast: Cast) -> None:
    """What arrives is not always what was sent."""
    papers = await cast.passed()
    cast.world.broker.weather.spoilt = 0.7
    await cast.hands_in(papers)
    await cast.wait(5, 10)
    cast.world.broker.weather.spoilt = 0.0
    await cast.wait(60, 90)


async def replayed_directives(cast: Cast) -> None:
    """Everything that the centre ever said is said once more, in another order."""
    await cast.badge()
    for _ in range(3):
        await cast.passed()
    said = [each for each in cast.world.broker.heard if each.topic.endswith("/dn/log")]
    cast.rng.shuffle(said)
    for parcel in said:
        cast.world.broker.replay(parcel)
        await cast.wait(0.1, 2)
    await cast.wait(10, 20)


async def old_card(cast: Cast) -> None:
    """A card of an earlier hour is put back."""
    await cast.hands_in(await cast.passed())
    image = cast.machine.platter.image()
    await cast.hands_in(await cast.passed())
    await cast.wait(10, 20)
    cast.world.lies.add("old_card")
    cast.world.testimony.shaken(cast.machine)
    await _exchanged(cast, image)
    await cast.wait(100, 200)


async def old_card_for_a_moment(cast: Cast) -> None:
    """The link goes just when an old card has found itself out. It has started no oftener than the true one,
    which is put back."""
    world, machine = cast.world, cast.machine
    await cast.hands_in(await cast.passed())
    image = machine.platter.image()
    for _ in range(2):
        await cast.cut()
    await cast.hands_in(await cast.passed())
    await cast.wait(10, 20)

    def asks(_machine: "Machine", state: "LockerState", _entries: Any) -> None:
        if state.history.awaited:
            world.broker.cut(machine.name)

    world.on_entries.append(asks)
    world.lies.add("old_card")
    world.testimony.shaken(machine)
    true = machine.platter.image()
    await _exchanged(cast, image)
    await cast.until(lambda: machine.built is not None and machine.built.journal.state.history.awaited)
    await cast.wait(60, 100)
    world.on_entries.remove(asks)
    await _exchanged(cast, true)
    world.broker.mend(machine.name)
    await cast.wait(100, 200)


async def _exchanged(cast: Cast, image: "Image") -> None:
    cast.machine.cut_power()
    await cast.wait(1, 30)
    cast.machine.swap_card(image)
    cast.machine.power_on()
    await cast.up()


async def lost_board(cast: Cast) -> None:
    """The board of the sensors is silent for some minutes; doors are torn open, and codes are shown."""
    papers = await cast.passed()
    await cast.hands_in(papers)
    other = await cast.passed()
    cast.machine.break_line("A", dead=[2])
    await cast.wait(20, 40)
    cast.machine.do(papers.door, "pry")
    await _tries(cast, other)
    await cast.wait(60, 90)
    cast.machine.break_line("A", dead=[])
    await cast.wait(10, 20)
    cast.shuts_all()
    await cast.wait(100, 120)


async def late_replies(cast: Cast) -> None:
    """What was asked before a pulse is answered after it, and the pulse is not answered."""
    machine = cast.machine

    def deaf(_machine: "Machine", _pulse: Any) -> None:
        machine.break_line("A", late=0.0, loss=1.0)
        times.at(machine.loop.time() + 0.3, lambda: machine.break_line("A", loss=0.0))

    cast.world.on_pulse.append(deaf)
    for _ in range(4):
        papers = await cast.passed()
        await cast.screen.typed(papers.typed)
        await cast.wait(1, 3)
        machine.break_line("A", late=1.0, late_ms=cast.rng.randint(235, 260))
        asked = cast.world.spoken.polls
        while cast.world.spoken.polls == asked:
            await cast.wait(0.005, 0.01)
        await cast.screen.act("open")
        await cast.wait(8, 10)
        machine.break_line("A", late=0.0)
        cast.shuts_all()
        await cast.leaves("empty", "stuck", "problem", "interrupted")


async def slow_leaves(cast: Cast) -> None:
    """Contacts chatter for a while whenever a leaf has moved."""
    model, chatter = cast.machine.model, Mechanics(bounce_ms=cast.rng.randint(200, 450))
    for door in model.numbers:
        model.change(door, lambda it: replace(it, mechanics=chatter), "worn", "age")
    await visits(cast)
