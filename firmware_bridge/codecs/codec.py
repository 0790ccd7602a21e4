"""What a family's codec is: it builds telegrams, and it reads frames for people."""

from dataclasses import asdict, dataclass
from typing import Any, Protocol

from firmware_bridge.boards import BoardProfile
from firmware_bridge.errors import RequestError
from firmware_bridge.request import PULSE_CEILING_MS, Pulse, ReadInputs, Request, Telegram


@dataclass(frozen=True, slots=True)
class Explained:
    """One frame in words. ``channel`` counts from 1; ``states`` begin with channel ``first``."""

    ok: bool
    kind: str
    """``pulse``, ``release``, ``all_off``, ``open_all``, ``read_doors``, ``read_coils``, ``identify``,
    ``read_modes``; ``doors``, ``coils``, ``registers``, ``refused``, ``failed``; ``report`` where nobody
    asked; ``other`` where it is sound, but nothing that the product says; or ``unknown``."""
    direction: str = ""
    """``request``, ``reply``, ``report``; ``either`` where the bytes are the same both ways."""
    address: int | None = None
    channel: int | None = None
    pulse_ms: int | None = None
    first: int | None = None
    count: int | None = None
    states: tuple[str, ...] | None = None
    """``open``, ``closed``, ``unknown`` where the family says which; else ``on`` and ``off``."""
    code: int | None = None
    reason: str = ""
    """Why it is refused, or what else is to be said of it."""

    def as_dict(self) -> dict[str, Any]:
        """Without what does not apply."""
        return {name: value for name, value in asdict(self).items() if value is not None and value != ""}


class Codec(Protocol):
    """One family. A quirk is a subclass that is named for its manual."""

    def encode(self, profile: BoardProfile, address: int, request: Request) -> Telegram:
        """The telegram of one request. Raises RequestError for what must never reach the wire."""
        ...

    def explain(self, profile: BoardProfile, frame: bytes, request: bytes | None) -> Explained:
        """What one whole frame means, alone or as the reply to ``request``. Never raises for bytes."""
        ...


def refuse(reason: str) -> Explained:
    return Explained(ok=False, kind="unknown", reason=reason)


def has_address(profile: BoardProfile, address: int) -> bool:
    """Whether one board can have it."""
    return profile.address.min <= address <= profile.address.max


def need(profile: BoardProfile, address: int, request: Request) -> None:
    """Raises RequestError for what no board of this profile may be told."""
    if not has_address(profile, address):
        problem = f"address {address} is not one board's; broadcasts do not exist here"
        raise RequestError(f"{request.board}: {problem}")
    match request:
        case ReadInputs():
            _need_inputs(profile, request)
        case Pulse():
            _need_lock(profile, request)


def _need_lock(profile: BoardProfile, pulse: Pulse) -> None:
    """Raises RequestError for no pulse of this board: nothing stands between it and the coil."""
    locks = profile.locks
    if locks is None or not 1 <= pulse.channel <= locks.channels:
        channels = 0 if locks is None else locks.channels
        raise RequestError(f"{pulse.board}: has {channels} locks, channel {pulse.channel} is none of them")
    cap_ms = min(locks.pulse_max_ms, PULSE_CEILING_MS)
    if not locks.pulse_min_ms <= pulse.pulse_ms <= cap_ms or pulse.pulse_ms % locks.unit_ms:
        raise RequestError(
            f"{pulse.board}: {pulse.pulse_ms} ms is no pulse of {locks.pulse_min_ms} to {cap_ms} ms"
        )


def _need_inputs(profile: BoardProfile, request: ReadInputs) -> None:
    """Raises RequestError for channels that this board does not read."""
    channels = 0 if profile.inputs is None else profile.inputs.channels
    if request.first + request.count - 1 > channels:
        raise RequestError(
            f"{request.board}: has {channels} inputs, asked {request.count} from {request.first}"
        )


def unspoken(request: Request) -> RequestError:
    """For what a family has no words for."""
    return RequestError(f"{request.board}: its profile knows no {type(request).__name__}")
