"""Receipts: signed proof of hand-in, not of acceptance."""

from locker.domain.deposit import Deposit
from locker.domain.encoding import canonical
from locker.domain.events import ReceiptIssued
from locker.domain.state import LockerState
from locker.operations.ports import World


def receipt_for(world: World, state: LockerState, deposit: Deposit, declared: int) -> ReceiptIssued:
    """The receipt of a hand-in that is being journaled as the next entries.

    Where the clock is not trusted the text names the sequence number only; the centre bounds the time later.
    """
    number = f"{world.locker}-{state.epoch[:4]}-{state.seq + 1}"
    trusted = world.clock.quality() in {"ntp", "centre", "rtc"}
    text = canonical(
        {
            "v": 1,
            "receipt": number,
            "locker": world.locker,
            "case": deposit.case,
            "compartment": deposit.door,
            "declared": declared,
            "seq": state.seq + 1,
            "time": world.clock.wall_ms() if trusted else None,
        }
    )
    key, signature = world.secrets.sign(text)
    return ReceiptIssued(deposit.deposit, number, text, key, signature)
