"""What the centre says of things that wait: new codes for lost ones, agents, longer holds and rights."""

import json

import pytest

from locker.domain.directives import StateEntry
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    AgentEntrusted,
    AuthorisationExtended,
    AuthorisationRevoked,
    CodeAccepted,
    CodeEnded,
    CodeReissueOrdered,
    DirectiveApplied,
    EntrustmentEnded,
    HoldExtended,
    ItemOverdue,
    ItemPickedUp,
    PickupCodeMade,
    RecordsForgotten,
)
from locker.domain.history import Break
from locker.domain.ids import AuthorisationId, CodeId, DepositId, EntrustmentId, ItemId, OrderId, Seq
from locker.operations import new_epoch, pick_up
from locker.operations.open_door import Opened
from locker.operations.present_code import DropOffOffer, PickupOffer, present_scanned, present_typed
from locker.operations.upkeep import upkeep
from tests.locker.operations.test_visits import load
from tests.locker.operations.world import MemoryWorld

DAY_MS = 86_400_000
ITEM = ItemId("I-1")
AGENT = EntrustmentId("agent-1")
NOBODY = EntrustmentId("")
WRONG = Refusal(Reason.CODE_NOT_ACCEPTED)


def reissue(order: str = "order-1", *, stolen: bool = False, of: EntrustmentId = NOBODY) -> StateEntry:
    return CodeReissueOrdered(OrderId(order), ITEM, of, stolen)


def entrust(m: MemoryWorld, days: int = 2) -> StateEntry:
    wall_ms = m.clock.wall_ms()
    digest = m.secrets.digest("phone4", "4321:C-1")
    return AgentEntrusted(AGENT, ITEM, wall_ms, wall_ms + days * DAY_MS, digest, "李*", "139******21")


def made(m: MemoryWorld, deposit: DepositId, holder: EntrustmentId = NOBODY) -> list[dict[str, str]]:
    """Every code that was made for these hands, as the centre unseals it."""
    events = m.journal.events(PickupCodeMade)
    mine = (e for e in events if (e.deposit, e.entrustment) == (deposit, holder))
    return [json.loads(e.sealed.removeprefix("sealed:")) for e in mine]


def outcomes(m: MemoryWorld) -> list[str]:
    return [e.outcome for e in m.journal.events(DirectiveApplied)]


async def take(m: MemoryWorld, codes: dict[str, str], phone4: str = "") -> Opened:
    offer = await present_typed(m.world, codes["typed"])
    assert isinstance(offer, PickupOffer)
    opened = await pick_up.open_compartment(m.world, offer, phone4)
    assert isinstance(opened, Opened)
    await m.settle()
    m.hands.take(opened.door)
    await m.shut(opened.door)
    return opened


@pytest.mark.rule("LKR-56", "LKR-57")
async def test_a_lost_code_gives_way_to_a_new_one_when_the_centre_has_that() -> None:
    m = await MemoryWorld.start()
    await m.announce()
    loaded = await load(m)
    await m.say(reissue())
    old, new = made(m, loaded.deposit)
    await upkeep(m.world)
    for codes in (old, new):
        assert isinstance(await present_typed(m.world, codes["typed"]), PickupOffer)
    entry = next(c.seq for c in m.journal.state.codes.values() if c.order)
    await m.journal.acknowledge(Seq(entry - 1))
    await upkeep(m.world)
    assert isinstance(await present_scanned(m.world, old["scan"]), PickupOffer)
    await m.journal.acknowledge(entry)
    await upkeep(m.world)
    assert await present_typed(m.world, old["typed"]) == WRONG
    assert await present_scanned(m.world, old["scan"]) == WRONG
    await take(m, new)
    assert [e.reason for e in m.journal.events(CodeEnded)] == ["reissued", "collected"]


@pytest.mark.rule("LKR-57")
async def test_a_stolen_code_ends_at_once() -> None:
    m = await MemoryWorld.start()
    loaded = await load(m)
    await m.say(reissue(stolen=True))
    old, new = made(m, loaded.deposit)
    assert await present_scanned(m.world, old["scan"]) == WRONG
    await take(m, new)


