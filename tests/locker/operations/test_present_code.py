"""Codes at keypad and scanner: one refusal for all that is wrong, and honest people are not kept out."""

import asyncio
from dataclasses import replace

from locker.domain.codes import ScanKind, bytes_to_digits, check_digit
from locker.domain.compartment import Size
from locker.domain.errors import Reason, Refusal
from locker.domain.events import CodeFailed, GuessesCounted, TokenAdmitted
from locker.domain.tokens import MINUTE_MS, Scope, Token, TokenPurpose, pack
from locker.operations import drop_off
from locker.operations.open_door import Opened
from locker.operations.present_code import (
    DropOffOffer,
    keypad_wait_s,
    present_scanned,
    present_typed,
)
from locker.operations.upkeep import upkeep
from locker.platform import Keys, LockerSecrets
from sync.seal import SigningKey, frame, keyring
from tests.locker.operations.world import CODE_KEY, MemoryWorld

WRONG = Refusal(Reason.CODE_NOT_ACCEPTED)


def other_secret(code: str) -> str:
    """The same locator with another secret and a right check digit."""
    body = code[:3] + f"{(int(code[3:10]) + 1) % 10**7:07d}"
    return body + check_digit(body)


def unknown_locator() -> str:
    return "9991234567" + check_digit("9991234567")


async def test_wrong_unknown_and_ended_codes_meet_the_same_refusal_after_the_same_time() -> None:
    m = await MemoryWorld.start()
    code = await m.grant()
    took = []
    for typed in (other_secret(code), unknown_locator()):
        began_ms = m.clock.mono_ms()
        assert await present_typed(m.world, typed) == WRONG
        took.append(m.clock.mono_ms() - began_ms)
    assert took[0] == took[1] == m.journal.state.policy.refusal_floor_ms


async def test_a_slip_costs_nothing() -> None:
    m = await MemoryWorld.start()
    code = await m.grant()
    slip = code[:-1] + str((int(code[-1]) + 1) % 10)
    for _ in range(20):
        assert await present_typed(m.world, slip) == Refusal(Reason.CODE_SLIP)
    assert isinstance(await present_typed(m.world, code), DropOffOffer)


async def test_a_failure_on_a_record_is_durable_before_the_answer_and_ten_freeze_its_typed_form() -> None:
    m = await MemoryWorld.start()
    code = await m.grant()
    for tries in range(1, 11):
        m.clock.advance(61_000)
        assert await present_typed(m.world, other_secret(code)) == WRONG
        assert len(m.journal.events(CodeFailed)) == tries
    m.clock.advance(901_000)
    assert await present_typed(m.world, code) == WRONG
    token = m.token("auth-C-1", TokenPurpose.DROP_OFF)
    assert isinstance(await present_scanned(m.world, token), DropOffOffer)


async def test_guessing_makes_the_keypad_wait_but_never_the_scanner() -> None:
    m = await MemoryWorld.start()
    code = await m.grant()
    for _ in range(3):
        assert await present_typed(m.world, unknown_locator()) == WRONG
    refusal = await present_typed(m.world, code)
    assert refusal == Refusal(Reason.TOO_MANY_TRIES, 2)
    assert isinstance(
        await present_scanned(m.world, m.token("auth-C-1", TokenPurpose.DROP_OFF)), DropOffOffer
    )
    m.clock.advance(2_000)
    assert isinstance(await present_typed(m.world, code), DropOffOffer)


async def test_rubbish_before_the_scanner_does_not_make_the_keypad_wait() -> None:
    m = await MemoryWorld.start()
    for _ in range(100):
        assert await present_scanned(m.world, "3" + "0" * 40) == WRONG
    assert keypad_wait_s(m.world) == 0
    m.clock.advance(60_000)
    await upkeep(m.world)
    assert m.journal.events(GuessesCounted) == [GuessesCounted("unknown_scan", 100)]


async def test_many_guesses_are_one_row_a_minute_and_none_is_lost() -> None:
    m = await MemoryWorld.start()
    m.clock.advance(60_000)
    for _ in range(3):
        await present_typed(m.world, unknown_locator())
        await upkeep(m.world)
        m.clock.advance(20_000)
    m.clock.advance(60_000)
    await upkeep(m.world)
    rows = m.journal.events(GuessesCounted)
    assert len(rows) <= 2
    assert sum(row.count for row in rows) == 3


