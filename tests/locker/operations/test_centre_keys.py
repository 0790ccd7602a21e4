"""What the centre says of its own keys: taken whole or refused, kept over a new epoch, for tokens too."""

from dataclasses import replace

import pytest

from locker.domain.centre_keys import KEYS_MAX, RETIRED_MAX, CentreKeys
from locker.domain.codes import ScanKind, bytes_to_digits
from locker.domain.compartment import Size
from locker.domain.directives import Directive
from locker.domain.events import CentreKeysTold, DirectiveApplied
from locker.domain.history import Break
from locker.domain.ids import Epoch, Seq
from locker.domain.tokens import MINUTE_MS, Scope, Token, TokenPurpose, pack
from locker.operations import directives, new_epoch
from locker.operations.present_code import DropOffOffer, present_scanned
from locker.platform import Keys, LockerSecrets
from sync.seal import SigningKey, frame, keyring
from tests.locker.operations.world import CODE_KEY, MemoryWorld

FIRST, SECOND = (SigningKey.from_seed(bytes([n]) * 32) for n in (1, 2))
KEY = "ab" * 32


async def outcome(m: MemoryWorld, seq: int, *keys: str, retired: tuple[str, ...] = ()) -> str:
    directive = Directive(Seq(seq), "", CentreKeysTold(keys, retired))
    assert await directives.apply(m.world, directive, Epoch("e-1"), f"h{seq}")
    return str(m.journal.events(DirectiveApplied)[-1].outcome)


@pytest.mark.rule("LKR-110")
async def test_what_holds_no_key_is_refused_and_changes_nothing() -> None:
    m = await MemoryWorld.start()
    assert await outcome(m, 1, KEY, "cd" * 32) == "applied"
    many = tuple(f"{n:064x}" for n in range(RETIRED_MAX + 1))
    for seq, (keys, retired, why) in enumerate(
        (
            ((), (), "too few keys, or too many"),
            (many[: KEYS_MAX + 1], (), "too few keys, or too many"),
            ((KEY,), many, "too few keys, or too many"),
            ((KEY.upper(),), (), "not a key"),
            ((KEY,), ("ef",), "not a key"),
            ((KEY,), (KEY,), "both told and retired"),
        ),
        2,
    ):
        assert await outcome(m, seq, *keys, retired=retired) == f"refused: {why}"
    assert m.journal.state.centre_keys == CentreKeys((KEY, "cd" * 32))


@pytest.mark.rule("LKR-110")
async def test_the_next_takes_its_place_and_a_new_epoch_keeps_it() -> None:
    m = await MemoryWorld.start()
    await outcome(m, 1, KEY, "cd" * 32)
    await outcome(m, 2, "cd" * 32, retired=(KEY,))
    await new_epoch.begin(m.world, m.journal, Break.LOST_ROWS, m.journal.state.epoch)
    told = m.journal.state.centre_keys
    assert told.believed([KEY]) == ("cd" * 32,)
    assert told.known([KEY]) == (KEY, "cd" * 32)


@pytest.mark.rule("LKR-110")
async def test_labels_go_by_the_keys_that_were_told() -> None:
    m = await MemoryWorld.start()
    keys = Keys(FIRST, CODE_KEY, keyring(FIRST.public), FIRST.public)
    secrets = LockerSecrets(keys, m.chance.randbytes, lambda: m.journal.state.centre_keys)
    world = replace(m.world, secrets=secrets)
    start = m.clock.wall_ms() // MINUTE_MS
    token = Token(
        TokenPurpose.DROP_OFF, Scope.AREA, "park", "auth-7", "C-7", Size.S, start, start + 60, bytes(8)
    )

    async def takes(key: SigningKey) -> bool:
        offer = await present_scanned(world, ScanKind.TOKEN + bytes_to_digits(frame(key, pack(token))))
        return isinstance(offer, DropOffOffer)

    assert [await takes(FIRST), await takes(SECOND)] == [True, False]
    await outcome(m, 1, FIRST.public.hex(), SECOND.public.hex())
    assert [await takes(FIRST), await takes(SECOND)] == [True, True]
    await outcome(m, 2, SECOND.public.hex(), retired=(FIRST.public.hex(),))
    assert [await takes(FIRST), await takes(SECOND)] == [False, True]