@pytest.mark.rule("LKR-56")
async def test_an_order_that_is_said_again_makes_one_code() -> None:
    m = await MemoryWorld.start()
    loaded = await load(m)
    await m.say(reissue())
    await m.say(reissue("order-2"))
    # Also when the code that it made has long ended: what is superseded twice over is still remembered.
    await m.journal.acknowledge(m.journal.state.seq)
    await upkeep(m.world)
    await m.later(2 * DAY_MS)
    await upkeep(m.world)
    assert [len(e.codes) for e in m.journal.events(RecordsForgotten)] == [1]
    await m.say(reissue())
    assert outcomes(m)[-3:] == ["applied", "applied", "repeated"]
    assert len(made(m, loaded.deposit)) == 3


@pytest.mark.rule("LKR-58")
async def test_what_is_over_is_said_to_be_void_and_changes_nothing() -> None:
    m = await MemoryWorld.start()
    await m.announce()
    await m.say(reissue())
    loaded = await load(m)
    await take(m, made(m, loaded.deposit)[0])
    before = m.journal.state
    ended = (
        reissue("order-2"),
        entrust(m),
        EntrustmentEnded(AGENT, "asked to"),
        HoldExtended(ItemId("I-9"), 9),
        AuthorisationExtended(AuthorisationId("auth-9"), 1),
    )
    for says in ended:
        await m.say(says)
    words = [outcome.partition(":")[0] for outcome in outcomes(m)]
    assert (words[:2], words[-5:]) == (["applied", "void"], ["void"] * 5)
    after = m.journal.state
    assert (after.codes, after.entrustments, after.items) == (before.codes, before.entrustments, before.items)


@pytest.mark.rule("LKR-60", "LKR-61")
async def test_an_agent_collects_with_a_code_and_a_phone_of_their_own() -> None:
    m = await MemoryWorld.start()
    await m.announce()
    loaded = await load(m)
    await m.say(entrust(m))
    (own,), (agents,) = made(m, loaded.deposit), made(m, loaded.deposit, AGENT)
    offer = await present_typed(m.world, agents["typed"])
    assert isinstance(offer, PickupOffer)
    assert offer.asks_phone
    assert await pick_up.open_compartment(m.world, offer) == Refusal(Reason.PHONE_ASKED)
    recipients = await pick_up.open_compartment(m.world, offer, "5678")
    assert recipients == Refusal(Reason.PHONE_WRONG)
    await take(m, agents, "4321")
    (accepted,) = m.journal.events(CodeAccepted)
    (picked_up,) = m.journal.events(ItemPickedUp)
    assert (accepted.entrustment, accepted.record) == (AGENT, f"code/{picked_up.code}")
    assert m.journal.state.codes[picked_up.code].entrustment == AGENT
    assert await present_typed(m.world, own["typed"]) == WRONG


@pytest.mark.rule("LKR-60")
async def test_an_entrustment_that_comes_before_the_item_gives_its_code_at_the_loading() -> None:
    m = await MemoryWorld.start()
    await m.announce()
    await m.say(entrust(m))
    assert m.journal.events(PickupCodeMade) == []
    loaded = await load(m)
    (own,), (agents,) = made(m, loaded.deposit), made(m, loaded.deposit, AGENT)
    assert own["typed"][:3] != agents["typed"][:3]
    await take(m, own)
    assert await present_scanned(m.world, agents["scan"]) == WRONG
    (picked_up,) = m.journal.events(ItemPickedUp)
    assert m.journal.state.codes[picked_up.code].entrustment == NOBODY


