"""What the centre remembers of a history that its locker lost: how the small model takes it."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.world.reference import Reference, Stay

BEFORE: Final = "ended before"
LEVELS: Final = {
    "reserved": 0,
    "unconfirmed": 0,
    "exposed": 0,
    "awaiting_intake": 1,
    "awaiting_pickup": 1,
    "refused": 2,
}
ENDED: Final = 3


def level(phase: str) -> int:
    """How far a deposit has gone."""
    return LEVELS.get(phase, ENDED)


def deposit(model: "Reference", data: dict[str, Any]) -> None:
    """What has gone further in one of two histories has gone further."""
    key, phase, number = data["deposit"], data["phase"], data["door"]
    stay = model.stays.get(key)
    if level(phase) <= (level(stay.phase) if stay is not None else -1):
        return
    if level(phase) == ENDED:
        if stay is not None:
            _leave(model, key, stay)
            stay.phase = phase
        for record in model.codes.values():
            if record.deposit == key and not record.ended:
                record.ended = BEFORE
        return
    it = model.doors.get(number)
    if it is None or it.deposit not in ("", key):
        return
    if stay is None or stay.door != number:
        if stay is not None:
            _leave(model, key, stay)
        stay = model.new_stay(data)
    stay.phase, it.deposit, it.holding, it.doubt = phase, key, level(phase) > 0, "history lost"


def _leave(model: "Reference", key: str, stay: "Stay") -> None:
    it = model.doors[stay.door]
    if it.deposit == key:
        it.deposit, it.holding, it.doubt = "", False, "history lost"


def code(model: "Reference", data: dict[str, Any]) -> None:
    """A code that ended anywhere has ended; one that is not known comes back with its deposit."""
    known, stay = model.codes.get(data["code"]), model.stays.get(data["deposit"])
    if known is not None:
        if data["ended"] and known.ended in ("", BEFORE):
            known.ended = data["ended"]
    elif not data["ended"] and stay is not None and level(stay.phase) < ENDED:
        model._told_pickup_code_made(data)