async def test_after_250_guesses_in_a_day_the_phone_is_asked_as_well() -> None:
    m = await MemoryWorld.start()
    code = await m.grant()
    m.world.guesses.typed = 250
    m.world.guesses.last_mono_ms = m.clock.mono_ms()
    m.clock.advance(61_000)
    assert await present_typed(m.world, code) == Refusal(Reason.PHONE_ASKED)
    assert await present_typed(m.world, code, "0000") == WRONG
    m.clock.advance(61_000)
    assert isinstance(await present_typed(m.world, code, "5678"), DropOffOffer)


async def test_a_failure_on_a_code_that_exists_counts_ten_so_25_ask_for_the_phone() -> None:
    m = await MemoryWorld.start()
    codes = [await m.grant(f"C-{n}") for n in range(3)]
    for turn in range(25):
        assert await present_typed(m.world, other_secret(codes[turn % 3])) == WRONG
        m.clock.advance(61_000)
    assert await present_typed(m.world, codes[0]) == Refusal(Reason.PHONE_ASKED)
    await m.restart()
    m.clock.advance(61_000)
    assert await present_typed(m.world, codes[0]) == Refusal(Reason.PHONE_ASKED)


async def test_tries_that_wait_for_their_turn_together_are_no_more_than_one_after_another() -> None:
    m = await MemoryWorld.start()
    code = await m.grant()
    async with m.journal._lock:
        crowd = [asyncio.ensure_future(present_typed(m.world, other_secret(code))) for _ in range(30)]
        await asyncio.wait(crowd, timeout=0)
    answers = await asyncio.gather(*crowd)
    assert answers.count(WRONG) == len(m.journal.events(CodeFailed)) == 3
    assert answers.count(Refusal(Reason.TOO_MANY_TRIES, 2)) > 0


async def test_an_unused_code_runs_out_only_by_a_clock_that_is_trusted() -> None:
    m = await MemoryWorld.start()
    code = await m.grant()
    m.clock.advance(73 * 3_600_000)
    assert await present_typed(m.world, code) == Refusal(Reason.CODE_EXPIRED)
    m.clock.time_quality = "unset"
    assert isinstance(await present_typed(m.world, code), DropOffOffer)


async def test_a_token_taken_on_an_untrusted_clock_says_so() -> None:
    m = await MemoryWorld.start()
    m.clock.time_quality = "unset"
    offer = await present_scanned(m.world, m.token("a-9", TokenPurpose.DROP_OFF, hours=-5))
    assert isinstance(offer, DropOffOffer)
    assert isinstance(await drop_off.open_compartment(m.world, offer), Opened)
    assert [e.time_uncertain for e in m.journal.events(TokenAdmitted)] == [True]


async def test_every_changed_digit_of_a_signed_token_is_refused() -> None:
    m = await MemoryWorld.start()
    centre = SigningKey.from_seed(bytes(range(32)))
    keys = Keys(centre, CODE_KEY, keyring(centre.public), centre.public)
    world = replace(m.world, secrets=LockerSecrets(keys, m.chance.randbytes))
    start = m.clock.wall_ms() // MINUTE_MS
    token = Token(
        TokenPurpose.DROP_OFF, Scope.AREA, "park", "auth-7", "C-7", Size.S, start, start + 60, bytes(8)
    )
    digits = ScanKind.TOKEN + bytes_to_digits(frame(centre, pack(token)))
    assert isinstance(await present_scanned(world, digits), DropOffOffer)
    for place in range(len(digits)):
        mutated = digits[:place] + str((int(digits[place]) + 1) % 10) + digits[place + 1 :]
        assert await present_scanned(world, mutated) == WRONG
    stranger = SigningKey.from_seed(bytes(32))
    forged = ScanKind.TOKEN + bytes_to_digits(frame(stranger, pack(token)))
    assert await present_scanned(world, forged) == WRONG
    assert await present_scanned(world, digits + "0" * 400) == WRONG
    assert m.hands.pulses == []