@pytest.mark.rule("LKR-62")
async def test_an_entrustment_runs_out_by_a_trusted_clock_only_and_the_recipients_code_never() -> None:
    m = await MemoryWorld.start()
    await m.announce()
    loaded = await load(m)
    await m.say(entrust(m, days=1))
    (own,), (agents,) = made(m, loaded.deposit), made(m, loaded.deposit, AGENT)
    offer = await present_typed(m.world, agents["typed"])
    assert isinstance(offer, PickupOffer)
    await m.later(DAY_MS + 1)
    late = Refusal(Reason.CODE_EXPIRED)
    assert await present_typed(m.world, agents["typed"]) == late
    assert await present_scanned(m.world, agents["scan"]) == late
    assert await pick_up.open_compartment(m.world, offer, "4321") == late
    m.clock.time_quality = "unset"
    assert isinstance(await present_scanned(m.world, agents["scan"]), PickupOffer)
    m.clock.time_quality = "ntp"
    await take(m, own)


@pytest.mark.rule("LKR-60")
async def test_an_entrustment_that_ends_takes_its_code_along_and_stays_ended() -> None:
    m = await MemoryWorld.start()
    await m.announce()
    loaded = await load(m)
    says = entrust(m)
    await m.say(says)
    await m.say(reissue(of=AGENT))
    await m.say(EntrustmentEnded(AGENT, "asked to"))
    for codes in made(m, loaded.deposit, AGENT):
        assert await present_scanned(m.world, codes["scan"]) == WRONG
    await m.say(says)
    await m.say(reissue("order-2", of=AGENT))
    assert len(made(m, loaded.deposit, AGENT)) == 2
    assert outcomes(m)[-1].startswith("void")
    await take(m, made(m, loaded.deposit)[0])


@pytest.mark.rule("LKR-63")
async def test_an_item_held_longer_is_not_overdue_until_the_new_day() -> None:
    m = await MemoryWorld.start()
    await m.announce()
    loaded = await load(m)
    await m.later(8 * DAY_MS)
    await upkeep(m.world)
    assert m.journal.state.deposits[loaded.deposit].overdue
    await m.say(HoldExtended(ITEM, 10))
    await upkeep(m.world)
    assert not m.journal.state.deposits[loaded.deposit].overdue
    await m.later(2 * DAY_MS + 1)
    await upkeep(m.world)
    assert len(m.journal.events(ItemOverdue)) == 2
    await m.say(HoldExtended(ITEM, 61))
    assert outcomes(m)[-1].startswith("refused")


@pytest.mark.rule("LKR-63")
async def test_a_right_that_ran_out_unused_is_good_again_and_one_that_was_revoked_is_not() -> None:
    m = await MemoryWorld.start()
    typed = await m.grant()
    right = AuthorisationId("auth-C-1")
    await m.later(73 * 3_600_000)
    assert await present_typed(m.world, typed) == Refusal(Reason.CODE_EXPIRED)
    await m.say(AuthorisationExtended(right, m.clock.wall_ms() + DAY_MS))
    assert isinstance(await present_typed(m.world, typed), DropOffOffer)
    await m.say(AuthorisationRevoked(right, "asked to"))
    await m.say(AuthorisationExtended(right, m.clock.wall_ms() + 2 * DAY_MS))
    assert await present_typed(m.world, typed) == WRONG


@pytest.mark.rule("LKR-57", "LKR-59")
async def test_over_a_new_epoch_both_codes_live_until_the_centre_says_which_it_has() -> None:
    m = await MemoryWorld.start()
    await m.announce()
    loaded = await load(m)
    await m.say(entrust(m))
    await m.say(reissue())
    assert await new_epoch.begin(m.world, m.journal, Break.HOLE, m.journal.state.epoch)
    await m.journal.acknowledge(m.journal.state.seq)
    await upkeep(m.world)
    old, unheard = (c for c in m.journal.state.codes.values() if not c.entrustment)
    assert (old.ended, unheard.ended) == ("", "")
    await m.say(reissue())
    assert len([c for c in m.journal.state.codes.values() if not c.entrustment]) == 3
    await m.journal.acknowledge(m.journal.state.seq)
    await upkeep(m.world)
    living = {key for key, c in m.journal.state.codes.items() if not c.ended}
    assert living.isdisjoint({old.code, unheard.code})
    assert {m.journal.state.codes[CodeId(key)].entrustment for key in living} == {NOBODY, AGENT}
    assert loaded.deposit in m.journal.state.deposits
